//! How a database is, looked at from beside: nothing is made, changed or brought up to date.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, Executor, Row};

use super::{OpenError, sqlite_file, sqlite_url};
use crate::clock::Millis;

/// How long to wait for a connection.
const PATIENCE: Duration = Duration::from_secs(4);

/// How a database's tables fit this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// As this program makes them.
    Current,
    /// There are none yet.
    Empty,
    /// So many steps are missing.
    Older(usize),
    /// Steps were taken that this program does not know.
    Newer,
    /// A step broke off, or was another one.
    Broken,
}

/// How a database is.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    /// How its tables fit.
    pub schema: Schema,
    /// The last step that was taken; 0 if none was.
    pub version: i64,
    /// Whether tables can be made and written to.
    pub writable: bool,
    /// The server's own time, where it has one.
    pub time: Option<Millis>,
}

/// The file of a SQLite URL; none for another database.
pub fn file(url: &str) -> Option<PathBuf> {
    sqlite_file(url)
}

/// Looks at a database.
pub async fn examine(url: &str) -> Result<Health, OpenError> {
    sqlx::any::install_default_drivers();
    let file = sqlite_file(url);
    let address = match &file {
        Some(file) => sqlite_url(file),
        None => url.to_owned(),
    };
    let pool = AnyPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .connect(&address)
        .await?;
    let health = look(&pool, file.is_some()).await;
    pool.close().await;
    Ok(health?)
}

async fn look(pool: &AnyPool, sqlite: bool) -> sqlx::Result<Health> {
    let mut connection = pool.acquire().await?;
    if sqlite {
        connection.execute("PRAGMA busy_timeout = 3000").await?;
    }
    let taken = sqlx::query("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
        .fetch_all(&mut *connection)
        .await;
    let taken: Vec<(i64, Vec<u8>)> = match taken {
        Ok(rows) => rows
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<sqlx::Result<_>>()?,
        Err(sqlx::Error::Database(error)) if is_no_table(error.code().as_deref()) => Vec::new(),
        Err(error) => return Err(error),
    };
    let unfinished = if taken.is_empty() {
        0
    } else {
        sqlx::query_scalar("SELECT COUNT(*) FROM _sqlx_migrations WHERE NOT success")
            .fetch_one(&mut *connection)
            .await?
    };
    let time = if sqlite {
        None
    } else {
        let time = sqlx::query_scalar("SELECT CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT)");
        Some(time.fetch_one(&mut *connection).await?)
    };
    drop(connection);
    Ok(Health {
        schema: fits(&taken, unfinished),
        version: taken.last().map_or(0, |(version, _)| *version),
        writable: is_writable(pool, sqlite).await,
        time,
    })
}

fn fits(taken: &[(i64, Vec<u8>)], unfinished: i64) -> Schema {
    let steps = sqlx::migrate!();
    let own: Vec<(i64, &[u8])> = steps
        .iter()
        .map(|step| (step.version, step.checksum.as_ref()))
        .collect();
    if unfinished > 0 {
        return Schema::Broken;
    }
    if taken.is_empty() {
        return Schema::Empty;
    }
    for (version, checksum) in taken {
        match own.iter().find(|(own, _)| own == version) {
            None => return Schema::Newer,
            Some((_, own)) if own != checksum => return Schema::Broken,
            Some(_) => {}
        }
    }
    match own.len() - taken.len().min(own.len()) {
        0 => Schema::Current,
        missing => Schema::Older(missing),
    }
}

/// `no such table` of SQLite, `undefined_table` of PostgreSQL.
fn is_no_table(code: Option<&str>) -> bool {
    matches!(code, Some("1" | "42P01"))
}

/// Makes a table and takes it back.
async fn is_writable(pool: &AnyPool, sqlite: bool) -> bool {
    let begin = if sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
    let Ok(mut transaction) = pool.begin_with(begin).await else {
        return false;
    };
    let made = transaction
        .execute("CREATE TABLE tanya_doctor (probe BIGINT NOT NULL)")
        .await;
    let undone = transaction.rollback().await;
    made.is_ok() && undone.is_ok()
}
