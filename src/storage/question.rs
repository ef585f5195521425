//! Questions that were not answered, and those that were set aside.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A question with what was said to it.
#[derive(Clone, Debug, FromRow)]
pub struct QuestionRow {
    /// The chat.
    pub conversation_id: String,
    /// What was asked, as JSON.
    pub body: String,
    /// What it was answered with, where it was.
    pub target: Option<String>,
    /// When, in Unix milliseconds.
    pub created_at: Millis,
}

/// A question for which something was offered to choose from, and what was done then.
#[derive(Clone, Debug, FromRow)]
pub struct OfferedRow {
    /// The chat.
    pub conversation_id: String,
    /// What was asked, as JSON.
    pub body: String,
    /// What was offered, as JSON.
    pub offered: String,
    /// What the person said next, as JSON.
    pub next: Option<String>,
    /// What that led to.
    pub led_to: Option<String>,
    /// When it was asked, in Unix milliseconds.
    pub created_at: Millis,
}

/// Questions since `since` to which nothing fitted, the latest first.
pub async fn unanswered(
    connection: &mut Connection,
    since: Millis,
    limit: i64,
) -> sqlx::Result<Vec<QuestionRow>> {
    sqlx::query_as(
        "SELECT conversation_id, body, CAST(NULL AS TEXT) AS target, created_at FROM message
         WHERE outcome = 'fallback' AND created_at >= $1 AND sender = 'user'
         ORDER BY created_at DESC LIMIT $2",
    )
    .bind(since)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Questions since `since` for which something was offered, with the person's next word, the latest first.
pub async fn offered(
    connection: &mut Connection,
    since: Millis,
    limit: i64,
) -> sqlx::Result<Vec<OfferedRow>> {
    sqlx::query_as(
        "SELECT q.conversation_id, q.body, r.body AS offered, n.body AS next,
                (SELECT MIN(a.target) FROM message a
                 WHERE a.conversation_id = n.conversation_id AND a.seq > n.seq AND a.seq < n.seq + 8
                   AND a.reply_to = n.seq) AS led_to,
                q.created_at
         FROM message q
         JOIN message r ON r.conversation_id = q.conversation_id AND r.seq > q.seq AND r.seq < q.seq + 8
              AND r.reply_to = q.seq AND r.target = 'control:jelas'
         LEFT JOIN message n ON n.conversation_id = q.conversation_id AND n.seq =
              (SELECT MIN(s.seq) FROM message s
               WHERE s.conversation_id = q.conversation_id AND s.seq > q.seq AND s.sender = 'user')
         WHERE q.outcome = 'clarify' AND q.created_at >= $1 AND q.sender = 'user'
         ORDER BY q.created_at DESC LIMIT $2",
    )
    .bind(since)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Questions whose answer was voted down since `since`, the latest vote first.
pub async fn unhelpful(
    connection: &mut Connection,
    since: Millis,
    limit: i64,
) -> sqlx::Result<Vec<QuestionRow>> {
    sqlx::query_as(
        "SELECT q.conversation_id, q.body, a.target, f.created_at
         FROM feedback f
         JOIN message a ON a.conversation_id = f.conversation_id AND a.seq = f.seq AND a.sender = 'bot'
         JOIN message q ON q.conversation_id = a.conversation_id AND q.seq = a.reply_to AND q.sender = 'user'
         WHERE f.vote = 'unhelpful' AND f.created_at >= $1
         ORDER BY f.created_at DESC LIMIT $2",
    )
    .bind(since)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// A question that was set aside.
#[derive(Clone, Debug, FromRow)]
pub struct DismissedRow {
    /// Its id.
    pub id: String,
    /// What was asked, redacted.
    pub text: String,
    /// The agent who set it aside.
    pub agent: String,
    /// When, in Unix milliseconds.
    pub dismissed_at: Millis,
}

/// Sets a question aside.
pub async fn dismiss(connection: &mut Connection, row: &DismissedRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO question_dismissed (id, text, agent, dismissed_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(&row.id)
    .bind(&row.text)
    .bind(&row.agent)
    .bind(row.dismissed_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Questions that were set aside, the latest first.
pub async fn dismissed(connection: &mut Connection, limit: i64) -> sqlx::Result<Vec<DismissedRow>> {
    sqlx::query_as(
        "SELECT id, text, agent, dismissed_at FROM question_dismissed
         ORDER BY dismissed_at DESC, id DESC LIMIT $1",
    )
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Takes a question up again; tells whether it was set aside.
pub async fn restore(connection: &mut Connection, id: &str) -> sqlx::Result<bool> {
    let result = sqlx::query("DELETE FROM question_dismissed WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(result.rows_affected() == 1)
}
