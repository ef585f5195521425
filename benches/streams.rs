//! Many people at once: open event streams and messages a second, from sending a message to its answer on the stream;
//! against the demonstration as a process of its own, or against three behind a balancer (`scripts/load three`).
//! `TANYA_BENCH_STREAMS`, `TANYA_BENCH_RATE` and `TANYA_BENCH_SECONDS` change the numbers: 2,000, 100 and 20.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement may fail loudly"
)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::Client;
use serde_json::{Value, json};
use support::{Target, Times, number};
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

/// What came back.
#[derive(Default)]
struct Seen {
    took: Mutex<Vec<Duration>>,
    /// Messages that were answered with anything else than 200.
    refused: AtomicUsize,
    /// Streams that ended.
    ended: AtomicUsize,
}

fn main() {
    support::run(measure());
}

/// Begins a chat and listens to it.
async fn open(client: &Client, base: &str, seen: &Arc<Seen>) -> Chat {
    let begun = client.post(base).json(&json!({})).send().await.unwrap();
    assert_eq!(begun.status(), 201, "{}", begun.text().await.unwrap());
    let begun: Value = begun.json().await.unwrap();
    let chat = Chat {
        id: begun["id"].as_str().unwrap().to_owned(),
        token: begun["token"].as_str().unwrap().to_owned(),
        sent: Arc::default(),
    };
    let url = format!("{base}/{}/events?after=2", chat.id);
    let stream = client.get(url).bearer_auth(&chat.token).send().await;
    let stream = stream.unwrap();
    assert_eq!(stream.status(), 200);
    let (sent, seen) = (Arc::clone(&chat.sent), Arc::clone(seen));
    tokio::spawn(async move {
        let mut stream = stream.bytes_stream();
        while let Some(Ok(chunk)) = stream.next().await {
            let text = String::from_utf8_lossy(&chunk);
            if text.contains("\"from\":\"bot\"")
                && let Some(at) = sent.lock().unwrap().take()
            {
                seen.took.lock().unwrap().push(at.elapsed());
            }
        }
        seen.ended.fetch_add(1, Ordering::Relaxed);
    });
    chat
}

async fn measure() {
    let client = Client::builder().no_proxy().build().unwrap();
    let target = Target::ready(&client).await;
    let base = format!("{}/api/v1/conversations", target.url);
    println!("ready: {}", target.resident());
    let streams = number("TANYA_BENCH_STREAMS", 2_000);
    let rate = number("TANYA_BENCH_RATE", 100);
    let seconds = number("TANYA_BENCH_SECONDS", 20);
    let seen: Arc<Seen> = Arc::default();
    let mut chats = Vec::new();
    for _ in 0..streams {
        chats.push(open(&client, &base, &seen).await);
    }
    println!("{streams} streams are open: {}", target.resident());
    let begun = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_secs_f64(1.0 / rate as f64));
    let mut count = 0;
    while begun.elapsed() < Duration::from_secs(seconds) {
        tick.tick().await;
        let chat = chats[count * 7 % chats.len()].clone();
        let text = QUESTIONS[count % QUESTIONS.len()];
        count += 1;
        let (client, seen) = (client.clone(), Arc::clone(&seen));
        let url = format!("{base}/{}/messages", chat.id);
        tokio::spawn(async move {
            *chat.sent.lock().unwrap() = Some(Instant::now());
            let message = json!({"client_id": Uuid::new_v4(), "text": text});
            let request = client.post(url).bearer_auth(&chat.token).json(&message);
            let response = request.send().await;
            if !response.is_ok_and(|response| response.status() == 200) {
                seen.refused.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let took = seen.took.lock().unwrap().clone();
    let (answers, times) = (took.len(), Times::of(took));
    println!(
        "{count} messages in {seconds} s, {answers} answers on the streams, {} refused, {} streams ended: {times}; {}",
        seen.refused.load(Ordering::Relaxed),
        seen.ended.load(Ordering::Relaxed),
        target.resident()
    );
}
