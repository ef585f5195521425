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

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::civil::date;
use tanya::knowledge::answer::Contacts;
use tanya::knowledge::ask::ask;
use tanya::knowledge::evaluation::Questions;
use tanya::knowledge::source::Source;
use tanya::knowledge::{Knowledge, LoadOptions, Strictness};

const ENTRIES: usize = 10_000;
const PARAPHRASES: usize = 5;

fn load(source: &Source) -> Knowledge {
    let options = LoadOptions {
        contacts: Contacts::default(),
        today: date(2026, 11, 22),
        review_days: 365,
        strictness: Strictness::Shape,
        sample_hours: false,
        editions: Vec::new(),
    };
    let begun = Instant::now();
    let loaded = Knowledge::load(source, &options);
    let knowledge = loaded
        .unwrap_or_else(|problems| panic!("{problems:?}"))
        .knowledge;
    println!("loaded in {:?}", begun.elapsed());
    knowledge
}

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

/// Words of a made-up language, the frequent ones short: as in a real one a few words are in many questions.
fn word(number: usize) -> String {
    const SYLLABLES: [&str; 12] = [
        "ka", "to", "mi", "sur", "lan", "be", "gu", "ra", "dis", "pen", "o", "ti",
    ];
    let mut rest = number;
    let mut word = String::new();
    loop {
        word.push_str(SYLLABLES[rest % SYLLABLES.len()]);
        rest /= SYLLABLES.len();
        if rest == 0 && word.len() >= 4 {
            return word;
        }
    }
}

fn sentence(seed: &mut u64) -> String {
    let words: Vec<String> = (0..8)
        .map(|_| {
            // xorshift64: repeatable, and no part of what is measured.
            *seed ^= *seed << 13;
            *seed ^= *seed >> 7;
            *seed ^= *seed << 17;
            let uniform = (*seed >> 11) as f64 / (1_u64 << 53) as f64;
            word((20_000.0 * uniform.powi(4)) as usize)
        })
        .collect();
    words.join(" ")
}

fn large(criterion: &mut Criterion) {
    let mut seed = 7;
    let mut yaml = String::from("entries:\n");
    for number in 0..ENTRIES {
        let question = sentence(&mut seed);
        yaml.push_str(&format!(
            "  - id: e{number}\n    question: {question}\n    answer: '-'\n    paraphrases:\n"
        ));
        for _ in 0..PARAPHRASES {
            yaml.push_str(&format!("      - {}\n", sentence(&mut seed)));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.yaml");
    std::fs::write(&file, yaml).unwrap();
    let knowledge = load(&Source::File(file));
    let questions: Vec<String> = (0..2_000).map(|_| sentence(&mut seed)).collect();
    percentiles("10,000 entries", &knowledge, &questions);
    let mut next = questions.iter().cycle();
    criterion.bench_function("ask, 10,000 entries", |bencher| {
        bencher.iter(|| ask(&knowledge, next.next().unwrap(), None.into()).unwrap());
    });
}

criterion_group!(router, shipped, large);
criterion_main!(router);
