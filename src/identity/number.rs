//! Identity numbers: the form that everybody may know, and nothing about whose they are.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// As whom somebody wants to be known. A number alone does not tell: those of companies can pass for those of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Somebody on the state's payroll.
    Staff,
    /// A company that the state pays.
    Supplier,
}

impl Kind {
    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Supplier => "supplier",
        }
    }

    /// Reads the name as stored.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "staff" => Some(Self::Staff),
            "supplier" => Some(Self::Supplier),
            _ => None,
        }
    }
}

/// A number of the right form: an identity card's for staff, a company's for suppliers. A user name, never a secret, and
/// never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityNumber {
    kind: Kind,
    text: String,
}

impl std::fmt::Debug for IdentityNumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("IdentityNumber")
    }
}

/// The longest number that is looked at, in characters.
const LONGEST: usize = 24;

impl IdentityNumber {
    /// Reads a number as people write it; none if its form is wrong.
    pub fn parse(kind: Kind, text: &str) -> Option<Self> {
        let text = text.trim();
        if text.chars().count() > LONGEST {
            return None;
        }
        let plain: String = text
            .chars()
            .filter(|c| !matches!(c, '-' | '–' | ' '))
            .collect();
        let text = plain.to_uppercase();
        let good = match kind {
            Kind::Staff => is_card(&text),
            Kind::Supplier => is_company(&text),
        };
        good.then_some(Self { kind, text })
    }

    /// As whom.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The number, without hyphens, for the one who needs it.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// Its last four characters.
    pub fn last4(&self) -> String {
        let skip = self.text.chars().count().saturating_sub(4);
        self.text.chars().skip(skip).collect()
    }
}

/// `YYMMDD-PB-###G`: a date of either century, a place that is not 00.
fn is_card(text: &str) -> bool {
    let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let two = |from: usize| {
        text.get(from..from + 2)
            .and_then(|two| two.parse::<i8>().ok())
    };
    let (Some(year), Some(month), Some(day), Some(place)) = (two(0), two(2), two(4), two(6)) else {
        return false;
    };
    let is_date = |century: i16| Date::new(century + i16::from(year), month, day).is_ok();
    digits && place != 0 && (is_date(1900) || is_date(2000))
}

/// A registration number: twelve digits, or an older one of five to eight digits with up to three letters before it and
/// one behind it.
fn is_company(text: &str) -> bool {
    if !text.is_ascii() {
        return false;
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let before = text.len() - rest.len();
    let digits = rest.trim_end_matches(|c: char| c.is_ascii_uppercase());
    let behind = rest.len() - digits.len();
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all && before <= 3
        && behind <= 1
        && match digits.len() {
            12 => before == 0,
            5..=9 => before + behind > 0,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(kind: Kind, text: &str) -> Option<String> {
        IdentityNumber::parse(kind, text).map(|number| number.reveal().to_owned())
    }

    #[test]
    fn cards_are_read_however_they_are_written() {
        for text in ["880101-03-5123", "880101035123", " 880101 03 5123 "] {
            assert_eq!(reads(Kind::Staff, text).as_deref(), Some("880101035123"));
        }
        assert!(reads(Kind::Staff, "000229-03-5123").is_some());
        for wrong in [
            "",
            "880101",
            "881301035123",
            "880132035123",
            "010229035123",
            "880101005123",
            "8801010351234",
            "88010103512X",
            "８８０１０１０３５１２３",
            "880101/03/5123",
        ] {
            assert_eq!(reads(Kind::Staff, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn companies_have_new_and_old_numbers() {
        for (text, read) in [
            ("201901012345", "201901012345"),
            ("123456-X", "123456X"),
            ("kt0123456-d", "KT0123456D"),
            ("880101-03-5123", "880101035123"),
        ] {
            assert_eq!(reads(Kind::Supplier, text).as_deref(), Some(read));
        }
        for wrong in ["", "ABC", "12345", "1234567890123", "X", "12 OR 1=1"] {
            assert_eq!(reads(Kind::Supplier, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ac_83_a_number_is_not_printed() {
        let number = IdentityNumber::parse(Kind::Staff, "880101-03-5123").unwrap();
        assert_eq!(format!("{number:?}"), "IdentityNumber");
        assert_eq!(number.last4(), "5123");
    }
}
