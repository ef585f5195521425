//! The database is held by somebody else, or breaks every connection: what was accepted is there once, what was not is
//! said to be, and the program goes on by itself.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use uuid::Uuid;

use crate::support::{Chat, Database, TestApp};

/// Sends a message until it is answered; the replies, and how often it was refused.
async fn insist(chat: &Chat<'_>, message: &Value) -> (Vec<Value>, usize) {
    for refused in 0..100 {
        let response = chat.post_message(message).await;
        let status = response.status();
        assert!(status == 200 || status == 503, "{status}");
        let body: Value = response.json().await.unwrap();
        if status == 200 {
            return (body["replies"].as_array().unwrap().clone(), refused);
        }
        assert_eq!(body["code"], "unavailable");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("never answered");
}

fn message() -> Value {
    json!({"client_id": Uuid::new_v4(), "text": "lupa kata laluan portal"})
}

#[tokio::test]
async fn ac_101_a_sqlite_file_that_is_held_delays_and_loses_nothing() {
    let app = TestApp::on_sqlite().await;
    let chat = app.begin().await;
    sqlx::any::install_default_drivers();
    let url = app.database.url(app.folder());
    let mut other = sqlx::AnyConnection::connect(&url).await.unwrap();
    // For a while, and for longer than anybody waits for a turn.
    for held in [Duration::from_secs(2), Duration::from_secs(13)] {
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        let message = message();
        let release = async {
            tokio::time::sleep(held).await;
            other.execute("ROLLBACK").await.unwrap();
        };
        let ((replies, refused), ()) = tokio::join!(insist(&chat, &message), release);
        assert_eq!(replies.len(), 1);
        assert_eq!(refused > 0, held.as_secs() > 10, "{refused}");
        assert_eq!(insist(&chat, &message).await.0, replies);
    }
    let said = chat.messages(2).await;
    assert_eq!(said.len(), 4, "{said:?}");
    other.close().await.unwrap();
    app.stop().await;
}

#[tokio::test]
async fn ac_101_a_postgresql_that_breaks_every_connection_loses_nothing() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let app = TestApp::start(database, &[]).await;
    let chat = app.begin().await;
    for _ in 0..5 {
        let broken = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let message = message();
        let ((replies, _), ()) = tokio::join!(
            insist(&chat, &message),
            app.database.execute(app.folder(), broken)
        );
        assert_eq!(replies.len(), 1);
        assert_eq!(insist(&chat, &message).await.0, replies);
    }
    assert_eq!(chat.messages(2).await.len(), 10);
    app.stop().await;
}

#[tokio::test]
async fn ac_101_a_pool_that_is_used_up_refuses_for_a_while_and_loses_nothing() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let app = TestApp::start(database, &[("TANYA_NEW_CHATS_PER_HOUR", "1000")]).await;
    let mut chats = Vec::new();
    for _ in 0..40 {
        chats.push(app.begin().await);
    }
    // Whoever has a connection waits with it, for longer than anybody waits for one.
    let url = app.database.url(app.folder());
    let mut other = sqlx::AnyConnection::connect(&url).await.unwrap();
    let held = "BEGIN; LOCK TABLE message IN ACCESS EXCLUSIVE MODE";
    other.execute(held).await.unwrap();
    let asked = chats.iter().map(async |chat| {
        let message = message();
        let (replies, refused) = insist(chat, &message).await;
        (message, replies, refused)
    });
    let release = async {
        tokio::time::sleep(Duration::from_secs(8)).await;
        other.execute("ROLLBACK").await.unwrap();
    };
    let (asked, ()) = tokio::join!(futures_util::future::join_all(asked), release);
    let refused = asked.iter().filter(|(_, _, refused)| *refused > 0).count();
    assert!(refused > 0, "the pool was not used up");
    for (chat, (message, replies, _)) in chats.iter().zip(&asked) {
        assert_eq!(replies.len(), 1);
        assert_eq!(insist(chat, message).await.0, *replies);
        assert_eq!(chat.messages(2).await.len(), 2);
    }
    other.close().await.unwrap();
    app.stop().await;
}
