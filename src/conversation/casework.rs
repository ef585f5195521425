//! What a person's turn does to their tickets, and what they are told of them.

use super::deed::set;
use super::desk::REOPENS;
use super::handoff::{Desk, DeskTicket, Handoff, Hours, OFFICER, TicketEffect};
use super::message::{Channel, Kind, Reply, Sender};
use super::personal::Ahead;
use super::picture::PictureRoom;
use super::report::{Report, Told};
use super::turn::Decision;
use super::{Engine, EngineError, TRIES};
use crate::clock::{Millis, shown, shown_day};
use crate::identity::limits::{self, DAY, Window};
use crate::knowledge::messages::fill;
use crate::knowledge::text::Language;
use crate::mail::letters::topic_label;
use crate::storage::Connection;
use crate::storage::conversation::{self, ConversationRow};
use crate::storage::message as transcript;
use crate::storage::ticket::{self, TicketRow};
use crate::ticket::{Happened, Happening, NewTicket, Status, TicketNumber};

/// What replies about a ticket's status are about.
const STATUS: &str = "action:status-aduan";
/// Tickets that one chat opens in a day, at most.
const MOST: usize = 5;
/// Characters of a title that are shown in a status.
const SHOWN: usize = 60;

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
                pending: ticket.status == "pending",
            }),
            ticketed: !tickets.is_empty(),
            full: tickets
                .iter()
                .filter(|ticket| now < ticket.created_at + DAY)
                .count()
                >= MOST,
            pictures: PictureRoom::default(),
            hours: self.hours(now),
        })
    }

    /// Notes that the person's chat is open somewhere.
    pub async fn see(&self, id: &str) -> sqlx::Result<()> {
        let now = self.clock.now();
        conversation::see(&mut *self.store.connection().await?, id, now).await
    }

    /// Offers an officer to whom an answer did not help, once for each answer, and not while one is at it.
    pub(super) async fn offer_officer(&self, id: &str, seq: i64) -> Result<(), EngineError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let row = conversation::by_id(&mut transaction, id).await?;
        let Some(row) = row else {
            return Ok(());
        };
        let answered = transcript::by_seq(&mut transaction, id, seq).await?;
        let of_the_bot = answered.is_some_and(|message| {
            message.sender == Sender::Bot.as_str() && message.target.as_deref() != Some(OFFICER)
        });
        let desk = self.desk(&mut transaction, &row).await?;
        let busy = desk.held || desk.ticket.is_some_and(|ticket| !ticket.settled);
        let window = [Window {
            within: DAY,
            most: 1,
        }];
        let key = format!("unhelpful {id} {seq}");
        let offered = of_the_bot && !busy && row.channel != Channel::Terminal.as_str();
        let offers = offered && limits::take(&mut transaction, &key, &window, now).await?;
        transaction.commit().await?;
        if offers {
            let report = Report {
                told: Some(Told::OfficerOffered),
                ..Report::default()
            };
            self.tell(id, &report).await?;
        }
        Ok(())
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
            TicketEffect::Picture(number) => (number, Happening::Pictured),
            TicketEffect::Reopen(number) => (number, Happening::Reopened),
            TicketEffect::Cancel(number) => (number, Happening::Cancelled),
            TicketEffect::Settle(number) => (number, Happening::Resolved),
            TicketEffect::Claim(number) => (number, Happening::Claimed),
        };
        // The conversation is held, the ticket is not: an officer may change it in between.
        for _ in 0..TRIES {
            if self.change(connection, row, number, what, now).await? {
                break;
            }
        }
        Ok(None)
    }

    /// Changes a ticket by what its person did; false if an officer changed it in between.
    async fn change(
        &self,
        connection: &mut Connection,
        row: &ConversationRow,
        number: &str,
        what: Happening,
        now: Millis,
    ) -> sqlx::Result<bool> {
        let found = ticket::by_number(connection, number).await?;
        let own = |ticket: &TicketRow| match what {
            Happening::Claimed => ticket.conversation_id.is_empty(),
            _ => ticket.conversation_id == row.id,
        };
        let Some(mut ticket) = found.filter(own) else {
            return Ok(true);
        };
        let over = ticket.merged_into.is_some() || ticket.status == "closed";
        if over && what != Happening::Claimed {
            return Ok(true);
        }
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
        let saved = tickets.save(connection, &mut ticket, happened, now).await?;
        if saved && was_read && ticket.unread_at.is_some() {
            tickets.mail_queue(connection, &ticket, now).await?;
        }
        Ok(saved)
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
}
