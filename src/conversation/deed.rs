//! What an officer's act changes: decided from the ticket, its chat and who does it, without the database.

use super::desk::{Act, Agent, DeskError};
use super::message::{Body, Kind, Reply, Sender};
use crate::clock::Millis;
use crate::knowledge::Knowledge;
use crate::knowledge::messages::{Messages, fill};
use crate::knowledge::text::{Language, Localised};
use crate::redact::redact;
use crate::storage::conversation::ConversationRow;
use crate::storage::ticket::TicketRow;
use crate::ticket::{Happening, Status};

/// One of the bot's own sentences.
type Pick = fn(&Messages) -> &Localised<String>;

/// What an act changes besides the ticket.
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

/// An act on a ticket that is being decided.
pub(super) struct Deed<'a, 't> {
    agent: Agent<'a>,
    row: &'t mut TicketRow,
    chat: Option<&'t ConversationRow>,
    knowledge: &'t Knowledge,
    now: Millis,
    changes: Changes<'a>,
}

impl<'a, 't> Deed<'a, 't> {
    /// Nothing is done yet.
    pub fn of(
        agent: Agent<'a>,
        row: &'t mut TicketRow,
        chat: Option<&'t ConversationRow>,
        knowledge: &'t Knowledge,
        now: Millis,
    ) -> Self {
        Self {
            agent,
            row,
            chat,
            knowledge,
            now,
            changes: Changes::default(),
        }
    }

    /// Does it to the ticket, and tells what else changes.
    pub fn done(mut self, act: Act<'_>) -> Result<Changes<'a>, DeskError> {
        match act {
            Act::Take => self.take()?,
            Act::HandBack => self.hand_back()?,
            Act::Reply { text, settles } => self.reply(text, settles)?,
            Act::Note(text) => self.note(Happening::Note, redact(text.trim())),
            Act::Assign(to) => self.assign(to),
            Act::Move(queue) => {
                self.note(Happening::Moved, queue.to_owned());
                self.row.queue = queue.to_owned();
                self.row.assignee = None;
            }
            Act::Prioritise(priority) => {
                self.note(Happening::Prioritised, priority.to_owned());
                self.row.priority = priority.to_owned();
            }
            Act::Set(status) => self.put(status)?,
            Act::Link(entry) => {
                self.note(Happening::Linked, entry.to_owned());
                self.row.entry = Some(entry.to_owned());
            }
        }
        // Whoever does something has looked.
        self.row.unread_at = None;
        Ok(self.changes)
    }

    fn take(&mut self) -> Result<(), DeskError> {
        let chat = self.chat.ok_or(DeskError::NoChat)?;
        self.guard(false)?;
        self.note(Happening::Taken, String::new());
        if chat.holder.is_none() {
            self.tell(|m| &m.officer_joined, "open");
        }
        self.changes.holder = Some(Some(self.agent.id));
        self.row.assignee = Some(self.agent.id.to_owned());
        acknowledge(self.row, self.now);
        Ok(())
    }

    fn hand_back(&mut self) -> Result<(), DeskError> {
        self.guard(self.agent.supervises)?;
        self.note(Happening::HandedBack, String::new());
        if self.holder().is_some() {
            let status = self.row.status.clone();
            self.tell(|m| &m.officer_left, &status);
            self.changes.holder = Some(None);
        }
        Ok(())
    }

    fn reply(&mut self, text: &str, settles: bool) -> Result<(), DeskError> {
        self.guard(false)?;
        let (what, status) = if settles {
            (Happening::Resolved, Status::Resolved)
        } else {
            (Happening::Replied, Status::Pending)
        };
        self.note(what, redact(text.trim()));
        if self.chat.is_some() {
            let body = Body {
                text: self.changes.text.clone(),
                name: Some(self.agent.name.to_owned()),
                ..Body::default()
            };
            let reply = Reply { body, target: None };
            let reply = reply.ticket(&self.row.number, status.as_str());
            self.changes.says = Some((Sender::Officer, reply));
        }
        if settles {
            self.let_go();
        }
        let agent = self.agent.id;
        self.row.assignee.get_or_insert_with(|| agent.to_owned());
        acknowledge(self.row, self.now);
        self.row.answered_at.get_or_insert(self.now);
        set(self.row, status, self.now);
        self.changes.mails = true;
        Ok(())
    }

    fn assign(&mut self, to: Option<&str>) {
        self.note(Happening::Assigned, to.unwrap_or_default().to_owned());
        self.row.assignee = to.map(str::to_owned);
        if to == Some(self.agent.id) {
            acknowledge(self.row, self.now);
        }
    }

    fn put(&mut self, status: Status) -> Result<(), DeskError> {
        self.guard(self.agent.supervises)?;
        let what = match status {
            Status::Open => Happening::Reopened,
            Status::Pending => Happening::Pending,
            Status::Resolved => Happening::Resolved,
            Status::Closed => Happening::Closed,
        };
        self.note(what, String::new());
        if !status.is_active() {
            if self.chat.is_some() && self.row.status != status.as_str() {
                let pick: Pick = match status {
                    Status::Closed => |m| &m.ticket_was_closed,
                    Status::Open | Status::Pending | Status::Resolved => |m| &m.ticket_was_resolved,
                };
                self.tell(pick, status.as_str());
            }
            self.let_go();
        }
        acknowledge(self.row, self.now);
        set(self.row, status, self.now);
        Ok(())
    }

    fn holder(&self) -> Option<&str> {
        self.chat.and_then(|chat| chat.holder.as_deref())
    }

    /// A chat that another officer holds is left alone, except by whoever may take it from them.
    fn guard(&self, may_take: bool) -> Result<(), DeskError> {
        let others = self.holder().is_some_and(|holder| holder != self.agent.id);
        if others && !may_take {
            return Err(DeskError::Held);
        }
        Ok(())
    }

    fn note(&mut self, what: Happening, text: String) {
        self.changes.what = Some(what);
        self.changes.text = text;
    }

    /// The bot says one of its sentences about the ticket.
    fn tell(&mut self, pick: Pick, status: &str) {
        let language = self.chat.and_then(|chat| Language::parse(&chat.language));
        let values = [
            ("number", self.row.number.as_str()),
            ("name", self.agent.name),
        ];
        let sentence = pick(self.knowledge.messages());
        let text = fill(sentence, language.unwrap_or_default(), &values);
        let reply = Reply::text(text).kind(Kind::Notice);
        self.changes.says = Some((Sender::Bot, reply.ticket(&self.row.number, status)));
    }

    /// Nobody holds the chat any more.
    fn let_go(&mut self) {
        if self.holder().is_some() {
            self.changes.holder = Some(None);
        }
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
