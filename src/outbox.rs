//! What must go out: a row in the transaction that decided it, with an id that stays the same over all tries.

mod letter;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bell::Bells;
use crate::clock::Millis;
use crate::secret::{Sealer, SecretKey};
use crate::storage::outbox::{self, OutboxRow};
use crate::storage::{Connection, Store};

pub use letter::{Content, Errand, Letter, To};

/// What other processes are told when something must go out.
pub const NEWS: &str = "outbox";

/// What carries deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The Bot API.
    Telegram,
    /// The mail server, for codes: they go first.
    Code,
    /// The mail server, for everything else.
    Mail,
    /// The portal.
    Portal,
}

impl Carrier {
    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::Code => "code",
            Self::Mail => "mail",
            Self::Portal => "portal",
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
    /// A mail or an errand, sealed.
    Sealed {
        /// What it is.
        text: String,
    },
}

/// What seals mails and errands.
pub fn sealer(secret: &SecretKey) -> Sealer {
    secret.sealer("post")
}

/// A sealed payload, as it is stored.
pub fn sealed_payload(text: String) -> String {
    serde_json::to_string(&Payload::Sealed { text }).unwrap_or_default()
}

/// Takes mails, and errands to the portal: they are sealed, since they hold numbers and links.
pub struct Post {
    store: Arc<Store>,
    bells: Arc<Bells>,
    sealer: Sealer,
}

impl Post {
    /// Over a database.
    pub fn new(store: Arc<Store>, bells: Arc<Bells>, secret: &SecretKey) -> Self {
        Self {
            store,
            bells,
            sealer: sealer(secret),
        }
    }

    /// Has a mail sent.
    pub async fn mail(
        &self,
        connection: &mut Connection,
        letter: &Letter,
        now: Millis,
    ) -> sqlx::Result<()> {
        let carrier = match letter.content {
            Content::Code { .. } => Carrier::Code,
            _ => Carrier::Mail,
        };
        self.put(connection, carrier, "", letter, now).await
    }

    /// Has an errand run; those about one person go one after another.
    pub async fn errand(
        &self,
        connection: &mut Connection,
        errand: &Errand,
        now: Millis,
    ) -> sqlx::Result<()> {
        let lane = &errand.subject;
        self.put(connection, Carrier::Portal, lane, errand, now)
            .await
    }

    async fn put<T: Serialize>(
        &self,
        connection: &mut Connection,
        carrier: Carrier,
        lane: &str,
        what: &T,
        now: Millis,
    ) -> sqlx::Result<()> {
        let id = Uuid::now_v7().to_string();
        let text = serde_json::to_string(what).unwrap_or_default();
        // It fails only without a key, and then nothing starts.
        let text = self.sealer.seal(&id, &text).unwrap_or_default();
        let row = OutboxRow {
            lane: if lane.is_empty() { &id } else { lane }.to_owned(),
            id,
            carrier: carrier.as_str().to_owned(),
            payload: Some(sealed_payload(text)),
            created_at: now,
            ..OutboxRow::default()
        };
        outbox::insert(connection, &row).await?;
        self.store.announce(connection, NEWS).await
    }

    /// What a delivery carries; none if nobody can open it.
    pub fn open<T: for<'de> Deserialize<'de>>(&self, row: &OutboxRow) -> Option<T> {
        let payload = serde_json::from_str(row.payload.as_deref()?).ok()?;
        let Payload::Sealed { text } = payload else {
            return None;
        };
        serde_json::from_str(&self.sealer.open(&row.id, &text).ok()?).ok()
    }

    /// Wakes those who carry it, once the transaction is committed.
    pub fn ring(&self) {
        self.bells.mail.ring();
        self.bells.errand.ring();
    }
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
