//! Conversations.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A conversation as stored.
#[derive(Clone, Debug, FromRow)]
pub struct ConversationRow {
    /// UUIDv7.
    pub id: String,
    /// Through what it is led.
    pub channel: String,
    /// Who it is, on a channel that tells.
    pub contact: Option<String>,
    /// `ms` or `en`.
    pub language: String,
    /// What the engine waits for, as JSON.
    pub state: String,
    /// Counts changes; a writer must name the one that it read.
    pub version: i64,
    /// The highest message number.
    pub last_seq: i64,
    /// When the person has been silent long enough for the messages so far; the future bounds how fast one may write.
    pub calm_at: Millis,
    /// When it was last written to, in Unix milliseconds.
    pub active_at: Millis,
    /// The agent who holds the chat: the bot is silent.
    pub holder: Option<String>,
    /// When the person's chat was last seen open.
    pub seen_at: Millis,
}

/// A new conversation; tells whether it was made, which it is not while its contact has another.
pub async fn insert(
    connection: &mut Connection,
    row: &ConversationRow,
    token_hash: Option<&str>,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "INSERT INTO conversation
             (id, channel, contact, token_hash, language, state, version, last_seq, calm_at,
              created_at, active_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
         ON CONFLICT DO NOTHING",
    )
    .bind(&row.id)
    .bind(&row.channel)
    .bind(&row.contact)
    .bind(token_hash)
    .bind(&row.language)
    .bind(&row.state)
    .bind(row.version)
    .bind(row.last_seq)
    .bind(row.calm_at)
    .bind(row.active_at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// The live conversation that this token opens, if it was written to since `idle_since`, or waits for an officer, or was
/// told of one since.
pub async fn by_token(
    connection: &mut Connection,
    token_hash: &str,
    idle_since: Millis,
) -> sqlx::Result<Option<ConversationRow>> {
    sqlx::query_as(
        "SELECT id, channel, contact, language, state, version, last_seq, calm_at, active_at,
                holder, seen_at
         FROM conversation WHERE token_hash = $1 AND ended_at IS NULL
           AND (active_at >= $2 OR EXISTS
                   (SELECT 1 FROM ticket t WHERE t.conversation_id = conversation.id
                      AND (t.status IN ('open', 'pending') OR t.updated_at >= $2)))",
    )
    .bind(token_hash)
    .bind(idle_since)
    .fetch_optional(connection)
    .await
}

/// Whether a conversation goes on: it was written to since `idle_since`, or waits for an officer, or was told of one
/// since.
pub async fn goes_on(
    connection: &mut Connection,
    id: &str,
    idle_since: Millis,
) -> sqlx::Result<bool> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM conversation WHERE id = $1 AND ended_at IS NULL
           AND (active_at >= $2 OR EXISTS
                   (SELECT 1 FROM ticket t WHERE t.conversation_id = conversation.id
                      AND (t.status IN ('open', 'pending') OR t.updated_at >= $2)))",
    )
    .bind(id)
    .bind(idle_since)
    .fetch_one(connection)
    .await?;
    Ok(count > 0)
}

/// The live conversation of this id.
pub async fn by_id(connection: &mut Connection, id: &str) -> sqlx::Result<Option<ConversationRow>> {
    sqlx::query_as(
        "SELECT id, channel, contact, language, state, version, last_seq, calm_at, active_at,
                holder, seen_at
         FROM conversation WHERE id = $1 AND ended_at IS NULL",
    )
    .bind(id)
    .fetch_optional(connection)
    .await
}

/// The live conversation of a contact.
pub async fn by_contact(
    connection: &mut Connection,
    channel: &str,
    contact: &str,
) -> sqlx::Result<Option<ConversationRow>> {
    sqlx::query_as(
        "SELECT id, channel, contact, language, state, version, last_seq, calm_at, active_at,
                holder, seen_at
         FROM conversation WHERE channel = $1 AND contact = $2 AND ended_at IS NULL",
    )
    .bind(channel)
    .bind(contact)
    .fetch_optional(connection)
    .await
}

/// Notes whether a contact can be reached: since when not, or that it can again.
pub async fn set_unreachable(
    connection: &mut Connection,
    channel: &str,
    contact: &str,
    since: Option<Millis>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE conversation SET unreachable_at = $3
         WHERE channel = $1 AND contact = $2 AND ended_at IS NULL",
    )
    .bind(channel)
    .bind(contact)
    .bind(since)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether a conversation goes on and nothing says that its contact cannot be reached.
pub async fn is_reachable(connection: &mut Connection, id: &str) -> sqlx::Result<bool> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM conversation
         WHERE id = $1 AND ended_at IS NULL AND unreachable_at IS NULL",
    )
    .bind(id)
    .fetch_one(connection)
    .await?;
    Ok(count > 0)
}

/// How many live conversations cannot be reached.
pub async fn unreachable(connection: &mut Connection) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT COUNT(*) FROM conversation WHERE unreachable_at IS NOT NULL AND ended_at IS NULL",
    )
    .fetch_one(connection)
    .await
}

/// Deletes the votes of a conversation.
pub async fn delete_feedback_of(connection: &mut Connection, id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM feedback WHERE conversation_id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes the messages of a conversation.
pub async fn delete_messages_of(connection: &mut Connection, id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM message WHERE conversation_id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes what a turn changed, if nobody else wrote since `row` was read; `row.version` is the one that was read.
/// Tells whether it was written.
pub async fn advance(connection: &mut Connection, row: &ConversationRow) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE conversation
         SET language = $2, state = $3, version = version + 1, last_seq = $4, active_at = $5,
             calm_at = $7, unreachable_at = NULL
         WHERE id = $1 AND version = $6 AND ended_at IS NULL",
    )
    .bind(&row.id)
    .bind(&row.language)
    .bind(&row.state)
    .bind(row.last_seq)
    .bind(row.active_at)
    .bind(row.version)
    .bind(row.calm_at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Makes room for `count` more messages that nobody had just asked for; `row` is as it was read. It does not count as
/// activity. Tells whether nobody else wrote in between.
pub async fn tell(
    connection: &mut Connection,
    row: &ConversationRow,
    count: i64,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE conversation SET version = version + 1, last_seq = $2
         WHERE id = $1 AND version = $3 AND ended_at IS NULL",
    )
    .bind(&row.id)
    .bind(row.last_seq + count)
    .bind(row.version)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Notes who holds the chat, if anybody.
pub async fn set_holder(
    connection: &mut Connection,
    id: &str,
    holder: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE conversation SET holder = $2 WHERE id = $1")
        .bind(id)
        .bind(holder)
        .execute(connection)
        .await?;
    Ok(())
}

/// A live conversation whose officer has not done anything in the console since a moment; nobody hears its person.
pub async fn abandoned(
    connection: &mut Connection,
    since: Millis,
) -> sqlx::Result<Option<ConversationRow>> {
    sqlx::query_as(
        "SELECT id, channel, contact, language, state, version, last_seq, calm_at, active_at,
                holder, seen_at
         FROM conversation c WHERE holder IS NOT NULL AND ended_at IS NULL AND NOT EXISTS
             (SELECT 1 FROM agent_session s
              WHERE s.agent_id = c.holder AND s.step = 'in' AND s.seen_at >= $1)
         ORDER BY id LIMIT 1",
    )
    .bind(since)
    .fetch_optional(connection)
    .await
}

/// Has nobody hold the chats that an agent held.
pub async fn release_of(connection: &mut Connection, holder: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE conversation SET holder = NULL, version = version + 1 WHERE holder = $1")
        .bind(holder)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that the person's chat is open somewhere, where a ticket waits for an officer or for them.
pub async fn see(connection: &mut Connection, id: &str, now: Millis) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE conversation SET seen_at = $2
         WHERE id = $1 AND EXISTS (SELECT 1 FROM ticket t WHERE t.conversation_id = $1
                                     AND t.status IN ('open', 'pending'))",
    )
    .bind(id)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// The conversations whose chat was seen open since a moment.
pub async fn seen_since(connection: &mut Connection, since: Millis) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT id FROM conversation WHERE seen_at > 0 AND seen_at > $1 AND ended_at IS NULL",
    )
    .bind(since)
    .fetch_all(connection)
    .await
}

/// Forgets with whom a conversation was led.
pub async fn forget_contact(connection: &mut Connection, id: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE conversation SET contact = NULL, state = '{}' WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends a conversation; its token opens nothing any more.
pub async fn end(connection: &mut Connection, id: &str, at: Millis) -> sqlx::Result<()> {
    sqlx::query("UPDATE conversation SET ended_at = $2, token_hash = NULL WHERE id = $1")
        .bind(id)
        .bind(at)
        .execute(connection)
        .await?;
    Ok(())
}

/// Leaves out so many message numbers of the web chats that are open: a page may hold messages under numbers that are
/// not known here, and would take the next ones to be those.
pub async fn skip_seqs(connection: &mut Connection, count: i64) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "UPDATE conversation SET last_seq = last_seq + $1
         WHERE channel = 'web' AND ended_at IS NULL",
    )
    .bind(count)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}
