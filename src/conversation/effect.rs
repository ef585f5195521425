//! What the engine does after a decision about a person: in the transaction that keeps it, and once it is kept.

use super::Engine;
use super::action::{Effects, NewDocument};
use super::message::{Channel, Kind, Reply};
use super::personal::Ahead;
use super::report::{Report, Told};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::identity::link::NewLink;
use crate::identity::request::{Action, Request};
use crate::identity::{Asked, AskingNetwork, Opened, Refused};
use crate::knowledge::text::Language;
use crate::outbox::{Errand, Payload};
use crate::storage::Connection;
use crate::storage::conversation::ConversationRow;

/// A decision that is being done.
pub struct Doing<'a> {
    /// The conversation.
    pub row: &'a ConversationRow,
    /// What is to be done.
    pub effects: &'a Effects,
    /// What was found out before.
    pub ahead: &'a Ahead,
    /// The number of the person's message; replies follow.
    pub heard_seq: i64,
    /// How the channel names the person.
    pub who: Option<&'a str>,
    /// The network that the message comes from, where the channel knows it.
    pub network: Option<&'a AskingNetwork>,
}

impl Engine {
    /// Does what was decided, in the transaction that keeps it; the other conversations that it changed, or none if
    /// something was ended or taken meanwhile, so that it has to be decided anew.
    pub(super) async fn take_effect(
        &self,
        connection: &mut Connection,
        doing: &Doing<'_>,
        now: Millis,
    ) -> sqlx::Result<Option<Vec<String>>> {
        let Doing {
            row,
            effects,
            ahead,
            ..
        } = doing;
        let identity = &self.identity;
        identity.touch(connection, &row.id, now).await?;
        self.note_news(connection, doing, now).await?;
        let mut changed = Vec::new();
        let mut was_bound = false;
        if let Some(end) = &effects.end_all {
            let ended = identity
                .end_everywhere(connection, &end.subject, now)
                .await?;
            was_bound = !ended.contacts.is_empty();
            changed.extend(ended.conversations);
            let others = ended.contacts.into_iter();
            let others = others.filter(|contact| Some(contact) != row.contact.as_ref());
            let others: Vec<String> = others.collect();
            self.tell_unbound(connection, row, &others, now).await?;
        }
        // Where everything ends, so does what comes back.
        let redeems = effects.redeem && effects.end_all.is_none();
        if let (true, Some(returned)) = (redeems, &ahead.returned) {
            let redeemed = identity.redeem(connection, returned, row, now).await?;
            let Some(redeemed) = redeemed else {
                return Ok(None);
            };
            self.tell_unbound(connection, row, &redeemed.unbound, now)
                .await?;
            changed.extend(redeemed.ended);
        }
        if let Some(request) = &effects.ask {
            self.ask(connection, doing, request, now).await?;
        }
        if !self.is_still_proved(connection, effects, now).await? {
            return Ok(None);
        }
        if let Some(document) = &effects.document {
            self.hand_out(connection, doing, document, now).await?;
        }
        if let Some(errand) = &effects.errand
            && !self.set_off(connection, &row.id, errand, now).await?
        {
            return Ok(None);
        }
        if effects.leave {
            identity.leave(connection, row, now).await?;
        }
        if let Some(end) = &effects.end_all {
            let mailed = end.mailed.as_ref().filter(|_| was_bound);
            if let Some(who) = mailed {
                self.mail_unbound(connection, &end.subject, who, now)
                    .await?;
            }
            // What came back in this very message goes too.
            identity.leave(connection, row, now).await?;
            identity
                .note_ended(connection, &end.subject, end.why, now)
                .await?;
            changed.push(row.id.clone());
        }
        Ok(Some(changed))
    }

    /// Asks the person to prove who they are.
    async fn ask(
        &self,
        connection: &mut Connection,
        doing: &Doing<'_>,
        request: &Request,
        now: Millis,
    ) -> sqlx::Result<()> {
        let Doing { row, ahead, .. } = doing;
        let bound = ahead.standing.bound.as_ref();
        let asked = Asked {
            id: ahead.verification(),
            conversation_id: &row.id,
            channel: &row.channel,
            contact: row.contact.as_deref(),
            request,
            language: &row.language,
            who: doing.who,
            bound: bound.map(|(subject, _)| subject.as_str()),
        };
        self.identity.ask(connection, &asked, now).await
    }

    /// Whether the proof that something is done with was not ended while the portal was asked.
    async fn is_still_proved(
        &self,
        connection: &mut Connection,
        effects: &Effects,
        now: Millis,
    ) -> sqlx::Result<bool> {
        let document = effects.document.as_ref();
        let proof = document.map(|document| document.proof.id.as_str());
        let errand = effects.errand.as_ref();
        match proof.or(errand.map(|errand| errand.proof.as_str())) {
            Some(proof) => self.identity.is_live(connection, proof, now).await,
            None => Ok(true),
        }
    }

    /// Makes the link that a reply shows.
    async fn hand_out(
        &self,
        connection: &mut Connection,
        doing: &Doing<'_>,
        document: &NewDocument,
        now: Millis,
    ) -> sqlx::Result<()> {
        let reply = i64::try_from(document.reply).unwrap_or_default();
        let new = NewLink {
            id: &document.id,
            conversation_id: &doing.row.id,
            seq: doing.heard_seq + 1 + reply,
            proof: &document.proof,
            document: document.action.as_str(),
            period: &document.period,
        };
        self.identity.make_link(connection, &new, now).await
    }

    /// Writes down what the portal is asked for; false if another chat of the person was faster.
    async fn set_off(
        &self,
        connection: &mut Connection,
        conversation: &str,
        errand: &Errand,
        now: Millis,
    ) -> sqlx::Result<bool> {
        let limits = &self.identity.limits;
        let subject = &errand.subject;
        if !limits.admit_errand(connection, subject, now).await? {
            return Ok(false);
        }
        self.post.errand(connection, errand, now).await?;
        let event = match Action::parse(&errand.action) {
            Some(Action::Daftar) => Event::Activation,
            _ => Event::PasswordReset,
        };
        let entry = Entry::new(event, "asked").within(conversation);
        let audit = self.identity.audit();
        audit.record(connection, entry.about(subject), now).await?;
        Ok(true)
    }

    /// Tells chats that they are not bound any more.
    pub(super) async fn tell_unbound(
        &self,
        connection: &mut Connection,
        row: &ConversationRow,
        contacts: &[String],
        now: Millis,
    ) -> sqlx::Result<()> {
        let knowledge = self.knowledge.current();
        let language = Language::parse(&row.language).unwrap_or_default();
        let sentence = knowledge.messages().chat_unbound.get(language);
        for contact in contacts {
            let reply = Reply::text(sentence.clone()).kind(Kind::Notice);
            let payload = Payload::Say {
                body: serde_json::to_value(&reply.body).unwrap_or_default(),
                language: language.as_str().to_owned(),
                answers: None,
            };
            let there = ConversationRow {
                channel: Channel::Telegram.as_str().to_owned(),
                contact: Some(contact.clone()),
                ..row.clone()
            };
            self.carry(connection, &there, None, &payload, now).await?;
        }
        Ok(())
    }

    /// What follows once everything is kept: a bound chat's code goes out, and who watches is told what was hidden.
    pub(super) async fn after_effect(
        &self,
        row: &ConversationRow,
        effects: &Effects,
        verification: &str,
        changed: &[String],
    ) {
        if effects.errand.is_some() || effects.redeem || effects.end_all.is_some() {
            self.post.ring();
        }
        if effects.redeem || effects.leave {
            self.tell_changed(&row.id).await;
        }
        for conversation in changed {
            self.tell_changed(conversation).await;
        }
        if effects.ask_bound
            && let Err(error) = self.send_bound_code(row, verification).await
        {
            tracing::error!(%error, "a code could not be issued");
        }
    }

    async fn send_bound_code(
        &self,
        row: &ConversationRow,
        verification: &str,
    ) -> Result<(), Refused> {
        let mut connection = self.store.connection().await?;
        let now = self.clock.now();
        let identity = &self.identity;
        let number = identity.bound_number(&mut connection, row, now).await?;
        drop(connection);
        let Some(number) = number else {
            return Ok(());
        };
        let opened = Opened::Id(verification);
        let started = identity.start(opened, Some(&number), None).await?;
        if !started.issued {
            let report = Report {
                told: Some(Told::CodeWithheld),
                ..Report::default()
            };
            // Whoever wrote in between is told next time.
            let _ = self.tell(&row.id, &report).await;
        }
        Ok(())
    }
}
