//! Whether an answer helped.

use super::Connection;
use crate::clock::Millis;

/// One vote on one message.
#[derive(Clone, Debug)]
pub struct FeedbackRow {
    /// The conversation.
    pub conversation_id: String,
    /// The message voted on.
    pub seq: i64,
    /// `helpful` or `unhelpful`.
    pub vote: &'static str,
    /// What the person adds, redacted.
    pub comment: Option<String>,
    /// When, in Unix milliseconds.
    pub created_at: Millis,
}

/// The vote on a message; a later one takes the place of an earlier.
pub async fn put(connection: &mut Connection, row: &FeedbackRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO feedback (conversation_id, seq, vote, comment, created_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (conversation_id, seq)
         DO UPDATE SET vote = $3, comment = $4, created_at = $5",
    )
    .bind(&row.conversation_id)
    .bind(row.seq)
    .bind(row.vote)
    .bind(&row.comment)
    .bind(row.created_at)
    .execute(connection)
    .await?;
    Ok(())
}
