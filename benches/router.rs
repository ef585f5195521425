//! How long a question takes, in process, on one thread: the shipped knowledge over the labelled questions, and a
//! generated knowledge of 10,000 entries with 5 paraphrases each. Percentiles are printed beside criterion's estimate.
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
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use made::{Made, load};
use tanya::knowledge::Knowledge;
use tanya::knowledge::ask::ask;
use tanya::knowledge::evaluation::Questions;
use tanya::knowledge::source::Source;

const ENTRIES: usize = 10_000;

fn percentiles(name: &str, knowledge: &Knowledge, questions: &[String]) {
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..(20_000 / questions.len()).max(1) {
        for question in questions {
            let begun = Instant::now();
            black_box(ask(knowledge, question, None.into()).unwrap());
            times.push(begun.elapsed());
        }
    }
    times.sort();
    let at = |share: f64| times[(share * (times.len() - 1) as f64) as usize];
    println!(
        "{name}: p50 {:?}, p99 {:?}, highest {:?}",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

fn shipped(criterion: &mut Criterion) {
    let knowledge = load(&Source::Embedded);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/dev.jsonl");
    let questions = Questions::parse(&std::fs::read_to_string(file).unwrap()).unwrap();
    let questions: Vec<String> = questions.queries.into_iter().map(|q| q.text).collect();
    percentiles("shipped knowledge", &knowledge, &questions);
    let mut next = questions.iter().cycle();
    criterion.bench_function("ask, shipped knowledge", |bencher| {
        bencher.iter(|| ask(&knowledge, next.next().unwrap(), None.into()).unwrap());
    });
}

fn large(criterion: &mut Criterion) {
    let made = Made::of(ENTRIES);
    let knowledge = load(&made.source());
    let questions = made.questions;
    percentiles("10,000 entries", &knowledge, &questions);
    let mut next = questions.iter().cycle();
    criterion.bench_function("ask, 10,000 entries", |bencher| {
        bencher.iter(|| ask(&knowledge, next.next().unwrap(), None.into()).unwrap());
    });
}

criterion_group!(router, shipped, large);
criterion_main!(router);
