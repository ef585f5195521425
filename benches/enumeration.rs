//! Whether time tells who is known (AC-12): `POST /api/v1/verify/start` and `/finish` for a number that the portal knows
//! and for one that belongs to nobody, in random order, with the portal answering after 0, 200 and 2,000 ms. Prints the
//! medians, their difference and how well a classifier by time would do (the area under its curve: 0.5 is a coin).
//! `TANYA_BENCH_SAMPLES` says how many of each, `TANYA_BENCH_DATABASE` where.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement may fail loudly"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tanya::app::App;
use tanya::config::{Mode, Settings};
use uuid::Uuid;

/// The first of the invented people, and a number of the same form that belongs to nobody.
const KNOWN: &str = "880313036661";
const TWIN: &str = "880313036663";
/// How long the portal takes, in milliseconds.
const LATENCIES: [u64; 3] = [0, 200, 2_000];
/// Not measured: connections, caches and plans are made.
const WARM_UP: usize = 100;
/// After so many the clock moves on by more than a day, so that what limits count stays small.
const A_DAY_EVERY: usize = 50;
const DAY: i64 = 25 * 3_600_000;
/// Between two of them, so that what one leaves to be done does not meet the next.
const REST: Duration = Duration::from_millis(15);

/// Limits that nobody reaches here: nothing but the number differs.
const LIMITS: [&str; 16] = [
    "TANYA_CHAT_IDENTITIES_PER_DAY",
    "TANYA_CHAT_FAILURES_PER_DAY",
    "TANYA_CHAT_MESSAGES_PER_MINUTE",
    "TANYA_NEW_CHATS_PER_HOUR",
    "TANYA_CODES_PER_HOUR",
    "TANYA_CODES_PER_DAY",
    "TANYA_NOTICES_PER_DAY",
    "TANYA_NETWORK_STARTS_PER_HOUR",
    "TANYA_NETWORK_FAILURES_PER_HOUR",
    "TANYA_FAILURES_PER_HOUR",
    "TANYA_IDENTITY_FAILURES_SLOW",
    "TANYA_IDENTITY_FAILURES_MOST",
    "TANYA_MAILS_PER_MINUTE",
    "TANYA_MAILS_PER_HOUR",
    "TANYA_CONNECTIONS",
    "TANYA_CONNECTIONS_PER_ADDRESS",
];

fn main() {
    // `cargo test --benches` calls this too: nothing is measured then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let samples = std::env::var("TANYA_BENCH_SAMPLES");
    let samples = samples.map_or(2_000, |samples| samples.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for latency in LATENCIES {
        let folder = tempfile::tempdir().unwrap();
        runtime.block_on(measure(folder.path(), latency, samples));
    }
}

fn settings(folder: &Path) -> Settings {
    let none = folder.join("tanya.toml");
    std::fs::write(&none, "").unwrap();
    let database = format!("sqlite://{}", folder.join("tanya.db").display());
    let database = std::env::var("TANYA_BENCH_DATABASE").unwrap_or(database);
    let mut environment = BTreeMap::from([
        ("TANYA_HTTP_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
        ("TANYA_ADMIN_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
        ("TANYA_SIMULATOR_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
        ("TANYA_DATABASE_URL".to_owned(), database),
    ]);
    environment.extend(LIMITS.map(|name| (name.to_owned(), "1000000".to_owned())));
    Settings::from_parts(Some(&none), environment, Mode::Demo).unwrap()
}

/// Somebody at a page, with a browser that keeps its connection.
struct Page {
    client: reqwest::Client,
    base: String,
}

/// How long the answers took, in milliseconds.
#[derive(Default)]
struct Took {
    known: Vec<f64>,
    twin: Vec<f64>,
}

async fn measure(folder: &Path, latency: u64, samples: usize) {
    let app = App::start(&settings(folder)).await.unwrap();
    let page = Page {
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
        base: format!("http://{}/api/v1", app.http_addr),
    };
    let faults = format!("{}/faults", app.simulator_url.as_ref().unwrap());
    let faults = page.client.put(faults).json(&json!({"slow_ms": latency}));
    assert!(faults.send().await.unwrap().status().is_success());
    let (mut starts, mut finishes) = (Took::default(), Took::default());
    for sample in 0..samples + WARM_UP {
        if sample % A_DAY_EVERY == A_DAY_EVERY - 1 {
            app.clock.advance(DAY);
        }
        // Which comes first is a coin's: neither is always the one that meets what the other left.
        let known_first = Uuid::new_v4().as_bytes()[0].is_multiple_of(2);
        for known in [known_first, !known_first] {
            let number = if known { KNOWN } else { TWIN };
            let token = page.token().await;
            let start = json!({"token": token, "kind": "staff", "id_no": number});
            let started = page.timed("verify/start", &start, 202).await;
            tokio::time::sleep(REST).await;
            let finish = json!({"token": token, "code": "00000000"});
            let finished = page.timed("verify/finish", &finish, 422).await;
            tokio::time::sleep(REST).await;
            if sample >= WARM_UP {
                starts.note(known, started);
                finishes.note(known, finished);
            }
        }
    }
    starts.print("start", latency);
    finishes.print("finish", latency);
    app.stop().await;
}

impl Page {
    /// A page's token, of a new chat.
    async fn token(&self) -> String {
        let url = format!("{}/conversations", self.base);
        let begun = self.client.post(&url).json(&json!({})).send().await;
        let begun: Value = begun.unwrap().json().await.unwrap();
        let (id, token) = (
            begun["id"].as_str().unwrap(),
            begun["token"].as_str().unwrap(),
        );
        let message = json!({"client_id": Uuid::new_v4(), "text": "/slip"});
        let said = self.client.post(format!("{url}/{id}/messages"));
        let said = said.bearer_auth(token).json(&message).send().await.unwrap();
        let said: Value = said.json().await.unwrap();
        let link = said["replies"][0]["link"]["url"].as_str().unwrap();
        link.split_once('#').unwrap().1.to_owned()
    }

    /// Milliseconds from sending to the last byte of the answer.
    async fn timed(&self, path: &str, body: &Value, status: u16) -> f64 {
        let request = self.client.post(format!("{}/{path}", self.base)).json(body);
        let request = request.build().unwrap();
        let begun = Instant::now();
        let response = self.client.execute(request).await.unwrap();
        let answered = response.status().as_u16();
        let text = response.text().await.unwrap();
        let took = begun.elapsed().as_secs_f64() * 1_000.0;
        assert_eq!(answered, status, "{text}");
        took
    }
}

impl Took {
    fn note(&mut self, known: bool, took: f64) {
        if known {
            self.known.push(took);
        } else {
            self.twin.push(took);
        }
    }

    fn print(&self, what: &str, latency: u64) {
        let (known, twin) = (median(&self.known), median(&self.twin));
        println!(
            "{what}, portal after {latency} ms, {} of each: median known {known:.3} ms, nobody {twin:.3} ms, apart {:.3} ms, AUC {:.4}",
            self.known.len(),
            (known - twin).abs(),
            self.area()
        );
    }

    /// Mann-Whitney: how often a known one took longer than an unknown one, ties by half; the better direction.
    fn area(&self) -> f64 {
        let known = self.known.iter().map(|took| (*took, true));
        let twin = self.twin.iter().map(|took| (*took, false));
        let mut all: Vec<(f64, bool)> = known.chain(twin).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut ranks = 0.0;
        let mut place = 0;
        while place < all.len() {
            let same = all[place..].iter().take_while(|it| it.0 == all[place].0);
            let same = same.count();
            let rank = place as f64 + (same as f64 + 1.0) / 2.0;
            let known = all[place..place + same].iter().filter(|it| it.1).count();
            ranks += rank * known as f64;
            place += same;
        }
        let (known, twin) = (self.known.len() as f64, self.twin.len() as f64);
        let area = (ranks - known * (known + 1.0) / 2.0) / (known * twin);
        area.max(1.0 - area)
    }
}

fn median(took: &[f64]) -> f64 {
    let mut took = took.to_vec();
    took.sort_by(f64::total_cmp);
    took[took.len() / 2]
}
