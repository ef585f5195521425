//! A database of an earlier version is brought up to date with everything in it.

use sqlx::{AnyConnection, Connection, Executor};

use crate::support::{Database, TestApp};

const FIRST: &str = include_str!("../../migrations/0001_conversations.sql");

async fn upgraded(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    sqlx::any::install_default_drivers();
    let mut url = database.url(folder.path());
    if matches!(database, Database::Sqlite) {
        url.push_str("?mode=rwc");
    }
    let mut connection = AnyConnection::connect(&url).await.unwrap();
    // As the migrator leaves it: the first migration applied, with rows of that time.
    let migrator = sqlx::migrate!();
    let first = migrator.iter().next().unwrap();
    connection.execute(FIRST).await.unwrap();
    connection
        .execute(
            "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
             installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL,
             checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)",
        )
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES ($1, 'conversations', TRUE, $2, 1)",
    )
    .bind(first.version)
    .bind(first.checksum.to_vec())
    .execute(&mut connection)
    .await
    .unwrap();
    for statement in [
        "INSERT INTO conversation VALUES ('c1', 'web', 'hash', 'en', '{}', 3, 2, 1000, 2000, NULL)",
        "INSERT INTO conversation VALUES ('c2', 'web', NULL, 'ms', '{}', 1, 0, 1000, 2000, 3000)",
        "INSERT INTO message VALUES ('c1', 1, 'user', 'id1', NULL, '{\"kind\":\"text\",\"text\":\"lama\"}', NULL, NULL, NULL, 1500)",
        "INSERT INTO message VALUES ('c1', 2, 'bot', NULL, 1, '{\"kind\":\"text\",\"text\":\"jawapan\"}', NULL, 'answer', 900000, 1600)",
        "INSERT INTO feedback VALUES ('c1', 2, 'helpful', NULL, 1700)",
    ] {
        connection.execute(statement).await.unwrap();
    }
    connection.close().await.unwrap();
    let store = tanya::storage::Store::open(&database.url(folder.path()))
        .await
        .unwrap();
    let mut connection = store.connection().await.unwrap();
    let row = tanya::storage::conversation::by_id(&mut connection, "c1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (row.channel.as_str(), row.language.as_str(), row.version),
        ("web", "en", 3)
    );
    assert!(
        tanya::storage::conversation::by_id(&mut connection, "c2")
            .await
            .unwrap()
            .is_none()
    );
    let messages = tanya::storage::message::after(&mut connection, "c1", 0)
        .await
        .unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1].reply_to, Some(1));
    let votes: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM feedback")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(votes, 1);
    drop(connection);
    store.close().await;
}

#[tokio::test]
async fn the_first_schema_is_upgraded_with_its_rows_on_sqlite() {
    upgraded(Database::sqlite()).await;
}

#[tokio::test]
async fn the_first_schema_is_upgraded_with_its_rows_on_postgres() {
    if let Some(database) = Database::postgres().await {
        upgraded(database).await;
    }
}

#[tokio::test]
async fn messages_over_their_time_go_even_where_the_conversation_goes_on() {
    let app = TestApp::on_sqlite().await;
    let chat = app.begin().await;
    chat.say("pertanyaan zirafah").await;
    app.app.clock.advance(20 * 3_600_000);
    // A web chat would have ended by itself; what is old goes all the same, message by message.
    for _ in 0..110 {
        chat.say("slip gaji").await;
        app.app.clock.advance(20 * 3_600_000);
    }
    app.app.retention.purge().await.unwrap();
    let left = chat.messages(0).await;
    assert!(left.len() > 100 && left.len() < 222, "{}", left.len());
    assert!(
        left.iter()
            .all(|it| !it["text"].as_str().unwrap().contains("zirafah"))
    );
    app.stop().await;
}
