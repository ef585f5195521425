//! Many people at once: 2,000 open event streams and 100 messages a second for 20 seconds against the program as a
//! process of its own; from sending a message to its answer on the stream. `TANYA_BENCH_STREAMS`, `TANYA_BENCH_RATE`
//! and `TANYA_BENCH_SECONDS` change the numbers.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement may fail loudly"
)]

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::{Value, json};
use uuid::Uuid;

const QUESTIONS: [&str; 4] = [
    "lupa kata laluan portal",
    "macam mana nak daftar portal ispeks",
    "slip gaji bulan lepas",
    "berapa lama penyata disimpan",
];

/// A chat: who may write in it, and when what was last written went off.
#[derive(Clone)]
struct Chat {
    id: String,
    token: String,
    sent: Arc<Mutex<Option<Instant>>>,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

fn main() {
    // `cargo test --benches` calls this too: nothing is measured then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database =
        std::env::var("TANYA_BENCH_DATABASE").unwrap_or_else(|_| "sqlite://tanya.db".to_owned());
    let program = Command::new(env!("CARGO_BIN_EXE_tanya"))
        .arg("demo")
        .current_dir(folder.path())
        .env("TANYA_HTTP_ADDR", "127.0.0.1:18080")
        .env("TANYA_ADMIN_ADDR", "127.0.0.1:19090")
        .env("TANYA_DATABASE_URL", database)
        .env("TANYA_LOG", "error")
        // Every chat is begun from one address.
        .env("TANYA_NEW_CHATS_PER_HOUR", "1000000")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let program = Program(program);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(measure(&program));
}

/// The program; it ends with the measurement.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    fn resident(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()));
        let status = status.unwrap_or_default();
        let line = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or("?").trim().to_owned()
        };
        format!("{} resident, {} at most", line("VmRSS:"), line("VmHWM:"))
    }
}

async fn measure(program: &Program) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let base = "http://127.0.0.1:18080/api/v1/conversations";
    while client
        .get("http://127.0.0.1:19090/readyz")
        .send()
        .await
        .is_err()
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("ready: {}", program.resident());
    let (streams, rate) = (
        number("TANYA_BENCH_STREAMS", 2_000),
        number("TANYA_BENCH_RATE", 100),
    );
    let seconds = number("TANYA_BENCH_SECONDS", 20);
    let took: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let mut chats = Vec::new();
    for _ in 0..streams {
        let begun = client.post(base).json(&json!({})).send().await.unwrap();
        assert_eq!(begun.status(), 201, "{}", begun.text().await.unwrap());
        let begun: Value = begun.json().await.unwrap();
        let chat = Chat {
            id: begun["id"].as_str().unwrap().to_owned(),
            token: begun["token"].as_str().unwrap().to_owned(),
            sent: Arc::default(),
        };
        let url = format!("{base}/{}/events?after=2", chat.id);
        let stream = client
            .get(url)
            .bearer_auth(&chat.token)
            .send()
            .await
            .unwrap();
        assert_eq!(stream.status(), 200);
        let (sent, took) = (Arc::clone(&chat.sent), Arc::clone(&took));
        tokio::spawn(async move {
            let mut stream = stream.bytes_stream();
            while let Some(Ok(chunk)) = stream.next().await {
                let text = String::from_utf8_lossy(&chunk);
                if text.contains("\"from\":\"bot\"")
                    && let Some(at) = sent.lock().unwrap().take()
                {
                    took.lock().unwrap().push(at.elapsed());
                }
            }
        });
        chats.push(chat);
    }
    println!("{streams} streams are open: {}", program.resident());
    let begun = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_secs_f64(1.0 / rate as f64));
    let mut count = 0;
    while begun.elapsed() < Duration::from_secs(seconds) {
        tick.tick().await;
        let chat = chats[count * 7 % chats.len()].clone();
        let text = QUESTIONS[count % QUESTIONS.len()];
        count += 1;
        let client = client.clone();
        tokio::spawn(async move {
            *chat.sent.lock().unwrap() = Some(Instant::now());
            let message = json!({"client_id": Uuid::new_v4(), "text": text});
            let url = format!("{base}/{}/messages", chat.id);
            let request = client.post(url).bearer_auth(&chat.token).json(&message);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 200);
        });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut took = took.lock().unwrap().clone();
    took.sort();
    assert!(!took.is_empty());
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
    println!(
        "{count} messages in {seconds} s, {} answers on the streams: p50 {:?}, p99 {:?}, slowest {:?}; {}",
        took.len(),
        at(0.5),
        at(0.99),
        at(1.0),
        program.resident()
    );
}
