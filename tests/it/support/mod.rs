//! What the stories stand on: the program started on free ports with a database of its own, and a client.

pub mod balancer;
pub mod bot_api;
pub mod browser;
pub mod collector;
pub mod crash;
pub mod database;
pub mod desk;
pub mod mail_server;
pub mod picture;
pub mod process;
pub mod proof;
pub mod proxy;
pub mod stream;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use jiff::civil::date;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tanya::app::App;
use tanya::config::{Mode, Settings};
use tanya::knowledge::answer::Contacts;
use tanya::knowledge::source::Source;
use tanya::knowledge::{Knowledge, LoadOptions, Strictness};
use tempfile::TempDir;
use uuid::Uuid;

pub use bot_api::BotApi;
pub use database::Database;

/// The shipped knowledge, for tests that need no server.
pub static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| {
    let options = LoadOptions {
        contacts: Contacts::default(),
        today: date(2026, 11, 22),
        review_days: 365,
        strictness: Strictness::Full,
        sample_hours: false,
        editions: Vec::new(),
    };
    Knowledge::load(&Source::Embedded, &options)
        .ok()
        .unwrap()
        .knowledge
});

/// The shipped knowledge in a folder that can be written; made where it is not there yet.
fn knowledge_in(folder: &Path) -> String {
    let copy = folder.join("knowledge");
    if std::fs::create_dir(&copy).is_ok() {
        for file in std::fs::read_dir("knowledge").unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
    }
    copy.display().to_string()
}

/// Runs a story on SQLite and on PostgreSQL.
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp) $body:block)*) => {
        $(
            mod $name {
                #[allow(unused_imports)]
                use super::*;
                #[allow(unused_imports)]
                use $crate::support::TestApp;

                async fn story($app: &TestApp) $body

                $(#[$meta])*
                #[tokio::test]
                async fn on_sqlite() {
                    let app = TestApp::on_sqlite().await;
                    story(&app).await;
                    app.stop().await;
                }

                $(#[$meta])*
                #[tokio::test]
                async fn on_postgres() {
                    let Some(app) = TestApp::on_postgres().await else { return };
                    story(&app).await;
                    app.stop().await;
                }
            }
        )*
    };
}

/// The program at work, as a demo on free ports.
pub struct TestApp {
    pub app: App,
    pub client: reqwest::Client,
    /// A client that follows nothing by itself.
    pub browser: reqwest::Client,
    pub database: Database,
    folder: TempDir,
    more: Vec<(String, String)>,
}

/// A secret for tests.
pub const SECRET_KEY: &str = "c2VjcmV0IGZvciB0ZXN0cywgMzIgYnl0ZXMgb3IgbW9yZQ==";

impl TestApp {
    pub async fn on_sqlite() -> Self {
        Self::start(Database::sqlite(), &[]).await
    }

    /// None where no PostgreSQL was given and none is demanded.
    pub async fn on_postgres() -> Option<Self> {
        let database = Database::postgres().await?;
        Some(Self::start(database, &[]).await)
    }

    /// With settings of its own on top.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::start(Database::sqlite(), settings).await
    }

    /// On a database, with settings of its own on top.
    pub async fn start(database: Database, more: &[(&str, &str)]) -> Self {
        // Kept for the whole run: every program started here routes with it.
        LazyLock::force(&KNOWLEDGE);
        let folder = tempfile::tempdir().unwrap();
        let settings = Self::settings(&folder, &database, more);
        let app = App::start(&settings).await.expect("the program starts");
        Self {
            app,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            browser: desk::browser(),
            database,
            folder,
            more: more
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    fn settings(folder: &TempDir, database: &Database, more: &[(&str, &str)]) -> Settings {
        let mut environment = BTreeMap::from([
            ("TANYA_HTTP_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
            ("TANYA_ADMIN_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
            ("TANYA_DATABASE_URL".to_owned(), database.url(folder.path())),
            ("TANYA_SECRET_KEY".to_owned(), SECRET_KEY.to_owned()),
            ("TANYA_SIMULATOR_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
            // A copy: what a story edits is written to no folder of the project's.
            (
                "TANYA_KNOWLEDGE_DIR".to_owned(),
                knowledge_in(folder.path()),
            ),
            // Stories ask more often than people do; the one about the limit sets it.
            ("TANYA_REQUESTS_PER_HOUR".to_owned(), "60".to_owned()),
            ("TANYA_REQUESTS_PER_DAY".to_owned(), "600".to_owned()),
        ]);
        for (name, value) in more {
            environment.insert((*name).to_owned(), (*value).to_owned());
        }
        let none = folder.path().join("tanya.toml");
        std::fs::write(&none, "").unwrap();
        Settings::from_parts(Some(&none), environment, Mode::Demo).unwrap()
    }

    /// Stops as a signal would and starts again on the same database, on other ports.
    pub async fn restart(self) -> Self {
        self.again(&[], async || ()).await
    }

    /// Stops and starts again on the same database, with other settings on top.
    pub async fn restart_with(self, more: &[(&str, &str)]) -> Self {
        self.again(more, async || ()).await
    }

    /// Stops, does something while nothing answers, and starts again on the same ports.
    pub async fn restart_in_place(self, meanwhile: impl AsyncFnOnce()) -> Self {
        let ports = [
            ("TANYA_HTTP_ADDR", self.app.http_addr.to_string()),
            ("TANYA_ADMIN_ADDR", self.app.admin_addr.to_string()),
        ];
        let ports: Vec<(&str, &str)> = ports.iter().map(|(n, v)| (*n, v.as_str())).collect();
        self.again(&ports, meanwhile).await
    }

    async fn again(self, more: &[(&str, &str)], meanwhile: impl AsyncFnOnce()) -> Self {
        self.app.stop().await;
        meanwhile().await;
        let kept = self.more.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let more: Vec<(&str, &str)> = kept.chain(more.iter().copied()).collect();
        let settings = Self::settings(&self.folder, &self.database, &more);
        let app = App::start(&settings)
            .await
            .expect("the program starts again");
        Self { app, ..self }
    }

    /// Another process on the same database, which must be a PostgreSQL.
    pub async fn beside(&self) -> Self {
        let more: Vec<(&str, &str)> = self
            .more
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        Self::start(self.database.clone(), &more).await
    }

    pub async fn stop(self) {
        self.app.stop().await;
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.app.http_addr)
    }

    pub fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.app.admin_addr)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.request(Method::POST, path)
            .json(body)
            .send()
            .await
            .unwrap()
    }

    /// What the operator sees, as text.
    pub async fn figures(&self) -> String {
        let figures = self.client.get(self.admin_url("/metrics")).send().await;
        figures.unwrap().text().await.unwrap()
    }

    /// The value of a figure without labels.
    pub async fn figure(&self, name: &str) -> f64 {
        let figures = self.figures().await;
        let line = figures
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no figure {name}"))
            .parse()
            .unwrap()
    }

    /// Asks one question and returns the finding.
    pub async fn ask(&self, text: &str) -> Value {
        let response = self.post("/api/v1/ask", &json!({"text": text})).await;
        assert_eq!(response.status(), StatusCode::OK, "{text:?}");
        response.json().await.unwrap()
    }

    /// Begins a chat.
    pub async fn begin(&self) -> Chat<'_> {
        let response = self.post("/api/v1/conversations", &json!({})).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let begun: Value = response.json().await.unwrap();
        Chat {
            app: self,
            id: begun["id"].as_str().unwrap().to_owned(),
            token: begun["token"].as_str().unwrap().to_owned(),
            opening: begun["replies"].as_array().unwrap().clone(),
        }
    }
}

/// Runs a story with Telegram on SQLite and on PostgreSQL; what the bot asked of Telegram must have been right.
#[macro_export]
macro_rules! on_telegram {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp, $telegram:ident: BotApi) $body:block)*) => {
        $(
            mod $name {
                #[allow(unused_imports)]
                use super::*;
                #[allow(unused_imports)]
                use $crate::support::{BotApi, Database, TestApp};

                #[allow(unused_mut)]
                async fn story(mut $app: TestApp, $telegram: &BotApi) -> TestApp {
                    $body
                    $app
                }

                async fn told(database: Database) {
                    let telegram = BotApi::start().await;
                    let app = TestApp::with_telegram(database, &telegram, &[]).await;
                    story(app, &telegram).await.stop().await;
                    assert_eq!(telegram.violations(), Vec::<String>::new());
                }

                $(#[$meta])*
                #[tokio::test]
                async fn on_sqlite() {
                    told(Database::sqlite()).await;
                }

                $(#[$meta])*
                #[tokio::test]
                async fn on_postgres() {
                    let Some(database) = Database::postgres().await else { return };
                    told(database).await;
                }
            }
        )*
    };
}

impl TestApp {
    /// With a bot that fetches its updates from this server, unless the settings say otherwise.
    pub async fn with_telegram(
        database: Database,
        telegram: &BotApi,
        more: &[(&str, &str)],
    ) -> Self {
        let url = telegram.url();
        let mut settings = vec![
            ("TANYA_TELEGRAM_TOKEN", bot_api::TOKEN),
            ("TANYA_TELEGRAM_API_URL", url.as_str()),
        ];
        settings.extend(more);
        Self::start(database, &settings).await
    }
}

/// A chat as its person has it.
pub struct Chat<'a> {
    pub app: &'a TestApp,
    pub id: String,
    pub token: String,
    pub opening: Vec<Value>,
}

impl Chat<'_> {
    pub fn request(&self, method: Method, rest: &str) -> RequestBuilder {
        let path = format!("/api/v1/conversations/{}{rest}", self.id);
        self.app.request(method, &path).bearer_auth(&self.token)
    }

    pub async fn post_message(&self, message: &Value) -> Response {
        self.request(Method::POST, "/messages")
            .json(message)
            .send()
            .await
            .unwrap()
    }

    pub async fn say(&self, text: &str) -> Vec<Value> {
        self.replies(json!({"client_id": Uuid::new_v4(), "text": text}))
            .await
    }

    pub async fn choose(&self, value: &str) -> Vec<Value> {
        self.replies(json!({"client_id": Uuid::new_v4(), "choice": value}))
            .await
    }

    async fn replies(&self, message: Value) -> Vec<Value> {
        let response = self.post_message(&message).await;
        assert_eq!(response.status(), StatusCode::OK, "{message}");
        let body: Value = response.json().await.unwrap();
        body["replies"].as_array().unwrap().clone()
    }

    pub async fn messages(&self, after: i64) -> Vec<Value> {
        let rest = format!("/messages?after={after}");
        let response = self.request(Method::GET, &rest).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let body: Value = response.json().await.unwrap();
        body["messages"].as_array().unwrap().clone()
    }

    /// The value of the choice with this label among the choices of a message.
    pub fn choice(message: &Value, label: &str) -> String {
        let choices = message["choices"].as_array().expect("there are choices");
        let choice = choices.iter().find(|choice| choice["label"] == label);
        let choice = choice.unwrap_or_else(|| panic!("no choice {label:?} in {choices:?}"));
        choice["value"].as_str().unwrap().to_owned()
    }
}

/// Asserts a problem document of this status and code.
pub async fn assert_problem(response: Response, status: u16, code: &str) {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["code"], code);
    assert_eq!(problem["status"], status);
}
