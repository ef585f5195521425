//! What each source said last of each system.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// What a source said last of a system.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct SystemStateRow {
    /// `sistem` or `portal`.
    pub system: String,
    /// `status` or `probe`.
    pub source: String,
    /// `unknown`, `up`, `down` or `maintenance`.
    pub state: String,
    /// What the source adds, for people.
    pub note: String,
    /// Since when it is so, in Unix milliseconds.
    pub since: Millis,
    /// When it was last looked at.
    pub checked_at: Millis,
    /// Sightings in a row that speak against the state.
    pub differing: i64,
    /// When the first of them was.
    pub differs_at: Millis,
}

/// Everything that is known.
pub async fn all(connection: &mut Connection) -> sqlx::Result<Vec<SystemStateRow>> {
    sqlx::query_as(
        "SELECT system, source, state, note, since, checked_at, differing, differs_at
         FROM system_state ORDER BY system, source",
    )
    .fetch_all(connection)
    .await
}

/// Writes what a source says, in place of what it said before.
pub async fn put(connection: &mut Connection, row: &SystemStateRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO system_state
             (system, source, state, note, since, checked_at, differing, differs_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (system, source) DO UPDATE
         SET state = $3, note = $4, since = $5, checked_at = $6, differing = $7, differs_at = $8",
    )
    .bind(&row.system)
    .bind(&row.source)
    .bind(&row.state)
    .bind(&row.note)
    .bind(row.since)
    .bind(row.checked_at)
    .bind(row.differing)
    .bind(row.differs_at)
    .execute(connection)
    .await?;
    Ok(())
}
