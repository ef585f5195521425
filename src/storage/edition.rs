//! Knowledge files as they were edited in the console, every edition kept.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// An edition of a file.
#[derive(Clone, Debug, FromRow)]
pub struct EditionRow {
    /// The file's name, as `calendar.yaml`.
    pub file: String,
    /// Its number, from 1.
    pub number: i64,
    /// The hash of the file that it was made from.
    pub base: String,
    /// The whole text.
    pub text: String,
    /// The agent who wrote it.
    pub author: String,
    /// Why, in their words.
    pub reason: String,
    /// When, in Unix milliseconds.
    pub created_at: Millis,
}

/// A new edition; tells whether its number was free.
pub async fn insert(connection: &mut Connection, row: &EditionRow) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "INSERT INTO edition (file, number, base, text, author, reason, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(&row.file)
    .bind(row.number)
    .bind(&row.base)
    .bind(&row.text)
    .bind(&row.author)
    .bind(&row.reason)
    .bind(row.created_at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// The latest edition of each file.
pub async fn latest(connection: &mut Connection) -> sqlx::Result<Vec<EditionRow>> {
    sqlx::query_as(
        "SELECT file, number, base, text, author, reason, created_at FROM edition e
         WHERE number = (SELECT MAX(n.number) FROM edition n WHERE n.file = e.file) ORDER BY file",
    )
    .fetch_all(connection)
    .await
}

/// The texts of the editions of a file before this one, the latest 50.
pub async fn texts_before(
    connection: &mut Connection,
    file: &str,
    number: i64,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT text FROM edition WHERE file = $1 AND number < $2 ORDER BY number DESC LIMIT 50",
    )
    .bind(file)
    .bind(number)
    .fetch_all(connection)
    .await
}

/// How many editions there are of all files: it grows with each.
pub async fn count(connection: &mut Connection) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT COUNT(*) FROM edition")
        .fetch_one(connection)
        .await
}

/// The editions of all files, the latest first: `limit` of them after the first `skipped`.
pub async fn page(
    connection: &mut Connection,
    skipped: i64,
    limit: i64,
) -> sqlx::Result<Vec<EditionRow>> {
    sqlx::query_as(
        "SELECT file, number, base, text, author, reason, created_at FROM edition
         ORDER BY created_at DESC, number DESC, file LIMIT $1 OFFSET $2",
    )
    .bind(limit)
    .bind(skipped)
    .fetch_all(connection)
    .await
}

/// One edition of a file.
pub async fn by_number(
    connection: &mut Connection,
    file: &str,
    number: i64,
) -> sqlx::Result<Option<EditionRow>> {
    sqlx::query_as(
        "SELECT file, number, base, text, author, reason, created_at FROM edition
         WHERE file = $1 AND number = $2",
    )
    .bind(file)
    .bind(number)
    .fetch_optional(connection)
    .await
}
