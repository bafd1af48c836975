//! What can be wrong.

use crate::axis::Axis;

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
    /// A grown tensor does not fit in memory.
    #[error("a tensor grown from {name} with {entries} entries does not fit in memory")]
    OutOfMemory {
        /// The tensor before.
        name: String,
        /// Entries of the grown one.
        entries: usize,
    },
}
