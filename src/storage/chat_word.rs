//! Words of what was said in chats that have a ticket, as marks that tell nothing: a row for a chat and a day.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A day, in milliseconds.
const DAY: Millis = 24 * 3_600_000;

/// The words of one day in one chat.
#[derive(Clone, Debug, Default, FromRow, PartialEq, Eq)]
pub struct ChatWords {
    /// The day, counted from 1970 in UTC.
    pub day: i64,
    /// The words, each with a space before it.
    pub words: String,
    /// The last message whose words are there.
    pub seq: i64,
}

/// The day of a moment.
pub fn day_of(at: Millis) -> i64 {
    at.div_euclid(DAY)
}

/// The words of the latest day in a chat.
pub async fn latest(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<Option<ChatWords>> {
    sqlx::query_as(
        "SELECT day, words, seq FROM chat_word WHERE conversation_id = $1
         ORDER BY seq DESC LIMIT 1",
    )
    .bind(conversation_id)
    .fetch_optional(connection)
    .await
}

/// Adds words to those of a day.
pub async fn add(
    connection: &mut Connection,
    conversation_id: &str,
    more: &ChatWords,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO chat_word (conversation_id, day, words, seq) VALUES ($1, $2, $3, $4)
         ON CONFLICT (conversation_id, day)
         DO UPDATE SET words = chat_word.words || $3, seq = $4",
    )
    .bind(conversation_id)
    .bind(more.day)
    .bind(&more.words)
    .bind(more.seq)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets the words of a chat.
pub async fn delete_of(connection: &mut Connection, conversation_id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM chat_word WHERE conversation_id = $1")
        .bind(conversation_id)
        .execute(connection)
        .await?;
    Ok(())
}
