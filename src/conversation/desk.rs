//! What officers do in a chat: they take it over, answer, hand it back, settle.
//! Each is one transaction over the conversation, the transcript, the ticket and the record.

use thiserror::Error;

use super::commit::to_json;
use super::hub::{DESK, Signal};
use super::message::{Body, Kind, Reply, Sender};
use super::once::Form;
use super::{Engine, TRIES};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::knowledge::ask::{Unaskable, askable};
use crate::knowledge::messages::{Messages, fill};
use crate::knowledge::text::{Language, Localised};
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

/// One of the bot's own sentences.
type Pick = fn(&Messages) -> &Localised<String>;

/// What an act changes.
#[derive(Default)]
pub(super) struct Changes<'a> {
    /// What is said in the chat, and by whom.
    pub says: Option<(Sender, Reply)>,
    /// Who holds the chat from now on.
    pub holder: Option<Option<&'a str>>,
    /// What is noted.
    pub what: Option<Happening>,
    /// What else there is to know of it.
    pub text: String,
    /// Whether the person is mailed that there is an answer.
    pub mails: bool,
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
        let changes = self.changes(agent, &mut row, chat.as_ref(), act, now)?;
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

    fn changes<'a>(
        &self,
        agent: Agent<'a>,
        row: &mut TicketRow,
        chat: Option<&ConversationRow>,
        act: Act<'_>,
        now: Millis,
    ) -> Result<Changes<'a>, DeskError> {
        let language = chat.and_then(|chat| Language::parse(&chat.language));
        let language = language.unwrap_or_default();
        let holder = chat.and_then(|chat| chat.holder.as_deref());
        let others = holder.is_some_and(|holder| holder != agent.id);
        let number = row.number.clone();
        let say = |pick: Pick, status: &str| {
            let knowledge = self.knowledge.current();
            let values = [("number", number.as_str()), ("name", agent.name)];
            let text = fill(pick(knowledge.messages()), language, &values);
            let reply = Reply::text(text).kind(Kind::Notice);
            reply.ticket(&number, status)
        };
        let mut changes = Changes::default();
        match act {
            Act::Take => {
                let chat = chat.ok_or(DeskError::NoChat)?;
                if others {
                    return Err(DeskError::Held);
                }
                changes.what = Some(Happening::Taken);
                if chat.holder.is_none() {
                    changes.says = Some((Sender::Bot, say(|m| &m.officer_joined, "open")));
                }
                changes.holder = Some(Some(agent.id));
                row.assignee = Some(agent.id.to_owned());
                acknowledge(row, now);
            }
            Act::HandBack => {
                if others && !agent.supervises {
                    return Err(DeskError::Held);
                }
                if holder.is_some() {
                    changes.says = Some((Sender::Bot, say(|m| &m.officer_left, &row.status)));
                    changes.holder = Some(None);
                }
                changes.what = Some(Happening::HandedBack);
            }
            Act::Reply { text, settles } => {
                if others {
                    return Err(DeskError::Held);
                }
                changes.what = Some(if settles {
                    Happening::Resolved
                } else {
                    Happening::Replied
                });
                changes.text = redact(text.trim());
                if chat.is_some() {
                    let status = if settles { "resolved" } else { "pending" };
                    let body = Body {
                        text: changes.text.clone(),
                        name: Some(agent.name.to_owned()),
                        ..Body::default()
                    };
                    let reply = Reply { body, target: None };
                    changes.says = Some((Sender::Officer, reply.ticket(&row.number, status)));
                }
                if settles && holder.is_some() {
                    changes.holder = Some(None);
                }
                row.assignee.get_or_insert_with(|| agent.id.to_owned());
                acknowledge(row, now);
                row.answered_at.get_or_insert(now);
                set(
                    row,
                    if settles {
                        Status::Resolved
                    } else {
                        Status::Pending
                    },
                    now,
                );
                changes.mails = true;
            }
            Act::Note(text) => {
                changes.what = Some(Happening::Note);
                changes.text = redact(text.trim());
            }
            Act::Assign(to) => {
                changes.what = Some(Happening::Assigned);
                changes.text = to.unwrap_or_default().to_owned();
                row.assignee = to.map(str::to_owned);
                if to == Some(agent.id) {
                    acknowledge(row, now);
                }
            }
            Act::Move(queue) => {
                changes.what = Some(Happening::Moved);
                changes.text = queue.to_owned();
                row.queue = queue.to_owned();
                row.assignee = None;
            }
            Act::Prioritise(priority) => {
                changes.what = Some(Happening::Prioritised);
                changes.text = priority.to_owned();
                row.priority = priority.to_owned();
            }
            Act::Set(status) => {
                if others && !agent.supervises {
                    return Err(DeskError::Held);
                }
                let settled = !status.is_active();
                changes.what = Some(match status {
                    Status::Open => Happening::Reopened,
                    Status::Pending => Happening::Pending,
                    Status::Resolved => Happening::Resolved,
                    Status::Closed => Happening::Closed,
                });
                if chat.is_some() && settled && row.status != status.as_str() {
                    let pick: Pick = match status {
                        Status::Closed => |m| &m.ticket_was_closed,
                        _ => |m| &m.ticket_was_resolved,
                    };
                    changes.says = Some((Sender::Bot, say(pick, status.as_str())));
                }
                if settled && holder.is_some() {
                    changes.holder = Some(None);
                }
                acknowledge(row, now);
                set(row, status, now);
            }
            Act::Link(entry) => {
                changes.what = Some(Happening::Linked);
                changes.text = entry.to_owned();
                row.entry = Some(entry.to_owned());
            }
        }
        // Whoever does something has looked.
        row.unread_at = None;
        Ok(changes)
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

/// Somebody has taken it up.
pub(super) fn acknowledge(row: &mut TicketRow, now: Millis) {
    row.acknowledged_at.get_or_insert(now);
    row.live_at = None;
}

/// Puts a ticket into a status, with what follows from it.
pub(super) fn set(row: &mut TicketRow, status: Status, now: Millis) {
    row.status = status.as_str().to_owned();
    match status {
        Status::Open | Status::Pending => row.resolved_at = None,
        Status::Resolved | Status::Closed => {
            row.resolved_at.get_or_insert(now);
            // Settled: what it held of the person is wiped.
            row.details = None;
            row.live_at = None;
        }
    }
}
