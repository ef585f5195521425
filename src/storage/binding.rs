//! Chats whose person is known for longer.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A binding as stored.
#[derive(Clone, Debug, Default, FromRow)]
pub struct BindingRow {
    /// UUIDv7.
    pub id: String,
    /// The channel of the chat.
    pub channel: String,
    /// The channel's own id of the chat.
    pub contact: String,
    /// `staff` or `supplier`.
    pub kind: String,
    /// Who it is.
    pub subject: String,
    /// The last four characters of the number.
    pub last4: String,
    /// The person, sealed.
    pub person: String,
    /// The number, sealed.
    pub number: String,
    /// Tells whether the e-mail address is still the same.
    pub address_mark: String,
    /// When it was bound, in Unix milliseconds.
    pub bound_at: Millis,
    /// When it ends.
    pub expires_at: Millis,
    /// When the portal last confirmed it.
    pub checked_at: Millis,
}

/// A new binding.
pub async fn insert(connection: &mut Connection, row: &BindingRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO binding
             (id, channel, contact, kind, subject, last4, person, number, address_mark, bound_at,
              expires_at, checked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10)",
    )
    .bind(&row.id)
    .bind(&row.channel)
    .bind(&row.contact)
    .bind(&row.kind)
    .bind(&row.subject)
    .bind(&row.last4)
    .bind(&row.person)
    .bind(&row.number)
    .bind(&row.address_mark)
    .bind(row.bound_at)
    .bind(row.expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The live binding of a chat.
pub async fn of_contact(
    connection: &mut Connection,
    channel: &str,
    contact: &str,
    now: Millis,
) -> sqlx::Result<Option<BindingRow>> {
    sqlx::query_as(
        "SELECT id, channel, contact, kind, subject, last4, person, number, address_mark, bound_at,
                expires_at, checked_at
         FROM binding WHERE channel = $1 AND contact = $2 AND ended_at IS NULL AND expires_at > $3",
    )
    .bind(channel)
    .bind(contact)
    .bind(now)
    .fetch_optional(connection)
    .await
}

/// The live bindings of a subject.
pub async fn of_subject(
    connection: &mut Connection,
    subject: &str,
) -> sqlx::Result<Vec<BindingRow>> {
    sqlx::query_as(
        "SELECT id, channel, contact, kind, subject, last4, person, number, address_mark, bound_at,
                expires_at, checked_at
         FROM binding WHERE subject = $1 AND ended_at IS NULL ORDER BY bound_at, id",
    )
    .bind(subject)
    .fetch_all(connection)
    .await
}

/// Ends the binding of a chat; tells whether there was one.
pub async fn end_of_contact(
    connection: &mut Connection,
    channel: &str,
    contact: &str,
    at: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE binding SET ended_at = $3
         WHERE channel = $1 AND contact = $2 AND ended_at IS NULL",
    )
    .bind(channel)
    .bind(contact)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() > 0)
}

/// Ends the bindings of a subject, but for one chat; the chats that lost theirs.
pub async fn end_of_subject(
    connection: &mut Connection,
    subject: &str,
    but_for: &str,
    at: Millis,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "UPDATE binding SET ended_at = $3
         WHERE subject = $1 AND contact <> $2 AND ended_at IS NULL
         RETURNING contact",
    )
    .bind(subject)
    .bind(but_for)
    .bind(at)
    .fetch_all(connection)
    .await
}

/// Ends the bindings whose time is over; tells how many.
pub async fn end_expired(connection: &mut Connection, now: Millis) -> sqlx::Result<u64> {
    let result =
        sqlx::query("UPDATE binding SET ended_at = $1 WHERE ended_at IS NULL AND expires_at <= $1")
            .bind(now)
            .execute(connection)
            .await?;
    Ok(result.rows_affected())
}

/// Takes the live binding that was not confirmed for the longest time, if that is before `before`, and notes that it
/// was looked at.
pub async fn take_unchecked(
    connection: &mut Connection,
    before: Millis,
    now: Millis,
) -> sqlx::Result<Option<BindingRow>> {
    sqlx::query_as(
        "UPDATE binding SET checked_at = $2
         WHERE ended_at IS NULL AND checked_at < $1 AND id =
             (SELECT id FROM binding WHERE ended_at IS NULL AND checked_at < $1
              ORDER BY checked_at, id LIMIT 1)
         RETURNING id, channel, contact, kind, subject, last4, person, number, address_mark,
                   bound_at, expires_at, checked_at",
    )
    .bind(before)
    .bind(now)
    .fetch_optional(connection)
    .await
}

/// Has a binding looked at again: the portal did not answer.
pub async fn uncheck(connection: &mut Connection, id: &str, at: Millis) -> sqlx::Result<()> {
    sqlx::query("UPDATE binding SET checked_at = $2 WHERE id = $1")
        .bind(id)
        .bind(at)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets the bindings of a chat.
pub async fn delete_of_contact(
    connection: &mut Connection,
    channel: &str,
    contact: &str,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM binding WHERE channel = $1 AND contact = $2")
        .bind(channel)
        .bind(contact)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends all bindings; tells how many.
pub async fn end_all(connection: &mut Connection, at: Millis) -> sqlx::Result<u64> {
    let result = sqlx::query("UPDATE binding SET ended_at = $1 WHERE ended_at IS NULL")
        .bind(at)
        .execute(connection)
        .await?;
    Ok(result.rows_affected())
}
