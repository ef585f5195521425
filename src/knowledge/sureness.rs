//! How sure the router is: fitted when the knowledge is loaded, to what comes of asking it its own questions, each
//! with itself and what was learnt from it left out, once more with its whole entry left out, and once as it stands.

use rayon::prelude::*;

use super::calibration::{Calibration, Example, Features};
use super::language::Analysis;
use super::opinion::HeldOut;
use super::router::{OFFERED, Owner, Router};

/// What sureness is judged by; the router names them.
pub const FEATURES: usize = 7;

/// Questions in scope that are asked, at most: more of them change nothing. Those to be refused are few and all asked.
const ASKED: usize = 1_500;
/// The share of questions that are not for this desk: the examples of them count for so much.
const OUT_OF_SCOPE_SHARE: f64 = 0.25;
/// Within these bounds, one such example counts for so many questions in scope.
const OUT_OF_SCOPE_WEIGHT: (f64, f64) = (0.1, 10.0);
/// How much it counts that a question of the knowledge, word by word, finds its entry: people do ask so, but seldom.
const VERBATIM_WEIGHT: f64 = 0.2;
/// How much a question counts whose entry is left out, where there are true examples to refuse and where there are not.
const ENTRY_OUT_WEIGHT: (f64, f64) = (0.05, 0.25);

/// The fitted probabilities.
pub struct Sureness {
    right: Calibration<FEATURES>,
    among_offered: Calibration<FEATURES>,
}

/// One question asked in one way: what was seen, at which place the right entry came, and how much it counts.
struct Trial {
    features: Features<FEATURES>,
    position: Option<usize>,
    weight: f64,
}

impl Default for Sureness {
    fn default() -> Self {
        Self {
            right: Calibration::fit(&[]),
            among_offered: Calibration::fit(&[]),
        }
    }
}

impl Sureness {
    /// Asks the router the questions that it was built from.
    pub fn fit(
        router: &Router,
        questions: &[Analysis],
        owners: &[Owner],
        held_out: Option<&HeldOut>,
    ) -> tantivy::Result<Self> {
        let in_scope = |owner: &Owner| matches!(owner, Owner::Entry(_));
        let asked = owners.iter().filter(|owner| in_scope(owner)).count() as f64;
        let refused = owners.len() as f64 - asked;
        let share = OUT_OF_SCOPE_SHARE / (1.0 - OUT_OF_SCOPE_SHARE);
        let (least, most) = OUT_OF_SCOPE_WEIGHT;
        let refused_weight = (share * asked / refused.max(1.0)).clamp(least, most);
        let (explicit, otherwise) = ENTRY_OUT_WEIGHT;
        let entry_out_weight = if refused > 0.0 { explicit } else { otherwise };

        let trials: Vec<Vec<Trial>> = selection(owners, held_out)
            .into_par_iter()
            .map(|number| {
                let (Some(question), Some(owner)) = (questions.get(number), owners.get(number))
                else {
                    return Ok(Vec::new());
                };
                let heard = held_out.and_then(|held_out| held_out.get(number)?.as_deref());
                let rehearsal = router.rehearse(question, number, heard)?;
                let trial = |(features, position), weight| Trial {
                    features,
                    position,
                    weight,
                };
                Ok(match owner {
                    Owner::OutOfScope => vec![trial(rehearsal.itself_out, refused_weight)],
                    Owner::Entry(_) => vec![
                        trial(rehearsal.itself_out, 1.0),
                        trial(rehearsal.entry_out, entry_out_weight),
                        trial(rehearsal.verbatim, VERBATIM_WEIGHT),
                    ],
                })
            })
            .collect::<tantivy::Result<_>>()?;

        let fit = |offered: usize| {
            let example = |trial: &Trial| Example {
                features: trial.features,
                holds: trial.position.is_some_and(|position| position < offered),
                weight: trial.weight,
            };
            let examples: Vec<_> = trials.iter().flatten().map(example).collect();
            Calibration::fit(&examples)
        };
        let (right, among_offered) = rayon::join(|| fit(1), || fit(OFFERED));
        Ok(Self {
            right,
            among_offered,
        })
    }

    /// The probability that the best candidate is meant, and that one of those offered is.
    pub fn of(&self, features: &Features<FEATURES>) -> (f64, f64) {
        let right = self.right.probability(features);
        (right, self.among_offered.probability(features).max(right))
    }
}

/// The questions that are asked: of those that the networks were not taught, all that are to be refused and enough of
/// the others.
fn selection(owners: &[Owner], held_out: Option<&HeldOut>) -> Vec<usize> {
    let unheard = |number: &usize| {
        let heard = held_out.map(|held_out| held_out.get(*number));
        heard.is_none_or(|heard| heard.is_some_and(Option::is_some))
    };
    let numbers = (0..owners.len()).filter(unheard);
    let (refused, asked): (Vec<usize>, Vec<usize>) =
        numbers.partition(|number| matches!(owners.get(*number), Some(Owner::OutOfScope)));
    let step = asked.len().div_ceil(ASKED).max(1);
    let mut selection: Vec<usize> = asked.into_iter().step_by(step).collect();
    selection.extend(refused);
    selection
}
