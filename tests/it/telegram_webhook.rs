//! Telegram brings its updates.

use std::time::Duration;

use serde_json::json;

use crate::support::bot_api::updates::private_text;
use crate::support::{BotApi, Database, TestApp};
use crate::telegram::{AMINAH, BAKAR, text};

const SECRET: &str = "a-secret-for-the-webhook";
const HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";
const WEBHOOK: [(&str, &str); 2] = [
    ("TANYA_TELEGRAM_MODE", "webhook"),
    ("TANYA_TELEGRAM_WEBHOOK_SECRET", SECRET),
];

async fn started(database: Database, telegram: &BotApi) -> TestApp {
    let app = TestApp::with_telegram(database, telegram, &WEBHOOK).await;
    telegram.until_called("setWebhook", 1).await;
    app
}

#[tokio::test]
async fn ac_91_only_who_has_the_secret_is_heard_before_the_body_is_read() {
    let telegram = BotApi::start().await;
    let app = started(Database::sqlite(), &telegram).await;
    let webhook = telegram.webhook().unwrap();
    assert_eq!(
        webhook.url,
        format!(
            "http://localhost:{}/telegram/webhook",
            app.app.http_addr.port()
        )
    );
    assert_eq!(webhook.secret.as_deref(), Some(SECRET));
    let wanted = [
        "message",
        "channel_post",
        "callback_query",
        "my_chat_member",
    ];
    assert_eq!(webhook.allowed_updates, wanted);
    let update = private_text(AMINAH, "/start").to_string();
    for headers in [
        &[][..],
        &[(HEADER, "")],
        &[(HEADER, "wrong")],
        &[(HEADER, "a-secret-for-the-webhoo")],
        &[(HEADER, "a-secret-for-the-webhook2")],
        &[(HEADER, SECRET), (HEADER, SECRET)],
    ] {
        assert_eq!(
            telegram.post_raw(update.clone(), headers).await,
            401,
            "{headers:?}"
        );
    }
    // Nothing is read of a body without a secret, however large it says it is.
    let endless = app
        .request(reqwest::Method::POST, "/telegram/webhook")
        .body(reqwest::Body::wrap_stream(futures_util::stream::pending::<
            Result<Vec<u8>, std::io::Error>,
        >()));
    let refused = tokio::time::timeout(Duration::from_secs(3), endless.send()).await;
    assert_eq!(refused.expect("at once").unwrap().status(), 401);
    let huge = json!({"update_id": 1, "message": {"text": "x".repeat(2_000_000)}}).to_string();
    assert_eq!(telegram.post_raw(huge, &[(HEADER, SECRET)]).await, 413);
    for unread in ["", "{", "[]", "null", "{\"update_id\":\"1\"}"] {
        assert_eq!(
            telegram
                .post_raw(unread.to_owned(), &[(HEADER, SECRET)])
                .await,
            200
        );
    }
    assert_eq!(
        app.post("/telegram/webhooks", &json!({})).await.status(),
        404
    );
    assert_eq!(telegram.post(private_text(AMINAH, "/start")).await, 200);
    telegram.until_sent(AMINAH, 2).await;
    assert_eq!(telegram.violations(), Vec::<String>::new());
    app.stop().await;
    // Others may be there to take updates.
    assert_eq!(telegram.attempts("deleteWebhook"), 0);
    assert!(telegram.webhook().is_some());
}

async fn a_hundred_at_once(database: Database) {
    let telegram = BotApi::start().await;
    let app = started(database, &telegram).await;
    let mut update = private_text(AMINAH, "/bahasa");
    update["update_id"] = json!(77);
    let posts = (0..100).map(|_| telegram.post(update.clone()));
    let statuses = futures_util::future::join_all(posts).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    telegram.until_sent(AMINAH, 2).await;
    let app = app.restart().await;
    telegram.until_called("setWebhook", 2).await;
    assert_eq!(telegram.post(update).await, 200);
    assert_eq!(telegram.post(private_text(BAKAR, "/bahasa")).await, 200);
    telegram.until_sent(BAKAR, 2).await;
    assert_eq!(telegram.sent(AMINAH).len(), 2);
    app.stop().await;
}

#[tokio::test]
async fn ac_92_the_same_update_a_hundred_times_at_once_is_handled_once_on_sqlite() {
    a_hundred_at_once(Database::sqlite()).await;
}

#[tokio::test]
async fn ac_92_the_same_update_a_hundred_times_at_once_is_handled_once_on_postgres() {
    if let Some(database) = Database::postgres().await {
        a_hundred_at_once(database).await;
    }
}

#[tokio::test]
async fn ac_100_without_the_database_nothing_is_acknowledged() {
    let telegram = BotApi::start().await;
    let app = started(Database::sqlite(), &telegram).await;
    app.database
        .execute(app.folder(), "ALTER TABLE inbound RENAME TO away")
        .await;
    assert_eq!(telegram.post(private_text(AMINAH, "/start")).await, 503);
    app.database
        .execute(app.folder(), "ALTER TABLE away RENAME TO inbound")
        .await;
    assert_eq!(telegram.post(private_text(AMINAH, "/start")).await, 200);
    telegram.until_sent(AMINAH, 2).await;
    app.stop().await;
}

#[tokio::test]
async fn who_fetches_again_has_the_webhook_removed() {
    let telegram = BotApi::start().await;
    let app = started(Database::sqlite(), &telegram).await;
    app.stop().await;
    let app = TestApp::with_telegram(Database::sqlite(), &telegram, &[]).await;
    telegram.give(private_text(AMINAH, "/start"));
    let sent = telegram.until_sent(AMINAH, 2).await;
    assert!(text(&sent[1]).starts_with("Assalamualaikum"));
    assert!(telegram.webhook().is_none());
    app.stop().await;
}
