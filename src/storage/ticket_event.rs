//! What happened to a ticket, and what officers note on it.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// Something that happened to a ticket.
#[derive(Clone, Debug, Default, FromRow)]
pub struct TicketEventRow {
    /// UUIDv7: events are in its order.
    pub id: String,
    /// The ticket.
    pub number: String,
    /// When, in Unix milliseconds.
    pub at: Millis,
    /// The agent who did it; empty where the person or the program did.
    pub agent: String,
    /// What it was, as `note` or `moved`.
    pub kind: String,
    /// What else there is to know; for a note its text.
    pub text: String,
}

/// A new event.
pub async fn insert(connection: &mut Connection, row: &TicketEventRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO ticket_event (id, number, at, agent, kind, text) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&row.id)
    .bind(&row.number)
    .bind(row.at)
    .bind(&row.agent)
    .bind(&row.kind)
    .bind(&row.text)
    .execute(connection)
    .await?;
    Ok(())
}

/// The events of a ticket, in order, 500 at most.
pub async fn of_ticket(
    connection: &mut Connection,
    number: &str,
) -> sqlx::Result<Vec<TicketEventRow>> {
    sqlx::query_as(
        "SELECT id, number, at, agent, kind, text FROM ticket_event
         WHERE number = $1 ORDER BY id LIMIT 500",
    )
    .bind(number)
    .fetch_all(connection)
    .await
}

/// How often agents did something to a ticket.
pub async fn count_of_agents(connection: &mut Connection, number: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT COUNT(*) FROM ticket_event WHERE number = $1 AND agent <> ''")
        .bind(number)
        .fetch_one(connection)
        .await
}

/// Events of a kind since a moment, the latest first, 200 at most.
pub async fn of_kind(
    connection: &mut Connection,
    kind: &str,
    since: Millis,
) -> sqlx::Result<Vec<TicketEventRow>> {
    sqlx::query_as(
        "SELECT id, number, at, agent, kind, text FROM ticket_event
         WHERE kind = $1 AND at >= $2 ORDER BY id DESC LIMIT 200",
    )
    .bind(kind)
    .bind(since)
    .fetch_all(connection)
    .await
}

/// Moves the events of a ticket to another that it becomes part of.
pub async fn move_to(connection: &mut Connection, from: &str, to: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE ticket_event SET number = $2 WHERE number = $1")
        .bind(from)
        .bind(to)
        .execute(connection)
        .await?;
    Ok(())
}
