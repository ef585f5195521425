//! Announcements, who wants them, and where they went.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// An announcement.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AnnouncementRow {
    /// UUIDv7.
    pub id: String,
    /// What it says, in Malay.
    pub text_ms: String,
    /// The same in English.
    pub text_en: String,
    /// `yes` if chats show it above their messages.
    pub banner: String,
    /// From when on they do, in Unix milliseconds.
    pub shows_from: Millis,
    /// Until when.
    pub shows_until: Millis,
    /// The agent who wrote it.
    pub author: String,
    /// When it was written.
    pub created_at: Millis,
    /// When it was sent; a draft before.
    pub sent_at: Option<Millis>,
    /// When it was taken back, or the draft thrown away.
    pub withdrawn_at: Option<Millis>,
}

/// How far an announcement has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Reach {
    /// Chats that it goes to.
    pub recipients: i64,
    /// Chats that have it.
    pub delivered: i64,
    /// Chats that cannot be reached.
    pub failed: i64,
}

/// Notes that a chat wants announcements.
pub async fn subscribe(
    connection: &mut Connection,
    conversation_id: &str,
    now: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO announcement_subscription (conversation_id, created_at)
         VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(conversation_id)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a chat does not want announcements, those on their way included.
pub async fn unsubscribe(connection: &mut Connection, conversation_id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM announcement_subscription WHERE conversation_id = $1")
        .bind(conversation_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether a chat wants announcements.
pub async fn is_subscribed(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<bool> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM announcement_subscription WHERE conversation_id = $1",
    )
    .bind(conversation_id)
    .fetch_one(connection)
    .await?;
    Ok(count > 0)
}

/// How many chats would get an announcement now; web chats that nobody wrote in since `idle_since` are over.
pub async fn recipients(connection: &mut Connection, idle_since: Millis) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT COUNT(*) FROM announcement_subscription s
         JOIN conversation c ON c.id = s.conversation_id
         WHERE c.ended_at IS NULL AND c.unreachable_at IS NULL
           AND (c.channel <> 'web' OR c.active_at >= $1)",
    )
    .bind(idle_since)
    .fetch_one(connection)
    .await
}

/// A new draft.
pub async fn insert(connection: &mut Connection, row: &AnnouncementRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO announcement
             (id, text_ms, text_en, banner, shows_from, shows_until, author, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&row.id)
    .bind(&row.text_ms)
    .bind(&row.text_en)
    .bind(&row.banner)
    .bind(row.shows_from)
    .bind(row.shows_until)
    .bind(&row.author)
    .bind(row.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// One of them.
pub async fn by_id(connection: &mut Connection, id: &str) -> sqlx::Result<Option<AnnouncementRow>> {
    sqlx::query_as(
        "SELECT id, text_ms, text_en, banner, shows_from, shows_until, author, created_at, sent_at,
                withdrawn_at
         FROM announcement WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(connection)
    .await
}

/// The latest ones; drafts that were thrown away are left out.
pub async fn latest(connection: &mut Connection, limit: i64) -> sqlx::Result<Vec<AnnouncementRow>> {
    sqlx::query_as(
        "SELECT id, text_ms, text_en, banner, shows_from, shows_until, author, created_at, sent_at,
                withdrawn_at
         FROM announcement WHERE sent_at IS NOT NULL OR withdrawn_at IS NULL
         ORDER BY created_at DESC, id DESC LIMIT $1",
    )
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Sends a draft: nobody else has, nor thrown it away; tells whether so.
pub async fn send(connection: &mut Connection, id: &str, now: Millis) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE announcement SET sent_at = $2
         WHERE id = $1 AND sent_at IS NULL AND withdrawn_at IS NULL",
    )
    .bind(id)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Writes down whom an announcement goes to; how many.
pub async fn address(
    connection: &mut Connection,
    id: &str,
    idle_since: Millis,
) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "INSERT INTO announcement_delivery (announcement_id, conversation_id, seq)
         SELECT CAST($1 AS TEXT), s.conversation_id, 0 FROM announcement_subscription s
         JOIN conversation c ON c.id = s.conversation_id
         WHERE c.ended_at IS NULL AND c.unreachable_at IS NULL
           AND (c.channel <> 'web' OR c.active_at >= $2)",
    )
    .bind(id)
    .bind(idle_since)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

/// Throws a draft away, or takes a banner back; tells whether it was there.
pub async fn withdraw(connection: &mut Connection, id: &str, now: Millis) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE announcement SET withdrawn_at = $2 WHERE id = $1 AND withdrawn_at IS NULL",
    )
    .bind(id)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// The latest announcement that chats show now.
pub async fn shown(
    connection: &mut Connection,
    now: Millis,
) -> sqlx::Result<Option<AnnouncementRow>> {
    sqlx::query_as(
        "SELECT id, text_ms, text_en, banner, shows_from, shows_until, author, created_at, sent_at,
                withdrawn_at
         FROM announcement
         WHERE sent_at IS NOT NULL AND withdrawn_at IS NULL AND banner = 'yes'
           AND shows_from <= $1 AND shows_until > $1
         ORDER BY sent_at DESC, id DESC LIMIT 1",
    )
    .bind(now)
    .fetch_optional(connection)
    .await
}

/// Chats that an announcement has not gone to yet: which announcement, which chat.
pub async fn undelivered(
    connection: &mut Connection,
    limit: i64,
) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query_as(
        "SELECT d.announcement_id, d.conversation_id FROM announcement_delivery d
         JOIN announcement a ON a.id = d.announcement_id
         WHERE d.settled_at IS NULL AND a.withdrawn_at IS NULL
         ORDER BY d.announcement_id, d.conversation_id LIMIT $1",
    )
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Settles all that an announcement has not gone to, or that none has: nobody hears it there; how many.
pub async fn skip_rest(
    connection: &mut Connection,
    id: Option<&str>,
    at: Millis,
) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "UPDATE announcement_delivery SET settled_at = $2, outcome = 'skipped'
         WHERE settled_at IS NULL AND ($1 IS NULL OR announcement_id = $1)",
    )
    .bind(id)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

/// Settles one: `told` with its message's number, or `skipped` where nobody hears it; tells whether nobody had.
pub async fn settle(
    connection: &mut Connection,
    (id, conversation_id): (&str, &str),
    (outcome, seq): (&str, i64),
    at: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE announcement_delivery SET settled_at = $5, outcome = $3, seq = $4
         WHERE announcement_id = $1 AND conversation_id = $2 AND settled_at IS NULL",
    )
    .bind(id)
    .bind(conversation_id)
    .bind(outcome)
    .bind(seq)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// How far an announcement has come. What waits for its carrier is neither delivered nor failed.
pub async fn reach(connection: &mut Connection, id: &str) -> sqlx::Result<Reach> {
    sqlx::query_as(
        "SELECT COUNT(*) AS recipients,
                COUNT(CASE WHEN d.outcome = 'told' AND (o.id IS NULL OR o.outcome = 'sent')
                           THEN 1 END) AS delivered,
                COUNT(CASE WHEN d.outcome = 'skipped' OR o.outcome IN ('blocked', 'dead')
                           THEN 1 END) AS failed
         FROM announcement_delivery d
         LEFT JOIN outbox o ON o.conversation_id = d.conversation_id AND o.seq = d.seq
                           AND d.seq > 0 AND o.payload IS NULL
         WHERE d.announcement_id = $1",
    )
    .bind(id)
    .fetch_one(connection)
    .await
}

/// Forgets that a chat wanted announcements, and which it had.
pub async fn forget(connection: &mut Connection, conversation_id: &str) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM announcement_delivery WHERE conversation_id = $1 AND settled_at IS NULL",
    )
    .bind(conversation_id)
    .execute(connection)
    .await?;
    Ok(())
}
