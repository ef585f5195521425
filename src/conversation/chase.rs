//! Tickets that nobody looks after: the person is told, and the supervisor; and tickets that are over.

use super::Engine;
use super::desk::{Changes, REOPENS};
use super::hub::Signal;
use super::message::{Kind, Reply, Sender};
use crate::clock::Millis;
use crate::knowledge::messages::fill;
use crate::knowledge::text::Language;
use crate::storage::Connection;
use crate::storage::conversation;
use crate::storage::ticket::{self, TicketRow};
use crate::ticket::{Happened, Happening, note};

impl Engine {
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
}
