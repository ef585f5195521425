//! Numbers of tickets, with a digit that shows typing errors.

use std::fmt;

/// Year, serial and check digit.
const DIGITS: usize = 11;

/// A ticket's number: `TK-YYYY-NNNNNN-D`, D the check digit of ISO 7064 MOD 11,10 over year and serial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketNumber(String);

impl TicketNumber {
    /// The number of a serial in a year.
    pub fn new(year: i64, serial: i64) -> Self {
        let digits = format!("{year:04}{serial:06}");
        Self(format!("TK-{year:04}-{serial:06}-{}", check_digit(&digits)))
    }

    /// Reads a number as people write it; none if it is mistyped.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_uppercase();
        let rest = text.strip_prefix("TK")?;
        let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
        let others = rest
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '-' | ' '));
        let (number, check) = digits.split_at_checked(10)?;
        let (year, serial) = number.split_at_checked(4)?;
        let right = check == check_digit(number).to_string();
        (others && right).then_some(())?;
        Some(Self::new(year.parse().ok()?, serial.parse().ok()?))
    }

    /// The first number in a text, however it is written.
    pub fn find(text: &str) -> Option<Self> {
        let upper = text.to_uppercase();
        upper.match_indices("TK").find_map(|(at, _)| {
            let rest = upper.get(at..)?;
            let written = rest.char_indices().skip(2);
            let mut digits = written
                .take_while(|(_, c)| c.is_ascii_digit() || matches!(c, '-' | ' '))
                .filter(|(_, c)| c.is_ascii_digit());
            let (last, _) = digits.nth(DIGITS - 1)?;
            let (number, after) = rest.split_at_checked(last + 1)?;
            let goes_on = after.starts_with(|c: char| c.is_ascii_digit());
            Self::parse(number).filter(|_| !goes_on)
        })
    }

    /// The number of these digits: year, serial, check digit.
    pub fn from_digits(digits: &str) -> Option<Self> {
        Self::parse(&format!("TK{digits}"))
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TicketNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// ISO 7064 MOD 11,10: every single mistyped digit shows, and nearly every two that changed places.
fn check_digit(digits: &str) -> u32 {
    let product =
        digits
            .chars()
            .filter_map(|digit| digit.to_digit(10))
            .fold(10, |product, digit| {
                let sum = (product + digit) % 10;
                let sum = if sum == 0 { 10 } else { sum };
                sum * 2 % 11
            });
    (11 - product) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_carries_a_digit_that_shows_typing_errors() {
        let number = TicketNumber::new(2026, 123);
        let text = number.to_string();
        assert!(text.starts_with("TK-2026-000123-"), "{text}");
        assert_eq!(TicketNumber::parse(&text), Some(number.clone()));
        assert_eq!(
            TicketNumber::parse(&text.to_lowercase().replace('-', " ")),
            Some(number)
        );
        for at in [3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 15] {
            for digit in '0'..='9' {
                let mut wrong: Vec<char> = text.chars().collect();
                if wrong[at] != digit {
                    wrong[at] = digit;
                    let wrong: String = wrong.into_iter().collect();
                    assert_eq!(TicketNumber::parse(&wrong), None, "{wrong}");
                }
            }
        }
        for none in ["", "TK", "TK-2026-123", "XX-2026-000123-1"] {
            assert_eq!(TicketNumber::parse(none), None);
        }
    }

    #[test]
    fn a_number_is_found_in_what_people_write() {
        let number = TicketNumber::new(2026, 123);
        for text in [
            format!("macam mana {number}?"),
            format!("status tiket {}", number.as_str().to_lowercase()),
            format!("TK saya: {number}"),
            number.as_str().replace('-', " "),
            format!("{number} 2 hari dah tak jawab"),
            format!("{number}lah"),
        ] {
            assert_eq!(TicketNumber::find(&text), Some(number.clone()), "{text}");
        }
        for text in [
            "TK",
            "tiket saya mana",
            "TK-2026-000123-0x",
            "ATK 2026",
            "TK-2026-000123-70",
        ] {
            assert_eq!(TicketNumber::find(text), None, "{text}");
        }
    }

    #[test]
    fn the_check_digit_is_that_of_the_standard() {
        // ISO 7064 gives 0794 the digit 5.
        assert_eq!(check_digit("0794"), 5);
    }
}
