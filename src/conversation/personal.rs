//! What the engine finds out before a decision about a person.

use uuid::Uuid;

use super::action::{Personal, Service, TypedStep, TypedText, Wish, read_typed};
use super::errands::Errands;
use super::message::{Channel, Content, Incoming, Reply};
use super::state::State;
use super::turn::{Decision, menu};
use super::{Engine, EngineError};
use crate::clock::Millis;
use crate::identity::request::Action;
use crate::identity::{AskingNetwork, Opened, Refused, Returned, Standing};
use crate::knowledge::Knowledge;
use crate::storage::conversation::ConversationRow;
use crate::storage::ticket;
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
}
