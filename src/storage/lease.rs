//! What only one process may do at a time.

use super::Connection;
use crate::clock::Millis;

/// Takes or keeps the lease `name` until `until`, if nobody else holds it; tells whether it is held.
pub async fn take(
    connection: &mut Connection,
    name: &str,
    holder: &str,
    now: Millis,
    until: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "INSERT INTO lease (name, holder, until) VALUES ($1, $2, $4)
         ON CONFLICT (name) DO UPDATE SET holder = $2, until = $4
         WHERE lease.holder = $2 OR lease.until <= $3",
    )
    .bind(name)
    .bind(holder)
    .bind(now)
    .bind(until)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Gives the lease back, so that another process need not wait for its end.
pub async fn give_back(connection: &mut Connection, name: &str, holder: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM lease WHERE name = $1 AND holder = $2")
        .bind(name)
        .bind(holder)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends all leases: whoever held them is gone. Marks of what was done once stay.
pub async fn take_over(connection: &mut Connection) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM lease WHERE name NOT LIKE 'once %'")
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes a lease that nobody ever had; tells whether this was the first time. Its name begins with `once`.
pub async fn take_once(
    connection: &mut Connection,
    name: &str,
    holder: &str,
    until: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "INSERT INTO lease (name, holder, until) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
    )
    .bind(name)
    .bind(holder)
    .bind(until)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Who holds the lease of this name, or held it last.
pub async fn holder(connection: &mut Connection, name: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT holder FROM lease WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await
}
