//! What Telegram brought, kept before it is acknowledged: sealed, under its own number, in the lane of its chat.

use std::sync::Arc;

use serde_json::Value;

use super::update::lane_of;
use crate::bell::Bells;
use crate::clock::Clock;
use crate::conversation::INBOUND_NEWS;
use crate::secret::{RandomKey, SealError, Sealer};
use crate::storage::Store;
use crate::storage::inbound::{self, NewInbound};

/// Where updates are kept until they are handled.
#[derive(Clone)]
pub struct Inbox {
    /// The database.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Clock,
    /// Seals what is kept.
    pub sealer: Sealer,
    /// Names chats without telling them.
    pub names: RandomKey,
    /// Wakes those who handle it.
    pub bells: Arc<Bells>,
    /// The bot that the updates belong to; another bot counts its own.
    pub source: String,
}

impl Inbox {
    /// Keeps updates, all or none; those without a number that can be a key are dropped, since nobody could tell
    /// whether they came before. Returns the highest number among them.
    pub async fn keep(&self, updates: &[Value]) -> sqlx::Result<Option<i64>> {
        let mut highest = None;
        let mut kept = false;
        let mut transaction = self.store.begin().await?;
        for update in updates {
            let number = update.get("update_id").and_then(Value::as_i64);
            let Some(number) = number.filter(|number| *number >= 0) else {
                metrics::counter!("tanya_telegram_updates_total", "outcome" => "numberless")
                    .increment(1);
                continue;
            };
            highest = highest.max(Some(number));
            let Ok(sealed) = self.seal(number, update) else {
                continue;
            };
            let row = NewInbound {
                source: self.source.clone(),
                number,
                lane: lane_of(update),
                sealed,
                received_at: self.clock.now(),
            };
            kept |= inbound::insert(&mut transaction, &row).await?;
        }
        if kept {
            self.store.announce(&mut transaction, INBOUND_NEWS).await?;
        }
        transaction.commit().await?;
        if kept {
            self.bells.inbound.ring();
        }
        Ok(highest)
    }

    fn seal(&self, number: i64, update: &Value) -> Result<String, SealError> {
        self.sealer.seal(&self.about(number), &update.to_string())
    }

    /// What was kept under a number.
    pub fn open(&self, number: i64, sealed: &str) -> Option<Value> {
        let text = self.sealer.open(&self.about(number), sealed).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// A name for a chat that does not tell it.
    pub fn pseudonym(&self, chat: &str) -> String {
        self.names.sign(&format!("telegram chat {chat}"))
    }

    /// What a seal is about: it opens for its own number only.
    fn about(&self, number: i64) -> String {
        format!("{} {number}", self.source)
    }
}
