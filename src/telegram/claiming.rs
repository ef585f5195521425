//! Which update is handled now, beside which others, and when it is tried again.

use std::time::Duration;

use thiserror::Error;

use super::group;
use super::handling::{Handling, count, reference};
use crate::clock::Millis;
use crate::conversation::EngineError;
use crate::knowledge::messages::fill;
use crate::knowledge::text::Language;
use crate::storage::inbound::{self, ClaimedInbound};
use crate::trace::{Fact, Span, Work};

/// How long an update belongs to who claimed it.
const LEASE: Millis = 60_000;
/// How long is waited for what is soon better, and for anything.
const SHORTLY: Millis = 1_000;
pub(super) const LONGEST: Millis = 60_000;
/// Due before anything else.
const FIRST: Millis = 0;
/// How often something that fails is tried.
pub(super) const TRIES: i64 = 5;
/// How often a process may end while it handles the same thing alone: it may have been killed for any reason.
const ENDS: i64 = 10;

/// Why an update is not settled now.
#[derive(Debug, Error)]
pub(super) enum NotNow {
    #[error("the person writes too fast")]
    TooFast(Millis),
    #[error("it is not known yet who the bot is")]
    Nameless,
    #[error("it was sealed with another key")]
    Sealed,
    #[error("Telegram cannot hand a picture over now")]
    Picture(Duration),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Handling {
    /// Handles one update; tells whether there was one.
    pub async fn handle_next(&self) -> sqlx::Result<bool> {
        let among_others = self.gate.read().await;
        let Some(claimed) = self.claim().await? else {
            return Ok(false);
        };
        if claimed.cut_off == 0 {
            self.carry_through(&claimed).await?;
            return Ok(true);
        }
        // It was being handled when a process ended, and may be why: then nothing that is handled beside it is to blame.
        self.release(&claimed, FIRST, claimed.attempts - 1).await?;
        drop(among_others);
        let _alone = self.gate.write().await;
        if let Some(claimed) = self.claim().await? {
            self.carry_through(&claimed).await?;
        }
        Ok(true)
    }

    async fn claim(&self) -> sqlx::Result<Option<ClaimedInbound>> {
        let now = self.inbox.clock.now();
        let mut transaction = self.inbox.store.begin().await?;
        let source = &self.inbox.source;
        let claimed = inbound::claim(&mut transaction, source, now, now + LEASE).await?;
        transaction.commit().await?;
        Ok(claimed)
    }

    /// Handles what is claimed, or notes why not.
    async fn carry_through(&self, claimed: &ClaimedInbound) -> sqlx::Result<()> {
        if claimed.cut_off >= ENDS {
            return self.give_up(claimed).await;
        }
        let span = Span::begin(Work::Update);
        span.note(Fact::Reference(&reference(claimed.number)));
        let worker = self.clone();
        let update = claimed.clone();
        // In a task of its own, so that one that panics takes nothing with it.
        let handling = span.around(async move { worker.handle(&update).await });
        let handled = tokio::spawn(handling).await;
        match handled {
            Ok(Ok(())) => span.note(Fact::Outcome("settled")),
            Ok(Err(reason)) => {
                span.note(Fact::Outcome("again"));
                self.put_off(claimed, reason).await?;
            }
            Err(_) => {
                span.fail();
                tracing::error!("an update broke its handling");
                self.failed(claimed).await?;
            }
        }
        Ok(())
    }

    /// Puts an update off for a reason; one of its own counts as a try, one that meets all does not.
    async fn put_off(&self, claimed: &ClaimedInbound, reason: NotNow) -> sqlx::Result<()> {
        let wait = match reason {
            NotNow::TooFast(wait) => wait.min(LONGEST),
            NotNow::Nameless => SHORTLY,
            NotNow::Database(error) | NotNow::Engine(EngineError::Database(error))
                if is_down(&error) =>
            {
                tracing::error!(%error, "the database failed; an update is tried again");
                SHORTLY
            }
            NotNow::Picture(asked) => {
                tracing::warn!("a picture could not be fetched; it is tried again");
                let asked = Millis::try_from(asked.as_millis()).unwrap_or(LONGEST);
                let due = self.inbox.clock.now() + asked.clamp(pause(claimed.attempts), LONGEST);
                return self.release(claimed, due, claimed.attempts).await;
            }
            NotNow::Database(_) | NotNow::Engine(_) | NotNow::Sealed => {
                tracing::warn!(%reason, "an update could not be handled");
                return self.failed(claimed).await;
            }
        };
        let due = self.inbox.clock.now() + wait;
        self.release(claimed, due, claimed.attempts - 1).await
    }

    async fn release(
        &self,
        claimed: &ClaimedInbound,
        due: Millis,
        attempts: i64,
    ) -> sqlx::Result<()> {
        let mut connection = self.inbox.store.connection().await?;
        let source = &self.inbox.source;
        inbound::release(&mut connection, source, claimed.number, due, attempts).await
    }

    /// Tries again later; after some tries it is given up.
    async fn failed(&self, claimed: &ClaimedInbound) -> sqlx::Result<()> {
        if claimed.attempts >= TRIES {
            return self.give_up(claimed).await;
        }
        let due = self.inbox.clock.now() + pause(claimed.attempts);
        self.release(claimed, due, claimed.attempts).await
    }

    /// Gives an update up, and tells the person.
    async fn give_up(&self, claimed: &ClaimedInbound) -> sqlx::Result<()> {
        let now = self.inbox.clock.now();
        let reference = reference(claimed.number);
        tracing::error!(reference, "an update was given up");
        let mut transaction = self.inbox.store.begin().await?;
        let source = &self.inbox.source;
        let given_up = inbound::give_up(&mut transaction, source, claimed.number, now).await?;
        count("failed");
        // A person's own chat has a positive number.
        if given_up && claimed.lane.parse::<i64>().is_ok_and(|chat| chat > 0) {
            let knowledge = self.knowledge.current();
            let language = Language::default();
            let values = [("reference", reference.as_str())];
            let text = fill(&knowledge.messages().apology, language, &values);
            let payload = group::say(&text, language, None);
            self.enqueue(&mut transaction, &claimed.lane, &payload)
                .await?;
        }
        transaction.commit().await?;
        self.inbox.bells.outbound.ring();
        Ok(())
    }
}

/// How long is waited after so many tries.
fn pause(attempts: i64) -> Millis {
    500 << attempts.clamp(0, TRIES)
}

/// Whether an error meets everybody who wants something of the database.
fn is_down(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // SQLite is busy, locked or full; PostgreSQL has no connection, no resources, or is told to stop.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            ["5", "6", "13", "517"].contains(&code.as_ref())
                || ["08", "40", "53", "57"]
                    .iter()
                    .any(|class| code.len() == 5 && code.starts_with(class))
        }),
        _ => false,
    }
}
