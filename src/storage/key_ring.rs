//! Random keys, sealed under the deployment's secret.

use super::Connection;
use crate::clock::Millis;

/// The sealed key of this name.
pub async fn by_name(connection: &mut Connection, name: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT sealed FROM key_ring WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await
}

/// A new key, unless there is one of this name.
pub async fn insert(
    connection: &mut Connection,
    name: &str,
    sealed: &str,
    at: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO key_ring (name, sealed, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(name)
    .bind(sealed)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The same key under another seal.
pub async fn reseal(connection: &mut Connection, name: &str, sealed: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE key_ring SET sealed = $2 WHERE name = $1")
        .bind(name)
        .bind(sealed)
        .execute(connection)
        .await?;
    Ok(())
}
