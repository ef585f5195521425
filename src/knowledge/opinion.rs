//! What a few small networks make of a question: they are trained on the knowledge's own questions when it is loaded,
//! each looks at other features or begins with other chances, and they are heard together.

use rayon::prelude::*;

use super::features::{FeatureSpace, Kinds, Vector};
use super::language::Analysis;
use super::network::{Network, Shape};

/// How much a member lets each kind of feature count, and the seed of its chances.
#[derive(Clone, Copy, Debug)]
struct Member {
    weights: Kinds,
    seed: u64,
}

/// Looks at words, neighbours, pairs, and letters inside words.
const PAIRS: Kinds = [1.0, 0.7, 0.5, 1.3, 0.0];
/// Looks at words, neighbours, and letters inside and across words.
const ACROSS: Kinds = [1.0, 0.7, 0.0, 1.0, 0.7];

/// How much is learnt: a treasury's handful of targets at every start, within a fraction of a second; hundreds of
/// targets with more of everything.
struct Plan {
    members: &'static [Member],
    hidden: usize,
    /// Embeddings at most; beyond, features share them by chance.
    rows: usize,
    passes: usize,
}

const FEW_TARGETS: usize = 40;
const FOR_FEW: Plan = Plan {
    members: &[Member {
        weights: PAIRS,
        seed: 1,
    }],
    hidden: 64,
    rows: 1 << 15,
    passes: 5,
};
const FOR_MANY: Plan = Plan {
    members: &[
        Member {
            weights: ACROSS,
            seed: 1,
        },
        Member {
            weights: PAIRS,
            seed: 2,
        },
        Member {
            weights: ACROSS,
            seed: 3,
        },
    ],
    hidden: 128,
    rows: 1 << 16,
    passes: 15,
};

/// Up to here every question is held out once, in so many parts; beyond, one of more parts is.
const HELD_OUT_IN_TURN: usize = 2_000;
const PARTS_IN_TURN: usize = 3;
const PARTS: usize = 5;

/// Networks that are heard together.
pub struct Opinion {
    space: FeatureSpace,
    networks: Vec<Network>,
}

/// What was said of each question by networks that had not been taught it; none where none was kept from it.
pub type HeldOut = Vec<Option<Vec<f32>>>;

/// What came of one training.
enum Trained {
    Member(Network),
    /// What a network said of the questions that it had missed.
    Missed(Vec<(usize, Vec<f32>)>),
}

impl Opinion {
    /// Trains on questions of which each means one output. The same questions give the same opinion.
    pub fn train(questions: &[Analysis], meant: &[usize], outputs: usize) -> (Self, HeldOut) {
        let plan = if outputs <= FEW_TARGETS {
            FOR_FEW
        } else {
            FOR_MANY
        };
        let mut looked_at = Kinds::default();
        for member in plan.members {
            for (most, weight) in looked_at.iter_mut().zip(member.weights) {
                *most = weight.max(*most);
            }
        }
        let space = FeatureSpace::new(questions, looked_at, plan.rows);
        let vectors: Vec<Vector> = questions.par_iter().map(|q| space.vector(q)).collect();
        let (parts, held_out) = if questions.len() <= HELD_OUT_IN_TURN {
            (PARTS_IN_TURN, PARTS_IN_TURN)
        } else {
            (PARTS, 1)
        };
        let train = |missed: Option<usize>, member: &Member| {
            let taught = vectors.iter().zip(meant.iter().copied()).enumerate();
            let taught = taught.filter(|(number, _)| missed != Some(number % parts));
            let examples: Vec<_> = taught.map(|(_, example)| example).collect();
            let shape = Shape {
                features: space.rows(),
                hidden: plan.hidden,
                outputs,
                weights: member.weights,
            };
            Network::train(&examples, shape, plan.passes, member.seed)
        };
        let missing = std::iter::once(None).chain((0..held_out).map(Some));
        let trainings: Vec<_> = missing
            .flat_map(|missed| plan.members.iter().map(move |member| (missed, member)))
            .collect();
        let trained: Vec<Trained> = trainings
            .into_par_iter()
            .map(|(missed, member)| {
                let network = train(missed, member);
                let Some(part) = missed else {
                    return Trained::Member(network);
                };
                let missed = vectors.iter().enumerate().skip(part).step_by(parts);
                let said = missed.map(|(number, vector)| (number, network.logits(vector)));
                Trained::Missed(said.collect())
            })
            .collect();

        let mut networks = Vec::new();
        let mut heard: HeldOut = vec![None; questions.len()];
        for trained in trained {
            match trained {
                Trained::Member(network) => networks.push(network),
                Trained::Missed(said) => {
                    for (number, logits) in said {
                        if let Some(place) = heard.get_mut(number) {
                            hear(place.get_or_insert_default(), logits, plan.members.len());
                        }
                    }
                }
            }
        }
        (Self { space, networks }, heard)
    }

    /// How strongly the networks speak for each output, on average.
    pub fn logits(&self, question: &Analysis) -> Vec<f32> {
        let vector = self.space.vector(question);
        let mut mean = Vec::new();
        for network in &self.networks {
            hear(&mut mean, network.logits(&vector), self.networks.len());
        }
        mean
    }
}

/// Adds one of `members` voices to their mean.
fn hear(mean: &mut Vec<f32>, logits: Vec<f32>, members: usize) {
    let share = 1.0 / members.max(1) as f32;
    mean.resize(logits.len(), 0.0);
    for (mean, logit) in mean.iter_mut().zip(logits) {
        *mean += share * logit;
    }
}
