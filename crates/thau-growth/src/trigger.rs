//! When to grow.
//!
//! The literature and our own runs agree on one thing: grow before the small model saturates, by a factor near 2.
//! An overtrained small model saves nothing.

use serde::{Deserialize, Serialize};

/// A reason to grow.
///
/// ```
/// use thau_growth::{Progress, Trigger, due};
/// let triggers = [Trigger::TokensPerParameter(20.0), Trigger::Flat { window: 100, least_slope: 1e-4 }];
/// let losses: Vec<f64> = (0..200).map(|step| 3.0 - 0.01 * f64::from(step)).collect();
/// let progress = Progress { steps: 200, tokens: 1_000_000, parameters: 1_000_000, losses: &losses, ..Progress::default() };
/// assert_eq!(due(&triggers, &progress), None);
/// let progress = Progress { losses: &[1.25; 200], ..progress };
/// assert_eq!(due(&triggers, &progress), Some(&triggers[1]));
///
/// let stage = [Trigger::Criteria { examples: 100, accuracy: 0.7 }];
/// assert_eq!(due(&stage, &Progress { examples: 100, accuracy: Some(0.65), ..progress }), None);
/// assert_eq!(due(&stage, &Progress { examples: 100, accuracy: Some(0.75), ..progress }), Some(&stage[0]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// So many optimizer steps at this age.
    Steps(u64),
    /// So many tokens seen at this age for every parameter.
    TokensPerParameter(f64),
    /// The loss falls more slowly than `least_slope` nats a step, by least squares over the last `window` steps.
    Flat {
        /// Steps looked at; fewer give no verdict.
        window: usize,
        /// In nats a step.
        least_slope: f64,
    },
    /// What a cognitive stage asks for: so many examples learnt at this age, and this share right in its examination.
    Criteria {
        /// At least so many.
        examples: u64,
        /// At least this share, 0 to 1.
        accuracy: f64,
    },
}

/// How far training at one age has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress<'a> {
    /// Optimizer steps.
    pub steps: u64,
    /// Tokens, without padding.
    pub tokens: u64,
    /// Parameters of the model.
    pub parameters: u64,
    /// The loss of every step, in nats a token, oldest first.
    pub losses: &'a [f64],
    /// Examples learnt, those seen again too.
    pub examples: u64,
    /// The share that was right in the last examination, 0 to 1.
    pub accuracy: Option<f64>,
}

/// The first trigger that says it is time.
pub fn due<'t>(triggers: &'t [Trigger], progress: &Progress<'_>) -> Option<&'t Trigger> {
    triggers.iter().find(|trigger| match **trigger {
        Trigger::Steps(steps) => progress.steps >= steps,
        Trigger::TokensPerParameter(ratio) => progress.tokens as f64 >= ratio * progress.parameters as f64,
        Trigger::Flat { window, least_slope } => {
            let first = progress.losses.len().checked_sub(window);
            first.is_some_and(|first| window > 1 && -slope(&progress.losses[first..]) < least_slope)
        }
        Trigger::Criteria { examples, accuracy } => {
            progress.examples >= examples && progress.accuracy.is_some_and(|share| share >= accuracy)
        }
    })
}

/// The slope of a line fitted to values one step apart.
fn slope(values: &[f64]) -> f64 {
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let (mut xy, mut xx) = (0.0, 0.0);
    for (n, value) in values.iter().enumerate() {
        let x = n as f64 - middle;
        xy += x * value;
        xx += x * x;
    }
    xy / xx
}
