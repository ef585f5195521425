//! All SQL and nothing else. One text for SQLite and PostgreSQL; a function does one statement and is named after the
//! fact. Only [`Store`] has the pool.

pub mod agent;
pub mod agent_session;
pub mod announcement;
pub mod audit;
pub mod binding;
pub mod canned_reply;
pub mod chat_word;
pub mod conversation;
pub mod copy;
pub mod data_request;
pub mod disavowal;
pub mod document_link;
pub mod edition;
pub mod erasure;
pub mod feedback;
pub mod figures;
pub mod health;
pub mod hold;
pub mod inbound;
pub mod incident;
pub mod key_ring;
pub mod lease;
pub mod message;
pub mod outage;
pub mod outbox;
pub mod pace;
pub mod picture;
pub mod proof;
pub mod proposal;
pub mod purge;
pub mod question;
pub mod report;
pub mod schema;
pub mod sealed;
pub mod subject;
pub mod system_state;
pub mod tally;
pub mod ticket;
pub mod ticket_event;
pub mod ticket_list;
pub mod ticket_view;
pub mod ticket_word;
pub mod trouble_report;
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
    #[error("the database cannot be brought up to date, and is as it was: {0}")]
    Migration(sqlx::migrate::MigrateError),
    /// A newer program was here.
    #[error(
        "the database was brought up to migration {found} by a newer version of this program, which knows {known} only; start the newer version, or restore a backup from before the upgrade"
    )]
    Newer {
        /// The migration that is not known.
        found: i64,
        /// The newest one that is.
        known: i64,
    },
    /// There is no database.
    #[error("{0} is not there")]
    Missing(PathBuf),
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

/// A copy is looked at, not changed; what its schema says is not believed.
const COPY_SETTINGS: &str = "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;";

impl Store {
    /// Opens the database as its server, creates what is missing, and brings the schema up to date.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        Ok(Self::open_as(url, true).await?.0)
    }

    /// Opens the database beside its server, if there is one, for a command that is done soon.
    pub async fn open_beside(url: &str) -> Result<Self, OpenError> {
        Ok(Self::open_as(url, false).await?.0)
    }

    /// Opens the database as it is, which must be there: nothing is created or brought up to date.
    pub async fn open_as_it_is(url: &str) -> Result<Self, OpenError> {
        let Some(path) = sqlite_file(url) else {
            return Self::connect(Backend::Postgres, url.to_owned(), SQLITE_SETTINGS).await;
        };
        if std::fs::metadata(&path).map_or(0, |file| file.len()) == 0 {
            return Err(OpenError::Missing(path));
        }
        Self::connect(Backend::Sqlite, sqlite_url(&path), SQLITE_SETTINGS).await
    }

    /// Opens a SQLite file that nobody writes to, for reading only.
    pub async fn open_copy(path: &Path) -> Result<Self, OpenError> {
        if !path.is_file() {
            return Err(OpenError::Missing(path.to_owned()));
        }
        let url = format!("{}?mode=ro&immutable=1", sqlite_url(path));
        Self::connect(Backend::Sqlite, url, COPY_SETTINGS).await
    }

    /// Brings the schema up to date, beside a server or without one; tells what was applied.
    pub async fn migrate(url: &str) -> Result<Vec<schema::Applied>, OpenError> {
        let (store, applied) = Self::open_as(url, false).await?;
        store.close().await;
        Ok(applied)
    }

    async fn open_as(url: &str, server: bool) -> Result<(Self, Vec<schema::Applied>), OpenError> {
        let (backend, url, lock) = match sqlite_file(url) {
            Some(path) => {
                let made = make(&path).map_err(|error| OpenError::File(path, error))?;
                let lock = server.then(|| lock(&made)).transpose()?;
                (Backend::Sqlite, sqlite_url(&made), lock)
            }
            None => (Backend::Postgres, url.to_owned(), None),
        };
        let mut store = Self::connect(backend, url, SQLITE_SETTINGS).await?;
        store._lock = lock;
        let mut connection = store.connection().await?;
        let applied = schema::bring_up_to_date(&mut connection, backend).await?;
        audit::guard(&mut connection, backend).await?;
        drop(connection);
        Ok((store, applied))
    }

    async fn connect(
        backend: Backend,
        url: String,
        settings: &'static str,
    ) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let pool = AnyPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if backend == Backend::Sqlite {
                        connection.execute(settings).await?;
                    }
                    Ok(())
                })
            })
            .connect(&url)
            .await?;
        Ok(Self {
            pool,
            backend,
            url,
            _lock: None,
        })
    }

    /// Which database it is.
    pub fn backend(&self) -> Backend {
        self.backend
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

    /// How many connections are open, and how many of them are in use.
    pub fn connections(&self) -> (usize, usize) {
        let open = usize::try_from(self.pool.size()).unwrap_or_default();
        (open, open.saturating_sub(self.pool.num_idle()))
    }

    /// Where the database is; it may hold a password.
    pub fn url(&self) -> &str {
        &self.url
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

/// The file that a SQLite URL names; none for another database.
pub fn sqlite_file(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split_once('?').map_or(rest, |(path, _)| path);
    Some(PathBuf::from(
        percent_decode_str(path).decode_utf8_lossy().into_owned(),
    ))
}

/// The URL of a SQLite file.
pub fn sqlite_url(path: &Path) -> String {
    let encoded = utf8_percent_encode(&path.to_string_lossy(), PATH).to_string();
    format!("sqlite://{encoded}")
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

/// Keeps servers off a SQLite file for as long as this is held.
pub fn lock(database: &Path) -> Result<File, OpenError> {
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
