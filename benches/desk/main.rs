//! The desk with many tickets: the queue page in every view, and search by number, name, subject and in what was said,
//! through the console over HTTP, on SQLite and, where `TANYA_TEST_POSTGRES` names a server, on PostgreSQL.
//! `TANYA_BENCH_TICKETS`, `TANYA_BENCH_MESSAGES` and `TANYA_BENCH_SAMPLES` change the numbers; `TANYA_BENCH_DATABASE` names
//! one empty database to do it on.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement may fail loudly, and fills the database behind the program's back"
)]

mod data;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use data::Sizes;
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, PgConnection};
use tanya::agent::role::Role;
use tanya::app::App;
use tanya::config::{Mode, Settings};
use tanya::secret::Secret;
use uuid::Uuid;

const SECRET_KEY: &str = "c2VjcmV0IGZvciB0ZXN0cywgMzIgYnl0ZXMgb3IgbW9yZQ==";
const PASSWORD: &str = "kuda lumping hijau 7";
const VIEWS: [&str; 6] = ["all", "waiting", "mine", "unassigned", "soon", "overdue"];

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

fn main() {
    // `cargo test --benches` calls this too: nothing is measured then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    if let Ok(database) = std::env::var("TANYA_BENCH_DATABASE") {
        runtime.block_on(measure("the database", &database, folder.path()));
        return;
    }
    let sqlite = format!("sqlite://{}", folder.path().join("desk.db").display());
    runtime.block_on(measure("SQLite", &sqlite, folder.path()));
    if let Ok(server) = std::env::var("TANYA_TEST_POSTGRES") {
        let postgres = runtime.block_on(new_database(&server));
        runtime.block_on(measure("PostgreSQL", &postgres, folder.path()));
    }
}

async fn new_database(server: &str) -> String {
    let name = format!("tanya_desk_{}", Uuid::new_v4().simple());
    let mut connection = PgConnection::connect(server).await.unwrap();
    let statement = format!("CREATE DATABASE {name}");
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
    let (host, _) = server.rsplit_once('/').unwrap();
    format!("{host}/{name}")
}

fn settings(database: &str, folder: &Path) -> Settings {
    let none = folder.join("tanya.toml");
    std::fs::write(&none, "").unwrap();
    let environment = [
        ("TANYA_HTTP_ADDR", "127.0.0.1:0"),
        ("TANYA_ADMIN_ADDR", "127.0.0.1:0"),
        ("TANYA_SIMULATOR_ADDR", "127.0.0.1:0"),
        ("TANYA_SECRET_KEY", SECRET_KEY),
        ("TANYA_DATABASE_URL", database),
        ("TANYA_CHAT_MESSAGES_PER_MINUTE", "1000000"),
    ];
    let environment: BTreeMap<String, String> = environment
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    Settings::from_parts(Some(&none), environment, Mode::Demo).unwrap()
}

async fn measure(name: &str, database: &str, folder: &Path) {
    let sizes = Sizes {
        tickets: number("TANYA_BENCH_TICKETS", 100_000),
        messages: number("TANYA_BENCH_MESSAGES", 2_000_000),
    };
    let settings = settings(database, folder);
    let app = App::start(&settings).await.unwrap();
    let officer = Officer::signed_in(&app).await;
    let begun = Instant::now();
    let known = data::fill(database, SECRET_KEY, &app.clock, sizes, &officer.id).await;
    println!(
        "{name}: {} tickets, {} messages, filled in {:.0?}, {} MiB",
        sizes.tickets,
        sizes.messages,
        begun.elapsed(),
        bytes_of(database).await / 1_048_576
    );
    let samples = number("TANYA_BENCH_SAMPLES", 300);
    let mut random = data::Random::new(7);
    for view in VIEWS {
        let path = format!("/console?view={view}");
        officer
            .timed(&format!("view {view}"), samples, || path.clone())
            .await;
    }
    for status in ["all", "closed"] {
        let path = format!("/console?status={status}&queue=naziran");
        officer
            .timed(&format!("list of {status}"), samples, || path.clone())
            .await;
    }
    officer
        .timed("search by number", samples, || {
            search(&data::number_of(random.below(sizes.tickets)))
        })
        .await;
    officer
        .timed("search by name", samples, || {
            search(random.of(&known.names))
        })
        .await;
    officer
        .timed("search by subject", samples, || {
            search(random.of(&known.subjects))
        })
        .await;
    officer
        .timed("search by a common word", samples, || {
            search(random.common())
        })
        .await;
    let few = samples.div_ceil(6);
    officer
        .timed("search in what was said", few, || said(&random.spoken()))
        .await;
    officer
        .timed("said by nobody", few, || {
            said(&format!("zz{}", random.below(1_000_000)))
        })
        .await;
    for ticket in [false, true] {
        let chat = Chat::begun(&officer.base, ticket).await;
        chat.timed(ticket, samples).await;
    }
    app.stop().await;
}

/// How large a database is.
async fn bytes_of(database: &str) -> i64 {
    let size = if database.starts_with("sqlite:") {
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    } else {
        "SELECT pg_database_size(current_database())"
    };
    let mut connection = AnyConnection::connect(database).await.unwrap();
    let size = sqlx::query_scalar(size).fetch_one(&mut connection).await;
    connection.close().await.unwrap();
    size.unwrap()
}

fn search(text: &str) -> String {
    format!("/console?q={}", text.replace(' ', "+"))
}

fn said(text: &str) -> String {
    format!("/console?in=chats&q={}", text.replace(' ', "+"))
}

/// An officer who is signed in.
struct Officer {
    id: String,
    base: String,
    cookie: String,
    client: reqwest::Client,
}

impl Officer {
    async fn signed_in(app: &App) -> Self {
        let username = "penyelia.bench";
        let password = Secret::new(PASSWORD.to_owned());
        let ready = app
            .agents
            .ready(username, "Penyelia", Role::Supervisor, password);
        let secret = ready.await.unwrap();
        let agents = app.agents.all().await.unwrap();
        let agent = agents.iter().find(|agent| agent.username == username);
        let mut officer = Self {
            id: agent.unwrap().id.clone(),
            base: format!("http://{}", app.http_addr),
            cookie: String::new(),
            client: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
        };
        let form = format!(
            "username={username}&password={}",
            PASSWORD.replace(' ', "+")
        );
        officer.step("/console/masuk", form).await;
        let code = code_of(secret.reveal(), app.clock.now());
        officer.step("/console/kod", format!("code={code}")).await;
        officer
    }

    async fn step(&mut self, path: &str, form: String) {
        let request = self.client.post(format!("{}{path}", self.base));
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", &self.cookie)
            .body(form);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 303);
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        self.cookie = cookie.split(';').next().unwrap().to_owned();
    }

    /// Opens a page, and what it leads to; how many tickets it lists.
    async fn open(&self, path: &str) -> usize {
        let request = self.client.get(format!("{}{path}", self.base));
        let response = request.header("cookie", &self.cookie).send().await.unwrap();
        if response.status() == 303 {
            let to = response.headers()["location"].to_str().unwrap();
            assert!(to.starts_with("/console/tiket/"), "{to}");
            return Box::pin(self.open(to)).await;
        }
        assert_eq!(response.status(), 200, "{path}");
        let page = response.text().await.unwrap();
        page.matches("class=\"row-link\"").count()
    }

    async fn timed(&self, what: &str, samples: usize, mut path: impl FnMut() -> String) {
        for _ in 0..3 {
            self.open(&path()).await;
        }
        let mut took = Vec::new();
        let mut listed = 0;
        for _ in 0..samples {
            let path = path();
            let begun = Instant::now();
            listed += self.open(&path).await;
            took.push(begun.elapsed());
        }
        took.sort();
        let at = |part: f64| -> Duration { took[((took.len() - 1) as f64 * part) as usize] };
        println!(
            "  {what:<28} p50 {:>8.1?}  p99 {:>8.1?}  slowest {:>8.1?}  {:.1} tickets a page",
            at(0.5),
            at(0.99),
            at(1.0),
            listed as f64 / samples as f64
        );
    }
}

/// A person's chat, which has a ticket or not: what a message costs there.
struct Chat {
    url: String,
    token: String,
    client: reqwest::Client,
}

impl Chat {
    async fn begun(base: &str, ticket: bool) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let begun = client
            .post(format!("{base}/api/v1/conversations"))
            .json(&json!({}));
        let begun: Value = begun.send().await.unwrap().json().await.unwrap();
        let chat = Self {
            url: format!(
                "{base}/api/v1/conversations/{}/messages",
                begun["id"].as_str().unwrap()
            ),
            token: begun["token"].as_str().unwrap().to_owned(),
            client,
        };
        if ticket {
            for said in [
                "nak cakap dengan pegawai",
                "Masalah teknikal Sistem iSPEKS",
                "JKR Machang",
                "sistem hang",
            ] {
                chat.say(said).await;
            }
        }
        chat
    }

    async fn say(&self, text: &str) {
        let message = json!({"client_id": Uuid::new_v4(), "text": text});
        let request = self.client.post(&self.url).bearer_auth(&self.token);
        let response = request.json(&message).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap();
    }

    async fn timed(&self, ticket: bool, samples: usize) {
        let mut took = Vec::new();
        for number in 0..samples {
            let text = format!("berapa lama penyata {number} disimpan");
            let begun = Instant::now();
            self.say(&text).await;
            took.push(begun.elapsed());
        }
        took.sort();
        let what = if ticket { "with" } else { "without" };
        println!(
            "  a message in a chat {what} a ticket: p50 {:.1?}, p99 {:.1?}",
            took[took.len() / 2],
            took[(took.len() - 1) * 99 / 100]
        );
    }
}

/// The code that a telephone shows.
fn code_of(secret: &str, at: i64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new()
        .with_secret(secret)
        .with_digits(6)
        .with_step_duration(30)
        .with_skew(0)
        .build()
        .unwrap();
    totp.generate(u64::try_from(at / 1_000).unwrap())
        .to_string()
}
