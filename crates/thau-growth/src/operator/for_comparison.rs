//! Ways of the literature that change the function, for comparison.

use serde::{Deserialize, Serialize};

use super::{GrowthOperator, Preservation, resize, with_residual_scales};
use crate::{
    architecture::{Architecture, TensorSpec},
    axis::Axis,
    error::GrowthError,
    map::AffineMap,
};

/// Stacks copies of blocks in a given order. `[0, 1, 0, 1]` is G_stack (2024) ×2, `[0, 0, 1, 1]` interpolation;
/// a repeated middle is MIDAS (2024) and an overlapping range SOLAR (2023). Moments are copied along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StackLayers {
    /// For each block of the grown model, the old block that it copies.
    pub layers: Vec<usize>,
}

impl<A: Architecture> GrowthOperator<A> for StackLayers {
    fn preservation(&self, _: &A) -> Preservation {
        Preservation::Lossy
    }

    fn grow_config(&self, from: &A) -> Result<A, GrowthError> {
        let most = from.size(Axis::Layer);
        if let Some(&layer) = self.layers.iter().find(|&&layer| layer >= most) {
            return Err(GrowthError::NoSuchLayer { layer, layers: most });
        }
        let old = from.residual_scales();
        let scales = self.layers.iter().flat_map(|layer| [old[2 * layer], old[2 * layer + 1]]).collect();
        with_residual_scales(resize(from, Axis::Layer, self.layers.len())?, scales)
    }

    fn map(&self, from: &A, to: &A, tensor: &TensorSpec) -> Result<AffineMap, GrowthError> {
        match tensor.layer {
            None => Ok(AffineMap::identity(tensor)),
            Some(layer) => match self.layers.get(layer) {
                Some(&old) => tensor.copy_of(from, old, to),
                None => Err(GrowthError::UnknownTensor { name: tensor.name.clone() }),
            },
        }
    }
}

/// Another RoPE base with the same weights: NTK-aware scaling, adjusted base frequency. Every position moves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnRope {
    /// The base after it.
    pub base: f64,
}

impl<A: Architecture> GrowthOperator<A> for TurnRope {
    fn preservation(&self, _: &A) -> Preservation {
        Preservation::Lossy
    }

    fn grow_config(&self, from: &A) -> Result<A, GrowthError> {
        let scalars = crate::Scalars { rope_base: self.base, ..from.scalars() };
        from.with_scalars(&scalars).ok_or(GrowthError::ScalarRefused { scalar: "rope_base" })
    }

    fn map(&self, _: &A, _: &A, tensor: &TensorSpec) -> Result<AffineMap, GrowthError> {
        Ok(AffineMap::identity(tensor))
    }
}
