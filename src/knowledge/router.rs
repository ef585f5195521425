//! From a question to an entry: answer it, ask which of a few was meant, or say that nothing fits.
//!
//! The router is pure and stateless. How sure it is comes from the knowledge itself: every utterance is asked with
//! itself held out, once more with its whole entry held out, and what came of it is what the probabilities are fitted to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::book::Book;
use super::calibration::{Calibration, Example, Features};
use super::index::{Hit, UtteranceIndex, information};
use super::language::{Analyser, Analysis, Symbol};
use super::lexicon::Lexicon;
use super::text::Language;

/// What the router makes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// One target, shown at once.
    Answer,
    /// Two or three candidates offered.
    Clarify,
    /// Nothing in the knowledge fits.
    Fallback,
}

impl Outcome {
    /// The name as it stands in the interface, the database and the metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Clarify => "clarify",
            Self::Fallback => "fallback",
        }
    }
}

/// One entry that may be meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The entry's place in the book.
    pub entry: usize,
    /// The probability that it is meant.
    pub confidence: f64,
}

/// The router's finding.
#[derive(Clone, Debug)]
pub struct Routing {
    /// What to do.
    pub outcome: Outcome,
    /// Best first; empty only when the text has no word.
    pub candidates: Vec<Candidate>,
    /// The probability that the best candidate is meant.
    pub confidence: f64,
    /// The language of the question, where its words tell it.
    pub language: Option<Language>,
}

/// What each outcome costs the person who asks, in units of one wrong answer. The outcome with the lowest expected
/// cost is taken; no threshold stands anywhere else.
#[derive(Clone, Copy, Debug)]
struct Costs {
    wrong_answer: f64,
    clarify_right: f64,
    clarify_wrong: f64,
    fallback_in_scope: f64,
}

const COSTS: Costs = Costs {
    wrong_answer: 1.0,
    clarify_right: 0.18,
    clarify_wrong: 0.6,
    fallback_in_scope: 0.7,
};

/// How much of an utterance's score is BM25; the rest is the cosine.
const BM25_SHARE: f32 = 0.5;
/// Candidates that are looked at.
const SEARCHED: usize = 24;
/// Candidates that are offered.
const OFFERED: usize = 3;
/// Utterances that the calibration asks, at most: beyond that more of them change nothing.
const CALIBRATED: usize = 1_500;
/// How much it counts that a question of the knowledge, word by word, finds its entry: people do ask so, but seldom.
const VERBATIM_WEIGHT: f64 = 0.2;
const FEATURES: usize = 6;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Entry(usize),
    OutOfScope,
}

/// Finds what a question means.
pub struct Router {
    analyser: Analyser,
    index: UtteranceIndex,
    owners: Vec<Owner>,
    /// The different words of every utterance, in order of their numbers.
    bags: Vec<Box<[Symbol]>>,
    /// How much every utterance tells: the length of its bag as a vector.
    norms: Vec<f32>,
    /// How much a word tells, by symbol; words that no utterance has tell most.
    information: Vec<f32>,
    rarest: f32,
    /// By entry: an answer and the action that it offers are one family, a tap apart; to show one where the other was
    /// meant is no wrong answer.
    families: Vec<usize>,
    right: Calibration<FEATURES>,
    among_offered: Calibration<FEATURES>,
}

/// What was found before it is judged.
struct Ranking {
    entries: Vec<(usize, f32)>,
    out_of_scope: f32,
}

impl Router {
    /// Builds and calibrates the router for a book.
    pub fn build(book: &Book, lexicon: &Lexicon) -> tantivy::Result<Self> {
        let (owners, texts) = utterances(book);
        let analyser = Analyser::new(lexicon, texts.iter().copied());
        let analysed: Vec<Analysis> = texts.iter().map(|text| analyser.analyse(text)).collect();
        let index = UtteranceIndex::build(&analyser, analysed.iter())?;
        let bags: Vec<Box<[Symbol]>> = analysed.iter().map(bag).collect();
        let (information, rarest) = informations(&bags, analyser.vocabulary());
        let mut router = Self {
            analyser,
            index,
            owners,
            bags,
            norms: Vec::new(),
            information,
            rarest,
            families: families(book),
            right: Calibration::fit(&[]),
            among_offered: Calibration::fit(&[]),
        };
        router.norms = router.bags.iter().map(|bag| router.norm(bag)).collect();
        router.calibrate(&analysed)?;
        Ok(router)
    }

    /// Routes one question. Fails only if the index does, which is a fault of the program.
    pub fn route(&self, text: &str) -> tantivy::Result<Routing> {
        let question = self.analyser.analyse(text);
        if question.is_empty() && !text.chars().any(char::is_alphanumeric) {
            return Ok(Routing {
                outcome: Outcome::Fallback,
                candidates: Vec::new(),
                confidence: 0.0,
                language: question.language,
            });
        }
        let hits = self.search(&question, SEARCHED)?;
        let ranking = self.rank(&hits, |_| true);
        let features = self.features(&question, &ranking);
        let confidence = match ranking.entries.first() {
            Some(_) => self.right.probability(&features),
            None => 0.0,
        };
        let candidates = self.candidates(&ranking, confidence);
        let offered = self.among_offered.probability(&features).max(confidence);
        // A number alone asks nothing.
        let bare = question.unknown.is_empty()
            && question
                .words
                .iter()
                .all(|word| self.analyser.is_number(*word));
        let confidence = if bare { 0.0 } else { confidence };
        let outcome = match candidates.len() {
            0 => Outcome::Fallback,
            _ if bare => Outcome::Fallback,
            _ if ranking.entries.is_empty() => Outcome::Fallback,
            count => decide(confidence, offered, count),
        };
        Ok(Routing {
            outcome,
            candidates,
            confidence,
            language: question.language,
        })
    }

    /// The entry that an utterance of the book leads to, for checking the book against itself.
    pub fn best_entry(&self, text: &str) -> tantivy::Result<Option<usize>> {
        Ok(self.route(text)?.candidates.first().map(|c| c.entry))
    }

    /// The best utterances for a question, scored by how far both say the same: the cosine of the two under the
    /// information of their words. BM25 finds the candidates; it does not see what an utterance says beyond the question.
    fn search(&self, question: &Analysis, limit: usize) -> tantivy::Result<Vec<Hit>> {
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
                .map(|word| self.told(*word).powi(2))
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

    fn norm(&self, bag: &[Symbol]) -> f32 {
        let told = bag.iter().map(|word| self.told(*word).powi(2));
        told.sum::<f32>().sqrt()
    }

    fn told(&self, word: Symbol) -> f32 {
        let told = self.information.get(word as usize);
        told.copied().unwrap_or(self.rarest)
    }

    fn rank(&self, hits: &[Hit], counts: impl Fn(&Hit) -> bool) -> Ranking {
        let mut entries: Vec<(usize, [f32; 3])> = Vec::with_capacity(8);
        let mut out_of_scope = 0.0_f32;
        for hit in hits.iter().filter(|hit| counts(hit)) {
            match self.owners.get(hit.utterance) {
                Some(Owner::OutOfScope) => out_of_scope = out_of_scope.max(hit.score),
                Some(Owner::Entry(entry)) => {
                    let place = entries.iter().position(|(known, _)| known == entry);
                    let scores = match place.and_then(|at| entries.get_mut(at)) {
                        Some((_, scores)) => scores,
                        None => {
                            entries.push((*entry, [hit.score, 0.0, 0.0]));
                            continue;
                        }
                    };
                    // Hits come best first: the next free place takes the next best.
                    if let Some(free) = scores.iter_mut().find(|score| **score == 0.0) {
                        *free = hit.score;
                    }
                }
                None => {}
            }
        }
        let mut entries: Vec<(usize, f32)> = entries
            .into_iter()
            .map(|(entry, [first, second, third])| {
                (entry, (first + 0.3 * second + 0.1 * third) / 1.4)
            })
            .collect();
        entries.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ranking {
            entries,
            out_of_scope,
        }
    }

    fn features(&self, question: &Analysis, ranking: &Ranking) -> Features<FEATURES> {
        let first = ranking.entries.first().map_or(0.0, |(_, score)| *score);
        let family = ranking
            .entries
            .first()
            .and_then(|(best, _)| self.families.get(*best));
        let mut others = ranking
            .entries
            .iter()
            .filter(|(entry, _)| self.families.get(*entry) != family)
            .map(|(_, score)| *score);
        let second = others.next().unwrap_or(0.0);
        let third = others.next().unwrap_or(0.0);
        let mut known = 0.0_f32;
        for word in &question.words {
            known += self.told(*word);
        }
        let unknown = self.rarest * question.unknown.len() as f32;
        let total = (known + unknown).max(0.1);
        let share = |part: f32, whole: f32| f64::from(part / whole.max(0.01)).min(4.0);
        [
            f64::from(first),
            share(first - second, first),
            share(first - third, first),
            share(ranking.out_of_scope, first),
            share(unknown, total),
            f64::from(total).ln(),
        ]
    }

    fn candidates(&self, ranking: &Ranking, confidence: f64) -> Vec<Candidate> {
        let rest: f32 = ranking.entries.iter().skip(1).map(|(_, s)| s * s).sum();
        let mut candidates: Vec<Candidate> = ranking
            .entries
            .iter()
            .take(OFFERED)
            .enumerate()
            .map(|(place, (entry, score))| Candidate {
                entry: *entry,
                confidence: if place == 0 {
                    confidence
                } else {
                    let share = f64::from(score * score / rest.max(1e-6));
                    (share * (1.0 - confidence)).min(confidence)
                },
            })
            .collect();
        if candidates.is_empty() {
            candidates.extend(
                (0..self.families.len().min(OFFERED)).map(|entry| Candidate {
                    entry,
                    confidence: 0.0,
                }),
            );
        }
        candidates
    }

    /// The place in a ranking of the first entry of this entry's family.
    fn family_position(&self, ranking: &Ranking, entry: usize) -> Option<usize> {
        let family = self.families.get(entry);
        let mut entries = ranking.entries.iter();
        entries.position(|(other, _)| self.families.get(*other) == family)
    }

    /// Asks the knowledge its own questions and fits the probabilities to what comes of it.
    fn calibrate(&mut self, analysed: &[Analysis]) -> tantivy::Result<()> {
        let explicit = self.owners.contains(&Owner::OutOfScope);
        let step = analysed.len().div_ceil(CALIBRATED).max(1);
        let (mut right, mut among) = (Vec::new(), Vec::new());
        let mut sizes = vec![0_usize; self.families.len()];
        for owner in &self.owners {
            if let Owner::Entry(entry) = owner
                && let Some(size) = sizes.get_mut(*entry)
            {
                *size += 1;
            }
        }
        for (number, question) in analysed.iter().enumerate().step_by(step) {
            let Some(owner) = self.owners.get(number).copied() else {
                continue;
            };
            let size = match owner {
                Owner::Entry(entry) => sizes.get(entry).copied().unwrap_or(0),
                Owner::OutOfScope => 0,
            };
            let limit = SEARCHED + size.min(150) + 1;
            let hits = self.search(question, limit)?;
            let itself_out = self.rank(&hits, |hit| hit.utterance != number);
            let features = self.features(question, &itself_out);
            let position = match owner {
                Owner::Entry(entry) => self.family_position(&itself_out, entry),
                Owner::OutOfScope => None,
            };
            let mut note = |features, position: Option<usize>, weight| {
                right.push(Example {
                    features,
                    holds: position == Some(0),
                    weight,
                });
                among.push(Example {
                    features,
                    holds: position.is_some_and(|p| p < OFFERED),
                    weight,
                });
            };
            note(features, position, 1.0);
            if let Owner::Entry(entry) = owner {
                let entry_out =
                    self.rank(&hits, |hit| self.owners.get(hit.utterance) != Some(&owner));
                let features = self.features(question, &entry_out);
                note(features, None, if explicit { 0.05 } else { 0.25 });
                let verbatim = self.rank(&hits, |_| true);
                let features = self.features(question, &verbatim);
                let position = self.family_position(&verbatim, entry);
                note(features, position, VERBATIM_WEIGHT);
            }
        }
        self.right = Calibration::fit(&right);
        self.among_offered = Calibration::fit(&among);
        Ok(())
    }
}

/// The outcome with the lowest expected cost.
fn decide(right: f64, offered: f64, candidates: usize) -> Outcome {
    let answer = (1.0 - right) * COSTS.wrong_answer;
    let clarify = offered * COSTS.clarify_right + (1.0 - offered) * COSTS.clarify_wrong;
    let fallback = offered * COSTS.fallback_in_scope;
    let clarify = if candidates > 1 {
        clarify
    } else {
        f64::INFINITY
    };
    if answer <= clarify.min(fallback) {
        Outcome::Answer
    } else if clarify <= fallback {
        Outcome::Clarify
    } else {
        Outcome::Fallback
    }
}

fn utterances(book: &Book) -> (Vec<Owner>, Vec<&str>) {
    let mut owners = Vec::new();
    let mut texts = Vec::new();
    for (number, entry) in book.entries.iter().enumerate() {
        for text in entry.utterances() {
            owners.push(Owner::Entry(number));
            texts.push(text);
        }
    }
    for text in &book.out_of_scope {
        owners.push(Owner::OutOfScope);
        texts.push(text);
    }
    (owners, texts)
}

fn families(book: &Book) -> Vec<usize> {
    let mut families: Vec<usize> = (0..book.entries.len()).collect();
    for (place, entry) in book.entries.iter().enumerate() {
        let action = entry.action.as_ref();
        let action = action.and_then(|id| book.entries.iter().position(|e| e.id == *id));
        if let Some(family) = action.and_then(|action| families.get_mut(action)) {
            *family = place;
        }
    }
    families
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_answer_is_never_risked_where_asking_is_cheaper() {
        assert_eq!(decide(0.95, 0.97, 3), Outcome::Answer);
        assert_eq!(decide(0.6, 0.9, 3), Outcome::Clarify);
        assert_eq!(decide(0.05, 0.1, 3), Outcome::Fallback);
        assert_eq!(decide(0.6, 0.6, 1), Outcome::Answer);
    }
}
