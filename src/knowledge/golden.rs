//! Questions with known answers, against which every change of the knowledge is held: it must not make them worse. The
//! networks learn anew with each change, and a few questions near a border then fall on its other side; what is more than
//! such chance counts, and what the change itself has caused counts at once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Knowledge;
use super::evaluation::{OUT_OF_SCOPE, Prediction, Questions, Rates, below_floor, evaluate};
use super::router::Outcome;

/// The project's own labelled questions, and how good their figures have to be.
const SETS: [(&str, &str, &str); 2] = [
    (
        "dev",
        include_str!("../../tests/data/dev.jsonl"),
        include_str!("../../tests/data/floor.json"),
    ),
    (
        "visitors",
        include_str!("../../tests/data/visitors.jsonl"),
        include_str!("../../tests/data/floor_visitors.json"),
    ),
];

/// Why the questions could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum Unmeasured {
    /// The labelled questions cannot be read.
    #[error("the labelled questions cannot be read: {0}")]
    Unreadable(String),
    /// The index failed.
    #[error("the index failed")]
    Index(#[from] tantivy::TantivyError),
}

/// A figure before and after a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Its name as in `tanya eval`.
    pub name: String,
    /// The share before, from 0 to 1.
    pub before: f64,
    /// The share after.
    pub after: f64,
}

/// How a change moved the questions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// Figures over all of them.
    pub figures: Vec<Figure>,
    /// Questions that were right or offered, and are not any more.
    pub lost: usize,
    /// Questions that were not, and are.
    pub gained: usize,
    /// Questions that are now answered wrongly, and the change itself is why.
    pub misled: Vec<String>,
    /// Figures that have fallen below what is demanded, one sentence each.
    pub fallen: Vec<String>,
}

impl Moved {
    /// Whether more was lost than the chances of learning anew explain: more than twice their deviation.
    pub fn is_worse(&self) -> bool {
        let net = self.lost.saturating_sub(self.gained) as f64;
        net > 2.0 * ((self.lost + self.gained) as f64).sqrt()
    }
}

/// What a knowledge made of the questions.
#[derive(Clone, Debug)]
pub struct Measured {
    rates: Vec<Rates>,
    below: Vec<(String, String)>,
    verdicts: Vec<Verdict>,
}

#[derive(Clone, Debug)]
struct Verdict {
    text: String,
    /// Answered or refused rightly, or the right one offered.
    right: bool,
    /// The entry that it was answered with, wrongly.
    wrongly: Option<String>,
}

impl Measured {
    /// Asks all questions whose answers the knowledge has.
    pub fn of(knowledge: &Knowledge) -> Result<Self, Unmeasured> {
        let mut measured = Self {
            rates: Vec::new(),
            below: Vec::new(),
            verdicts: Vec::new(),
        };
        for (name, lines, floor) in SETS {
            let mut questions = Questions::parse(lines).map_err(Unmeasured::Unreadable)?;
            let unknown: BTreeSet<String> =
                questions.unknown_targets(knowledge).into_iter().collect();
            questions
                .queries
                .retain(|query| !query.accept.iter().any(|target| unknown.contains(target)));
            let (summary, predictions) = evaluate(knowledge, &questions, &[], |_| Vec::new())?;
            // Another treasury's knowledge is held to no figures of this one's.
            if unknown.is_empty() {
                let below = below_floor(&summary, &floor_of(floor)).into_iter();
                measured.below.extend(below.map(|sentence| {
                    let figure = sentence.split(' ').next().unwrap_or_default();
                    (format!("{name} {figure}"), format!("{name}: {sentence}"))
                }));
            }
            let asked = questions.queries.iter().zip(&predictions);
            let verdicts = asked.map(|(query, got)| Verdict::of(&query.text, &query.accept, got));
            measured.verdicts.extend(verdicts);
            measured.rates.push(summary.rates);
        }
        Ok(measured)
    }

    /// How the questions moved from here to `after`; `is_due` says of a question and of what it is answered with, wrongly,
    /// whether the change itself is why.
    pub fn moved(&self, after: &Self, is_due: impl Fn(&str, &str) -> bool) -> Moved {
        let both = || self.verdicts.iter().zip(&after.verdicts);
        let misled = both().filter(|(before, after)| {
            let wrongly = after.wrongly.as_deref();
            before.wrongly.as_deref() != wrongly
                && wrongly.is_some_and(|entry| is_due(&after.text, entry))
        });
        let known = |name: &str| self.below.iter().any(|(known, _)| known == name);
        let fallen = after.below.iter().filter(|(name, _)| !known(name));
        Moved {
            figures: self.figures(after),
            lost: both().filter(|(b, a)| b.right && !a.right).count(),
            gained: both().filter(|(b, a)| !b.right && a.right).count(),
            misled: misled.map(|(_, after)| after.text.clone()).collect(),
            fallen: fallen.map(|(_, sentence)| sentence.clone()).collect(),
        }
    }

    fn figures(&self, after: &Self) -> Vec<Figure> {
        let figure = |name: &str, of: fn(&Rates) -> (f64, usize)| Figure {
            name: name.to_owned(),
            before: mean(&self.rates, of),
            after: mean(&after.rates, of),
        };
        vec![
            figure("useful", |rates| (rates.useful, rates.in_scope)),
            figure("direct", |rates| (rates.direct, rates.in_scope)),
            figure("harm", |rates| {
                (rates.harm, rates.in_scope + rates.out_of_scope)
            }),
            figure("oos_recall", |rates| (rates.oos_recall, rates.out_of_scope)),
        ]
    }
}

impl Verdict {
    fn of(text: &str, accept: &[String], got: &Prediction) -> Self {
        let accepts = |target: &str| accept.iter().any(|accepted| accepted == target);
        let best = got.candidates.first().map(|best| best.target.as_str());
        let right = match got.outcome {
            Outcome::Answer => best.is_some_and(accepts),
            Outcome::Clarify => got.candidates.iter().any(|it| accepts(&it.target)),
            Outcome::Fallback => accepts(OUT_OF_SCOPE),
        };
        let answered = got.outcome == Outcome::Answer;
        Self {
            text: text.to_owned(),
            right,
            wrongly: best.filter(|_| answered && !right).map(str::to_owned),
        }
    }
}

/// What is demanded of a set. Of figures over a few dozen questions one or two move by chance; those that people feel, over
/// all of a set, must hold.
fn floor_of(text: &str) -> Value {
    let floor: Value = serde_json::from_str(text).unwrap_or_default();
    json!({"useful": floor.get("useful"), "harm": floor.get("harm")})
}

/// The mean over sets of questions, each by how many they are.
fn mean(rates: &[Rates], of: fn(&Rates) -> (f64, usize)) -> f64 {
    let weighed = rates.iter().map(of);
    let (sum, count) = weighed.fold((0.0, 0), |(sum, count), (rate, weight)| {
        (sum + rate * weight as f64, count + weight)
    });
    if count == 0 { 0.0 } else { sum / count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(lost: usize, gained: usize) -> bool {
        Moved {
            lost,
            gained,
            ..Moved::default()
        }
        .is_worse()
    }

    #[test]
    fn what_is_lost_by_chance_is_not_held_against_a_change() {
        assert!(!moved(0, 0) && !moved(3, 0) && !moved(4, 3) && !moved(0, 9));
        assert!(moved(5, 0) && moved(12, 2));
    }

    #[test]
    fn the_labelled_questions_can_be_read_and_have_floors() {
        for (name, lines, floor) in SETS {
            assert!(
                Questions::parse(lines).unwrap().queries.len() > 200,
                "{name}"
            );
            assert!(serde_json::from_str::<Value>(floor).unwrap()["useful"].is_f64());
        }
    }
}
