//! What is wrong in a calendar. It speaks to the officer who edits the file, so it never goes without what to do.

use jiff::civil::Date;

use super::holiday::HolidayError;

/// What is wrong in a calendar, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}: {repair}", place(*.line))]
pub struct CalendarError {
    /// Line, from 1; 0 where the whole file is meant.
    pub line: u64,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub repair: String,
}

fn place(line: u64) -> String {
    if line == 0 {
        return String::new();
    }
    format!("line {line}: ")
}

impl CalendarError {
    pub(super) fn new(line: u64, message: impl Into<String>, repair: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
            repair: repair.into(),
        }
    }

    /// Two holidays, the second of them at `line`, set hours for one date.
    pub(super) fn twice(line: u64, date: Date) -> Self {
        let message = format!("the hours of {date} are set already by a holiday above");
        Self::new(line, message, "join the two to one, or take one out")
    }

    /// The file is larger than [`super::MAX_BYTES`].
    pub(super) fn too_large() -> Self {
        let message = "the calendar is larger than 1 MiB";
        Self::new(0, message, "take out the oldest years")
    }

    /// What is wrong with a holiday or a period at `line`.
    pub(super) fn of(line: u64, problem: HolidayError) -> Self {
        let repair = match problem {
            HolidayError::Backwards => "exchange from and to, or mend the year",
            HolidayError::TooLong(_) => "mend the year, or divide it",
            HolidayError::Year => "mend the year",
            HolidayError::Name => "write name: {ms: \"...\", en: \"...\"}",
        };
        Self::new(line, problem.to_string(), repair)
    }
}

/// The start of what stands in a file, for an error.
pub fn start(text: &str) -> String {
    cut(text, 60)
}

/// At most so many characters of a text: a slip may make a great part of a file one text.
pub fn cut(text: &str, most: usize) -> String {
    let mut start: String = text.chars().take(most).collect();
    if text.chars().nth(most).is_some() {
        start.push('…');
    }
    start
}
