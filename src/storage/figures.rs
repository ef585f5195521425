//! What waits and what is late, counted for the operator over all processes on the database.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// What one carrier has to carry.
#[derive(Clone, Debug, FromRow)]
pub struct Carried {
    /// The carrier.
    pub carrier: String,
    /// Deliveries that wait.
    pub waiting: i64,
    /// When the oldest of them was written.
    pub oldest: Option<Millis>,
    /// Deliveries that were given up.
    pub dead: i64,
}

/// What there is to carry, by carrier.
pub async fn carried(connection: &mut Connection) -> sqlx::Result<Vec<Carried>> {
    sqlx::query_as(
        "SELECT carrier, COUNT(*) - COUNT(done_at) AS waiting,
                MIN(CASE WHEN done_at IS NULL THEN created_at END) AS oldest,
                COUNT(CASE WHEN outcome = 'dead' THEN 1 END) AS dead
         FROM outbox WHERE done_at IS NULL OR outcome = 'dead' GROUP BY carrier",
    )
    .fetch_all(connection)
    .await
}

/// When the oldest thing came that is not settled.
pub async fn oldest_inbound(connection: &mut Connection) -> sqlx::Result<Option<Millis>> {
    sqlx::query_scalar("SELECT MIN(received_at) FROM inbound WHERE settled_at IS NULL")
        .fetch_one(connection)
        .await
}

/// What one queue has to do.
#[derive(Clone, Debug, FromRow)]
pub struct Queued {
    /// Whose work it is.
    pub queue: String,
    /// Tickets that are open, or wait for their person.
    pub open: i64,
    /// Those whose answer is overdue.
    pub overdue: i64,
    /// Those whose person waits in the chat.
    pub waiting: i64,
}

/// What there is to do, by queue.
pub async fn queued(connection: &mut Connection, now: Millis) -> sqlx::Result<Vec<Queued>> {
    sqlx::query_as(
        "SELECT queue, COUNT(*) AS open, COUNT(CASE WHEN answer_by < $1 THEN 1 END) AS overdue,
                COUNT(live_at) AS waiting
         FROM ticket WHERE status IN ('open', 'pending') GROUP BY queue",
    )
    .bind(now)
    .fetch_all(connection)
    .await
}
