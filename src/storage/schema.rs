//! The schema: which migrations this program has, which of them a database has. Forward only, each in a transaction
//! of its own, so that one that fails leaves the database as it was. A database that a newer program has brought further is
//! refused.

use sqlx::migrate::Migrator;

use super::{Backend, Connection, OpenError};

/// The migrations, in order.
static MIGRATIONS: Migrator = sqlx::migrate!();

/// A migration that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its number.
    pub version: i64,
    /// What it is about.
    pub name: String,
}

/// The number of the newest migration that this program has.
pub fn newest() -> i64 {
    MIGRATIONS
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0)
}

/// Applies what is missing; tells what that was.
pub async fn bring_up_to_date(
    connection: &mut Connection,
    backend: Backend,
) -> Result<Vec<Applied>, OpenError> {
    let before = version(connection, backend).await?;
    is_known(before)?;
    let run = MIGRATIONS.run(&mut *connection).await;
    run.map_err(OpenError::Migration)?;
    let applied = MIGRATIONS.iter().filter(|it| it.version > before);
    let applied = applied.map(|migration| Applied {
        version: migration.version,
        name: migration.description.to_string(),
    });
    Ok(applied.collect())
}

/// Refuses a version that only a newer program has.
pub fn is_known(version: i64) -> Result<(), OpenError> {
    match version > newest() {
        true => Err(OpenError::Newer {
            found: version,
            known: newest(),
        }),
        false => Ok(()),
    }
}

/// The newest migration that a database has; 0 if it has none.
pub async fn version(connection: &mut Connection, backend: Backend) -> sqlx::Result<i64> {
    if !has_table(connection, backend, "_sqlx_migrations").await? {
        return Ok(0);
    }
    sqlx::query_scalar("SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM _sqlx_migrations")
        .fetch_one(connection)
        .await
}

/// Whether there is a table of this name.
pub async fn has_table(
    connection: &mut Connection,
    backend: Backend,
    name: &str,
) -> sqlx::Result<bool> {
    const SQLITE: &str = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1";
    const POSTGRES: &str = "SELECT COUNT(*) FROM information_schema.tables
         WHERE table_schema = current_schema() AND table_name = $1";
    let count: i64 = match backend {
        Backend::Sqlite => sqlx::query_scalar(SQLITE),
        Backend::Postgres => sqlx::query_scalar(POSTGRES),
    }
    .bind(name)
    .fetch_one(connection)
    .await?;
    Ok(count > 0)
}

/// How many tables there are.
pub async fn tables(connection: &mut Connection, backend: Backend) -> sqlx::Result<i64> {
    const SQLITE: &str = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'";
    const POSTGRES: &str =
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema()";
    match backend {
        Backend::Sqlite => sqlx::query_scalar(SQLITE),
        Backend::Postgres => sqlx::query_scalar(POSTGRES),
    }
    .fetch_one(connection)
    .await
}
