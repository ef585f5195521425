//! From a question to an entry: answer it, ask which of a few was meant, or say that nothing fits.
//!
//! The router is pure and stateless. How sure it is comes from the knowledge itself: every utterance is asked with
//! itself held out, once more with its whole entry held out, and what came of it is what the probabilities are fitted to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::book::Book;
use super::calibration::{Calibration, Example, Features};
use super::features::{FeatureSpace, Vector};
use super::index::{Hit, UtteranceIndex, information};
use super::language::{Analyser, Analysis, Symbol};
use super::lexicon::Lexicon;
use super::network::{Network, Shape, softmax};
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
    clarify_right: 0.15,
    clarify_wrong: 0.45,
    fallback_in_scope: 0.45,
};

/// How much of an utterance's score is BM25; the rest is the cosine.
const BM25_SHARE: f32 = 0.5;
/// What nearness adds to the network's logits, and what it is worth without a network.
const NEARNESS: f32 = 10.0;
const NEARNESS_ALONE: f32 = 12.0;
/// Entries of a ranking that are kept.
const KEPT: usize = 8;
/// Above these a network is not trained: it would take longer than a start may.
const NETWORK_ENTRIES: usize = 500;
const NETWORK_UTTERANCES: usize = 40_000;
/// Hidden units for few entries and for many.
const FEW_ENTRIES: usize = 40;
const HIDDEN_FEW: usize = 32;
const HIDDEN_MANY: usize = 192;
/// Up to here every question is held out in turn, in so many parts; beyond, one part is.
const HELD_OUT_IN_TURN: usize = 4_000;
const PARTS: usize = 3;
/// Utterances that were found by their words.
const SEARCHED: usize = 24;
/// Candidates that are offered.
const OFFERED: usize = 3;
/// Utterances that the calibration asks, at most: beyond that more of them change nothing.
const CALIBRATED: usize = 1_500;
/// The share of questions that are not for this desk: the examples of them count for so much in the calibration.
const OUT_OF_SCOPE_SHARE: f64 = 0.25;
/// How much it counts that a question of the knowledge, word by word, finds its entry: people do ask so, but seldom.
const VERBATIM_WEIGHT: f64 = 0.2;
const FEATURES: usize = 7;

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
    opinion: Option<Opinion>,
    right: Calibration<FEATURES>,
    among_offered: Calibration<FEATURES>,
}

/// What the network makes of a question.
struct Opinion {
    space: FeatureSpace,
    network: Network,
}

impl Opinion {
    fn logits(&self, question: &Analysis) -> Vec<f32> {
        self.network.logits(&self.space.vector(question))
    }
}

/// What was found before it is judged.
struct Ranking {
    /// Entries by how probable they are if the question is in scope at all, best first.
    entries: Vec<(usize, f32)>,
    /// How near the best entry's utterances are.
    near: f32,
    /// How near what must be refused is.
    out_of_scope: f32,
    /// How strongly the network speaks for the best entry and against refusing.
    voice: f32,
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
            opinion: None,
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
        let logits = self
            .opinion
            .as_ref()
            .map(|opinion| opinion.logits(&question));
        let ranking = self.rank(&hits, logits.as_deref(), |_| true);
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

    /// Whether two entries are an answer and its action, or the same.
    pub fn are_family(&self, one: usize, other: usize) -> bool {
        self.families.get(one) == self.families.get(other)
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

    /// Weighs what is near and what the network says; hits that do not count are as if they were not there.
    fn rank(&self, hits: &[Hit], logits: Option<&[f32]>, counts: impl Fn(&Hit) -> bool) -> Ranking {
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
        let near: Vec<(usize, f32)> = entries
            .into_iter()
            .map(|(entry, [first, second, third])| {
                (entry, (first + 0.3 * second + 0.1 * third) / 1.4)
            })
            .collect();
        self.weigh(&near, out_of_scope, logits)
    }

    fn weigh(&self, near: &[(usize, f32)], out_of_scope: f32, logits: Option<&[f32]>) -> Ranking {
        let count = self.families.len();
        let heard = logits.map(|logits| logits.iter().take(count).copied().collect());
        let heard: Vec<f32> = heard.unwrap_or_else(|| vec![0.0; count]);
        let refused = logits.and_then(|logits| logits.get(count)).copied();
        let nearness = if logits.is_some() {
            NEARNESS
        } else {
            NEARNESS_ALONE
        };
        let mut scores = heard.clone();
        for (entry, score) in near {
            if let Some(place) = scores.get_mut(*entry) {
                *place += nearness * score;
            }
        }
        let mut entries: Vec<(usize, f32)> = softmax(&scores).into_iter().enumerate().collect();
        if logits.is_none() {
            entries.retain(|(entry, _)| near.iter().any(|(found, _)| found == entry));
        }
        entries.sort_by(|a, b| b.1.total_cmp(&a.1));
        entries.truncate(KEPT);
        let best = entries.first().map(|(entry, _)| *entry);
        let of_best = |(entry, _): &&(usize, f32)| Some(*entry) == best;
        let voice = best
            .and_then(|best| heard.get(best))
            .copied()
            .unwrap_or(0.0);
        Ranking {
            near: near.iter().find(of_best).map_or(0.0, |(_, score)| *score),
            out_of_scope,
            voice: voice - refused.unwrap_or(0.0),
            entries,
        }
    }

    fn features(&self, question: &Analysis, ranking: &Ranking) -> Features<FEATURES> {
        let family = ranking
            .entries
            .first()
            .and_then(|(best, _)| self.families.get(*best));
        let (own, others): (Vec<_>, Vec<_>) = ranking
            .entries
            .iter()
            .partition(|(entry, _)| self.families.get(*entry) == family);
        let own: f32 = own.iter().map(|(_, share)| share).sum();
        let second = others.first().map_or(0.0, |(_, share)| *share);
        let mut known = 0.0_f32;
        for word in &question.words {
            known += self.told(*word);
        }
        let unknown = self.rarest * question.unknown.len() as f32;
        let total = (known + unknown).max(0.1);
        let share = |part: f32, whole: f32| f64::from(part / whole.max(0.01)).min(4.0);
        [
            f64::from(ranking.voice),
            f64::from(own.max(1e-6).ln() - second.max(1e-6).ln()),
            f64::from(own),
            f64::from(ranking.near),
            share(ranking.out_of_scope, ranking.near),
            share(unknown, total),
            f64::from(total).ln(),
        ]
    }

    fn candidates(&self, ranking: &Ranking, confidence: f64) -> Vec<Candidate> {
        let rest: f32 = ranking.entries.iter().skip(1).map(|(_, share)| share).sum();
        let mut candidates: Vec<Candidate> = ranking
            .entries
            .iter()
            .take(OFFERED)
            .enumerate()
            .map(|(place, (entry, share))| Candidate {
                entry: *entry,
                confidence: if place == 0 {
                    confidence
                } else {
                    let share = f64::from(share / rest.max(1e-6));
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

    /// Trains the network, and others that each miss a part of the questions; returns what those say of what they
    /// missed, question by question.
    fn listen(&mut self, analysed: &[Analysis]) -> Option<Vec<Option<Vec<f32>>>> {
        let entries = self.families.len();
        if !(2..=NETWORK_ENTRIES).contains(&entries) || analysed.len() > NETWORK_UTTERANCES {
            return None;
        }
        let space = FeatureSpace::new(analysed.iter());
        let vectors: Vec<Vector> = analysed.iter().map(|q| space.vector(q)).collect();
        let refuses = self.owners.contains(&Owner::OutOfScope);
        let shape = Shape {
            features: space.count(),
            hidden: if entries <= FEW_ENTRIES {
                HIDDEN_FEW
            } else {
                HIDDEN_MANY
            },
            outputs: entries + usize::from(refuses),
        };
        let owners = &self.owners;
        let train = |missed: Option<usize>, parts: usize| {
            let taught = vectors.iter().zip(owners).enumerate();
            let taught = taught.filter(|(number, _)| missed != Some(number % parts));
            let examples: Vec<_> = taught
                .map(|(_, (vector, owner))| match owner {
                    Owner::Entry(entry) => (vector, *entry),
                    Owner::OutOfScope => (vector, entries),
                })
                .collect();
            Network::train(&examples, shape, 1)
        };
        let (parts, turns) = if analysed.len() <= HELD_OUT_IN_TURN {
            (PARTS, PARTS)
        } else {
            (PARTS + 1, 1)
        };
        // What was trained without a part is asked that part and then gone: only one network stays.
        let ask_missed = |part: usize| -> Vec<(usize, Vec<f32>)> {
            let network = train(Some(part), parts);
            let missed = vectors.iter().enumerate();
            let missed = missed.filter(|(number, _)| number % parts == part);
            missed
                .map(|(number, vector)| (number, network.logits(vector)))
                .collect()
        };
        // The whole takes longest, and one part goes with it; the other parts go beside them.
        let (network, answers) = std::thread::scope(|scope| {
            let beside = scope.spawn(|| (1..turns).map(ask_missed).collect::<Vec<_>>());
            let mut answers = ask_missed(0);
            let network = train(None, parts);
            answers.extend(beside.join().unwrap_or_default().into_iter().flatten());
            (network, answers)
        });
        let mut heard = vec![None; analysed.len()];
        for (number, logits) in answers {
            if let Some(place) = heard.get_mut(number) {
                *place = Some(logits);
            }
        }
        self.opinion = Some(Opinion { space, network });
        Some(heard)
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
        let refused = self
            .owners
            .iter()
            .filter(|o| **o == Owner::OutOfScope)
            .count();
        let asked = (self.owners.len() - refused) as f64;
        let share = OUT_OF_SCOPE_SHARE / (1.0 - OUT_OF_SCOPE_SHARE);
        let refused_weight = (share * asked / refused.max(1) as f64).clamp(1.0, 10.0);
        let held_out = self.listen(analysed);
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
            // A question that the network was taught says nothing of how sure it is of others.
            let logits = match &held_out {
                Some(held_out) => match held_out.get(number) {
                    Some(Some(logits)) => Some(logits.as_slice()),
                    _ => continue,
                },
                None => None,
            };
            let Some(owner) = self.owners.get(number).copied() else {
                continue;
            };
            let size = match owner {
                Owner::Entry(entry) => sizes.get(entry).copied().unwrap_or(0),
                Owner::OutOfScope => 0,
            };
            let limit = SEARCHED + size.min(150) + 1;
            let hits = self.search(question, limit)?;
            let itself_out = self.rank(&hits, logits, |hit| hit.utterance != number);
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
            let weight = match owner {
                Owner::Entry(_) => 1.0,
                Owner::OutOfScope => refused_weight,
            };
            note(features, position, weight);
            if let Owner::Entry(entry) = owner {
                let other = |hit: &Hit| self.owners.get(hit.utterance) != Some(&owner);
                let mut unheard = logits.map(<[f32]>::to_vec);
                if let Some(logit) = unheard.as_mut().and_then(|l| l.get_mut(entry)) {
                    *logit = f32::NEG_INFINITY;
                }
                let entry_out = self.rank(&hits, unheard.as_deref(), other);
                let features = self.features(question, &entry_out);
                note(features, None, if explicit { 0.05 } else { 0.25 });
                let taught = self
                    .opinion
                    .as_ref()
                    .map(|opinion| opinion.logits(question));
                let verbatim = self.rank(&hits, taught.as_deref(), |_| true);
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
        assert_eq!(decide(0.8, 0.9, 1), Outcome::Answer);
    }
}
