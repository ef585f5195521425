//! A paraphrase on trial: the knowledge as it would be with it, held against everything that the check demands and
//! against the questions whose answers are known.

use serde::{Deserialize, Serialize};

use super::golden::{Measured, Moved};
use super::live::LiveKnowledge;
use super::paraphrase::{Paraphrase, Place, Rewritten, Unwritable};
use super::problem::Problem;
use super::router::Outcome;
use super::{Edition, Knowledge};

/// From here on a question is near enough to a paraphrase for this to be why it goes astray.
const NEAR: f32 = 0.35;

/// A reason not to take it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trouble {
    /// The entry is not there any more.
    NoEntry,
    /// The file must be edited by a person.
    Unusual,
    /// Something failed that is no fault of the paraphrase.
    Broken,
    /// What `tanya check` says.
    Check {
        /// The file's name.
        file: String,
        /// Its line, from 1; 0 where the whole file is meant.
        line: u64,
        /// What is wrong.
        message: String,
        /// What to do.
        repair: String,
    },
    /// It is answered already, with something else, and nobody has said that this does not help.
    Answered {
        /// The entry.
        entry: String,
        /// How surely, in percent.
        percent: u8,
    },
    /// A question of which the answer is known would be answered with this entry, wrongly.
    Misled {
        /// The question.
        question: String,
    },
    /// More known questions are lost than chance explains.
    Worse {
        /// How many.
        lost: usize,
        /// How many are won.
        gained: usize,
    },
    /// A figure falls below what is demanded.
    Fallen {
        /// Which, and how far.
        figure: String,
    },
}

/// What came of a trial.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Reasons not to take it; none if it is good.
    pub troubles: Vec<Trouble>,
    /// How the known questions moved, where it came so far.
    pub moved: Option<Moved>,
    /// Whether somebody had found the present answer unhelpful.
    #[serde(default)]
    pub contested: bool,
    /// Whether it is written before the entry's other paraphrases; after them otherwise.
    #[serde(default)]
    pub first: bool,
}

impl Trial {
    /// Whether the check finds fault, and with other questions than this one alone.
    fn blames_others(&self, text: &str) -> bool {
        let quoted = format!("{text:?}");
        let others = |trouble: &Trouble| match trouble {
            Trouble::Check { message, .. } => !message.contains(&quoted),
            _ => false,
        };
        !self.troubles.is_empty() && self.troubles.iter().all(others)
    }

    /// Whether nothing speaks against it.
    pub fn is_good(&self) -> bool {
        self.troubles.is_empty()
    }

    fn ended(trouble: Trouble, contested: bool) -> (Self, Option<Rewritten>) {
        let trial = Self {
            troubles: vec![trouble],
            contested,
            ..Self::default()
        };
        (trial, None)
    }
}

impl From<&Problem> for Trouble {
    fn from(problem: &Problem) -> Self {
        let name = problem.file.rsplit('/').next().unwrap_or_default();
        Self::Check {
            file: name.to_owned(),
            line: problem.line,
            message: problem.message.clone(),
            repair: problem.repair.clone(),
        }
    }
}

/// Tries a paraphrase, and returns the file with it. `contested` says that somebody found the present answer unhelpful.
/// It takes seconds: the networks learn anew. Where the check finds fault with other questions alone, another place is
/// tried: a question near a border falls aside by the order in which is learnt.
pub fn try_out(
    live: &LiveKnowledge,
    paraphrase: Paraphrase<'_>,
    contested: bool,
) -> (Trial, Option<Rewritten>) {
    let last = try_at(live, paraphrase, contested, Place::Last);
    if !last.0.blames_others(paraphrase.text) {
        return last;
    }
    let first = try_at(live, paraphrase, contested, Place::First);
    if first.0.is_good() { first } else { last }
}

fn try_at(
    live: &LiveKnowledge,
    paraphrase: Paraphrase<'_>,
    contested: bool,
    place: Place,
) -> (Trial, Option<Rewritten>) {
    let texts = live.texts().and_then(|texts| Ok((texts, live.written()?)));
    let Ok((texts, written)) = texts else {
        return Trial::ended(Trouble::Broken, contested);
    };
    let rewritten = match paraphrase.write(&texts, place) {
        Ok(rewritten) => rewritten,
        Err(Unwritable::NoEntry) => return Trial::ended(Trouble::NoEntry, contested),
        Err(Unwritable::Unusual) => return Trial::ended(Trouble::Unusual, contested),
        Err(Unwritable::Unreadable) => return Trial::ended(Trouble::Broken, contested),
    };
    let now = live.current();
    let mut trial = Trial {
        contested,
        first: place == Place::First,
        ..Trial::default()
    };
    if !contested {
        trial.troubles.extend(answered_otherwise(&now, paraphrase));
    }
    let base = written.get(&rewritten.file).map_or("", |file| &file.text);
    let edition = Edition::of(&rewritten.file, base, rewritten.after.clone());
    match live.rehearse(edition) {
        Ok(after) => match moved(&now, &after, paraphrase) {
            Some(moved) => {
                trial.troubles.extend(held_against(&moved));
                trial.moved = Some(moved);
            }
            None => trial.troubles.push(Trouble::Broken),
        },
        Err(problems) => {
            let problems = problems.iter().filter(|problem| problem.is_error());
            trial.troubles.extend(problems.map(Trouble::from));
        }
    }
    (trial, Some(rewritten))
}

/// How the known questions move; none if they cannot be asked.
fn moved(now: &Knowledge, after: &Knowledge, paraphrase: Paraphrase<'_>) -> Option<Moved> {
    let before = Measured::of(now).ok()?;
    let measured = Measured::of(after).ok()?;
    let own = after.place(paraphrase.entry)?;
    let is_due = |question: &str, id: &str| {
        let place = after.place(id);
        let is_own = place.is_some_and(|place| after.are_family(place, own));
        is_own && after.alike(question, paraphrase.text) >= NEAR
    };
    Some(before.moved(&measured, is_due))
}

/// What it is answered with now, if that is something else.
fn answered_otherwise(now: &Knowledge, paraphrase: Paraphrase<'_>) -> Option<Trouble> {
    let routing = now.route(paraphrase.text).ok()?;
    let best = routing.candidates.first()?;
    let own = now.place(paraphrase.entry)?;
    let other = routing.outcome == Outcome::Answer && !now.are_family(best.entry, own);
    other.then(|| Trouble::Answered {
        entry: now
            .entry(best.entry)
            .map_or_else(String::new, |entry| entry.id.clone()),
        percent: (best.confidence * 100.0).clamp(0.0, 100.0) as u8,
    })
}

fn held_against(moved: &Moved) -> Vec<Trouble> {
    let misled = moved.misled.iter().map(|question| Trouble::Misled {
        question: question.clone(),
    });
    let fallen = moved.fallen.iter().map(|figure| Trouble::Fallen {
        figure: figure.clone(),
    });
    let worse = moved.is_worse().then_some(Trouble::Worse {
        lost: moved.lost,
        gained: moved.gained,
    });
    misled.chain(worse).chain(fallen).collect()
}
