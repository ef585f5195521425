//! The two systems themselves do not work: it is said first, told when it is over, and noticed when many people say so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde_json::{Value, json};
use tanya::agent::role::Role;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::support::bot_api::updates::private_text;
use crate::support::desk::between;
use crate::support::{Chat, Database, TestApp};
use crate::telegram::{AMINAH, BAKAR, text};
use crate::{on_both_databases, on_telegram};

const MINUTE: i64 = 60_000;
const TELL: &str = "Beritahu saya apabila pulih";
const CANNOT_OPEN: &str = "sistem ispeks tak boleh buka";
/// Asked every second, and each chat of a story from a network of its own.
const WATCHED: [(&str, &str); 3] = [
    ("TANYA_STATUS_EVERY_S", "1"),
    ("TANYA_TRUSTED_PROXIES", "127.0.0.0/8"),
    ("TANYA_OFFICE_NETWORKS", "10.9.0.0/16"),
];

async fn until(what: &str, mut there: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !there().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "never {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn status(app: &TestApp) -> Value {
    app.get("/api/v1/status").await.json().await.unwrap()
}

/// The portal says how the systems are, and Tanya has heard it.
async fn is(app: &TestApp, sistem: &str, portal: &str) {
    let told = json!({"status": {"sistem": sistem, "portal": portal, "note": "Kerja naik taraf pangkalan data."}});
    app.faults(told).await;
    heard(app, sistem, portal).await;
}

async fn heard(app: &TestApp, sistem: &str, portal: &str) {
    until("heard", async || {
        let status = status(app).await;
        status["sistem"] == sistem && status["portal"] == portal
    })
    .await;
}

/// Says something from a network.
async fn say_from(chat: &Chat<'_>, network: &str, words: &str) -> Vec<Value> {
    let message = json!({"client_id": Uuid::new_v4(), "text": words});
    let request = chat.request(reqwest::Method::POST, "/messages");
    let request = request.header("x-forwarded-for", network).json(&message);
    let body: Value = request.send().await.unwrap().json().await.unwrap();
    body["replies"].as_array().unwrap().clone()
}

async fn watched(database: Database) -> TestApp {
    TestApp::start(database, &WATCHED).await
}

fn words(replies: &[Value]) -> String {
    let texts = replies.iter().map(|reply| reply["text"].as_str().unwrap());
    texts.collect::<Vec<_>>().join("\n")
}

const OPEN: &str = "SELECT COUNT(*) FROM incident WHERE closed_at IS NULL";
const ALL: &str = "SELECT COUNT(*) FROM incident";
const TICKETS: &str = "SELECT COUNT(*) FROM ticket WHERE topic LIKE 'insiden-%' AND priority = 'urgent' AND queue = 'teknikal'";

async fn answers(app: &TestApp) {
    let chat = app.begin().await;
    // As long as everything works, one looks at one's own office first.
    heard(app, "up", "up").await;
    let usual = chat.say(CANNOT_OPEN).await;
    assert!(words(&usual).contains("modem"), "{usual:#?}");

    is(app, "down", "maintenance").await;
    let said = chat.say(CANNOT_OPEN).await;
    assert_eq!(said.len(), 1);
    let first = said[0]["text"].as_str().unwrap();
    assert!(
        first.starts_with("Sistem iSPEKS tidak dapat digunakan buat masa ini, sejak "),
        "{first}"
    );
    assert!(
        first.contains("Kerja naik taraf pangkalan data."),
        "{first}"
    );
    assert!(
        !first.contains("modem") && first.contains("tidak perlu membuat semakan"),
        "{first}"
    );

    // Another question about that system: the state first, then its answer.
    let said = chat
        .say("bagaimana nak dapatkan ID pengguna sistem ispeks")
        .await;
    assert!(
        said[0]["text"]
            .as_str()
            .unwrap()
            .starts_with("Sistem iSPEKS tidak dapat"),
        "{said:#?}"
    );
    assert_eq!(said[1]["target"], "sistem-akses");

    // What the portal does is not begun.
    let said = chat.say("/slip").await;
    let first = said[0]["text"].as_str().unwrap();
    assert!(
        first.starts_with("Portal iSPEKS sedang diselenggara"),
        "{first}"
    );
    assert!(
        first.contains("selepas Portal pulih") && said[0].get("link").is_none(),
        "{said:#?}"
    );
    let english = chat.say("what is the portal for, in english please").await;
    assert!(
        words(&english).contains("is under maintenance")
            || words(&english).contains("sedang diselenggara"),
        "{english:#?}"
    );

    // Who says yes is told once, who does not is not told.
    let silent = app.begin().await;
    silent.say(CANNOT_OPEN).await;
    let offered = chat.say(CANNOT_OPEN).await;
    let noted = chat.choose(&Chat::choice(&offered[0], TELL)).await;
    assert!(
        noted[0]["text"]
            .as_str()
            .unwrap()
            .contains("sebaik sahaja pulih"),
        "{noted:#?}"
    );
    let again = chat.say(CANNOT_OPEN).await;
    assert!(
        again[0]["choices"]
            .as_array()
            .unwrap()
            .iter()
            .all(|choice| choice["label"] != TELL),
        "{again:#?}"
    );
    is(app, "up", "up").await;
    let over = async |chat: &Chat<'_>| {
        let messages = chat.messages(0).await;
        let over = messages
            .iter()
            .filter(|it| it["text"].as_str().unwrap().contains("telah pulih"));
        over.count()
    };
    until("told", async || over(&chat).await == 1).await;
    // A second end is not theirs any more.
    is(app, "down", "up").await;
    is(app, "up", "up").await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!((over(&chat).await, over(&silent).await), (1, 0));
    let usual = chat.say(CANNOT_OPEN).await;
    assert!(words(&usual).contains("modem"), "{usual:#?}");
    // What was said long ago is not known any more.
    is(app, "down", "up").await;
    app.faults(json!({"error": true, "status": {"sistem": "down", "portal": "up"}}))
        .await;
    app.app.clock.advance(6 * MINUTE);
    heard(app, "unknown", "unknown").await;
    let usual = chat.say(CANNOT_OPEN).await;
    assert!(words(&usual).contains("modem"), "{usual:#?}");
}

#[tokio::test]
async fn while_a_system_is_down_that_is_said_first_and_who_asked_is_told_when_it_is_over_on_sqlite()
{
    let app = watched(Database::sqlite()).await;
    answers(&app).await;
    app.stop().await;
}

#[tokio::test]
async fn while_a_system_is_down_that_is_said_first_and_who_asked_is_told_when_it_is_over_on_postgres()
 {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let app = watched(database).await;
    answers(&app).await;
    app.stop().await;
}

#[tokio::test]
async fn a_look_at_the_address_needs_several_failures_and_several_successes() {
    let answer = Arc::new(AtomicU16::new(200));
    let given = Arc::clone(&answer);
    let looks = Arc::new(AtomicU16::new(0));
    let counted = Arc::clone(&looks);
    let site = axum::Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        let status = given.load(Ordering::SeqCst);
        async move { StatusCode::from_u16(status).unwrap() }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, site).await });
    let settings = [
        ("TANYA_STATUS_EVERY_S", "1"),
        ("TANYA_SISTEM_URL", url.as_str()),
        ("TANYA_PORTAL_URL", "none"),
    ];
    let app = TestApp::with(&settings).await;
    heard(&app, "up", "unknown").await;
    let look = async || {
        let before = looks.load(Ordering::SeqCst);
        until("looked", async || looks.load(Ordering::SeqCst) > before).await;
    };
    // One failure among successes changes nothing, and a sign-in page is an answer.
    answer.store(503, Ordering::SeqCst);
    look().await;
    answer.store(401, Ordering::SeqCst);
    look().await;
    look().await;
    assert_eq!(status(&app).await["sistem"], "up");
    answer.store(502, Ordering::SeqCst);
    heard(&app, "down", "unknown").await;
    let now = status(&app).await;
    assert!(now["portal_since"].is_string() || now["sistem_since"].is_string());
    answer.store(200, Ordering::SeqCst);
    heard(&app, "up", "unknown").await;
    app.stop().await;
}

/// Ten people of ten networks, spread over the processes.
async fn ten_people(processes: &[&TestApp]) {
    for person in 0..10_usize {
        let chat = processes[person % processes.len()].begin().await;
        let network = format!("198.51.100.{person}");
        say_from(&chat, &network, CANNOT_OPEN).await;
        // Who repeats themselves is one person.
        say_from(&chat, &network, CANNOT_OPEN).await;
    }
}

async fn confirmed(app: &TestApp, others: &[&TestApp]) {
    let mut processes = vec![app];
    processes.extend(others);
    heard(app, "up", "up").await;
    ten_people(&processes).await;
    until("an incident", async || {
        app.database.count(app.folder(), TICKETS).await == 1
    })
    .await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(app.database.count(app.folder(), ALL).await, 1);
    assert_eq!(app.database.count(app.folder(), TICKETS).await, 1);

    // Nothing is said before somebody confirmed it; later reports join.
    let late = app.begin().await;
    let usual = say_from(&late, "203.0.113.77", CANNOT_OPEN).await;
    assert!(words(&usual).contains("modem"), "{usual:#?}");
    let joined = "SELECT COUNT(*) FROM trouble_report WHERE incident_id IS NOT NULL";
    until("joined", async || {
        app.database.count(app.folder(), joined).await == 11
    })
    .await;

    let siti = app.officer("siti", Role::Supervisor).await;
    let page = siti.page("/console/insiden").await;
    assert!(page.contains("11 orang"), "{page}");
    let path = between(&page, "action=\"/console/insiden/", "/sahkan\"").to_owned();
    let act = async |what: &str| {
        let response = siti
            .post(&format!("/console/insiden/{path}/{what}"), &[])
            .await;
        response.headers()["location"].to_str().unwrap().to_owned()
    };
    assert_eq!(act("sahkan").await, "/console/insiden?telah=sahkan");
    assert_eq!(act("sahkan").await, "/console/insiden?telah=berubah");
    let said = late.say(CANNOT_OPEN).await;
    let first = said[0]["text"].as_str().unwrap();
    assert!(
        first.contains("disahkan oleh meja bantuan") && !first.contains("modem"),
        "{first}"
    );
    assert_eq!(status(app).await["sistem"], "down");
    late.choose(&Chat::choice(&said[0], TELL)).await;
    assert_eq!(act("tutup").await, "/console/insiden?telah=tutup");
    until("told", async || {
        let messages = late.messages(0).await;
        messages.last().unwrap()["text"]
            .as_str()
            .unwrap()
            .contains("telah pulih")
    })
    .await;
    // The next ones do not make another at once.
    ten_people(&processes).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(app.database.count(app.folder(), OPEN).await, 0);
}

#[tokio::test]
async fn ten_people_make_one_incident_which_the_supervisor_confirms_on_sqlite() {
    let app = watched(Database::sqlite()).await;
    confirmed(&app, &[]).await;
    app.stop().await;
}

#[tokio::test]
async fn ten_people_make_one_incident_which_the_supervisor_confirms_with_two_processes() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let app = watched(database).await;
    let beside = app.beside().await;
    // The other process has a simulator of its own; both say that all is well.
    confirmed(&app, &[&beside]).await;
    beside.stop().await;
    app.stop().await;
}

#[tokio::test]
async fn ac_10_one_network_alone_makes_no_incident_not_even_an_offices() {
    let app = watched(Database::sqlite()).await;
    heard(&app, "up", "up").await;
    for _ in 0..15 {
        let chat = app.begin().await;
        say_from(&chat, "203.0.113.9", CANNOT_OPEN).await;
        let chat = app.begin().await;
        say_from(&chat, "10.9.1.1", "portal ispeks tak boleh buka").await;
    }
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(app.database.count(app.folder(), ALL).await, 0);
    let stored = app.database.dump(app.folder()).await;
    assert!(!stored.contains("203.0.113.9") && !stored.contains("10.9.1.1"));
    // The office has company.
    let chat = app.begin().await;
    say_from(&chat, "203.0.113.9", "portal ispeks tak boleh buka").await;
    until("an incident", async || {
        app.database.count(app.folder(), OPEN).await == 1
    })
    .await;
    app.stop().await;
}

on_both_databases! {
    async fn racing_processes_open_one_incident(app: TestApp) {
        // Both at the same moment, each in a transaction of its own.
        let insert = |id: &'static str| async move {
            let store = tanya::storage::Store::open_beside(&app.database.url(app.folder())).await.unwrap();
            let mut transaction = store.begin().await.unwrap();
            let made = tanya::storage::incident::insert(&mut transaction, (id, "sistem"), 1).await.unwrap();
            transaction.commit().await.unwrap();
            store.close().await;
            made
        };
        let (one, other) = tokio::join!(insert("a"), insert("b"));
        assert!(one != other, "{one} {other}");
        assert_eq!(app.database.count(app.folder(), OPEN).await, 1);
    }
}

on_telegram! {
    async fn who_said_yes_on_telegram_is_told_once_also_after_a_restart(app: TestApp, telegram: BotApi) {
        app = app.restart_with(&[("TANYA_STATUS_EVERY_S", "1")]).await;
        is(&app, "down", "up").await;
        telegram.give(private_text(AMINAH, CANNOT_OPEN));
        telegram.give(private_text(BAKAR, CANNOT_OPEN));
        let sent = telegram.until_sent(AMINAH, 2).await;
        telegram.until_sent(BAKAR, 2).await;
        assert!(text(&sent[1]).starts_with("Sistem iSPEKS tidak dapat"), "{}", text(&sent[1]));
        telegram.give(private_text(AMINAH, TELL));
        telegram.until_sent(AMINAH, 3).await;
        // It is over while nobody runs: the portal says so at the next start.
        app = app.restart_with(&[("TANYA_STATUS_EVERY_S", "1")]).await;
        let sent = telegram.until_sent(AMINAH, 4).await;
        assert!(text(&sent[3]).contains("telah pulih"), "{}", text(&sent[3]));
        app = app.restart().await;
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        assert_eq!((telegram.sent(AMINAH).len(), telegram.sent(BAKAR).len()), (4, 2));
    }
}

on_both_databases! {
    async fn who_tries_a_button_of_the_menu_reports_nothing(app: TestApp) {
        let reports = "SELECT COUNT(*) FROM trouble_report";
        let chat = app.begin().await;
        chat.choose("entry:sistem-tidak-boleh-dibuka").await;
        assert_eq!(app.database.count(app.folder(), reports).await, 0);
        chat.say(CANNOT_OPEN).await;
        assert_eq!(app.database.count(app.folder(), reports).await, 1);
    }
}
