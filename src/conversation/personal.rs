//! What the engine finds out before a decision about a person, and what it does after one.

use uuid::Uuid;

use super::action::{Effects, Personal, Service, TypedStep, TypedText, Wish, read_typed};
use super::errands::Errands;
use super::message::{Channel, Content, Incoming, Kind, Reply};
use super::report::{Report, Told};
use super::state::State;
use super::turn::{Decision, menu};
use super::{Engine, EngineError};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::identity::link::NewLink;
use crate::identity::request::Action;
use crate::identity::{Asked, AskingNetwork, Opened, Refused, Returned, Standing};
use crate::knowledge::Knowledge;
use crate::knowledge::text::Language;
use crate::outbox::Payload;
use crate::storage::conversation::ConversationRow;
use crate::storage::{Connection, ticket};
use crate::ticket::TicketNumber;

/// What was found out before a message is decided: once, however often it is decided anew.
#[derive(Debug, Default)]
pub struct Ahead {
    looked: bool,
    pub(super) standing: Standing,
    typed_step: Option<TypedStep>,
    /// The proof that comes back.
    pub(super) returned: Option<Returned>,
    /// The ticket that an officer opened for this person, who goes on with it here.
    pub(super) claimed: Option<TicketNumber>,
    verification: String,
    asked_at: Millis,
}

impl Ahead {
    /// The id that a request for a proof gets, if one is made.
    pub fn verification(&self) -> &str {
        &self.verification
    }
}

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
    /// Finds out who is known, and what comes of a secret, a number or a code in a message. A guess is spent here.
    pub(super) async fn look_ahead(
        &self,
        row: &ConversationRow,
        incoming: &Incoming,
        ahead: &mut Ahead,
    ) -> Result<(), EngineError> {
        let now = self.clock.now();
        let mut connection = self.store.connection().await?;
        ahead.standing = self.identity.standing(&mut connection, row, now).await?;
        drop(connection);
        if ahead.looked {
            return Ok(());
        }
        ahead.looked = true;
        ahead.verification = Uuid::now_v7().to_string();
        ahead.asked_at = now;
        match &incoming.content {
            Content::Returned(secret) => {
                ahead.claimed = self.claimable(secret.reveal()).await?;
                let returned = self.identity.returned(&row.id, secret.reveal());
                ahead.returned = returned.await?;
            }
            Content::Text(text) => self.look_at_typed(row, text, ahead).await?,
            Content::Choice(_)
            | Content::Lapsed
            | Content::Picture(_)
            | Content::NoPicture(_)
            | Content::Unreadable => {}
        }
        Ok(())
    }

    async fn look_at_typed(
        &self,
        row: &ConversationRow,
        text: &str,
        ahead: &mut Ahead,
    ) -> Result<(), EngineError> {
        let state = State::parse(&row.state);
        let Some(typing) = state.typing().filter(|_| self.may_type(row)) else {
            return Ok(());
        };
        let opened = Opened::Id(&typing.verification);
        // Nobody knows the network of who types here: the chat counts as one.
        let network = Some(AskingNetwork {
            name: self
                .identity
                .chat(&row.channel, row.contact.as_deref(), &row.id),
            factor: 1,
        });
        let step = match read_typed(typing, text) {
            None => return Ok(()),
            Some(TypedText::Number(number)) => {
                let started = self.identity.start(opened, Some(&number), network).await;
                started.map(|_| TypedStep::Started)
            }
            Some(TypedText::Code(code)) => {
                let finished = self.identity.finish(opened, &code, network).await;
                finished.map(|_| TypedStep::Right)
            }
        };
        let step = match step {
            Ok(step) => step,
            Err(Refused::WrongCode { left }) => TypedStep::Wrong { left },
            Err(Refused::Gone | Refused::Expired) => TypedStep::Expired,
            Err(Refused::Locked | Refused::Wait(_)) => TypedStep::Locked,
            Err(Refused::Database(error)) => return Err(error.into()),
        };
        // Only a code that was given here brings a proof: one that was given on the page belongs to whoever gave it.
        if step == TypedStep::Right {
            let returned = self.identity.returned_by_id(&typing.verification).await?;
            ahead.returned = returned.filter(|returned| returned.is_of(&row.id));
        }
        ahead.typed_step = Some(step);
        Ok(())
    }

    /// Whether number and code may be typed here: the channel must be able to remove them.
    fn may_type(&self, row: &ConversationRow) -> bool {
        self.typed_proof && self.portal.is_some() && row.channel == Channel::Telegram.as_str()
    }

    /// Who the person is known to be, and what can be done for them here.
    pub(super) fn personal<'a>(&self, row: &ConversationRow, ahead: &'a Ahead) -> Personal<'a> {
        let channel = Channel::parse(&row.channel);
        let limits = &self.identity.limits;
        Personal {
            service: match (channel, &self.portal) {
                (Some(Channel::Terminal) | None, _) => Service::None,
                (Some(_), Some(_)) => Service::Portal,
                (Some(_), None) => Service::Manual,
            },
            typed: self.may_type(row),
            binds: row.contact.is_some(),
            standing: &ahead.standing,
            returned: ahead.returned.as_ref(),
            claimed: ahead.claimed.as_ref(),
            typed_step: ahead.typed_step,
            verification: &ahead.verification,
            lives: limits.code,
            expires_at: ahead.asked_at + limits.code,
            bound_for: limits.binding,
        }
    }

    /// Finds out what a decision still needs, from the portal or the database, and completes its replies. No
    /// transaction is open.
    pub(super) async fn fulfil(
        &self,
        row: &ConversationRow,
        decision: &mut Decision,
        ahead: &Ahead,
    ) -> Result<(), EngineError> {
        let knowledge = self.knowledge.current();
        let wish = decision.effects.wish.take();
        match wish {
            None => {}
            Some(Wish::Tickets) => self.list_tickets(row, decision, &knowledge).await?,
            Some(Wish::Ticket(number)) => {
                self.show_ticket(row, ahead, &number, decision).await?;
            }
            Some(Wish::Do(request)) => {
                let proof = ahead.returned.as_ref().map(|returned| &returned.proof);
                let Some(proof) = proof.or(ahead.standing.fresh()) else {
                    return Ok(());
                };
                let doing = Errands {
                    engine: self,
                    knowledge: &knowledge,
                    language: decision.language,
                    proof,
                    request: &request,
                };
                match request.action {
                    Action::Sesi => doing.sessions(row, decision).await?,
                    _ => doing.act(row, decision).await?,
                }
            }
        }
        let offered = decision.replies.iter().flat_map(|r| r.body.choices.clone());
        decision.state.offer(offered.collect());
        Ok(())
    }

    async fn list_tickets(
        &self,
        row: &ConversationRow,
        decision: &mut Decision,
        knowledge: &Knowledge,
    ) -> sqlx::Result<()> {
        let mut connection = self.store.connection().await?;
        let tickets = ticket::of_conversation(&mut connection, &row.id).await?;
        let messages = knowledge.messages();
        let language = decision.language;
        if tickets.is_empty() {
            let reply = Reply::text(messages.ticket_none.get(language).clone());
            let reply = reply.about("action:status-aduan");
            decision
                .replies
                .push(reply.choices(menu(knowledge, language)));
        }
        for ticket in tickets {
            decision.replies.push(self.ticket_reply(&ticket, language));
        }
        Ok(())
    }

    /// Does what was decided, in the transaction that keeps it; the other conversations that it changed, or none if a
    /// proof was taken by another request.
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
            let subject = &end.subject;
            let ended = identity.end_everywhere(connection, subject, now).await?;
            was_bound = !ended.contacts.is_empty();
            changed.extend(ended.conversations);
            let others = ended.contacts.iter();
            let others = others.filter(|contact| Some(*contact) != row.contact.as_ref());
            let others: Vec<String> = others.cloned().collect();
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
            let bound = ahead.standing.bound.as_ref();
            let asked = Asked {
                id: &ahead.verification,
                conversation_id: &row.id,
                channel: &row.channel,
                contact: row.contact.as_deref(),
                request,
                language: &row.language,
                who: doing.who,
                bound: bound.map(|(subject, _)| subject.as_str()),
            };
            identity.ask(connection, &asked, now).await?;
        }
        let given = effects
            .document
            .as_ref()
            .map(|document| document.proof.id.as_str());
        let given = given.or(effects.errand.as_ref().map(|errand| errand.proof.as_str()));
        if let Some(proof) = given
            && !identity.is_live(connection, proof, now).await?
        {
            // It was ended while the portal was asked.
            return Ok(None);
        }
        if let Some(document) = &effects.document {
            let reply = i64::try_from(document.reply).unwrap_or_default();
            let new = NewLink {
                id: &document.id,
                conversation_id: &row.id,
                seq: doing.heard_seq + 1 + reply,
                proof: &document.proof,
                document: document.action.as_str(),
                period: &document.period,
            };
            identity.make_link(connection, &new, now).await?;
        }
        if let Some(errand) = &effects.errand {
            let limits = &identity.limits;
            if !limits
                .admit_errand(connection, &errand.subject, now)
                .await?
            {
                // Another chat was faster.
                return Ok(None);
            }
            self.post.errand(connection, errand, now).await?;
            let event = match Action::parse(&errand.action) {
                Some(Action::Daftar) => Event::Activation,
                _ => Event::PasswordReset,
            };
            let entry = Entry::new(event, "asked").within(&row.id);
            let entry = entry.about(&errand.subject);
            identity.audit().record(connection, entry, now).await?;
        }
        if effects.leave {
            identity.leave(connection, row, now).await?;
        }
        if let Some(end) = &effects.end_all {
            let subject = &end.subject;
            if let (Some(who), true) = (&end.mailed, was_bound) {
                self.mail_unbound(connection, subject, who, now).await?;
            }
            // What came back in this very message goes too.
            identity.leave(connection, row, now).await?;
            identity
                .note_ended(connection, subject, end.why, now)
                .await?;
            changed.push(row.id.clone());
        }
        Ok(Some(changed))
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
