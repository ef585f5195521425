//! All SQL and nothing else. One text for SQLite and PostgreSQL; a function does one statement and is named after the
//! fact. Only [`Store`] has the pool.

pub mod agent;
pub mod agent_session;
pub mod audit;
pub mod binding;
pub mod canned_reply;
pub mod chat_word;
pub mod conversation;
pub mod data_request;
pub mod disavowal;
pub mod document_link;
pub mod edition;
pub mod erasure;
pub mod feedback;
pub mod hold;
pub mod inbound;
pub mod key_ring;
pub mod lease;
pub mod message;
pub mod outbox;
pub mod pace;
pub mod picture;
pub mod proof;
pub mod proposal;
pub mod purge;
pub mod question;
pub mod report;
pub mod subject;
pub mod tally;
pub mod ticket;
pub mod ticket_event;
pub mod ticket_list;
pub mod ticket_view;
pub mod ticket_word;
pub mod verification;

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;
use sqlx::postgres::PgListener;
use sqlx::{Any, AnyConnection, Executor, Transaction};
use thiserror::Error;

use crate::clock::Millis;

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
    url: String,
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
        Self::open_as(url, true).await
    }

    /// Opens the database beside its server, if there is one, for a command that is done soon.
    pub async fn open_beside(url: &str) -> Result<Self, OpenError> {
        Self::open_as(url, false).await
    }

    async fn open_as(url: &str, server: bool) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let (backend, url, lock) = match sqlite_path(url) {
            Some(path) => {
                let path = path?;
                let lock = server.then(|| lock(&path)).transpose()?;
                let encoded = utf8_percent_encode(&path.to_string_lossy(), PATH).to_string();
                (Backend::Sqlite, format!("sqlite://{encoded}"), lock)
            }
            None => (Backend::Postgres, url.to_owned(), None),
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
        audit::guard(&mut *pool.acquire().await?, backend).await?;
        Ok(Self {
            pool,
            backend,
            url,
            _lock: lock,
        })
    }

    /// Whether no other process can serve on this database.
    pub fn is_alone(&self) -> bool {
        self.backend == Backend::Sqlite
    }

    /// The database server's own time, in Unix milliseconds; none where it has no clock of its own.
    pub async fn time(&self) -> sqlx::Result<Option<Millis>> {
        if self.backend == Backend::Sqlite {
            return Ok(None);
        }
        let mut connection = self.connection().await?;
        let time = sqlx::query_scalar("SELECT CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT)");
        time.fetch_one(&mut *connection).await.map(Some)
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

    /// Tells the other processes on this database, once `transaction` is committed. Where only one process can be
    /// there is nobody to tell.
    pub async fn announce(&self, transaction: &mut Connection, news: &str) -> sqlx::Result<()> {
        if self.backend == Backend::Postgres {
            sqlx::query("SELECT pg_notify($1, $2)")
                .bind(NEWS)
                .bind(news)
                .execute(transaction)
                .await?;
        }
        Ok(())
    }

    /// What other processes announce; none where only one process can be.
    pub async fn news(&self) -> sqlx::Result<Option<News>> {
        if self.backend == Backend::Sqlite {
            return Ok(None);
        }
        let mut listener = PgListener::connect(&self.url).await?;
        listener.listen(NEWS).await?;
        Ok(Some(News { listener }))
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

/// Nothing is ever put off for longer, in milliseconds; what is due later was written before the clock was set back.
const FURTHEST: i64 = 5 * 60_000;

/// The name under which processes tell each other what is new.
const NEWS: &str = "tanya";

/// What other processes announce. A hint: what was said while the line was broken is not said again.
pub struct News {
    listener: PgListener,
}

impl News {
    /// The next announcement; none when the line broke and is open again, so that everything may be new.
    pub async fn next(&mut self) -> sqlx::Result<Option<String>> {
        let heard = self.listener.try_recv().await?;
        Ok(heard.map(|heard| heard.payload().to_owned()))
    }
}

/// What would be read as something else in a URL.
const PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'?').add(b'%');

/// The file that a SQLite URL names, its folder made and its links followed; none for another database.
fn sqlite_path(url: &str) -> Option<Result<PathBuf, OpenError>> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split_once('?').map_or(rest, |(path, _)| path);
    let path = PathBuf::from(percent_decode_str(path).decode_utf8_lossy().into_owned());
    Some(make(&path).map_err(|error| OpenError::File(path, error)))
}

/// Makes the database's file and folder, for this user alone, and returns the file's one true name.
fn make(path: &Path) -> std::io::Result<PathBuf> {
    if path.as_os_str().is_empty() || path.starts_with(":memory:") {
        let reason = "a database in memory would be lost with the process; name a file";
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            reason,
        ));
    }
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600).open(path)?;
    path.canonicalize()
}

fn lock(database: &Path) -> Result<File, OpenError> {
    let failed = |error| OpenError::File(database.to_owned(), error);
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let file = File::create(PathBuf::from(path)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Taken(database.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
