//! What the engine finds out before a decision about a person, and what it does after one.

use uuid::Uuid;

use super::action::{
    Effects, NewDocument, Personal, Service, TypedStep, TypedText, Wish, do_value, end_choice,
    read_typed,
};
use super::message::{Channel, Choice, Content, Incoming, Kind, LinkTo, Reply};
use super::state::State;
use super::turn::{Decision, entry_choice, menu};
use super::{Engine, EngineError};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::identity::link::NewLink;
use crate::identity::request::{Action, Request};
use crate::identity::{Asked, Identity, Opened, Proof, Refused, Returned, Standing};
use crate::knowledge::Knowledge;
use crate::knowledge::messages::{Messages, fill};
use crate::knowledge::period::Period;
use crate::knowledge::text::{Language, Localised};
use crate::mail::letters::{request_label, topic_label};
use crate::outbox::{Errand, Payload};
use crate::portal::{Account, Fault, Payroll, Person, Portal};
use crate::storage::conversation::ConversationRow;
use crate::storage::{Connection, ticket};

/// Documents that are offered to choose from.
const OFFERED: usize = 8;

/// What was found out before a message is decided: once, however often it is decided anew.
#[derive(Debug, Default)]
pub struct Ahead {
    looked: bool,
    standing: Standing,
    typed_step: Option<TypedStep>,
    /// The proof that comes back.
    pub(super) returned: Option<Returned>,
    verification: String,
    asked_at: Millis,
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
                let returned = self.identity.returned(&row.id, secret.reveal());
                ahead.returned = returned.await?;
            }
            Content::Text(text) => self.look_at_typed(row, text, ahead).await?,
            Content::Choice(_) | Content::Lapsed | Content::Unreadable => {}
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
        let step = match read_typed(typing, text) {
            None => return Ok(()),
            Some(TypedText::Number(number)) => {
                let started = self.identity.start(opened, Some(&number), None).await;
                started.map(|_| TypedStep::Started)
            }
            Some(TypedText::Code(code)) => {
                let finished = self.identity.finish(opened, &code, None).await;
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
                    _ => doing.act(row, decision).await,
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
            let sentence = match ticket.status.as_str() {
                "open" | "pending" => &messages.ticket_open,
                _ => &messages.ticket_resolved,
            };
            let what = topic_label(knowledge, &ticket.topic, language);
            let values = [("number", ticket.number.as_str()), ("what", &what)];
            let reply = Reply::text(fill(sentence, language, &values)).kind(Kind::Notice);
            let reply = reply.ticket(&ticket.number, &ticket.status);
            decision.replies.push(reply.about("action:status-aduan"));
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
        let mut changed = Vec::new();
        if let (true, Some(returned)) = (effects.redeem, &ahead.returned) {
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
        if let Some((subject, why)) = &effects.end_all {
            let ended = identity.end_all(connection, subject, why, now).await?;
            changed.extend(ended.conversations);
            let others = ended.contacts.iter();
            let others = others.filter(|contact| Some(*contact) != row.contact.as_ref());
            let others: Vec<String> = others.cloned().collect();
            self.tell_unbound(connection, row, &others, now).await?;
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
        changed: &[String],
    ) {
        if effects.errand.is_some() || effects.redeem {
            self.post.ring();
        }
        if effects.redeem || effects.leave {
            self.tell_changed(&row.id).await;
        }
        for conversation in changed {
            self.tell_changed(conversation).await;
        }
        if effects.ask_bound
            && let Err(error) = self.send_bound_code(row).await
        {
            tracing::error!(%error, "a code could not be issued");
        }
    }

    async fn send_bound_code(&self, row: &ConversationRow) -> Result<(), Refused> {
        let mut connection = self.store.connection().await?;
        let now = self.clock.now();
        let identity = &self.identity;
        let number = identity.bound_number(&mut connection, row, now).await?;
        let id = identity.latest_request(&mut connection, &row.id).await?;
        drop(connection);
        if let (Some(number), Some(id)) = (number, id) {
            let opened = Opened::Id(&id);
            identity.start(opened, Some(&number), None).await?;
        }
        Ok(())
    }
}

/// Something that is done for a person who is known.
struct Errands<'a> {
    engine: &'a Engine,
    knowledge: &'a Knowledge,
    language: Language,
    proof: &'a Proof,
    request: &'a Request,
}

impl Errands<'_> {
    fn messages(&self) -> &Messages {
        self.knowledge.messages()
    }

    fn say(&self, sentence: &Localised<String>, values: &[(&str, &str)]) -> Reply {
        let target = format!("action:{}", self.request.action.as_str());
        Reply::text(fill(sentence, self.language, values)).about(&target)
    }

    /// Where the person is known, and the choice to end that.
    async fn sessions(&self, row: &ConversationRow, decision: &mut Decision) -> sqlx::Result<()> {
        let identity = &self.engine.identity;
        let now = self.engine.clock.now();
        let mut connection = self.engine.store.connection().await?;
        let sessions = identity
            .sessions(&mut connection, &self.proof.subject, row, now)
            .await?;
        let values = [
            (
                "bindings",
                (sessions.bindings + usize::from(row.contact.is_some())).to_string(),
            ),
            (
                "web",
                (sessions.web + usize::from(row.contact.is_none())).to_string(),
            ),
        ];
        let values = values
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let reply = self.say(&self.messages().sessions, &values);
        let choice = end_choice(self.knowledge, self.language);
        let reply = reply.choices(vec![choice]).under(&self.proof.id);
        decision.replies.push(reply);
        Ok(())
    }

    /// Asks the portal about the person as of now, and goes on if nothing changed.
    async fn act(&self, row: &ConversationRow, decision: &mut Decision) {
        let Some(portal) = &self.engine.portal else {
            return;
        };
        let who = &self.proof.who;
        let person = match portal.person(&who.reference, who.kind).await {
            Ok(Some(person)) if self.is_same(&person) => person,
            Ok(_) => {
                // The person left, or the mailbox is another: nothing that was proved holds any more.
                decision.effects.end_all = Some((self.proof.subject.clone(), "record-changed"));
                let reply = self.say(&self.messages().person_gone, &[]);
                return decision.replies.push(reply.kind(Kind::Notice));
            }
            Err(fault) => return self.unavailable(decision, fault),
        };
        match self.request.action {
            Action::SlipGaji | Action::PenyataTahunan => {
                self.document(portal, &person, decision).await;
            }
            Action::LupaKataLaluan => self.reset(row, &person, decision),
            Action::Daftar => self.activate(row, &person, decision),
            Action::Sesi => {}
        }
    }

    /// Whether the portal still serves the person, at the address that the code went to.
    fn is_same(&self, person: &Person) -> bool {
        let identity = &self.engine.identity;
        let address = person.address.as_ref();
        let mark = address.map(|address| identity.address_mark(address.reveal()));
        person.active && mark.as_deref() == Some(self.proof.who.address_mark.as_str())
    }

    fn unavailable(&self, decision: &mut Decision, fault: Fault) {
        tracing::warn!(fault = fault.as_str(), "the portal could not be asked");
        let reply = self.say(&self.messages().portal_down, &[]);
        let again = Choice {
            value: do_value(self.request),
            label: self.messages().try_again.get(self.language).clone(),
        };
        let mut choices = vec![again];
        choices.extend(entry_choice(
            self.knowledge,
            "action:pegawai",
            self.language,
        ));
        decision
            .replies
            .push(reply.kind(Kind::Notice).choices(choices));
    }

    async fn document(&self, portal: &Portal, person: &Person, decision: &mut Decision) {
        let Some(staff) = person.staff() else {
            let reply = self.say(&self.messages().staff_only, &[]);
            let officer = entry_choice(self.knowledge, "action:pegawai", self.language);
            return decision
                .replies
                .push(reply.choices(officer.into_iter().collect()));
        };
        let periods = match self.request.action {
            Action::PenyataTahunan => portal.statements(&staff).await,
            _ => portal.payslips(&staff).await,
        };
        let periods = match periods {
            Ok(periods) => periods,
            Err(fault) => return self.unavailable(decision, fault),
        };
        match &self.request.period {
            Some(period) if periods.contains(period) => self.give_link(period, decision),
            wanted => self.offer(&periods, wanted.as_deref(), decision),
        }
    }

    fn give_link(&self, period: &str, decision: &mut Decision) {
        let identity = &self.engine.identity;
        let expires_at = identity.link_expires(self.engine.clock.now());
        let minutes = (identity.limits.link / 60_000).to_string();
        let what = request_label(self.knowledge, self.request, self.language);
        let values = [("what", what.as_str()), ("minutes", &minutes)];
        let reply = self.say(&self.messages().link_ready, &values);
        let label = fill(&self.messages().link_button, self.language, &values);
        let id = Identity::new_link_id();
        let to = LinkTo::Document(id.clone());
        decision.effects.document = Some(NewDocument {
            id,
            reply: decision.replies.len(),
            proof: self.proof.clone(),
            action: self.request.action,
            period: period.to_owned(),
        });
        let reply = reply.kind(Kind::Link).link(to, &label, expires_at);
        decision.replies.push(reply.under(&self.proof.id));
    }

    /// Offers the months or years that there are.
    fn offer(&self, periods: &[String], wanted: Option<&str>, decision: &mut Decision) {
        let messages = self.messages();
        let shown = |period: &str| {
            let parsed = Period::parse(period);
            parsed.map_or_else(String::new, |period| period.shown(self.language))
        };
        let (Some(last), Some(first)) = (periods.first(), periods.last()) else {
            let reply = self.say(&messages.no_documents, &[]);
            return decision.replies.push(reply.under(&self.proof.id));
        };
        let what = wanted.map(shown).unwrap_or_default();
        let (first, last) = (shown(first), shown(last));
        let values = [
            ("what", what.as_str()),
            ("first", first.as_str()),
            ("last", last.as_str()),
        ];
        let monthly = self.request.action == Action::SlipGaji;
        let sentence = match (monthly, wanted.is_some()) {
            (true, false) => &messages.choose_month,
            (true, true) => &messages.no_such_month,
            (false, false) => &messages.choose_year,
            (false, true) => &messages.no_such_year,
        };
        let choices = periods.iter().take(OFFERED).map(|period| Choice {
            value: do_value(&Request {
                action: self.request.action,
                period: Some(period.clone()),
            }),
            label: shown(period),
        });
        let reply = self.say(sentence, &values).kind(Kind::Choices);
        let reply = reply.choices(choices.collect()).under(&self.proof.id);
        decision.replies.push(reply);
    }

    fn reset(&self, row: &ConversationRow, person: &Person, decision: &mut Decision) {
        let messages = self.messages();
        match person.account {
            _ if person.address.is_none() => self.refuse(&messages.no_address, None, decision),
            Account::None => {
                self.refuse(&messages.no_account, Some("action:daftar"), decision);
            }
            Account::Pending => {
                self.refuse(&messages.account_pending, Some("action:daftar"), decision);
            }
            Account::Active => self.send_errand(row, decision),
        }
    }

    fn activate(&self, row: &ConversationRow, person: &Person, decision: &mut Decision) {
        let messages = self.messages();
        if person.address.is_none() {
            return self.refuse(&messages.no_address, None, decision);
        }
        if person.staff().is_some() && person.payroll == Payroll::None {
            let more = Some("portal-mystep");
            return self.refuse(&messages.not_in_payroll, more, decision);
        }
        match person.account {
            Account::Active => {
                let more = Some("action:lupa-kata-laluan");
                self.refuse(&messages.account_active, more, decision);
            }
            Account::None | Account::Pending => self.send_errand(row, decision),
        }
    }

    fn refuse(&self, sentence: &Localised<String>, more: Option<&str>, decision: &mut Decision) {
        let more = more.and_then(|id| entry_choice(self.knowledge, id, self.language));
        let reply = self.say(sentence, &[]).under(&self.proof.id);
        decision
            .replies
            .push(reply.choices(more.into_iter().collect()));
    }

    fn send_errand(&self, row: &ConversationRow, decision: &mut Decision) {
        let reply = self.say(&self.messages().errand_begun, &[]);
        decision.replies.push(reply.kind(Kind::Notice));
        decision.effects.errand = Some(Errand {
            action: self.request.action.as_str().to_owned(),
            reference: self.proof.who.reference.clone(),
            kind: self.proof.who.kind.as_str().to_owned(),
            subject: self.proof.subject.clone(),
            last4: self.proof.last4.clone(),
            conversation_id: row.id.clone(),
            proof: self.proof.id.clone(),
        });
    }
}
