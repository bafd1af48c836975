//! More blocks.

use serde::{Deserialize, Serialize};

use super::{GrowthOperator, Preservation, resize, with_residual_scales};
use crate::{
    architecture::{Architecture, TensorSpec},
    axis::{Axis, Role},
    error::GrowthError,
    map::{AffineMap, Fill, History},
};

/// Inserts blocks that do nothing yet, spread evenly, each behind the block it is a copy of: what writes the
/// residual stream is zero, the rest is copied. Pre-norm only.
///
/// Source: LLaMA Pro 2024. Residual scales of old sub-layers are kept where the format can hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InsertLayers {
    /// Blocks after it.
    pub to: usize,
}

/// Where a block of the grown model comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Kept(usize),
    Inserted { behind: usize },
}

impl InsertLayers {
    /// The blocks of the grown model: after old block `l` come as many new ones as keep the spacing even.
    fn blocks<A: Architecture>(&self, from: &A) -> Vec<Block> {
        let old = from.size(Axis::Layer);
        let new = self.to.saturating_sub(old);
        let inserted_up_to = |layers: usize| (layers as u128 * new as u128 / old.max(1) as u128) as usize;
        let with_new = |layer| {
            let inserted = inserted_up_to(layer + 1) - inserted_up_to(layer);
            std::iter::once(Block::Kept(layer))
                .chain(std::iter::repeat_n(Block::Inserted { behind: layer }, inserted))
        };
        (0..old).flat_map(with_new).collect()
    }
}

impl<A: Architecture> GrowthOperator<A> for InsertLayers {
    fn preservation(&self, _: &A) -> Preservation {
        Preservation::Exact
    }

    fn grow_config(&self, from: &A) -> Result<A, GrowthError> {
        let grown = resize(from, Axis::Layer, self.to)?;
        let old = from.residual_scales();
        let kept = |block| match block {
            Block::Kept(layer) => [old[2 * layer], old[2 * layer + 1]],
            Block::Inserted { .. } => [1.0; 2],
        };
        let scales: Vec<f64> = self.blocks(from).into_iter().flat_map(kept).collect();
        with_residual_scales(grown, scales)
    }

    fn map(&self, from: &A, to: &A, tensor: &TensorSpec) -> Result<AffineMap, GrowthError> {
        let Some(layer) = tensor.layer else {
            return Ok(AffineMap::identity(tensor));
        };
        match self.blocks(from).get(layer) {
            Some(&Block::Kept(old)) => tensor.copy_of(from, old, to),
            Some(&Block::Inserted { behind }) => {
                let copy = AffineMap { history: History::Fresh, ..tensor.copy_of(from, behind, to)? };
                let writes = matches!(tensor.find(Axis::Residual), Some((_, Role::Producer)));
                Ok(if writes { copy.filled(Fill::Zero) } else { copy })
            }
            None => Err(GrowthError::UnknownTensor { name: tensor.name.clone() }),
        }
    }
}
