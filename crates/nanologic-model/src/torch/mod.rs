//! The decoder on LibTorch: training and generation.

mod attention;
mod beam;
mod decoder;
mod feed_forward;
mod formalizer;
mod generate;
#[cfg(feature = "self-learning")]
mod learner;
mod loss;
mod memory;
mod noise;
mod optimizer;
mod parameters;
#[cfg(test)]
mod pytorch;
mod roof;
mod run;
mod sampling;
mod stream;
#[cfg(test)]
mod tests;
mod trainer;
mod training;

pub use data_pipeline::Section;
pub use decoder::Recompute;
pub use formalizer::{Formalizer, Reading, Unread};
pub use generate::{Constraint, Generated, Generator, Prompt, Until};
#[cfg(feature = "self-learning")]
pub use learner::Learner;
pub use noise::Regularization;
pub use parameters::Compute;
pub use roof::matmul_roof;
pub use run::{Control, LogLine, StopReason, Summary, latest, train};
pub use sampling::Sampling;
pub use stream::Phase;
pub use trainer::{Step, Trainer};
pub use training::{EarlyStop, GradientNoise, Loss, Method, Schedule, Training};
