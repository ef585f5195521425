//! Incidents that people's reports led to.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// Many people said that a system does not open.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct IncidentRow {
    /// UUIDv7.
    pub id: String,
    /// `sistem` or `portal`.
    pub system: String,
    /// `suspected`, `confirmed`, `dismissed` or `closed`.
    pub state: String,
    /// Its ticket.
    pub ticket: String,
    /// When it was opened, in Unix milliseconds.
    pub opened_at: Millis,
    /// The agent who confirmed or dismissed it; empty before.
    pub decided_by: String,
    /// When.
    pub decided_at: Option<Millis>,
    /// The agent who closed it; empty before.
    pub closed_by: String,
    /// When it was dismissed or closed.
    pub closed_at: Option<Millis>,
}

/// A new one, unless one is open for this system; tells whether it was made.
pub async fn insert(
    connection: &mut Connection,
    (id, system): (&str, &str),
    now: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "INSERT INTO incident (id, system, state, ticket, opened_at, decided_by, closed_by)
         VALUES ($1, $2, 'suspected', '', $3, '', '') ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(system)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Notes the ticket of one.
pub async fn set_ticket(connection: &mut Connection, id: &str, ticket: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE incident SET ticket = $2 WHERE id = $1")
        .bind(id)
        .bind(ticket)
        .execute(connection)
        .await?;
    Ok(())
}

/// Those that are open.
pub async fn open(connection: &mut Connection) -> sqlx::Result<Vec<IncidentRow>> {
    sqlx::query_as(
        "SELECT id, system, state, ticket, opened_at, decided_by, decided_at, closed_by, closed_at
         FROM incident WHERE closed_at IS NULL ORDER BY opened_at",
    )
    .fetch_all(connection)
    .await
}

/// The latest ones, open or not.
pub async fn latest(connection: &mut Connection, limit: i64) -> sqlx::Result<Vec<IncidentRow>> {
    sqlx::query_as(
        "SELECT id, system, state, ticket, opened_at, decided_by, decided_at, closed_by, closed_at
         FROM incident ORDER BY opened_at DESC, id DESC LIMIT $1",
    )
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// One of them.
pub async fn by_id(connection: &mut Connection, id: &str) -> sqlx::Result<Option<IncidentRow>> {
    sqlx::query_as(
        "SELECT id, system, state, ticket, opened_at, decided_by, decided_at, closed_by, closed_at
         FROM incident WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(connection)
    .await
}

/// When the last one of a system was over.
pub async fn last_closed(
    connection: &mut Connection,
    system: &str,
) -> sqlx::Result<Option<Millis>> {
    sqlx::query_scalar(
        "SELECT closed_at FROM incident WHERE system = $1 AND closed_at IS NOT NULL
         ORDER BY closed_at DESC LIMIT 1",
    )
    .bind(system)
    .fetch_optional(connection)
    .await
}

/// Confirms one that is suspected; tells whether it was.
pub async fn confirm(
    connection: &mut Connection,
    (id, agent): (&str, &str),
    now: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE incident SET state = 'confirmed', decided_by = $2, decided_at = $3
         WHERE id = $1 AND state = 'suspected'",
    )
    .bind(id)
    .bind(agent)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Dismisses one that is suspected; tells whether it was.
pub async fn dismiss(
    connection: &mut Connection,
    (id, agent): (&str, &str),
    now: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE incident SET state = 'dismissed', decided_by = $2, decided_at = $3,
                             closed_by = $2, closed_at = $3
         WHERE id = $1 AND state = 'suspected'",
    )
    .bind(id)
    .bind(agent)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Closes one that was confirmed; tells whether it was open.
pub async fn close(
    connection: &mut Connection,
    (id, agent): (&str, &str),
    now: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE incident SET state = 'closed', closed_by = $2, closed_at = $3
         WHERE id = $1 AND state = 'confirmed'",
    )
    .bind(id)
    .bind(agent)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Closes all that are open, by nobody.
pub async fn close_all(connection: &mut Connection, at: Millis) -> sqlx::Result<u64> {
    let result =
        sqlx::query("UPDATE incident SET state = 'closed', closed_at = $1 WHERE closed_at IS NULL")
            .bind(at)
            .execute(connection)
            .await?;
    Ok(result.rows_affected())
}
