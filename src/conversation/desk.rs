//! What officers do in a chat: they take it over, answer, hand it back, settle.
//! Each is one transaction over the conversation, the transcript, the ticket and the record.

use thiserror::Error;

use super::commit::to_json;
use super::deed::{Changes, Deed, set};
use super::hub::{DESK, Signal};
use super::once::Form;
use super::{Engine, TRIES};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::knowledge::ask::{Unaskable, askable};
use crate::outbox::{Content, Letter, To};
use crate::redact::redact;
use crate::storage::conversation::{self, ConversationRow};
use crate::storage::message::{self as transcript, MessageRow};
use crate::storage::ticket::{self, TicketRow};
use crate::storage::{Connection, picture, ticket_event, ticket_word};
use crate::ticket::{Happened, Happening, Status, TicketNumber, note};

/// A settled ticket is opened again by the person's next word within this time, in milliseconds.
pub const REOPENS: Millis = 14 * 24 * 3_600_000;

/// A person whose chat was seen open this lately is in it, in milliseconds.
pub const HERE: Millis = 40_000;
/// Who does something in the console.
#[derive(Clone, Copy, Debug)]
pub struct Agent<'a> {
    /// The agent's id.
    pub id: &'a str,
    /// How they are named to the person.
    pub name: &'a str,
    /// Whether they may take a chat from another.
    pub supervises: bool,
}

/// What an officer does.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    /// Takes the chat over: the bot is silent from now on.
    Take,
    /// Hands the chat back to the bot.
    HandBack,
    /// Answers, and settles the ticket with it or leaves it to the person.
    Reply {
        /// What is said.
        text: &'a str,
        /// Whether that settles it.
        settles: bool,
    },
    /// Notes something for officers.
    Note(&'a str),
    /// Makes it somebody's work, by their id; nobody's if none.
    Assign(Option<&'a str>),
    /// Moves it to another queue.
    Move(&'a str),
    /// Makes it more or less urgent.
    Prioritise(&'a str),
    /// Says how far it is.
    Set(Status),
    /// Links an entry of the knowledge.
    Link(&'a str),
}

/// Why something is not done.
#[derive(Debug, Error)]
pub enum DeskError {
    /// There is no such ticket.
    #[error("there is no such ticket")]
    NoSuchTicket,
    /// Somebody else changed the ticket since it was looked at.
    #[error("the ticket was changed meanwhile")]
    Changed,
    /// Somebody else holds the chat.
    #[error("another officer holds the chat")]
    Held,
    /// The chat is over: nobody would hear it.
    #[error("the chat is over")]
    NoChat,
    /// The text cannot be said.
    #[error(transparent)]
    Unaskable(#[from] Unaskable),
    /// The chat is written to from too many sides.
    #[error("the chat is busy")]
    Busy,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Engine {
    /// Does something to a ticket, once for each form.
    pub async fn act(
        &self,
        agent: Agent<'_>,
        number: &TicketNumber,
        form: Form,
        act: Act<'_>,
    ) -> Result<(), DeskError> {
        if let Act::Reply { text, .. } | Act::Note(text) = act {
            askable(text)?;
        }
        for _ in 0..TRIES {
            if self.try_act(agent, number, form, act).await? {
                return Ok(());
            }
        }
        Err(DeskError::Busy)
    }

    /// One try; false if the chat was written to in between.
    async fn try_act(
        &self,
        agent: Agent<'_>,
        number: &TicketNumber,
        form: Form,
        act: Act<'_>,
    ) -> Result<bool, DeskError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        if let Some(once) = form.once {
            let says = format!("{number} {act:?}");
            let (by, what) = ((agent.id, once), (says.as_str(), number.as_str()));
            let done = self.taken_before(&mut transaction, by, what, now).await?;
            if done.is_some() {
                return Ok(true);
            }
        }
        let found = ticket::by_number(&mut transaction, number.as_str()).await?;
        let mut row = found.ok_or(DeskError::NoSuchTicket)?;
        // What became part of another, or is over, is only noted on, or opened again.
        let over = row.status == "closed" && !matches!(act, Act::Note(_) | Act::Set(_));
        if row.merged_into.is_some() || over {
            return Err(DeskError::Changed);
        }
        if let Some(seen) = form.seen
            && ticket_event::count_of_agents(&mut transaction, number.as_str()).await? > seen
        {
            return Err(DeskError::Changed);
        }
        let chat = conversation::by_id(&mut transaction, &row.conversation_id).await?;
        let knowledge = self.knowledge.current();
        let deed = Deed::of(agent, &mut row, chat.as_ref(), &knowledge, now);
        let changes = deed.done(act)?;
        if let Some(chat) = &chat
            && !self.write(&mut transaction, chat, &changes, now).await?
        {
            transaction.rollback().await?;
            return Ok(false);
        }
        if let (Some(chat), Act::Reply { .. }) = (&chat, act) {
            self.take_up_words(&mut transaction, &chat.id).await?;
        }
        let happened = Happened {
            what: changes.what.unwrap_or(Happening::Note),
            agent: agent.id,
            text: &changes.text,
        };
        let tickets = self.tickets();
        if matches!(act, Act::Note(_)) {
            tickets
                .note(&mut transaction, &row.number, happened, now)
                .await?;
        } else if !tickets
            .save(&mut transaction, &mut row, happened, now)
            .await?
        {
            transaction.rollback().await?;
            return Ok(false);
        }
        if changes.mails {
            self.mail_answer(&mut transaction, &row, now).await?;
        }
        let entry = Entry::new(Event::Ticket, happened.what.as_str());
        let entry = entry
            .within(&row.conversation_id)
            .about(agent.id)
            .detail(&row.number);
        self.identity
            .audit()
            .record(&mut transaction, entry, now)
            .await?;
        let news = self.news_of(&row.conversation_id, Signal::Written);
        self.store.announce(&mut transaction, &news).await?;
        let desk = self.news_of(DESK, Signal::Written);
        self.store.announce(&mut transaction, &desk).await?;
        transaction.commit().await?;
        self.bells.outbound.ring();
        self.post.ring();
        self.hub.signal(&row.conversation_id, Signal::Written);
        self.hub.signal(DESK, Signal::Written);
        Ok(true)
    }

    /// Writes in the chat what an act says, and who holds it; false if somebody else wrote meanwhile.
    pub(super) async fn write(
        &self,
        connection: &mut Connection,
        chat: &ConversationRow,
        changes: &Changes<'_>,
        now: Millis,
    ) -> sqlx::Result<bool> {
        if changes.says.is_none() && changes.holder.is_none() {
            return Ok(true);
        }
        let count = i64::from(changes.says.is_some());
        if !conversation::tell(connection, chat, count).await? {
            return Ok(false);
        }
        if let Some(holder) = changes.holder {
            conversation::set_holder(connection, &chat.id, holder).await?;
        }
        if let Some((sender, reply)) = &changes.says {
            let row = MessageRow {
                seq: chat.last_seq + 1,
                sender: sender.as_str().to_owned(),
                body: to_json(&reply.body),
                target: reply.target.clone(),
                created_at: now,
                ..MessageRow::default()
            };
            transcript::insert(connection, &chat.id, &row).await?;
            self.send(connection, chat, &[row], now).await?;
        }
        Ok(true)
    }

    /// Mails the person that there is an answer, where an address is on record and they are not in the chat now.
    async fn mail_answer(
        &self,
        connection: &mut Connection,
        row: &TicketRow,
        now: Millis,
    ) -> sqlx::Result<()> {
        let chat = conversation::by_id(connection, &row.conversation_id).await?;
        // Without a chat there is no place where the answer could be read.
        let Some(chat) = chat else {
            return Ok(());
        };
        let here = chat.channel == "telegram" || now < chat.seen_at + HERE;
        let person = self.tickets().person(row);
        let (Some((kind, reference)), Some(subject), false) = (person, &row.requester, here) else {
            return Ok(());
        };
        let letter = Letter {
            to: To::Person { reference, kind },
            content: Content::TicketAnswered {
                number: row.number.clone(),
            },
            subject: subject.clone(),
            conversation_id: String::new(),
            language: chat.language,
            expires_at: None,
        };
        self.identity.notify(connection, &letter, now).await
    }

    /// Makes a ticket part of another: what happened to it is found there.
    pub async fn merge(
        &self,
        agent: Agent<'_>,
        from: &TicketNumber,
        into: &TicketNumber,
    ) -> Result<(), DeskError> {
        if from == into {
            return Err(DeskError::NoSuchTicket);
        }
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let mut source = ticket::by_number(&mut transaction, from.as_str())
            .await?
            .filter(|row| row.merged_into.is_none())
            .ok_or(DeskError::NoSuchTicket)?;
        let mut target = ticket::by_number(&mut transaction, into.as_str())
            .await?
            .filter(|row| row.merged_into.is_none())
            .ok_or(DeskError::NoSuchTicket)?;
        // Somebody whose chat is another would not hear the answer.
        let chat = &source.conversation_id;
        if !chat.is_empty() && !target.conversation_id.is_empty() && *chat != target.conversation_id
        {
            return Err(DeskError::Changed);
        }
        if target.conversation_id.is_empty() {
            target.conversation_id.clone_from(chat);
        }
        let tickets = self.tickets();
        tickets.hand_on_details(&source, &mut target);
        ticket_event::move_to(&mut transaction, from.as_str(), into.as_str()).await?;
        picture::move_to(&mut transaction, from.as_str(), into.as_str()).await?;
        ticket_word::copy_to(&mut transaction, from.as_str(), into.as_str()).await?;
        set(&mut source, Status::Closed, now);
        source.merged_into = Some(into.to_string());
        let happened = |text| Happened {
            what: Happening::Merged,
            agent: agent.id,
            text,
        };
        let left = happened(into.as_str());
        let kept = happened(from.as_str());
        let saved = tickets
            .save(&mut transaction, &mut source, left, now)
            .await?
            && tickets
                .save(&mut transaction, &mut target, kept, now)
                .await?;
        if !saved {
            return Err(DeskError::Changed);
        }
        let entry = Entry::new(Event::Ticket, "merged")
            .about(agent.id)
            .detail(from.as_str());
        self.identity
            .audit()
            .record(&mut transaction, entry, now)
            .await?;
        let news = self.news_of(DESK, Signal::Written);
        self.store.announce(&mut transaction, &news).await?;
        transaction.commit().await?;
        self.hub.signal(DESK, Signal::Written);
        Ok(())
    }

    /// What is sealed on a ticket, for an officer who says why: that is recorded first.
    pub async fn unmask(
        &self,
        agent: Agent<'_>,
        number: &TicketNumber,
        reason: &str,
    ) -> Result<Option<String>, DeskError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let row = ticket::by_number(&mut transaction, number.as_str()).await?;
        let row = row.ok_or(DeskError::NoSuchTicket)?;
        let reason = redact(reason);
        let happened = Happened {
            what: Happening::Unmasked,
            agent: agent.id,
            text: &reason,
        };
        note(&mut transaction, &row.number, happened, now).await?;
        let details = self
            .tickets()
            .details(&mut transaction, &row, agent.id, now)
            .await?;
        transaction.commit().await?;
        Ok(details)
    }
}
