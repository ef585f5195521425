//! Lists of tickets, narrowed and searched. There is one statement for each way to find them, so that a database whose
//! plan does not see the values still begins where little is to be read.

use sqlx::query_as;

use super::Connection;
use super::ticket::{TicketRow, columns};
use crate::clock::Millis;

/// A word that so many tickets have does not find them: they are read from the latest on until a page is full.
pub const COMMON: i64 = 20_000;

/// What a list of tickets is narrowed to; `None` narrows nothing.
#[derive(Clone, Debug, Default)]
pub struct TicketFilter {
    /// Of this queue.
    pub queue: Option<String>,
    /// In this status; `active` stands for open and pending.
    pub status: Option<String>,
    /// Of this agent.
    pub assignee: Option<String>,
    /// Of nobody.
    pub unassigned: bool,
    /// To be answered before this moment.
    pub due_before: Option<Millis>,
    /// That came this way.
    pub channel: Option<String>,
    /// Changed before this one, by its time and number: the place where the page before ended.
    pub before: Option<(Millis, String)>,
    /// Whose person waits in the chat now.
    pub waiting: bool,
    /// That have all these words, three at most: each as it stands in titles, and as names have it. The rarest first.
    pub words: Vec<(String, String)>,
    /// Whether the first word is [`COMMON`].
    pub common: bool,
    /// In whose chats, or in whose notes, all these were written: three different ones at most, as they are stored.
    pub said: Vec<String>,
}

/// That a ticket has a word, in its title or as a name has it; where none is asked for, that it is a ticket.
macro_rules! has {
    ($word:literal, $name:literal) => {
        concat!(
            "(",
            $word,
            " IS NULL OR EXISTS (SELECT 1 FROM ticket_word w
                                 WHERE w.number = ticket.number AND w.word IN (",
            $word,
            ", ",
            $name,
            ")))"
        )
    };
}

/// A list that begins with the tickets that the first condition finds.
macro_rules! listed {
    ($($which:expr),+) => {
        columns!(
            "WHERE ",
            $($which),+,
            " AND ($1 IS NULL OR queue = $1)
              AND ($2 IS NULL OR status = $2)
              AND ($3 = 0 OR status IN ('open', 'pending'))
              AND ($4 IS NULL OR assignee = $4)
              AND ($5 = 0 OR assignee IS NULL)
              AND ($6 IS NULL OR answer_by < $6)
              AND ($7 IS NULL OR channel = $7)
              AND ($8 IS NULL OR updated_at < $8 OR (updated_at = $8 AND number < $9))
              AND ($10 = 0 OR live_at IS NOT NULL)
              AND ",
            has!("$13", "$14"),
            " AND ",
            has!("$15", "$16"),
            " ORDER BY updated_at DESC, number DESC LIMIT $20"
        )
    };
}

const ALL: &str = listed!(has!("$11", "$12"));
const ACTIVE: &str = listed!("status IN ('open', 'pending') AND ", has!("$11", "$12"));
const WITH_WORD: &str =
    listed!("number IN (SELECT w.number FROM ticket_word w WHERE w.word IN ($11, $12))");
const SAID: &str = listed!(
    "(number IN (SELECT w.number FROM ticket_word w WHERE w.word IN ($21, $22, $23)
                 GROUP BY w.number HAVING COUNT(*) = $24)
      OR conversation_id IN
         (SELECT c.conversation_id FROM chat_word c
          WHERE c.words LIKE $17 OR ($18 IS NOT NULL AND c.words LIKE $18)
             OR ($19 IS NOT NULL AND c.words LIKE $19)
          GROUP BY c.conversation_id
          HAVING MAX(CASE WHEN c.words LIKE $17 THEN 1 ELSE 0 END) = 1
             AND ($18 IS NULL OR MAX(CASE WHEN c.words LIKE $18 THEN 1 ELSE 0 END) = 1)
             AND ($19 IS NULL OR MAX(CASE WHEN c.words LIKE $19 THEN 1 ELSE 0 END) = 1)))"
);

/// Tickets as the filter says, the latest change first.
pub async fn list(
    connection: &mut Connection,
    filter: &TicketFilter,
    limit: i64,
) -> sqlx::Result<Vec<TicketRow>> {
    let (before_at, before_number) = filter.before.clone().unzip();
    let active = filter.status.as_deref() == Some("active");
    let status = filter.status.as_deref().filter(|_| !active);
    let word = |place: usize| filter.words.get(place).cloned().unzip();
    let (first, first_name) = word(0);
    let (second, second_name) = word(1);
    let (third, third_name) = word(2);
    let said = |place: usize| filter.said.get(place).map(|mark| format!("%{mark}%"));
    let statement = if !filter.said.is_empty() {
        SAID
    } else if active || matches!(status, Some("open" | "pending")) {
        ACTIVE
    } else if !filter.words.is_empty() && !filter.common {
        WITH_WORD
    } else {
        ALL
    };
    let query = query_as(statement)
        .bind(&filter.queue)
        .bind(status)
        .bind(i64::from(active))
        .bind(&filter.assignee)
        .bind(i64::from(filter.unassigned))
        .bind(filter.due_before)
        .bind(&filter.channel)
        .bind(before_at)
        .bind(before_number)
        .bind(i64::from(filter.waiting))
        .bind(first)
        .bind(first_name)
        .bind(second)
        .bind(second_name)
        .bind(third)
        .bind(third_name)
        .bind(said(0))
        .bind(said(1))
        .bind(said(2))
        .bind(limit);
    let query = match filter.said.is_empty() {
        true => query,
        false => query
            .bind(filter.said.first())
            .bind(filter.said.get(1))
            .bind(filter.said.get(2))
            .bind(filter.said.len() as i64),
    };
    query.fetch_all(connection).await
}
