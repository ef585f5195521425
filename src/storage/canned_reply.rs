//! Answers that are written once.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// An answer that is written once, as stored.
#[derive(Clone, Debug, Default, FromRow)]
pub struct CannedReplyRow {
    /// UUIDv7.
    pub id: String,
    /// What officers choose it by.
    pub title: String,
    /// Its text in Malay, with `{nombor}` and `{nama}`.
    pub text_ms: String,
    /// Its text in English.
    pub text_en: String,
    /// When it last changed, in Unix milliseconds.
    pub updated_at: Millis,
}

/// Writes one, new or changed.
pub async fn put(connection: &mut Connection, row: &CannedReplyRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO canned_reply (id, title, text_ms, text_en, updated_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO UPDATE SET title = $2, text_ms = $3, text_en = $4, updated_at = $5",
    )
    .bind(&row.id)
    .bind(&row.title)
    .bind(&row.text_ms)
    .bind(&row.text_en)
    .bind(row.updated_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// All of them, by title.
pub async fn all(connection: &mut Connection) -> sqlx::Result<Vec<CannedReplyRow>> {
    sqlx::query_as(
        "SELECT id, title, text_ms, text_en, updated_at FROM canned_reply ORDER BY title LIMIT 500",
    )
    .fetch_all(connection)
    .await
}

/// Deletes one.
pub async fn delete(connection: &mut Connection, id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM canned_reply WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}
