//! Tables for Excel: CSV in UTF-8 with its mark, lines that end in CRLF. Refuses to let a text that somebody sent
//! become a formula.
//!
//! A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@`, and drops what it takes for blanks before that; an
//! apostrophe in front makes it a text (OWASP, "CSV Injection"). Numbers need none: they come as numbers.

use ::csv::{Error, Terminator, Writer, WriterBuilder};
use unicode_normalization::UnicodeNormalization;

/// Without it Excel reads UTF-8 as the machine's own code page.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// One cell of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// What people wrote, or anything that is no number.
    Text(&'a str),
    /// A whole number.
    Number(i64),
    /// A number with a fraction, as exact as it is; what is no number leaves the cell empty.
    Decimal(f64),
    /// Nothing.
    Empty,
}

impl Cell<'_> {
    fn written(self) -> String {
        match self {
            Self::Text(text) => harmless(text),
            Self::Number(number) => number.to_string(),
            Self::Decimal(number) if number.is_finite() => number.to_string(),
            Self::Decimal(_) | Self::Empty => String::new(),
        }
    }
}

/// A table that is being written.
pub struct Csv(Writer<Vec<u8>>);

impl std::fmt::Debug for Csv {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Csv")
    }
}

impl Csv {
    /// A table with these columns.
    pub fn new(columns: &[&str]) -> Result<Self, Error> {
        let mut builder = WriterBuilder::new();
        builder.terminator(Terminator::CRLF);
        let mut csv = Self(builder.from_writer(BYTE_ORDER_MARK.into()));
        let cells: Vec<Cell<'_>> = columns.iter().map(|name| Cell::Text(name)).collect();
        csv.row(&cells)?;
        Ok(csv)
    }

    /// Adds a row; an error if it has not one cell for each column.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), Error> {
        self.0.write_record(cells.iter().map(|cell| cell.written()))
    }

    /// The file.
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        self.0
            .into_inner()
            .map_err(|error| error.into_error().into())
    }
}

/// The text, which no spreadsheet takes for a formula, even one that parts cells at semicolons, tabs and line ends.
fn harmless(text: &str) -> String {
    let parts = text.split_inclusive([';', '\t', '\r', '\n']).enumerate();
    let guarded = parts.map(|(at, part)| {
        // A line that seems empty at the beginning does not hide what follows it.
        let dangerous = is_dangerous(if at == 0 { text } else { part });
        [if dangerous { "'" } else { "" }, part].concat()
    });
    guarded.collect()
}

/// Whether a spreadsheet could read a formula here, or drop the first sign to find one.
fn is_dangerous(text: &str) -> bool {
    let blank = text.starts_with(['\t', '\r']);
    let first = text.chars().find(|c| !is_skipped(*c));
    blank || first.is_some_and(begins_formula)
}

/// Full-width, small and raised forms count as what they stand for.
fn begins_formula(c: char) -> bool {
    let plain = std::iter::once(c).nfkc().next().unwrap_or(c);
    // The last is the minus sign of mathematics, which NFKC leaves alone.
    matches!(plain, '=' | '+' | '-' | '@' | '\u{2212}')
}

/// What may stand before a formula without being seen: blanks, quotes, signs of no width.
fn is_skipped(c: char) -> bool {
    let quote = matches!(
        c,
        '"' | '\'' | '`' | '´' | '‘'..='‟' | '«' | '»' | '\u{ff02}' | '\u{ff07}'
    );
    let invisible = matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    );
    quote || invisible || c.is_whitespace() || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(texts: &[&str]) -> Vec<u8> {
        let mut csv = Csv::new(&vec!["kolum"; texts.len()]).unwrap();
        let cells: Vec<Cell<'_>> = texts.iter().map(|text| Cell::Text(text)).collect();
        csv.row(&cells).unwrap();
        csv.finish().unwrap()
    }

    /// All cells below the head, as a program reads them that parts cells at `delimiter`.
    fn read(bytes: &[u8], delimiter: u8) -> Vec<String> {
        let mut builder = ::csv::ReaderBuilder::new();
        let builder = builder.delimiter(delimiter).flexible(true);
        let mut reader = builder.from_reader(bytes);
        let rows = reader.records().map(|row| row.unwrap());
        rows.flat_map(|row| row.iter().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    /// Said once more and in another way, so that a hole in the rule shows. With its apostrophe a cell is a text,
    /// whatever follows.
    fn runs(cell: &str) -> bool {
        let hidden = "\u{200b}\u{200c}\u{200d}\u{200e}\u{202e}\u{2060}\u{feff}\u{ad}\u{3164}\"“”`";
        let blank = |c: char| c.is_whitespace() || c.is_control() || hidden.contains(c);
        let seen: String = cell.trim_start_matches(blank).nfkc().collect();
        seen.starts_with(['=', '+', '-', '@', '−'])
    }

    #[test]
    fn a_table_is_what_excel_reads() {
        let mut csv = Csv::new(&["No.", "Tajuk", "Minit", "Kadar", "Nota"]).unwrap();
        let cells = [
            Cell::Text("TK-2026-000001-4"),
            Cell::Text("Slip gaji, \"Mac\" – tiada"),
            Cell::Number(-5),
            Cell::Decimal(0.25),
            Cell::Empty,
        ];
        csv.row(&cells).unwrap();
        assert_eq!(
            String::from_utf8(csv.finish().unwrap()).unwrap(),
            "\u{feff}No.,Tajuk,Minit,Kadar,Nota\r\nTK-2026-000001-4,\"Slip gaji, \"\"Mac\"\" – tiada\",-5,0.25,\r\n"
        );
    }

    #[test]
    fn ac_80_a_formula_becomes_a_text() {
        for text in [
            "=1+1",
            "+60123456789",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\tabc",
            "  =cmd|'/c calc'!A0",
            "\"=1",
            "'=1",
            "\u{feff}=1",
            "\u{200b}\u{202e}=1",
            "＝1",
            "＋1",
            "－1",
            "＠A1",
            "﹢1",
            "−1",
            "\u{0}=1",
            "\u{a0}=1",
        ] {
            let cells = read(&table(&[text]), b',');
            assert!(cells[0].starts_with('\''), "{text:?}");
            assert_eq!(cells[0].replace('\'', ""), text.replace('\'', ""));
        }
    }

    #[test]
    fn an_ordinary_text_stays_as_it_is() {
        for text in [
            "",
            "nak slip gaji",
            "a=b",
            "A-1",
            "e-mel",
            "1+1",
            "(=)",
            "aminah@kelantan.gov.my",
            "雨",
            "kata \"ya\"",
        ] {
            let cells = read(&table(&[text, "x"]), b',');
            assert_eq!(cells, [text, "x"]);
        }
    }

    #[test]
    fn a_formula_does_not_hide_behind_a_semicolon_or_a_line_end() {
        assert_eq!(harmless("nak;=1"), "nak;'=1");
        assert_eq!(harmless("nak\n =1"), "nak\n' =1");
        assert_eq!(harmless("\n=1"), "'\n'=1");
        assert_eq!(harmless("ya; tidak\nmungkin"), "ya; tidak\nmungkin");
    }

    #[test]
    fn a_column_has_a_harmless_name_too() {
        let bytes = Csv::new(&["=1", "b"]).unwrap().finish().unwrap();
        assert_eq!(bytes, "\u{feff}'=1,b\r\n".as_bytes());
    }

    #[test]
    fn what_is_no_number_leaves_its_cell_empty() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Cell::Decimal(number).written(), "");
        }
        assert_eq!(Cell::Number(i64::MIN).written(), "-9223372036854775808");
        assert_eq!(Cell::Decimal(1e21).written(), "1000000000000000000000");
    }

    #[test]
    fn a_row_has_one_cell_for_each_column() {
        let mut csv = Csv::new(&["a", "b"]).unwrap();
        assert!(csv.row(&[Cell::Empty]).is_err());
    }

    /// Everything that the rule is about, and anything at all.
    const TEXTS: &str = "[=+@＝＋－＠−\\-\t\r\n ;,\"'“\u{200b}\u{202e}\u{feff}\u{ad}\u{3164}\u{0}a1é]{0,12}|.{0,20}";

    proptest! {
        #[test]
        fn no_text_that_is_read_back_is_a_formula(texts in prop::collection::vec(TEXTS, 1..5)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let bytes = table(&texts);
            for cell in read(&bytes, b',') {
                prop_assert!(!runs(&cell) && !cell.starts_with(['\t', '\r']), "{:?} among {:?}", cell, texts);
            }
            // A program that parts cells elsewhere sees other cells, and no formula either.
            for cell in [b';', b'\t'].into_iter().flat_map(|delimiter| read(&bytes, delimiter)) {
                prop_assert!(!runs(&cell), "{:?} among {:?}", cell, texts);
            }
        }

        #[test]
        fn nothing_but_apostrophes_is_added_and_nothing_is_lost(text in TEXTS) {
            let cells = read(&table(&[&text, "x"]), b',');
            prop_assert_eq!(cells.len(), 2);
            prop_assert_eq!(cells[0].replace('\'', ""), text.replace('\'', ""));
        }
    }
}
