//! How near a question is to what the knowledge knows to be asked: BM25 finds the utterances, the cosine weighs how far
//! both say the same.

use super::index::{Hit, UtteranceIndex, information};
use super::language::{Analyser, Analysis, Symbol};

/// How much of an utterance's score is BM25; the rest is the cosine.
const BM25_SHARE: f32 = 0.5;

/// The utterances of a knowledge, by nearness.
pub struct Nearness {
    index: UtteranceIndex,
    /// The different words of every utterance, in order of their numbers.
    bags: Vec<Box<[Symbol]>>,
    /// How much every utterance tells: the length of its bag as a vector.
    norms: Vec<f32>,
    /// How much a word tells, by symbol; words that no utterance has tell most.
    information: Vec<f32>,
    rarest: f32,
}

impl Nearness {
    /// Indexes the utterances in order.
    pub fn build(analyser: &Analyser, utterances: &[Analysis]) -> tantivy::Result<Self> {
        let bags: Vec<Box<[Symbol]>> = utterances.iter().map(bag).collect();
        let (information, rarest) = informations(&bags, analyser.vocabulary());
        let mut nearness = Self {
            index: UtteranceIndex::build(analyser, utterances.iter())?,
            norms: Vec::new(),
            bags,
            information,
            rarest,
        };
        let norms = nearness.bags.iter().map(|bag| nearness.norm(bag));
        nearness.norms = norms.collect();
        Ok(nearness)
    }

    /// The best utterances for a question, best first. BM25 finds the candidates; it does not see what an utterance
    /// says beyond the question, the cosine under the information of the words does.
    pub fn search(&self, question: &Analysis, limit: usize) -> tantivy::Result<Vec<Hit>> {
        let mut hits = self.index.search(question, limit)?;
        let asked = bag(question);
        let unknown = self.rarest * self.rarest * question.unknown.len() as f32;
        let asked_norm = (self.norm(&asked).powi(2) + unknown).sqrt().max(0.01);
        for hit in &mut hits {
            let said = self.bags.get(hit.utterance);
            let Some((said, said_norm)) = said.zip(self.norms.get(hit.utterance)) else {
                continue;
            };
            let shared: f32 = asked
                .iter()
                .filter(|word| said.binary_search(word).is_ok())
                .map(|word| self.word_tells(Some(*word)).powi(2))
                .sum();
            let cosine = shared / (asked_norm * said_norm).max(0.01);
            let bm25 = hit.score / asked_norm;
            hit.score = BM25_SHARE * bm25 + (1.0 - BM25_SHARE) * cosine;
        }
        hits.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then(a.utterance.cmp(&b.utterance))
        });
        Ok(hits)
    }

    /// How much a question tells in words that the knowledge knows, and in others.
    pub fn tells(&self, question: &Analysis) -> (f32, f32) {
        let known = question
            .words
            .iter()
            .map(|word| self.word_tells(Some(*word)));
        let unknown = self.rarest * question.unknown.len() as f32;
        (known.sum(), unknown)
    }

    fn norm(&self, bag: &[Symbol]) -> f32 {
        let told = bag.iter().map(|word| self.word_tells(Some(*word)).powi(2));
        told.sum::<f32>().sqrt()
    }

    /// How much a word tells; none stands for one that the knowledge does not have.
    pub(super) fn word_tells(&self, word: Option<Symbol>) -> f32 {
        let told = word.and_then(|word| self.information.get(word as usize));
        told.copied().unwrap_or(self.rarest)
    }
}

/// The different words of a question, in order of their numbers.
fn bag(question: &Analysis) -> Box<[Symbol]> {
    let mut words = question.words.clone();
    words.sort_unstable();
    words.dedup();
    words.into()
}

/// Inverse document frequency by symbol, as BM25 has it, and that of a word that never occurs.
fn informations(bags: &[Box<[Symbol]>], symbols: usize) -> (Vec<f32>, f32) {
    let mut counts = vec![0_u32; symbols];
    for word in bags.iter().flat_map(|bag| bag.iter()) {
        if let Some(count) = counts.get_mut(*word as usize) {
            *count += 1;
        }
    }
    let total = bags.len() as f32;
    let told = counts.iter().map(|count| information(total, *count as f32));
    (told.collect(), information(total, 0.0))
}
