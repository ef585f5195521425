//! Mails: where one goes is asked when it goes, and what is said of it is what happened.

use super::{Outcome, Worker};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::conversation::report::{Report, Told};
use crate::conversation::{EngineError, NewTicket};
use crate::identity::Who;
use crate::identity::number::{IdentityNumber, Kind};
use crate::identity::request::Request;
use crate::mail::letters::{self, Facts};
use crate::mail::{Recipient, Source, Unsent};
use crate::outbox::{Content, Letter, To};
use crate::portal::{Fault, Person};
use crate::storage::outbox::OutboxRow;

/// Mails that nothing dates are given up after this, in milliseconds.
const LATEST: Millis = 72 * 3_600_000;
/// How long a mail waits when too many went out.
const BUDGET_AGAIN: Millis = 5_000;
/// The shortest and the longest wait before the next try: after an hour without a server, everything goes within
/// minutes, and a code that still lives in time.
const SHORTEST: Millis = 1_000;
const LONGEST: Millis = 60_000;
/// The longest where it may have been taken: each try may be one more of the same mail.
const LONGEST_DOUBTFUL: Millis = 3 * 3_600_000;

/// To whom a mail goes, and what is known of them.
enum Addressee {
    /// This recipient.
    Known(Recipient, Option<Person>),
    /// Nobody: there is nobody, or no address.
    Nobody,
    /// The portal cannot be asked now.
    NotNow,
}

impl Worker {
    /// Sends a mail.
    pub(super) async fn send_mail(&self, row: &OutboxRow) -> sqlx::Result<Outcome> {
        let now = self.parts.clock.now();
        let Some(letter) = self.parts.post.open::<Letter>(row) else {
            tracing::error!(
                delivery = row.id,
                "a mail cannot be opened with this secret key"
            );
            return Ok(Outcome::Again(super::LONGEST, false));
        };
        let latest = letter.expires_at.unwrap_or(row.created_at + LATEST);
        if now >= latest {
            return self.undelivered(row, &letter, "expired").await;
        }
        let urgent = matches!(letter.content, Content::Code { .. });
        let mut facts = Facts {
            // A mail that goes out again says what it said.
            at: row.created_at,
            lives: self.parts.identity.limits.code,
            ..Facts::default()
        };
        if matches!(letter.content, Content::Bound { .. }) {
            // Only its chats are bound.
            facts.channel = "telegram".to_owned();
        }
        if !self.is_wanted(&letter, &mut facts).await? {
            return Ok(Outcome::Over("blocked"));
        }
        let (recipient, person) = match self.addressee(&letter).await {
            Addressee::Known(recipient, person) => (recipient, person),
            Addressee::Nobody => return self.undelivered(row, &letter, "nobody").await,
            Addressee::NotNow => return Ok(again(row, now)),
        };
        if let Content::Code {
            verification,
            sends,
        } = &letter.content
            && !self.know(verification, *sends, person.as_ref()).await?
        {
            return Ok(Outcome::Over("blocked"));
        }
        if !self.may_send(urgent, now).await? {
            return Ok(Outcome::Again(BUDGET_AGAIN, false));
        }
        facts.disavow = self.disavow(row, &letter, now).await?;
        let written = letters::write(&self.parts.knowledge.current(), &letter.content, &facts);
        if self.parts.clock.now() >= latest {
            // It took its time to come this far.
            return self.undelivered(row, &letter, "expired").await;
        }
        let mailer = &self.parts.mailer;
        let sent = mailer
            .send(&recipient, &written, &row.id, row.created_at)
            .await;
        let outcome = sent.map_or_else(Unsent::as_str, |()| "sent");
        metrics::counter!("tanya_mails_total", "outcome" => outcome).increment(1);
        match sent {
            Ok(()) => self.delivered(row, &letter, person.as_ref()).await,
            Err(Unsent::Refused | Unsent::Unmade) => {
                self.undelivered(row, &letter, "refused").await
            }
            Err(Unsent::Unreached) => {
                self.was_not_sent(now).await?;
                Ok(again(row, now))
            }
            Err(Unsent::NotNow | Unsent::Disagreed) => Ok(again(row, now)),
            Err(Unsent::Lost) => Ok(doubtful(row, now)),
        }
    }

    /// Whether a mail is still wanted; what a code's mail says is read from its request.
    async fn is_wanted(&self, letter: &Letter, facts: &mut Facts) -> sqlx::Result<bool> {
        let Content::Code {
            verification,
            sends,
        } = &letter.content
        else {
            return Ok(true);
        };
        let identity = &self.parts.identity;
        let Some(row) = identity.to_be_mailed(verification, *sends).await? else {
            return Ok(false);
        };
        facts.code = Some(identity.code(&row));
        facts.request = Request::parse(&row.request);
        facts.who = identity.who_asked(&row);
        facts.at = row.created_at;
        facts.channel = row.channel;
        Ok(true)
    }

    async fn addressee(&self, letter: &Letter) -> Addressee {
        let offices = &self.parts.offices;
        let office = match &letter.to {
            To::Queue { name } => match name.as_str() {
                "teknikal" => &offices.teknikal,
                "naziran" => &offices.naziran,
                _ => &offices.helpdesk,
            },
            To::Supervisor => &offices.supervisor,
            To::Number { .. } | To::Person { .. } => return self.person(letter).await,
        };
        match Recipient::of(Source::Office(office)) {
            Some(recipient) => Addressee::Known(recipient, None),
            None => Addressee::Nobody,
        }
    }

    async fn person(&self, letter: &Letter) -> Addressee {
        let Some(portal) = &self.parts.portal else {
            return Addressee::Nobody;
        };
        let person = match &letter.to {
            To::Number { kind, number } => {
                let kind = Kind::parse(kind);
                let number = kind.and_then(|kind| IdentityNumber::parse(kind, number));
                match number {
                    Some(number) => portal.lookup(&number).await,
                    None => Ok(None),
                }
            }
            To::Person { reference, kind } => match Kind::parse(kind) {
                Some(kind) => portal.person(reference, kind).await,
                None => Ok(None),
            },
            To::Queue { .. } | To::Supervisor => Ok(None),
        };
        match person {
            Ok(Some(person)) => {
                let address = person.address.as_ref();
                let recipient = address.and_then(|address| Recipient::of(Source::Person(address)));
                recipient.map_or(Addressee::Nobody, |recipient| {
                    Addressee::Known(recipient, Some(person))
                })
            }
            Ok(None) | Err(Fault::Refused(_)) => Addressee::Nobody,
            Err(Fault::Down | Fault::Lost | Fault::Garbled | Fault::Unknown) => Addressee::NotNow,
        }
    }

    /// Notes whom a code goes to; tells whether it is still wanted.
    async fn know(
        &self,
        verification: &str,
        sends: i64,
        person: Option<&Person>,
    ) -> sqlx::Result<bool> {
        let identity = &self.parts.identity;
        let Some(person) = person else {
            return Ok(false);
        };
        let address = person.address.as_ref();
        let who = Who {
            reference: person.reference.clone(),
            kind: person.kind,
            name: person.name.clone(),
            active: person.active,
            address_mark: address
                .map(|address| identity.address_mark(address.reveal()))
                .unwrap_or_default(),
        };
        identity.know(verification, sends, &who).await
    }

    async fn may_send(&self, urgent: bool, now: Millis) -> sqlx::Result<bool> {
        let mut transaction = self.parts.store.begin().await?;
        let limits = &self.parts.identity.limits;
        let may = limits.admit_mail(&mut transaction, urgent, now).await?;
        transaction.commit().await?;
        if !may {
            metrics::counter!("tanya_limited_total", "limit" => "mails").increment(1);
        }
        Ok(may)
    }

    /// Gives back what a mail took of the budget at `taken_at`: a try that found no server costs nothing.
    async fn was_not_sent(&self, taken_at: Millis) -> sqlx::Result<()> {
        let mut transaction = self.parts.store.begin().await?;
        let limits = &self.parts.identity.limits;
        limits.give_back_mail(&mut transaction, taken_at).await?;
        transaction.commit().await
    }

    async fn disavow(
        &self,
        row: &OutboxRow,
        letter: &Letter,
        now: Millis,
    ) -> sqlx::Result<Option<String>> {
        if letter.subject.is_empty() {
            return Ok(None);
        }
        let mut connection = self.parts.store.connection().await?;
        let identity = &self.parts.identity;
        let url = identity.disavow_url(&mut connection, &row.id, &letter.subject, now);
        Ok(Some(url.await?))
    }

    async fn delivered(
        &self,
        row: &OutboxRow,
        letter: &Letter,
        person: Option<&Person>,
    ) -> sqlx::Result<Outcome> {
        let address = person.and_then(|person| person.address.as_ref());
        let address = address.map(|address| address.masked());
        let told = match &letter.content {
            Content::PasswordReset { proof, .. } => Some((Told::ResetByUs { address }, proof)),
            Content::Activation { proof, .. } => Some((Told::ActivationByUs { address }, proof)),
            _ => None,
        };
        let (told, proof) = told.unzip();
        let report = Report {
            told,
            proof: proof.map(String::as_str),
            delivery: Some((&row.id, "sent")),
            entry: Some(self.entry(letter, "sent")),
            ..Report::default()
        };
        self.report(letter, &report).await
    }

    /// A mail that will not go out: whoever waits for it is told, and an officer.
    async fn undelivered(
        &self,
        row: &OutboxRow,
        letter: &Letter,
        why: &'static str,
    ) -> sqlx::Result<Outcome> {
        tracing::warn!(delivery = row.id, why, "a mail was not sent");
        // That a number is nobody's is no fault: anybody may give any.
        let code = matches!(letter.content, Content::Code { .. });
        let outcome = match why {
            "nobody" if code => "blocked",
            _ => "dead",
        };
        let awaited = match &letter.content {
            Content::PasswordReset { proof, .. } => Some(("lupa-kata-laluan", proof)),
            Content::Activation { proof, .. } => Some(("daftar", proof)),
            _ => None,
        };
        let details = match &letter.to {
            To::Person { reference, kind } => Some(format!("{kind} {reference} (portal)")),
            To::Number { .. } | To::Queue { .. } | To::Supervisor => None,
        };
        let ticket = awaited.map(|(topic, _)| NewTicket {
            conversation_id: &letter.conversation_id,
            queue: "helpdesk",
            topic,
            last4: None,
            details: details.as_deref(),
            subject: &letter.subject,
            ..NewTicket::default()
        });
        let report = Report {
            told: awaited.map(|_| Told::MailFailed),
            delivery: Some((&row.id, outcome)),
            entry: Some(self.entry(letter, why)),
            ticket,
            ..Report::default()
        };
        self.report(letter, &report).await
    }

    fn entry<'a>(&self, letter: &'a Letter, outcome: &'a str) -> Entry<'a> {
        let event = match letter.content {
            Content::Code { .. } => Event::CodeMailed,
            Content::Anchor { .. } => Event::Anchored,
            _ => Event::Mailed,
        };
        Entry::new(event, outcome)
            .within(&letter.conversation_id)
            .about(&letter.subject)
            .detail(letter.content.name())
    }

    async fn report(&self, letter: &Letter, report: &Report<'_>) -> sqlx::Result<Outcome> {
        match self
            .parts
            .engine
            .tell(&letter.conversation_id, report)
            .await
        {
            Ok(_) => Ok(Outcome::Noted),
            Err(EngineError::Database(error)) => Err(error),
            Err(_) => Ok(Outcome::Again(SHORTEST, false)),
        }
    }
}

/// Tries again, the later the longer it waits already.
fn again(row: &OutboxRow, now: Millis) -> Outcome {
    let wait = (now - row.created_at) / 2;
    Outcome::Again(wait.clamp(SHORTEST, LONGEST), true)
}

/// Tries again what may have gone, each time after twice as long.
fn doubtful(row: &OutboxRow, now: Millis) -> Outcome {
    let age = now - row.created_at;
    Outcome::Again(age.clamp(SHORTEST, LONGEST_DOUBTFUL), true)
}
