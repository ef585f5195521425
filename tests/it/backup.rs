//! A bad day: a copy is made while the program works, the database is lost, and the copy is put to work.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::Connection;
use tanya::agent::role::Role;
use tanya::audit::{Audit, Entry, Event};
use tanya::backup::{self, Record, Wishes};
use tanya::clock::Clock;
use tanya::key_ring::KeyRing;
use tanya::secret::SecretKey;
use tanya::storage::lease;
use tanya::storage::{Store, copy};

use crate::audit::beside;
use crate::crash::rows;
use crate::support::bot_api::Fault;
use crate::support::bot_api::updates::private_text;
use crate::support::proof::token_of;
use crate::support::{BotApi, Database, SECRET_KEY, TestApp, assert_problem};
use crate::telegram::{AMINAH, BAKAR, text};

fn secret() -> SecretKey {
    SecretKey::parse(SECRET_KEY).unwrap()
}

async fn until(what: &str, mut there: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !there().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "never {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Takes the database away, as a lost machine does.
async fn lose(database: &Database, folder: &Path) {
    match database {
        Database::Sqlite => {
            for entry in std::fs::read_dir(folder.join("data")).unwrap() {
                let path = entry.unwrap().path();
                if path.to_str().unwrap().contains("tanya.db") {
                    std::fs::remove_file(path).unwrap();
                }
            }
        }
        Database::Postgres(_) => {
            let statement = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
            database.execute(folder, statement).await;
        }
    }
}

fn wishes(send_pending: bool) -> Wishes {
    Wishes {
        send_pending,
        source: "salinan.db".to_owned(),
        by: "operator".to_owned(),
    }
}

/// What goes on at the time of a backup, the backup, what goes on after it, and the bad day.
async fn lost_and_restored(database: Database, send_pending: bool) {
    let telegram = BotApi::start().await;
    let app = TestApp::with_telegram(database, &telegram, &[]).await;
    let zulkifli = app.zulkifli().await;
    let second = app.second().await;
    // Somebody is known and has a link; somebody else was asked for a code; an officer is signed in.
    let chat = app.begin().await;
    chat.prove("slip", &zulkifli).await;
    chat.until_said("Slip gaji yang ada").await;
    let link = token_of(&chat.say("slip gaji bulan lepas").await[0]);
    let begun = app.begin().await;
    let request = begun.ask_for("slip").await;
    app.give_number(&request, "staff", &second.id_no).await;
    let code = app.code(second.email(), 1).await;
    let officer = app.officer("pegawai1", Role::Officer).await;
    let cookie = officer.cookie.clone();
    assert_eq!(officer.get("/console").await.status(), 200);
    let (id, token) = (chat.id.clone(), chat.token.clone());
    let ticket = app.begin().await.hand_over("skrin putih").await;
    // Telegram does not answer: what was decided waits.
    telegram.give(private_text(BAKAR, "/start"));
    telegram.until_sent(BAKAR, 2).await;
    telegram.fail("sendMessage", Fault::Cut, 100_000);
    telegram.give(private_text(AMINAH, "/bahasa"));
    until("waiting", async || {
        let waiting = "SELECT COUNT(*) FROM outbox WHERE done_at IS NULL AND carrier = 'telegram'";
        app.database.count(app.folder(), waiting).await >= 2
    })
    .await;

    let url = app.database.url(app.folder());
    let file = app.folder().join("salinan.db");
    let written = backup::write(&url, &file, &secret()).await.unwrap();
    assert!(written.found.counts.waiting >= 2 && written.found.counts.messages > 4);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // Work goes on: what waited is sent.
    telegram.heal();
    until("sent", async || {
        // Time is what it waits for; less than a claim lasts.
        app.app.clock.advance(1_000);
        app.figure("tanya_outbox_waiting").await == 0.0
    })
    .await;
    let before = telegram.sent(AMINAH).len();
    assert!(before >= 2, "{before}");
    let (folder, database) = (app.folder().to_owned(), app.database.clone());
    let app = app
        .restart_in_place(async || {
            lose(&database, &folder).await;
            let wishes = wishes(send_pending);
            let restored =
                backup::restore(&url, &file, &secret(), &Clock::shifted(0), &wishes).await;
            let restored = restored.unwrap();
            let voided = restored.voided;
            assert_eq!(restored.found.counts, written.found.counts);
            assert_eq!(voided.proofs, 1);
            assert_eq!(voided.verifications, 1);
            assert_eq!(voided.links, 1);
            assert!(voided.sign_ins >= 1);
            let held: Vec<&str> = voided.held.iter().map(|it| it.carrier.as_str()).collect();
            match send_pending {
                true => assert_eq!((held.len(), voided.kept >= 2), (0, true)),
                false => assert!(held.len() >= 2 && held.contains(&"telegram"), "{held:?}"),
            }
        })
        .await;

    // Whoever writes now is answered, and nothing went out before that which had gone out already.
    telegram.give(private_text(BAKAR, "/bahasa"));
    let sent = telegram.until_sent(BAKAR, 3).await;
    assert!(text(&sent[2]).starts_with("Sila pilih bahasa"));
    until("still", async || {
        app.figure("tanya_outbox_waiting").await == 0.0
    })
    .await;
    let again = if send_pending { 2 } else { 0 };
    assert_eq!(telegram.sent(AMINAH).len(), before + again);

    // What must not live on does not.
    assert_problem(app.give_code(&request, &code).await, 410, "link_gone").await;
    assert_eq!(app.press(&link).await.status(), 410);
    let page = app
        .browser
        .get(app.url("/console"))
        .header("cookie", cookie);
    assert_eq!(page.send().await.unwrap().status(), 303);
    let chat = crate::support::Chat {
        app: &app,
        id,
        token,
        opening: Vec::new(),
    };
    let replies = chat.say("slip gaji bulan lepas").await;
    assert!(
        replies.iter().any(|reply| reply["kind"] == "prompt"),
        "{replies:?}"
    );
    // Numbers that may have been given since are not given again.
    assert!(replies[0]["seq"].as_i64().unwrap() > 1_000, "{replies:?}");
    let another = app.begin().await.hand_over("skrin hitam").await;
    let serial = |number: &str| number[8..14].parse::<i64>().unwrap();
    assert_eq!(serial(&another), serial(&ticket) + 1_001);
    // The record goes on, and says that it was restored.
    let verified = beside(&app, &["audit", "verify"]).await;
    assert_eq!(verified.status.code(), Some(0), "{}", errors(&verified));
    let detail = "SELECT detail FROM audit WHERE event = 'database.restored'";
    let detail = app.database.text(app.folder(), detail).await;
    assert!(
        detail.contains("salinan.db") && detail.contains("by operator"),
        "{detail}"
    );
    app.stop().await;
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn ac_108_what_was_sent_after_the_backup_is_not_sent_again_and_what_was_begun_is_void_on_sqlite()
 {
    lost_and_restored(Database::sqlite(), false).await;
}

#[tokio::test]
async fn ac_108_what_was_sent_after_the_backup_is_not_sent_again_and_what_was_begun_is_void_on_postgres()
 {
    if let Some(database) = Database::postgres().await {
        lost_and_restored(database, false).await;
    }
}

#[tokio::test]
async fn what_waited_is_sent_where_the_operator_wants_it() {
    lost_and_restored(Database::sqlite(), true).await;
}

/// What a writer writes: a lease and a line of the record, in one transaction.
async fn write_once(store: &Store, audit: &Audit, number: i64) {
    let mut transaction = store.begin().await.unwrap();
    let name = format!("once {number}");
    lease::take_once(&mut transaction, &name, "writer", i64::MAX)
        .await
        .unwrap();
    let entry = Entry::new(Event::LinkOpened, "opened").detail(&name);
    audit.record(&mut transaction, entry, number).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Writes 200 times a second until told to stop; how many were written, and the longest that one took.
async fn write_steadily(store: Arc<Store>, audit: Audit, stop: Arc<AtomicBool>) -> (i64, Duration) {
    let mut beat = tokio::time::interval(Duration::from_millis(5));
    let (mut written, mut longest) = (0, Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        beat.tick().await;
        let begun = Instant::now();
        write_once(&store, &audit, written).await;
        longest = longest.max(begun.elapsed());
        written += 1;
    }
    (written, longest)
}

async fn count(store: &Store) -> (i64, i64) {
    let mut connection = store.connection().await.unwrap();
    let leases = sqlx::query_scalar("SELECT COUNT(*) FROM lease WHERE name LIKE 'once %'");
    let leases = leases.fetch_one(&mut *connection).await.unwrap();
    let lines = sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE event = 'link.opened'");
    (leases, lines.fetch_one(&mut *connection).await.unwrap())
}

async fn copied_under_load(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let url = database.url(folder.path());
    let store = Arc::new(Store::open(&url).await.unwrap());
    let keys = KeyRing::open(&store, &secret(), &Clock::shifted(0)).await;
    let audit = Audit::new(keys.unwrap().audit);
    // Enough to copy for a while.
    database
        .execute(
            folder.path(),
            "INSERT INTO conversation (id, channel, language, state, version, last_seq, calm_at, created_at, active_at)
             VALUES ('c', 'web', 'ms', '{}', 1, 60000, 0, 1, 1);
             INSERT INTO message (conversation_id, seq, sender, body, created_at)
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
             SELECT 'c', i, 'bot', '{\"kind\":\"text\",\"text\":\"Sila semak portal, kemudian cuba sekali lagi selepas lima minit.\"}', i FROM n",
        )
        .await;
    let stop = Arc::new(AtomicBool::new(false));
    let writer = write_steadily(Arc::clone(&store), audit.clone(), Arc::clone(&stop));
    let writer = tokio::spawn(writer);
    until("written", async || count(&store).await.0 >= 100).await;
    for round in 0..3 {
        let file = folder.path().join(format!("salinan-{round}"));
        let (before, _) = count(&store).await;
        let written = backup::write(&url, &file, &secret()).await.unwrap();
        let (after, _) = count(&store).await;
        assert!(matches!(written.found.record, Record::Whole(_)));
        assert_eq!(written.found.counts.messages, 60_000);
        let place = restored_place(&database, folder.path(), round).await;
        let wishes = wishes(false);
        backup::restore(&place, &file, &secret(), &Clock::shifted(0), &wishes)
            .await
            .unwrap();
        let again = Store::open(&place).await.unwrap();
        let (leases, lines) = count(&again).await;
        // All or nothing of each write: everything from before the copy, nothing half.
        assert_eq!(leases, lines);
        assert!(
            before <= leases && leases <= after,
            "{before} {leases} {after}"
        );
        let end = audit.verify(&again, None).await.unwrap();
        assert_eq!(end.seq, lines + 1);
        if matches!(database, Database::Sqlite) {
            let mut connection = again.connection().await.unwrap();
            assert_eq!(
                copy::faults(&mut connection).await.unwrap(),
                Vec::<String>::new()
            );
        }
        again.close().await;
    }
    stop.store(true, Ordering::Relaxed);
    let (written, longest) = writer.await.unwrap();
    eprintln!("{written} writes meanwhile, the longest took {longest:?}");
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    store.close().await;
}

async fn restored_place(database: &Database, folder: &Path, round: usize) -> String {
    match database {
        Database::Sqlite => format!(
            "sqlite://{}",
            folder.join(format!("{round}/new.db")).display()
        ),
        Database::Postgres(_) => Database::postgres().await.unwrap().url(folder),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ac_108_a_copy_of_a_database_with_200_writes_a_second_is_whole_on_sqlite() {
    copied_under_load(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ac_108_a_copy_of_a_database_with_200_writes_a_second_is_whole_on_postgres() {
    if let Some(database) = Database::postgres().await {
        copied_under_load(database).await;
    }
}

/// Runs the program in a folder, on a database.
fn tanya(folder: &Path, url: &str, arguments: &[&str]) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tanya"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TANYA_")) {
        command.env_remove(name);
    }
    command
        .env("TANYA_DATABASE_URL", url)
        .env("TANYA_SECRET_KEY", SECRET_KEY)
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

fn ended(output: &Output, status: i32, words: &str) {
    let said = errors(output);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(said.contains(words), "{said}");
}

#[tokio::test]
async fn an_operator_is_told_what_was_done_and_what_was_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let at = |name: &str| format!("sqlite://{}", folder.join(name).display());
    let live = at("live.db");
    ended(
        &tanya(folder, &live, &["backup", "a.db"]),
        1,
        "is not there",
    );
    let migrated = tanya(folder, &live, &["migrate"]);
    assert!(String::from_utf8_lossy(&migrated.stdout).contains("applied 0001"));
    let again = tanya(folder, &live, &["migrate", "--json"]);
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(again["applied"], serde_json::json!([]));

    let backed_up = tanya(folder, &live, &["backup", "--json", "a.db"]);
    ended(&backed_up, 0, "");
    let told: Value = serde_json::from_slice(&backed_up.stdout).unwrap();
    assert_eq!(
        told["bytes"],
        std::fs::metadata(folder.join("a.db")).unwrap().len()
    );
    assert_eq!(told["holds"]["messages"], 0);
    ended(
        &tanya(folder, &live, &["backup", "a.db"]),
        2,
        "never written over",
    );
    ended(
        &tanya(folder, &live, &["backup", "none/a.db"]),
        1,
        "none/a.db.part",
    );
    ended(&tanya(folder, &live, &["backup"]), 2, "FILE");
    ended(
        &tanya(folder, &live, &["restore", "none.db"]),
        2,
        "is not there",
    );
    ended(&tanya(folder, &live, &["restore"]), 2, "FILE");
    ended(
        &tanya(folder, &live, &["restore", "a.db"]),
        1,
        "is there already",
    );

    // What was cut off is no backup, and what is changed is none either.
    let whole = std::fs::read(folder.join("a.db")).unwrap();
    std::fs::write(folder.join("cut.db"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(folder.join("text.db"), "bukan pangkalan data").unwrap();
    std::fs::write(folder.join("other.db"), "").unwrap();
    for bad in ["cut.db", "text.db", "other.db"] {
        let refused = tanya(folder, &at("new.db"), &["restore", bad]);
        assert_eq!(
            refused.status.code(),
            Some(1),
            "{bad}: {}",
            errors(&refused)
        );
        assert!(!folder.join("new.db").exists(), "{bad}");
    }
    let restored = tanya(folder, &at("new.db"), &["restore", "a.db"]);
    ended(&restored, 0, "");
    assert!(String::from_utf8_lossy(&restored.stdout).contains("Restored."));
    let verified = tanya(folder, &at("new.db"), &["audit", "verify"]);
    assert!(String::from_utf8_lossy(&verified.stdout).contains("1 lines"));
    let names = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let left = names(folder);
    let part = left
        .iter()
        .find(|it| it.to_str().unwrap().contains(".part"));
    let shm = |it: &&PathBuf| it.to_str().unwrap().ends_with(".part.lock");
    assert_eq!(part.filter(|it| !shm(it)), None);

    // Without a key nothing is done, and none is made.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tanya"));
    command
        .env_remove("TANYA_SECRET_KEY")
        .env("TANYA_DATABASE_URL", at("third.db"))
        .current_dir(folder)
        .args(["restore", "a.db"]);
    ended(&command.output().unwrap(), 2, "TANYA_SECRET_KEY");
    assert!(!folder.join("secret.key").exists() && !folder.join("third.db").exists());

    // A key of somebody else's: the copy is written all the same, and the doubt told.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tanya"));
    command
        .env("TANYA_DATABASE_URL", at("new.db"))
        .env(
            "TANYA_SECRET_KEY",
            "YW5vdGhlciBzZWNyZXQgZm9yIHRlc3RzLCAzMiBieXRlcw==",
        )
        .current_dir(folder)
        .args(["backup", "doubt.db"]);
    ended(&command.output().unwrap(), 1, "TANYA_SECRET_KEY");
    assert!(folder.join("doubt.db").exists());
}

#[tokio::test]
async fn a_record_that_was_changed_is_not_put_to_work() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let url = format!("sqlite://{}", folder.join("live.db").display());
    let store = Store::open(&url).await.unwrap();
    let keys = KeyRing::open(&store, &secret(), &Clock::shifted(0)).await;
    let audit = Audit::new(keys.unwrap().audit);
    for number in 0..5 {
        write_once(&store, &audit, number).await;
    }
    store.close().await;
    let file = folder.join("a.db");
    backup::write(&url, &file, &secret()).await.unwrap();
    let copied = format!("sqlite://{}", file.display());
    let mut connection = sqlx::AnyConnection::connect(&copied).await.unwrap();
    sqlx::raw_sql("DROP TRIGGER audit_no_update; UPDATE audit SET detail = 'lain' WHERE seq = 3")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let place = format!("sqlite://{}", folder.join("new.db").display());
    let refused =
        backup::restore(&place, &file, &secret(), &Clock::shifted(0), &wishes(false)).await;
    assert!(refused.unwrap_err().to_string().contains("line 3"));
    assert!(!folder.join("new.db").exists());
    // Put in place by hand, it can be worked with; what is wrong is told.
    std::fs::copy(&file, folder.join("new.db")).unwrap();
    let voided = backup::void(&place, &secret(), &Clock::shifted(0), &wishes(false)).await;
    assert!(format!("{:#}", voided.unwrap_err()).contains("line 3"));
    let events: Vec<(String,)> = rows(&place, "SELECT event FROM audit WHERE seq = 6").await;
    assert_eq!(events[0].0, "database.restored");
}

#[tokio::test]
async fn without_the_servers_programs_an_operator_is_told_what_to_call() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // The throw-away server asks nobody for a password.
    let url = database
        .url(folder)
        .replace("postgres@", "postgres:kata-rahsia@");
    ended(&tanya(folder, &url, &["migrate"]), 0, "");
    let alone = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tanya"));
        command.env_clear().current_dir(folder).args(arguments);
        command.env("PATH", folder);
        command.env("TANYA_DATABASE_URL", &url);
        command.env("TANYA_SECRET_KEY", SECRET_KEY);
        command.output().unwrap()
    };
    let told = alone(&["backup", "a.dump"]);
    ended(&told, 1, "pg_dump --format=custom");
    assert!(!errors(&told).contains("rahsia"), "{}", errors(&told));
    assert!(!folder.join("a.dump").exists() && !folder.join("a.dump.part").exists());
    ended(&tanya(folder, &url, &["backup", "a.dump"]), 0, "");
    ended(&tanya(folder, &url, &["restore", "a.dump"]), 1, "not empty");
    // Whoever called `pg_restore` has the rest done alone, as often as it takes.
    for times in 1..=2 {
        let voided = tanya(folder, &url, &["restore", "--voids-only", "--json"]);
        ended(&voided, 0, "");
        let told: Value = serde_json::from_slice(&voided.stdout).unwrap();
        assert_eq!(told["held"], serde_json::json!([]));
        let lines: Vec<(i64,)> = rows(&url, "SELECT COUNT(*) FROM audit").await;
        assert_eq!(lines[0].0, times);
    }
    let cut = std::fs::read(folder.join("a.dump")).unwrap();
    std::fs::write(folder.join("cut.dump"), &cut[..100]).unwrap();
    let empty = Database::postgres().await.unwrap().url(folder);
    ended(
        &tanya(folder, &empty, &["restore", "cut.dump"]),
        1,
        "pg_restore failed",
    );
    let restored = alone(&["restore", "a.dump"]);
    assert_eq!(restored.status.code(), Some(1), "the database is not empty");
}

#[tokio::test]
async fn a_database_of_an_older_schema_is_backed_up_with_its_record() {
    let app = TestApp::on_sqlite().await;
    let chat = app.begin().await;
    chat.hand_over("skrin putih").await;
    // As it was before records could lose their oldest lines.
    let older = "DROP TRIGGER audit_keeps; DROP TABLE audit_start;
                 DELETE FROM _sqlx_migrations WHERE version >= 10";
    app.database.execute(app.folder(), older).await;
    let url = app.database.url(app.folder());
    let file = app.folder().join("salinan.db");
    let written = backup::write(&url, &file, &secret()).await.unwrap();
    assert!(matches!(written.found.record, backup::Record::Whole(_)));
    assert!(written.found.schema < 10 && written.found.counts.messages > 2);
    app.stop().await;
}
