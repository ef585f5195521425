//! The operator sees what the program does: figures, pictures and alarms of them, and a reference for what failed.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::TestApp;

const DASHBOARD: &str = include_str!("../../deploy/grafana/tanya.json");
const ALERTS: &str = include_str!("../../deploy/prometheus/alerts.yml");

/// The names of figures in a text: words that begin as ours do.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| word.starts_with("tanya_") || word.starts_with("process_"))
        .collect()
}

/// Everything that is exported, by the name that a query has.
fn exported(figures: &str) -> BTreeSet<&str> {
    let lines = figures.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect()
}

on_both_databases! {
    async fn every_figure_that_pictures_and_alarms_look_at_is_there(app: TestApp) {
        app.ask("lupa kata laluan portal").await;
        let chat = app.begin().await;
        chat.say("slip gaji").await;
        app.begin().await.hand_over("Skrin saya putih sahaja").await;
        let figures = app.figures().await;
        let there = exported(&figures);
        let wanted: BTreeSet<&str> = names(DASHBOARD).union(&names(ALERTS)).copied().collect();
        assert!(wanted.len() > 25, "{wanted:?}");
        // What only a database in a file has.
        let only_in_a_file = ["tanya_database_disk_free_bytes"];
        let on_a_server = matches!(app.database, crate::support::Database::Postgres(_));
        let missing: Vec<&&str> = wanted
            .iter()
            .filter(|name| !there.contains(**name))
            .filter(|name| !on_a_server || !only_in_a_file.contains(*name))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        for line in [
            "tanya_tickets_open{queue=\"teknikal\"} 1",
            "tanya_tickets_overdue{queue=\"teknikal\"} 0",
            "tanya_outbox_dead_letters{carrier=\"mail\"} 0",
            "tanya_ready 1",
        ] {
            assert!(figures.contains(line), "{line}: {figures}");
        }
        assert!(app.figure("process_resident_memory_bytes").await > 1e6);
        assert!(app.figure("tanya_database_connections").await >= 1.0);
        // Nothing of a chat's is a label.
        assert!(!figures.contains(&chat.id) && !figures.contains(&chat.token));
    }

    async fn what_waits_too_long_is_seen(app: TestApp) {
        app.database.execute(app.folder(), "INSERT INTO outbox (id, carrier, lane, conversation_id, seq, parts, attempts, \
            created_at, due_at) VALUES ('x', 'nobody', 'l', '', 0, 0, 0, 1000, 9000000000000000)").await;
        app.database.execute(app.folder(), "UPDATE outbox SET carrier = 'telegram' WHERE id = 'x'").await;
        let figures = app.figures().await;
        assert!(figures.contains("tanya_outbox_depth{carrier=\"telegram\"} 1"), "{figures}");
        let oldest = figures.lines().find_map(|line| line.strip_prefix("tanya_outbox_oldest_seconds{carrier=\"telegram\"} "));
        assert!(oldest.unwrap().parse::<i64>().unwrap() > 1_000_000_000);
    }
}

#[test]
fn the_dashboard_and_the_rules_can_be_read() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() >= 12);
    let mut places = BTreeSet::new();
    for panel in panels {
        assert!(
            panel["title"]
                .as_str()
                .is_some_and(|title| !title.is_empty())
        );
        let place = panel["gridPos"].to_string();
        assert!(places.insert(place), "two panels on one place: {panel}");
    }
    let ids: BTreeSet<u64> = panels
        .iter()
        .map(|panel| panel["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids.len(), panels.len());
    let alerts = ALERTS.matches("- alert: ").count();
    assert!(alerts >= 12);
    for what in ["expr:", "summary:", "description:", "severity:"] {
        assert_eq!(ALERTS.matches(what).count(), alerts, "{what}");
    }
}

/// What is logged by this thread.
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

#[tokio::test]
async fn ac_84_the_reference_that_a_failed_request_quotes_is_in_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter("tanya=error")
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let app = TestApp::on_sqlite().await;
    // Stories of other threads, which log nothing, must not have settled that nobody wants to know of a request.
    app.get("/chat").await;
    tracing::callsite::rebuild_interest_cache();
    let away = "ALTER TABLE conversation RENAME TO conversation_away";
    app.database.execute(app.folder(), away).await;
    let failed = app.post("/api/v1/conversations", &json!({})).await;
    assert_eq!(failed.status(), 503);
    let told = failed.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let problem: Value = failed.json().await.unwrap();
    let reference = problem["reference"].as_str().unwrap();
    assert_eq!(reference, told);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let found: Vec<Value> = lines
        .filter(|line| line["span"]["reference"] == *reference)
        .collect();
    assert!(
        found
            .iter()
            .any(|line| line["fields"]["message"] == "the database failed"),
        "{log}"
    );
    drop(guard);
    app.stop().await;
}

#[tokio::test]
async fn ac_08_the_reference_of_a_stranger_is_not_believed_and_that_of_a_proxy_is() {
    const OWN: &str = "lb-0123456789";
    let ask = async |app: &TestApp, given: &str| {
        let request = app.request(reqwest::Method::GET, "/chat");
        let answer = request.header("x-request-id", given).send().await.unwrap();
        answer.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    let app = TestApp::on_sqlite().await;
    let given = ask(&app, OWN).await;
    assert!(given.starts_with("R-") && given.len() == 14, "{given}");
    assert_ne!(ask(&app, OWN).await, given, "each has its own");
    // What is refused is told without one: it would differ between answers that must be the same.
    let refused = app.post("/api/v1/ask", &json!({"text": ""})).await;
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem.get("reference"), None);
    app.stop().await;
    let app = TestApp::with(&[("TANYA_TRUSTED_PROXIES", "127.0.0.1")]).await;
    assert_eq!(ask(&app, OWN).await, OWN);
    for odd in ["short", "with space in it", &"x".repeat(65), "quote\"quote"] {
        assert!(ask(&app, odd).await.starts_with("R-"), "{odd:?}");
    }
    app.stop().await;
}
