//! Copies of the whole database: how one is written while others write, and whether it is whole.

use sqlx::Executor;

use super::{Backend, Connection};

/// Writes everything that is committed now into a SQLite file, which must be empty. Whoever writes meanwhile is not
/// held up: the copy reads as of its beginning. What was deleted is not in it.
pub async fn write(connection: &mut Connection, path: &str) -> sqlx::Result<()> {
    sqlx::query("VACUUM INTO $1")
        .bind(path)
        .execute(connection)
        .await?;
    Ok(())
}

/// What SQLite finds wrong with a file; nothing if it is whole.
pub async fn faults(connection: &mut Connection) -> sqlx::Result<Vec<String>> {
    let mut found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(20)")
        .fetch_all(connection)
        .await?;
    found.retain(|line| line != "ok");
    Ok(found)
}

/// Has everything that is read until the transaction's end be as of now, and names this moment for `pg_dump`.
pub async fn hold_moment(connection: &mut Connection) -> sqlx::Result<String> {
    connection
        .execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        .await?;
    sqlx::query_scalar("SELECT pg_export_snapshot()")
        .fetch_one(connection)
        .await
}

/// How many messages, tickets, and deliveries that wait there are. On a schema from before tickets there are none.
pub async fn counts(connection: &mut Connection, backend: Backend) -> sqlx::Result<Counts> {
    let mut counts = Counts {
        messages: sqlx::query_scalar("SELECT COUNT(*) FROM message")
            .fetch_one(&mut *connection)
            .await?,
        ..Counts::default()
    };
    if super::schema::has_table(connection, backend, "ticket").await? {
        counts.tickets = sqlx::query_scalar("SELECT COUNT(*) FROM ticket")
            .fetch_one(&mut *connection)
            .await?;
    }
    if super::schema::has_table(connection, backend, "outbox").await? {
        counts.waiting = sqlx::query_scalar("SELECT COUNT(*) FROM outbox WHERE done_at IS NULL")
            .fetch_one(connection)
            .await?;
    }
    Ok(counts)
}

/// What is in a database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages of transcripts.
    pub messages: i64,
    /// Tickets, whatever became of them.
    pub tickets: i64,
    /// Deliveries that wait.
    pub waiting: i64,
}
