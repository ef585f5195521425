//! A month of the calendar, as reports count it.

use jiff::civil::Date;

use crate::clock::midnight;
use crate::knowledge::period::Period;
use crate::storage::report::Span;
use crate::web::console::view::Words;

/// A month: its first day, and the span that it is.
#[derive(Clone, Copy)]
pub struct Month {
    pub first: Date,
    pub span: Span,
}

impl Month {
    /// The month of a day.
    pub fn of(day: Date) -> Self {
        let first = day.first_of_month();
        let next = first.last_of_month().tomorrow().unwrap_or(first);
        Self {
            first,
            span: (midnight(first), midnight(next)),
        }
    }

    /// Reads `YYYY-MM`.
    pub fn parse(text: &str) -> Option<Self> {
        format!("{text}-01").parse().ok().map(Self::of)
    }

    /// `YYYY-MM`.
    pub fn code(self) -> String {
        self.first.strftime("%Y-%m").to_string()
    }

    /// Its name in the page's language.
    pub fn name(self, w: &Words) -> String {
        let period = Period::parse(&self.code());
        period.map_or_else(|| self.code(), |period| period.shown(w.language()))
    }

    /// The latest months, this one first.
    pub fn latest(today: Date, count: usize) -> Vec<Self> {
        let before = |month: &Self| month.first.yesterday().ok().map(Self::of);
        std::iter::successors(Some(Self::of(today)), before)
            .take(count)
            .collect()
    }

    /// Its days, the first one first.
    pub fn days(self) -> impl Iterator<Item = Date> {
        let last = self.first.last_of_month();
        let next = move |day: &Date| day.tomorrow().ok().filter(|day| *day <= last);
        std::iter::successors(Some(self.first), next)
    }
}
