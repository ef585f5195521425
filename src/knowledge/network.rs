//! A small network from the features of a question to what may be meant, trained when the knowledge is loaded, on
//! its own questions alone: an embedding a feature, one hidden layer, one output an entry and one for what must be
//! refused. Nothing is downloaded, nothing leaves the process.
//!
//! Training is plain stochastic descent, one question at a time, with a learning rate a row (AdaGrad, Duchi et al. 2011).
//! Features and hidden units are left out at random (Srivastava et al. 2014), so that no single word decides.

use super::features::Vector;

const EPOCHS: usize = 15;
const RATE: f32 = 0.1;
const FEATURES_KEPT: f32 = 0.5;
const HIDDEN_KEPT: f32 = 0.7;
/// Squares of slopes that every row begins with: the first steps are no leaps.
const FIRST_SQUARES: f32 = 0.01;
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
    /// Trains on the examples; the same examples and seed give the same network.
    pub fn train(examples: &[Example<'_>], shape: Shape, seed: u64) -> Self {
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
            kept: Vector::new(),
            network,
            random,
        };
        training.run(examples);
        training.network
    }

    /// How strongly every output speaks for the question; comparable within and between questions.
    pub fn logits(&self, question: &Vector) -> Vec<f32> {
        let mut hidden = self.hidden_bias.clone();
        self.embed(question, &mut hidden);
        for unit in &mut hidden {
            *unit = unit.max(0.0);
        }
        self.speak(&hidden)
    }

    fn embed(&self, question: &Vector, hidden: &mut [f32]) {
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

    fn speak(&self, hidden: &[f32]) -> Vec<f32> {
        let rows = self.outputs.chunks_exact(self.shape.hidden.max(1));
        let spoken = rows.zip(&self.output_bias);
        spoken
            .map(|(row, bias)| bias + row.iter().zip(hidden).map(|(w, h)| w * h).sum::<f32>())
            .collect()
    }
}

/// The probabilities that belong to logits.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut shares: Vec<f32> = logits.iter().map(|logit| (logit - highest).exp()).collect();
    let sum = shares.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    for share in &mut shares {
        *share /= sum;
    }
    shares
}

/// A network while it learns, with what is needed from step to step.
struct Training {
    network: Network,
    embedding_squares: Vec<f32>,
    output_squares: Vec<f32>,
    hidden: Vec<f32>,
    mask: Vec<f32>,
    back: Vec<f32>,
    kept: Vector,
    random: Random,
}

impl Training {
    fn run(&mut self, examples: &[Example<'_>]) {
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let steps = (EPOCHS * examples.len()).max(1) as f32;
        let mut step = 0.0;
        for _ in 0..EPOCHS {
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

    fn learn(&mut self, question: &Vector, meant: usize, rate: f32) {
        self.forget(question);
        self.hidden.copy_from_slice(&self.network.hidden_bias);
        self.network.embed(&self.kept, &mut self.hidden);
        for (unit, mask) in self.hidden.iter_mut().zip(&mut self.mask) {
            let keeps = *unit > 0.0 && self.random.unit() < HIDDEN_KEPT;
            *mask = if keeps { 1.0 / HIDDEN_KEPT } else { 0.0 };
            *unit *= *mask;
        }
        let mut slopes = softmax(&self.network.speak(&self.hidden));
        if let Some(truth) = slopes.get_mut(meant) {
            *truth -= 1.0;
        }
        self.back.fill(0.0);
        self.correct_outputs(&slopes, rate);
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
    fn forget(&mut self, question: &Vector) {
        self.kept.clear();
        let (mut whole, mut left) = (0.0, 0.0);
        for (feature, value) in question {
            whole += value * value;
            if self.random.unit() < FEATURES_KEPT {
                left += value * value;
                self.kept.push((*feature, *value));
            }
        }
        let factor = (whole / f32::max(left, 1e-6)).sqrt();
        for (_, value) in &mut self.kept {
            *value *= factor;
        }
    }

    fn correct_outputs(&mut self, slopes: &[f32], rate: f32) {
        let width = self.network.shape.hidden.max(1);
        let length = self.hidden.iter().map(|h| h * h).sum::<f32>() / width as f32;
        let rows = self.network.outputs.chunks_exact_mut(width);
        let biases = &mut self.network.output_bias;
        for (((row, bias), squares), slope) in
            rows.zip(biases).zip(&mut self.output_squares).zip(slopes)
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

    fn correct_embeddings(&mut self, rate: f32) {
        let width = self.network.shape.hidden;
        let length = self.back.iter().map(|b| b * b).sum::<f32>() / width.max(1) as f32;
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
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From 0 to below 1.
    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// About normal with variance 1: six uniform numbers added up.
    fn normal(&mut self) -> f32 {
        let sum: f32 = (0..6).map(|_| self.unit() - 0.5).sum();
        sum * std::f32::consts::SQRT_2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taught_is_known_and_the_same_teaching_gives_the_same_network() {
        let questions: Vec<Vector> = (0..8_u32)
            .map(|n| vec![(n % 4, 0.8), (4 + n, 0.6)])
            .collect();
        let examples: Vec<Example<'_>> = questions.iter().zip((0..4).cycle()).collect();
        let shape = Shape {
            features: 12,
            hidden: 16,
            outputs: 4,
        };
        let many: Vec<Example<'_>> = examples.iter().copied().cycle().take(400).collect();
        let network = Network::train(&many, shape, 1);
        for (question, meant) in &examples {
            let logits = network.logits(question);
            let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            assert_eq!(best.map(|(output, _)| output), Some(*meant));
        }
        let again = Network::train(&many, shape, 1);
        assert_eq!(network.embeddings, again.embeddings);
    }

    #[test]
    fn shares_add_up_to_one() {
        let shares = softmax(&[1000.0, 1000.0, -1000.0]);
        assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((shares[0] - 0.5).abs() < 1e-6);
    }
}
