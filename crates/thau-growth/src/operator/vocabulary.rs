//! More tokens.

use serde::{Deserialize, Serialize};

use super::{GrowthOperator, Preservation, behind, resize};
use crate::{
    architecture::{Architecture, TensorSpec},
    axis::Axis,
    error::GrowthError,
    map::{AffineMap, Fill},
};

/// Noise on new rows, relative to the old ones, so that no two tokens are twins.
const NOISE: f64 = 1e-3;

/// Adds `m` rows to a vocabulary of `V`: the mean row plus a little noise. Logits of old tokens stay exactly; the
/// loss rises by at most about `ln(1 + m/V)` nats a token, since the new tokens take their share of the softmax.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtendVocabulary {
    /// Tokens after it.
    pub to: usize,
}

impl<A: Architecture> GrowthOperator<A> for ExtendVocabulary {
    fn preservation(&self, _: &A) -> Preservation {
        Preservation::Exact
    }

    fn grow_config(&self, from: &A) -> Result<A, GrowthError> {
        resize(from, Axis::Vocabulary, self.to)
    }

    fn map(&self, from: &A, _: &A, tensor: &TensorSpec) -> Result<AffineMap, GrowthError> {
        Ok(match tensor.find(Axis::Vocabulary) {
            Some((at, _)) => {
                let places = behind(from.size(Axis::Vocabulary), self.to);
                AffineMap::along(tensor, at, places, Fill::MeanSlice { rms: NOISE })
            }
            None => AffineMap::identity(tensor),
        })
    }
}
