//! What officers have to do: numbers with a check digit, a status, and what they need, sealed for them.

use std::fmt;

use crate::audit::{Audit, Entry, Event};
use crate::clock::{self, Millis};
use crate::outbox::{Content, Letter, Post, To};
use crate::secret::Sealer;
use crate::storage::Connection;
use crate::storage::ticket::{self, TicketRow};

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

/// A ticket to be.
#[derive(Clone, Copy, Debug)]
pub struct NewTicket<'a> {
    /// The conversation that it comes from.
    pub conversation_id: &'a str,
    /// Whose work it is.
    pub queue: &'a str,
    /// What it is about.
    pub topic: &'a str,
    /// The last four characters of the person's number.
    pub last4: Option<&'a str>,
    /// What the officer needs, for their eyes only.
    pub details: Option<&'a str>,
    /// Whom it concerns, as a name that tells nothing.
    pub subject: &'a str,
}

/// Opens tickets and settles them.
pub struct Tickets<'a> {
    /// Seals what officers need.
    pub sealer: &'a Sealer,
    /// The record.
    pub audit: &'a Audit,
    /// What mails the queues.
    pub post: &'a Post,
}

impl Tickets<'_> {
    /// Opens a ticket, and has its queue told by mail.
    pub async fn open(
        &self,
        connection: &mut Connection,
        new: NewTicket<'_>,
        now: Millis,
    ) -> sqlx::Result<TicketNumber> {
        let year = i64::from(clock::local(now).year());
        let serial = ticket::next_serial(connection, year).await?;
        let number = TicketNumber::new(year, serial);
        let details = new
            .details
            .and_then(|details| self.sealer.seal(number.as_str(), details).ok());
        let row = TicketRow {
            number: number.to_string(),
            conversation_id: new.conversation_id.to_owned(),
            queue: new.queue.to_owned(),
            topic: new.topic.to_owned(),
            status: "open".to_owned(),
            last4: new.last4.map(str::to_owned),
            details,
            created_at: now,
            updated_at: now,
        };
        ticket::insert(connection, &row).await?;
        let letter = Letter {
            to: To::Queue {
                name: new.queue.to_owned(),
            },
            content: Content::Task {
                number: number.to_string(),
                topic: new.topic.to_owned(),
            },
            subject: String::new(),
            conversation_id: String::new(),
            language: "ms".to_owned(),
            expires_at: None,
        };
        self.post.mail(connection, &letter, now).await?;
        let entry = Entry::new(Event::Ticket, "opened")
            .within(new.conversation_id)
            .about(new.subject)
            .detail(number.as_str());
        self.audit.record(connection, entry, now).await?;
        Ok(number)
    }

    /// What an officer needs for a ticket; that somebody looked is recorded.
    pub async fn details(
        &self,
        connection: &mut Connection,
        row: &TicketRow,
        now: Millis,
    ) -> sqlx::Result<Option<String>> {
        let entry = Entry::new(Event::Ticket, "shown")
            .within(&row.conversation_id)
            .detail(&row.number);
        self.audit.record(connection, entry, now).await?;
        let sealed = row.details.as_deref();
        Ok(sealed.and_then(|sealed| self.sealer.open(&row.number, sealed).ok()))
    }
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
    fn the_check_digit_is_that_of_the_standard() {
        // ISO 7064 gives 0794 the digit 5.
        assert_eq!(check_digit("0794"), 5);
    }
}
