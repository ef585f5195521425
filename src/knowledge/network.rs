//! A small network from the features of a question to what may be meant, trained when the knowledge is loaded, on
//! its own questions alone: an embedding a feature, one hidden layer, one output an entry and one for what must be
//! refused. Nothing is downloaded, nothing leaves the process.
//!
//! Training is plain stochastic descent, one question at a time, with a learning rate a row (AdaGrad, Duchi et al. 2011).
//! Features and hidden units are left out at random (Srivastava et al. 2014), so that no single word decides.

use pulp::{Arch, NullaryFnOnce};

use super::features::{Kinds, Vector};

const RATE: f32 = 0.1;
const HIDDEN_KEPT: f32 = 0.7;
/// Squares of slopes that every row begins with: the first steps are no leaps.
const FIRST_SQUARES: f32 = 0.01;
/// A question that is understood up to so little teaches nothing more.
const LEARNT: f32 = 0.03;
/// An output that is this near the truth teaches nothing.
const NEGLIGIBLE: f32 = 1e-4;

/// A question with what it means: the number of an output.
pub type Example<'a> = (&'a Vector, usize);

/// The shape of a network.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many features there are.
    pub features: usize,
    /// How many units the hidden layer has.
    pub hidden: usize,
    /// How many outputs there are.
    pub outputs: usize,
    /// How much each kind of feature counts; nothing: it is not looked at.
    pub weights: Kinds,
}

impl Shape {
    /// Every feature that counts, with what it weighs in all.
    #[inline(always)]
    fn seen(&self, question: &Vector, mut found: impl FnMut(u32, f32)) {
        let kinds = || question.kinds().zip(self.weights);
        let counted = kinds().filter(|(features, _)| !features.is_empty());
        let length: f32 = counted.map(|(_, weight)| weight * weight).sum();
        let length = length.sqrt().max(1e-6);
        for (features, weight) in kinds().filter(|(_, weight)| *weight > 0.0) {
            for (feature, value) in features {
                found(*feature, value * weight / length);
            }
        }
    }
}

/// A trained network.
pub struct Network {
    shape: Shape,
    embeddings: Vec<f32>,
    hidden_bias: Vec<f32>,
    outputs: Vec<f32>,
    output_bias: Vec<f32>,
}

impl Network {
    /// Trains on the examples, so many times over; the same examples and seed give the same network.
    pub fn train(examples: &[Example<'_>], shape: Shape, passes: usize, seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let spread = (1.0 / shape.hidden.max(1) as f32).sqrt();
        let mut normal =
            |count: usize| -> Vec<f32> { (0..count).map(|_| random.normal() * spread).collect() };
        let network = Self {
            shape,
            embeddings: normal(shape.features * shape.hidden),
            hidden_bias: vec![0.0; shape.hidden],
            outputs: normal(shape.outputs * shape.hidden),
            output_bias: vec![0.0; shape.outputs],
        };
        let mut training = Training {
            embedding_squares: vec![FIRST_SQUARES; shape.features],
            output_squares: vec![FIRST_SQUARES; shape.outputs],
            hidden: vec![0.0; shape.hidden],
            mask: vec![0.0; shape.hidden],
            back: vec![0.0; shape.hidden],
            slopes: Vec::with_capacity(shape.outputs),
            kept: Vec::new(),
            network,
            random,
        };
        Arch::new().dispatch(Lesson {
            training: &mut training,
            examples,
            passes,
        });
        training.network
    }

    /// How strongly every output speaks for the question; comparable within and between questions.
    pub fn logits(&self, question: &Vector) -> Vec<f32> {
        Arch::new().dispatch(Hearing {
            network: self,
            question,
        })
    }

    #[inline(always)]
    fn hear(&self, question: &Vector) -> Vec<f32> {
        let mut hidden = self.hidden_bias.clone();
        let mut seen = Vec::with_capacity(512);
        self.shape
            .seen(question, |feature, value| seen.push((feature, value)));
        self.embed(&seen, &mut hidden);
        for unit in &mut hidden {
            *unit = unit.max(0.0);
        }
        let mut logits = Vec::with_capacity(self.shape.outputs);
        self.speak(&hidden, &mut logits);
        logits
    }

    #[inline(always)]
    fn embed(&self, question: &[(u32, f32)], hidden: &mut [f32]) {
        let width = self.shape.hidden;
        for (feature, value) in question {
            let start = *feature as usize * width;
            let row = self
                .embeddings
                .get(start..start + width)
                .unwrap_or_default();
            for (unit, weight) in hidden.iter_mut().zip(row) {
                *unit += value * weight;
            }
        }
    }

    #[inline(always)]
    fn speak(&self, hidden: &[f32], logits: &mut Vec<f32>) {
        logits.clear();
        logits.extend_from_slice(&self.output_bias);
        let rows = self.outputs.chunks_exact(self.shape.hidden.max(1));
        // A loop, not an iterator's closure: that would be compiled apart, for the plainest of processors.
        for (logit, row) in logits.iter_mut().zip(rows) {
            *logit += dot(row, hidden);
        }
    }
}

/// Sums that are added up side by side: the same on every processor, and as fast as it can.
const LANES: usize = 16;

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Turns logits into the probabilities that belong to them.
#[inline(always)]
pub fn softmax(logits: &mut [f32]) {
    let mut highest = f32::NEG_INFINITY;
    for logit in logits.iter() {
        highest = highest.max(*logit);
    }
    let mut sum = f32::MIN_POSITIVE;
    for logit in logits.iter_mut() {
        *logit = (*logit - highest).exp();
        sum += *logit;
    }
    for share in logits.iter_mut() {
        *share /= sum;
    }
}

/// A network while it learns, with what is needed from step to step.
struct Training {
    network: Network,
    embedding_squares: Vec<f32>,
    output_squares: Vec<f32>,
    hidden: Vec<f32>,
    mask: Vec<f32>,
    back: Vec<f32>,
    slopes: Vec<f32>,
    kept: Vec<(u32, f32)>,
    random: Random,
}

impl Training {
    #[inline(always)]
    fn run(&mut self, examples: &[Example<'_>], passes: usize) {
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let steps = (passes * examples.len()).max(1) as f32;
        let mut step = 0.0;
        for _ in 0..passes {
            for at in (1..order.len()).rev() {
                order.swap(at, self.random.below(at + 1));
            }
            for number in &order {
                if let Some((question, meant)) = examples.get(*number) {
                    self.learn(question, *meant, RATE * (1.0 - step / steps));
                }
                step += 1.0;
            }
        }
    }

    #[inline(always)]
    fn learn(&mut self, question: &Vector, meant: usize, rate: f32) {
        self.forget(question);
        self.hidden.copy_from_slice(&self.network.hidden_bias);
        self.network.embed(&self.kept, &mut self.hidden);
        for (unit, mask) in self.hidden.iter_mut().zip(&mut self.mask) {
            let keeps = *unit > 0.0 && self.random.unit() < HIDDEN_KEPT;
            *mask = if keeps { 1.0 / HIDDEN_KEPT } else { 0.0 };
            *unit *= *mask;
        }
        self.network.speak(&self.hidden, &mut self.slopes);
        softmax(&mut self.slopes);
        if let Some(truth) = self.slopes.get_mut(meant) {
            *truth -= 1.0;
            if -*truth < LEARNT {
                return;
            }
        }
        self.back.fill(0.0);
        self.correct_outputs(rate);
        for ((back, mask), bias) in self
            .back
            .iter_mut()
            .zip(&self.mask)
            .zip(&mut self.network.hidden_bias)
        {
            *back *= mask;
            *bias -= RATE * rate * *back;
        }
        self.correct_embeddings(rate);
    }

    /// Keeps each feature by chance and restores the length of the whole.
    #[inline(always)]
    fn forget(&mut self, question: &Vector) {
        self.kept.clear();
        let (mut whole, mut left) = (0.0, 0.0);
        let (kept, random) = (&mut self.kept, &mut self.random);
        // One coin a feature, 64 to a throw.
        let mut coins = Coins::default();
        self.network.shape.seen(question, |feature, value| {
            whole += value * value;
            if coins.toss(random) {
                left += value * value;
                kept.push((feature, value));
            }
        });
        let factor = (whole / f32::max(left, 1e-6)).sqrt();
        for (_, value) in &mut self.kept {
            *value *= factor;
        }
    }

    #[inline(always)]
    fn correct_outputs(&mut self, rate: f32) {
        let width = self.network.shape.hidden.max(1);
        let length = dot(&self.hidden, &self.hidden) / width as f32;
        let rows = self.network.outputs.chunks_exact_mut(width);
        let biases = &mut self.network.output_bias;
        for (((row, bias), squares), slope) in rows
            .zip(biases)
            .zip(&mut self.output_squares)
            .zip(&self.slopes)
        {
            if slope.abs() < NEGLIGIBLE {
                continue;
            }
            *squares += slope * slope * length;
            let step = rate * slope / squares.sqrt();
            for ((weight, hidden), back) in row.iter_mut().zip(&self.hidden).zip(&mut self.back) {
                *back += slope * *weight;
                *weight -= step * hidden;
            }
            *bias -= RATE * step;
        }
    }

    #[inline(always)]
    fn correct_embeddings(&mut self, rate: f32) {
        let width = self.network.shape.hidden;
        let length = dot(&self.back, &self.back) / width.max(1) as f32;
        for (feature, value) in &self.kept {
            let start = *feature as usize * width;
            let row = self.network.embeddings.get_mut(start..start + width);
            let squares = self.embedding_squares.get_mut(*feature as usize);
            let (Some(row), Some(squares)) = (row, squares) else {
                continue;
            };
            *squares += value * value * length;
            let step = rate * value / squares.sqrt();
            for (weight, back) in row.iter_mut().zip(&self.back) {
                *weight -= step * back;
            }
        }
    }
}

/// xorshift64*: repeatable; nothing here is a secret.
struct Random(u64);

impl Random {
    #[inline(always)]
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From 0 to below 1.
    #[inline(always)]
    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }

    #[inline(always)]
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// About normal with variance 1: six uniform numbers added up.
    fn normal(&mut self) -> f32 {
        let sum: f32 = (0..6).map(|_| self.unit() - 0.5).sum();
        sum * std::f32::consts::SQRT_2
    }
}

/// All steps of a training, compiled once for every kind of processor that the program knows.
struct Lesson<'a, 'b> {
    training: &'a mut Training,
    examples: &'a [Example<'b>],
    passes: usize,
}

impl NullaryFnOnce for Lesson<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.training.run(self.examples, self.passes);
    }
}

/// One question heard, compiled likewise.
struct Hearing<'a> {
    network: &'a Network,
    question: &'a Vector,
}

impl NullaryFnOnce for Hearing<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn call(self) -> Vec<f32> {
        self.network.hear(self.question)
    }
}

/// Coins that were thrown together.
#[derive(Default)]
struct Coins {
    thrown: u64,
    left: u32,
}

impl Coins {
    #[inline(always)]
    fn toss(&mut self, random: &mut Random) -> bool {
        if self.left == 0 {
            self.thrown = random.next();
            self.left = u64::BITS;
        }
        self.left -= 1;
        (self.thrown >> self.left) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taught_is_known_and_the_same_teaching_gives_the_same_network() {
        let questions: Vec<Vector> = (0..8_u32)
            .map(|n| Vector::of_words(vec![(n % 4, 0.8), (4 + n, 0.6)]))
            .collect();
        let examples: Vec<Example<'_>> = questions.iter().zip((0..4).cycle()).collect();
        let shape = Shape {
            features: 12,
            hidden: 16,
            outputs: 4,
            weights: [1.0; 5],
        };
        let many: Vec<Example<'_>> = examples.iter().copied().cycle().take(400).collect();
        let network = Network::train(&many, shape, 15, 1);
        for (question, meant) in &examples {
            let logits = network.logits(question);
            let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            assert_eq!(best.map(|(output, _)| output), Some(*meant));
        }
        let again = Network::train(&many, shape, 15, 1);
        assert_eq!(network.embeddings, again.embeddings);
    }

    #[test]
    fn shares_add_up_to_one() {
        let mut shares = [1000.0, 1000.0, -1000.0];
        softmax(&mut shares);
        assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((shares[0] - 0.5).abs() < 1e-6);
    }
}
