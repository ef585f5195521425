//! The program as a process of its own, for measurements from outside.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::Client;

const HTTP: &str = "127.0.0.1:18080";
const ADMIN: &str = "127.0.0.1:19090";

/// Measures, on a thread of its own. `cargo test --benches` calls this too: nothing is measured then.
pub fn run(measure: impl Future<Output = ()>) {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(measure);
}

/// The number that the environment gives for `name`.
pub fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// Where what is measured listens, and the processes that it is.
pub struct Target {
    pub url: String,
    processes: Vec<u32>,
    _own: Option<Own>,
}

/// A process that ends with the measurement, and its folder.
struct Own(
    Child,
    #[allow(dead_code, reason = "it is removed at the end")] tempfile::TempDir,
);

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Target {
    /// What `scripts/cluster` has started; or else the demonstration, started here, on the database
    /// `TANYA_BENCH_DATABASE` or a file.
    pub async fn ready(client: &Client) -> Self {
        if let Ok(url) = std::env::var("TANYA_CLUSTER_URL") {
            let processes = std::env::var("TANYA_CLUSTER_PROCESSES").unwrap_or_default();
            let processes = processes.split_whitespace().map(|id| id.parse().unwrap());
            return Self {
                url,
                processes: processes.collect(),
                _own: None,
            };
        }
        let own = Own::start();
        while client
            .get(format!("http://{ADMIN}/readyz"))
            .send()
            .await
            .is_err()
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self {
            url: format!("http://{HTTP}"),
            processes: vec![own.0.id()],
            _own: Some(own),
        }
    }

    /// How much memory each process holds now, and held at most.
    pub fn resident(&self) -> String {
        let each = self.processes.iter().map(|id| {
            let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
            let mebibytes = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name));
                let kibibytes = line.and_then(|line| line.split_whitespace().next());
                kibibytes.map_or(0, |count| count.parse::<u64>().unwrap() / 1024)
            };
            format!(
                "{} MiB resident, {} at most",
                mebibytes("VmRSS:"),
                mebibytes("VmHWM:")
            )
        });
        each.collect::<Vec<_>>().join(" | ")
    }
}

impl Own {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = std::env::var("TANYA_BENCH_DATABASE");
        let database = database.unwrap_or_else(|_| "sqlite://tanya.db".to_owned());
        let program = Command::new(env!("CARGO_BIN_EXE_tanya"))
            .arg("demo")
            .current_dir(folder.path())
            .env("TANYA_HTTP_ADDR", HTTP)
            .env("TANYA_ADMIN_ADDR", ADMIN)
            .env("TANYA_DATABASE_URL", database)
            .env("TANYA_LOG", "error")
            // Every chat is begun from one address.
            .env("TANYA_NEW_CHATS_PER_HOUR", "1000000")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(program, folder)
    }
}

/// Sorted times, and what is said of them.
pub struct Times(Vec<Duration>);

impl Times {
    pub fn of(mut times: Vec<Duration>) -> Self {
        assert!(!times.is_empty(), "nothing was answered");
        times.sort();
        Self(times)
    }

    /// The time below which this part of them is.
    pub fn at(&self, part: f64) -> Duration {
        self.0[((self.0.len() - 1) as f64 * part) as usize]
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "p50 {:.1?}, p99 {:.1?}, slowest {:.1?}",
            self.at(0.5),
            self.at(0.99),
            self.at(1.0)
        )
    }
}
