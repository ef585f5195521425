//! Turns scores into probabilities: logistic regression over a handful of features, fitted when the knowledge is
//! loaded, on questions whose right answer is known.

/// What a fit may look at, one number a feature; they need no common scale.
pub type Features<const N: usize> = [f64; N];

/// One question with known outcome.
#[derive(Clone, Copy, Debug)]
pub struct Example<const N: usize> {
    /// What was seen.
    pub features: Features<N>,
    /// Whether it held.
    pub holds: bool,
    /// How much it counts.
    pub weight: f64,
}

/// A fitted model: the probability that something holds, given the features.
#[derive(Clone, Copy, Debug)]
pub struct Calibration<const N: usize> {
    weights: [f64; N],
    bias: f64,
    mean: [f64; N],
    scale: [f64; N],
}

const ROUNDS: usize = 400;
const RATE: f64 = 0.8;
const RIDGE: f64 = 1e-3;

impl<const N: usize> Calibration<N> {
    /// Fits to the examples; without examples of both outcomes it says one half for everything.
    pub fn fit(examples: &[Example<N>]) -> Self {
        let total: f64 = examples.iter().map(|e| e.weight).sum();
        let mut model = Self {
            weights: [0.0; N],
            bias: 0.0,
            mean: [0.0; N],
            scale: [1.0; N],
        };
        let both = examples.iter().any(|e| e.holds) && examples.iter().any(|e| !e.holds);
        if total <= 0.0 || !both {
            return model;
        }
        model.standardise(examples, total);
        let mut scaled = examples.to_vec();
        for example in &mut scaled {
            example.features = model.scaled(&example.features);
            example.weight /= total;
        }
        for _ in 0..ROUNDS {
            model.step(&scaled);
        }
        model
    }

    /// The probability, between 0 and 1.
    pub fn probability(&self, features: &Features<N>) -> f64 {
        self.of_scaled(&self.scaled(features))
    }

    fn of_scaled(&self, scaled: &Features<N>) -> f64 {
        let told = self.weights.iter().zip(scaled);
        let sum: f64 = told.map(|(weight, value)| weight * value).sum();
        1.0 / (1.0 + (-self.bias - sum).exp())
    }

    fn scaled(&self, features: &Features<N>) -> [f64; N] {
        let mut scaled = *features;
        for ((value, mean), scale) in scaled.iter_mut().zip(self.mean).zip(self.scale) {
            *value = (*value - mean) / scale;
        }
        scaled
    }

    fn standardise(&mut self, examples: &[Example<N>], total: f64) {
        for example in examples {
            for (mean, value) in self.mean.iter_mut().zip(example.features) {
                *mean += value * example.weight / total;
            }
        }
        let mut variance = [0.0; N];
        for example in examples {
            for ((sum, value), mean) in variance.iter_mut().zip(example.features).zip(self.mean) {
                *sum += (value - mean).powi(2) * example.weight / total;
            }
        }
        for (scale, variance) in self.scale.iter_mut().zip(variance) {
            *scale = variance.sqrt().max(1e-6);
        }
    }

    /// One step down the slope; the examples are scaled and their weights add up to one.
    fn step(&mut self, examples: &[Example<N>]) {
        let mut slope = [0.0; N];
        let mut bias_slope = 0.0;
        for example in examples {
            let truth = if example.holds { 1.0 } else { 0.0 };
            let error = (self.of_scaled(&example.features) - truth) * example.weight;
            bias_slope += error;
            for (sum, value) in slope.iter_mut().zip(example.features) {
                *sum += error * value;
            }
        }
        self.bias -= RATE * bias_slope;
        for (weight, slope) in self.weights.iter_mut().zip(slope) {
            *weight -= RATE * (slope + RIDGE * *weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_match_how_often_the_thing_held() {
        // Holds in 9 of 10 cases where the feature is 1, in 2 of 10 where it is 0.
        let examples: Vec<Example<1>> = (0..1000)
            .map(|n| {
                let high = n % 2 == 0;
                let of_ten = (n / 2) % 10;
                Example {
                    features: [if high { 1.0 } else { 0.0 }],
                    holds: of_ten < if high { 9 } else { 2 },
                    weight: 1.0,
                }
            })
            .collect();
        let model = Calibration::fit(&examples);
        assert!((model.probability(&[1.0]) - 0.9).abs() < 0.02);
        assert!((model.probability(&[0.0]) - 0.2).abs() < 0.02);
    }

    #[test]
    fn without_both_outcomes_nothing_is_claimed() {
        let one_sided = [Example {
            features: [1.0],
            holds: true,
            weight: 1.0,
        }];
        assert_eq!(Calibration::fit(&one_sided).probability(&[1.0]), 0.5);
    }
}
