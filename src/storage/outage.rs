//! Times in which a system did not work, and who is told of their end.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A time in which a system did not work.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct OutageRow {
    /// UUIDv7.
    pub id: String,
    /// `sistem` or `portal`.
    pub system: String,
    /// `down` or `maintenance`.
    pub state: String,
    /// What there is to know, for people.
    pub note: String,
    /// Whose word it is: `status`, `probe` or `helpdesk`.
    pub word: String,
    /// When it began, in Unix milliseconds.
    pub began_at: Millis,
    /// When it last held.
    pub seen_at: Millis,
    /// When it ended.
    pub ended_at: Option<Millis>,
}

/// Those that last.
pub async fn open(connection: &mut Connection) -> sqlx::Result<Vec<OutageRow>> {
    sqlx::query_as(
        "SELECT id, system, state, note, word, began_at, seen_at, ended_at
         FROM outage WHERE ended_at IS NULL ORDER BY system",
    )
    .fetch_all(connection)
    .await
}

/// When the latest one of a system ended.
pub async fn last_ended(connection: &mut Connection, system: &str) -> sqlx::Result<Option<Millis>> {
    sqlx::query_scalar("SELECT CAST(MAX(ended_at) AS BIGINT) FROM outage WHERE system = $1")
        .bind(system)
        .fetch_one(connection)
        .await
}

/// Ends all that last; how many.
pub async fn end_all(connection: &mut Connection, at: Millis) -> sqlx::Result<u64> {
    let result = sqlx::query("UPDATE outage SET ended_at = $1 WHERE ended_at IS NULL")
        .bind(at)
        .execute(connection)
        .await?;
    Ok(result.rows_affected())
}

/// Settles all wishes to be told: nobody is; how many.
pub async fn skip_all(connection: &mut Connection, at: Millis) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "UPDATE outage_subscription SET settled_at = $1, outcome = 'skipped' WHERE settled_at IS NULL",
    )
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

/// A new one, unless one lasts for this system; tells whether it was made.
pub async fn insert(connection: &mut Connection, row: &OutageRow) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "INSERT INTO outage (id, system, state, note, word, began_at, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(&row.id)
    .bind(&row.system)
    .bind(&row.state)
    .bind(&row.note)
    .bind(&row.word)
    .bind(row.began_at)
    .bind(row.seen_at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Notes how one that lasts is now.
pub async fn update(connection: &mut Connection, row: &OutageRow) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE outage SET state = $2, note = $3, word = $4, seen_at = $5
         WHERE id = $1 AND ended_at IS NULL",
    )
    .bind(&row.id)
    .bind(&row.state)
    .bind(&row.note)
    .bind(&row.word)
    .bind(row.seen_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends one; tells whether it lasted until now.
pub async fn end(connection: &mut Connection, id: &str, at: Millis) -> sqlx::Result<bool> {
    let result = sqlx::query("UPDATE outage SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL")
        .bind(id)
        .bind(at)
        .execute(connection)
        .await?;
    Ok(result.rows_affected() == 1)
}

/// Has a chat told when an outage is over, if it is not.
pub async fn subscribe(
    connection: &mut Connection,
    id: &str,
    conversation_id: &str,
    now: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO outage_subscription (outage_id, conversation_id, created_at)
         VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(conversation_id)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// The outages that last of whose end a chat is told.
pub async fn wanted_by(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT outage_id FROM outage_subscription
         WHERE conversation_id = $1 AND settled_at IS NULL",
    )
    .bind(conversation_id)
    .fetch_all(connection)
    .await
}

/// Chats to be told that a system works again: the outage, the system, the chat.
pub async fn untold(
    connection: &mut Connection,
    limit: i64,
) -> sqlx::Result<Vec<(String, String, String)>> {
    sqlx::query_as(
        "SELECT s.outage_id, o.system, s.conversation_id
         FROM outage_subscription s JOIN outage o ON o.id = s.outage_id
         WHERE s.settled_at IS NULL AND o.ended_at IS NOT NULL
         ORDER BY o.ended_at, s.created_at, s.conversation_id LIMIT $1",
    )
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Settles one: `told`, or `skipped` where nobody hears it; tells whether nobody had.
pub async fn settle(
    connection: &mut Connection,
    (id, conversation_id): (&str, &str),
    outcome: &str,
    at: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE outage_subscription SET settled_at = $4, outcome = $3
         WHERE outage_id = $1 AND conversation_id = $2 AND settled_at IS NULL",
    )
    .bind(id)
    .bind(conversation_id)
    .bind(outcome)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Forgets what a chat wanted to be told.
pub async fn forget(connection: &mut Connection, conversation_id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM outage_subscription WHERE conversation_id = $1")
        .bind(conversation_id)
        .execute(connection)
        .await?;
    Ok(())
}
