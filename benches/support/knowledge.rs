//! Knowledge of any size, in a made-up language, and questions to it.

use std::path::PathBuf;
use std::time::Instant;

use jiff::civil::date;
use tanya::knowledge::answer::Contacts;
use tanya::knowledge::source::Source;
use tanya::knowledge::{Knowledge, LoadOptions, Strictness};
use tempfile::TempDir;

const PARAPHRASES: usize = 5;
const QUESTIONS: usize = 2_000;

/// A knowledge file that was made, and questions.
pub struct Made {
    folder: TempDir,
    pub questions: Vec<String>,
}

impl Made {
    /// Knowledge of so many entries with five paraphrases each.
    pub fn of(entries: usize) -> Self {
        let mut seed = 7;
        let mut yaml = String::from("entries:\n");
        for number in 0..entries {
            let question = sentence(&mut seed);
            yaml.push_str(&format!(
                "  - id: e{number}\n    question: {question}\n    answer: '-'\n    paraphrases:\n"
            ));
            for _ in 0..PARAPHRASES {
                yaml.push_str(&format!("      - {}\n", sentence(&mut seed)));
            }
        }
        let made = Self {
            folder: tempfile::tempdir().unwrap(),
            questions: (0..QUESTIONS).map(|_| sentence(&mut seed)).collect(),
        };
        std::fs::write(made.file(), yaml).unwrap();
        made
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("large.yaml")
    }

    pub fn source(&self) -> Source {
        Source::File(self.file())
    }
}

/// Reads it, as `serve` does.
pub fn load(source: &Source) -> Knowledge {
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
