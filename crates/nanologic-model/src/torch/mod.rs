//! The decoder on LibTorch: training and generation.

mod decoder;
mod loss;
mod memory;
mod optimizer;
mod parameters;
mod run;
#[cfg(test)]
mod tests;
mod trainer;
mod training;

pub use parameters::Compute;
pub use run::{Control, LogLine, StopReason, Summary, latest, train};
pub use trainer::{Step, Trainer};
pub use training::{Schedule, Training};
