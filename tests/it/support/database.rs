//! A database of a test's own.
#![expect(
    clippy::disallowed_methods,
    reason = "database and table names cannot be bound"
)]

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use uuid::Uuid;

/// Where the throw-away PostgreSQL is: `postgres://user@host:port/postgres`, with the right to create databases.
const POSTGRES: &str = "TANYA_TEST_POSTGRES";

/// Which database, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres(String),
}

impl Database {
    pub fn sqlite() -> Self {
        Self::Sqlite
    }

    /// A new database on the throw-away server. On a machine where everything must run its absence is a failure.
    pub async fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var(POSTGRES) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "{POSTGRES} is not set, and here everything must run"
            );
            eprintln!("skipped: {POSTGRES} is not set (scripts/test sets it)");
            return None;
        };
        let name = format!("tanya_{}", Uuid::new_v4().simple());
        let mut connection = PgConnection::connect(&server).await.unwrap();
        let statement = format!("CREATE DATABASE {name}");
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
        let (host, _) = server.rsplit_once('/').unwrap();
        Some(Self::Postgres(format!("{host}/{name}")))
    }

    /// SQLite, and PostgreSQL where there is one.
    pub async fn both() -> Vec<Self> {
        let postgres = Self::postgres().await;
        std::iter::once(Self::sqlite()).chain(postgres).collect()
    }

    pub fn url(&self, folder: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite://{}", folder.join("data/tanya.db").display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// Does something to the database behind the program's back.
    pub async fn execute(&self, folder: &Path, statement: &'static str) {
        sqlx::any::install_default_drivers();
        let url = self.url(folder);
        let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
        connection.execute(statement).await.unwrap();
        connection.close().await.unwrap();
    }

    /// A connection of the story's own to a PostgreSQL.
    pub async fn connection(&self) -> PgConnection {
        let Self::Postgres(url) = self else {
            panic!("SQLite has no server");
        };
        PgConnection::connect(url).await.unwrap()
    }

    /// A connection that keeps everybody from writing to a table until it is closed, on PostgreSQL.
    pub async fn locked(&self, table: &str) -> PgConnection {
        let mut connection = self.connection().await;
        let lock = format!("BEGIN; LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE");
        connection.execute(AssertSqlSafe(lock)).await.unwrap();
        connection
    }

    /// The number that a statement finds.
    pub async fn count(&self, folder: &Path, statement: &'static str) -> i64 {
        sqlx::any::install_default_drivers();
        let url = self.url(folder);
        // Where another process closes the same file at this moment, SQLite cannot read it: it is asked again.
        for _ in 0..20 {
            let count = async {
                let mut connection = sqlx::AnyConnection::connect(&url).await?;
                let count = sqlx::query_scalar(statement).fetch_one(&mut connection);
                let count = count.await;
                connection.close().await?;
                count
            };
            match count.await {
                Ok(count) => return count,
                Err(error) => eprintln!("{statement}: {error}"),
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{statement} cannot be asked");
    }

    /// The text that a statement finds.
    pub async fn text(&self, folder: &Path, statement: &'static str) -> String {
        let mut connection = sqlx::AnyConnection::connect(&self.url(folder))
            .await
            .unwrap();
        let text = sqlx::query_scalar(statement);
        let text = text.fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        text
    }

    /// Everything that is stored, as text: what must never be stored can be looked for in it.
    pub async fn dump(&self, folder: &Path) -> String {
        match self {
            Self::Sqlite => {
                let mut everything = String::new();
                for entry in std::fs::read_dir(folder.join("data")).unwrap() {
                    let path = entry.unwrap().path();
                    // What the demo tells programs about itself is no database.
                    if path
                        .extension()
                        .is_some_and(|extension| extension == "json")
                    {
                        continue;
                    }
                    // Read by another process: to open and close the file in this one would drop the locks of its
                    // own connections (POSIX), and whoever comes from outside would take the file to be free.
                    let read = std::process::Command::new("cat").arg(path).output();
                    everything.push_str(&String::from_utf8_lossy(&read.unwrap().stdout));
                }
                everything
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                let mut everything = String::new();
                for table in [
                    "conversation",
                    "message",
                    "feedback",
                    "inbound",
                    "outbox",
                    "pace",
                    "lease",
                    "key_ring",
                    "tally",
                    "verification",
                    "proof",
                    "binding",
                    "document_link",
                    "disavowal",
                    "ticket",
                    "ticket_event",
                    "ticket_word",
                    "chat_word",
                    "system_state",
                    "outage",
                    "outage_subscription",
                    "incident",
                    "trouble_report",
                    "announcement",
                    "announcement_subscription",
                    "announcement_delivery",
                    "audit",
                    "picture",
                    "question_dismissed",
                    "knowledge_proposal",
                    "legal_hold",
                    "held",
                    "data_request",
                ] {
                    let rows = format!("SELECT t::text FROM {table} t");
                    let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(rows))
                        .fetch_all(&mut connection)
                        .await
                        .unwrap();
                    everything.push_str(&rows.join("\n"));
                }
                everything
            }
        }
    }
}
