//! Several processes on one PostgreSQL.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::stream::EventStream;
use crate::support::{Chat, Database, TestApp};

/// The same chat as another process sees it.
fn through<'a>(app: &'a TestApp, chat: &Chat<'_>) -> Chat<'a> {
    Chat {
        app,
        id: chat.id.clone(),
        token: chat.token.clone(),
        opening: Vec::new(),
    }
}

#[tokio::test]
async fn what_is_said_to_one_process_is_heard_through_the_other_within_a_second() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let one = TestApp::start(database, &[]).await;
    let other = one.beside().await;
    let chat = one.begin().await;
    let there = through(&other, &chat);
    let response = there.request(Method::GET, "/events?after=2").send().await;
    let mut stream = EventStream::new(response.unwrap());
    // The listener needs a moment to be there.
    tokio::time::sleep(Duration::from_millis(500)).await;
    for turn in 0..5 {
        let begun = Instant::now();
        chat.say("slip gaji").await;
        assert_eq!(stream.message().await["seq"], 3 + turn * 2);
        assert_eq!(stream.message().await["seq"], 4 + turn * 2);
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "{:?}",
            begun.elapsed()
        );
    }
    // Its end, too.
    let begun = Instant::now();
    chat.request(Method::DELETE, "").send().await.unwrap();
    while let Some(event) = stream.next().await {
        assert_ne!(event.name, "message");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn two_processes_decide_one_message_once_and_keep_the_order() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let one = TestApp::start(database, &[]).await;
    let other = one.beside().await;
    let chat = one.begin().await;
    let there = through(&other, &chat);
    for _ in 0..10 {
        let message = json!({"client_id": Uuid::new_v4(), "text": "lupa kata laluan portal"});
        let (here, there) = tokio::join!(chat.post_message(&message), there.post_message(&message));
        let here: Value = here.json().await.unwrap();
        let there: Value = there.json().await.unwrap();
        assert_eq!(here, there);
    }
    let messages = chat.messages(0).await;
    let seqs: Vec<i64> = messages
        .iter()
        .map(|it| it["seq"].as_i64().unwrap())
        .collect();
    assert_eq!(seqs, (1..=22).collect::<Vec<i64>>());
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_web_process_takes_what_is_asked_and_a_worker_carries_it() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let web = TestApp::start(database.clone(), &[("TANYA_ROLE", "web")]).await;
    let zulkifli = web.zulkifli().await;
    let token = web.begin().await.ask_for("slip").await;
    let started = web.give_number(&token, &zulkifli.kind, &zulkifli.id_no);
    assert_eq!(started.await.status(), 202);
    // For longer than a worker would rest.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(web.codes_to(zulkifli.email()).await.is_empty());
    assert_eq!(web.figure("tanya_outbox_waiting").await, 1.0);

    let worker = TestApp::start(database, &[("TANYA_ROLE", "worker")]).await;
    let begun = Instant::now();
    let code = loop {
        let codes = worker.codes_to(zulkifli.email()).await;
        if let Some(code) = codes.first().and_then(|mail| mail.code()) {
            break code;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody carries");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let finished = web.give_code(&token, &code).await;
    assert_eq!(finished.status(), 200);
    worker.stop().await;
    web.stop().await;
}
