//! "This was not me": one token for each mail to a person.

use super::Connection;
use crate::clock::Millis;

/// A new token for a mail about a subject.
pub async fn insert(
    connection: &mut Connection,
    id: &str,
    token_hash: &str,
    subject: &str,
    at: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO disavowal (id, token_hash, subject, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(token_hash)
    .bind(subject)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Uses a token of a mail since `since`, once; whom the mail was about.
pub async fn take(
    connection: &mut Connection,
    token_hash: &str,
    since: Millis,
    at: Millis,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "UPDATE disavowal SET used_at = $3
         WHERE token_hash = $1 AND used_at IS NULL AND created_at >= $2
         RETURNING subject",
    )
    .bind(token_hash)
    .bind(since)
    .bind(at)
    .fetch_optional(connection)
    .await
}
