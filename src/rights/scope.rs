//! What belongs to a person. In a chat in which one after another proved who they are, each message belongs to whoever was
//! proved last before it; what was written before the first proof belongs to the first.

use crate::clock::Millis;
use crate::storage::data_request::DataRequestRow;
use crate::storage::ticket::TicketRow;
use crate::storage::{Connection, hold, subject, ticket};

/// A span of time: from the first moment to before the second.
pub(super) type Span = (Millis, Millis);

/// A chat, as far as it is the person's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The conversation.
    pub id: String,
    /// When it was the person's, in order.
    pub spans: Vec<Span>,
    /// Whether it was nobody else's.
    pub whole: bool,
}

impl Part {
    /// Whether a moment is the person's.
    pub fn holds(&self, at: Millis) -> bool {
        self.spans
            .iter()
            .any(|(from, to)| (*from..*to).contains(&at))
    }

    /// Whether it is the person's now.
    pub fn goes_on(&self) -> bool {
        self.spans.last().is_some_and(|(_, to)| *to == Millis::MAX)
    }
}

/// Everything that belongs to a person.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// The keyed hash of the number; empty where only a ticket is known.
    pub subject: String,
    /// The chats.
    pub chats: Vec<Part>,
    /// The tickets.
    pub tickets: Vec<TicketRow>,
}

impl Scope {
    /// What a request is about.
    pub async fn of(connection: &mut Connection, row: &DataRequestRow) -> sqlx::Result<Self> {
        if row.subject.is_empty() {
            return Self::of_ticket(connection, &row.number).await;
        }
        Self::of_subject(connection, &row.subject).await
    }

    async fn of_subject(connection: &mut Connection, who: &str) -> sqlx::Result<Self> {
        let mut scope = Self {
            subject: who.to_owned(),
            ..Self::default()
        };
        for id in subject::conversations(connection, who).await? {
            let proved = subject::proved_in(connection, &id).await?;
            let part = part(id, &proved, who);
            if part.spans.is_empty() {
                continue;
            }
            let within = subject::tickets_within(connection, &part.id).await?;
            let own = |row: &TicketRow| row.requester.is_none() && part.holds(row.created_at);
            scope.tickets.extend(within.into_iter().filter(own));
            scope.chats.push(part);
        }
        let own = |row: &TicketRow| row.requester.as_deref().is_none_or(|other| other == who);
        let about = subject::tickets_about(connection, who).await?;
        scope.tickets.extend(about.into_iter().filter(own));
        scope
            .tickets
            .extend(subject::tickets(connection, who).await?);
        scope
            .tickets
            .sort_by(|one, other| one.number.cmp(&other.number));
        scope
            .tickets
            .dedup_by(|one, other| one.number == other.number);
        Ok(scope)
    }

    /// Where nobody was proved: the ticket, and the chat that it comes from.
    async fn of_ticket(connection: &mut Connection, number: &str) -> sqlx::Result<Self> {
        let Some(row) = ticket::by_number(connection, number).await? else {
            return Ok(Self::default());
        };
        let id = row.conversation_id.clone();
        let mut scope = Self {
            tickets: vec![row],
            ..Self::default()
        };
        if id.is_empty() || !subject::proved_in(connection, &id).await?.is_empty() {
            return Ok(scope);
        }
        let others = subject::tickets_within(connection, &id).await?;
        let own = |row: &TicketRow| row.requester.is_none() && row.number != number;
        scope.tickets.extend(others.into_iter().filter(own));
        // The ticket that leads to the rest goes last.
        scope.tickets.rotate_left(1);
        scope.chats.push(Part {
            id,
            spans: vec![(0, Millis::MAX)],
            whole: true,
        });
        Ok(scope)
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.chats.is_empty() && self.tickets.is_empty()
    }

    /// Whether a hold keeps any of it.
    pub async fn is_held(&self, connection: &mut Connection) -> sqlx::Result<bool> {
        if hold::covers(connection, "subject", &self.subject).await? {
            return Ok(true);
        }
        for part in &self.chats {
            if hold::covers(connection, "conversation", &part.id).await? {
                return Ok(true);
            }
        }
        for row in &self.tickets {
            if hold::covers(connection, "ticket", &row.number).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whose a ticket is: whoever was proved on it, or in its chat when it was opened.
pub(super) async fn whose(
    connection: &mut Connection,
    row: &TicketRow,
) -> sqlx::Result<Option<String>> {
    if row.requester.is_some() || row.conversation_id.is_empty() {
        return Ok(row.requester.clone());
    }
    let proved = subject::proved_in(connection, &row.conversation_id).await?;
    let before = proved.iter().rev().find(|(at, _)| *at <= row.created_at);
    let owner = before.or(proved.first());
    Ok(owner.map(|(_, who)| who.clone()))
}

/// What of a conversation is somebody's, by who was proved in it and when.
fn part(id: String, proved: &[(Millis, String)], who: &str) -> Part {
    if proved.is_empty() {
        return Part {
            id,
            spans: vec![(0, Millis::MAX)],
            whole: true,
        };
    }
    let begins = std::iter::once(0).chain(proved.iter().skip(1).map(|(at, _)| *at));
    let ends = proved.iter().skip(1).map(|(at, _)| *at);
    let ends = ends.chain(std::iter::once(Millis::MAX));
    let spans = begins.zip(ends).zip(proved);
    let own = spans.filter(|(_, (_, proved))| proved == who);
    Part {
        id,
        spans: own.map(|(span, _)| span).collect(),
        whole: proved.iter().all(|(_, proved)| proved == who),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(proved: &[(Millis, &str)], who: &str) -> (Vec<Span>, bool) {
        let proved: Vec<(Millis, String)> = proved
            .iter()
            .map(|(at, who)| (*at, (*who).to_owned()))
            .collect();
        let part = part("c".to_owned(), &proved, who);
        (part.spans, part.whole)
    }

    #[test]
    fn each_message_belongs_to_whoever_was_proved_last_before_it() {
        let shared = [(10, "a"), (20, "b"), (30, "a")];
        let (own, whole) = spans(&shared, "a");
        assert_eq!(own, [(0, 20), (30, Millis::MAX)]);
        assert!(!whole);
        assert_eq!(spans(&shared, "b"), (vec![(20, 30)], false));
        assert_eq!(spans(&shared, "c"), (vec![], false));
    }

    #[test]
    fn a_chat_of_one_person_is_theirs_from_its_beginning() {
        let (own, whole) = spans(&[(10, "a"), (20, "a")], "a");
        assert_eq!(own, [(0, 20), (20, Millis::MAX)]);
        assert!(whole);
        assert_eq!(spans(&[], "a"), (vec![(0, Millis::MAX)], true));
    }
}
