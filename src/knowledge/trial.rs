//! A paraphrase on trial: the knowledge as it would be with it, held against everything that the check demands and
//! against the questions whose answers are known.

use serde::{Deserialize, Serialize};

use super::golden::{Measured, Moved};
use super::live::LiveKnowledge;
use super::paraphrase::{Paraphrase, Rewritten, Unwritable};
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
}

impl Trial {
    /// Whether nothing speaks against it.
    pub fn is_good(&self) -> bool {
        self.troubles.is_empty()
    }

    fn ended(trouble: Trouble, contested: bool) -> (Self, Option<Rewritten>) {
        let trial = Self {
            troubles: vec![trouble],
            moved: None,
            contested,
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
/// It takes seconds: the networks learn anew.
pub fn try_out(
    live: &LiveKnowledge,
    paraphrase: Paraphrase<'_>,
    contested: bool,
) -> (Trial, Option<Rewritten>) {
    let ended = |trouble| Trial::ended(trouble, contested);
    let texts = live.texts().and_then(|texts| Ok((texts, live.written()?)));
    let Ok((texts, written)) = texts else {
        return ended(Trouble::Broken);
    };
    let rewritten = match paraphrase.write(&texts) {
        Ok(rewritten) => rewritten,
        Err(Unwritable::NoEntry) => return ended(Trouble::NoEntry),
        Err(Unwritable::Unusual) => return ended(Trouble::Unusual),
        Err(Unwritable::Unreadable) => return ended(Trouble::Broken),
    };
    let now = live.current();
    let mut troubles = Vec::new();
    if !contested {
        troubles.extend(answered_otherwise(&now, paraphrase));
    }
    let base = written.get(&rewritten.file).map_or("", |file| &file.text);
    let edition = Edition::of(&rewritten.file, base, rewritten.after.clone());
    let after = match live.rehearse(edition) {
        Ok(after) => after,
        Err(problems) => {
            let problems = problems.iter().filter(|problem| problem.is_error());
            troubles.extend(problems.map(Trouble::from));
            let trial = Trial {
                troubles,
                moved: None,
                contested,
            };
            return (trial, Some(rewritten));
        }
    };
    let measured = Measured::of(&now).and_then(|before| Ok((before, Measured::of(&after)?)));
    let Ok((before, measured)) = measured else {
        return ended(Trouble::Broken);
    };
    let own = after.place(paraphrase.entry);
    let is_due = |question: &str, id: &str| {
        let places = after.place(id).zip(own);
        let is_own = places.is_some_and(|(place, own)| after.are_family(place, own));
        is_own && after.alike(question, paraphrase.text) >= NEAR
    };
    let moved = before.moved(&measured, is_due);
    troubles.extend(held_against(&moved));
    let trial = Trial {
        troubles,
        moved: Some(moved),
        contested,
    };
    (trial, Some(rewritten))
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
