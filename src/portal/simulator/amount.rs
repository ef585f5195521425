//! Invented money: the same person and month always give the same payslip, and everything adds up. All in sen.

use super::period::Month;

/// One ringgit, in sen.
const RM: i64 = 100;
/// The year from which salaries are counted on.
const BASE_YEAR: i32 = 2020;

/// One line of a payslip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is for.
    pub label: &'static str,
    /// How much, in sen.
    pub sen: i64,
}

/// Earnings and deductions of one month, or of several added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payslip {
    /// What is paid.
    pub earnings: Vec<Line>,
    /// What is taken off.
    pub deductions: Vec<Line>,
}

impl Payslip {
    /// The payslip of one month.
    pub fn of(seed: u64, month: Month) -> Self {
        let basic = basic_salary(seed, month);
        let overtime = overtime(seed, month);
        let earnings = vec![
            line("Gaji Pokok", basic),
            line("Imbuhan Tetap Khidmat Awam", allowance(basic)),
            line("Imbuhan Tetap Perumahan", 300 * RM),
            line("Bantuan Sara Hidup", 150 * RM),
            line("Elaun Lebih Masa", overtime),
        ];
        let provident = ringgit(basic * 11 / 100);
        let housing_loan = if part(seed, 24, 3) == 0 { 420 * RM } else { 0 };
        let deductions = vec![
            line("KWSP (bahagian pekerja)", provident),
            line("Potongan Cukai Bulanan", income_tax(basic)),
            line("Koperasi (ANGKASA)", 50 * RM + 10 * RM * part(seed, 32, 9)),
            line("Pinjaman Perumahan", housing_loan),
        ];
        Self {
            earnings,
            deductions,
        }
    }

    /// Several months added up line by line.
    pub fn total(seed: u64, mut months: impl Iterator<Item = Month>) -> Option<Self> {
        let first = Self::of(seed, months.next()?);
        Some(months.fold(first, |sum, month| sum.plus(&Self::of(seed, month))))
    }

    /// Everything paid.
    pub fn gross(&self) -> i64 {
        sum(&self.earnings)
    }

    /// Everything taken off.
    pub fn deducted(&self) -> i64 {
        sum(&self.deductions)
    }

    /// What reaches the bank.
    pub fn net(&self) -> i64 {
        self.gross() - self.deducted()
    }

    fn plus(&self, other: &Self) -> Self {
        Self {
            earnings: added(&self.earnings, &other.earnings),
            deductions: added(&self.deductions, &other.deductions),
        }
    }
}

/// `1234567` sen as `12,345.67`.
pub fn money(sen: i64) -> String {
    let digits = (sen.abs() / 100).to_string();
    let mut ringgit = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            ringgit.push(',');
        }
        ringgit.push(digit);
    }
    let sign = if sen < 0 { "-" } else { "" };
    format!("{sign}{ringgit}.{:02}", sen.abs() % 100)
}

fn line(label: &'static str, sen: i64) -> Line {
    Line { label, sen }
}

fn sum(lines: &[Line]) -> i64 {
    lines.iter().map(|line| line.sen).sum()
}

/// Every payslip has the same lines in the same order, empty ones too.
fn added(these: &[Line], those: &[Line]) -> Vec<Line> {
    let pairs = these.iter().zip(those);
    pairs
        .map(|(this, that)| line(this.label, this.sen + that.sen))
        .collect()
}

/// A number from 0 to `below - 1` out of some bits of the seed.
fn part(seed: u64, shift: u32, below: u64) -> i64 {
    i64::try_from((seed >> shift) % below).unwrap_or(0)
}

fn ringgit(sen: i64) -> i64 {
    sen / RM * RM
}

/// Between RM 1,800 and RM 6,300 at first, and a rise each January.
fn basic_salary(seed: u64, month: Month) -> i64 {
    let start = 1_800 * RM + 125 * RM * part(seed, 8, 37);
    let rise = 80 * RM + 20 * RM * part(seed, 16, 8);
    start + rise * i64::from((month.year() - BASE_YEAR).max(0))
}

fn allowance(basic: i64) -> i64 {
    if basic < 3_000 * RM {
        160 * RM
    } else {
        300 * RM
    }
}

/// Some people in some months.
fn overtime(seed: u64, month: Month) -> i64 {
    let turn = u64::from(month.number().unsigned_abs());
    let often = part(seed, 40, 2) == 0;
    if often && !(seed >> 44).wrapping_add(turn).is_multiple_of(3) {
        3_550 + 1_225 * part(seed.rotate_left(month.number().unsigned_abs()), 12, 20)
    } else {
        0
    }
}

fn income_tax(basic: i64) -> i64 {
    ringgit((basic - 3_200 * RM).max(0) * 8 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payslip_adds_up_and_leaves_something_to_live_on() {
        for seed in (0..500).map(|n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)) {
            let slip = Payslip::of(seed, Month::new(2026, 10));
            assert_eq!(slip.net() + slip.deducted(), slip.gross());
            assert!(slip.net() > 1_000 * RM, "{slip:?}");
            assert_eq!(slip, Payslip::of(seed, Month::new(2026, 10)));
        }
    }

    #[test]
    fn a_year_is_the_sum_of_its_months() {
        let seed = 0x1234_5678_9abc_def0;
        let months = || (1..=12).map(|month| Month::new(2025, month));
        let year = Payslip::total(seed, months()).unwrap();
        let net: i64 = months().map(|month| Payslip::of(seed, month).net()).sum();
        assert_eq!(year.net(), net);
        assert!(Payslip::total(seed, months().take(0)).is_none());
    }

    #[test]
    fn money_has_its_commas() {
        let written: Vec<String> = [0, 5, 99_999, 100_000, 123_456_789, -250 * RM]
            .map(money)
            .into();
        assert_eq!(
            written,
            [
                "0.00",
                "0.05",
                "999.99",
                "1,000.00",
                "1,234,567.89",
                "-250.00"
            ]
        );
    }
}
