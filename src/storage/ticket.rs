//! What officers have to do.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A ticket as stored.
#[derive(Clone, Debug, Default, FromRow)]
pub struct TicketRow {
    /// As `TK-2026-000123-7`.
    pub number: String,
    /// The conversation that it comes from.
    pub conversation_id: String,
    /// Whose work it is: `teknikal`, `naziran` or `helpdesk`.
    pub queue: String,
    /// What it is about.
    pub topic: String,
    /// `open`, `pending`, `resolved` or `closed`.
    pub status: String,
    /// The last four characters of the person's number.
    pub last4: Option<String>,
    /// What the officer needs, sealed.
    pub details: Option<String>,
    /// When it was opened, in Unix milliseconds.
    pub created_at: Millis,
    /// When it last changed.
    pub updated_at: Millis,
}

/// The next serial number of a year. Whoever asks holds it until its transaction ends: none is lost, none is used twice.
pub async fn next_serial(connection: &mut Connection, year: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO ticket_serial (year, last) VALUES ($1, 1)
         ON CONFLICT (year) DO UPDATE SET last = ticket_serial.last + 1
         RETURNING last",
    )
    .bind(year)
    .fetch_one(connection)
    .await
}

/// A new ticket.
pub async fn insert(connection: &mut Connection, row: &TicketRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO ticket
             (number, conversation_id, queue, topic, status, last4, details, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
    )
    .bind(&row.number)
    .bind(&row.conversation_id)
    .bind(&row.queue)
    .bind(&row.topic)
    .bind(&row.status)
    .bind(&row.last4)
    .bind(&row.details)
    .bind(row.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The tickets of a conversation, the latest first, 20 at most.
pub async fn of_conversation(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<Vec<TicketRow>> {
    sqlx::query_as(
        "SELECT number, conversation_id, queue, topic, status, last4, details, created_at,
                updated_at
         FROM ticket WHERE conversation_id = $1 ORDER BY number DESC LIMIT 20",
    )
    .bind(conversation_id)
    .fetch_all(connection)
    .await
}

/// The ticket of this number.
pub async fn by_number(
    connection: &mut Connection,
    number: &str,
) -> sqlx::Result<Option<TicketRow>> {
    sqlx::query_as(
        "SELECT number, conversation_id, queue, topic, status, last4, details, created_at,
                updated_at
         FROM ticket WHERE number = $1",
    )
    .bind(number)
    .fetch_optional(connection)
    .await
}

/// Open tickets, the oldest first, 200 at most.
pub async fn open(connection: &mut Connection) -> sqlx::Result<Vec<TicketRow>> {
    sqlx::query_as(
        "SELECT number, conversation_id, queue, topic, status, last4, details, created_at,
                updated_at
         FROM ticket WHERE status IN ('open', 'pending') ORDER BY number LIMIT 200",
    )
    .fetch_all(connection)
    .await
}

/// Settles an open ticket; what it held of the person is wiped. Tells whether it was open.
pub async fn resolve(connection: &mut Connection, number: &str, at: Millis) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE ticket SET status = 'resolved', details = NULL, updated_at = $2, resolved_at = $2
         WHERE number = $1 AND status IN ('open', 'pending')",
    )
    .bind(number)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Forgets tickets that were settled and did not change since `before`.
pub async fn delete_settled(connection: &mut Connection, before: Millis) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "DELETE FROM ticket WHERE updated_at < $1 AND status IN ('resolved', 'closed')",
    )
    .bind(before)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}
