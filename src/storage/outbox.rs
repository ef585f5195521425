//! What must go out.

use sqlx::FromRow;

use super::{Connection, FURTHEST};
use crate::clock::Millis;

/// Something to be carried to somebody.
#[derive(Clone, Debug, Default, FromRow)]
pub struct OutboxRow {
    /// Stable over all tries.
    pub id: String,
    /// What carries it.
    pub carrier: String,
    /// Whom it goes to; those of one lane go one after another.
    pub lane: String,
    /// The conversation that it belongs to; empty if to none.
    pub conversation_id: String,
    /// The message that it carries, or its place behind it; 0 outside a conversation.
    pub seq: i64,
    /// What it carries, where that is no message of a transcript.
    pub payload: Option<String>,
    /// Pieces that have gone already.
    pub parts: i64,
    /// How often it was claimed, this time included.
    pub attempts: i64,
    /// When it was written, in Unix milliseconds.
    pub created_at: Millis,
}

/// Something new to go out.
pub async fn insert(connection: &mut Connection, row: &OutboxRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO outbox
             (id, carrier, lane, conversation_id, seq, payload, parts, attempts, created_at, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, $7)",
    )
    .bind(&row.id)
    .bind(&row.carrier)
    .bind(&row.lane)
    .bind(&row.conversation_id)
    .bind(row.seq)
    .bind(&row.payload)
    .bind(row.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Claims the first due delivery that nothing of its lane stands before, until `until`; none if there is none, or if
/// another process was faster.
pub async fn claim(
    connection: &mut Connection,
    carrier: &str,
    now: Millis,
    until: Millis,
) -> sqlx::Result<Option<OutboxRow>> {
    sqlx::query_as(
        "UPDATE outbox SET due_at = $3, attempts = attempts + 1
         WHERE done_at IS NULL AND due_at <= $2 AND id =
             (SELECT o.id FROM outbox o
              WHERE o.carrier = $1 AND o.done_at IS NULL AND o.due_at <= $2
                AND NOT EXISTS
                    (SELECT 1 FROM outbox e
                     WHERE e.carrier = $1 AND e.lane = o.lane AND e.done_at IS NULL
                       AND (e.conversation_id, e.seq, e.id) < (o.conversation_id, o.seq, o.id))
              ORDER BY o.due_at, o.id LIMIT 1)
         RETURNING id, carrier, lane, conversation_id, seq, payload, parts, attempts, created_at",
    )
    .bind(carrier)
    .bind(now)
    .bind(until)
    .fetch_optional(connection)
    .await
}

/// Notes that so many pieces have gone.
pub async fn advance(connection: &mut Connection, id: &str, parts: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE outbox SET parts = $2 WHERE id = $1")
        .bind(id)
        .bind(parts)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that a delivery came to its end: `sent`, `blocked` if nobody is there who wants it, or `dead`. What it carried of its own is wiped.
pub async fn finish(
    connection: &mut Connection,
    id: &str,
    outcome: &str,
    at: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE outbox SET done_at = $3, outcome = $2, payload = NULL
         WHERE id = $1 AND done_at IS NULL",
    )
    .bind(id)
    .bind(outcome)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives a delivery back to be claimed again at `due_at`; `attempts` is what counts from now on.
pub async fn release(
    connection: &mut Connection,
    id: &str,
    due_at: Millis,
    attempts: i64,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE outbox SET due_at = $2, attempts = $3 WHERE id = $1 AND done_at IS NULL")
        .bind(id)
        .bind(due_at)
        .bind(attempts)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends what waits in a lane and was written until `until`: nobody was there to take it.
pub async fn drop_lane(
    connection: &mut Connection,
    carrier: &str,
    lane: &str,
    until: Millis,
    at: Millis,
) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "UPDATE outbox SET done_at = $3, outcome = 'blocked', payload = NULL
         WHERE carrier = $1 AND lane = $2 AND done_at IS NULL AND created_at <= $4",
    )
    .bind(carrier)
    .bind(lane)
    .bind(at)
    .bind(until)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

/// The conversation and message that a delivery carried.
pub async fn carried(connection: &mut Connection, id: &str) -> sqlx::Result<Option<(String, i64)>> {
    sqlx::query_as("SELECT conversation_id, seq FROM outbox WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// How many deliveries wait, and how many ended without being sent.
pub async fn waiting_and_dead(connection: &mut Connection) -> sqlx::Result<(i64, i64)> {
    sqlx::query_as(
        "SELECT COUNT(*) - COUNT(done_at), COUNT(CASE WHEN outcome = 'dead' THEN 1 END)
         FROM outbox WHERE done_at IS NULL OR outcome = 'dead'",
    )
    .fetch_one(connection)
    .await
}

/// Forgets the deliveries of a conversation, those that wait included.
pub async fn delete_of(connection: &mut Connection, conversation_id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM outbox WHERE conversation_id = $1")
        .bind(conversation_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes everything due that has to go out, whoever claimed it: nobody else can be at work.
pub async fn take_over(connection: &mut Connection, now: Millis) -> sqlx::Result<()> {
    sqlx::query("UPDATE outbox SET due_at = $1 WHERE done_at IS NULL")
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes due what is due further ahead than anything is ever put off: the clock was set back since.
pub async fn heal(connection: &mut Connection, now: Millis) -> sqlx::Result<()> {
    sqlx::query("UPDATE outbox SET due_at = $1 WHERE done_at IS NULL AND due_at > $1 + $2")
        .bind(now)
        .bind(FURTHEST)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets a delivery that was made and that nobody will ask for.
pub async fn delete(connection: &mut Connection, id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM outbox WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Moves what waits in a lane to another: whom it goes to has a new number.
pub async fn move_lane(
    connection: &mut Connection,
    carrier: &str,
    lane: &str,
    to: &str,
    now: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE outbox SET lane = $3, due_at = $4
         WHERE carrier = $1 AND lane = $2 AND done_at IS NULL",
    )
    .bind(carrier)
    .bind(lane)
    .bind(to)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Everything that waits, the oldest first.
pub async fn waiting(connection: &mut Connection) -> sqlx::Result<Vec<OutboxRow>> {
    sqlx::query_as(
        "SELECT id, carrier, lane, conversation_id, seq, payload, parts, attempts, created_at
         FROM outbox WHERE done_at IS NULL ORDER BY created_at, id",
    )
    .fetch_all(connection)
    .await
}
