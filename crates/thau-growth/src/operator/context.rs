//! Longer sequences.

use serde::{Deserialize, Serialize};

use super::{GrowthOperator, Preservation, resize};
use crate::{
    architecture::{Architecture, TensorSpec},
    axis::Axis,
    error::GrowthError,
    map::AffineMap,
};

/// Allows longer sequences with the RoPE base as it is: old positions compute what they did, later ones are
/// positions that the model has never seen. Scaling the frequencies instead is [`TurnRope`](super::TurnRope).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtendContext {
    /// The longest sequence after it, in tokens.
    pub to: usize,
}

impl<A: Architecture> GrowthOperator<A> for ExtendContext {
    fn preservation(&self, _: &A) -> Preservation {
        Preservation::Exact
    }

    fn grow_config(&self, from: &A) -> Result<A, GrowthError> {
        resize(from, Axis::Context, self.to)
    }

    fn map(&self, _: &A, _: &A, tensor: &TensorSpec) -> Result<AffineMap, GrowthError> {
        Ok(AffineMap::identity(tensor))
    }
}
