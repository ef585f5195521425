//! What must never be kept is typed into everything that can be typed into; then everything that is kept is searched.

use std::io::Write;
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::json;

use crate::on_both_databases;
use crate::support::Chat;

const CANARIES: [&str; 10] = [
    "880101 - 03 - 6123",
    "880101|03|7123",
    "Ispeks@2026",
    "P@ssw0rd.1",
    "880101-03-5123",
    "991231035998",
    "4821 7730",
    "59302817",
    "Rahsia#2026x",
    "202001012345",
];

/// Everything that any test of this process logs, at the finest grain.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

on_both_databases! {
    async fn ac_82_nothing_secret_reaches_the_database_the_log_or_the_figures(app: TestApp) {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter("trace")
            .with_writer(move || writer.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        let chat = app.begin().await;
        for canary in CANARIES {
            app.ask(&format!("ic saya {canary} lupa kata laluan")).await;
            let replies = chat.say(&format!("ic saya {canary} lupa kata laluan portal")).await;
            let seq = replies[0]["seq"].as_i64().unwrap();
            if canary.starts_with(|c: char| c.is_ascii_digit()) {
                let target = &replies[0]["target"];
                assert_eq!(target, "portal-lupa-kata-laluan", "a number must not hide the question");
            }
            let heard = chat.messages(seq - 2).await;
            assert_eq!(heard[0]["text"], "ic saya [disembunyikan] lupa kata laluan portal");
            let vote = json!({"seq": seq, "helpful": false, "comment": format!("nombor {canary} tak jadi")});
            chat.request(Method::POST, "/feedback").json(&vote).send().await.unwrap();
            let unknown = json!({"client_id": uuid::Uuid::new_v4(), "choice": canary});
            chat.post_message(&unknown).await;
            app.get(&format!("/{canary}")).await;
        }
        let named = chat.say("kata laluan saya ialah kucingku").await;
        assert!(!named.is_empty());
        // A correction is remembered without its first words: the secret stays out of that too.
        chat.say("lupa kata laluan portal").await;
        chat.say("silap, kata laluan saya: melurku, portal tak boleh masuk").await;
        drop(guard);

        let figures = app.client.get(app.admin_url("/metrics")).send().await.unwrap();
        let figures = figures.text().await.unwrap();
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(!log.is_empty());
        let dump = app.database.dump(app.folder()).await;
        assert!(dump.contains("lupa kata laluan portal"), "the dump shows what is kept");
        for secret in CANARIES.into_iter().chain(["kucingku", "melurku", chat.token.as_str()]) {
            for (place, text) in [("figures", &figures), ("database", &dump)] {
                assert!(!text.contains(secret), "{secret} stands in the {place}");
            }
            // The test's own client and server share this process: its wire trace is not the program's log.
            let ours = log.lines().filter(|line| line.contains(" tanya"));
            assert!(ours.into_iter().all(|line| !line.contains(secret)), "{secret} stands in the log");
        }
        let _ = Chat::messages;
    }
}
