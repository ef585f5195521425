//! Holidays and the dates they fall on. A holiday without hours closes its days; one with hours sets when those days are
//! open. What is open beyond that is the calendar's to say.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::hours::Block;

/// A name has at most this many characters.
pub const MAX_NAME_CHARS: usize = 120;
/// A holiday lasts at most this many days. A slip in a year should not close the office for one.
pub const MAX_HOLIDAY_DAYS: usize = 92;
/// The years that a date in a calendar may have: another is a slip.
pub const YEARS: std::ops::RangeInclusive<i16> = 1970..=2199;

/// What a holiday or a period is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// In Malay.
    pub ms: String,
    /// In English.
    pub en: String,
}

/// Why something is no holiday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HolidayError {
    /// The last day lies before the first.
    #[error("ends before it begins")]
    Backwards,
    /// More than so many days.
    #[error("lasts more than {0} days")]
    TooLong(usize),
    /// A date outside of [`YEARS`].
    #[error("has a date outside of the years {} to {}", YEARS.start(), YEARS.end())]
    Year,
    /// A name that is empty, longer than [`MAX_NAME_CHARS`], or has control characters.
    #[error("needs a name of 1 to {MAX_NAME_CHARS} characters in Malay (ms) and in English (en)")]
    Name,
}

/// A day, or days in a row, on which the office keeps other hours than usual, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holiday {
    name: Name,
    from: Date,
    to: Date,
    hours: Vec<Block>,
}

impl Holiday {
    /// A holiday on which the office is closed, from the first day to the last, both included.
    pub fn closed(name: Name, from: Date, to: Date) -> Result<Self, HolidayError> {
        check(&name, from, to, MAX_HOLIDAY_DAYS)?;
        Ok(Self {
            name,
            from,
            to,
            hours: Vec::new(),
        })
    }

    /// The same days, open in these blocks, which are in order: an early closing or an extra opening.
    pub(super) fn open(mut self, hours: Vec<Block>) -> Self {
        self.hours = hours;
        self
    }

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

    /// When the office is open on each of its days; empty: closed.
    pub fn hours(&self) -> &[Block] {
        &self.hours
    }

    /// Its days.
    pub fn dates(&self) -> impl Iterator<Item = Date> + use<> {
        dates(self.from, self.to)
    }
}

/// Refuses what no holiday and no period may have; `most` is how many days it may last.
pub fn check(name: &Name, from: Date, to: Date, most: usize) -> Result<(), HolidayError> {
    if to < from {
        return Err(HolidayError::Backwards);
    }
    if !YEARS.contains(&from.year()) || !YEARS.contains(&to.year()) {
        return Err(HolidayError::Year);
    }
    if dates(from, to).nth(most).is_some() {
        return Err(HolidayError::TooLong(most));
    }
    let fits = [&name.ms, &name.en].into_iter().all(|text| is_name(text));
    fits.then_some(()).ok_or(HolidayError::Name)
}

fn is_name(text: &str) -> bool {
    let chars = text.chars().count();
    let clean = !text.chars().any(char::is_control) && text.trim() == text;
    clean && (1..=MAX_NAME_CHARS).contains(&chars)
}

fn dates(from: Date, to: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(from), |date| date.tomorrow().ok())
        .take_while(move |date| *date <= to)
}

/// What falls on one date: places in the list of holidays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The first that closes the whole day.
    pub closed: Option<usize>,
    /// The one that sets hours for the day.
    pub open: Option<usize>,
}

/// The holidays by date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dates(BTreeMap<Date, Marks>);

impl Dates {
    /// Sorts holidays by date. An error is the place of one that sets hours for a date that has hours already: which of
    /// them would count?
    pub fn of(holidays: &[Holiday]) -> Result<Self, (usize, Date)> {
        let mut marks: BTreeMap<Date, Marks> = BTreeMap::new();
        for (place, holiday) in holidays.iter().enumerate() {
            for date in holiday.dates() {
                let marks = marks.entry(date).or_default();
                if holiday.hours.is_empty() {
                    marks.closed.get_or_insert(place);
                } else if marks.open.replace(place).is_some() {
                    return Err((place, date));
                }
            }
        }
        Ok(Self(marks))
    }

    /// What falls on `date`.
    pub fn on(&self, date: Date) -> Marks {
        self.0.get(&date).copied().unwrap_or_default()
    }

    /// Whether every day of `holiday` is one already.
    pub fn cover(&self, holiday: &Holiday) -> bool {
        holiday.dates().all(|date| self.0.contains_key(&date))
    }

    /// Notes the days of a holiday at a place of the list.
    pub fn note(&mut self, holiday: &Holiday, place: usize) {
        for date in holiday.dates() {
            self.0.entry(date).or_default().closed.get_or_insert(place);
        }
    }
}
