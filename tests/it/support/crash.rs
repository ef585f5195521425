//! A program that is killed again and again: at random moments, and at named points of its work, at which whoever it
//! talks to holds it until it is dead. `TANYA_TEST_CRASHES` says how often at random; `scripts/crash` does it many more times.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::bot_api::{self, BotApi};
use super::mail_server::{self, MailServer, Verb};
use super::process::{Process, tanya};
use super::{Database, SECRET_KEY};

/// Longer than anybody is held.
const HELD: Duration = Duration::from_secs(60);
/// How long it may take until somebody comes by a point.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many wait for the lock of a table.
const WAITING: &str = "SELECT COUNT(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE NOT granted AND relation = $1::regclass AND datname = current_database()";

/// How many of the program's connections the server still serves.
const ALIVE: &str = "SELECT COUNT(*) FROM pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()";

/// Updates that were being handled when the program was killed, and still have to be.
const CUT_OFF: &str = "SELECT COUNT(*) FROM inbound WHERE settled_at IS NULL AND cut_off > 0";

/// A point of the work.
#[derive(Clone)]
pub enum Point {
    /// A transaction is about to write to this table; what it may have written before is not committed. On PostgreSQL
    /// only.
    Write(&'static str),
    /// The mail server has heard this and has not answered yet; a whole mail it keeps.
    Mail(MailServer, Verb),
    /// Telegram has done what it was asked, and has not answered yet.
    Telegram(BotApi, &'static str),
}

/// Everything that a mail server hears which asks nobody for a password.
pub const VERBS: [Verb; 7] = [
    Verb::Connect,
    Verb::Ehlo,
    Verb::Mail,
    Verb::Rcpt,
    Verb::Data,
    Verb::Body,
    Verb::Quit,
];

impl Point {
    /// The points of these tables, where there is a lock for a table.
    pub fn writes(database: &Database, tables: &[&'static str]) -> Vec<Self> {
        match database {
            Database::Sqlite => Vec::new(),
            Database::Postgres(_) => tables.iter().map(|table| Self::Write(table)).collect(),
        }
    }

    /// Kills the program when it has come to this point.
    async fn befall(&self, process: &mut Process, database: &Database) {
        match self {
            Self::Write(table) => {
                let mut locked = LockedTable::of(database, table).await;
                locked.until_met(1).await;
                process.kill();
                locked.open().await;
            }
            Self::Mail(server, verb) => {
                server.fault_times(*verb, mail_server::Fault::Slow(HELD), 1);
                until(&format!("{verb:?}"), async || server.is_spent()).await;
                process.kill();
                server.clear();
            }
            Self::Telegram(telegram, method) => {
                let before = telegram.held();
                telegram.fail(method, bot_api::Fault::Slow(HELD), 1);
                until(method, async || telegram.held() > before).await;
                process.kill();
                telegram.heal();
            }
        }
    }
}

/// A table of a PostgreSQL that nobody can write to.
pub struct LockedTable {
    connection: PgConnection,
    table: &'static str,
}

impl LockedTable {
    pub async fn of(database: &Database, table: &'static str) -> Self {
        Self {
            connection: database.locked(table).await,
            table,
        }
    }

    /// Waits until so many transactions stand before it.
    pub async fn until_met(&mut self, by: i64) {
        until(self.table, async || {
            let waiting = sqlx::query_scalar::<_, i64>(WAITING).bind(self.table);
            waiting.fetch_one(&mut self.connection).await.unwrap() >= by
        })
        .await;
    }

    /// Opens it, once the program was killed: what that had begun ends now, one way or the other.
    pub async fn open(mut self) {
        let connection = &mut self.connection;
        sqlx::query("ROLLBACK")
            .execute(&mut *connection)
            .await
            .unwrap();
        until("the end", async || {
            let alive = sqlx::query_scalar::<_, i64>(ALIVE);
            alive.fetch_one(&mut *connection).await.unwrap() == 0
        })
        .await;
        self.connection.close().await.unwrap();
    }
}

async fn until(what: &str, mut there: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !there().await {
        assert!(begun.elapsed() < PATIENCE, "nobody came by {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What a story is about.
pub enum Moments {
    /// Any moment.
    Random,
    /// The points of its work, one after another.
    Points,
}

/// When the program is killed.
pub enum Crashes {
    /// So often, each within so long after it was ready.
    Random { times: usize, within: Duration },
    /// At each of these points.
    At(Vec<Point>),
}

impl Crashes {
    /// As often as is asked for, or else a few times, at random.
    pub fn new(few: usize, within: Duration) -> Self {
        let asked = std::env::var("TANYA_TEST_CRASHES").ok();
        Self::Random {
            times: asked.map_or(few, |asked| asked.parse().unwrap()),
            within,
        }
    }

    /// How often.
    pub fn times(&self) -> usize {
        match self {
            Self::Random { times, .. } => *times,
            Self::At(points) => points.len(),
        }
    }

    /// Kills the program and starts it again; `meanwhile` is what happens while nobody is there.
    pub async fn befall(
        &self,
        process: &mut Process,
        (database, folder): (&Database, &Path),
        mut meanwhile: impl AsyncFnMut(),
    ) {
        let mut random = Uuid::new_v4().as_u128();
        for crash in 0..self.times() {
            match self {
                Self::Random { within, .. } => {
                    // From the middle of starting to a while of work.
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    let wait = (random >> 64) % within.as_millis();
                    tokio::time::sleep(Duration::from_millis(wait as u64)).await;
                    process.kill();
                }
                Self::At(points) => {
                    // An update that was being handled at five kills would be given up, as one that kills.
                    until("what was cut off", async || {
                        database.count(folder, CUT_OFF).await == 0
                    })
                    .await;
                    points[crash].befall(process, database).await;
                }
            }
            meanwhile().await;
            process.again(folder).await;
            if crash % 20 == 19 {
                eprintln!("{} crashes", crash + 1);
            }
        }
    }
}

/// Checks the audit record with the command that an operator has.
pub fn the_record_is_whole(folder: &Path, url: &str) {
    let settings = [
        ("TANYA_DATABASE_URL", url),
        ("TANYA_SECRET_KEY", SECRET_KEY),
        ("TANYA_LOG", "error"),
    ];
    let mut command = tanya(folder, &["audit", "verify"], &settings);
    assert!(command.status().unwrap().success(), "the record is broken");
}

/// What a killed process had claimed is free minutes later, where others could be at work on it: they are over.
pub async fn leases_end(database: &Database, folder: &Path) {
    if *database == Database::Sqlite {
        return;
    }
    for statement in [
        "UPDATE outbox SET due_at = created_at WHERE done_at IS NULL",
        "UPDATE inbound SET due_at = received_at WHERE settled_at IS NULL",
        "DELETE FROM lease WHERE name NOT LIKE 'once %'",
    ] {
        database.execute(folder, statement).await;
    }
}
