//! The decoder on LibTorch: training and generation.

mod attention;
// Until the trainer asks for it.
#[cfg_attr(not(test), allow(dead_code))]
mod decoder;
mod feed_forward;
mod formalizer;
mod generate;
#[cfg(feature = "self-learning")]
mod learner;
mod loss;
mod memory;
// Until the trainer draws from it.
#[cfg_attr(not(test), allow(dead_code))]
mod noise;
mod optimizer;
mod parameters;
mod run;
mod stream;
#[cfg(test)]
mod tests;
mod trainer;
mod training;

pub use formalizer::{Formalizer, Reading, Unread};
pub use generate::{Constraint, Generated, Generator, Prompt, Sampling};
#[cfg(feature = "self-learning")]
pub use learner::Learner;
pub use noise::Regularization;
pub use parameters::Compute;
pub use run::{Control, LogLine, StopReason, Summary, latest, train};
pub use trainer::{Step, Trainer};
pub use training::{Schedule, Training};
