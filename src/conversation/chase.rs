//! Tickets that nobody looks after: the person is told, and the supervisor; and tickets that are over.

use super::Engine;
use super::deed::Changes;
use super::desk::REOPENS;
use super::hub::Signal;
use super::message::{Kind, Reply, Sender};
use crate::clock::Millis;
use crate::knowledge::messages::fill;
use crate::knowledge::text::Language;
use crate::storage::Connection;
use crate::storage::conversation;
use crate::storage::ticket::{self, TicketRow};
use crate::ticket::{Happened, Happening, note};

/// An officer who has done nothing in the console for this long has left it, in milliseconds.
const ABSENT: Millis = 20 * 60_000;

impl Engine {
    /// Tells one person, and the supervisor, that nobody has taken their ticket yet; false if there was nobody to tell.
    pub async fn tell_untaken(&self, waited: Millis) -> sqlx::Result<bool> {
        let now = self.clock.now();
        // Out of hours nobody was to be expected; where the hours are not stated, nobody knows.
        if self.knowledge.current().calendar().is_open(now) == Some(false) {
            return Ok(false);
        }
        let mut transaction = self.store.begin().await?;
        let found = ticket::untaken(&mut transaction, now - waited).await?;
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
        if !ticket::mark_untaken(&mut transaction, &row.number, now).await? {
            transaction.rollback().await?;
            return Ok(false);
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

    /// Hands back one chat whose officer has left the console, so that its person is heard again; false if there was none.
    pub async fn hand_back_abandoned(&self) -> sqlx::Result<bool> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let found = conversation::abandoned(&mut transaction, now - ABSENT).await?;
        let Some(chat) = found else {
            return Ok(false);
        };
        let knowledge = self.knowledge.current();
        let language = Language::parse(&chat.language).unwrap_or_default();
        let text = knowledge.messages().officer_left.get(language).clone();
        let changes = Changes {
            says: Some((Sender::Bot, Reply::text(text).kind(Kind::Notice))),
            holder: Some(None),
            ..Changes::default()
        };
        if !self.write(&mut transaction, &chat, &changes, now).await? {
            // Somebody writes just now: next time.
            transaction.rollback().await?;
            return Ok(false);
        }
        let tickets = ticket::of_conversation(&mut transaction, &chat.id).await?;
        let active = |ticket: &&TicketRow| matches!(ticket.status.as_str(), "open" | "pending");
        if let Some(ticket) = tickets.iter().find(active) {
            let happened = Happened {
                what: Happening::HandedBack,
                agent: "",
                text: "",
            };
            note(&mut transaction, &ticket.number, happened, now).await?;
        }
        let news = self.news_of(&chat.id, Signal::Written);
        self.store.announce(&mut transaction, &news).await?;
        transaction.commit().await?;
        self.bells.outbound.ring();
        self.hub.signal(&chat.id, Signal::Written);
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
}
