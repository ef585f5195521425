//! Somebody looks after an installation: what is right, what is wrong, what to do, and nothing that is secret.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tanya::clock::Clock;
use tanya::config::{Mode, Settings};
use tanya::doctor::{Doctor, Finding, State, worst};
use tanya::mail::OfficeAddress;
use tanya::portal::simulator::Simulator;

use crate::on_both_databases;
use crate::support::bot_api::{BOT_NAME, Fault as BotFault, TOKEN};
use crate::support::collector::{self, Collector};
use crate::support::mail_server::{Fault, MailServer, Verb};
use crate::support::{BotApi, TestApp};

const KEY: &str = "cuB2zSE3GK4FDxc1LyQ8sM0bq6zWv0kq8Zt1tH3nYdA=";
const PORTAL_TOKEN: &str = "a-token-for-the-portal";

/// The world of an installation.
struct World {
    mail: MailServer,
    telegram: BotApi,
    settings: BTreeMap<String, String>,
}

async fn portal() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Simulator::new(PORTAL_TOKEN, &url, Clock::default()).router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

impl World {
    async fn around(app: &TestApp) -> Self {
        let (mail, telegram) = (MailServer::start().await, BotApi::start().await);
        let smtp = mail.url().replacen("://", "://tanya:canary-password@", 1);
        let settings = [
            ("PUBLIC_URL", format!("http://{}", app.app.http_addr)),
            ("SECRET_KEY", KEY.to_owned()),
            ("DATABASE_URL", app.database.url(app.folder())),
            ("SMTP_URL", smtp),
            ("MAIL_FROM", "tanya@kelantan.example".to_owned()),
            ("QUEUE_TEKNIKAL_EMAIL", "a@kelantan.example".to_owned()),
            ("QUEUE_NAZIRAN_EMAIL", "b@kelantan.example".to_owned()),
            ("QUEUE_HELPDESK_EMAIL", "c@kelantan.example".to_owned()),
            ("SUPERVISOR_EMAIL", "d@kelantan.example".to_owned()),
            ("TELEGRAM_TOKEN", TOKEN.to_owned()),
            ("TELEGRAM_API_URL", telegram.url()),
            ("PORTAL_URL", portal().await),
            ("PORTAL_TOKEN", PORTAL_TOKEN.to_owned()),
            (
                "KNOWLEDGE_DIR",
                app.folder().join("knowledge").display().to_string(),
            ),
        ];
        let settings = settings.map(|(name, value)| (format!("TANYA_{name}"), value));
        Self {
            mail,
            telegram,
            settings: BTreeMap::from(settings),
        }
    }

    async fn examined(&self, changes: &[(&str, &str)]) -> Vec<Finding> {
        self.examined_at(changes, None, Clock::default()).await
    }

    async fn examined_at(
        &self,
        changes: &[(&str, &str)],
        mail_to: Option<&OfficeAddress>,
        clock: Clock,
    ) -> Vec<Finding> {
        let mut settings = self.settings.clone();
        for (name, value) in changes {
            settings.insert(format!("TANYA_{name}"), (*value).to_owned());
        }
        let none = tempfile::NamedTempFile::new().unwrap();
        let (settings, problems) =
            Settings::with_problems(Some(none.path()), settings, Mode::Serve);
        let doctor = Doctor {
            settings: &settings,
            problems: &problems,
            mail_to,
            clock,
        };
        let findings = doctor.examine().await;
        let said = serde_json::to_string(&findings).unwrap();
        for secret in [KEY, TOKEN, PORTAL_TOKEN, collector::TOKEN, "canary"] {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
        for finding in &findings {
            let repair = finding.repair.as_deref().unwrap_or_default();
            assert_eq!(finding.state == State::Ok, repair.is_empty(), "{finding:?}");
        }
        findings
    }
}

/// The worst finding of a check.
#[track_caller]
fn of<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    let found = findings.iter().filter(|finding| finding.check == check);
    found
        .max_by_key(|finding| finding.state)
        .unwrap_or_else(|| panic!("nothing on {check}: {findings:#?}"))
}

#[track_caller]
fn assert_is(findings: &[Finding], check: &str, state: State, words: &str) {
    let found = findings.iter().any(|finding| {
        finding.check == check && finding.state == state && finding.found.contains(words)
    });
    assert!(found, "{check} {state:?} {words:?}: {findings:#?}");
}

on_both_databases! {
    async fn a_good_installation_is_found_good_beside_its_server(app: TestApp) {
        let world = World::around(app).await;
        let findings = world.examined(&[]).await;
        assert_ne!(worst(&findings), State::Wrong, "{findings:#?}");
        for check in ["settings", "secret files", "secret key", "addresses", "database", "mail", "telegram", "portal",
            "public address", "clock"] {
            assert_eq!(of(&findings, check).state, State::Ok, "{findings:#?}");
        }
        assert_is(&findings, "telegram", State::Ok, BOT_NAME);
        assert_is(&findings, "mail", State::Ok, "user and password taken");
        assert_is(&findings, "portal", State::Ok, "takes the token");
        // It only looked.
        assert!(world.mail.mails().is_empty());
        assert_eq!(world.telegram.calls("setWebhook").len(), 0);
        let chat = app.begin().await;
        assert!(!chat.say("slip gaji").await.is_empty());
        assert_eq!(world.telegram.violations(), Vec::<String>::new());
    }

    async fn what_is_wrong_with_the_database_is_told_with_what_to_do(app: TestApp) {
        let world = World::around(app).await;
        let (database, folder) = (&app.database, app.folder());
        database.execute(folder, "UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1").await;
        let findings = world.examined(&[]).await;
        assert_is(&findings, "database", State::Wrong, "newer Tanya");
        database.execute(folder, "UPDATE _sqlx_migrations SET version = 1 WHERE version = 9999").await;
        database.execute(folder, "UPDATE _sqlx_migrations SET success = FALSE WHERE version = 2").await;
        let findings = world.examined(&[]).await;
        assert_is(&findings, "database", State::Wrong, "broke off");
        database.execute(folder, "DELETE FROM _sqlx_migrations WHERE version = 2").await;
        let findings = world.examined(&[]).await;
        assert_is(&findings, "database", State::Warning, "lacks 1 steps");
        let elsewhere = folder.join("elsewhere.db");
        let url = format!("sqlite://{}", elsewhere.display());
        let findings = world.examined(&[("DATABASE_URL", &url)]).await;
        assert_is(&findings, "database", State::Warning, "not there yet");
        assert!(!elsewhere.exists(), "a look makes nothing");
        let away = "postgres://tanya:canary@127.0.0.1:1/tanya";
        let findings = world.examined(&[("DATABASE_URL", away)]).await;
        assert_is(&findings, "database", State::Wrong, "cannot be opened");
    }
}

#[tokio::test]
async fn a_test_mail_is_sent_only_to_whom_it_is_asked_for() {
    let app = TestApp::on_sqlite().await;
    let world = World::around(&app).await;
    let to = OfficeAddress::parse("pentadbir@kelantan.example").unwrap();
    let findings = world.examined_at(&[], Some(&to), Clock::default()).await;
    assert_is(&findings, "test mail", State::Ok, "took it");
    let mails = world.mail.mails();
    assert_eq!(mails.len(), 1);
    world.mail.fault(Verb::Rcpt, Fault::Permanent);
    let findings = world.examined_at(&[], Some(&to), Clock::default()).await;
    assert_is(&findings, "test mail", State::Wrong, "refuses");
    app.stop().await;
}

#[tokio::test]
async fn a_collector_of_traces_is_asked_whether_it_takes_them() {
    let app = TestApp::on_sqlite().await;
    let world = World::around(&app).await;
    let findings = world.examined(&[]).await;
    assert_is(&findings, "traces", State::Ok, "none are exported");
    let collector = Collector::start();
    let url = ("OTLP_URL", collector.url());
    let token = ("OTLP_TOKEN", collector::TOKEN);
    let findings = world.examined(&[url, token]).await;
    assert_is(&findings, "traces", State::Ok, "takes them");
    assert!(collector.spans().is_empty(), "it only looked");
    let findings = world.examined(&[url]).await;
    assert_is(&findings, "traces", State::Warning, "the token");
    let elsewhere = format!("{}/elsewhere", collector.url());
    let findings = world.examined(&[("OTLP_URL", &elsewhere), token]).await;
    assert_is(&findings, "traces", State::Warning, "answers 404");
    // Nobody's question waits for it: it is never wrong.
    let away = ("OTLP_URL", "http://127.0.0.1:1");
    let findings = world.examined(&[away]).await;
    assert_is(&findings, "traces", State::Warning, "cannot be reached");
    let open = ("OTLP_URL", "http://collector.invalid:4318");
    let findings = world.examined(&[open, token]).await;
    assert_is(&findings, "traces", State::Warning, "everybody to read");
    app.stop().await;
}

#[tokio::test]
async fn whoever_does_not_answer_or_does_not_know_us_is_named() {
    let app = TestApp::on_sqlite().await;
    let world = World::around(&app).await;
    world.mail.fault(Verb::Auth, Fault::Permanent);
    world.telegram.fail("getMe", BotFault::Unauthorized, 1);
    let findings = world
        .examined(&[
            ("PORTAL_TOKEN", "another-token"),
            ("PUBLIC_URL", "http://127.0.0.1:1"),
            ("PORTAL_SITE_URL", "http://127.0.0.1:1"),
        ])
        .await;
    let silent = "does not answer from this machine";
    assert_is(&findings, "systems", State::Warning, silent);
    assert_is(
        &findings,
        "mail",
        State::Wrong,
        "does not take user and password",
    );
    assert_is(
        &findings,
        "telegram",
        State::Wrong,
        "does not know the token",
    );
    assert_is(&findings, "portal", State::Wrong, "does not take the token");
    assert_is(
        &findings,
        "public address",
        State::Warning,
        "does not answer",
    );
    world.mail.clear();
    world.mail.fault(Verb::Ehlo, Fault::Hang);
    let findings = world
        .examined(&[
            ("PORTAL_URL", "http://127.0.0.1:1"),
            ("TELEGRAM_API_URL", "http://127.0.0.1:1"),
            ("TELEGRAM_MODE", "webhook"),
            ("TELEGRAM_WEBHOOK_SECRET", "canary-secret"),
        ])
        .await;
    assert_is(&findings, "mail", State::Wrong, "cannot be reached");
    assert_is(&findings, "telegram", State::Wrong, "does not answer");
    assert_is(&findings, "portal", State::Wrong, "cannot be reached");
    // Updates that are to be brought, and are not; and the other way round.
    world.mail.clear();
    let webhook = [
        ("TELEGRAM_MODE", "webhook"),
        ("TELEGRAM_WEBHOOK_SECRET", "canary-secret"),
    ];
    let findings = world.examined(&webhook).await;
    assert_is(&findings, "telegram", State::Warning, "no webhook is set");
    app.stop().await;
}

#[tokio::test]
async fn ac_99_a_clock_that_is_wrong_and_a_proxy_that_is_not_trusted_are_told() {
    let app = TestApp::on_sqlite().await;
    let world = World::around(&app).await;
    for (shift, way) in [(90_000, "ahead of"), (-90_000, "behind")] {
        let findings = world.examined_at(&[], None, Clock::shifted(shift)).await;
        assert_is(&findings, "clock", State::Warning, way);
    }
    let findings = world.examined_at(&[], None, Clock::shifted(20_000)).await;
    assert_eq!(of(&findings, "clock").state, State::Ok);
    // Nobody answers there, and it is over https.
    let https = ("PUBLIC_URL", "https://127.0.0.1:1");
    let findings = world.examined(&[https]).await;
    assert_is(&findings, "trusted proxies", State::Warning, "one network");
    let findings = world
        .examined(&[https, ("TRUSTED_PROXIES", "10.0.0.1")])
        .await;
    assert_is(&findings, "trusted proxies", State::Ok, "1");
    let findings = world
        .examined(&[(
            "SECRET_KEY_OLD",
            "3Qm0y6k4bK1vN9sQ2xZr8uT5wPaLcDeFgHiJkLmNoPs=",
        )])
        .await;
    assert_is(
        &findings,
        "secret key",
        State::Warning,
        "a change is under way",
    );
    app.stop().await;
}

fn tanya(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tanya"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TANYA_")) {
        command.env_remove(name);
    }
    if arguments.contains(&"doctor") {
        // Not there: the knowledge, which takes its time to be trained, is not looked at.
        command.env("TANYA_KNOWLEDGE_DIR", "nowhere");
    }
    let output = command.current_dir(folder).args(arguments).output();
    let output = output.unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn ac_113_everything_that_is_missing_is_named_at_once_and_the_exit_status_tells() {
    let folder = tempfile::tempdir().unwrap();
    let (status, said) = tanya(folder.path(), &["doctor"]);
    assert_eq!(status, Some(1));
    for name in [
        "PUBLIC_URL",
        "SECRET_KEY",
        "DATABASE_URL",
        "SMTP_URL",
        "QUEUE_TEKNIKAL_EMAIL",
        "QUEUE_NAZIRAN_EMAIL",
        "QUEUE_HELPDESK_EMAIL",
    ] {
        assert!(said.contains(&format!("TANYA_{name} is missing")), "{said}");
    }
    assert!(said.contains("→"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let (status, said) = tanya(folder.path(), &["doctor", "--json"]);
    assert_eq!(status, Some(1));
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["state"], "wrong");
    assert_eq!(report["findings"][0]["check"], "settings");
    for wrong in [
        &["doctor", "--mail-to", "nobody"][..],
        &["--config", "none.toml", "doctor"],
        &["rekey"],
    ] {
        assert_eq!(tanya(folder.path(), wrong).0, Some(2), "{wrong:?}");
    }
}
