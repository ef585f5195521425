//! What the stories stand on: the program started on free ports with a database of its own, and a client.

pub mod browser;
pub mod database;
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

use database::Database;

/// The shipped knowledge, for tests that need no server.
pub static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| {
    let options = LoadOptions {
        contacts: Contacts::default(),
        today: date(2026, 11, 22),
        review_days: 365,
        strictness: Strictness::Full,
    };
    Knowledge::load(&Source::Embedded, &options)
        .ok()
        .unwrap()
        .knowledge
});

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
    pub database: Database,
    folder: TempDir,
}

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

    async fn start(database: Database, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Self::settings(&folder, &database, settings);
        let app = App::start(&settings).await.expect("the program starts");
        Self {
            app,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            database,
            folder,
        }
    }

    fn settings(folder: &TempDir, database: &Database, more: &[(&str, &str)]) -> Settings {
        let mut environment = BTreeMap::from([
            ("TANYA_HTTP_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
            ("TANYA_ADMIN_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
            ("TANYA_DATABASE_URL".to_owned(), database.url(folder.path())),
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
        self.app.stop().await;
        let settings = Self::settings(&self.folder, &self.database, &[]);
        let app = App::start(&settings)
            .await
            .expect("the program starts again");
        Self { app, ..self }
    }

    /// Stops, does something while nothing answers, and starts again on the same ports.
    pub async fn restart_in_place(self, meanwhile: impl AsyncFnOnce()) -> Self {
        let ports = [
            ("TANYA_HTTP_ADDR", self.app.http_addr.to_string()),
            ("TANYA_ADMIN_ADDR", self.app.admin_addr.to_string()),
        ];
        self.app.stop().await;
        meanwhile().await;
        let ports: Vec<(&str, &str)> = ports.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let settings = Self::settings(&self.folder, &self.database, &ports);
        let app = App::start(&settings)
            .await
            .expect("the program starts again");
        Self { app, ..self }
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
