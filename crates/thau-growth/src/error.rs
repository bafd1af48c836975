//! What can be wrong.

use std::path::{Path, PathBuf};

use crate::{axis::Axis, forward::Precision, inspect::Idle, operator::Preservation};

/// Why a model could not be grown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrowthError {
    /// The target has less of an axis than there is.
    #[error("cannot shrink {axis:?} from {from} to {to}")]
    Shrinks {
        /// Which axis.
        axis: Axis,
        /// The size there is.
        from: usize,
        /// The size asked for.
        to: usize,
    },
    /// A tensor that the configuration names is not in the checkpoint.
    #[error("tensor {name} is missing")]
    MissingTensor {
        /// The name looked for.
        name: String,
    },
    /// A tensor has another number of entries than the configuration says.
    #[error("tensor {name} has {found} entries where {expected} are expected")]
    WrongLength {
        /// The tensor.
        name: String,
        /// Entries by the configuration.
        expected: usize,
        /// Entries there are.
        found: usize,
    },
    /// Old values cannot be found again in the grown tensor.
    #[error("tensor {name} cannot be taken back out of the grown model")]
    NotReversible {
        /// The tensor before growth.
        name: String,
    },
    /// Query and KV heads that no placement of the old ones fits.
    #[error("{from:?} query and KV heads cannot become {to:?}: every old query must keep its key and value")]
    Heads {
        /// Query heads and KV heads there are.
        from: (usize, usize),
        /// Those asked for.
        to: (usize, usize),
    },
    /// RoPE turns pairs of dimensions.
    #[error("a head of {from} dimensions cannot become one of {to}: both must be even and not 0")]
    OddHeads {
        /// Dimensions there are.
        from: usize,
        /// Dimensions asked for.
        to: usize,
    },
    /// A block to copy that is not there.
    #[error("block {layer} does not exist among {layers}")]
    NoSuchLayer {
        /// The block asked for, from 0.
        layer: usize,
        /// How many there are.
        layers: usize,
    },
    /// The configuration's format cannot hold a constant that the growth needs.
    #[error("the configuration cannot hold the {scalar} that this growth needs")]
    ScalarRefused {
        /// Which constant.
        scalar: &'static str,
    },
    /// The configuration derives residual scales from a size, so growing would change old sub-layers.
    #[error("growing {axis:?} moves the residual scales of old sub-layers")]
    ScalesMoved {
        /// Which axis.
        axis: Axis,
    },
    /// A tensor without a counterpart in the configuration before.
    #[error("tensor {name} has no counterpart")]
    UnknownTensor {
        /// The tensor.
        name: String,
    },
    /// A tensor has another shape than the configuration says.
    #[error("tensor {name} is {found:?} where {expected:?} is expected")]
    WrongShape {
        /// The tensor.
        name: String,
        /// The shape by the configuration.
        expected: Vec<usize>,
        /// The shape there is.
        found: Vec<usize>,
    },
    /// The target differs from what growth along every axis gives.
    #[error("growth reaches {reached}, not {wanted}")]
    Unreachable {
        /// The configuration after all steps.
        reached: String,
        /// The one asked for.
        wanted: String,
    },
    /// A plan that cannot be read.
    #[error("the plan is not valid: {0}")]
    Toml(#[source] Box<toml::de::Error>),
    /// A plan that cannot be written.
    #[error("the plan cannot be written: {0}")]
    Unwritable(#[source] Box<toml::ser::Error>),
    /// The model has nothing along this axis that could become more.
    #[error("the model does not have the axis {axis:?}")]
    NoSuchAxis {
        /// Which axis.
        axis: Axis,
    },
    /// A size that no machine holds.
    #[error("{axis:?} of {to} is beyond {most}")]
    TooLarge {
        /// Which axis.
        axis: Axis,
        /// The size asked for.
        to: usize,
        /// The largest accepted.
        most: usize,
    },
    /// A model that no machine holds.
    #[error("{parameters} parameters are beyond {most}")]
    TooManyParameters {
        /// Of the grown model.
        parameters: u64,
        /// The most accepted.
        most: u64,
    },
    /// A grown tensor does not fit in memory.
    #[error("a tensor grown from {name} with {entries} entries does not fit in memory")]
    OutOfMemory {
        /// The tensor before.
        name: String,
        /// Entries of the grown one.
        entries: usize,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not the JSON it should be.
    #[error("{}: {source}", path.display())]
    Json {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A safetensors file or its index is not one.
    #[error("{}: {reason}", path.display())]
    Safetensors {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// Weights in a number format that growth does not know.
    #[error("tensor {name} is stored as {dtype}; F32, F16 and BF16 can be grown")]
    Dtype {
        /// The tensor.
        name: String,
        /// Its format.
        dtype: String,
    },
    /// A tensor written that was not the next one announced, or in another shape.
    #[error("tensor {name} is not the one expected next")]
    OutOfOrder {
        /// The tensor.
        name: String,
    },
    /// The destination is there already, or has no name.
    #[error("{} exists already or cannot be a folder's name", path.display())]
    Exists {
        /// The destination.
        path: PathBuf,
    },
    /// The checkpoint is not the model that the plan grows.
    #[error("{} is not the configuration that the plan begins with", path.display())]
    NotThePlans {
        /// Its configuration.
        path: PathBuf,
    },
    /// The plan preserves less than was accepted.
    #[error("the growth is {claim:?}, which was not accepted")]
    Preserves {
        /// What it preserves.
        claim: Preservation,
    },
    /// The forward pass failed.
    #[error("the forward pass failed: {0}")]
    Forward(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nothing to compare: no probe, or a forward pass that gives another number of logits than it should.
    #[error("no probes, or not the number of logits that they should give")]
    NoProbes,
    /// The grown model computes something else.
    #[error("logits moved by {delta:e} in {precision:?}, more than {limit:e}")]
    LogitsMoved {
        /// In which arithmetic.
        precision: Precision,
        /// By how much, at most.
        delta: f64,
        /// How much would have been within tolerance.
        limit: f64,
    },
    /// No folder has the weights that the ledger names, or the ledger is not that long.
    #[error("no folder holds what {} was {growths} growths ago", path.display())]
    NoAncestor {
        /// The checkpoint.
        path: PathBuf,
        /// How many growths to go back.
        growths: usize,
    },
    /// The grown model has channels that cannot learn, or not on their own.
    #[error("growth left idle channels: {before:?} before, {after:?} after")]
    Idle {
        /// Before.
        before: Idle,
        /// After.
        after: Idle,
    },
}

impl GrowthError {
    pub(crate) fn io(path: &Path) -> impl Fn(std::io::Error) -> GrowthError {
        move |source| GrowthError::Io { path: path.into(), source }
    }

    pub(crate) fn json(path: &Path) -> impl Fn(serde_json::Error) -> GrowthError {
        move |source| GrowthError::Json { path: path.into(), source }
    }
}
