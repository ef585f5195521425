//! Questions that were not answered, those put together that ask the same: by the words that tell something, as the
//! router reads them, and by the letters of words that nobody knows. Nothing leaves the process, and the same questions
//! give the same groups.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Knowledge;
use super::language::Analysis;
use super::router::{Candidate, Outcome, Routing};
use crate::clock::Millis;

/// From this cosine on two questions ask the same.
const SAME: f32 = 0.62;
/// Letters that a question has at least.
const LETTERS: usize = 3;
/// Examples of a group.
const EXAMPLES: usize = 5;
/// Letters in a run, of words that nobody knows.
const RUN: usize = 3;

/// Why a question counts as not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Miss {
    /// Nothing fitted.
    Fallback,
    /// Something else was offered to choose from.
    Clarify,
    /// The answer did not help.
    Unhelpful,
}

/// A question that was not answered.
#[derive(Clone, Debug)]
pub struct Missed {
    /// What was asked, with nothing in it that must not be kept.
    pub text: String,
    /// The chat, to count them.
    pub chat: String,
    /// Why it counts as not answered.
    pub miss: Miss,
    /// The entry that did not help.
    pub answered: Option<String>,
    /// When, in Unix milliseconds.
    pub at: Millis,
}

/// Questions that ask the same.
#[derive(Clone, Debug)]
pub struct Group {
    /// How it is asked most.
    pub text: String,
    /// How often it was asked.
    pub count: usize,
    /// In how many chats.
    pub chats: usize,
    /// How often for each reason: fallback, clarify, unhelpful.
    pub misses: [usize; 3],
    /// When last, in Unix milliseconds.
    pub latest: Millis,
    /// Other ways in which it is asked.
    pub examples: Vec<String>,
    /// What the router holds it for now, best first.
    pub nearest: Vec<Candidate>,
}

/// What became of questions.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// Groups, the most frequent first.
    pub groups: Vec<Group>,
    /// Questions that ask what was set aside.
    pub set_aside: usize,
    /// Questions that would be answered now.
    pub answered: usize,
}

/// One way to ask, and who asked so.
struct Asked<'a> {
    text: &'a str,
    missed: Vec<&'a Missed>,
    gist: Gist,
    routing: Routing,
}

impl Knowledge {
    /// Groups questions that ask the same; those like what was `set_aside` are only counted.
    pub fn gather(&self, missed: &[Missed], set_aside: &[String]) -> tantivy::Result<Gathered> {
        let mut gathered = Gathered::default();
        let aside = set_aside.iter();
        let aside: Vec<Gist> = aside.map(|text| self.gist(text)).collect();
        let mut asked = self.asked(missed)?;
        for asked in &mut asked {
            let before = asked.missed.len();
            asked
                .missed
                .retain(|missed| self.is_missed(missed, &asked.routing));
            gathered.answered += before - asked.missed.len();
        }
        asked.retain(|asked| !asked.missed.is_empty());
        asked.sort_by_key(|asked| Reverse(asked.missed.len()));
        let mut leaders = Leaders::default();
        for gist in aside {
            leaders.add(gist);
        }
        let first = leaders.count;
        let mut groups: Vec<Vec<Asked<'_>>> = Vec::new();
        for asked in asked {
            let leader = leaders.nearest(&asked.gist);
            match leader.map(|leader| leader.checked_sub(first)) {
                Some(None) => gathered.set_aside += asked.missed.len(),
                Some(Some(place)) => {
                    if let Some(group) = groups.get_mut(place) {
                        group.push(asked);
                    }
                }
                None => {
                    leaders.add(asked.gist.clone());
                    groups.push(vec![asked]);
                }
            }
        }
        gathered.groups = groups.into_iter().map(Group::of).collect();
        gathered.groups.sort_by(|a, b| {
            let order = |group: &Group| (Reverse(group.count), Reverse(group.latest));
            order(a).cmp(&order(b)).then_with(|| a.text.cmp(&b.text))
        });
        Ok(gathered)
    }

    /// Whether two questions ask the same.
    pub fn ask_the_same(&self, one: &str, other: &str) -> bool {
        self.alike(one, other) >= SAME
    }

    /// How far two questions are about the same, from 0 to 1.
    pub fn alike(&self, one: &str, other: &str) -> f32 {
        self.gist(one).cosine(&self.gist(other))
    }

    /// The different ways to ask, in an order that does not hang on who asked first.
    fn asked<'a>(&self, missed: &'a [Missed]) -> tantivy::Result<Vec<Asked<'a>>> {
        let mut ways: HashMap<String, Vec<&Missed>> = HashMap::new();
        for missed in missed {
            let key = key(&missed.text);
            if key.chars().filter(|c| c.is_alphabetic()).count() >= LETTERS {
                ways.entry(key).or_default().push(missed);
            }
        }
        let mut ways: Vec<(String, Vec<&Missed>)> = ways.into_iter().collect();
        ways.sort_by(|a, b| a.0.cmp(&b.0));
        ways.into_par_iter()
            .filter_map(|(_, missed)| {
                let text = missed.iter().map(|missed| missed.text.as_str()).min()?;
                let asked = self.route(text).map(|routing| Asked {
                    gist: self.gist(text),
                    text,
                    missed,
                    routing,
                });
                Some(asked)
            })
            .collect()
    }

    /// Whether a question would still not be answered, or still with what did not help.
    fn is_missed(&self, missed: &Missed, routing: &Routing) -> bool {
        let best = routing.candidates.first().map(|best| best.entry);
        if routing.outcome != Outcome::Answer {
            return true;
        }
        let unhelpful = missed.answered.as_deref().and_then(|id| self.place(id));
        missed.miss == Miss::Unhelpful
            && best
                .zip(unhelpful)
                .is_none_or(|(best, unhelpful)| self.are_family(best, unhelpful))
    }

    fn gist(&self, text: &str) -> Gist {
        Gist::of(&self.router.analyse(text), |word| self.router.tells(word))
    }
}

impl Group {
    fn of(ways: Vec<Asked<'_>>) -> Self {
        let mut misses = [0; 3];
        let all = ways.iter().flat_map(|way| way.missed.iter());
        let mut chats = BTreeSet::new();
        for missed in all.clone() {
            if let Some(count) = misses.get_mut(missed.miss as usize) {
                *count += 1;
            }
            chats.insert(missed.chat.as_str());
        }
        let mut texts = ways.iter().map(|way| way.text.to_owned());
        Self {
            count: misses.iter().sum(),
            chats: chats.len(),
            misses,
            latest: all.map(|missed| missed.at).max().unwrap_or_default(),
            text: texts.next().unwrap_or_default(),
            examples: texts.take(EXAMPLES - 1).collect(),
            nearest: ways
                .first()
                .map(|way| way.routing.candidates.clone())
                .unwrap_or_default(),
        }
    }
}

/// A text without case, punctuation and doubled blanks.
fn key(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// What a question is about, as a vector of length one.
#[derive(Clone, Debug, Default)]
struct Gist(Vec<(Feature, f32)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Feature {
    /// A word that is known, as the router folds it.
    Word(u32),
    /// Letters of one that is not.
    Letters([char; RUN]),
}

impl Gist {
    fn of(question: &Analysis, tells: impl Fn(Option<u32>) -> f32) -> Self {
        let mut weights: FxHashMap<Feature, f32> = FxHashMap::default();
        let words: FxHashSet<u32> = question.words.iter().copied().collect();
        for word in words {
            weights.insert(Feature::Word(word), tells(Some(word)));
        }
        for word in &question.unknown {
            let runs = runs(word);
            let weight = tells(None) / (runs.len().max(1) as f32).sqrt();
            for run in runs {
                *weights.entry(Feature::Letters(run)).or_default() += weight;
            }
        }
        let mut features: Vec<(Feature, f32)> = weights.into_iter().collect();
        features.sort_by_key(|(feature, _)| *feature);
        let length = features.iter().map(|(_, w)| w * w).sum::<f32>().sqrt();
        for (_, weight) in &mut features {
            *weight /= length.max(1e-6);
        }
        Self(features)
    }

    fn cosine(&self, other: &Self) -> f32 {
        let found = |feature: &Feature| {
            let place = other.0.binary_search_by_key(feature, |(known, _)| *known);
            place.ok().and_then(|place| other.0.get(place))
        };
        let shared = self.0.iter().filter_map(|(feature, weight)| {
            let (_, other) = found(feature)?;
            Some(weight * other)
        });
        shared.sum()
    }
}

/// The letters of a word in runs, its ends included.
fn runs(word: &str) -> Vec<[char; RUN]> {
    let padded: Vec<char> = std::iter::once(' ')
        .chain(word.chars())
        .chain(std::iter::once(' '))
        .collect();
    let runs = padded.windows(RUN);
    runs.filter_map(|run| <[char; RUN]>::try_from(run).ok())
        .collect()
}

/// The first question of every group, by what they are about.
#[derive(Default)]
struct Leaders {
    by_feature: FxHashMap<Feature, Vec<(usize, f32)>>,
    scores: Vec<f32>,
    count: usize,
}

impl Leaders {
    fn add(&mut self, gist: Gist) {
        for (feature, weight) in gist.0 {
            let leaders = self.by_feature.entry(feature).or_default();
            leaders.push((self.count, weight));
        }
        self.count += 1;
    }

    /// The nearest leader that asks the same; the earlier one of two alike.
    fn nearest(&mut self, gist: &Gist) -> Option<usize> {
        self.scores.clear();
        self.scores.resize(self.count, 0.0);
        for (feature, weight) in &gist.0 {
            for (leader, other) in self.by_feature.get(feature).into_iter().flatten() {
                if let Some(score) = self.scores.get_mut(*leader) {
                    *score += weight * other;
                }
            }
        }
        let scores = self.scores.iter().copied().enumerate();
        let near = scores.filter(|(_, score)| *score >= SAME);
        let best = near.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        best.map(|(leader, _)| leader)
    }
}

#[cfg(test)]
mod tests;
