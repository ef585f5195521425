//! All SQL and nothing else. One text for SQLite and PostgreSQL; a function does one statement and is named after the
//! fact. Only [`Store`] has the pool.

pub mod conversation;
pub mod feedback;
pub mod message;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyConnection, Executor, Transaction};
use thiserror::Error;

/// A connection to whichever database it is.
pub type Connection = AnyConnection;

/// Why the database cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another server has the file.
    #[error("another `serve` or `demo` runs on {0}; stop it first, or use another database")]
    Taken(PathBuf),
    /// The file or its folder cannot be made.
    #[error("{0} cannot be opened: {1}")]
    File(PathBuf, std::io::Error),
    /// The database refuses.
    #[error("the database cannot be opened: {0}")]
    Database(#[from] sqlx::Error),
    /// A migration fails.
    #[error("the database cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

/// Which database it is; a few statements differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// One file.
    Sqlite,
    /// A server.
    Postgres,
}

/// The database.
pub struct Store {
    pool: AnyPool,
    backend: Backend,
    /// Held for as long as this process is the server on a SQLite file.
    _lock: Option<File>,
}

/// SQLite must not lose a committed row on power loss, must not keep what was deleted, and must wait its turn.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000; PRAGMA secure_delete = ON; \
     PRAGMA trusted_schema = OFF;";

impl Store {
    /// Opens the database as its server, creates what is missing, and brings the schema up to date.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let backend = if url.starts_with("sqlite:") {
            Backend::Sqlite
        } else {
            Backend::Postgres
        };
        let lock = match backend {
            Backend::Sqlite => Some(lock(&sqlite_path(url))?),
            Backend::Postgres => None,
        };
        let url = match backend {
            Backend::Sqlite => format!("sqlite://{}?mode=rwc", sqlite_path(url).display()),
            Backend::Postgres => url.to_owned(),
        };
        let pool = AnyPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if backend == Backend::Sqlite {
                        connection.execute(SQLITE_SETTINGS).await?;
                    }
                    Ok(())
                })
            })
            .connect(&url)
            .await?;
        sqlx::migrate!().run(&pool).await?;
        Ok(Self {
            pool,
            backend,
            _lock: lock,
        })
    }

    /// A connection for reading.
    pub async fn connection(&self) -> sqlx::Result<sqlx::pool::PoolConnection<Any>> {
        self.pool.acquire().await
    }

    /// A transaction that may write. On SQLite it takes its turn at once: one that read first and would write
    /// later fails with "database is locked" under load.
    pub async fn begin(&self) -> sqlx::Result<Transaction<'static, Any>> {
        match self.backend {
            Backend::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await,
            Backend::Postgres => self.pool.begin_with("BEGIN").await,
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> sqlx::Result<()> {
        let mut connection = self.connection().await?;
        connection.execute("SELECT 1").await?;
        Ok(())
    }

    /// Closes all connections when their work is done.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn sqlite_path(url: &str) -> PathBuf {
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    PathBuf::from(rest.split_once('?').map_or(rest, |(path, _)| path))
}

fn lock(database: &Path) -> Result<File, OpenError> {
    let failed = |error| OpenError::File(database.to_owned(), error);
    if let Some(folder) = database.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let file = File::create(PathBuf::from(path)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Taken(database.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
