//! A backup of a large SQLite file while 200 writes a second go on, and its restoring. `TANYA_BENCH_MESSAGES` changes how
//! much there is.
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

#[path = "desk/data.rs"]
#[allow(dead_code, reason = "the desk is searched elsewhere")]
mod data;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use data::Sizes;
use tanya::audit::{Audit, Entry, Event};
use tanya::backup::{self, Wishes};
use tanya::clock::Clock;
use tanya::key_ring::KeyRing;
use tanya::secret::SecretKey;
use tanya::storage::Store;

const SECRET_KEY: &str = "c2VjcmV0IGZvciB0ZXN0cywgMzIgYnl0ZXMgb3IgbW9yZQ==";
const WRITES_A_SECOND: u64 = 200;

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

fn main() {
    // `cargo test --benches` calls this too: nothing is measured then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(measure(folder.path()));
}

async fn measure(folder: &Path) {
    let messages = number("TANYA_BENCH_MESSAGES", 1_000_000);
    let sizes = Sizes {
        tickets: messages / 20,
        messages,
    };
    let url = format!("sqlite://{}", folder.join("live.db").display());
    let clock = Clock::default();
    let secret = SecretKey::parse(SECRET_KEY).unwrap();
    let store = Arc::new(Store::open(&url).await.unwrap());
    let keys = KeyRing::open(&store, &secret, &clock).await.unwrap();
    let audit = Audit::new(keys.audit);
    data::fill(&url, SECRET_KEY, &clock, sizes, "").await;
    for first in (0..100_000).step_by(1_000) {
        let mut transaction = store.begin().await.unwrap();
        for at in first..first + 1_000 {
            let entry = Entry::new(Event::LinkOpened, "opened");
            audit.record(&mut transaction, entry, at).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
    let before = times_of_writes(&store, &audit, Duration::from_secs(5)).await;
    tell("writes alone", before);

    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write(Arc::clone(&store), audit.clone(), Arc::clone(&stop)));
    let file = folder.join("copy.db");
    let written = backup::write(&url, &file, &secret).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    println!(
        "backup: {} messages, {} MB in {:.1} s, looked through",
        written.found.counts.messages,
        written.bytes / 1_000_000,
        written.took_ms as f64 / 1_000.0
    );
    tell("writes during the backup", writer.await.unwrap());
    store.close().await;

    let place = format!("sqlite://{}", folder.join("new.db").display());
    let begun = Instant::now();
    backup::restore(&place, &file, &secret, &clock, &Wishes::default())
        .await
        .unwrap();
    println!("restore: {:.1} s", begun.elapsed().as_secs_f64());
}

async fn times_of_writes(store: &Arc<Store>, audit: &Audit, during: Duration) -> Vec<Duration> {
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write(Arc::clone(store), audit.clone(), Arc::clone(&stop)));
    tokio::time::sleep(during).await;
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap()
}

async fn write(store: Arc<Store>, audit: Audit, stop: Arc<AtomicBool>) -> Vec<Duration> {
    let mut beat = tokio::time::interval(Duration::from_micros(1_000_000 / WRITES_A_SECOND));
    let mut times = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        beat.tick().await;
        let begun = Instant::now();
        let mut transaction = store.begin().await.unwrap();
        let entry = Entry::new(Event::LinkOpened, "opened");
        audit.record(&mut transaction, entry, 1).await.unwrap();
        transaction.commit().await.unwrap();
        times.push(begun.elapsed());
    }
    times
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let of = |part: usize| times[(times.len() - 1) * part / 1_000];
    println!(
        "{what}: {}, p50 {:.1?}, p99 {:.1?}, longest {:.1?}",
        times.len(),
        of(500),
        of(990),
        of(1_000)
    );
}
