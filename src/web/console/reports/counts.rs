//! What reports count in a span of time.

use crate::storage::Connection;
use crate::storage::report::{self, CountRow, DayRow, Span, TicketTimes};

/// Everything that is counted in a span.
pub struct Counts {
    pub outcomes: Vec<CountRow>,
    pub topics: Vec<CountRow>,
    pub channels: Vec<CountRow>,
    pub days: Vec<DayRow>,
    pub tickets: Vec<TicketTimes>,
    pub votes: Vec<CountRow>,
    pub conversations: i64,
    pub handed_over: i64,
}

impl Counts {
    /// Counts it.
    pub async fn of(connection: &mut Connection, span: Span) -> sqlx::Result<Self> {
        Ok(Self {
            outcomes: report::questions_by_outcome(connection, span).await?,
            topics: report::questions_by_target(connection, span).await?,
            channels: report::messages_by_channel(connection, span).await?,
            days: report::questions_by_day(connection, span).await?,
            tickets: report::tickets(connection, span).await?,
            votes: report::votes(connection, span).await?,
            conversations: report::conversations(connection, span).await?,
            handed_over: report::conversations_with_ticket(connection, span).await?,
        })
    }

    /// Questions that the router was asked.
    pub fn questions(&self) -> i64 {
        self.outcomes.iter().map(|row| row.count).sum()
    }

    /// A figure of tickets, over all queues.
    pub fn sum(&self, pick: impl Fn(&TicketTimes) -> i64) -> i64 {
        self.tickets.iter().map(pick).sum()
    }

    /// Votes that say that an answer helped, and all votes.
    pub fn helpful(&self) -> (i64, i64) {
        let helpful = self.votes.iter().filter(|row| row.name == "helpful");
        let helpful = helpful.map(|row| row.count).sum();
        (helpful, self.votes.iter().map(|row| row.count).sum())
    }
}

/// So much of the whole, in percent; nothing of nothing.
pub fn percent(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64 * 100.0)
}

/// The same as it is read; a dash for nothing.
pub fn shown_percent(part: i64, whole: i64) -> String {
    percent(part, whole).map_or_else(|| "–".to_owned(), |percent| format!("{percent:.0}%"))
}
