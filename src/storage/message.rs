//! The transcript.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A message as stored: redacted.
#[derive(Clone, Debug, Default, FromRow)]
pub struct MessageRow {
    /// Its number in the conversation, from 1.
    pub seq: i64,
    /// `user`, `bot` or `officer`.
    pub sender: String,
    /// The sender's own id, for messages of users.
    pub client_id: Option<String>,
    /// The message that this one answers.
    pub reply_to: Option<i64>,
    /// What it says, as JSON.
    pub body: String,
    /// What the router or a choice led to.
    pub target: Option<String>,
    /// The router's outcome, for messages that were routed.
    pub outcome: Option<String>,
    /// The router's confidence in parts per million.
    pub confidence_ppm: Option<i64>,
    /// When it was written, in Unix milliseconds.
    pub created_at: Millis,
}

/// How many messages a list returns at most; who wants more asks again.
pub const PAGE: i64 = 500;

/// A new message.
pub async fn insert(
    connection: &mut Connection,
    conversation_id: &str,
    row: &MessageRow,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO message
             (conversation_id, seq, sender, client_id, reply_to, body, target, outcome,
              confidence_ppm, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(conversation_id)
    .bind(row.seq)
    .bind(&row.sender)
    .bind(&row.client_id)
    .bind(row.reply_to)
    .bind(&row.body)
    .bind(&row.target)
    .bind(&row.outcome)
    .bind(row.confidence_ppm)
    .bind(row.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The messages after `seq`, in order, [`PAGE`] at most.
pub async fn after(
    connection: &mut Connection,
    conversation_id: &str,
    seq: i64,
) -> sqlx::Result<Vec<MessageRow>> {
    sqlx::query_as(
        "SELECT seq, sender, client_id, reply_to, body, target, outcome, confidence_ppm, created_at
         FROM message WHERE conversation_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
    )
    .bind(conversation_id)
    .bind(seq)
    .bind(PAGE)
    .fetch_all(connection)
    .await
}

/// The latest messages, in order, `limit` at most.
pub async fn latest(
    connection: &mut Connection,
    conversation_id: &str,
    limit: i64,
) -> sqlx::Result<Vec<MessageRow>> {
    let mut rows: Vec<MessageRow> = sqlx::query_as(
        "SELECT seq, sender, client_id, reply_to, body, target, outcome, confidence_ppm, created_at
         FROM message WHERE conversation_id = $1 ORDER BY seq DESC LIMIT $2",
    )
    .bind(conversation_id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.reverse();
    Ok(rows)
}

/// The number of the message that its sender calls `client_id`.
pub async fn seq_of(
    connection: &mut Connection,
    conversation_id: &str,
    client_id: &str,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("SELECT seq FROM message WHERE conversation_id = $1 AND client_id = $2")
        .bind(conversation_id)
        .bind(client_id)
        .fetch_optional(connection)
        .await
}

/// The answers to the message `seq`, in order.
pub async fn replies_to(
    connection: &mut Connection,
    conversation_id: &str,
    seq: i64,
) -> sqlx::Result<Vec<MessageRow>> {
    sqlx::query_as(
        "SELECT seq, sender, client_id, reply_to, body, target, outcome, confidence_ppm, created_at
         FROM message WHERE conversation_id = $1 AND reply_to = $2 ORDER BY seq",
    )
    .bind(conversation_id)
    .bind(seq)
    .fetch_all(connection)
    .await
}

/// The message `seq`.
pub async fn by_seq(
    connection: &mut Connection,
    conversation_id: &str,
    seq: i64,
) -> sqlx::Result<Option<MessageRow>> {
    sqlx::query_as(
        "SELECT seq, sender, client_id, reply_to, body, target, outcome, confidence_ppm, created_at
         FROM message WHERE conversation_id = $1 AND seq = $2",
    )
    .bind(conversation_id)
    .bind(seq)
    .fetch_optional(connection)
    .await
}

/// Who wrote the message `seq`; none if there is no such message.
pub async fn sender_of(
    connection: &mut Connection,
    conversation_id: &str,
    seq: i64,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT sender FROM message WHERE conversation_id = $1 AND seq = $2")
        .bind(conversation_id)
        .bind(seq)
        .fetch_optional(connection)
        .await
}
