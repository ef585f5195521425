//! The record of sensitive steps: one line a step, no line can be changed unseen, nothing in it that is secret.

use std::fmt::Write as _;
use std::process::{Command, Output};
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use sqlx::{AnyConnection, Connection, Executor};
use tanya::audit::{Anchor, Audit, Broken, Entry, Event};
use tanya::clock::Clock;
use tanya::key_ring::KeyRing;
use tanya::secret::SecretKey;
use tanya::storage::Store;
use tanya::storage::audit::AuditRow;
use tempfile::TempDir;

use crate::on_both_databases;
use crate::support::proof::{TWIN, pressed, token_of};
use crate::support::{Chat, Database, SECRET_KEY, TestApp};

/// Runs a command on the database of a running server, and beside it.
pub async fn beside(app: &TestApp, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tanya"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TANYA_")) {
        command.env_remove(name);
    }
    command
        .env("TANYA_DATABASE_URL", app.database.url(app.folder()))
        .env("TANYA_SECRET_KEY", SECRET_KEY)
        .current_dir(app.folder())
        .args(arguments);
    // The server goes on meanwhile: the command may have to wait for its turn at the database.
    let run = tokio::task::spawn_blocking(move || command.output());
    run.await.unwrap().unwrap()
}

async fn connect(database: &Database, folder: &std::path::Path) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(&database.url(folder)).await.unwrap()
}

/// Takes the guard away, as whoever owns the database can.
async fn unguard(connection: &mut AnyConnection, database: &Database) {
    let statement = match database {
        Database::Sqlite => "DROP TRIGGER audit_no_update; DROP TRIGGER audit_keeps",
        Database::Postgres(_) => {
            "DROP TRIGGER audit_guard ON audit; DROP TRIGGER audit_keeps ON audit"
        }
    };
    connection.execute(statement).await.unwrap();
}

/// Reads the record as it grows.
struct Reader<'a> {
    app: &'a TestApp,
    read: i64,
}

impl Reader<'_> {
    /// The next lines are these and no others, in whatever order; the daily anchor aside.
    async fn finds(&mut self, expected: &[&str]) {
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        let mut found: Vec<String> = Vec::new();
        for _ in 0..1500 {
            let lines = self.lines().await;
            let last = lines.last().map_or(self.read, |(seq, _)| *seq);
            found = lines.into_iter().map(|(_, line)| line).collect();
            found.retain(|line| !line.starts_with("audit.anchored"));
            if found.len() >= expected.len() {
                self.read = last;
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    async fn lines(&self) -> Vec<(i64, String)> {
        let mut connection = connect(&self.app.database, self.app.folder()).await;
        let rows: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT seq, event, outcome FROM audit WHERE seq > $1 ORDER BY seq")
                .bind(self.read)
                .fetch_all(&mut connection)
                .await
                .unwrap();
        connection.close().await.unwrap();
        let lines = rows.into_iter();
        lines
            .map(|(seq, event, outcome)| (seq, format!("{event} {outcome}")))
            .collect()
    }
}

/// What a proof of somebody whom the portal knows leaves in the record.
const PROVED: [&str; 5] = [
    "verify.asked asked",
    "verify.started issued",
    "verify.mailed sent",
    "verify.finished proved",
    "proof.returned accepted",
];

fn proved_and(more: &[&'static str]) -> Vec<&'static str> {
    [&PROVED[..], more].concat()
}

on_both_databases! {
    async fn ac_87_every_sensitive_step_leaves_one_line_whether_or_not_it_succeeds(app: TestApp) {
        let mut record = Reader { app, read: 0 };
        let zulkifli = app.zulkifli().await;
        let second = app.second().await;
        let chat = app.begin().await;

        // A number of nobody's, and a wrong code for it.
        let token = chat.ask_for("slip").await;
        record.finds(&["verify.asked asked"]).await;
        app.give_number(&token, "staff", TWIN).await;
        record.finds(&["verify.started issued", "verify.mailed nobody"]).await;
        app.give_code(&token, "00000000").await;
        record.finds(&["verify.finished wrong"]).await;

        // A proof, brought back to the wrong chat first.
        let token = chat.ask_for("slip").await;
        record.finds(&["verify.asked asked"]).await;
        app.give_number(&token, "staff", &zulkifli.id_no).await;
        record.finds(&["verify.started issued", "verify.mailed sent"]).await;
        let code = app.code(zulkifli.email(), 1).await;
        let finished = app.give_code(&token, &code).await;
        let finished: serde_json::Value = finished.json().await.unwrap();
        let secret = finished["return"].as_str().unwrap().to_owned();
        record.finds(&["verify.finished proved"]).await;
        let stranger = app.begin().await;
        assert_eq!(stranger.bring_back(&secret).await.status(), 410);
        record.finds(&["proof.returned refused"]).await;
        chat.bring_back(&secret).await;
        record.finds(&["proof.returned accepted"]).await;

        // Documents: given, pressed in every way.
        let slip = token_of(&chat.say("slip gaji bulan lepas").await[0]);
        record.finds(&["action.payslip linked"]).await;
        let headers = pressed(&app.page_cookie("/l").await);
        let mut unpressed = headers.clone();
        unpressed.remove("cookie");
        app.press_with(&slip, &unpressed).await;
        record.finds(&["link.opened not-pressed"]).await;
        app.press("A").await;
        record.finds(&["link.opened unknown"]).await;
        app.faults(json!({"down": true})).await;
        app.press(&slip).await;
        app.faults(json!({})).await;
        record.finds(&["link.opened unavailable"]).await;
        app.press(&slip).await;
        record.finds(&["link.opened opened"]).await;
        app.press(&slip).await;
        record.finds(&["link.opened again"]).await;
        let offer = chat.say("/ec").await.remove(0);
        let year = offer["choices"][0]["value"].as_str().unwrap();
        let statement = token_of(&chat.choose(year).await[0]);
        record.finds(&["action.annual-statement linked"]).await;
        chat.say("/keluar").await;
        record.finds(&["sessions.ended left"]).await;
        app.press(&statement).await;
        record.finds(&["link.opened dead"]).await;

        // Errands: mailed by the portal, mailed by us, refused.
        let chat = app.begin().await;
        chat.prove("lupa", &zulkifli).await;
        chat.until_said("telah menerima permintaan").await;
        record.finds(&proved_and(&["action.password-reset asked", "action.password-reset by-portal"])).await;
        app.faults(json!({"mail_not_sent": true})).await;
        chat.say("/lupa").await;
        record.finds(&["action.password-reset asked", "action.password-reset refused", "ticket opened", "mail sent"]).await;
        app.faults(json!({})).await;
        let other = app.begin().await;
        other.prove("lupa", &second).await;
        record.finds(&proved_and(&["action.password-reset asked", "action.password-reset by-helpdesk", "mail sent"])).await;
        let new = app.person(|it| {
            it.kind == "staff" && it.active && it.account == "none" && it.payroll == "py" && it.email.is_some()
        }).await;
        let third = app.begin().await;
        third.prove("daftar", &new).await;
        let mut activated = proved_and(&["action.activation asked"]);
        match new.delivery.as_str() {
            "portal" => activated.push("action.activation by-portal"),
            _ => activated.extend(["action.activation by-helpdesk", "mail sent"]),
        }
        record.finds(&activated).await;

        // Ends: asked for, forced by the portal's record, by erasing.
        let offered = other.say("/sesi").await.remove(0);
        other.choose(&Chat::choice(&offered, "Tamatkan semua")).await;
        record.finds(&["sessions.ended asked"]).await;
        app.change_person(&zulkifli.reference, json!({"active": false})).await;
        chat.say("/lupa").await;
        record.finds(&["sessions.ended record-changed"]).await;
        app.change_person(&zulkifli.reference, json!({"active": true})).await;
        third.say("/padam").await;
        third.choose("erase:yes").await;
        record.finds(&["conversation.erased erased"]).await;

        // The third code of an hour goes out; the fourth does not.
        for lines in [&["verify.started issued", "verify.mailed sent"][..], &["verify.started withheld"]] {
            let token = app.begin().await.ask_for("slip").await;
            record.finds(&["verify.asked asked"]).await;
            app.give_number(&token, "staff", &zulkifli.id_no).await;
            record.finds(lines).await;
        }
        let mail = app.codes_to(zulkifli.email()).await.remove(0);
        let begins = format!("{}/bukan-saya#", app.app.public_url);
        let url = mail.link(&begins).unwrap();
        let disavowal = url.strip_prefix(&begins).unwrap().to_owned();
        let said = say_it_was_not_me(app, &disavowal).await;
        assert_eq!(said, StatusCode::OK);
        record.finds(&["ticket opened", "sessions.ended disavowed", "disavowed stopped", "mail sent"]).await;
        record.finds(&[]).await;

        // Nothing that is secret is in any of it, and the record is whole.
        let all = whole_record(app).await;
        assert!(all.contains("ticket opened") && all.contains("TK-20"));
        let people = [&zulkifli, &second, &new];
        let mut secrets = vec![token, slip, statement, secret, code, disavowal, chat.token.clone(), TWIN.to_owned(), TWIN.replace('-', "")];
        for person in people {
            secrets.extend([person.id_no.clone(), person.name.clone(), person.email().to_owned(), person.reference.clone()]);
        }
        for mail in app.inbox().await {
            secrets.extend(mail.code());
        }
        for secret in secrets {
            assert!(!all.contains(&secret), "{secret} is in the record");
        }
        assert_eq!(beside(app, &["audit", "verify"]).await.status.code(), Some(0));
    }

    async fn ac_87_saying_in_vain_that_it_was_not_me_is_recorded_too(app: TestApp) {
        let lines = async || app.database.count(app.folder(), "SELECT COUNT(*) FROM audit WHERE event = 'disavowed'").await;
        assert_eq!(say_it_was_not_me(app, "A").await, StatusCode::GONE);
        assert_eq!(lines().await, 1);
    }

    async fn ac_87_a_proof_that_comes_back_too_late_is_recorded_too(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let chat = app.begin().await;
        let token = chat.ask_for("slip").await;
        let secret = app.prove_on_page(&token, &zulkifli).await;
        app.app.clock.advance(10 * 60_000 + 1);
        assert_eq!(chat.bring_back(&secret).await.status(), 410);
        let refused = "SELECT COUNT(*) FROM audit WHERE event = 'proof.returned' AND outcome <> 'accepted'";
        assert_eq!(app.database.count(app.folder(), refused).await, 1);
    }

    async fn ac_86_the_database_itself_refuses_to_change_the_record(app: TestApp) {
        app.begin().await.ask_for("slip").await;
        until_anchored(app).await;
        let lines = "SELECT COUNT(*) FROM audit";
        assert_eq!(app.database.count(app.folder(), lines).await, 2);
        let before = whole_record(app).await;
        let mut statements = vec![
            "UPDATE audit SET outcome = 'x'",
            "UPDATE audit SET seq = seq + 1",
            "UPDATE audit SET mac = ''",
            "DELETE FROM audit",
            "DELETE FROM audit WHERE seq = 1",
        ];
        match app.database {
            Database::Sqlite => statements.push("UPDATE OR REPLACE audit SET detail = 'x'"),
            Database::Postgres(_) => statements.extend([
                "TRUNCATE audit",
                "INSERT INTO audit SELECT * FROM audit ON CONFLICT (seq) DO UPDATE SET detail = 'x'",
            ]),
        }
        for statement in statements {
            let mut connection = connect(&app.database, app.folder()).await;
            let refused = connection.execute(statement).await;
            let error = refused.expect_err(statement).to_string();
            assert!(error.contains("append only"), "{statement}: {error}");
        }
        assert_eq!(whole_record(app).await, before);
        // The guard does not stand in the way of what is appended.
        app.begin().await.ask_for("slip").await;
        assert_eq!(app.database.count(app.folder(), lines).await, 3);
    }

    async fn ac_86_the_command_tells_whether_the_record_is_whole(app: TestApp) {
        let chat = app.begin().await;
        chat.ask_for("slip").await;
        // The end that the supervisor was mailed today.
        let mail = app.mails_about("helpdesk@localhost", "Rekod audit", 1).await.remove(0);
        let mut words = mail.text.split_whitespace();
        let mailed = words.find(|word| word.len() > 20 && Anchor::parse(word).is_some()).unwrap().to_owned();
        chat.ask_for("ec").await;
        let whole = beside(app, &["audit", "verify"]).await;
        assert_eq!(whole.status.code(), Some(0), "{}", text(&whole.stderr));
        let end = text(&whole.stdout).lines().last().unwrap().to_owned();
        for anchor in [&mailed, &end] {
            let checked = beside(app, &["audit", "verify", "--anchor", anchor]).await;
            assert_eq!(checked.status.code(), Some(0), "{anchor}: {}", text(&checked.stderr));
        }
        let (seq, mac) = end.split_once(':').unwrap();
        let far = format!("{}:{mac}", seq.parse::<i64>().unwrap() + 1000);
        let other = format!("1:{mac}");
        for anchor in [&far, &other] {
            let checked = beside(app, &["audit", "verify", "--anchor", anchor]).await;
            assert_eq!(checked.status.code(), Some(1), "{anchor}");
            assert!(text(&checked.stderr).contains("anchor"), "{}", text(&checked.stderr));
        }
        for wrong in ["", "1", "x:y"] {
            let checked = beside(app, &["audit", "verify", "--anchor", wrong]).await;
            assert_eq!(checked.status.code(), Some(2), "{wrong:?}");
        }
        let mut connection = connect(&app.database, app.folder()).await;
        unguard(&mut connection, &app.database).await;
        connection.execute("UPDATE audit SET detail = 'daftar' WHERE seq = 1").await.unwrap();
        connection.close().await.unwrap();
        let broken = beside(app, &["audit", "verify"]).await;
        assert_eq!(broken.status.code(), Some(1));
        assert!(text(&broken.stderr).contains("line 1"), "{}", text(&broken.stderr));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn say_it_was_not_me(app: &TestApp, token: &str) -> StatusCode {
    let headers = pressed(&app.page_cookie("/bukan-saya").await);
    let request = app
        .request(reqwest::Method::POST, "/bukan-saya")
        .headers(headers);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(format!("token={token}")).send().await;
    answer.unwrap().status()
}

/// Waits until the day's anchor was sent: no line comes by itself after that.
async fn until_anchored(app: &TestApp) {
    let anchored = "SELECT COUNT(*) FROM audit WHERE event = 'audit.anchored'";
    for _ in 0..1500 {
        if app.database.count(app.folder(), anchored).await == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no anchor was sent");
}

/// Every line, as text.
async fn whole_record(app: &TestApp) -> String {
    let mut connection = connect(&app.database, app.folder()).await;
    let rows = tanya::storage::audit::after(&mut connection, 0, 10_000).await;
    connection.close().await.unwrap();
    let mut all = String::new();
    for row in rows.unwrap() {
        let AuditRow {
            seq,
            at,
            event,
            outcome,
            ..
        } = &row;
        let AuditRow {
            conversation_id,
            subject,
            detail,
            mac,
            ..
        } = &row;
        writeln!(
            all,
            "{seq} {at} {event} {outcome} {conversation_id} {subject} {detail} {mac}"
        )
        .unwrap();
    }
    all
}

#[tokio::test]
async fn ac_86_no_line_is_replaced_by_another_either() {
    let app = TestApp::on_sqlite().await;
    app.begin().await.ask_for("slip").await;
    until_anchored(&app).await;
    let before = whole_record(&app).await;
    let mut connection = connect(&app.database, app.folder()).await;
    let replaced = connection
        .execute("INSERT OR REPLACE INTO audit SELECT seq, at, event, 'x', conversation_id, subject, detail, mac FROM audit")
        .await;
    connection.close().await.unwrap();
    assert!(
        replaced.is_err(),
        "a line was replaced, and the guard let it pass"
    );
    assert_eq!(whole_record(&app).await, before);
    app.stop().await;
}

/// A record of its own, without a server.
struct Record {
    database: Database,
    folder: TempDir,
    store: Store,
    audit: Audit,
    lines: Vec<AuditRow>,
    anchor: Anchor,
}

impl Record {
    async fn of(database: Database, length: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_beside(&database.url(folder.path()))
            .await
            .unwrap();
        let secret = SecretKey::parse(SECRET_KEY).unwrap();
        let keys = KeyRing::open(&store, &secret, &Clock::default()).await;
        let audit = Audit::new(keys.unwrap().audit);
        for place in 0..length {
            let conversation = format!("c{}", place % 7);
            let subject = format!("s{}", place % 5);
            let event =
                [Event::VerifyAsked, Event::PayslipLink, Event::LinkOpened][place as usize % 3];
            let entry = Entry::new(event, "asked")
                .within(&conversation)
                .about(&subject)
                .detail("2026-10");
            let mut transaction = store.begin().await.unwrap();
            audit
                .record(&mut transaction, entry, 1_000 + place)
                .await
                .unwrap();
            transaction.commit().await.unwrap();
        }
        let anchor = audit.verify(&store, None).await.unwrap();
        let mut connection = store.connection().await.unwrap();
        let lines = tanya::storage::audit::after(&mut connection, 0, 10_000).await;
        drop(connection);
        Self {
            database,
            folder,
            store,
            audit,
            lines: lines.unwrap(),
            anchor,
        }
    }

    /// A connection of somebody who owns the database, with the guard taken away.
    async fn owner(&self) -> AnyConnection {
        let mut connection = connect(&self.database, self.folder.path()).await;
        unguard(&mut connection, &self.database).await;
        if matches!(self.database, Database::Sqlite) {
            // A test need not outlive a power cut.
            connection
                .execute("PRAGMA synchronous = OFF")
                .await
                .unwrap();
        }
        connection
    }

    /// Puts everything back.
    async fn restore(&self, connection: &mut AnyConnection) {
        let mut transaction = connection.begin().await.unwrap();
        transaction.execute("DELETE FROM audit").await.unwrap();
        for line in &self.lines {
            insert(&mut transaction, line).await;
        }
        set_head(&mut transaction, self.anchor.seq, &self.anchor.mac).await;
        transaction.commit().await.unwrap();
    }
}

async fn insert(connection: &mut AnyConnection, line: &AuditRow) {
    sqlx::query(
        "INSERT INTO audit (seq, at, event, outcome, conversation_id, subject, detail, mac)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(line.seq)
    .bind(line.at)
    .bind(&line.event)
    .bind(&line.outcome)
    .bind(&line.conversation_id)
    .bind(&line.subject)
    .bind(&line.detail)
    .bind(&line.mac)
    .execute(connection)
    .await
    .unwrap();
}

async fn delete(connection: &mut AnyConnection, seq: i64) {
    let statement = sqlx::query("DELETE FROM audit WHERE seq = $1").bind(seq);
    statement.execute(connection).await.unwrap();
}

async fn set_head(connection: &mut AnyConnection, seq: i64, mac: &str) {
    let statement = sqlx::query("UPDATE audit_head SET seq = $1, mac = $2 WHERE id = 1");
    let statement = statement.bind(seq).bind(mac);
    statement.execute(connection).await.unwrap();
}

/// Throws numbers, the same in every run.
struct Dice(u64);

impl Dice {
    /// SplitMix64.
    fn throw(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % below
    }
}

/// One edit, as somebody would make it who owns the database and wants to hide something; what it was.
async fn tamper(connection: &mut AnyConnection, record: &Record, dice: &mut Dice) -> String {
    let lines = &record.lines;
    let place = dice.throw(lines.len());
    let other = (place + 1 + dice.throw(lines.len() - 1)) % lines.len();
    let (line, another) = (lines[place].clone(), lines[other].clone());
    let last = lines.len() as i64;
    match dice.throw(11) {
        0 | 1 => {
            let mut changed = line.clone();
            let column = dice.throw(8);
            match column {
                0 => changed.at += 1,
                1 => changed.event.push('x'),
                2 => changed.outcome = "opened".to_owned(),
                3 => changed.conversation_id.clear(),
                4 => changed.subject = format!("{}0", changed.subject),
                5 => changed.detail = "2026-09".to_owned(),
                6 => changed.mac = changed.mac.to_lowercase() + "A",
                // The same letters, in other columns.
                _ => {
                    changed.event = format!("{}{}", line.event, line.outcome);
                    changed.outcome.clear();
                }
            }
            delete(connection, line.seq).await;
            insert(connection, &changed).await;
            format!("column {column} of line {}", line.seq)
        }
        2 => {
            delete(connection, line.seq).await;
            format!("line {} taken out", line.seq)
        }
        3 => {
            // Taken out, and the gap closed.
            delete(connection, line.seq).await;
            for later in &lines[place + 1..] {
                delete(connection, later.seq).await;
                let moved = AuditRow {
                    seq: later.seq - 1,
                    ..later.clone()
                };
                insert(connection, &moved).await;
            }
            let end = if line.seq == last {
                &lines[lines.len() - 2]
            } else {
                &lines[lines.len() - 1]
            };
            set_head(connection, last - 1, &end.mac).await;
            format!("line {} taken out and the gap closed", line.seq)
        }
        4 => {
            delete(connection, line.seq).await;
            delete(connection, another.seq).await;
            insert(
                connection,
                &AuditRow {
                    seq: another.seq,
                    ..line.clone()
                },
            )
            .await;
            insert(
                connection,
                &AuditRow {
                    seq: line.seq,
                    ..another.clone()
                },
            )
            .await;
            format!("lines {} and {} change places", line.seq, another.seq)
        }
        5 => {
            // All that was said changes places, the HMACs do not.
            delete(connection, line.seq).await;
            delete(connection, another.seq).await;
            insert(
                connection,
                &AuditRow {
                    seq: another.seq,
                    mac: another.mac.clone(),
                    ..line.clone()
                },
            )
            .await;
            insert(
                connection,
                &AuditRow {
                    seq: line.seq,
                    mac: line.mac.clone(),
                    ..another.clone()
                },
            )
            .await;
            format!(
                "what lines {} and {} say changes places",
                line.seq, another.seq
            )
        }
        6 => {
            for line in &lines[place..] {
                delete(connection, line.seq).await;
            }
            format!("cut off at line {}", line.seq)
        }
        7 => {
            // Cut off cleanly: the head says that this was always the end.
            for line in &lines[place..] {
                delete(connection, line.seq).await;
            }
            let mac = place
                .checked_sub(1)
                .map_or("", |before| lines[before].mac.as_str());
            set_head(connection, line.seq - 1, mac).await;
            format!("cut off cleanly at line {}", line.seq)
        }
        8 => {
            delete(connection, line.seq).await;
            insert(
                connection,
                &AuditRow {
                    seq: line.seq,
                    ..another.clone()
                },
            )
            .await;
            format!("line {} written over with line {}", line.seq, another.seq)
        }
        9 => {
            let forged = AuditRow {
                seq: last + 1,
                ..line.clone()
            };
            insert(connection, &forged).await;
            set_head(connection, forged.seq, &forged.mac).await;
            format!("line {} put once more at the end", line.seq)
        }
        _ => {
            delete(connection, line.seq).await;
            insert(
                connection,
                &AuditRow {
                    seq: last + 1 + other as i64,
                    ..line.clone()
                },
            )
            .await;
            format!("line {} moved behind the end", line.seq)
        }
    }
}

#[tokio::test]
async fn ac_86_a_thousand_edits_are_a_thousand_findings() {
    for database in Database::both().await {
        let edits = if matches!(database, Database::Sqlite) {
            1_000
        } else {
            200
        };
        let record = Record::of(database, 24).await;
        let mut owner = record.owner().await;
        let mut dice = Dice(86);
        for edit in 0..edits {
            let mut transaction = owner.begin().await.unwrap();
            let what = tamper(&mut transaction, &record, &mut dice).await;
            transaction.commit().await.unwrap();
            let found = record
                .audit
                .verify(&record.store, Some(&record.anchor))
                .await;
            match found {
                Ok(_) => panic!("edit {edit} was not found: {what}"),
                Err(Broken::Database(error)) => panic!("edit {edit}, {what}: {error}"),
                Err(_) => {}
            }
            record.restore(&mut owner).await;
            if edit % 50 == 0 {
                let whole = record
                    .audit
                    .verify(&record.store, Some(&record.anchor))
                    .await;
                assert_eq!(whole.unwrap(), record.anchor, "after {what}");
            }
        }
        owner.close().await.unwrap();
        record.store.close().await;
    }
}

#[tokio::test]
async fn ac_86_a_clean_cut_shows_by_the_anchor_alone() {
    for database in Database::both().await {
        let record = Record::of(database, 8).await;
        let mut owner = record.owner().await;
        owner
            .execute("DELETE FROM audit WHERE seq > 5")
            .await
            .unwrap();
        set_head(&mut owner, 5, &record.lines[4].mac).await;
        let end = record.audit.verify(&record.store, None).await.unwrap();
        assert_eq!(end.seq, 5, "this is why the end is mailed every day");
        let found = record
            .audit
            .verify(&record.store, Some(&record.anchor))
            .await;
        assert!(matches!(found, Err(Broken::Anchor(8))), "{found:?}");
        // What is written on afterwards does not make up for it.
        for at in 0..5 {
            let mut transaction = record.store.begin().await.unwrap();
            let entry = Entry::new(Event::LinkOpened, "opened");
            record
                .audit
                .record(&mut transaction, entry, at)
                .await
                .unwrap();
            transaction.commit().await.unwrap();
        }
        assert!(record.audit.verify(&record.store, None).await.is_ok());
        let found = record
            .audit
            .verify(&record.store, Some(&record.anchor))
            .await;
        assert!(matches!(found, Err(Broken::Anchor(8))), "{found:?}");
        owner.close().await.unwrap();
        record.store.close().await;
    }
}

#[tokio::test]
async fn lines_that_are_written_side_by_side_make_one_chain() {
    for database in Database::both().await {
        let record = Record::of(database, 3).await;
        let written = (0..50).map(|at| {
            let (store, audit) = (&record.store, &record.audit);
            async move {
                let mut transaction = store.begin().await.unwrap();
                let entry = Entry::new(Event::LinkOpened, "again");
                audit.record(&mut transaction, entry, at).await.unwrap();
                // Every third is given up: no gap may stay behind.
                match at % 3 {
                    0 => transaction.rollback().await.unwrap(),
                    _ => transaction.commit().await.unwrap(),
                }
            }
        });
        futures_util::future::join_all(written).await;
        let end = record
            .audit
            .verify(&record.store, Some(&record.anchor))
            .await;
        assert_eq!(end.unwrap().seq, 3 + 33);
        record.store.close().await;
    }
}
