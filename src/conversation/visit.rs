//! Somebody at the counter or on the telephone: an officer opens a ticket for them, with which they go on in a chat.

use uuid::Uuid;

use super::Engine;
use super::deed::acknowledge;
use super::desk::Agent;
use super::handoff::OFFICER;
use super::hub::{DESK, Signal};
use crate::redact::redact;
use crate::storage::ticket;
use crate::ticket::{Happened, Happening, NewTicket, Queue, TicketNumber};

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
    /// The number of the form that it was typed into: sent twice, it opens one ticket.
    pub once: Option<Uuid>,
}

impl Engine {
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
        if let Some(once) = visit.once {
            let (by, what) = ((agent.id, once), (title.as_str(), number.as_str()));
            let before = self.taken_before(&mut transaction, by, what, now).await?;
            if let Some(before) = before.and_then(|number| TicketNumber::parse(&number)) {
                // This one was never there, and its number is free again.
                transaction.rollback().await?;
                let address = self.identity.claim_url(before.as_str());
                return Ok((before, address));
            }
        }
        transaction.commit().await?;
        self.post.ring();
        self.hub.signal(DESK, Signal::Written);
        Ok((number.clone(), self.identity.claim_url(number.as_str())))
    }
}
