//! The disk is full: nothing is acknowledged that was not kept, and it goes on by itself when there is room again.

use serde_json::{Value, json};
use sqlx::Executor;
use uuid::Uuid;

use crate::support::bot_api::updates::private_text;
use crate::support::{BotApi, Database, TestApp, assert_problem};
use crate::telegram::AMINAH;

const FULL: &str = "PRAGMA max_page_count = 1";
const ROOM: &str = "PRAGMA max_page_count = 1073741823";
const MOST: usize = 400;

/// As many connections as the program ever has.
const CONNECTIONS: usize = 8;

/// Lets the file of the running program grow, or not.
async fn let_it(app: &TestApp, how: &'static str) {
    let store = &app.app.retention.store;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        held.push(store.connection().await.unwrap());
    }
    for connection in &mut held {
        connection.execute(how).await.unwrap();
    }
}

fn long() -> String {
    "penyata gaji saya tidak boleh dibuka ".repeat(100)
}

#[tokio::test]
async fn ac_100_on_a_full_disk_nothing_is_acknowledged_that_was_not_kept() {
    let app = TestApp::with(&[("TANYA_CHAT_MESSAGES_PER_MINUTE", "1000000")]).await;
    let chat = app.begin().await;
    chat.say("salam").await;
    let_it(&app, FULL).await;
    let mut kept = Vec::new();
    let refused = loop {
        let message = json!({"client_id": Uuid::new_v4(), "text": long()});
        let response = chat.post_message(&message).await;
        if response.status() != 200 {
            assert_problem(response, 503, "unavailable").await;
            break message;
        }
        kept.push(message["client_id"].clone());
        assert!(kept.len() < MOST, "the disk never was full");
    };
    // It stays so, and what can be read is read.
    for _ in 0..3 {
        assert_problem(chat.post_message(&refused).await, 503, "unavailable").await;
    }
    let heard = |messages: &[Value], id: &Value| {
        messages.iter().filter(|it| it["client_id"] == *id).count()
    };
    let messages = chat.messages(0).await;
    assert_eq!(heard(&messages, &refused["client_id"]), 0);
    let_it(&app, ROOM).await;
    // By itself, and soon: whoever insists is heard.
    let begun = std::time::Instant::now();
    while chat.post_message(&refused).await.status() != 200 {
        assert!(begun.elapsed().as_secs() < 20, "it does not go on");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    kept.push(refused["client_id"].clone());
    let messages = chat.messages(0).await;
    for id in &kept {
        assert_eq!(heard(&messages, id), 1);
    }
    app.stop().await;
}

#[tokio::test]
async fn ac_100_on_a_full_disk_telegram_is_told_to_bring_it_again() {
    let telegram = BotApi::start().await;
    let webhook = [
        ("TANYA_TELEGRAM_MODE", "webhook"),
        ("TANYA_TELEGRAM_WEBHOOK_SECRET", "a-secret-for-the-webhook"),
    ];
    let app = TestApp::with_telegram(Database::sqlite(), &telegram, &webhook).await;
    telegram.until_called("setWebhook", 1).await;
    assert_eq!(telegram.post(private_text(AMINAH, "/start")).await, 200);
    telegram.until_sent(AMINAH, 2).await;
    let_it(&app, FULL).await;
    let mut taken = 0;
    let mut refused = private_text(AMINAH, &long());
    loop {
        refused["update_id"] = json!(900_000 + taken);
        match telegram.post(refused.clone()).await {
            200 => taken += 1,
            status => break assert_eq!(status, 503),
        }
        assert!(taken < MOST, "the disk never was full");
    }
    let_it(&app, ROOM).await;
    // Telegram brings it again until it is taken.
    let begun = std::time::Instant::now();
    while telegram.post(refused.clone()).await != 200 {
        assert!(begun.elapsed().as_secs() < 20, "it does not go on");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let settled = "SELECT COUNT(*) FROM inbound WHERE outcome = 'handled'";
    let begun = std::time::Instant::now();
    let all = 2 + taken as i64;
    while app.database.count(app.folder(), settled).await < all {
        assert!(begun.elapsed().as_secs() < 60, "it does not go on");
        app.app.clock.advance(1_000);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    app.stop().await;
}

#[tokio::test]
async fn ac_100_what_cannot_be_recorded_is_not_done() {
    let app = TestApp::with(&[]).await;
    let zulkifli = app.zulkifli().await;
    let chat = app.begin().await;
    chat.prove("slip", &zulkifli).await;
    chat.until_said("Slip gaji yang ada").await;
    let full = "CREATE TRIGGER full BEFORE INSERT ON audit
                BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";
    app.database.execute(app.folder(), full).await;
    let slip = json!({"client_id": Uuid::new_v4(), "text": "slip gaji bulan lepas"});
    assert_problem(chat.post_message(&slip).await, 503, "unavailable").await;
    let reset = json!({"client_id": Uuid::new_v4(), "text": "/lupa"});
    assert_problem(chat.post_message(&reset).await, 503, "unavailable").await;
    for nothing in [
        "SELECT COUNT(*) FROM document_link",
        "SELECT COUNT(*) FROM outbox WHERE carrier = 'portal'",
    ] {
        let found = app.database.count(app.folder(), nothing).await;
        assert_eq!(found, 0, "{nothing}");
    }
    app.database
        .execute(app.folder(), "DROP TRIGGER full")
        .await;
    let done = chat.post_message(&slip).await;
    assert_eq!(done.status(), 200);
    let links = "SELECT COUNT(*) FROM document_link";
    assert_eq!(app.database.count(app.folder(), links).await, 1);
    app.stop().await;
}
