//! Sign-ins of agents' browsers.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A sign-in as stored.
#[derive(Clone, Debug, FromRow)]
pub struct AgentSessionRow {
    /// The agent.
    pub agent_id: String,
    /// `code` until the second factor was given, then `in`.
    pub step: String,
    /// When it was begun, in Unix milliseconds.
    pub created_at: Millis,
    /// When it was last used.
    pub seen_at: Millis,
}

/// A new sign-in.
pub async fn insert(
    connection: &mut Connection,
    token_hash: &str,
    row: &AgentSessionRow,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO agent_session (token_hash, agent_id, step, created_at, seen_at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(token_hash)
    .bind(&row.agent_id)
    .bind(&row.step)
    .bind(row.created_at)
    .bind(row.seen_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The sign-in that a token opens.
pub async fn by_token(
    connection: &mut Connection,
    token_hash: &str,
) -> sqlx::Result<Option<AgentSessionRow>> {
    sqlx::query_as(
        "SELECT agent_id, step, created_at, seen_at FROM agent_session WHERE token_hash = $1",
    )
    .bind(token_hash)
    .fetch_optional(connection)
    .await
}

/// Notes that a sign-in was used.
pub async fn touch(connection: &mut Connection, token_hash: &str, now: Millis) -> sqlx::Result<()> {
    sqlx::query("UPDATE agent_session SET seen_at = $2 WHERE token_hash = $1")
        .bind(token_hash)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends a sign-in; tells whether it was there.
pub async fn delete(connection: &mut Connection, token_hash: &str) -> sqlx::Result<bool> {
    let result = sqlx::query("DELETE FROM agent_session WHERE token_hash = $1")
        .bind(token_hash)
        .execute(connection)
        .await?;
    Ok(result.rows_affected() == 1)
}

/// Ends every sign-in of an agent.
pub async fn delete_of(connection: &mut Connection, agent_id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM agent_session WHERE agent_id = $1")
        .bind(agent_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends every sign-in of an agent but one.
pub async fn delete_others(
    connection: &mut Connection,
    agent_id: &str,
    token_hash: &str,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM agent_session WHERE agent_id = $1 AND token_hash <> $2")
        .bind(agent_id)
        .bind(token_hash)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends every sign-in of everybody; tells how many.
pub async fn delete_all(connection: &mut Connection) -> sqlx::Result<u64> {
    let result = sqlx::query("DELETE FROM agent_session")
        .execute(connection)
        .await?;
    Ok(result.rows_affected())
}
