//! Months, and which of them the portal keeps documents for: two years, as its retention rule says.

use std::fmt;

use jiff::civil::Date;

/// How many payslips are kept.
const PAYSLIPS_KEPT: i32 = 24;
/// How many annual statements are kept.
const STATEMENTS_KEPT: i32 = 2;
/// The day of the month from which that month's payslip is there.
const PAYDAY: i8 = 25;

/// One month of one year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// Months since the year 0.
    count: i32,
}

impl Month {
    /// The month in which a day lies.
    pub fn of(day: Date) -> Self {
        Self::new(i32::from(day.year()), i32::from(day.month()))
    }

    /// A month by its year and its number from 1 to 12.
    pub fn new(year: i32, month: i32) -> Self {
        Self {
            count: year * 12 + month - 1,
        }
    }

    /// The month that many months before.
    pub fn before(self, months: i32) -> Self {
        Self {
            count: self.count - months,
        }
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.count.div_euclid(12)
    }

    /// The number in the year, from 1 to 12.
    pub fn number(self) -> i32 {
        self.count.rem_euclid(12) + 1
    }

    /// The name in Malay.
    pub fn name(self) -> &'static str {
        match self.number() {
            1 => "Januari",
            2 => "Februari",
            3 => "Mac",
            4 => "April",
            5 => "Mei",
            6 => "Jun",
            7 => "Julai",
            8 => "Ogos",
            9 => "September",
            10 => "Oktober",
            11 => "November",
            _ => "Disember",
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.number())
    }
}

/// The months with a payslip on that day, the latest first, for somebody first paid in `first`.
pub fn payslips(today: Date, first: Month) -> Vec<Month> {
    let paid = today.day() >= PAYDAY;
    let latest = Month::of(today).before(i32::from(!paid));
    let kept = (0..PAYSLIPS_KEPT).map(|months| latest.before(months));
    kept.take_while(|month| *month >= first).collect()
}

/// The complete years with an annual statement on that day, the latest first.
pub fn statements(today: Date, first: Month) -> Vec<i32> {
    let this_year = i32::from(today.year());
    let kept = (1..=STATEMENTS_KEPT).map(|years| this_year - years);
    kept.take_while(|year| *year >= first.year()).collect()
}

/// The months of a year in which somebody first paid in `first` had a salary.
pub fn paid_in(year: i32, first: Month) -> impl Iterator<Item = Month> {
    let months = (1..=12).map(move |month| Month::new(year, month));
    months.filter(move |month| *month >= first)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const LONG_AGO: i32 = 2001;

    #[test]
    fn this_months_payslip_is_there_from_day_25() {
        let first = Month::new(LONG_AGO, 1);
        let on_24th = payslips(date(2026, 11, 24), first);
        let on_25th = payslips(date(2026, 11, 25), first);
        assert_eq!(on_24th[0].to_string(), "2026-10");
        assert_eq!(on_25th[0].to_string(), "2026-11");
        assert_eq!((on_24th.len(), on_25th.len()), (24, 24));
        assert_eq!(on_24th[23].to_string(), "2024-11");
    }

    #[test]
    fn january_looks_back_over_the_year() {
        let months = payslips(date(2027, 1, 3), Month::new(LONG_AGO, 1));
        assert_eq!(months[0].to_string(), "2026-12");
        assert_eq!(
            statements(date(2027, 1, 3), Month::new(LONG_AGO, 1)),
            [2026, 2025]
        );
    }

    #[test]
    fn who_came_late_has_fewer() {
        let first = Month::new(2026, 8);
        assert_eq!(payslips(date(2026, 11, 23), first).len(), 3);
        assert!(statements(date(2026, 11, 23), first).is_empty());
        assert_eq!(paid_in(2026, first).count(), 5);
    }
}
