//! How to train: rates, schedule, batch, number format.
//!
//! The defaults teach the demonstration's model to formalize: Muon (Jordan et al., 2024) learns this task several
//! times faster than AdamW alone, and 1500 steps are nine million tokens, about five minutes of two quiet cores.

use data_pipeline::Section;
use serde::{Deserialize, Serialize};

use super::decoder::Recompute;
use super::noise::Regularization;
use super::parameters::Compute;
use super::stream::SHORTEST_ROW;
use crate::config::Config;
use crate::error::Error;

/// Settings of a training run; the architecture is [`Config`](crate::Config)'s affair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Training {
    /// Steps in all.
    pub steps: u64,
    /// Tokens a step, padding included.
    pub batch_tokens: usize,
    /// Parts of a batch that are computed one after the other: the same step in less memory.
    pub accumulation: usize,
    /// Seed of the order of the data and of every draw.
    pub seed: u64,
    /// Which rule turns gradients into steps.
    pub method: Method,
    /// Muon's rate at the top of the schedule, for a matrix no taller than wide.
    pub learning_rate: f64,
    /// AdamW's rate as a share of `learning_rate`, whichever tensors it trains.
    pub adam_share: f64,
    /// AdamW's decay of its two moments; the first is the weight of the average when it is schedule-free.
    pub adam_betas: (f64, f64),
    /// What AdamW adds to the root of its second moment.
    pub adam_eps: f64,
    /// Muon's decay of its momentum.
    pub muon_momentum: f64,
    /// Share of its rate by which a hidden matrix shrinks each step. Gains, embeddings and a head never shrink.
    pub weight_decay: f64,
    /// Steps until the rate is full.
    pub warmup_steps: u64,
    /// How the rate falls after that.
    pub schedule: Schedule,
    /// Largest Euclidean norm of the whole gradient.
    pub clip: f64,
    /// Normal noise on the clipped gradient (Neelakantan et al., 2015).
    pub gradient_noise: Option<GradientNoise>,
    /// Keep an average of the weights that forgets by this factor a step; it is what is measured and handed over.
    pub ema: Option<f64>,
    /// What is added up into the loss.
    pub loss: Loss,
    /// What is left out at random.
    pub regularization: Regularization,
    /// What the backward pass computes again to save memory.
    pub recompute: Recompute,
    /// Number format of the large products.
    pub compute: Compute,
    /// Threads; each computes the gradient of its share of the rows. The same number gives the same bits.
    pub threads: usize,
    /// Steps between two checkpoints, and between two validations.
    pub checkpoint_every: u64,
    /// How many of the models that did best on the validation sequences are kept beside the last.
    pub keep_best: usize,
    /// When to stop before the last step.
    pub early_stop: Option<EarlyStop>,
    /// Look for numbers that are none in weights and moments too, after every step.
    pub debug: bool,
}

/// Stops a run that no longer gets better.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlyStop {
    /// Validations in a row without a gain, at least 1.
    pub patience: usize,
    /// What counts as one, in nats.
    pub least_gain: f64,
}

/// The rule that turns gradients into steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Muon (Jordan et al., 2024) for hidden matrices, AdamW for the rest.
    Muon,
    /// AdamW (Loshchilov and Hutter, 2019) for all.
    AdamW,
    /// AdamW without a schedule (Defazio et al., 2024): after the warm-up the rate stays, and the model is an average
    /// of all steps. It averages by itself, so that [`Training::ema`] is refused beside it.
    ScheduleFree,
}

/// How the learning rate falls. Without meaning for [`Method::ScheduleFree`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// It does not.
    Constant,
    /// Half a cosine, down to 0 at the last step.
    Cosine,
    /// Constant, then linearly to 0 over this share of the steps (warm-up, stable, decay).
    StableDecay(f64),
}

/// Noise of variance `eta / (1 + step)^gamma`, `step` counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GradientNoise {
    /// Variance at the first step.
    pub eta: f64,
    /// How fast it falls.
    pub gamma: f64,
}

impl Default for GradientNoise {
    /// η of the NanoLogic notes, γ of the paper.
    fn default() -> GradientNoise {
        GradientNoise { eta: 0.1, gamma: 0.55 }
    }
}

impl GradientNoise {
    /// Standard deviation at a step, counted from 0.
    pub fn deviation(&self, step: u64) -> f64 {
        (self.eta / (1.0 + step as f64).powf(self.gamma)).sqrt()
    }
}

/// What is added up into the loss of a batch, each a mean over the scored tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Loss {
    /// Sections of the answer whose tokens are scored.
    pub sections: Vec<Section>,
    /// Share ε of the target's probability that is spread over the whole vocabulary.
    pub label_smoothing: f64,
    /// Sections that are smoothed; the others keep sharp targets.
    pub smoothed: Vec<Section>,
    /// Weight of a prompt's token beside an answer's: learning to write the sentence too, as an auxiliary task.
    pub prompt: f64,
    /// Weight of the squared logarithm of the softmax's denominator, which keeps logits from drifting (z-loss).
    pub z: f64,
}

impl Default for Loss {
    /// Plain cross-entropy of the whole answer.
    fn default() -> Loss {
        Loss {
            sections: Section::ALL.into(),
            label_smoothing: 0.0,
            smoothed: Section::ALL.into(),
            prompt: 0.0,
            z: 0.0,
        }
    }
}

impl Default for Training {
    /// The settings of the demonstration.
    fn default() -> Training {
        Training {
            steps: 1500,
            batch_tokens: 6144,
            accumulation: 1,
            seed: 0,
            method: Method::Muon,
            learning_rate: 0.02,
            adam_share: 0.1,
            adam_betas: (0.9, 0.98),
            adam_eps: 1e-8,
            muon_momentum: 0.95,
            weight_decay: 0.01,
            warmup_steps: 100,
            schedule: Schedule::Cosine,
            clip: 1.0,
            gradient_noise: None,
            ema: None,
            loss: Loss::default(),
            regularization: Regularization::default(),
            recompute: Recompute::default(),
            compute: Compute::default(),
            threads: 2,
            checkpoint_every: 500,
            keep_best: 3,
            early_stop: None,
            debug: false,
        }
    }
}

impl Training {
    /// Checks that the settings go together and lie where they mean something.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first that does not.
    pub fn validate(&self) -> Result<(), Error> {
        let wrong = |setting, reason: &str| Err(Error::Setting { setting, reason: reason.to_owned() });
        let share = |x: f64| (0.0..1.0).contains(&x);
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let not_negative = |x: f64| x.is_finite() && x >= 0.0;
        for (setting, holds) in [
            ("adam_betas", share(self.adam_betas.0) && share(self.adam_betas.1)),
            ("muon_momentum", share(self.muon_momentum)),
            ("ema", self.ema.is_none_or(share)),
            ("loss.label_smoothing", share(self.loss.label_smoothing)),
        ] {
            if !holds {
                return wrong(setting, "must be at least 0 and below 1");
            }
        }
        for (setting, holds) in [
            ("learning_rate", not_negative(self.learning_rate)),
            ("adam_share", not_negative(self.adam_share)),
            ("weight_decay", not_negative(self.weight_decay)),
            ("loss.z", not_negative(self.loss.z)),
            ("loss.prompt", not_negative(self.loss.prompt) && self.loss.prompt < 1.0),
            (
                "gradient_noise",
                self.gradient_noise.is_none_or(|n| not_negative(n.eta) && not_negative(n.gamma)),
            ),
        ] {
            if !holds {
                return wrong(setting, "is out of range");
            }
        }
        if !positive(self.adam_eps) || !positive(self.clip) {
            return wrong(if positive(self.clip) { "adam_eps" } else { "clip" }, "must be above 0");
        }
        if self.method == Method::ScheduleFree && self.ema.is_some() {
            return wrong("ema", "the schedule-free method averages already");
        }
        if self.method == Method::ScheduleFree && self.adam_betas.0 == 0.0 {
            return wrong("adam_betas", "the schedule-free method needs a first one above 0");
        }
        if let Some((setting, _)) = self.regularization.out_of_range() {
            return wrong(setting, "must be at least 0 and below 1");
        }
        if self.loss.sections.is_empty() {
            return wrong("loss.sections", "no section is scored");
        }
        Ok(())
    }

    /// What a run's checkpoint remembers of its settings.
    pub(super) fn as_json(&self) -> Option<serde_json::Value> {
        serde_json::to_value(self).ok()
    }

    /// Names of the settings that a run began with otherwise, of those that change its numbers.
    pub(super) fn differing(&self, began: &Option<serde_json::Value>) -> Vec<String> {
        let (Some(serde_json::Value::Object(began)), Some(serde_json::Value::Object(now))) =
            (began, self.as_json())
        else {
            return Vec::new();
        };
        let matters = |name: &str| {
            !matches!(name, "threads" | "checkpoint_every" | "keep_best" | "recompute" | "debug")
        };
        let other =
            now.iter().filter(|(name, value)| matters(name) && began.get(*name).is_some_and(|b| b != *value));
        other.map(|(name, _)| name.clone()).collect()
    }

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
            _ if self.method == Method::ScheduleFree => 1.0,
            Schedule::Constant => 1.0,
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
        let free = Training { method: Method::ScheduleFree, ..stable.clone() };
        assert_eq!((free.rate_factor(49), free.rate_factor(999)), (0.5, 1.0));
        let constant = Training { schedule: Schedule::Constant, ..stable };
        assert_eq!(constant.rate_factor(999), 1.0);
    }

    #[test]
    fn settings_that_do_not_go_together_are_refused_by_name() {
        Training::default().validate().unwrap();
        let default = Training::default;
        let smoothed = Loss { label_smoothing: 1.0, ..Loss::default() };
        let unscored = Loss { sections: Vec::new(), ..Loss::default() };
        for (bad, name) in [
            (Training { method: Method::ScheduleFree, ema: Some(0.999), ..default() }, "ema"),
            (Training { ema: Some(1.0), ..default() }, "ema"),
            (Training { clip: 0.0, ..default() }, "clip"),
            (Training { learning_rate: f64::NAN, ..default() }, "learning_rate"),
            (Training { loss: smoothed, ..default() }, "loss.label_smoothing"),
            (Training { loss: unscored, ..default() }, "loss.sections"),
        ] {
            assert!(
                matches!(bad.validate(), Err(Error::Setting { setting, .. }) if setting == name),
                "{name}"
            );
        }
    }

    #[test]
    fn noise_falls_as_its_formula_says() {
        let noise = GradientNoise { eta: 0.04, gamma: 0.5 };
        assert!((noise.deviation(0) - 0.2).abs() < 1e-12);
        assert!((noise.deviation(15) - 0.1).abs() < 1e-12);
    }
}
