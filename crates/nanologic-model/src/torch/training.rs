//! How to train: rates, schedule, batch, number format.
//!
//! The defaults teach the demonstration's model to formalize: Muon (Jordan et al., 2024) learns this task several
//! times faster than AdamW alone, and 1500 steps are nine million tokens, about five minutes of two quiet cores.

use serde::{Deserialize, Serialize};

use super::parameters::Compute;
use super::stream::SHORTEST_ROW;
use crate::config::Config;

/// Settings of a training run; the architecture is [`Config`](crate::Config)'s affair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Training {
    /// Steps in all.
    pub steps: u64,
    /// Tokens a step, padding included.
    pub batch_tokens: usize,
    /// Seed of the order of the data.
    pub seed: u64,
    /// Muon's rate at the top of the schedule, for a matrix no taller than wide.
    pub learning_rate: f64,
    /// AdamW's rate as a share of `learning_rate`.
    pub adam_share: f64,
    /// AdamW's decay of its two moments.
    pub adam_betas: (f64, f64),
    /// What AdamW adds to the root of its second moment.
    pub adam_eps: f64,
    /// Muon's decay of its momentum.
    pub muon_momentum: f64,
    /// Share of `learning_rate` by which hidden matrices shrink each step.
    pub weight_decay: f64,
    /// Steps until the rate is full.
    pub warmup_steps: u64,
    /// How the rate falls after that.
    pub schedule: Schedule,
    /// Largest Euclidean norm of the whole gradient.
    pub clip: f64,
    /// Number format of the large products.
    pub compute: Compute,
    /// Threads; each computes the gradient of its share of the rows. The same number gives the same bits.
    pub threads: usize,
    /// Steps between two checkpoints.
    pub checkpoint_every: u64,
}

/// How the learning rate falls.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Half a cosine, down to 0 at the last step.
    Cosine,
    /// Constant, then linearly to 0 over this share of the steps (warm-up, stable, decay).
    StableDecay(f64),
}

impl Default for Training {
    /// The settings of the demonstration.
    fn default() -> Training {
        Training {
            steps: 1500,
            batch_tokens: 6144,
            seed: 0,
            learning_rate: 0.02,
            adam_share: 0.1,
            adam_betas: (0.9, 0.98),
            adam_eps: 1e-8,
            muon_momentum: 0.95,
            weight_decay: 0.01,
            warmup_steps: 100,
            schedule: Schedule::Cosine,
            clip: 1.0,
            compute: Compute::default(),
            threads: 2,
            checkpoint_every: 500,
        }
    }
}

impl Training {
    /// The steps that spend about `flops` floating-point operations on a model of this shape, at least one.
    pub fn steps_for(&self, flops: f64, config: &Config) -> u64 {
        let step = self.batch_tokens as f64 * config.training_flops_per_token(SHORTEST_ROW);
        (flops / step).round().max(1.0) as u64
    }

    /// The share of the full rate at `step`, counted from 0.
    pub fn rate_factor(&self, step: u64) -> f64 {
        let warmup = self.warmup_steps.min(self.steps / 2);
        if step < warmup {
            return (step + 1) as f64 / warmup as f64;
        }
        let left = self.steps.saturating_sub(step) as f64;
        match self.schedule {
            Schedule::Cosine => {
                let share = left / (self.steps - warmup).max(1) as f64;
                0.5 - 0.5 * (std::f64::consts::PI * share).cos()
            }
            Schedule::StableDecay(share) => (left / (share * self.steps as f64).max(1.0)).min(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_rise_hold_and_fall() {
        let cosine = Training { steps: 1000, warmup_steps: 100, ..Training::default() };
        assert_eq!(cosine.rate_factor(49), 0.5);
        assert_eq!(cosine.rate_factor(100), 1.0);
        assert!((cosine.rate_factor(550) - 0.5).abs() < 1e-12);
        assert!(cosine.rate_factor(999) < 1e-5);
        let stable = Training { schedule: Schedule::StableDecay(0.2), ..cosine };
        assert_eq!(stable.rate_factor(700), 1.0);
        assert!((stable.rate_factor(900) - 0.5).abs() < 1e-12);
    }
}
