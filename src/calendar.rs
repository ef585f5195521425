//! When the treasury's office is open, and when a promise of its client charter falls due. It knows no hours that the
//! file does not state: then it says that it does not know. It asks no clock, and has no zone but Kelantan's (UTC+8).
//!
//! What counts on a date, the first that there is: a holiday with hours of its own (an early closing, an extra opening); a
//! holiday; the special period that the date lies in; the usual hours of the weekday.

mod error;
mod file;
mod holiday;
mod hours;
pub mod ical;
mod raw;
#[cfg(test)]
mod tests;
mod write;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::Offset;

pub use error::CalendarError;
pub use file::MAX_HOLIDAYS;
pub use holiday::{Holiday, HolidayError, MAX_HOLIDAY_DAYS, MAX_NAME_CHARS, Name};
pub use hours::{Block, Hours};
pub use raw::MAX_BYTES;

use crate::clock::{self, Millis};
use holiday::Dates;

/// The most working days that can be counted; more count as this many.
pub const MAX_WORKING_DAYS: u32 = 366;
/// The most working days that a charter may state.
const MAX_CHARTER_DAYS: u32 = 250;
/// How many days ahead an opening is looked for.
const LOOK_AHEAD: usize = 400;
/// The most days that working time is counted over: ten years.
const MAX_SPAN: Millis = 3_660 * DAY;
/// A day in Kelantan: it has no daylight saving.
const DAY: Millis = 86_400_000;
/// The years 1 to 9800, in UTC. From there no count can leave the dates that there are.
const MOMENTS: std::ops::RangeInclusive<Millis> = -62_135_596_800_000..=247_090_953_600_000;

/// The working days that the client charter promises, counted as [`Calendar::due_after`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charter {
    /// Until it is acknowledged that something arrived.
    pub acknowledge: u32,
    /// Until it is answered.
    pub answer: u32,
}

/// Days in a row with hours of their own, as Ramadan. A weekday that it does not name keeps its usual hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecialPeriod {
    name: Name,
    from: Date,
    to: Date,
    hours: Hours,
}

impl SpecialPeriod {
    /// What it is called.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its first day.
    pub fn from(&self) -> Date {
        self.from
    }

    /// Its last day.
    pub fn to(&self) -> Date {
        self.to
    }

    /// Its hours.
    pub fn hours(&self) -> &Hours {
        &self.hours
    }
}

/// A day as an editor shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// The date.
    pub date: Date,
    /// Its weekday.
    pub weekday: Weekday,
    /// Whether it counts for the charter.
    pub working: bool,
    /// When the office is open; empty when it is closed, or no hours are set.
    pub blocks: Vec<Block>,
    /// The holiday on it.
    pub holiday: Option<Name>,
    /// The special period that it lies in.
    pub period: Option<Name>,
}

/// The office's hours and holidays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    sample: bool,
    charter: Charter,
    /// From Sunday; never empty.
    week: Vec<Weekday>,
    /// For every day of the week above and for no other.
    hours: Option<Hours>,
    /// In order, without overlap.
    periods: Vec<SpecialPeriod>,
    holidays: Vec<Holiday>,
    dates: Dates,
}

/// The hours of a demonstration, which call themselves a sample.
const SAMPLE: &str = include_str!("calendar/sample.yaml");

impl Calendar {
    /// Kelantan's week and the charter, without hours: what is known where there is no file.
    pub fn unset() -> Self {
        Self {
            sample: false,
            charter: Charter {
                acknowledge: 1,
                answer: 7,
            },
            week: vec![
                Weekday::Sunday,
                Weekday::Monday,
                Weekday::Tuesday,
                Weekday::Wednesday,
                Weekday::Thursday,
            ],
            hours: None,
            periods: Vec::new(),
            holidays: Vec::new(),
            dates: Dates::default(),
        }
    }

    /// The sample of a demonstration.
    pub fn sample() -> Self {
        // A test makes sure that it can be read.
        Self::parse(SAMPLE).unwrap_or_else(|_| Self::unset())
    }

    /// By when what arrives at `at` has to be acknowledged.
    pub fn acknowledge_by(&self, at: Millis) -> Millis {
        self.due_after(at, self.charter.acknowledge)
    }

    /// By when what arrives at `at` has to be answered.
    pub fn answer_by(&self, at: Millis) -> Millis {
        self.due_after(at, self.charter.answer)
    }

    /// Whether the usual hours are set. If not, nothing is known about what is open.
    pub fn has_hours(&self) -> bool {
        self.hours.is_some()
    }

    /// Whether the file calls itself a sample, so that nobody takes its hours for the treasury's.
    pub fn is_sample(&self) -> bool {
        self.sample
    }

    /// What the client charter promises.
    pub fn charter(&self) -> Charter {
        self.charter
    }

    /// The days of the working week, from Sunday.
    pub fn working_week(&self) -> &[Weekday] {
        &self.week
    }

    /// The usual hours, when they are set.
    pub fn hours(&self) -> Option<&Hours> {
        self.hours.as_ref()
    }

    /// The holidays, in the order of the file.
    pub fn holidays(&self) -> &[Holiday] {
        &self.holidays
    }

    /// The special periods, in the order of their dates.
    pub fn special_periods(&self) -> &[SpecialPeriod] {
        &self.periods
    }

    /// Whether the office is open; none when no hours are set.
    pub fn is_open(&self, at: Millis) -> Option<bool> {
        self.hours.as_ref()?;
        Some(self.open_block(at).is_some())
    }

    /// The next moment at which the office is open: `at` itself if it is. None when no hours are set, or when nothing opens
    /// within 400 days.
    pub fn next_opening(&self, at: Millis) -> Option<Millis> {
        self.hours.as_ref()?;
        if self.open_block(at).is_some() {
            return Some(at);
        }
        dates(moment(at)?.date())
            .take(LOOK_AHEAD + 1)
            .find_map(|date| {
                let opens = |block: &Block| millis(date.to_datetime(block.opens()));
                self.blocks(date)
                    .iter()
                    .map(opens)
                    .find(|opens| *opens >= at)
            })
    }

    /// When the block ends that is open now, be it for lunch. None when the office is closed or no hours are set.
    pub fn closes_at(&self, at: Millis) -> Option<Millis> {
        let (date, block) = self.open_block(at)?;
        Some(millis(date.to_datetime(block.closes())))
    }

    /// Whether a day counts for the charter: its weekday is in the working week, and no holiday takes the whole of it. An
    /// early closing does not take it, an extra opening does not give it. It is known also when no hours are set.
    pub fn is_working_day(&self, date: Date) -> bool {
        self.week.contains(&date.weekday()) && self.dates.on(date).closed.is_none()
    }

    /// The name of the holiday on a date. Of several, one with hours comes first, as it is what people have to know; then
    /// the first of the file.
    pub fn holiday_on(&self, date: Date) -> Option<&Name> {
        let marks = self.dates.on(date);
        let holiday = self.holidays.get(marks.open.or(marks.closed)?)?;
        Some(holiday.name())
    }

    /// The name of the special period that a date lies in.
    pub fn period_on(&self, date: Date) -> Option<&Name> {
        self.special_period(date).map(SpecialPeriod::name)
    }

    /// When something that arrived at `at` falls due under the client charter.
    ///
    /// Counting starts with the first working day after the day of arrival, which itself does not count, however early
    /// in the morning it was. So what arrives on a non-working day counts as arriving on the eve of the next working
    /// day: one working day after a Friday is the end of Sunday. The end is the last closing time of the day; if no hours
    /// are set, the last millisecond of the day. No working days at all: the end of the day of arrival if that is a
    /// working day and not over, else of the next working day. More than [`MAX_WORKING_DAYS`] count as so many.
    pub fn due_after(&self, at: Millis, working_days: u32) -> Millis {
        let at = clamp(at);
        let arrival = clock::local(at).date();
        if working_days == 0 && self.is_working_day(arrival) && at <= self.end(arrival) {
            return self.end(arrival);
        }
        let count = working_days.clamp(1, MAX_WORKING_DAYS);
        let later = dates(arrival)
            .skip(1)
            .filter(|date| self.is_working_day(*date));
        // No date of a holiday lies after 2199, so that there always is a working day.
        let due = later.zip(1..=count).last();
        due.map_or(Millis::MAX, |(date, _)| self.end(date))
    }

    /// How many milliseconds the office is open from `from` to `to`; none when no hours are set. Nothing when `to` is not
    /// after `from`; a span of more than 3,660 days counts as so many.
    pub fn working_time_between(&self, from: Millis, to: Millis) -> Option<Millis> {
        self.hours.as_ref()?;
        let from = clamp(from);
        let to = clamp(to).min(from.saturating_add(MAX_SPAN));
        let (first, last) = (clock::local(from).date(), clock::local(to).date());
        let days = dates(first).take_while(|date| *date <= last);
        let open = days.map(|date| {
            let midnight = millis(date.at(0, 0, 0, 0));
            let within = |block: &Block| {
                let opens = midnight + hours::since_midnight(block.opens());
                let closes = midnight + hours::since_midnight(block.closes());
                (closes.min(to) - opens.max(from)).max(0)
            };
            self.blocks(date).iter().map(within).sum::<Millis>()
        });
        Some(open.sum())
    }

    /// The days from `from` on, as an editor previews them; at most 400.
    pub fn days(&self, from: Date, count: usize) -> Vec<Day> {
        let days = dates(from).take(count.min(LOOK_AHEAD));
        days.map(|date| self.day(date)).collect()
    }

    fn day(&self, date: Date) -> Day {
        Day {
            date,
            weekday: date.weekday(),
            working: self.is_working_day(date),
            blocks: self.blocks(date).to_vec(),
            holiday: self.holiday_on(date).cloned(),
            period: self.period_on(date).cloned(),
        }
    }

    /// The opening blocks of a date, in order.
    fn blocks(&self, date: Date) -> &[Block] {
        let Some(usual) = &self.hours else {
            return &[];
        };
        let marks = self.dates.on(date);
        if let Some(holiday) = marks.open.or(marks.closed) {
            return self.holidays.get(holiday).map_or(&[], Holiday::hours);
        }
        let weekday = date.weekday();
        let special = self
            .special_period(date)
            .map(|period| period.hours.on(weekday));
        special
            .filter(|blocks| !blocks.is_empty())
            .unwrap_or_else(|| usual.on(weekday))
    }

    fn special_period(&self, date: Date) -> Option<&SpecialPeriod> {
        let after = self.periods.partition_point(|period| period.from <= date);
        let period = self.periods.get(after.checked_sub(1)?)?;
        (date <= period.to).then_some(period)
    }

    fn open_block(&self, at: Millis) -> Option<(Date, Block)> {
        let at = moment(at)?;
        let mut blocks = self.blocks(at.date()).iter();
        let block = blocks.find(|block| block.contains(at.time()))?;
        Some((at.date(), *block))
    }

    /// The last moment of a working day.
    fn end(&self, date: Date) -> Millis {
        let closes = self.blocks(date).last().map(|block| block.closes());
        millis(date.to_datetime(closes.unwrap_or(Time::constant(23, 59, 59, 999_000_000))))
    }
}

/// A date and those after it.
fn dates(from: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(from), |date| date.tomorrow().ok())
}

/// The nearest moment that can be counted from.
fn clamp(at: Millis) -> Millis {
    at.clamp(*MOMENTS.start(), *MOMENTS.end())
}

/// A moment as the clocks in Kelantan show it; none where it could not be counted from.
fn moment(at: Millis) -> Option<DateTime> {
    MOMENTS.contains(&at).then(|| clock::local(at))
}

/// A time of Kelantan's clocks as a moment.
fn millis(at: DateTime) -> Millis {
    let at = Offset::constant(8).to_timestamp(at);
    at.map_or(Millis::MAX, |at| at.as_millisecond())
}
