//! When something was last done: what limits over a window of time are counted from.

use super::Connection;
use crate::clock::Millis;

/// What was noted under `key`, as JSON. Whoever asks holds the row until its transaction ends, on every database: two
/// cannot count the same.
pub async fn hold(connection: &mut Connection, key: &str, now: Millis) -> sqlx::Result<String> {
    sqlx::query_scalar(
        "INSERT INTO tally (key, recent, touched_at) VALUES ($1, '[]', $2)
         ON CONFLICT (key) DO UPDATE SET touched_at = $2
         RETURNING recent",
    )
    .bind(key)
    .bind(now)
    .fetch_one(connection)
    .await
}

/// What was noted under `key`, without holding it.
pub async fn read(connection: &mut Connection, key: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT recent FROM tally WHERE key = $1")
        .bind(key)
        .fetch_optional(connection)
        .await
}

/// Notes what stands under `key` from now on.
pub async fn put(connection: &mut Connection, key: &str, recent: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE tally SET recent = $2 WHERE key = $1")
        .bind(key)
        .bind(recent)
        .execute(connection)
        .await?;
    Ok(())
}
