//! Where the parts of a chart stand. Horizontal places are percentages, so that a chart is as wide as its card and its
//! text never shrinks; vertical ones are pixels.

use super::chart::{Bar, Chart, Column, Dot, Grid, Key, Segment, Tick};

/// What names a chart.
#[derive(Clone, Copy, Debug)]
pub struct Caption<'a> {
    /// The element's id.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// The same in a sentence.
    pub desc: &'a str,
}

/// A value to be drawn as a lying bar.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    /// What it is.
    pub label: &'a str,
    /// How much.
    pub amount: f64,
    /// As read, with its unit.
    pub text: &'a str,
    /// The most it should be, in the same unit.
    pub goal: Option<f64>,
}

/// A day's values, one for each series.
#[derive(Clone, Debug)]
pub struct DayValues {
    /// The day of the month as read below the chart.
    pub tick: String,
    /// The day in full, for the table.
    pub day: String,
    /// The values; none for a day without any.
    pub values: Vec<f64>,
}

const ROW: u32 = 42;
const BAR_AT: u32 = 22;
/// Left of the plot, for the grid's labels, as a percentage.
const LEFT: f64 = 9.0;
const TOP: f64 = 12.0;
const PLOT: f64 = 150.0;
const LABEL: usize = 40;

/// Lying bars.
pub fn bars(caption: Caption<'_>, head: [&str; 2], values: &[Value<'_>]) -> Chart {
    let most = values
        .iter()
        .map(|value| value.amount.max(value.goal.unwrap_or(0.0)))
        .fold(0.0, f64::max);
    let share = |amount: f64| {
        if most > 0.0 {
            amount / most * 100.0
        } else {
            0.0
        }
    };
    let bars = values.iter().zip(0_u32..).map(|(value, row)| Bar {
        label: shortened(value.label),
        value: value.text.to_owned(),
        text_y: row * ROW + 15,
        y: row * ROW + BAR_AT,
        width: percent(share(value.amount)),
        goal: value
            .goal
            .map(|goal| percent(share(goal).min(99.6)))
            .unwrap_or_default(),
        beyond: value.goal.is_some_and(|goal| value.amount > goal),
    });
    let rows = values
        .iter()
        .map(|value| vec![value.label.to_owned(), value.text.to_owned()]);
    Chart {
        height: ROW * u32::try_from(values.len()).unwrap_or(0),
        bars: bars.collect(),
        rows: rows.collect(),
        ..captioned(caption, &head)
    }
}

/// Columns over days, the series on top of each other.
pub fn columns(caption: Caption<'_>, head: &[&str], days: &[DayValues]) -> Chart {
    let sums = days.iter().map(|day| day.values.iter().sum::<f64>());
    let top = ceiling(sums.fold(0.0, f64::max));
    let step = (100.0 - LEFT) / count(days);
    let mut columns = Vec::new();
    for (day, place) in days.iter().zip(0_u32..) {
        let mut base = 0.0;
        for (series, value) in day
            .values
            .iter()
            .enumerate()
            .filter(|(_, value)| **value > 0.0)
        {
            columns.push(Column {
                x: percent(LEFT + step * (f64::from(place) + 0.16)),
                y: pixels(height_of(base + value, top)),
                width: percent(step * 0.68),
                height: pixels(PLOT * value / top),
                series,
                title: format!(
                    "{}: {} {value}",
                    day.day,
                    head.get(series + 1).copied().unwrap_or("")
                ),
            });
            base += value;
        }
    }
    let series = head.iter().skip(1).enumerate();
    let legend = series.map(|(series, label)| Key {
        series,
        label: (*label).to_owned(),
    });
    Chart {
        columns,
        grid: grid(top, ""),
        legend: if head.len() > 2 {
            legend.collect()
        } else {
            Vec::new()
        },
        ..over_days(caption, head, days, step, |value| value.to_string())
    }
}

/// A line over days in percent; a day without a value breaks it.
pub fn line(caption: Caption<'_>, head: [&str; 2], days: &[DayValues], goal: Option<f64>) -> Chart {
    let step = (100.0 - LEFT) / count(days);
    let places: Vec<Option<(f64, f64)>> = days
        .iter()
        .zip(0_u32..)
        .map(|(day, place)| {
            let value = day.values.first()?;
            Some((LEFT + step * (f64::from(place) + 0.5), *value))
        })
        .collect();
    let segments = places.windows(2).filter_map(|pair| {
        let [Some(from), Some(to)] = pair else {
            return None;
        };
        Some(Segment {
            x1: percent(from.0),
            y1: pixels(height_of(from.1, 100.0)),
            x2: percent(to.0),
            y2: pixels(height_of(to.1, 100.0)),
        })
    });
    let dots = places.iter().zip(days).filter_map(|(place, day)| {
        let (x, value) = (*place)?;
        Some(Dot {
            x: percent(x),
            y: pixels(height_of(value, 100.0)),
            title: format!("{}: {value:.0}%", day.day),
        })
    });
    let goal = goal.map(|goal| line_across(goal, 100.0, &format!("{goal:.0}%")));
    Chart {
        line: segments.collect(),
        dots: dots.collect(),
        grid: grid(100.0, "%"),
        goal: goal.into_iter().collect(),
        ..over_days(caption, &head, days, step, |value| format!("{value:.0}%"))
    }
}

fn captioned(caption: Caption<'_>, head: &[&str]) -> Chart {
    Chart {
        id: caption.id.to_owned(),
        title: caption.title.to_owned(),
        desc: caption.desc.to_owned(),
        head: head.iter().map(|text| (*text).to_owned()).collect(),
        ..Chart::default()
    }
}

/// What columns and lines have in common: days below, and the table.
fn over_days(
    caption: Caption<'_>,
    head: &[&str],
    days: &[DayValues],
    step: f64,
    read: impl Fn(f64) -> String,
) -> Chart {
    let every = days.len().div_ceil(8).max(1);
    let ticks = days
        .iter()
        .zip(0_u32..)
        .step_by(every)
        .map(|(day, place)| Tick {
            x: percent(LEFT + step * (f64::from(place) + 0.5)),
            label: day.tick.clone(),
        });
    let rows = days.iter().map(|day| {
        let mut row = vec![day.day.clone()];
        row.extend(day.values.iter().map(|value| read(*value)));
        row.resize(head.len(), "–".to_owned());
        row
    });
    Chart {
        height: 188,
        ticks: ticks.collect(),
        rows: rows.collect(),
        ..captioned(caption, head)
    }
}

fn grid(top: f64, unit: &str) -> Vec<Grid> {
    [0.0, 0.5, 1.0]
        .map(|part| line_across(top * part, top, &format!("{:.0}{unit}", top * part)))
        .to_vec()
}

fn line_across(value: f64, top: f64, label: &str) -> Grid {
    let y = height_of(value, top);
    Grid {
        y: pixels(y),
        text_y: pixels(y + 4.0),
        label: label.to_owned(),
    }
}

fn height_of(value: f64, top: f64) -> f64 {
    TOP + PLOT - PLOT * (value / top).clamp(0.0, 1.0)
}

/// The next even number that reads well: 1, 2 or 5 times a power of ten, times two.
fn ceiling(most: f64) -> f64 {
    let mut power = 1.0;
    loop {
        for step in [2.0, 4.0, 6.0, 8.0, 10.0, 14.0] {
            if most <= step * power {
                return step * power;
            }
        }
        power *= 10.0;
    }
}

fn count(days: &[DayValues]) -> f64 {
    f64::from(u32::try_from(days.len()).unwrap_or(1).max(1))
}

fn percent(value: f64) -> String {
    format!("{value:.2}%")
}

fn pixels(value: f64) -> String {
    format!("{value:.1}")
}

fn shortened(label: &str) -> String {
    if label.chars().count() <= LABEL {
        return label.to_owned();
    }
    let kept: String = label.chars().take(LABEL - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTION: Caption<'_> = Caption {
        id: "c",
        title: "C",
        desc: "D",
    };

    #[test]
    fn the_longest_bar_fills_the_card_and_nothing_is_wider() {
        let value = |amount| Value {
            label: "x",
            amount,
            text: "",
            goal: Some(8.0),
        };
        let chart = bars(CAPTION, ["", ""], &[value(4.0), value(2.0)]);
        assert_eq!(chart.bars[0].width, "50.00%");
        assert_eq!(chart.bars[1].width, "25.00%");
        assert_eq!(chart.bars[0].goal, "99.60%");
    }

    #[test]
    fn a_day_without_a_value_breaks_the_line() {
        let day = |values: &[f64]| DayValues {
            tick: String::new(),
            day: String::new(),
            values: values.to_vec(),
        };
        let chart = line(
            CAPTION,
            ["", ""],
            &[day(&[1.0]), day(&[]), day(&[3.0]), day(&[4.0])],
            None,
        );
        assert_eq!((chart.line.len(), chart.dots.len()), (1, 3));
        assert_eq!(chart.rows[1], ["", "–"]);
    }

    #[test]
    fn nothing_at_all_is_drawn_as_nothing() {
        let chart = bars(CAPTION, ["", ""], &[]);
        assert_eq!((chart.height, chart.bars.len()), (0, 0));
        let chart = columns(CAPTION, &["", ""], &[]);
        assert!(chart.columns.is_empty());
    }

    #[test]
    fn the_scale_reads_well() {
        assert_eq!(
            [0.0, 3.0, 11.0, 95.0, 150.0].map(ceiling),
            [2.0, 4.0, 14.0, 100.0, 200.0]
        );
    }
}
