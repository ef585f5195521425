//! Honest people while others do harm: 5,000 connections that drip their requests, 50,000 connections that say nothing,
//! from 250 addresses, and bodies of 64 MiB; against the demonstration as a process of its own. `scripts/load flood` runs
//! it with enough open files. `TANYA_BENCH_SECONDS` is how long each lasts: 30.
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

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use support::{Target, Times, number};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Honest chats, and how often somebody writes in one of them.
const CHATS: usize = 100;
const EVERY: Duration = Duration::from_millis(50);

/// How many of them there may be at once on this side: both sides together must not run out of files.
const AT_ONCE: usize = 15_000;
/// Those who do harm come from as many addresses, so that no bound of one address stops them.
const ADDRESSES: usize = 250;
const SLOW: usize = 5_000;
const SILENT: usize = 50_000;
const BODIES: usize = 20;
const BODY: usize = 64 * 1024 * 1024;

fn main() {
    support::run(measure());
}

async fn measure() {
    let client = Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(20));
    let client = client.build().unwrap();
    let target = Target::ready(&client).await;
    let honest = Honest::begin(client, &target.url).await;
    let to: SocketAddr = target.url.strip_prefix("http://").unwrap().parse().unwrap();
    let time = Duration::from_secs(number("TANYA_BENCH_SECONDS", 30));

    honest.write("nobody else", &target, time).await;
    let seen = Arc::new(Harm::default());
    let mut harm = JoinSet::new();
    for place in 0..SLOW {
        harm.spawn(drip(to, place, Arc::clone(&seen)));
    }
    honest.write("5,000 slow connections", &target, time).await;
    harm.shutdown().await;
    println!("  {seen}");

    let seen = Arc::new(Harm::default());
    let begun = Instant::now();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    for place in 0..SILENT {
        let (seen, room) = (Arc::clone(&seen), Arc::clone(&room));
        harm.spawn(async move {
            let _place = room.acquire_owned().await.unwrap();
            say_nothing(to, place, seen).await;
        });
    }
    honest
        .write("50,000 silent connections", &target, time)
        .await;
    println!("  {seen}, after {:.0?}", begun.elapsed());
    harm.shutdown().await;

    let seen = Arc::new(Harm::default());
    for place in 0..BODIES {
        harm.spawn(send_a_body(to, place, Arc::clone(&seen)));
    }
    honest.write("bodies of 64 MiB", &target, time).await;
    println!("  {seen}");
    harm.shutdown().await;
    honest.write("nobody else again", &target, time).await;
}

/// People who ask something.
struct Honest {
    client: Client,
    base: String,
    chats: Vec<(String, String)>,
}

impl Honest {
    async fn begin(client: Client, url: &str) -> Self {
        let base = format!("{url}/api/v1/conversations");
        let mut chats = Vec::new();
        for _ in 0..CHATS {
            let begun = client.post(&base).json(&json!({})).send().await.unwrap();
            let begun: Value = begun.json().await.unwrap();
            let field = |name: &str| begun[name].as_str().unwrap().to_owned();
            chats.push((field("id"), field("token")));
        }
        Self {
            client,
            base,
            chats,
        }
    }

    /// Writes for a while, each message answered or not, and says how long the answers took.
    async fn write(&self, meanwhile: &str, target: &Target, time: Duration) {
        let begun = Instant::now();
        let mut tick = tokio::time::interval(EVERY);
        let mut answers = JoinSet::new();
        for (id, token) in self.chats.iter().cycle() {
            if begun.elapsed() > time {
                break;
            }
            tick.tick().await;
            let message = json!({"client_id": Uuid::new_v4(), "text": "lupa kata laluan portal"});
            let request = self.client.post(format!("{}/{id}/messages", self.base));
            let request = request.bearer_auth(token).json(&message);
            answers.spawn(async move {
                let begun = Instant::now();
                let answer = request.send().await;
                let answered = answer.is_ok_and(|answer| answer.status() == 200);
                (answered, begun.elapsed())
            });
        }
        let answers = answers.join_all().await;
        let refused = answers.iter().filter(|(answered, _)| !answered).count();
        let times = answers.iter().filter(|(answered, _)| *answered);
        let times = Times::of(times.map(|(_, took)| *took).collect());
        println!(
            "{meanwhile}: {} messages, {refused} not answered: {times}; {}",
            answers.len(),
            target.resident()
        );
    }
}

/// What became of those who do harm.
#[derive(Default)]
struct Harm {
    opened: AtomicUsize,
    closed: AtomicUsize,
    refused: AtomicUsize,
    slowest: AtomicUsize,
}

impl Harm {
    /// Waits until the server ends a connection; what it says is not looked at.
    async fn until_closed(&self, stream: &mut TcpStream, since: Instant) {
        let mut said = [0; 1024];
        while stream.read(&mut said).await.is_ok_and(|count| count > 0) {}
        self.ended(since);
    }

    fn ended(&self, since: Instant) {
        self.closed.fetch_add(1, Ordering::Relaxed);
        let seconds = since.elapsed().as_secs() as usize;
        self.slowest.fetch_max(seconds, Ordering::Relaxed);
    }
}

impl std::fmt::Display for Harm {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        write!(
            out,
            "{} connections were opened, {} could not be, {} were ended by the server, after {} s at most",
            count(&self.opened),
            count(&self.refused),
            count(&self.closed),
            count(&self.slowest)
        )
    }
}

/// Connects from the address that belongs to `place`.
async fn connect(to: SocketAddr, place: usize, seen: &Harm) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    let host = (place % ADDRESSES) as u8;
    let from = SocketAddr::from((Ipv4Addr::new(127, 1, 1, host + 1), 0));
    let bound = socket.bind(from);
    let stream = match bound {
        Ok(()) => socket.connect(to).await,
        Err(error) => Err(error),
    };
    let counted = match stream {
        Ok(_) => &seen.opened,
        Err(_) => &seen.refused,
    };
    counted.fetch_add(1, Ordering::Relaxed);
    stream.ok()
}

/// Sends the head of a request, a byte every half second, again and again.
async fn drip(to: SocketAddr, place: usize, seen: Arc<Harm>) {
    loop {
        if let Some(mut stream) = connect(to, place, &seen).await {
            let since = Instant::now();
            for byte in b"POST /api/v1/ask HTTP/1.1\r\nhost: tanya\r\nx-a: "
                .iter()
                .chain([b'a'; 1000].iter())
            {
                // Told by a write that fails, or by an end that can be read.
                let told = tokio::time::timeout(Duration::from_millis(500), stream.readable());
                if told.await.is_ok() || stream.write_all(&[*byte]).await.is_err() {
                    break;
                }
            }
            seen.until_closed(&mut stream, since).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Opens a connection and keeps it for as long as it is let.
async fn say_nothing(to: SocketAddr, place: usize, seen: Arc<Harm>) {
    if let Some(mut stream) = connect(to, place, &seen).await {
        seen.until_closed(&mut stream, Instant::now()).await;
    }
}

/// Sends 64 MiB, with a length that is given or in chunks, again and again.
async fn send_a_body(to: SocketAddr, place: usize, seen: Arc<Harm>) {
    let chunk = vec![b'a'; 64 * 1024];
    let head = if place.is_multiple_of(2) {
        format!("content-length: {BODY}")
    } else {
        "transfer-encoding: chunked".to_owned()
    };
    let head = format!(
        "POST /api/v1/ask HTTP/1.1\r\nhost: tanya\r\ncontent-type: application/json\r\n{head}\r\n\r\n"
    );
    let chunked = format!("{:x}\r\n", chunk.len());
    loop {
        if let Some(mut stream) = connect(to, place, &seen).await {
            let since = Instant::now();
            let mut sent = stream.write_all(head.as_bytes()).await;
            for _ in 0..BODY / chunk.len() {
                if sent.is_err() {
                    break;
                }
                if !place.is_multiple_of(2) {
                    sent = stream.write_all(chunked.as_bytes()).await;
                }
                sent = sent.and(stream.write_all(&chunk).await);
                if !place.is_multiple_of(2) {
                    sent = sent.and(stream.write_all(b"\r\n").await);
                }
            }
            seen.until_closed(&mut stream, since).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
