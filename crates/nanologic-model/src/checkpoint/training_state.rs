//! What training needs beyond the weights to go on as if it had never stopped.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::weights::Weights;
use crate::error::Error;

/// Optimizer moments by name, and where training stood.
///
/// Tensors are called `first_moment.<tensor>` and `second_moment.<tensor>` (AdamW), `momentum.<tensor>` (Muon),
/// `ema.<tensor>` (average of the weights), `z.<tensor>` (schedule-free AdamW) and `born.<tensor>` (the optimizer step
/// before which an entry did not exist), with the shape of the tensor they belong to; growth carries them along.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingState {
    /// The moments.
    pub moments: Weights,
    /// The counters.
    pub progress: Progress,
}

/// The counters of a training run; kept as JSON in the metadata of `training_state.safetensors`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Steps taken in this run.
    pub step: u64,
    /// Steps this run will take in all.
    pub total_steps: u64,
    /// Steps that AdamW's moments have seen, in this run and in those before; growth keeps it.
    pub optimizer_step: u64,
    /// Real tokens seen in this run, without padding.
    pub tokens: u64,
    /// Seed of the run: of the order of the data and of every draw.
    pub seed: u64,
    /// The settings that the run began with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<serde_json::Value>,
    /// Floating-point operations spent in this run, by the usual count of six per parameter and token.
    pub flops: f64,
}

const KEY: &str = "training_state";

impl TrainingState {
    /// Reads `training_state.safetensors`.
    ///
    /// # Errors
    /// As [`Weights::read`]; [`Error::Json`] when the counters are unreadable.
    pub fn read(path: &Path) -> Result<TrainingState, Error> {
        let (moments, metadata) = Weights::read(path)?;
        let progress = match metadata.get(KEY) {
            Some(json) => serde_json::from_str(json).map_err(Error::json(path))?,
            None => Progress::default(),
        };
        Ok(TrainingState { moments, progress })
    }

    /// Writes `training_state.safetensors`, atomically.
    ///
    /// # Errors
    /// As [`Weights::write`].
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let json = serde_json::to_string(&self.progress).map_err(Error::json(path))?;
        self.moments.write(path, (KEY, json))
    }
}
