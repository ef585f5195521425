//! Counts and times over a span of time, for the supervisor. No text of a person is read.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A span of time: from the first moment to before the second.
pub type Span = (Millis, Millis);

/// How many there are of something.
#[derive(Clone, Debug, FromRow)]
pub struct CountRow {
    /// What is counted.
    pub name: String,
    /// How many there are.
    pub count: i64,
}

/// Questions of persons, by what came of them.
pub async fn questions_by_outcome(
    connection: &mut Connection,
    (from, to): Span,
) -> sqlx::Result<Vec<CountRow>> {
    sqlx::query_as(
        "SELECT outcome AS name, COUNT(*) AS count FROM message
         WHERE sender = 'user' AND outcome IS NOT NULL AND created_at >= $1 AND created_at < $2
         GROUP BY outcome ORDER BY COUNT(*) DESC",
    )
    .bind(from)
    .bind(to)
    .fetch_all(connection)
    .await
}

/// Questions of persons that were answered, by what they were about, the most frequent first, 15 at most.
pub async fn questions_by_target(
    connection: &mut Connection,
    (from, to): Span,
) -> sqlx::Result<Vec<CountRow>> {
    sqlx::query_as(
        "SELECT target AS name, COUNT(*) AS count FROM message
         WHERE sender = 'user' AND outcome = 'answer' AND target IS NOT NULL
           AND created_at >= $1 AND created_at < $2
         GROUP BY target ORDER BY COUNT(*) DESC, target LIMIT 15",
    )
    .bind(from)
    .bind(to)
    .fetch_all(connection)
    .await
}

/// Messages of persons, by the channel.
pub async fn messages_by_channel(
    connection: &mut Connection,
    (from, to): Span,
) -> sqlx::Result<Vec<CountRow>> {
    sqlx::query_as(
        "SELECT c.channel AS name, COUNT(*) AS count FROM message m
         JOIN conversation c ON c.id = m.conversation_id
         WHERE m.sender = 'user' AND m.created_at >= $1 AND m.created_at < $2
         GROUP BY c.channel ORDER BY COUNT(*) DESC",
    )
    .bind(from)
    .bind(to)
    .fetch_all(connection)
    .await
}

/// Questions of one day, in days of Kelantan (UTC+8) since 1970.
#[derive(Clone, Debug, FromRow)]
pub struct DayRow {
    /// The day.
    pub day: i64,
    /// Questions.
    pub questions: i64,
    /// Of them, those that were answered.
    pub answered: i64,
}

/// Questions by day.
pub async fn questions_by_day(
    connection: &mut Connection,
    (from, to): Span,
) -> sqlx::Result<Vec<DayRow>> {
    sqlx::query_as(
        "SELECT CAST((created_at + 28800000) / 86400000 AS BIGINT) AS day, COUNT(*) AS questions,
                COUNT(CASE WHEN outcome = 'answer' THEN 1 END) AS answered
         FROM message
         WHERE sender = 'user' AND outcome IS NOT NULL AND created_at >= $1 AND created_at < $2
         GROUP BY CAST((created_at + 28800000) / 86400000 AS BIGINT) ORDER BY 1",
    )
    .bind(from)
    .bind(to)
    .fetch_all(connection)
    .await
}

/// Tickets of a span, by queue, with their times in milliseconds.
#[derive(Clone, Debug, Default, FromRow)]
pub struct TicketTimes {
    /// Whose work they were.
    pub queue: String,
    /// How many were opened.
    pub opened: i64,
    /// How many of them were acknowledged, and how many of those in time.
    pub acknowledged: i64,
    /// In time.
    pub acknowledged_in_time: i64,
    /// How many were answered.
    pub answered: i64,
    /// How many of those in time.
    pub answered_in_time: i64,
    /// How many are settled.
    pub resolved: i64,
    /// The waits until somebody took them up, added up.
    pub waited: i64,
    /// The times until they were settled, added up.
    pub took: i64,
}

/// Tickets that were opened in a span, by queue.
pub async fn tickets(
    connection: &mut Connection,
    (from, to): Span,
) -> sqlx::Result<Vec<TicketTimes>> {
    sqlx::query_as(
        "SELECT queue, COUNT(*) AS opened, COUNT(acknowledged_at) AS acknowledged,
                COUNT(CASE WHEN acknowledged_at <= acknowledge_by THEN 1 END) AS acknowledged_in_time,
                COUNT(answered_at) AS answered,
                COUNT(CASE WHEN answered_at <= answer_by THEN 1 END) AS answered_in_time,
                COUNT(resolved_at) AS resolved,
                CAST(COALESCE(SUM(acknowledged_at - created_at), 0) AS BIGINT) AS waited,
                CAST(COALESCE(SUM(resolved_at - created_at), 0) AS BIGINT) AS took
         FROM ticket WHERE created_at >= $1 AND created_at < $2 AND merged_into IS NULL
         GROUP BY queue ORDER BY queue",
    )
    .bind(from)
    .bind(to)
    .fetch_all(connection)
    .await
}

/// Conversations in which a ticket was opened in a span.
pub async fn conversations_with_ticket(
    connection: &mut Connection,
    (from, to): Span,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT COUNT(DISTINCT conversation_id) FROM ticket
         WHERE created_at >= $1 AND created_at < $2 AND conversation_id <> ''",
    )
    .bind(from)
    .bind(to)
    .fetch_one(connection)
    .await
}

/// Conversations in which somebody asked something in a span.
pub async fn conversations(connection: &mut Connection, (from, to): Span) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT COUNT(DISTINCT conversation_id) FROM message
         WHERE sender = 'user' AND created_at >= $1 AND created_at < $2",
    )
    .bind(from)
    .bind(to)
    .fetch_one(connection)
    .await
}

/// Votes of a span.
pub async fn votes(connection: &mut Connection, (from, to): Span) -> sqlx::Result<Vec<CountRow>> {
    sqlx::query_as(
        "SELECT vote AS name, COUNT(*) AS count FROM feedback
         WHERE created_at >= $1 AND created_at < $2 GROUP BY vote",
    )
    .bind(from)
    .bind(to)
    .fetch_all(connection)
    .await
}
