//! The month or the year that a question names: "slip bulan 7", "julai 2025", "EC tahun lepas", "last month".

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::language::normalise;
use super::text::Language;

/// A month, or a whole year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Period {
    /// The year, as 2025.
    pub year: i16,
    /// The month, 1 to 12; none: the whole year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<i8>,
}

/// By month: how it is said, the Malay and the English name first.
const MONTHS: [&[&str]; 12] = [
    &["Januari", "January", "jan", "jnuari"],
    &["Februari", "February", "feb", "pebruari"],
    &["Mac", "March", "mar", "mach"],
    &["April", "April", "apr"],
    &["Mei", "May"],
    &["Jun", "June"],
    &["Julai", "July", "jul", "juli"],
    &["Ogos", "August", "ogs", "aug", "agos"],
    &["September", "September", "sep", "sept"],
    &["Oktober", "October", "okt", "oct"],
    &["November", "November", "nov"],
    &["Disember", "December", "dis", "dec", "des"],
];
const NUMBERS: [&[&str]; 12] = [
    &["satu", "one"],
    &["dua", "two", "duo"],
    &["tiga", "three", "tigo"],
    &["empat", "four", "pak"],
    &["lima", "five", "limo"],
    &["enam", "six"],
    &["tujuh", "seven"],
    &["lapan", "eight", "lape"],
    &["sembilan", "nine", "smile"],
    &["sepuluh", "ten"],
    &["sebelas", "eleven"],
    &["duabelas", "twelve"],
];
const MONTH_WORDS: [&str; 9] = [
    "bulan", "bln", "bule", "bulang", "bl", "month", "months", "bulanan", "mth",
];
const YEAR_WORDS: [&str; 6] = ["tahun", "thn", "tahung", "year", "years", "taun"];
const THIS: [&str; 8] = [
    "ini", "ni", "nih", "ning", "this", "semasa", "current", "ng",
];
const LAST: [&str; 13] = [
    "lepas", "lps", "lepah", "lepaih", "lalu", "last", "previous", "sudah", "sebelum", "ago",
    "past", "dulu", "lpas",
];
/// Months that are months only after one of these, or with a year.
const DOUBTFUL: [&str; 4] = ["mac", "mar", "may", "march"];
const LEADS: [&str; 8] = [
    "slip", "gaji", "payslip", "penyata", "for", "untuk", "utk", "bulanan",
];
/// Years that somebody may mean.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2099;

/// The period that a text names, if it names one; a month without a year is the latest that has begun.
pub fn named(text: &str, today: Date) -> Option<Period> {
    let normal = normalise(text);
    let words: Vec<&str> = normal.split(' ').filter(|word| !word.is_empty()).collect();
    let year = named_year(&words, today);
    if let Some(month) = named_month(&words, year.is_some()) {
        let latest = today.year() - i16::from(month > today.month());
        return Some(Period {
            year: year.unwrap_or(latest),
            month: Some(month),
        });
    }
    if let Some(back) = relative(&words, &MONTH_WORDS) {
        let day = today.checked_sub(i64::from(back).months()).ok()?;
        return Some(Period {
            year: day.year(),
            month: Some(day.month()),
        });
    }
    year.map(|year| Period { year, month: None })
}

impl Period {
    /// Reads `2026-10` or `2025`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = match text.split_once('-') {
            Some((year, month)) => (year, Some(month.parse::<i8>().ok()?)),
            None => (text, None),
        };
        let year: i16 = year.parse().ok()?;
        let good = YEARS.contains(&year) && month.is_none_or(|month| (1..=12).contains(&month));
        good.then_some(Self { year, month })
    }

    /// As [`Period::parse`] reads it.
    pub fn key(&self) -> String {
        match self.month {
            Some(month) => format!("{:04}-{month:02}", self.year),
            None => format!("{:04}", self.year),
        }
    }

    /// As it is shown: "Julai 2025", "2025".
    pub fn shown(&self, language: Language) -> String {
        let name = match language {
            Language::Ms => 0,
            Language::En => 1,
        };
        let months = self.month.and_then(|month| usize::try_from(month).ok());
        let month = months.and_then(|month| MONTHS.get(month.checked_sub(1)?)?.get(name));
        match month {
            Some(month) => format!("{month} {}", self.year),
            None => self.year.to_string(),
        }
    }
}

fn named_year(words: &[&str], today: Date) -> Option<i16> {
    let four_digits = |word: &&str| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
    let named = words.iter().filter(|word| four_digits(word));
    let named = named
        .filter_map(|word| word.parse().ok())
        .find(|year| YEARS.contains(year));
    named.or_else(|| Some(today.year() - relative(words, &YEAR_WORDS)?))
}

fn named_month(words: &[&str], with_year: bool) -> Option<i8> {
    for (at, word) in words.iter().enumerate() {
        let after = words.get(at + 1).copied();
        if MONTH_WORDS.contains(word)
            && let Some(month) = after.and_then(number)
            && !words
                .get(at + 2)
                .is_some_and(|word| MONTH_WORDS.contains(word))
        {
            return Some(month);
        }
        let before = at.checked_sub(1).and_then(|at| words.get(at)).copied();
        // "Mac" and "may" are other things too.
        let doubtful = DOUBTFUL.contains(word);
        let led = before.is_some_and(|word| LEADS.contains(&word) || MONTH_WORDS.contains(&word));
        if let Some(month) = place(&MONTHS, word).filter(|_| !doubtful || led || with_year) {
            return Some(month);
        }
        let beside_year = |word: Option<&&str>| word.is_some_and(|word| is_year(word));
        let next_to_year = beside_year(words.get(at + 1))
            || at
                .checked_sub(1)
                .is_some_and(|before| beside_year(words.get(before)));
        if next_to_year
            && word.bytes().all(|b| b.is_ascii_digit())
            && let Some(month) = number(word)
        {
            return Some(month);
        }
    }
    None
}

/// How many months or years back a text points: "bulan ini" none, "bulan lepas" one, "2 bulan lepas" two.
fn relative(words: &[&str], units: &[&str]) -> Option<i16> {
    words.iter().enumerate().find_map(|(at, word)| {
        if !units.contains(word) {
            return None;
        }
        let before = at.checked_sub(1).and_then(|at| words.get(at)).copied();
        let after = words.get(at + 1).copied();
        let is = |list: &[&str]| {
            [before, after]
                .iter()
                .flatten()
                .any(|word| list.contains(word))
        };
        if is(&LAST) {
            let count = before.and_then(number).map_or(1, i16::from);
            Some(count)
        } else if is(&THIS) {
            Some(0)
        } else {
            None
        }
    })
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && word.parse().is_ok_and(|year| YEARS.contains(&year))
}

/// A number from 1 to 12, in digits or in words.
fn number(word: &str) -> Option<i8> {
    let digits = word.parse().ok().filter(|number| (1..=12).contains(number));
    digits.or_else(|| place(&NUMBERS, word))
}

/// The place, from 1, of the list that has the word.
fn place(lists: &[&[&str]; 12], word: &str) -> Option<i8> {
    let found = lists
        .iter()
        .position(|list| list.iter().any(|form| form.eq_ignore_ascii_case(word)));
    found.and_then(|place| i8::try_from(place + 1).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named_on_22_november_2026(text: &str) -> Option<(i16, Option<i8>)> {
        let today = jiff::civil::date(2026, 11, 22);
        named(text, today).map(|period| (period.year, period.month))
    }

    #[test]
    fn months_are_heard_however_they_are_said() {
        for (text, year, month) in [
            ("slip bulan 7", 2026, 7),
            ("slip gaji bln 12", 2025, 12),
            ("nak slip bule tujuh", 2026, 7),
            ("julai 2025", 2025, 7),
            ("slip 2024 mac", 2024, 3),
            ("payslip for may 2025", 2025, 5),
            ("slip 07/2025", 2025, 7),
            ("slip 2025-07", 2025, 7),
            ("slip gaji bulan lepas", 2026, 10),
            ("last month", 2026, 10),
            ("slip bule lepah", 2026, 10),
            ("slip gaji bulan ni", 2026, 11),
            ("slip 2 bulan lepas", 2026, 9),
            ("slip jan", 2026, 1),
            ("slip gaji mac", 2026, 3),
            ("slip disember tahun lepas", 2025, 12),
            ("bulan dis", 2025, 12),
        ] {
            assert_eq!(
                named_on_22_november_2026(text),
                Some((year, Some(month))),
                "{text}"
            );
        }
    }

    #[test]
    fn years_are_heard_and_a_year_back_goes_over_the_new_year() {
        for (text, year) in [
            ("EC tahun lepas", 2025),
            ("EC 2019", 2019),
            ("penyata tahun ini", 2026),
            ("annual statement last year", 2025),
            ("EC 2 tahun lepas", 2024),
        ] {
            assert_eq!(
                named_on_22_november_2026(text),
                Some((year, None)),
                "{text}"
            );
        }
        let january = named("slip bulan lepas", jiff::civil::date(2026, 1, 3));
        assert_eq!(
            january,
            Some(Period {
                year: 2025,
                month: Some(12)
            })
        );
    }

    #[test]
    fn what_names_no_period_has_none() {
        for text in [
            "slip gaji",
            "tarikh 2 hari",
            "may I ask something",
            "mac saya rosak",
            "guna mac tak boleh tengok slip gaji",
            "berapa tahun data disimpan",
            "slip gaji 3 bulan",
        ] {
            assert_eq!(named_on_22_november_2026(text), None, "{text}");
        }
    }

    #[test]
    fn a_period_is_shown_in_the_language_of_the_reply() {
        let period = Period {
            year: 2025,
            month: Some(7),
        };
        assert_eq!(period.shown(Language::Ms), "Julai 2025");
        assert_eq!(period.shown(Language::En), "July 2025");
        assert_eq!(
            Period {
                year: 2025,
                month: None
            }
            .shown(Language::En),
            "2025"
        );
    }
}
