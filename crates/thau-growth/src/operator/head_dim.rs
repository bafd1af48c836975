//! Wider attention heads.

use serde::{Deserialize, Serialize};

use super::{GrowthOperator, Preservation, behind, fill, resize};
use crate::{
    architecture::{Architecture, TensorSpec},
    axis::{Axis, Role},
    error::GrowthError,
    map::{AffineMap, Fill, Place},
};

/// How large new key rows start where a QK-norm would notice them.
const LIFT: f64 = 1e-4;

/// Widens every head from `h` to `h'` dimensions.
///
/// Rotary pair `i` of `h` dimensions turns by `θ^(-2i/h)`; with `θ' = θ^(h'/h)` the old pairs keep their
/// frequencies and the new ones turn more slowly. Pair `(i, i + h/2)` moves to `(i, i + h'/2)`. What the runtime's
/// softmax scale loses is folded into the queries. New query rows are zero, new key rows random; new value rows
/// random, new columns of `o` zero.
///
/// A QK-norm divides by the root mean square over the head: writers are stretched by `√(h'/h)` and gains shrunk by
/// it. Random new key rows would move that root mean square, zero ones would be trapped; they start 10⁴ times
/// smaller than the old, which moves logits by some 10⁻⁸ of their size (more where a key nearly vanishes) and
/// trains at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WidenHeads {
    /// Dimensions of a head after it; even.
    pub to: usize,
}

impl<A: Architecture> GrowthOperator<A> for WidenHeads {
    fn preservation(&self, from: &A) -> Preservation {
        if from.has_qk_norm() { Preservation::Bounded(1e-4) } else { Preservation::Exact }
    }

    fn grow_config(&self, from: &A) -> Result<A, GrowthError> {
        let old = from.size(Axis::QkDim);
        if !old.is_multiple_of(2) || !self.to.is_multiple_of(2) || old == 0 {
            return Err(GrowthError::OddHeads { from: old, to: self.to });
        }
        let grown = resize(&resize(from, Axis::QkDim, self.to)?, Axis::ValueDim, self.to)?;
        let mut scalars = grown.scalars();
        scalars.rope_base = scalars.rope_base.powf(self.to as f64 / old as f64);
        grown.with_scalars(&scalars).ok_or(GrowthError::ScalarRefused { scalar: "rope_base" })
    }

    fn map(&self, from: &A, to: &A, tensor: &TensorSpec) -> Result<AffineMap, GrowthError> {
        if let Some((at, role)) = tensor.find(Axis::ValueDim) {
            let places = behind(from.size(Axis::ValueDim), self.to);
            return Ok(AffineMap::along(tensor, at, places, fill(role)));
        }
        let Some((at, role)) = tensor.find(Axis::QkDim) else {
            return Ok(AffineMap::identity(tensor));
        };
        let old = from.size(Axis::QkDim);
        let softmax = from.scalars().softmax_scale / to.scalars().softmax_scale;
        let s = (self.to as f64 / old as f64).sqrt();
        let (fill, scale) = match (role, from.has_qk_norm()) {
            (Role::Consumer, false) => (Fill::Zero, softmax),
            (Role::Producer, false) => (Fill::Random { rms: 1.0 }, 1.0),
            (Role::Consumer, true) => (Fill::Zero, s),
            (Role::Producer, true) => (Fill::Random { rms: LIFT }, s),
            // Both gains take half of the softmax scale, so that neither needs a name.
            (_, _) => (Fill::Mean, softmax.sqrt() / s),
        };
        let half = |dim: usize, n: usize| (dim / (n / 2), dim % (n / 2));
        let place = |dim| match half(dim, self.to) {
            (side, pair) if pair < old / 2 => Place::Old { index: side * (old / 2) + pair, copies: 1 },
            _ => Place::New,
        };
        Ok(AffineMap::along(tensor, at, (0..self.to).map(place).collect(), fill).scaled(scale))
    }
}
