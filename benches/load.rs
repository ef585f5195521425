//! Requests per second: `POST /api/v1/ask` with distinct questions beside an empty axum JSON handler, in one process
//! and one run, driven by wrk (Debian package `wrk`). The two take turns, so that a machine whose speed drifts is fair
//! to both. `TANYA_BENCH_SECONDS` sets the length of a turn.
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
use std::process::Command;
use std::time::Instant;

use axum::Json;
use axum::routing::post;
use serde_json::json;
use tanya::app::App;
use tanya::config::{Mode, Settings};
use tanya::knowledge::evaluation::Questions;

const TURNS: usize = 7;

fn main() {
    // `cargo test --benches` calls this too: nothing is measured then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("ask.lua");
    std::fs::write(&script, lua()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (app, empty) = runtime.block_on(async {
        let begun = Instant::now();
        let app = App::start(&settings(folder.path())).await.unwrap();
        println!("ready in {:?}, {} resident", begun.elapsed(), resident());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let handler = axum::Router::new().route("/", post(async || Json(json!({"ok": true}))));
        tokio::spawn(async move { axum::serve(listener, handler).await.unwrap() });
        (app, format!("http://{address}/"))
    });
    let ask = format!("http://{}/api/v1/ask", app.http_addr);
    let mut ratios = Vec::new();
    for turn in 1..=TURNS {
        let (of_empty, of_ask) = (measure(&script, &empty), measure(&script, &ask));
        println!(
            "turn {turn}: empty handler {of_empty:.0}/s, ask {of_ask:.0}/s, {:.1} %",
            100.0 * of_ask / of_empty
        );
        ratios.push(of_ask / of_empty);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "median: {:.1} % of an empty handler, {} resident afterwards",
        100.0 * ratios[TURNS / 2],
        resident()
    );
}

fn settings(folder: &Path) -> Settings {
    let none = folder.join("tanya.toml");
    std::fs::write(&none, "").unwrap();
    let environment = BTreeMap::from([
        ("TANYA_HTTP_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
        ("TANYA_ADMIN_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
        (
            "TANYA_DATABASE_URL".to_owned(),
            format!("sqlite://{}", folder.join("tanya.db").display()),
        ),
    ]);
    Settings::from_parts(Some(&none), environment, Mode::Demo).unwrap()
}

/// A wrk script that never asks the same question twice in a row of a hundred thousand: the labelled ones, numbered.
fn lua() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/dev.jsonl");
    let questions = Questions::parse(&std::fs::read_to_string(file).unwrap()).unwrap();
    let quoted: Vec<String> = questions
        .queries
        .iter()
        .map(|query| {
            format!(
                "[==[{}]==]",
                serde_json::to_string(&query.text)
                    .unwrap()
                    .trim_matches('"')
            )
        })
        .collect();
    format!(
        "local texts = {{{}}}\nlocal n = 0\nlocal headers = {{['Content-Type'] = 'application/json'}}\n\
         request = function()\n  n = n + 1\n  local text = texts[n % #texts + 1]\n  \
         return wrk.format('POST', nil, headers, '{{\"text\":\"' .. text .. ' ' .. n .. '\"}}')\nend\n",
        quoted.join(", ")
    )
}

fn measure(script: &Path, url: &str) -> f64 {
    let seconds = std::env::var("TANYA_BENCH_SECONDS").unwrap_or_else(|_| "8".to_owned());
    let output = Command::new("wrk")
        .args(["-t1", "-c32", &format!("-d{seconds}s"), "-s"])
        .arg(script)
        .arg(url)
        .output()
        .expect("wrk runs: apt-get install wrk");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("Non-2xx"), "{text}");
    let rate = text
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"));
    rate.unwrap_or_else(|| panic!("{text}"))
        .trim()
        .parse()
        .unwrap()
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap_or("?").trim().to_owned()
}
