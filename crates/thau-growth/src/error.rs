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
}
