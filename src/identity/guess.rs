//! A code that is given: a guess is spent before it is looked at, and counted when it is wrong.

use super::limits::{Barred, DAY};
use super::verification::Opened;
use super::{Asker, AskingNetwork, Identity, Purpose, Refused, hash};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::outbox::{Content, Letter, To};
use crate::secret::Secret;
use crate::storage::verification::{self, VerificationRow};

/// The code was right.
#[derive(Clone, Debug)]
pub struct Finished {
    /// What brings the proof back to the chat that asked; shown once.
    pub secret: Secret,
    /// The channel that asked.
    pub channel: String,
}

impl Identity {
    /// Takes a guess at the code: it is spent before it is looked at.
    pub async fn finish(
        &self,
        opened: Opened<'_>,
        code: &str,
        network: Option<AskingNetwork>,
    ) -> Result<Finished, Refused> {
        let now = self.clock.now();
        self.is_known(opened).await?;
        let mut transaction = self.store.begin().await?;
        let row = self.opened(&mut transaction, opened).await?;
        let subject = row.subject.clone().unwrap_or_default();
        let asker = Asker {
            chat: row.chat.clone(),
            bound: row.bound.clone(),
            network,
        };
        if row.code_at.is_none() && !self.can_start(&row, now) {
            return Err(Refused::Gone);
        }
        if !self.has_code(&row, now) {
            return Err(Refused::Expired);
        }
        let limits = &self.limits;
        let barred = limits.admit_guess(&mut transaction, &asker, &subject, now);
        if let Err(barred) = barred.await? {
            let entry = Entry::new(Event::VerifyFinished, "barred");
            let entry = entry.within(&row.conversation_id).about(&subject);
            self.record_refusal(&mut transaction, entry, now).await?;
            transaction.commit().await?;
            metrics::counter!("tanya_code_guesses_total", "outcome" => "locked").increment(1);
            return Err(match barred {
                Barred::Locked => Refused::Locked,
                Barred::Wait(wait) => Refused::Wait(wait),
            });
        }
        let most = i64::try_from(limits.tries).unwrap_or(i64::MAX);
        let code_since = now - limits.code + 1;
        let spent = verification::spend(&mut transaction, &row.id, most, code_since).await?;
        transaction.commit().await?;
        let Some(spent) = spent else {
            metrics::counter!("tanya_code_guesses_total", "outcome" => "locked").increment(1);
            return Err(Refused::Locked);
        };
        let left = usize::try_from(most - spent).unwrap_or_default();
        if self.is_code(&row, code) {
            self.succeed(&row, now).await
        } else {
            self.fail(&row, &asker, left, now).await
        }
    }

    async fn succeed(&self, row: &VerificationRow, now: Millis) -> Result<Finished, Refused> {
        let secret = self.token(Purpose::Return, &row.id);
        let mut transaction = self.store.begin().await?;
        let connection = &mut transaction;
        let first =
            verification::finish(connection, &row.id, row.sends, &hash(&secret), now).await?;
        let outcome = if first { "proved" } else { "too-late" };
        metrics::counter!("tanya_code_guesses_total", "outcome" => "right").increment(1);
        let entry = Entry::new(Event::VerifyFinished, outcome)
            .within(&row.conversation_id)
            .about(row.subject.as_deref().unwrap_or_default());
        self.audit.record(connection, entry, now).await?;
        transaction.commit().await?;
        if !first {
            return Err(Refused::Gone);
        }
        Ok(Finished {
            secret: Secret::new(secret),
            channel: row.channel.clone(),
        })
    }

    async fn fail(
        &self,
        row: &VerificationRow,
        asker: &Asker,
        left: usize,
        now: Millis,
    ) -> Result<Finished, Refused> {
        let subject = row.subject.clone().unwrap_or_default();
        let mut transaction = self.store.begin().await?;
        let connection = &mut transaction;
        let failed = self.limits.failed(connection, asker, &subject, now).await?;
        if failed.tells_owner {
            let letter = Letter {
                to: To::Number {
                    kind: row.kind.clone().unwrap_or_default(),
                    number: self.number(row).unwrap_or_default(),
                },
                content: Content::Attempts,
                subject: subject.clone(),
                conversation_id: String::new(),
                language: row.language.clone(),
                expires_at: Some(now + DAY),
            };
            self.notify(connection, &letter, now).await?;
        }
        metrics::counter!("tanya_code_guesses_total", "outcome" => "wrong").increment(1);
        let entry = Entry::new(Event::VerifyFinished, "wrong")
            .within(&row.conversation_id)
            .about(&subject);
        self.audit.record(connection, entry, now).await?;
        if failed.breaker {
            tracing::error!("too many wrong codes: new proofs are paused where they come from");
            metrics::counter!("tanya_breaker_total").increment(1);
            let entry = Entry::new(Event::Breaker, "tripped");
            self.audit.record(connection, entry, now).await?;
        }
        transaction.commit().await?;
        Err(Refused::WrongCode { left })
    }
}
