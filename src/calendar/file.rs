//! Reads `calendar.yaml` and checks it. It refuses what it does not know, as a misspelt word would leave an office open on
//! a holiday; the error says where and what to do.

use jiff::civil::{Date, Weekday};
use serde_yaml::Spanned;

use super::error::{CalendarError, start};
use super::holiday::{self, Dates, Holiday};
use super::hours::{Block, Hours, weekday_name, weekday_named};
use super::raw::{
    BlocksYaml, CharterYaml, HolidayYaml, HoursYaml, MAX_BYTES, PeriodYaml, line, read,
};
use super::{Calendar, Charter, MAX_CHARTER_DAYS, SpecialPeriod};

/// The most holidays, imported ones included.
pub const MAX_HOLIDAYS: usize = 2_000;
/// The most periods with hours of their own.
const MAX_PERIODS: usize = 200;
/// The most days of a period: more is a slip in a year.
const MAX_PERIOD_DAYS: usize = 366;
/// The most opening blocks in a day.
const MAX_BLOCKS: usize = 8;

impl Calendar {
    /// Reads and checks a calendar file.
    pub fn parse(yaml: &str) -> Result<Self, CalendarError> {
        let raw = read(yaml)?;
        if raw.version.value != 1 {
            let message = format!("version {} is not known", raw.version.value);
            return Err(CalendarError::new(
                line(&raw.version),
                message,
                "write version: 1",
            ));
        }
        let week = week(&raw.working_week)?;
        let usual = raw.hours.as_ref();
        let usual = usual.map(|hours| usual_hours(hours, &week)).transpose()?;
        let frame = Frame {
            set: usual.is_some(),
            week: &week,
        };
        let periods = frame.periods(raw.special_periods.unwrap_or_default())?;
        let (holidays, dates) = frame.holidays(raw.holidays.unwrap_or_default())?;
        Self {
            sample: raw.sample,
            charter: charter(&raw.charter)?,
            week,
            hours: usual,
            periods,
            holidays,
            dates,
        }
        .bounded()
    }

    /// This calendar with more holidays, in the order of their dates. Left out is a holiday whose days all are holidays
    /// already: what the treasury wrote itself, as an early closing, counts more than what a file brings. An error tells
    /// that it would be too much for a file, or that two holidays set hours for one date.
    pub fn with_holidays(&self, more: &[Holiday]) -> Result<Self, CalendarError> {
        if more.iter().any(|holiday| !holiday.hours().is_empty()) {
            let set = self.has_hours();
            Frame {
                set,
                week: &self.week,
            }
            .needs_hours(0)?;
        }
        let mut all = self.clone();
        for holiday in more {
            if all.dates.cover(holiday) {
                continue;
            }
            all.dates.note(holiday, all.holidays.len());
            all.holidays.push(holiday.clone());
        }
        all.holidays.sort_by_key(Holiday::from);
        all.dates = Dates::of(&all.holidays).map_err(|(_, date)| CalendarError::twice(0, date))?;
        all.bounded()
    }

    /// Refuses a calendar whose file could not be read again.
    fn bounded(self) -> Result<Self, CalendarError> {
        if self.holidays.len() > MAX_HOLIDAYS {
            let message = format!("more than {MAX_HOLIDAYS} holidays");
            return Err(CalendarError::new(0, message, "take out the oldest years"));
        }
        if self.to_yaml().len() > MAX_BYTES {
            return Err(CalendarError::too_large());
        }
        Ok(self)
    }
}

fn weekday(raw: &Spanned<String>) -> Result<Weekday, CalendarError> {
    weekday_named(&raw.value).ok_or_else(|| {
        let message = format!("`{}` is no weekday", start(&raw.value));
        let repair =
            "write ahad, isnin, selasa, rabu, khamis, jumaat, sabtu, or sunday to saturday";
        CalendarError::new(line(raw), message, repair)
    })
}

fn week(raw: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<Weekday>, CalendarError> {
    let mut week = Vec::new();
    for day in &raw.value {
        let weekday = weekday(day)?;
        if week.contains(&weekday) {
            let message = format!("`{}` stands twice in the working week", start(&day.value));
            return Err(CalendarError::new(line(day), message, "take one out"));
        }
        week.push(weekday);
    }
    if week.is_empty() {
        let message = "the working week has no day";
        return Err(CalendarError::new(
            line(raw),
            message,
            "write the days on which the office works",
        ));
    }
    week.sort_by_key(|weekday| weekday.to_sunday_zero_offset());
    Ok(week)
}

fn charter(raw: &Spanned<CharterYaml>) -> Result<Charter, CalendarError> {
    let CharterYaml {
        acknowledge,
        answer,
    } = raw.value;
    if acknowledge < 1 || answer < acknowledge || answer > MAX_CHARTER_DAYS {
        let message = "the days of the charter are out of order";
        let repair = format!(
            "write working days from 1 to {MAX_CHARTER_DAYS}, acknowledge not after answer"
        );
        return Err(CalendarError::new(line(raw), message, repair));
    }
    Ok(Charter {
        acknowledge,
        answer,
    })
}

fn usual_hours(raw: &Spanned<HoursYaml>, week: &[Weekday]) -> Result<Hours, CalendarError> {
    let hours = hours(raw, week)?;
    let without = week.iter().find(|weekday| hours.on(**weekday).is_empty());
    let Some(without) = without else {
        return Ok(hours);
    };
    let message = format!("{} has no hours", weekday_name(*without));
    let repair = "state them, or take the day out of working_week";
    Err(CalendarError::new(line(raw), message, repair))
}

fn hours(raw: &Spanned<HoursYaml>, week: &[Weekday]) -> Result<Hours, CalendarError> {
    // A map has no order; the first error of the file is the one to tell.
    let mut days: Vec<_> = raw.value.iter().collect();
    days.sort_by_key(|(day, _)| (line(day), day.referenced.column()));
    let mut hours = Hours::default();
    for (day, raw) in days {
        let weekday = weekday(day)?;
        if !week.contains(&weekday) {
            let message = format!(
                "`{}` has hours, but is not in working_week",
                start(&day.value)
            );
            let repair =
                "add it there, or take its hours out; an extra opening is a holiday with hours";
            return Err(CalendarError::new(line(day), message, repair));
        }
        let Some(raw) = raw else {
            let message = format!("`{}` has no hours", start(&day.value));
            return Err(CalendarError::new(
                line(day),
                message,
                "write them, or take the line out",
            ));
        };
        if !hours.add(weekday, blocks(raw)?) {
            let message = format!("`{}` has hours already", start(&day.value));
            return Err(CalendarError::new(line(day), message, "take one out"));
        }
    }
    Ok(hours)
}

fn blocks(raw: &Spanned<BlocksYaml>) -> Result<Vec<Block>, CalendarError> {
    if raw.value.is_empty() || raw.value.len() > MAX_BLOCKS {
        let message = format!("1 to {MAX_BLOCKS} opening blocks are needed");
        let repair = "write them as [\"08:00-13:00\", \"14:00-17:00\"]; a day that is closed is a holiday without hours";
        return Err(CalendarError::new(line(raw), message, repair));
    }
    let mut blocks: Vec<Block> = Vec::new();
    for text in &raw.value {
        let Some(block) = Block::parse(&text.value) else {
            let message = format!("`{}` is no opening block", start(&text.value));
            let repair = "write it as \"08:00-13:00\", within one day";
            return Err(CalendarError::new(line(text), message, repair));
        };
        if blocks
            .last()
            .is_some_and(|last| last.closes() >= block.opens())
        {
            let message = format!(
                "`{}` does not begin after the block before it ends",
                start(&text.value)
            );
            let repair = "put the blocks in order, and write blocks that meet as one";
            return Err(CalendarError::new(line(text), message, repair));
        }
        blocks.push(block);
    }
    Ok(blocks)
}

fn date(raw: &Spanned<String>) -> Result<Date, CalendarError> {
    let text = raw.value.trim();
    // Without this also 20270831 and a date with a time would be read.
    let shaped = text.len() == 10;
    let date = shaped.then(|| text.parse().ok()).flatten();
    date.ok_or_else(|| {
        let message = format!("`{}` is no date", start(text));
        let repair = "write year-month-day, as 2027-08-31";
        CalendarError::new(line(raw), message, repair)
    })
}

/// What hours of holidays and periods are checked against.
#[derive(Clone, Copy)]
struct Frame<'a> {
    /// Whether the usual hours are set.
    set: bool,
    week: &'a [Weekday],
}

impl Frame<'_> {
    /// Own hours would not count as long as the usual ones are not set, and nobody would see why.
    fn needs_hours(self, line: u64) -> Result<(), CalendarError> {
        if self.set {
            return Ok(());
        }
        let message = "has hours of its own, but the usual hours are not set";
        Err(CalendarError::new(
            line,
            message,
            "set the usual hours first, under `hours`",
        ))
    }

    fn periods(self, raw: Vec<Spanned<PeriodYaml>>) -> Result<Vec<SpecialPeriod>, CalendarError> {
        if raw.len() > MAX_PERIODS {
            let message = format!("more than {MAX_PERIODS} special periods");
            return Err(CalendarError::new(0, message, "take out the oldest years"));
        }
        let mut periods = Vec::new();
        for raw in raw {
            let line = line(&raw);
            periods.push((line, self.period(line, raw.value)?));
        }
        periods.sort_by_key(|(_, period)| period.from);
        for pair in periods.windows(2) {
            let [(_, first), (line, second)] = pair else {
                continue;
            };
            if second.from <= first.to {
                let message = format!("overlaps the period that ends on {}", first.to);
                return Err(CalendarError::new(
                    *line,
                    message,
                    "mend from and to: a day is in one period",
                ));
            }
        }
        Ok(periods.into_iter().map(|(_, period)| period).collect())
    }

    fn period(self, at: u64, raw: PeriodYaml) -> Result<SpecialPeriod, CalendarError> {
        self.needs_hours(at)?;
        let (name, from, to) = (raw.name.name(), date(&raw.from)?, date(&raw.to)?);
        holiday::check(&name, from, to, MAX_PERIOD_DAYS)
            .map_err(|problem| CalendarError::of(at, problem))?;
        let hours = hours(&raw.hours, self.week)?;
        if hours.days().next().is_none() {
            let message = "the period has no hours";
            return Err(CalendarError::new(
                line(&raw.hours),
                message,
                "write the hours of its weekdays",
            ));
        }
        Ok(SpecialPeriod {
            name,
            from,
            to,
            hours,
        })
    }

    fn holidays(
        self,
        raw: Vec<Spanned<HolidayYaml>>,
    ) -> Result<(Vec<Holiday>, Dates), CalendarError> {
        let lines: Vec<u64> = raw.iter().map(line).collect();
        let holidays: Result<Vec<_>, _> = raw
            .into_iter()
            .take(MAX_HOLIDAYS + 1)
            .map(|raw| self.holiday(line(&raw), raw.value))
            .collect();
        let holidays = holidays?;
        let dates = Dates::of(&holidays).map_err(|(place, date)| {
            CalendarError::twice(lines.get(place).copied().unwrap_or(0), date)
        })?;
        Ok((holidays, dates))
    }

    fn holiday(self, at: u64, raw: HolidayYaml) -> Result<Holiday, CalendarError> {
        let (from, to) = match (&raw.date, &raw.from, &raw.to) {
            (Some(day), None, None) => (date(day)?, date(day)?),
            (None, Some(from), Some(to)) => (date(from)?, date(to)?),
            _ => {
                let message = "a holiday has either a date, or from and to";
                let repair =
                    "write date: 2027-08-31, or from and to with the first and the last day";
                return Err(CalendarError::new(at, message, repair));
            }
        };
        let holiday = Holiday::closed(raw.name.name(), from, to)
            .map_err(|problem| CalendarError::of(at, problem))?;
        let Some(hours) = &raw.hours else {
            return Ok(holiday);
        };
        self.needs_hours(at)?;
        Ok(holiday.open(blocks(hours)?))
    }
}
