//! What is too old goes, all of it, however often it is stopped on the way; what is held stays; the record stays whole.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{AnyConnection, Connection, Executor};
use tanya::audit::{Anchor, Audit, Broken, Entry, Event};
use tanya::clock::Clock;
use tanya::key_ring::KeyRing;
use tanya::retention::{Periods, Retention, Swept};
use tanya::rights::{HoldKind, Holds, NewHold};
use tanya::secret::SecretKey;
use tanya::storage::{OpenError, Store};

use crate::audit::beside;
use crate::support::picture::png;
use crate::support::{Database, SECRET_KEY, TestApp};

const YEAR: i64 = 365 * 24 * 3_600_000;

/// Tables that hold what is told of a person.
const LEFT: [&str; 8] = [
    "SELECT COUNT(*) FROM conversation",
    "SELECT COUNT(*) FROM message",
    "SELECT COUNT(*) FROM feedback",
    "SELECT COUNT(*) FROM chat_word",
    "SELECT COUNT(*) FROM picture",
    "SELECT COUNT(*) FROM ticket",
    "SELECT COUNT(*) FROM ticket_event",
    "SELECT COUNT(*) FROM ticket_word",
];

/// So many old messages that they go in several transactions.
const MANY: &str = "INSERT INTO message (conversation_id, seq, sender, body, created_at)
     SELECT (SELECT MIN(id) FROM conversation), 1000 + numbers.n, 'bot', '{\"kind\":\"text\",\"text\":\"zirafah\"}',
            (SELECT MAX(created_at) FROM message)
     FROM (WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1200) SELECT n FROM n) AS numbers";

/// A database as the program left it years ago, with nobody at work on it.
struct Old {
    retention: Retention,
    holds: Holds,
    store: Arc<Store>,
    audit: Audit,
}

impl Old {
    async fn open(url: &str, years: i64) -> Self {
        let store = loop {
            match Store::open(url).await {
                // Whoever had it lets go of it in a moment.
                Err(OpenError::Taken(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                opened => break Arc::new(opened.unwrap()),
            }
        };
        let clock = Clock::shifted(years * YEAR);
        let secret = SecretKey::parse(SECRET_KEY).unwrap();
        let keys = KeyRing::open(&store, &secret, &clock).await.unwrap();
        let audit = Audit::new(keys.audit);
        let retention = Retention {
            store: Arc::clone(&store),
            clock: clock.clone(),
            audit: audit.clone(),
            periods: Periods::default(),
        };
        let holds = Holds {
            store: Arc::clone(&store),
            clock,
            audit: audit.clone(),
        };
        Self {
            retention,
            holds,
            store,
            audit,
        }
    }

    /// Lets go of the database, so that another may have it.
    async fn close(self) {
        self.store.close().await;
    }

    async fn is_whole(&self) -> Anchor {
        self.audit.verify(&self.store, None).await.unwrap()
    }
}

async fn left(database: &Database, folder: &Path) -> Vec<i64> {
    let mut counts = Vec::new();
    for statement in LEFT {
        counts.push(database.count(folder, statement).await);
    }
    counts
}

fn rows(swept: &[Swept]) -> Vec<(&'static str, u64, Option<i64>)> {
    let rows = swept.iter();
    rows.map(|swept| (swept.name, swept.rows, swept.oldest))
        .collect()
}

/// Three chats: one with a settled ticket, a picture and a vote; one that says `kept`; one with many messages.
async fn filled(database: Database) -> (TestApp, String) {
    let app = TestApp::start(database, &[]).await;
    let many = app.begin().await;
    many.say("slip gaji").await;
    let chat = app.begin().await;
    let answer = chat.say("bila gaji dibayar").await;
    let vote =
        serde_json::json!({"seq": answer[0]["seq"], "helpful": false, "comment": "tenuk pun tahu"});
    chat.request(reqwest::Method::POST, "/feedback")
        .json(&vote)
        .send()
        .await
        .unwrap();
    chat.hand_over("ralat tenggiling").await;
    chat.send_picture(png(1)).await;
    let kept = app.begin().await;
    let number = kept.hand_over("ralat kuaci disimpan").await;
    app.database.execute(app.folder(), MANY).await;
    app.database
        .execute(
            app.folder(),
            // Whoever has read a ticket and writes it now must read it again.
            "UPDATE ticket SET status = 'closed', resolved_at = updated_at, version = version + 1",
        )
        .await;
    (app, number)
}

#[tokio::test]
async fn ac_88_a_dry_run_counts_what_a_run_deletes_and_what_is_held_stays() {
    for database in Database::both().await {
        let (app, number) = filled(database).await;
        let (url, folder) = (app.database.url(app.folder()), app.folder().to_owned());
        let beside = app.database.clone();
        let app = app
            .restart_in_place(async || {
                let old = Old::open(&url, 3).await;
                let ticket = tanya::ticket::TicketNumber::parse(&number).unwrap();
                let new = NewHold { kind: HoldKind::Ticket(ticket), reason: "siasatan", until: None, by: "" };
                let hold = old.holds.place(&new).await.unwrap();
                let before = left(&beside, &folder).await;
                let dry = old.retention.rehearse().await.unwrap();
                assert_eq!(left(&beside, &folder).await, before, "a dry run deletes nothing");
                assert!(beside.dump(&folder).await.contains("tenggiling"));
                let swept = old.retention.sweep().await.unwrap();
                assert_eq!(rows(&dry), rows(&swept));
                let gone = |name: &str| swept.iter().find(|it| it.name == name).unwrap().rows;
                assert!(gone("transcripts") > 1_200, "{swept:#?}");
                assert_eq!((gone("conversations"), gone("tickets")), (2, 1), "{swept:#?}");
                assert_eq!((gone("pictures"), gone("votes"), gone("audit")), (1, 1, 0));
                let again = old.retention.rehearse().await.unwrap();
                assert!(again.iter().all(|swept| swept.rows == 0), "{again:#?}");
                // What is deleted stands nowhere in the files either.
                if beside == Database::Sqlite {
                    beside.execute(&folder, "PRAGMA wal_checkpoint(TRUNCATE)").await;
                }
                let dump = beside.dump(&folder).await;
                for text in ["tenggiling", "tenuk", "zirafah"] {
                    assert!(!dump.contains(text), "{text}");
                }
                assert!(dump.contains("kuaci"), "what is held stays");
                old.is_whole().await;
                old.close().await;
                // Years later the record has another beginning, but for what is held.
                let older = Old::open(&url, 11).await;
                let dry = older.retention.rehearse().await.unwrap();
                let swept = older.retention.sweep().await.unwrap();
                assert_eq!(rows(&dry), rows(&swept));
                let held = "SELECT COUNT(*) FROM audit a JOIN held h ON h.kind = 'conversation' AND h.key = a.conversation_id";
                assert!(beside.count(&folder, held).await > 0);
                let first = beside.count(&folder, "SELECT MIN(seq) FROM audit").await;
                assert!(first > 1, "what comes before it is gone");
                older.is_whole().await;
                older.holds.lift(&hold, "").await.unwrap();
                older.retention.sweep().await.unwrap();
                assert_eq!(left(&beside, &folder).await, [0; 8]);
                older.is_whole().await;
                older.close().await;
            })
            .await;
        app.stop().await;
    }
}

#[tokio::test]
async fn ac_88_a_purge_that_is_stopped_again_and_again_ends_as_one_that_is_not() {
    for database in Database::both().await {
        let other = match &database {
            Database::Sqlite => Database::sqlite(),
            Database::Postgres(_) => Database::postgres().await.unwrap(),
        };
        let mut ends = Vec::new();
        for (database, stopped) in [(database, false), (other, true)] {
            let (app, _) = filled(database).await;
            let (url, folder) = (app.database.url(app.folder()), app.folder().to_owned());
            let beside = app.database.clone();
            let mut halves = 0;
            let mut end = Vec::new();
            let app = app
                .restart_in_place(async || {
                    let old = Old::open(&url, 3).await;
                    if stopped {
                        let mut most = 1;
                        while !old.retention.purge_some(most).await.unwrap() {
                            most += 1;
                            let now = left(&beside, &folder).await;
                            // Messages are gone of a chat that is still there.
                            halves += usize::from(now[0] == 3 && now[1] > 0 && now[1] < 1_200);
                            assert!(most < 200, "it never ends");
                        }
                        assert!(halves > 0, "it was stopped on the way");
                    } else {
                        old.retention.purge().await.unwrap();
                    }
                    let again = old.retention.rehearse().await.unwrap();
                    assert!(again.iter().all(|swept| swept.rows == 0), "{again:#?}");
                    end = left(&beside, &folder).await;
                    old.close().await;
                })
                .await;
            app.stop().await;
            ends.push(end);
        }
        assert_eq!(ends[0], ends[1]);
    }
}

async fn connect(database: &Database, folder: &Path) -> AnyConnection {
    AnyConnection::connect(&database.url(folder)).await.unwrap()
}

#[tokio::test]
async fn ac_88_the_record_loses_its_oldest_lines_and_nothing_else_and_says_so() {
    for database in Database::both().await {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        std::fs::create_dir(folder.join("data")).unwrap();
        let old = Old::open(&database.url(folder), 8).await;
        let now = old.retention.clock.now();
        for (count, at) in [(700, now - 8 * YEAR), (30, now)] {
            for _ in 0..count {
                let mut transaction = old.store.begin().await.unwrap();
                let entry = Entry::new(Event::LinkOpened, "opened");
                old.audit.record(&mut transaction, entry, at).await.unwrap();
                transaction.commit().await.unwrap();
            }
        }
        let anchor = old.is_whole().await;
        let mut connection = connect(&database, folder).await;
        for statement in [
            "DELETE FROM audit WHERE seq = 1",
            "UPDATE audit_start SET seq = 5, mac = (SELECT mac FROM audit WHERE seq = 5) WHERE id = 1",
            "DELETE FROM audit_start",
        ] {
            let refused = connection.execute(statement).await.expect_err(statement);
            assert!(
                refused.to_string().contains("append only"),
                "{statement}: {refused}"
            );
        }
        // Stopped after the beginning was moved: what is left goes the next time.
        let mut most = 1;
        while !old.retention.purge_some(most).await.unwrap() {
            most += 1;
            old.is_whole().await;
        }
        assert_eq!(
            database.count(folder, "SELECT MIN(seq) FROM audit").await,
            701
        );
        assert_eq!(
            database.count(folder, "SELECT COUNT(*) FROM audit").await,
            31
        );
        old.is_whole().await;
        old.audit.verify(&old.store, Some(&anchor)).await.unwrap();
        let early = Anchor {
            seq: 3,
            mac: "x".to_owned(),
        };
        let found = old.audit.verify(&old.store, Some(&early)).await;
        assert!(matches!(found, Err(Broken::Past(3))), "{found:?}");
        let refused = connection
            .execute("DELETE FROM audit WHERE seq = 701")
            .await;
        assert!(refused.unwrap_err().to_string().contains("append only"));
        // Whoever owns the database takes the guard away and cuts off more: no line of the record says so.
        let (unguard, last) = match database {
            Database::Sqlite => ("DROP TRIGGER audit_start_is_written", 720),
            Database::Postgres(_) => ("DROP TRIGGER audit_start_is_written ON audit_start", 720),
        };
        connection.execute(unguard).await.unwrap();
        connection
            .execute("UPDATE audit_start SET seq = 720, mac = (SELECT mac FROM audit WHERE seq = 720) WHERE id = 1")
            .await
            .unwrap();
        connection
            .execute("DELETE FROM audit WHERE seq <= 720")
            .await
            .unwrap();
        let found = old.audit.verify(&old.store, None).await;
        assert!(
            matches!(found, Err(Broken::Beginning(seq)) if seq == last),
            "{found:?}"
        );
        connection.close().await.unwrap();
        old.close().await;
    }
}

#[tokio::test]
async fn ac_88_the_command_tells_what_would_go_beside_a_running_server() {
    let app = TestApp::on_sqlite().await;
    let chat = app.begin().await;
    let number = chat.hand_over("ralat").await;
    let run = beside(&app, &["purge", "--dry-run", "--json"]).await;
    let text = String::from_utf8(run.stdout).unwrap();
    let report: serde_json::Value =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    assert_eq!(report["dry_run"], true);
    let kinds = report["kinds"].as_array().unwrap();
    let days = |kind: &str| {
        kinds.iter().find(|it| it["kind"] == kind).unwrap()["days"]
            .as_i64()
            .unwrap()
    };
    let expected = [
        ("transcripts", 90),
        ("tickets", 730),
        ("audit", 2_555),
        ("challenges", 1),
        ("inbound that failed", 7),
    ];
    for (kind, expected) in expected {
        assert_eq!(days(kind), expected, "{kind}");
    }
    let transcripts = kinds.iter().find(|it| it["kind"] == "transcripts").unwrap();
    assert!(transcripts["oldest_kept"].is_string() && transcripts["rows"] == 0);
    let placed = beside(
        &app,
        &[
            "hold",
            "add",
            &number,
            "--reason",
            "siasatan",
            "--until",
            "2099-12-31",
        ],
    )
    .await;
    assert!(
        placed.status.success(),
        "{}",
        String::from_utf8_lossy(&placed.stderr)
    );
    let listed = beside(&app, &["hold", "list"]).await;
    assert!(String::from_utf8_lossy(&listed.stdout).contains(&number));
    let id = String::from_utf8(placed.stdout).unwrap();
    assert!(
        beside(&app, &["hold", "lift", id.trim()])
            .await
            .status
            .success()
    );
    let held = "SELECT COUNT(*) FROM held";
    assert_eq!(app.database.count(app.folder(), held).await, 0);
    let lines = "SELECT COUNT(*) FROM audit WHERE event = 'data.hold'";
    assert_eq!(app.database.count(app.folder(), lines).await, 2);
    app.stop().await;
}
