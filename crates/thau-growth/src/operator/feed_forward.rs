//! More feed-forward units.

use serde::{Deserialize, Serialize};

use super::{GrowthOperator, Preservation, behind, fill, resize};
use crate::{
    architecture::{Architecture, TensorSpec},
    axis::Axis,
    error::GrowthError,
    map::AffineMap,
};

/// Adds feed-forward units to every block: `gate` and `up` random, `down` zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WidenFeedForward {
    /// Units after it.
    pub to: usize,
}

impl<A: Architecture> GrowthOperator<A> for WidenFeedForward {
    fn preservation(&self, _: &A) -> Preservation {
        Preservation::Exact
    }

    fn grow_config(&self, from: &A) -> Result<A, GrowthError> {
        resize(from, Axis::FeedForward, self.to)
    }

    fn map(&self, from: &A, _: &A, tensor: &TensorSpec) -> Result<AffineMap, GrowthError> {
        Ok(match tensor.find(Axis::FeedForward) {
            Some((at, role)) => {
                AffineMap::along(tensor, at, behind(from.size(Axis::FeedForward), self.to), fill(role))
            }
            None => AffineMap::identity(tensor),
        })
    }
}
