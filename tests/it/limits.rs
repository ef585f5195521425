//! Those who want too much, and pages of others.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::support::stream::EventStream;
use crate::support::{TestApp, assert_problem};

fn seconds(response: &reqwest::Response) -> u64 {
    response.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test]
async fn new_chats_are_capped_for_a_network_and_an_office_has_ten_times_more() {
    let few = ("TANYA_NEW_CHATS_PER_HOUR", "3");
    let app = TestApp::with(&[few, ("TANYA_OFFICE_NETWORKS", "10.0.0.0/8")]).await;
    for _ in 0..3 {
        app.begin().await;
    }
    let refused = app.post("/api/v1/conversations", &json!({})).await;
    assert!((1..=1200).contains(&seconds(&refused)));
    assert_problem(refused, 429, "slow_down").await;
    // Over a restart, and whatever a client says about itself.
    let app = app.restart().await;
    for name in [
        "x-forwarded-for",
        "forwarded",
        "x-real-ip",
        "cf-connecting-ip",
    ] {
        let request = app.request(Method::POST, "/api/v1/conversations");
        let request = request.header(name, "198.51.100.7").json(&json!({}));
        assert_eq!(request.send().await.unwrap().status(), 429, "{name}");
    }
    // Answers stay open.
    app.ask("lupa kata laluan portal").await;
    app.app.clock.advance(21 * 60_000);
    app.begin().await;
    let stored = app.database.dump(app.folder()).await;
    assert!(!stored.contains("127.0.0.1"), "an address is kept");
    app.stop().await;

    let office = TestApp::with(&[few]).await;
    for _ in 0..30 {
        office.begin().await;
    }
    let refused = office.post("/api/v1/conversations", &json!({})).await;
    assert_problem(refused, 429, "slow_down").await;
    office.stop().await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_every_client_counts_for_itself() {
    let app = TestApp::with(&[
        ("TANYA_NEW_CHATS_PER_HOUR", "1"),
        ("TANYA_OFFICE_NETWORKS", "10.0.0.0/8"),
        ("TANYA_TRUSTED_PROXIES", "127.0.0.0/8"),
    ])
    .await;
    let begin = async |client: &str| {
        let request = app.request(Method::POST, "/api/v1/conversations");
        let request = request.header("x-forwarded-for", client).json(&json!({}));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(begin("198.51.100.7").await, 201);
    assert_eq!(begin("198.51.100.7").await, 429);
    assert_eq!(begin("203.0.113.1, 198.51.100.7").await, 429);
    assert_eq!(begin("198.51.100.8").await, 201);
    for _ in 0..10 {
        assert_eq!(begin("10.1.2.3").await, 201);
    }
    assert_eq!(begin("10.1.2.3").await, 429);
    app.stop().await;
}

#[tokio::test]
async fn who_writes_without_end_is_slowed_down_and_loses_nothing() {
    let app = TestApp::with(&[("TANYA_CHAT_MESSAGES_PER_MINUTE", "5")]).await;
    let chat = app.begin().await;
    let first = json!({"client_id": Uuid::new_v4(), "text": "salam"});
    assert_eq!(chat.post_message(&first).await.status(), 200);
    for _ in 0..4 {
        chat.say("salam").await;
    }
    let one_more = json!({"client_id": Uuid::new_v4(), "text": "slip gaji"});
    let refused = chat.post_message(&one_more).await;
    assert!((1..=12).contains(&seconds(&refused)));
    assert_problem(refused, 429, "slow_down").await;
    // What was said already may be said again.
    assert_eq!(chat.post_message(&first).await.status(), 200);
    app.app.clock.advance(13_000);
    assert_eq!(chat.post_message(&one_more).await.status(), 200);
    assert_eq!(chat.messages(0).await.len(), 14);
    app.stop().await;
}

#[tokio::test]
async fn ac_98_a_chat_has_three_streams_and_the_oldest_gives_way() {
    let app = TestApp::on_sqlite().await;
    let chat = app.begin().await;
    let open = async || {
        let response = chat.request(Method::GET, "/events?after=2").send().await;
        EventStream::new(response.unwrap())
    };
    let mut oldest = open().await;
    let mut others = [open().await, open().await, open().await];
    assert!(oldest.next().await.is_none());
    chat.say("slip gaji").await;
    for stream in &mut others {
        assert_eq!(stream.message().await["seq"], 3);
    }
    app.stop().await;
}

#[tokio::test]
async fn ac_31_ac_65_pages_of_others_reach_nothing() {
    let app = TestApp::on_sqlite().await;
    let chat = app.begin().await;
    let message = json!({"client_id": Uuid::new_v4(), "text": "slip gaji"});
    for origin in ["https://evil.example", "null", "http://localhost:1"] {
        let requests = [
            app.request(Method::POST, "/api/v1/conversations")
                .json(&json!({})),
            app.request(Method::POST, "/api/v1/ask")
                .json(&json!({"text": "x"})),
            chat.request(Method::POST, "/messages").json(&message),
            chat.request(Method::GET, "/messages"),
            chat.request(Method::GET, "/events"),
            chat.request(Method::DELETE, ""),
        ];
        for request in requests {
            let response = request.header("origin", origin).send().await.unwrap();
            assert!(
                !response
                    .headers()
                    .contains_key("access-control-allow-origin")
            );
            assert_problem(response, 403, "foreign_origin").await;
        }
    }
    let preflight = app
        .request(Method::OPTIONS, "/api/v1/ask")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST");
    let preflight = preflight.send().await.unwrap();
    assert!(!preflight.status().is_success());
    // The page's own origin, and the same machine under another name.
    let own = format!("http://localhost:{}", app.app.http_addr.port());
    let also = format!("http://{}", app.app.http_addr);
    for origin in [own, also] {
        let request = chat
            .request(Method::GET, "/messages")
            .header("origin", origin);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    assert_eq!(chat.messages(2).await.len(), 0);
    app.stop().await;
}
