//! What must go out: a row in the transaction that decided it, with an id that stays the same over all tries.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Millis;
use crate::storage::outbox::{self, OutboxRow};
use crate::storage::{Connection, Store};

/// What other processes are told when something must go out.
pub const NEWS: &str = "outbox";

/// What carries deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The Bot API.
    Telegram,
}

impl Carrier {
    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
        }
    }
}

/// What a delivery carries that is no message of a transcript.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Says something; `answers` is the carrier's number of the message that it replies to.
    Say {
        /// The message's body, as in a transcript.
        body: serde_json::Value,
        /// The language of its buttons.
        language: String,
        /// What it replies to.
        answers: Option<i32>,
    },
    /// Removes a message that held what nobody should read again, by the carrier's number.
    Remove {
        /// The message.
        number: i32,
    },
    /// Leaves the place.
    Leave,
}

/// Something to be carried.
#[derive(Clone, Debug)]
pub struct Delivery<'a> {
    /// What carries it.
    pub carrier: Carrier,
    /// Whom it goes to.
    pub lane: &'a str,
    /// The conversation that it belongs to and the number of the message, or its place behind the last.
    pub message: Option<(&'a str, i64)>,
    /// What it carries, unless that message.
    pub payload: Option<&'a Payload>,
}

impl Delivery<'_> {
    /// Writes it down, and has the processes told that carry it.
    pub async fn enqueue(
        &self,
        store: &Store,
        connection: &mut Connection,
        now: Millis,
    ) -> sqlx::Result<()> {
        let (conversation_id, seq) = self.message.unwrap_or_default();
        let row = OutboxRow {
            id: Uuid::now_v7().to_string(),
            carrier: self.carrier.as_str().to_owned(),
            lane: self.lane.to_owned(),
            conversation_id: conversation_id.to_owned(),
            seq,
            payload: self
                .payload
                .and_then(|payload| serde_json::to_string(payload).ok()),
            created_at: now,
            ..OutboxRow::default()
        };
        outbox::insert(connection, &row).await?;
        store.announce(connection, NEWS).await
    }
}
