//! What a network sees of a question: its folded words, their neighbours and pairs, and its letters in runs, each
//! weighed by how rare it is.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use super::language::Analysis;

/// One weight a kind of feature: words, neighbours, pairs, letters inside words, letters across words.
pub type Kinds = [f32; KINDS];

const KINDS: usize = 5;
const WORD: usize = 0;
const NEIGHBOURS: usize = 1;
const PAIR: usize = 2;
const INSIDE: usize = 3;
const ACROSS: usize = 4;
/// Pairs of words stand at most so far apart.
const APART: usize = 5;
/// Runs of letters, by length: the shortest and the longest.
const INSIDE_RUNS: (usize, usize) = (2, 5);
const ACROSS_RUNS: (usize, usize) = (3, 6);
const LONGEST_RUN: usize = 6;

/// A question as a sparse vector: by kind the rows of its features and what each weighs, every kind of length one.
/// What occurs twice stands twice.
#[derive(Clone, Debug, Default)]
pub struct Vector {
    kinds: [Vec<(u32, f32)>; KINDS],
}

impl Vector {
    /// A vector of words alone.
    #[cfg(test)]
    pub fn of_words(words: Vec<(u32, f32)>) -> Self {
        let mut vector = Self::default();
        vector.kinds[WORD] = words;
        vector
    }

    /// The features kind by kind.
    #[inline(always)]
    pub fn kinds(&self) -> impl Iterator<Item = &[(u32, f32)]> {
        self.kinds.iter().map(Vec::as_slice)
    }
}

/// The features that the knowledge has, and what each tells.
pub struct FeatureSpace {
    /// By hash: the feature's row, and how much it tells.
    known: FxHashMap<u64, (u32, f32)>,
    rows: usize,
    looked_at: Kinds,
}

impl FeatureSpace {
    /// Learns the features of all questions, of the kinds that count at all. Features beyond `most_rows` share rows.
    pub fn new(questions: &[Analysis], looked_at: Kinds, most_rows: usize) -> Self {
        let mut known: FxHashMap<u64, (u32, f32)> = FxHashMap::default();
        let mut seen = Vec::new();
        for question in questions {
            seen.clear();
            raw(question, &looked_at, |_, feature| seen.push(feature));
            seen.sort_unstable();
            seen.dedup();
            for feature in &seen {
                let row = known.len() % most_rows.max(1);
                known.entry(*feature).or_insert((row as u32, 0.0)).1 += 1.0;
            }
        }
        let total = questions.len() as f32;
        for (_, count) in known.values_mut() {
            *count = ((1.0 + total) / (1.0 + *count)).ln() + 1.0;
        }
        Self {
            rows: known.len().min(most_rows),
            known,
            looked_at,
        }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The question's vector; features that the knowledge does not have are left out.
    pub fn vector(&self, question: &Analysis) -> Vector {
        let mut vector = Vector::default();
        raw(question, &self.looked_at, |kind, feature| {
            let features = vector.kinds.get_mut(kind);
            if let Some((known, features)) = self.known.get(&feature).zip(features) {
                features.push(*known);
            }
        });
        for features in &mut vector.kinds {
            let squares: f32 = features.iter().map(|(_, told)| told * told).sum();
            let length = squares.sqrt().max(1e-6);
            for (_, value) in features {
                *value /= length;
            }
        }
        vector
    }
}

/// All features of the kinds that are looked at, by kind and hash.
fn raw(question: &Analysis, looked_at: &Kinds, mut found: impl FnMut(usize, u64)) {
    let looks_at = |kind: usize| looked_at.get(kind).is_some_and(|weight| *weight > 0.0);
    let words = &question.words;
    if looks_at(NEIGHBOURS) {
        let edge = u32::MAX;
        let mut before = edge;
        for word in words.iter().chain(std::iter::once(&edge)) {
            found(NEIGHBOURS, hash(NEIGHBOURS, (before, *word)));
            before = *word;
        }
    }
    for (at, word) in words.iter().enumerate() {
        found(WORD, hash(WORD, *word));
        let near = words.iter().skip(at + 1).take(APART);
        for other in near.filter(|other| *other != word && looks_at(PAIR)) {
            found(PAIR, hash(PAIR, (word.min(other), word.max(other))));
        }
    }
    let mut padded = String::with_capacity(128);
    let surface = &question.surface;
    for word in surface.split(' ').filter(|word| !word.is_empty()) {
        pad(&mut padded, word);
        runs(&padded, INSIDE_RUNS, |run| found(INSIDE, hash(INSIDE, run)));
    }
    if looks_at(ACROSS) {
        pad(&mut padded, surface);
        runs(&padded, ACROSS_RUNS, |run| found(ACROSS, hash(ACROSS, run)));
    }
}

/// Puts a space on both sides: beginnings and ends are letters too.
fn pad(padded: &mut String, text: &str) {
    padded.clear();
    padded.push(' ');
    padded.push_str(text);
    padded.push(' ');
}

/// All runs of letters of these lengths.
fn runs(text: &str, (shortest, longest): (usize, usize), mut found: impl FnMut(&str)) {
    let starts = text.char_indices().map(|(at, _)| at);
    // `ends` holds where the next letters begin: a window over the text, letter by letter.
    let mut ends = [0_usize; LONGEST_RUN + 1];
    let mut filled = 0;
    for end in starts.chain(std::iter::once(text.len())) {
        ends.rotate_left(1);
        if let Some(last) = ends.last_mut() {
            *last = end;
        }
        filled = (filled + 1).min(longest + 1);
        for length in shortest..filled {
            let start = ends.get(LONGEST_RUN - length).copied().unwrap_or(0);
            if let Some(run) = text.get(start..end) {
                found(run);
            }
        }
    }
}

fn hash(kind: usize, feature: impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    kind.hash(&mut hasher);
    feature.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(words: &[u32], surface: &str) -> Analysis {
        Analysis {
            words: words.to_vec(),
            surface: surface.to_owned(),
            ..Analysis::default()
        }
    }

    #[test]
    fn vectors_have_unit_length_and_like_questions_are_near() {
        let questions = [
            question(&[1, 2, 3], "lupa kata laluan"),
            question(&[1, 2, 4], "lupa kata kunci"),
            question(&[7, 8], "slip gaji"),
        ];
        let space = FeatureSpace::new(&questions, [1.0; KINDS], 1 << 10);
        let vectors: Vec<Vector> = questions.iter().map(|q| space.vector(q)).collect();
        let dot = |a: &Vector, b: &Vector| -> f32 {
            let kinds = a.kinds().zip(b.kinds());
            kinds
                .map(|(a, b)| {
                    let value = |n: u32| b.iter().find(|(m, _)| *m == n).map_or(0.0, |(_, v)| *v);
                    a.iter().map(|(n, v)| v * value(*n)).sum::<f32>()
                })
                .sum()
        };
        assert!((dot(&vectors[0], &vectors[0]) - KINDS as f32).abs() < 1e-4);
        assert!(dot(&vectors[0], &vectors[1]) > 1.0);
        assert!(dot(&vectors[0], &vectors[2]) < 0.2);
        let nothing = space.vector(&question(&[99], "xyz"));
        assert!(nothing.kinds().all(<[_]>::is_empty));
    }
}
