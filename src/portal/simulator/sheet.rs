//! Payslips and annual statements as PDF, in the manner of the real ones, with invented amounts and marked as samples
//! from corner to corner.

use super::amount::{Line, Payslip, money};
use super::paper::{Face, LEFT, Paper, RIGHT};
use super::period::{self, Month};
use super::person::Person;

const LABEL_WIDTH: f32 = 150.0;
/// How many characters of a value fit on a line.
const VALUE_CHARS: usize = 58;
const ROW: f32 = 18.0;

/// The payslip of a month.
pub fn payslip(person: &Person, month: Month) -> Vec<u8> {
    let period = format!("{} {}", month.name(), month.year());
    let sheet = Sheet {
        title: "Slip Gaji",
        subtitle: "Payslip",
        period_label: "Bulan",
        period,
        amounts: Payslip::of(person.seed(), month),
        net: "Gaji bersih",
    };
    sheet.print(person)
}

/// The annual statement of a year, if there was a salary in it.
pub fn statement(person: &Person, year: i32) -> Option<Vec<u8>> {
    let months = period::paid_in(year, person.first_month);
    let sheet = Sheet {
        title: "Penyata Pendapatan Tahunan",
        subtitle: "EC \u{2013} annual statement of income",
        period_label: "Tahun",
        period: year.to_string(),
        amounts: Payslip::total(person.seed(), months)?,
        net: "Pendapatan bersih",
    };
    Some(sheet.print(person))
}

struct Sheet {
    title: &'static str,
    subtitle: &'static str,
    period_label: &'static str,
    period: String,
    amounts: Payslip,
    net: &'static str,
}

impl Sheet {
    fn print(&self, person: &Person) -> Vec<u8> {
        let mut paper = Paper::new();
        self.head(&mut paper);
        self.particulars(&mut paper, person);
        let amounts = &self.amounts;
        table(
            &mut paper,
            "Pendapatan",
            &amounts.earnings,
            ("Jumlah pendapatan", amounts.gross()),
        );
        table(
            &mut paper,
            "Potongan",
            &amounts.deductions,
            ("Jumlah potongan", amounts.deducted()),
        );
        self.bottom_line(&mut paper);
        paper.finish(&format!("{} {} (CONTOH / SAMPLE)", self.title, self.period))
    }

    fn head(&self, paper: &mut Paper) {
        paper.text(LEFT, Face::Regular(10.0), "Portal iSPEKS (CONTOH / SAMPLE)");
        paper.down(26.0);
        paper.text(LEFT, Face::Bold(20.0), self.title);
        paper.down(ROW);
        paper.text(LEFT, Face::Regular(10.0), self.subtitle);
        paper.down(30.0);
    }

    fn particulars(&self, paper: &mut Paper, person: &Person) {
        let id_no = person.masked_id_no();
        let rows = [
            ("Nama", person.name),
            ("No. kad pengenalan", id_no.as_str()),
            ("PTJ", person.ptj.unwrap_or("-")),
            (self.period_label, self.period.as_str()),
        ];
        for (label, value) in rows {
            paper.text(LEFT, Face::Regular(10.0), label);
            for line in wrapped(value, VALUE_CHARS) {
                paper.text(LEFT + LABEL_WIDTH, Face::Bold(10.0), &line);
                paper.down(ROW);
            }
        }
        paper.down(14.0);
    }

    fn bottom_line(&self, paper: &mut Paper) {
        paper.shade(ROW + 10.0);
        paper.text(LEFT + 8.0, Face::Bold(12.0), self.net);
        paper.amount(
            RIGHT - 8.0,
            Face::Bold(12.0),
            &format!("RM {}", money(self.amounts.net())),
        );
        paper.down(44.0);
        paper.text(LEFT, Face::Regular(9.0), "Semua nama dan amaun dalam dokumen ini rekaan. Dokumen ini tidak boleh digunakan untuk apa-apa urusan.");
        paper.down(13.0);
        paper.text(
            LEFT,
            Face::Regular(9.0),
            "Every name and amount here is invented. This document cannot be used for anything.",
        );
    }
}

fn table(paper: &mut Paper, title: &str, lines: &[Line], (label, total): (&str, i64)) {
    paper.text(LEFT, Face::Bold(11.0), title);
    paper.amount(RIGHT, Face::Bold(11.0), "RM");
    paper.down(6.0);
    paper.rule();
    paper.down(ROW);
    for line in lines.iter().filter(|line| line.sen != 0) {
        paper.text(LEFT, Face::Regular(10.0), line.label);
        paper.amount(RIGHT, Face::Regular(10.0), &money(line.sen));
        paper.down(ROW);
    }
    paper.down(-8.0);
    paper.rule();
    paper.down(ROW);
    paper.text(LEFT, Face::Bold(10.0), label);
    paper.amount(RIGHT, Face::Bold(10.0), &money(total));
    paper.down(36.0);
}

/// The text in lines of at most so many characters, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn a_long_name_takes_two_lines() {
        let name = "Thirunavukkarasu Venkatasubramaniam A/L Krishnamoorthy Parameswaran Pillai";
        let lines = wrapped(name, 58);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines.join(" "), name);
        assert!(lines.iter().all(|line| line.len() <= 58));
    }
}
