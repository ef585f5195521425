//! Upgrades: every schema that there ever was is brought up to date with everything in it; one that fails changes nothing;
//! what a newer program did is refused at the start and borne while running.
#![expect(
    clippy::disallowed_methods,
    reason = "the statements of migrations are cut apart, and table names cannot be bound"
)]

use std::borrow::Cow;
use std::path::Path;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, SqlSafeStr};
use tanya::audit::{Audit, Entry, Event};
use tanya::clock::Clock;
use tanya::key_ring::KeyRing;
use tanya::secret::{RandomKey, SecretKey};
use tanya::storage::{OpenError, Store, key_ring};

use crate::audit::beside;
use crate::support::{Database, SECRET_KEY, TestApp};

/// Rows of every table, by the migration that brought it; each in the shape that it had then.
const ROWS: [(i64, &[&str]); 9] = [
    (
        1,
        &[
            "INSERT INTO conversation (id, channel, token_hash, language, state, version, last_seq, created_at, active_at) VALUES ('c1', 'web', 'hash', 'en', '{}', 3, 2, 1000, 2000)",
            "INSERT INTO message (conversation_id, seq, sender, client_id, body, created_at) VALUES ('c1', 1, 'user', 'id1', '{\"kind\":\"text\",\"text\":\"lama\"}', 1500)",
            "INSERT INTO message (conversation_id, seq, sender, reply_to, body, outcome, confidence_ppm, created_at) VALUES ('c1', 2, 'bot', 1, '{\"kind\":\"text\",\"text\":\"jawapan\"}', 'answer', 900000, 1600)",
            "INSERT INTO feedback (conversation_id, seq, vote, created_at) VALUES ('c1', 2, 'helpful', 1700)",
        ],
    ),
    (
        2,
        &[
            "INSERT INTO inbound (source, number, lane, attempts, received_at, due_at, leased, settled_at, outcome) VALUES ('bot', 7, 'l', 1, 1, 1, 0, 2, 'handled')",
            "INSERT INTO outbox (id, carrier, lane, conversation_id, seq, parts, attempts, created_at, due_at) VALUES ('o1', 'nobody', 'l', 'c1', 2, 0, 0, 1, 1)",
            "INSERT INTO outbox (id, carrier, lane, conversation_id, seq, parts, attempts, created_at, due_at, done_at, outcome) VALUES ('o2', 'telegram', 'l', 'c1', 2, 1, 1, 1, 1, 2, 'sent')",
            "INSERT INTO pace (key, free_at, paused_until, reached_at) VALUES ('p', 1, 0, 1)",
        ],
    ),
    (
        3,
        &[
            "INSERT INTO tally (key, recent, touched_at) VALUES ('t', '[]', 1)",
            "INSERT INTO verification (id, conversation_id, channel, chat, token_hash, request, language, created_at, expires_at, sends, tries) VALUES ('v1', 'c1', 'web', 'c', 'h', '{}', 'ms', 1, 2, 0, 0)",
            "INSERT INTO proof (id, conversation_id, channel, kind, subject, last4, person, address_mark, proved_at, used_at) VALUES ('p1', 'c1', 'web', 'staff', 's', '5123', 'x', 'm', 1, 1)",
            "INSERT INTO binding (id, channel, contact, kind, subject, last4, person, number, address_mark, bound_at, expires_at, checked_at) VALUES ('b1', 'telegram', '9', 'staff', 's', '5123', 'x', 'x', 'm', 1, 2, 1)",
            "INSERT INTO document_link (id, conversation_id, proof_id, seq, token_hash, document, period, created_at, expires_at) VALUES ('d1', 'c1', 'p1', 2, 'h', 'slip-gaji', '2026-10', 1, 2)",
            "INSERT INTO disavowal (id, token_hash, subject, created_at) VALUES ('w1', 'h', 's', 1)",
            "INSERT INTO ticket (number, conversation_id, queue, topic, status, created_at, updated_at) VALUES ('TK-2026-000001-7', 'c1', 'teknikal', 'daftar', 'open', 1, 1)",
            "INSERT INTO ticket_serial (year, last) VALUES (2026, 1)",
        ],
    ),
    (
        4,
        &[
            "INSERT INTO ticket_event (id, number, at, agent, kind, text) VALUES ('e1', 'TK-2026-000001-7', 1, '', 'opened', '')",
            "INSERT INTO ticket_word (word, number) VALUES ('w', 'TK-2026-000001-7')",
            "INSERT INTO agent (id, username, name, role, language, created_at) VALUES ('a1', 'salmah', 'Puan Salmah', 'supervisor', 'ms', 1)",
            "INSERT INTO agent_session (token_hash, agent_id, step, created_at, seen_at) VALUES ('h', 'a1', 'in', 1, 1)",
            "INSERT INTO ticket_view (number, agent_id, seen_at) VALUES ('TK-2026-000001-7', 'a1', 1)",
            "INSERT INTO canned_reply (id, title, text_ms, text_en, updated_at) VALUES ('k1', 't', 'ms', 'en', 1)",
            "INSERT INTO edition (file, number, base, text, author, reason, created_at) VALUES ('other.yaml', 1, 'b', 't', 'a', 'r', 1)",
        ],
    ),
    (
        5,
        &["INSERT INTO chat_word (conversation_id, day, words, seq) VALUES ('c1', 1, 'w', 1)"],
    ),
    (
        6,
        &[
            "INSERT INTO picture (id, conversation_id, seq, kind, size, sealed, created_at) VALUES ('q1', 'c1', 1, 'png', 1, 'x', 1)",
        ],
    ),
    (
        7,
        &[
            "INSERT INTO knowledge_proposal (id, entry, text, asked, author, created_at, state, decided_by, reason, file) VALUES ('n1', 'e', 't', 'a', 'a1', 1, 'proposed', '', '', '')",
            "INSERT INTO question_dismissed (id, text, agent, dismissed_at) VALUES ('z1', 't', 'a1', 1)",
        ],
    ),
    (
        10,
        &[
            "INSERT INTO legal_hold (id, kind, key, last4, reason, agent, placed_at, lifted_by) VALUES ('l1', 'chat', 'c1', '', 'r', 'a1', 1, '')",
            "INSERT INTO held (kind, key, hold_id) VALUES ('conversation', 'c1', 'l1')",
            "INSERT INTO data_request (id, kind, subject, last4, number, reason, agent, filed_at, state, decided_by, note, done_by) VALUES ('r1', 'export', 's', '5123', 'x', 'r', 'a1', 1, 'filed', '', '', '')",
        ],
    ),
    (
        12,
        &[
            "INSERT INTO system_state (system, source, state, note, since, checked_at, differing, differs_at) VALUES ('portal', 'probe', 'up', '', 1, 1, 0, 0)",
            "INSERT INTO outage (id, system, state, note, word, began_at, seen_at, ended_at) VALUES ('u1', 'portal', 'down', '', 'probe', 1, 1, 2)",
            "INSERT INTO outage_subscription (outage_id, conversation_id, created_at, settled_at, outcome) VALUES ('u1', 'c1', 1, 2, 'told')",
            "INSERT INTO incident (id, system, state, ticket, opened_at, decided_by, closed_by, closed_at) VALUES ('i1', 'portal', 'closed', 'TK-2026-000001-7', 1, 'a1', 'a1', 2)",
            "INSERT INTO trouble_report (id, system, conversation_id, channel, reporter, network, factor, department, reported_at, incident_id) VALUES ('x1', 'portal', 'c1', 'web', 'p', 'n', 1, 'JKR', 1, 'i1')",
            "INSERT INTO announcement_subscription (conversation_id, created_at) VALUES ('c1', 1)",
            "INSERT INTO announcement (id, text_ms, text_en, banner, shows_from, shows_until, author, created_at, sent_at) VALUES ('m1', 'ms', 'en', 'no', 1, 2, 'a1', 1, 1)",
            "INSERT INTO announcement_delivery (announcement_id, conversation_id, seq, settled_at, outcome) VALUES ('m1', 'c1', 1, 2, 'told')",
        ],
    ),
];

fn secret() -> SecretKey {
    SecretKey::parse(SECRET_KEY).unwrap()
}

fn released() -> Vec<Migration> {
    sqlx::migrate!().iter().cloned().collect()
}

/// A migration of ours to be, of these statements.
fn next(version: i64, statements: &str) -> Migration {
    Migration::new(
        version,
        Cow::Borrowed("next"),
        MigrationType::Simple,
        AssertSqlSafe(statements.to_owned()).into_sql_str(),
        false,
    )
}

async fn connect(database: &Database, folder: &Path) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let mut url = database.url(folder);
    if matches!(database, Database::Sqlite) {
        std::fs::create_dir_all(folder.join("data")).unwrap();
        url.push_str("?mode=rwc");
    }
    AnyConnection::connect(&url).await.unwrap()
}

async fn apply(
    connection: &mut AnyConnection,
    migrations: Vec<Migration>,
) -> Result<(), sqlx::migrate::MigrateError> {
    let migrator = Migrator::with_migrations(migrations);
    let run = migrator.run_direct(None, connection, false).await;
    // A server keeps its lock until whoever took it is gone, or gives it back.
    let _ = connection.execute("SELECT pg_advisory_unlock_all()").await;
    run
}

/// Rows as a program of that time wrote them.
async fn fill(connection: &mut AnyConnection, version: i64) {
    let rows = ROWS.iter().filter(|(since, _)| *since <= version);
    for statement in rows.flat_map(|(_, statements)| *statements) {
        // Since the second migration a conversation says how fast it may write.
        let conversation = statement.starts_with("INSERT INTO conversation") && version >= 2;
        let statement = match conversation {
            true => statement
                .replace("last_seq,", "last_seq, calm_at,")
                .replace("3, 2, 1000", "3, 2, 0, 1000"),
            false => (*statement).to_owned(),
        };
        let done = connection.execute(AssertSqlSafe(statement.clone())).await;
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    if version < 3 {
        return;
    }
    let text = RandomKey::make();
    let sealed = secret().sealer("key ring").seal("audit", &text).unwrap();
    key_ring::insert(connection, "audit", &sealed, 1)
        .await
        .unwrap();
    let audit = Audit::new(RandomKey::parse(&text).unwrap());
    for at in 0..3 {
        let entry = Entry::new(Event::LinkOpened, "opened");
        audit.record(connection, entry, at).await.unwrap();
    }
}

/// Everything that was filled in, table by table.
async fn found(connection: &mut AnyConnection, version: i64) -> Vec<(String, i64)> {
    let rows = ROWS.iter().filter(|(since, _)| *since <= version);
    let mut found = Vec::new();
    for statement in rows.flat_map(|(_, statements)| *statements) {
        let table = statement.split_whitespace().nth(2).unwrap().to_owned();
        let count = format!("SELECT COUNT(*) FROM {table}");
        let count = sqlx::query_scalar(AssertSqlSafe(count));
        found.push((table, count.fetch_one(&mut *connection).await.unwrap()));
    }
    found
}

async fn every_schema_is_upgraded(database: impl AsyncFn() -> Database) {
    for migration in released() {
        let version = migration.version;
        let database = database().await;
        let folder = tempfile::tempdir().unwrap();
        let mut connection = connect(&database, folder.path()).await;
        let before = released().into_iter().filter(|it| it.version <= version);
        apply(&mut connection, before.collect()).await.unwrap();
        fill(&mut connection, version).await;
        let rows = found(&mut connection, version).await;
        connection.close().await.unwrap();
        let url = database.url(folder.path());
        let applied = Store::migrate(&url).await.unwrap();
        let later = released().iter().filter(|it| it.version > version).count();
        assert_eq!(applied.len(), later);
        let mut connection = connect(&database, folder.path()).await;
        assert_eq!(found(&mut connection, version).await, rows, "{version}");
        connection.close().await.unwrap();

        // The program works on it.
        let app = TestApp::start(Database::sqlite(), &[("TANYA_DATABASE_URL", &url)]).await;
        app.begin().await.say("salam").await;
        app.stop().await;
        let store = Store::open(&url).await.unwrap();
        let keys = KeyRing::open(&store, &secret(), &Clock::shifted(0)).await;
        let end = Audit::new(keys.unwrap().audit).verify(&store, None).await;
        assert!(end.unwrap().seq >= if version < 3 { 0 } else { 3 });
        store.close().await;
    }
}

/// What every database has besides: the record, its keys, and what is written by the way.
const OTHERS: [&str; 6] = [
    "_sqlx_migrations",
    "audit",
    "audit_head",
    "audit_start",
    "key_ring",
    "lease",
];

#[tokio::test]
async fn every_table_has_a_row_that_is_upgraded() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::sqlite();
    let mut connection = connect(&database, folder.path()).await;
    apply(&mut connection, released()).await.unwrap();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let tables: Vec<String> = sqlx::query_scalar(tables)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let filled: Vec<&str> = ROWS
        .iter()
        .flat_map(|(_, statements)| *statements)
        .filter_map(|statement| statement.split_whitespace().nth(2))
        .collect();
    let forgotten: Vec<&String> = tables
        .iter()
        .filter(|table| !filled.contains(&table.as_str()) && !OTHERS.contains(&table.as_str()))
        .collect();
    assert!(forgotten.is_empty(), "{forgotten:?}");
}

#[tokio::test]
async fn ac_107_every_released_schema_is_upgraded_with_its_rows_on_sqlite() {
    every_schema_is_upgraded(async || Database::sqlite()).await;
}

#[tokio::test]
async fn ac_107_every_released_schema_is_upgraded_with_its_rows_on_postgres() {
    if Database::postgres().await.is_some() {
        every_schema_is_upgraded(async || Database::postgres().await.unwrap()).await;
    }
}

/// The statements of a migration, one by one.
fn statements(migration: &Migration) -> Vec<String> {
    let lines = migration.sql.as_str().lines();
    let code: Vec<&str> = lines
        .filter(|line| !line.trim().starts_with("--"))
        .collect();
    let code = code.join("\n");
    let parts = code
        .split(";\n")
        .map(|part| part.trim().trim_end_matches(';').to_owned());
    parts.filter(|part| !part.is_empty()).collect()
}

/// What the schema is, as text.
async fn schema(connection: &mut AnyConnection, database: &Database) -> String {
    let columns = match database {
        Database::Sqlite => "SELECT name || ' ' || COALESCE(sql, '') FROM sqlite_master ORDER BY 1",
        Database::Postgres(_) => {
            "SELECT CAST(table_name || ' ' || column_name AS TEXT) FROM information_schema.columns
             WHERE table_schema = 'public'
             UNION ALL SELECT CAST(indexname AS TEXT) FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
        }
    };
    let columns: Vec<String> = sqlx::query_scalar(columns)
        .fetch_all(connection)
        .await
        .unwrap();
    columns.join("\n")
}

/// The present program opens it.
async fn works(database: &Database, folder: &Path) {
    let store = Store::open(&database.url(folder)).await.unwrap();
    store.close().await;
}

async fn a_migration_that_fails_anywhere_changes_nothing(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = connect(&database, folder.path()).await;
    let mut tried = 0;
    for (place, migration) in released().iter().enumerate() {
        let before = released()[..place].to_vec();
        apply(&mut connection, before.clone()).await.unwrap();
        if place == 1 {
            fill(&mut connection, 1).await;
        }
        let was = schema(&mut connection, &database).await;
        let all = statements(migration);
        for done in 1..=all.len() {
            let cut = format!(
                "{};\nINSERT INTO nowhere VALUES (1);",
                all[..done].join(";\n")
            );
            let mut migrations = before.clone();
            migrations.push(next(migration.version, &cut));
            assert!(apply(&mut connection, migrations).await.is_err());
            assert_eq!(
                schema(&mut connection, &database).await,
                was,
                "{done} of {}",
                migration.version
            );
            tried += 1;
        }
    }
    connection.close().await.unwrap();
    assert!(tried > 50, "{tried}");
    // The program that was there before goes on, and the real upgrade is done.
    works(&database, folder.path()).await;
    let mut connection = connect(&database, folder.path()).await;
    assert_eq!(found(&mut connection, 1).await[0].1, 1);
    let broken = next(
        9_999,
        "CREATE TABLE half (id TEXT NOT NULL); INSERT INTO nowhere VALUES (1);",
    );
    let mut migrations = released();
    migrations.push(broken);
    assert!(apply(&mut connection, migrations).await.is_err());
    connection.close().await.unwrap();
    works(&database, folder.path()).await;
}

#[tokio::test]
async fn ac_107_a_migration_that_fails_at_any_statement_changes_nothing_on_sqlite() {
    a_migration_that_fails_anywhere_changes_nothing(Database::sqlite()).await;
}

#[tokio::test]
async fn ac_107_a_migration_that_fails_at_any_statement_changes_nothing_on_postgres() {
    if let Some(database) = Database::postgres().await {
        a_migration_that_fails_anywhere_changes_nothing(database).await;
    }
}

/// What a next version may do while this one runs.
const EXPANSION: &str = "ALTER TABLE conversation ADD COLUMN mood TEXT;
    ALTER TABLE message ADD COLUMN weight BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE ticket ADD COLUMN colour TEXT;
    ALTER TABLE outbox ADD COLUMN colour TEXT;
    ALTER TABLE audit ADD COLUMN colour TEXT;
    CREATE TABLE extra (id TEXT NOT NULL PRIMARY KEY);
    CREATE INDEX extra_mood ON conversation (mood);";

async fn a_newer_program_was_here(database: Database) {
    let app = TestApp::start(database, &[]).await;
    let chat = app.begin().await;
    chat.say("salam").await;
    let mut connection = connect(&app.database, app.folder()).await;
    let mut migrations = released();
    migrations.push(next(9_999, EXPANSION));
    apply(&mut connection, migrations).await.unwrap();
    connection.close().await.unwrap();
    // Whoever runs goes on: chats old and new, a proof, a ticket, the record.
    chat.say("lupa kata laluan portal").await;
    let zulkifli = app.zulkifli().await;
    let another = app.begin().await;
    another.prove("slip", &zulkifli).await;
    another.until_said("Slip gaji yang ada").await;
    app.begin().await.hand_over("skrin putih").await;
    assert_eq!(app.get("/").await.status(), 200);
    // Whoever starts is told.
    for command in [&["audit", "verify"][..], &["migrate"], &["backup", "a.db"]] {
        let refused = beside(&app, command).await;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{command:?}: {said}");
        assert!(
            said.contains("migration 9999") && said.contains("newer version"),
            "{said}"
        );
    }
    assert!(!app.folder().join("a.db").exists());
    let url = app.database.url(app.folder());
    let refused = Store::open_beside(&url).await.err().unwrap();
    assert!(
        matches!(refused, OpenError::Newer { found: 9_999, .. }),
        "{refused}"
    );
    app.stop().await;
}

#[tokio::test]
async fn ac_107_a_newer_schema_is_borne_while_running_and_refused_at_the_start_on_sqlite() {
    a_newer_program_was_here(Database::sqlite()).await;
}

#[tokio::test]
async fn ac_107_a_newer_schema_is_borne_while_running_and_refused_at_the_start_on_postgres() {
    if let Some(database) = Database::postgres().await {
        a_newer_program_was_here(database).await;
    }
}
