//! What officers announce to those who asked for it: written, looked at again, sent once. Nothing about persons.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use uuid::Uuid;

use crate::audit::{Audit, Entry, Event};
use crate::clock::{Clock, Millis};
use crate::redact::{HIDDEN, redact};
use crate::storage::Store;
use crate::storage::announcement::{self, AnnouncementRow, Reach};

/// The longest text in characters: a banner is read at a glance.
pub const LONGEST: usize = 1_000;
/// The longest time that a banner is shown, in milliseconds.
const SHOWN: Millis = 60 * 24 * 3_600_000;

/// Why something cannot be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unfit {
    /// A text is missing.
    #[error("both texts are needed")]
    Empty,
    /// A text is too long.
    #[error("a text is too long")]
    TooLong,
    /// A text holds what looks like a person's number.
    #[error("a text holds a number of a person")]
    Person,
    /// The end is not after the beginning, is past, or too far ahead.
    #[error("the times do not fit")]
    Times,
}

/// What is to be announced.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// In Malay.
    pub text_ms: &'a str,
    /// In English.
    pub text_en: &'a str,
    /// Whether chats show it above their messages.
    pub banner: bool,
    /// From when on, in Unix milliseconds.
    pub from: Millis,
    /// Until when.
    pub until: Millis,
}

/// Keeps announcements.
pub struct Announcements {
    /// The database.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Clock,
    /// The record.
    pub audit: Audit,
    /// How long a web chat may be idle: then nobody reads it any more.
    pub chat_idle: Duration,
}

impl Announcements {
    /// Keeps a draft; its id. Nobody is told anything.
    pub async fn draft(
        &self,
        agent: &str,
        draft: Draft<'_>,
    ) -> sqlx::Result<Result<String, Unfit>> {
        let now = self.clock.now();
        if let Err(unfit) = judge(draft, now) {
            return Ok(Err(unfit));
        }
        let row = AnnouncementRow {
            id: Uuid::now_v7().to_string(),
            text_ms: plain(draft.text_ms),
            text_en: plain(draft.text_en),
            banner: if draft.banner { "yes" } else { "no" }.to_owned(),
            shows_from: draft.from,
            shows_until: draft.until,
            author: agent.to_owned(),
            created_at: now,
            sent_at: None,
            withdrawn_at: None,
        };
        let mut transaction = self.store.begin().await?;
        announcement::insert(&mut transaction, &row).await?;
        transaction.commit().await?;
        Ok(Ok(row.id))
    }

    /// Sends a draft to whoever wants announcements now; false if it was sent or thrown away before.
    pub async fn send(&self, agent: &str, id: &str) -> sqlx::Result<bool> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        if !announcement::send(&mut transaction, id, now).await? {
            return Ok(false);
        }
        let since = self.idle_since();
        let recipients = announcement::address(&mut transaction, id, since).await?;
        let detail = format!("{id} {recipients}");
        let entry = Entry::new(Event::Announcement, "sent");
        let entry = entry.about(agent).detail(&detail);
        self.audit.record(&mut transaction, entry, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Throws a draft away, or has chats show no more what was sent; false if that was done before.
    pub async fn withdraw(&self, agent: &str, id: &str) -> sqlx::Result<bool> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        if !announcement::withdraw(&mut transaction, id, now).await? {
            return Ok(false);
        }
        announcement::skip_rest(&mut transaction, Some(id), now).await?;
        let entry = Entry::new(Event::Announcement, "withdrawn");
        let entry = entry.about(agent).detail(id);
        self.audit.record(&mut transaction, entry, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// An announcement, and how many chats would get it if it was sent now.
    pub async fn preview(&self, id: &str) -> sqlx::Result<Option<(AnnouncementRow, i64)>> {
        let mut connection = self.store.connection().await?;
        let Some(row) = announcement::by_id(&mut connection, id).await? else {
            return Ok(None);
        };
        let since = self.idle_since();
        let recipients = announcement::recipients(&mut connection, since).await?;
        Ok(Some((row, recipients)))
    }

    /// The latest ones, and how far each has come.
    pub async fn latest(&self, limit: i64) -> sqlx::Result<Vec<(AnnouncementRow, Reach)>> {
        let mut connection = self.store.connection().await?;
        let mut found = Vec::new();
        for row in announcement::latest(&mut connection, limit).await? {
            let reach = announcement::reach(&mut connection, &row.id).await?;
            found.push((row, reach));
        }
        Ok(found)
    }

    fn idle_since(&self) -> Millis {
        let idle = Millis::try_from(self.chat_idle.as_millis()).unwrap_or(Millis::MAX);
        self.clock.now().saturating_sub(idle)
    }
}

/// A text as it is kept: browsers end lines with two characters.
fn plain(text: &str) -> String {
    text.trim().replace("\r\n", "\n")
}

fn judge(draft: Draft<'_>, now: Millis) -> Result<(), Unfit> {
    for text in [draft.text_ms, draft.text_en] {
        if text.trim().is_empty() {
            return Err(Unfit::Empty);
        }
        if text.trim().chars().count() > LONGEST {
            return Err(Unfit::TooLong);
        }
        if redact(text).contains(HIDDEN) {
            return Err(Unfit::Person);
        }
    }
    let fits = draft.from < draft.until && now < draft.until && draft.until <= now + SHOWN;
    if fits { Ok(()) } else { Err(Unfit::Times) }
}
