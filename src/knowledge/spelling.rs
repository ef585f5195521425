//! Finds the word of the vocabulary that a mistyped one was meant to be, by the symmetric-delete method
//! (W. Garbe, SymSpell): a typing error and its word share a form with letters left out.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};
use strsim::osa_distance;

use super::language::Symbol;

const SHORTEST: usize = 4;
const LONGEST: usize = 24;
/// From this length on two errors are mended, else one.
const TWO_ERRORS_FROM: usize = 8;
/// Above this many words two errors are not looked for: the table would outgrow its use.
const LARGE_VOCABULARY: usize = 20_000;

/// Forms with letters left out, and the words that they come from.
#[derive(Default)]
pub struct Spelling {
    deletes: FxHashMap<u64, Vec<Symbol>>,
    two_errors: bool,
}

impl Spelling {
    /// Builds the table over a vocabulary.
    pub fn new<'a>(vocabulary: impl Iterator<Item = (&'a str, Symbol)>) -> Self {
        let words: Vec<_> = vocabulary
            .filter(|(word, _)| word.is_ascii() && (SHORTEST..=LONGEST).contains(&word.len()))
            .collect();
        let mut spelling = Self {
            deletes: FxHashMap::default(),
            two_errors: words.len() <= LARGE_VOCABULARY,
        };
        for (word, symbol) in words {
            let errors = spelling.errors(word);
            deletes(word, errors, &mut |form| {
                let words = spelling.deletes.entry(hash(form)).or_default();
                if words.last() != Some(&symbol) {
                    words.push(symbol);
                }
            });
        }
        spelling
    }

    /// The nearest word within the errors allowed for its length; the same first letter and the lower number win a tie.
    pub fn nearest<'a>(&self, word: &str, text: impl Fn(Symbol) -> &'a str) -> Option<Symbol> {
        let errors = self.errors(word);
        let mut best: Option<(usize, bool, Symbol)> = None;
        let mut tried = Vec::new();
        deletes(word, errors, &mut |form| {
            for symbol in self.deletes.get(&hash(form)).into_iter().flatten() {
                if tried.contains(symbol) {
                    continue;
                }
                tried.push(*symbol);
                let candidate = text(*symbol);
                let distance = osa_distance(word, candidate);
                if distance > errors || !is_plausible(word, candidate, distance) {
                    continue;
                }
                let found = (distance, word.get(..1) != candidate.get(..1), *symbol);
                if best.is_none_or(|best| found < best) {
                    best = Some(found);
                }
            }
        });
        best.map(|(_, _, symbol)| symbol)
    }

    fn errors(&self, word: &str) -> usize {
        if self.two_errors && word.len() >= TWO_ERRORS_FROM {
            2
        } else {
            1
        }
    }
}

/// In a word of four letters only two swapped ones count: "cuti" is not a mistyped "cari".
fn is_plausible(word: &str, candidate: &str, distance: usize) -> bool {
    if distance == 0 || word.len().min(candidate.len()) > SHORTEST {
        return true;
    }
    let sorted = |text: &str| {
        let mut letters: Vec<u8> = text.bytes().collect();
        letters.sort_unstable();
        letters
    };
    word.len() == candidate.len() && sorted(word) == sorted(candidate)
}

fn deletes(word: &str, errors: usize, visit: &mut impl FnMut(&str)) {
    visit(word);
    if errors == 0 {
        return;
    }
    let mut form = String::with_capacity(word.len());
    for (at, letter) in word.char_indices() {
        form.clear();
        form.push_str(word.get(..at).unwrap_or_default());
        form.push_str(word.get(at + letter.len_utf8()..).unwrap_or_default());
        deletes(&form, errors - 1, visit);
    }
}

fn hash(form: &str) -> u64 {
    let mut hasher = FxHasher::default();
    form.hash(&mut hasher);
    hasher.finish()
}
