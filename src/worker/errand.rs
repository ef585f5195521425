//! Errands to the portal that have an effect: each with a key of its own, so that a second try does nothing twice; the
//! chat is told what happened, and only that.

use super::{Outcome, Worker};
use crate::audit::{Entry, Event};
use crate::conversation::report::{Report, Told};
use crate::conversation::{EngineError, NewTicket};
use crate::identity::number::Kind;
use crate::outbox::{Content, Errand, Letter, To};
use crate::portal::{Delivery, Fault, Portal, Reason};
use crate::storage::outbox::OutboxRow;

/// Waits between the tries, in milliseconds; after the last, an officer has it.
const WAITS: [i64; 4] = [1_000, 3_000, 8_000, 16_000];

impl Worker {
    /// Runs an errand.
    pub(super) async fn run_errand(&self, row: &OutboxRow) -> sqlx::Result<Outcome> {
        let Some(errand) = self.parts.post.open::<Errand>(row) else {
            tracing::error!(
                delivery = row.id,
                "an errand cannot be opened with this secret key"
            );
            return Ok(Outcome::Again(super::LONGEST, false));
        };
        if !self.is_worth_running(row, &errand).await? {
            let report = self.report_of(row, &errand, Told::NotRun, "not-run");
            return self.finish(&errand, &report).await;
        }
        let Some(portal) = &self.parts.portal else {
            return self.give_up(row, &errand, "no-portal").await;
        };
        let asked = match errand.action.as_str() {
            "daftar" => portal.activate(&errand.reference, &row.id).await,
            _ => portal.reset_password(&errand.reference, &row.id).await,
        };
        match asked {
            Ok(Delivery::Portal) => self.done_by_portal(row, &errand, portal).await,
            Ok(Delivery::Helpdesk { url, expires_at }) => {
                self.mail_link(row, &errand, url, expires_at).await
            }
            Err(Fault::Refused(reason)) => self.refused(row, &errand, reason).await,
            Err(Fault::Unknown) => {
                let report = self.report_of(row, &errand, Told::PersonGone, "unknown");
                self.finish(&errand, &report).await
            }
            Err(fault @ (Fault::Down | Fault::Lost | Fault::Garbled)) => {
                let tries = usize::try_from(row.attempts).unwrap_or(usize::MAX);
                match WAITS.get(tries.saturating_sub(1)) {
                    Some(wait) => Ok(Outcome::Again(*wait, true)),
                    None => self.give_up(row, &errand, fault.as_str()).await,
                }
            }
        }
    }

    /// Whether an errand that was never tried is still wanted: in time, and by somebody who is known. One that was tried
    /// is tried again with its key: nobody knows what came of it.
    async fn is_worth_running(&self, row: &OutboxRow, errand: &Errand) -> sqlx::Result<bool> {
        if row.attempts > 1 {
            return Ok(true);
        }
        let now = self.parts.clock.now();
        let mut connection = self.parts.store.connection().await?;
        let identity = &self.parts.identity;
        let live = identity
            .is_live(&mut connection, &errand.proof, now)
            .await?;
        Ok(live && now < errand.expires_at)
    }

    async fn done_by_portal(
        &self,
        row: &OutboxRow,
        errand: &Errand,
        portal: &Portal,
    ) -> sqlx::Result<Outcome> {
        // The address is a courtesy to its owner: without it the sentence still holds.
        let person = match Kind::parse(&errand.kind) {
            Some(kind) => portal.person(&errand.reference, kind).await.ok().flatten(),
            None => None,
        };
        let address = person.and_then(|person| person.address);
        let address = address.map(|address| address.masked());
        let told = match errand.action.as_str() {
            "daftar" => Told::ActivationByPortal { address },
            _ => Told::ResetByPortal { address },
        };
        let report = self.report_of(row, errand, told, "by-portal");
        self.finish(errand, &report).await
    }

    async fn mail_link(
        &self,
        row: &OutboxRow,
        errand: &Errand,
        url: String,
        expires_at: String,
    ) -> sqlx::Result<Outcome> {
        let until = expires_at.parse::<jiff::Timestamp>();
        let proof = errand.proof.clone();
        let content = match errand.action.as_str() {
            "daftar" => Content::Activation {
                url,
                expires_at,
                proof,
            },
            _ => Content::PasswordReset {
                url,
                expires_at,
                proof,
            },
        };
        let letter = Letter {
            to: To::Person {
                reference: errand.reference.clone(),
                kind: errand.kind.clone(),
            },
            content,
            subject: errand.subject.clone(),
            conversation_id: errand.conversation_id.clone(),
            language: "ms".to_owned(),
            expires_at: until.ok().map(|until| until.as_millisecond()),
        };
        let mut report = self.report_of(row, errand, Told::Mailing, "by-helpdesk");
        report.letter = Some(letter);
        self.finish(errand, &report).await
    }

    async fn refused(
        &self,
        row: &OutboxRow,
        errand: &Errand,
        reason: Reason,
    ) -> sqlx::Result<Outcome> {
        let told = match reason {
            Reason::Inactive => Told::PersonGone,
            Reason::NoAccount => Told::NoAccount,
            Reason::NoEmail => Told::NoAddress,
            Reason::AlreadyActive => Told::AlreadyActive,
            Reason::NotInPayroll => Told::NotInPayroll,
            Reason::MailNotSent | Reason::Other => {
                let told = match reason {
                    Reason::MailNotSent => Told::MailFailed,
                    _ => Told::RefusedByPortal,
                };
                let details = details(errand);
                let mut report = self.report_of(row, errand, told, "refused");
                report.ticket = Some(ticket(errand, &details));
                return self.finish(errand, &report).await;
            }
        };
        let report = self.report_of(row, errand, told, "refused");
        self.finish(errand, &report).await
    }

    /// Nobody knows whether it was done: the chat is told so, and an officer looks.
    async fn give_up(
        &self,
        row: &OutboxRow,
        errand: &Errand,
        why: &'static str,
    ) -> sqlx::Result<Outcome> {
        tracing::error!(delivery = row.id, why, "an errand was given up");
        let details = details(errand);
        let mut report = self.report_of(row, errand, Told::Unsure, why);
        report.delivery = Some((&row.id, "dead"));
        report.ticket = Some(ticket(errand, &details));
        self.finish(errand, &report).await
    }

    fn report_of<'a>(
        &self,
        row: &'a OutboxRow,
        errand: &'a Errand,
        told: Told,
        outcome: &'a str,
    ) -> Report<'a> {
        let event = match errand.action.as_str() {
            "daftar" => Event::Activation,
            _ => Event::PasswordReset,
        };
        let entry = Entry::new(event, outcome)
            .within(&errand.conversation_id)
            .about(&errand.subject);
        Report {
            told: Some(told),
            proof: Some(&errand.proof),
            delivery: Some((&row.id, "sent")),
            entry: Some(entry),
            ..Report::default()
        }
    }

    async fn finish(&self, errand: &Errand, report: &Report<'_>) -> sqlx::Result<Outcome> {
        let engine = &self.parts.engine;
        match engine.tell(&errand.conversation_id, report).await {
            Ok(_) => Ok(Outcome::Noted),
            Err(EngineError::Database(error)) => Err(error),
            Err(_) => Ok(Outcome::Again(1_000, false)),
        }
    }
}

/// What an officer finds the person by.
fn details(errand: &Errand) -> String {
    format!("{} {} (portal)", errand.kind, errand.reference)
}

fn ticket<'a>(errand: &'a Errand, details: &'a str) -> NewTicket<'a> {
    NewTicket {
        conversation_id: &errand.conversation_id,
        queue: "helpdesk",
        topic: &errand.action,
        last4: Some(&errand.last4),
        details: Some(details),
        subject: &errand.subject,
        ..NewTicket::default()
    }
}
