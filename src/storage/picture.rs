//! Pictures that people sent for officers.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A picture to be kept.
#[derive(Clone, Debug)]
pub struct NewPicture {
    /// 256 random bits, as text.
    pub id: String,
    /// The conversation that it came in.
    pub conversation_id: String,
    /// The message that it came with.
    pub seq: i64,
    /// The ticket that it belongs to; none as long as none was opened.
    pub number: Option<String>,
    /// `jpg` or `png`.
    pub kind: &'static str,
    /// Bytes of the file.
    pub size: i64,
    /// The file, sealed.
    pub sealed: String,
    /// When it came, in Unix milliseconds.
    pub created_at: Millis,
}

/// A picture as it is listed.
#[derive(Clone, Debug, FromRow)]
pub struct ListedPicture {
    /// Its id.
    pub id: String,
    /// `jpg` or `png`.
    pub kind: String,
    /// Bytes of the file.
    pub size: i64,
    /// When it came, in Unix milliseconds.
    pub created_at: Millis,
}

/// A new picture.
pub async fn insert(connection: &mut Connection, row: &NewPicture) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO picture (id, conversation_id, seq, number, kind, size, sealed, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&row.id)
    .bind(&row.conversation_id)
    .bind(row.seq)
    .bind(&row.number)
    .bind(row.kind)
    .bind(row.size)
    .bind(&row.sealed)
    .bind(row.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// How many came in a conversation since a moment.
pub async fn count_since(
    connection: &mut Connection,
    conversation_id: &str,
    since: Millis,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT COUNT(*) FROM picture WHERE conversation_id = $1 AND created_at > $2",
    )
    .bind(conversation_id)
    .bind(since)
    .fetch_one(connection)
    .await
}

/// How many a ticket has.
pub async fn count_of_ticket(connection: &mut Connection, number: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT COUNT(*) FROM picture WHERE number = $1")
        .bind(number)
        .fetch_one(connection)
        .await
}

/// The pictures of a ticket in the order in which they came, 100 at most.
pub async fn of_ticket(
    connection: &mut Connection,
    number: &str,
) -> sqlx::Result<Vec<ListedPicture>> {
    sqlx::query_as(
        "SELECT id, kind, size, created_at FROM picture
         WHERE number = $1 ORDER BY created_at, conversation_id, seq LIMIT 100",
    )
    .bind(number)
    .fetch_all(connection)
    .await
}

/// The sealed file of a ticket's picture; none if the ticket has no such picture.
pub async fn sealed(
    connection: &mut Connection,
    number: &str,
    id: &str,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT sealed FROM picture WHERE id = $2 AND number = $1")
        .bind(number)
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// Has what waits in a conversation belong to a ticket; how many there were.
pub async fn attach(
    connection: &mut Connection,
    conversation_id: &str,
    number: &str,
) -> sqlx::Result<u64> {
    let result =
        sqlx::query("UPDATE picture SET number = $2 WHERE conversation_id = $1 AND number IS NULL")
            .bind(conversation_id)
            .bind(number)
            .execute(connection)
            .await?;
    Ok(result.rows_affected())
}

/// Moves the pictures of a ticket to another that it becomes part of.
pub async fn move_to(connection: &mut Connection, from: &str, to: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE picture SET number = $2 WHERE number = $1")
        .bind(from)
        .bind(to)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes what waits for a ticket in a conversation.
pub async fn delete_waiting(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM picture WHERE conversation_id = $1 AND number IS NULL")
        .bind(conversation_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes the pictures of a conversation.
pub async fn delete_of(connection: &mut Connection, conversation_id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM picture WHERE conversation_id = $1")
        .bind(conversation_id)
        .execute(connection)
        .await?;
    Ok(())
}
