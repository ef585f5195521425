//! What the network sees of a question: its folded words, their neighbours and pairs, and its letters in runs, each
//! weighed by how rare it is.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use super::language::Analysis;

/// A question as a sparse vector, a feature's number and what it weighs; what occurs twice stands twice. Every kind of
/// feature has its share of the whole, whose length is about one.
pub type Vector = Vec<(u32, f32)>;

/// How much each kind of feature counts.
const WEIGHTS: [f32; KINDS] = [1.0, 0.7, 0.5, 1.3];
const KINDS: usize = 4;
const WORD: usize = 0;
const NEIGHBOURS: usize = 1;
const PAIR: usize = 2;
const LETTERS: usize = 3;
/// Pairs of words stand at most so far apart.
const APART: usize = 5;
/// Runs of letters, by length.
const SHORTEST_RUN: usize = 2;
const LONGEST_RUN: usize = 5;

/// The features that the knowledge has, and what each tells.
pub struct FeatureSpace {
    /// By hash: the feature's number, and how much it tells.
    known: FxHashMap<u64, (u32, f32)>,
}

impl FeatureSpace {
    /// Learns the features of all questions.
    pub fn new<'a>(questions: impl Iterator<Item = &'a Analysis>) -> Self {
        let mut known: FxHashMap<u64, (u32, f32)> = FxHashMap::default();
        let mut total = 0.0;
        let mut seen = Vec::new();
        for question in questions {
            total += 1.0;
            seen.clear();
            raw(question, |_, feature| seen.push(feature));
            seen.sort_unstable();
            seen.dedup();
            for feature in &seen {
                let number = known.len() as u32;
                known.entry(*feature).or_insert((number, 0.0)).1 += 1.0;
            }
        }
        for (_, count) in known.values_mut() {
            *count = ((1.0 + total) / (1.0 + *count)).ln() + 1.0;
        }
        Self { known }
    }

    /// How many features there are.
    pub fn count(&self) -> usize {
        self.known.len()
    }

    /// The question's vector; features that the knowledge does not have are left out.
    pub fn vector(&self, question: &Analysis) -> Vector {
        let mut vector = Vector::with_capacity(256);
        let mut squares = [0.0_f32; KINDS];
        let mut kinds = Vec::with_capacity(256);
        raw(question, |kind, feature| {
            if let (Some((number, told)), Some(sum)) =
                (self.known.get(&feature), squares.get_mut(kind))
            {
                *sum += told * told;
                vector.push((*number, *told));
                kinds.push(kind);
            }
        });
        let mut length = 0.0;
        for (sum, weight) in squares.iter_mut().zip(WEIGHTS) {
            if *sum > 0.0 {
                length += weight * weight;
                *sum = weight / sum.sqrt();
            }
        }
        let length = length.sqrt().max(1e-6);
        for ((_, value), kind) in vector.iter_mut().zip(kinds) {
            *value *= squares.get(kind).copied().unwrap_or(0.0) / length;
        }
        vector
    }
}

/// All features by kind and hash.
fn raw(question: &Analysis, mut found: impl FnMut(usize, u64)) {
    let words = &question.words;
    let edge = u32::MAX;
    let mut before = edge;
    for word in words.iter().chain(std::iter::once(&edge)) {
        found(NEIGHBOURS, hash(NEIGHBOURS, (before, *word)));
        before = *word;
    }
    for (at, word) in words.iter().enumerate() {
        found(WORD, hash(WORD, *word));
        for other in words
            .iter()
            .skip(at + 1)
            .take(APART)
            .filter(|other| *other != word)
        {
            found(PAIR, hash(PAIR, (word.min(other), word.max(other))));
        }
    }
    let mut padded = String::with_capacity(32);
    for word in question.surface.split(' ').filter(|word| !word.is_empty()) {
        padded.clear();
        padded.push(' ');
        padded.push_str(word);
        padded.push(' ');
        let mut starts = padded.char_indices().map(|(at, _)| at);
        let mut ends = [0_usize; LONGEST_RUN + 1];
        // `ends` holds where the next letters begin: a window over the word, letter by letter.
        let mut filled = 0;
        for end in starts.by_ref().chain(std::iter::once(padded.len())) {
            ends.rotate_left(1);
            if let Some(last) = ends.last_mut() {
                *last = end;
            }
            filled = (filled + 1).min(LONGEST_RUN + 1);
            for length in SHORTEST_RUN..filled {
                let start = ends.get(LONGEST_RUN - length).copied().unwrap_or(0);
                if let Some(run) = padded.get(start..end) {
                    found(LETTERS, hash(LETTERS, run));
                }
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
        let space = FeatureSpace::new(questions.iter());
        let vectors: Vec<Vector> = questions.iter().map(|q| space.vector(q)).collect();
        let dot = |a: &Vector, b: &Vector| -> f32 {
            let value = |n: u32| b.iter().find(|(m, _)| *m == n).map_or(0.0, |(_, v)| *v);
            a.iter().map(|(n, v)| v * value(*n)).sum()
        };
        assert!((dot(&vectors[0], &vectors[0]) - 1.0).abs() < 1e-5);
        assert!(dot(&vectors[0], &vectors[1]) > 0.2);
        assert!(dot(&vectors[0], &vectors[2]) < 0.05);
        assert!(space.vector(&question(&[99], "xyz")).is_empty());
    }
}
