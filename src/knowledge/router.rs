//! From a question to an entry: answer it, ask which of a few was meant, or say that nothing fits.
//!
//! The router is pure and stateless. How sure it is comes from the knowledge itself: every utterance is asked with
//! itself held out, once more with its whole entry held out, and what came of it is what the probabilities are fitted to.

use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::book::Book;
use super::calibration::Features;
use super::index::Hit;
use super::language::{Analyser, Analysis, Symbol};
use super::lexicon::Lexicon;
use super::nearness::Nearness;
use super::network::softmax;
use super::opinion::{HeldOut, Opinion};
use super::sureness::{FEATURES, Sureness};
use super::text::Language;
use crate::trace::{Fact, Span, Work};

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
    /// How loudly the networks say that it must be refused, from 0 to 1; 0 without them.
    pub refusal: f64,
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
    clarify_right: 0.25,
    clarify_wrong: 0.5,
    fallback_in_scope: 0.65,
};

/// What nearness adds to the networks' logits, and what it is worth without them.
const NEARNESS: f32 = 3.0;
const NEARNESS_ALONE: f32 = 12.0;
/// Entries of a ranking that are kept.
const KEPT: usize = 8;
/// Above these no network is trained: it would take longer than a start may.
const NETWORK_ENTRIES: usize = 500;
const NETWORK_UTTERANCES: usize = 40_000;
/// Utterances that were found by their words.
const SEARCHED: usize = 24;
/// Utterances of a question's own entry that are looked past when that is left out, at most.
const OWN_LEFT_OUT: usize = 150;
/// Candidates that are offered.
pub(super) const OFFERED: usize = 3;

/// Whose an utterance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// That of the entry at a place of the book.
    Entry(usize),
    /// Nobody's: an example of what must be refused.
    OutOfScope,
}

/// Finds what a question means.
pub struct Router {
    analyser: Analyser,
    nearness: Nearness,
    owners: Vec<Owner>,
    /// By entry: how many utterances it has.
    sizes: Vec<usize>,
    /// By entry: an answer and the action that it offers are one family, a tap apart; to show one where the other was
    /// meant is no wrong answer.
    families: Vec<usize>,
    opinion: Option<Opinion>,
    sureness: Sureness,
}

/// A question of the knowledge asked in three ways: what was seen, and the place of its own entry's family.
pub(super) struct Rehearsal {
    /// With itself left out.
    pub itself_out: (Features<FEATURES>, Option<usize>),
    /// With its whole entry left out.
    pub entry_out: (Features<FEATURES>, Option<usize>),
    /// As it stands.
    pub verbatim: (Features<FEATURES>, Option<usize>),
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
    /// Builds the router for a book, trains its networks and fits its sureness.
    pub fn build(book: &Book, lexicon: &Lexicon) -> tantivy::Result<Self> {
        let (owners, texts) = utterances(book);
        let analyser = Analyser::new(lexicon, texts.iter().copied());
        let analysed: Vec<Analysis> = texts
            .par_iter()
            .map(|text| analyser.analyse(text))
            .collect();
        let entries = book.entries.len();
        let (nearness, learnt) = rayon::join(
            || Nearness::build(&analyser, &analysed),
            || listen(&analysed, &owners, entries),
        );
        let (opinion, held_out) = learnt.unzip();
        let mut sizes = vec![0; entries];
        for owner in &owners {
            if let Owner::Entry(entry) = owner
                && let Some(size) = sizes.get_mut(*entry)
            {
                *size += 1;
            }
        }
        let mut router = Self {
            nearness: nearness?,
            analyser,
            owners,
            sizes,
            families: families(book),
            opinion,
            sureness: Sureness::default(),
        };
        let owners = &router.owners;
        router.sureness = Sureness::fit(&router, &analysed, owners, held_out.as_ref())?;
        Ok(router)
    }

    /// Routes one question. Fails only if the index does, which is a fault of the program.
    ///
    /// What is `expected` of entries is added to what speaks for them.
    pub fn route(&self, text: &str, expected: &[(usize, f32)]) -> tantivy::Result<Routing> {
        let span = Span::begin(Work::Router);
        let began = Instant::now();
        let routed = self.routed(text, expected);
        match &routed {
            Ok(routing) => span.note(Fact::Outcome(routing.outcome.as_str())),
            Err(_) => span.fail(),
        }
        metrics::histogram!("tanya_router_seconds").record(began.elapsed().as_secs_f64());
        routed
    }

    fn routed(&self, text: &str, expected: &[(usize, f32)]) -> tantivy::Result<Routing> {
        let question = self.analyser.analyse(text);
        if question.is_empty() && !text.chars().any(char::is_alphanumeric) {
            return Ok(Routing {
                outcome: Outcome::Fallback,
                candidates: Vec::new(),
                confidence: 0.0,
                refusal: 0.0,
                language: question.language,
            });
        }
        let hits = self.nearness.search(&question, SEARCHED)?;
        let heard = self.heard(&question);
        let refusal = heard.as_deref().map_or(0.0, |logits| self.refusal(logits));
        let ranking = self.rank(&hits, heard.as_deref(), expected, |_| true);
        let (right, offered) = self.sureness.of(&self.features(&question, &ranking));
        let confidence = if ranking.entries.is_empty() {
            0.0
        } else {
            right
        };
        let candidates = self.candidates(&ranking, confidence);
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
            refusal,
            language: question.language,
        })
    }

    /// The entry that an utterance of the book leads to instead of its own: it is answered with that, or its own is
    /// not even offered.
    pub fn leads_astray(&self, text: &str, own: usize) -> tantivy::Result<Option<usize>> {
        let routing = self.route(text, &[])?;
        let mut candidates = routing.candidates.iter().map(|c| c.entry);
        let best = candidates
            .next()
            .filter(|best| !self.are_family(*best, own));
        let offered = candidates.any(|entry| self.are_family(entry, own));
        let astray = routing.outcome == Outcome::Answer || !offered;
        Ok(best.filter(|_| astray))
    }

    /// A question as words.
    pub(super) fn analyse(&self, text: &str) -> Analysis {
        self.analyser.analyse(text)
    }

    /// How much a word tells; none stands for one that nobody knows.
    pub(super) fn tells(&self, word: Option<Symbol>) -> f32 {
        self.nearness.word_tells(word)
    }

    /// Whether two entries are an answer and its action, or the same.
    pub fn are_family(&self, one: usize, other: usize) -> bool {
        self.families.get(one) == self.families.get(other)
    }

    /// Asks a question of the knowledge that stands at `number` among the utterances; `heard` is what networks said
    /// that were not taught it.
    pub(super) fn rehearse(
        &self,
        question: &Analysis,
        number: usize,
        heard: Option<&[f32]>,
    ) -> tantivy::Result<Rehearsal> {
        let owner = self.owners.get(number).copied();
        let entry = match owner {
            Some(Owner::Entry(entry)) => Some(entry),
            Some(Owner::OutOfScope) | None => None,
        };
        let own = entry.and_then(|entry| self.sizes.get(entry)).copied();
        let limit = SEARCHED + own.unwrap_or(0).min(OWN_LEFT_OUT) + 1;
        let hits = self.nearness.search(question, limit)?;
        let judged = |ranking: Ranking| {
            let position = entry.and_then(|entry| self.family_position(&ranking, entry));
            (self.features(question, &ranking), position)
        };
        let mut unheard = heard.map(<[f32]>::to_vec);
        if let Some(logit) = unheard.as_mut().zip(entry).and_then(|(l, e)| l.get_mut(e)) {
            *logit = f32::NEG_INFINITY;
        }
        let others = |hit: &Hit| self.owners.get(hit.utterance).copied() != owner;
        Ok(Rehearsal {
            itself_out: judged(self.rank(&hits, heard, &[], |hit| hit.utterance != number)),
            entry_out: {
                let (features, _) = judged(self.rank(&hits, unheard.as_deref(), &[], others));
                (features, None)
            },
            verbatim: judged(self.rank(&hits, self.heard(question).as_deref(), &[], |_| true)),
        })
    }

    fn refusal(&self, logits: &[f32]) -> f64 {
        let mut shares = logits.to_vec();
        softmax(&mut shares);
        let share = shares.get(self.families.len()).copied();
        f64::from(share.unwrap_or(0.0))
    }

    fn heard(&self, question: &Analysis) -> Option<Vec<f32>> {
        Some(self.opinion.as_ref()?.logits(question))
    }

    /// Weighs what is near and what the network says; hits that do not count are as if they were not there.
    fn rank(
        &self,
        hits: &[Hit],
        logits: Option<&[f32]>,
        expected: &[(usize, f32)],
        counts: impl Fn(&Hit) -> bool,
    ) -> Ranking {
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
        self.weigh(&near, out_of_scope, logits, expected)
    }

    fn weigh(
        &self,
        near: &[(usize, f32)],
        out_of_scope: f32,
        logits: Option<&[f32]>,
        expected: &[(usize, f32)],
    ) -> Ranking {
        let count = self.families.len();
        let heard = logits.map(|logits| logits.iter().take(count).copied().collect());
        let mut heard: Vec<f32> = heard.unwrap_or_else(|| vec![0.0; count]);
        for (entry, expectation) in expected {
            if let Some(logit) = heard.get_mut(*entry) {
                *logit += expectation;
            }
        }
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
        softmax(&mut scores);
        let mut entries: Vec<(usize, f32)> = scores.into_iter().enumerate().collect();
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
        let (known, unknown) = self.nearness.tells(question);
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

    /// The place in a ranking of the first entry of this entry's family.
    fn family_position(&self, ranking: &Ranking, entry: usize) -> Option<usize> {
        let family = self.families.get(entry);
        let mut entries = ranking.entries.iter();
        entries.position(|(other, _)| self.families.get(*other) == family)
    }
}

/// Trains the networks, unless there is too much to learn.
fn listen(analysed: &[Analysis], owners: &[Owner], entries: usize) -> Option<(Opinion, HeldOut)> {
    if !(2..=NETWORK_ENTRIES).contains(&entries) || analysed.len() > NETWORK_UTTERANCES {
        return None;
    }
    let output = |owner: &Owner| match owner {
        Owner::Entry(entry) => *entry,
        Owner::OutOfScope => entries,
    };
    let meant: Vec<usize> = owners.iter().map(output).collect();
    let refuses = owners.contains(&Owner::OutOfScope);
    Some(Opinion::train(
        analysed,
        &meant,
        entries + usize::from(refuses),
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_answer_is_never_risked_where_asking_is_cheaper() {
        assert_eq!(decide(0.95, 0.97, 3), Outcome::Answer);
        assert_eq!(decide(0.5, 0.9, 3), Outcome::Clarify);
        assert_eq!(decide(0.05, 0.1, 3), Outcome::Fallback);
        assert_eq!(decide(0.8, 0.9, 1), Outcome::Answer);
    }
}
