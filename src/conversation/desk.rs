//! What officers do in a chat: they take it over, answer, hand it back, settle; and what the calendar says to the person.
//! Each is one transaction over the conversation, the transcript, the ticket and the record.

use thiserror::Error;

use super::commit::to_json;
use super::handoff::{Desk, DeskTicket, Handoff, Hours, OFFICER, TicketEffect};
use super::hub::{DESK, Signal};
use super::message::{Body, Kind, Reply, Sender};
use super::personal::Ahead;
use super::turn::Decision;
use super::{Engine, TRIES};
use crate::audit::{Entry, Event};
use crate::clock::{Millis, shown, shown_day};
use crate::knowledge::ask::{Unaskable, askable};
use crate::knowledge::messages::{Messages, fill};
use crate::knowledge::text::{Language, Localised};
use crate::mail::letters::topic_label;
use crate::outbox::{Content, Letter, To};
use crate::redact::redact;
use crate::storage::conversation::{self, ConversationRow};
use crate::storage::message::{self as transcript, MessageRow};
use crate::storage::ticket::{self, TicketRow};
use crate::storage::{Connection, ticket_event};
use crate::ticket::{Happened, Happening, NewTicket, Queue, Status, TicketNumber, note};

/// A settled ticket is opened again by the person's next word within this time, in milliseconds.
pub const REOPENS: Millis = 14 * 24 * 3_600_000;

/// A person whose chat was seen open this lately is in it, in milliseconds.
pub const HERE: Millis = 40_000;
/// What replies about a ticket's status are about.
const STATUS: &str = "action:status-aduan";
/// Characters of a title that are shown in a status.
const SHOWN: usize = 60;

/// Who does something in the console.
#[derive(Clone, Copy, Debug)]
pub struct Agent<'a> {
    /// The agent's id.
    pub id: &'a str,
    /// How they are named to the person.
    pub name: &'a str,
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
struct Changes<'a> {
    /// What is said in the chat, and by whom.
    says: Option<(Sender, Reply)>,
    /// Who holds the chat from now on.
    holder: Option<Option<&'a str>>,
    /// What is noted.
    what: Option<Happening>,
    text: String,
    /// Whether the person is mailed that there is an answer.
    mails: bool,
}

impl Engine {
    /// What a conversation has to do with officers now.
    pub(super) async fn desk(
        &self,
        connection: &mut Connection,
        row: &ConversationRow,
    ) -> sqlx::Result<Desk> {
        let now = self.clock.now();
        let tickets = ticket::of_conversation(connection, &row.id).await?;
        let live = |ticket: &&TicketRow| match Status::parse(&ticket.status) {
            Some(status) if status.is_active() => true,
            Some(Status::Resolved) => ticket.resolved_at.is_some_and(|at| now < at + REOPENS),
            Some(_) | None => false,
        };
        let active = |ticket: &&TicketRow| matches!(ticket.status.as_str(), "open" | "pending");
        let found = tickets.iter().find(active).or(tickets.iter().find(live));
        Ok(Desk {
            held: row.holder.is_some(),
            ticket: found.map(|ticket| DeskTicket {
                number: ticket.number.clone(),
                settled: ticket.status == "resolved",
            }),
            hours: self.hours(now),
        })
    }

    /// The office's hours at a moment, in words.
    pub(super) fn hours(&self, now: Millis) -> Hours {
        let knowledge = self.knowledge.current();
        let calendar = knowledge.calendar();
        Hours {
            open: calendar.is_open(now),
            next_opening: calendar.next_opening(now).map(shown).unwrap_or_default(),
            acknowledge_by: shown_day(calendar.acknowledge_by(now)),
            answer_by: shown_day(calendar.answer_by(now)),
            sample: calendar.is_sample(),
        }
    }

    /// Does something to a ticket; `version` is the one that the officer saw, for what would undo somebody else's work.
    pub async fn act(
        &self,
        agent: Agent<'_>,
        number: &TicketNumber,
        version: Option<i64>,
        act: Act<'_>,
    ) -> Result<(), DeskError> {
        if let Act::Reply { text, .. } | Act::Note(text) = act {
            askable(text)?;
        }
        for _ in 0..TRIES {
            if self.try_act(agent, number, version, act).await? {
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
        version: Option<i64>,
        act: Act<'_>,
    ) -> Result<bool, DeskError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let found = ticket::by_number(&mut transaction, number.as_str()).await?;
        let mut row = found.ok_or(DeskError::NoSuchTicket)?;
        if version.is_some_and(|version| version != row.version) {
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
        let happened = Happened {
            what: changes.what.unwrap_or(Happening::Note),
            agent: agent.id,
            text: &changes.text,
        };
        let tickets = self.tickets();
        if matches!(act, Act::Note(_)) {
            note(&mut transaction, &row.number, happened, now).await?;
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
    async fn write(
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
                let settled = !status.is_active();
                changes.what = Some(match status {
                    Status::Open => Happening::Reopened,
                    Status::Pending => Happening::Pending,
                    Status::Resolved => Happening::Resolved,
                    Status::Closed => Happening::Closed,
                });
                if chat.is_some() && settled && row.status != status.as_str() {
                    changes.says = Some((
                        Sender::Bot,
                        say(|m| &m.ticket_was_resolved, status.as_str()),
                    ));
                }
                if settled && holder.is_some() {
                    changes.holder = Some(None);
                }
                acknowledge(row, now);
                set(row, status, now);
                changes.mails = settled;
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
        let here = chat.is_some_and(|chat| chat.channel == "telegram" || now < chat.seen_at + HERE);
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
            language: Language::default().as_str().to_owned(),
            expires_at: None,
        };
        self.identity.notify(connection, &letter, now).await
    }

    /// Does to a ticket what a turn decided, in the turn's transaction; the number of one that was opened.
    pub(super) async fn ticket_effect(
        &self,
        connection: &mut Connection,
        turn: (&ConversationRow, &Ahead),
        effect: &TicketEffect,
        now: Millis,
    ) -> sqlx::Result<Option<TicketNumber>> {
        let (row, ahead) = turn;
        let (number, what) = match effect {
            TicketEffect::Open(handoff) => {
                let number = self
                    .open_ticket(connection, row, ahead, handoff, now)
                    .await?;
                return Ok(Some(number));
            }
            TicketEffect::Add(number) => (number, Happening::Added),
            TicketEffect::Reopen(number) => (number, Happening::Reopened),
            TicketEffect::Cancel(number) => (number, Happening::Cancelled),
            TicketEffect::Settle(number) => (number, Happening::Resolved),
            TicketEffect::Claim(number) => (number, Happening::Claimed),
        };
        let claims = what == Happening::Claimed;
        let found = ticket::by_number(connection, number).await?;
        let own = |ticket: &TicketRow| match claims {
            true => ticket.conversation_id.is_empty(),
            false => ticket.conversation_id == row.id,
        };
        let Some(mut ticket) = found.filter(own) else {
            return Ok(None);
        };
        ticket.conversation_id.clone_from(&row.id);
        let was_read = ticket.unread_at.is_none();
        match what {
            Happening::Reopened => {
                set(&mut ticket, Status::Open, now);
                ticket.unread_at.get_or_insert(now);
                ticket.answer_by = Some(self.knowledge.current().calendar().answer_by(now));
                ticket.escalated_at = None;
            }
            Happening::Claimed => {}
            Happening::Cancelled => set(&mut ticket, Status::Closed, now),
            Happening::Resolved => set(&mut ticket, Status::Resolved, now),
            _ => {
                set(&mut ticket, Status::Open, now);
                ticket.unread_at.get_or_insert(now);
            }
        }
        let happened = Happened {
            what,
            agent: "",
            text: "",
        };
        let tickets = self.tickets();
        // The conversation is held: only officers change the ticket beside this, and theirs is told again.
        if !tickets.save(connection, &mut ticket, happened, now).await? {
            return Err(sqlx::Error::RowNotFound);
        }
        if was_read && ticket.unread_at.is_some() {
            tickets.mail_queue(connection, &ticket, now).await?;
        }
        Ok(None)
    }

    async fn open_ticket(
        &self,
        connection: &mut Connection,
        row: &ConversationRow,
        ahead: &Ahead,
        handoff: &Handoff,
        now: Millis,
    ) -> sqlx::Result<TicketNumber> {
        let proof = ahead.standing.proof.as_ref();
        let department = handoff.department.as_deref();
        let open = self.knowledge.current().calendar().is_open(now);
        let person = proof.map(|proof| (proof.who.kind.as_str(), proof.who.reference.as_str()));
        let new = NewTicket {
            conversation_id: &row.id,
            channel: &row.channel,
            queue: handoff.queue.as_deref().unwrap_or("helpdesk"),
            topic: handoff.entry.as_deref().unwrap_or(OFFICER),
            title: &handoff.title,
            entry: handoff.entry.as_deref(),
            department: department.filter(|department| !department.is_empty()),
            name: proof.map(|proof| proof.who.name.as_str()),
            last4: proof.map(|proof| proof.last4.as_str()),
            requester: proof.map(|proof| proof.subject.as_str()),
            person,
            live: open != Some(false),
            ..NewTicket::default()
        };
        self.tickets().open(connection, new, now).await
    }

    /// Tells one person, and the supervisor, that nobody has taken their ticket yet; false if there was nobody to tell.
    pub async fn tell_untaken(&self, waited: Millis) -> sqlx::Result<bool> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let found = ticket::take_untaken(&mut transaction, now - waited, now).await?;
        let Some(row) = found else {
            return Ok(false);
        };
        let chat = conversation::by_id(&mut transaction, &row.conversation_id).await?;
        if let Some(chat) = &chat {
            let knowledge = self.knowledge.current();
            let language = Language::parse(&chat.language).unwrap_or_default();
            let values = [("number", row.number.as_str())];
            let text = fill(&knowledge.messages().ticket_untaken, language, &values);
            let reply = Reply::text(text).kind(Kind::Notice);
            let changes = Changes {
                says: Some((Sender::Bot, reply.ticket(&row.number, &row.status))),
                ..Changes::default()
            };
            if !self.write(&mut transaction, chat, &changes, now).await? {
                // Somebody writes just now: next time.
                transaction.rollback().await?;
                return Ok(false);
            }
        }
        self.chased(&mut transaction, &row, Happening::Untaken, now)
            .await?;
        let news = self.news_of(&row.conversation_id, Signal::Written);
        self.store.announce(&mut transaction, &news).await?;
        transaction.commit().await?;
        self.bells.outbound.ring();
        self.post.ring();
        self.hub.signal(&row.conversation_id, Signal::Written);
        Ok(true)
    }

    /// Tells the supervisor of one ticket that is overdue; false if there was none.
    pub async fn escalate_overdue(&self) -> sqlx::Result<bool> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let Some(row) = ticket::take_overdue(&mut transaction, now).await? else {
            return Ok(false);
        };
        self.chased(&mut transaction, &row, Happening::Escalated, now)
            .await?;
        transaction.commit().await?;
        self.post.ring();
        Ok(true)
    }

    /// Notes that a ticket was chased, and has the supervisor told.
    async fn chased(
        &self,
        connection: &mut Connection,
        row: &TicketRow,
        what: Happening,
        now: Millis,
    ) -> sqlx::Result<()> {
        let happened = Happened {
            what,
            agent: "",
            text: "",
        };
        note(connection, &row.number, happened, now).await?;
        self.tickets()
            .mail_supervisor(connection, row, what, now)
            .await
    }

    /// Closes one ticket that was settled too long ago to be opened again; false if there was none.
    pub async fn close_settled(&self) -> sqlx::Result<bool> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let closed = ticket::close_settled(&mut transaction, now - REOPENS, now).await?;
        let Some(number) = closed else {
            return Ok(false);
        };
        let happened = Happened {
            what: Happening::Closed,
            agent: "",
            text: "",
        };
        note(&mut transaction, &number, happened, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Says how far a ticket is, to whoever it belongs to; everybody else learns nothing, not even whether there is one.
    pub(super) async fn show_ticket(
        &self,
        row: &ConversationRow,
        ahead: &Ahead,
        number: &TicketNumber,
        decision: &mut Decision,
    ) -> sqlx::Result<()> {
        let mut connection = self.store.connection().await?;
        let mut found = ticket::by_number(&mut connection, number.as_str()).await?;
        if let Some(into) = found.as_ref().and_then(|ticket| ticket.merged_into.clone()) {
            found = ticket::by_number(&mut connection, &into).await?;
        }
        drop(connection);
        let known = [
            ahead.standing.proof.as_ref().map(|proof| &proof.subject),
            ahead.standing.bound.as_ref().map(|(subject, _)| subject),
        ];
        let owns = |ticket: &TicketRow| {
            let same = |subject: &Option<&String>| {
                subject.is_some() && *subject == ticket.requester.as_ref()
            };
            ticket.conversation_id == row.id || known.iter().any(same)
        };
        let knowledge = self.knowledge.current();
        let messages = knowledge.messages();
        let language = decision.language;
        let Some(ticket) = found.filter(owns) else {
            let values = [("number", number.as_str())];
            let text = fill(&messages.ticket_unknown, language, &values);
            decision.replies.push(Reply::text(text).about(STATUS));
            return Ok(());
        };
        decision.replies.push(self.ticket_reply(&ticket, language));
        Ok(())
    }

    /// How far a ticket is, in words.
    pub(super) fn ticket_reply(&self, ticket: &TicketRow, language: Language) -> Reply {
        let knowledge = self.knowledge.current();
        let messages = knowledge.messages();
        let sentence = match Status::parse(&ticket.status) {
            Some(Status::Open) | None if ticket.acknowledged_at.is_some() => &messages.ticket_taken,
            Some(Status::Open) | None => &messages.ticket_open,
            Some(Status::Pending) => &messages.ticket_pending,
            Some(Status::Resolved) => &messages.ticket_resolved,
            Some(Status::Closed) => &messages.ticket_closed,
        };
        let what = match ticket.title.as_str() {
            "" => topic_label(&knowledge, &ticket.topic, language),
            title => title.chars().take(SHOWN).collect(),
        };
        let by = ticket.answer_by.map(shown_day).unwrap_or_default();
        let values = [
            ("number", ticket.number.as_str()),
            ("what", &what),
            ("answer", &by),
        ];
        let reply = Reply::text(fill(sentence, language, &values)).kind(Kind::Notice);
        reply.ticket(&ticket.number, &ticket.status).about(STATUS)
    }

    /// The ticket that a token was given out for, if nobody goes on with it yet and it is not too old.
    pub(super) async fn claimable(&self, token: &str) -> sqlx::Result<Option<TicketNumber>> {
        let digits = self.identity.claimed(token);
        let Some(number) = digits.and_then(|digits| TicketNumber::from_digits(&digits)) else {
            return Ok(None);
        };
        let now = self.clock.now();
        let mut connection = self.store.connection().await?;
        let row = ticket::by_number(&mut connection, number.as_str()).await?;
        let free =
            row.is_some_and(|row| row.conversation_id.is_empty() && now < row.created_at + REOPENS);
        Ok(free.then_some(number))
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
        ticket_event::move_to(&mut transaction, from.as_str(), into.as_str()).await?;
        set(&mut source, Status::Closed, now);
        source.merged_into = Some(into.to_string());
        let happened = |text| Happened {
            what: Happening::Merged,
            agent: agent.id,
            text,
        };
        let tickets = self.tickets();
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

    /// Opens a ticket for somebody who stands at the counter or calls; its number, and the address at which they can go on.
    pub async fn open_for(
        &self,
        agent: Agent<'_>,
        visit: &Visit<'_>,
    ) -> sqlx::Result<(TicketNumber, String)> {
        let now = self.clock.now();
        let (title, text) = (redact(visit.title), redact(visit.text));
        let department = redact(visit.department);
        let new = NewTicket {
            channel: if visit.by_phone { "phone" } else { "counter" },
            queue: visit.queue.as_str(),
            topic: OFFICER,
            title: &title,
            department: (!department.is_empty()).then_some(department.as_str()),
            name: Some(visit.name),
            ..NewTicket::default()
        };
        let mut transaction = self.store.begin().await?;
        let tickets = self.tickets();
        let number = tickets.open(&mut transaction, new, now).await?;
        let found = ticket::by_number(&mut transaction, number.as_str()).await?;
        if let Some(mut row) = found {
            row.priority = visit.priority.to_owned();
            row.unread_at = None;
            acknowledge(&mut row, now);
            let happened = Happened {
                what: Happening::Note,
                agent: agent.id,
                text: &text,
            };
            tickets
                .save(&mut transaction, &mut row, happened, now)
                .await?;
        }
        transaction.commit().await?;
        self.post.ring();
        self.hub.signal(DESK, Signal::Written);
        Ok((number.clone(), self.identity.claim_url(number.as_str())))
    }
}

/// Somebody who came or called.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// Whether they called.
    pub by_phone: bool,
    /// The name that they gave.
    pub name: &'a str,
    /// The department or company.
    pub department: &'a str,
    /// Whose work it is.
    pub queue: Queue,
    /// How urgent it is.
    pub priority: &'a str,
    /// What it is about.
    pub title: &'a str,
    /// What they say.
    pub text: &'a str,
}

/// Somebody has taken it up.
fn acknowledge(row: &mut TicketRow, now: Millis) {
    row.acknowledged_at.get_or_insert(now);
    row.live_at = None;
}

fn set(row: &mut TicketRow, status: Status, now: Millis) {
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
