//! The decoder on LibTorch: training and generation.

mod decoder;
mod formalizer;
mod generate;
#[cfg(feature = "self-learning")]
mod learner;
mod loss;
mod memory;
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
pub use parameters::Compute;
pub use run::{Control, LogLine, StopReason, Summary, latest, train};
pub use trainer::{Step, Trainer};
pub use training::{Schedule, Training};
