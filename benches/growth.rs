//! What an answer and the knowledge cost as the knowledge grows: time and memory at 10, 100, 1,000 and 10,000 entries with
//! five paraphrases each, and the slope: 1 would be in proportion to the entries, 0 not at all.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement may fail loudly"
)]

#[path = "support/knowledge.rs"]
mod made;

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use made::{Made, load};
use tanya::knowledge::ask::ask;

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

/// Says to a process of its own how many entries it has to measure.
const ENTRIES: &str = "TANYA_BENCH_ENTRIES";

fn main() {
    // `cargo test --benches` calls this too: nothing is measured then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    if let Ok(entries) = std::env::var(ENTRIES) {
        measure(entries.parse().unwrap());
        return;
    }
    println!(
        "| entries | loading, ms | an answer, p50 µs | p99 µs | memory of the knowledge, KiB |"
    );
    println!("|---|---|---|---|---|");
    // Each size in a process of its own: memory that was given back would be counted as the next one's.
    let rows = SIZES.map(of_its_own);
    let slopes: Vec<String> = (1..rows[0].len())
        .map(|column| {
            let costs = rows.iter().map(|row| (row[0], row[column].max(1.0)));
            format!("{:.2}", slope(&costs.collect::<Vec<_>>()))
        })
        .collect();
    println!("| slope | {} |", slopes.join(" | "));
}

fn of_its_own(entries: usize) -> Vec<f64> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let command = command.arg("--bench").env(ENTRIES, entries.to_string());
    let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let row = said.lines().last().unwrap();
    println!("| {} |", row.replace(' ', " | "));
    row.split(' ').map(|cell| cell.parse().unwrap()).collect()
}

fn measure(entries: usize) {
    let made = Made::of(entries);
    let before = resident();
    let begun = Instant::now();
    let knowledge = load(&made.source());
    let loaded = begun.elapsed().as_millis();
    let mut times: Vec<u128> = Vec::new();
    for question in made.questions.iter().cycle().take(20_000) {
        let begun = Instant::now();
        black_box(ask(&knowledge, question, None.into()).unwrap());
        times.push(begun.elapsed().as_micros());
    }
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    let held = resident().saturating_sub(before);
    println!("{entries} {loaded} {} {} {held}", at(50), at(99));
}

/// The memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let count = line.unwrap().split_whitespace().next().unwrap();
    count.parse().unwrap()
}

/// The slope of the straight line through what costs how much, both as logarithms (least squares).
fn slope(costs: &[(f64, f64)]) -> f64 {
    let count = costs.len() as f64;
    let points: Vec<(f64, f64)> = costs.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let x: f64 = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let y: f64 = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let above: f64 = points.iter().map(|(a, b)| (a - x) * (b - y)).sum();
    let below: f64 = points.iter().map(|(a, _)| (a - x).powi(2)).sum();
    above / below
}
