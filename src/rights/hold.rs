//! Holds: what must be kept although its time is over, because somebody who may says so.

use std::sync::Arc;

use uuid::Uuid;

use super::{REASON, RightsError};
use crate::audit::{Audit, Entry, Event};
use crate::clock::{Clock, Millis};
use crate::redact::redact;
use crate::storage::hold::{self, HoldRow};
use crate::storage::{Connection, Store, subject, ticket};
use crate::ticket::TicketNumber;

/// What a hold keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldKind {
    /// Everything of a person: the keyed hash of the number, and its last four characters.
    Subject {
        /// The keyed hash.
        subject: String,
        /// The last four characters.
        last4: String,
    },
    /// A ticket and the chat that it comes from.
    Ticket(TicketNumber),
    /// A chat and its tickets, by the conversation's id.
    Chat(String),
}

/// A hold to be.
#[derive(Clone, Debug)]
pub struct NewHold<'a> {
    /// What it keeps.
    pub kind: HoldKind,
    /// Why.
    pub reason: &'a str,
    /// When it ends by itself, in Unix milliseconds.
    pub until: Option<Millis>,
    /// The agent; empty for the command line.
    pub by: &'a str,
}

/// The holds of a database.
#[derive(Clone)]
pub struct Holds {
    /// The database.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Clock,
    /// The record.
    pub audit: Audit,
}

impl Holds {
    /// Places a hold; its id.
    pub async fn place(&self, new: &NewHold<'_>) -> Result<String, RightsError> {
        let now = self.clock.now();
        let (kind, key, last4) = match &new.kind {
            HoldKind::Subject { subject, last4 } => ("subject", subject.as_str(), last4.as_str()),
            HoldKind::Ticket(number) => ("ticket", number.as_str(), ""),
            HoldKind::Chat(id) => ("chat", id.as_str(), ""),
        };
        let mut transaction = self.store.begin().await?;
        if !is_there(&mut transaction, &new.kind).await? {
            return Err(RightsError::Missing);
        }
        let row = HoldRow {
            id: Uuid::now_v7().to_string(),
            kind: kind.to_owned(),
            key: key.to_owned(),
            last4: last4.to_owned(),
            reason: redact(new.reason).chars().take(REASON).collect(),
            agent: new.by.to_owned(),
            placed_at: now,
            until: new.until,
            ..HoldRow::default()
        };
        hold::insert(&mut transaction, &row).await?;
        hold::cover(&mut transaction, now).await?;
        self.record(&mut transaction, ("placed", new.by), &row.id, kind)
            .await?;
        transaction.commit().await?;
        Ok(row.id)
    }

    /// Lifts a hold.
    pub async fn lift(&self, id: &str, by: &str) -> Result<(), RightsError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        if !hold::lift(&mut transaction, id, by, now).await? {
            return Err(RightsError::Missing);
        }
        hold::cover(&mut transaction, now).await?;
        self.record(&mut transaction, ("lifted", by), id, "")
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Works out what the holds cover now.
    pub async fn cover(&self) -> sqlx::Result<()> {
        let mut transaction = self.store.begin().await?;
        hold::cover(&mut transaction, self.clock.now()).await?;
        transaction.commit().await
    }

    async fn record(
        &self,
        connection: &mut Connection,
        (outcome, by): (&str, &str),
        id: &str,
        kind: &str,
    ) -> sqlx::Result<()> {
        let detail = format!("{id} {kind}");
        let entry = Entry::new(Event::Hold, outcome);
        let entry = entry.about(by).detail(detail.trim_end());
        self.audit.record(connection, entry, self.clock.now()).await
    }
}

/// Whether there is what a hold should keep. A person may be held of whom nothing is there yet.
async fn is_there(connection: &mut Connection, kind: &HoldKind) -> sqlx::Result<bool> {
    match kind {
        HoldKind::Subject { .. } => Ok(true),
        HoldKind::Ticket(number) => {
            let row = ticket::by_number(connection, number.as_str()).await?;
            Ok(row.is_some())
        }
        HoldKind::Chat(id) => Ok(subject::conversation(connection, id).await?.is_some()),
    }
}
