//! A wider residual stream.

use serde::{Deserialize, Serialize};

use super::{GrowthOperator, Preservation, behind, resize};
use crate::{
    architecture::{Architecture, TensorSpec},
    axis::{Axis, Role},
    error::GrowthError,
    map::{AffineMap, Fill},
};

/// Widens the residual stream from `d` to any `d' ≥ d`.
///
/// Nothing writes the new channels (embedding columns, rows of the output projections are zero), everything reads
/// them. A norm divides by the root mean square over all channels, which the zeros lower; [`Fold`] says where the
/// difference goes. An embedding scale that the runtime derives from `d` is folded into the embedding.
///
/// Source: Gesmundo & Maile 2023, with eps and a tied head added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WidenResidual {
    /// The width after it.
    pub to: usize,
    /// What makes up for the lower root mean square.
    #[serde(default)]
    pub fold: Fold,
}

/// What makes up for zeros in a root mean square, for `s = √(d'/d)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fold {
    /// Writers ·s, gains /s, a gain before a tied head /s², eps as it was. For formats with one eps for all norms.
    #[default]
    Writers,
    /// Gains /s and eps /s²; matrices stay bit for bit, so a bf16 model with fp32 gains loses nothing. QK-norms
    /// share the eps where a format has one for all; there the growth is [`Preservation::Bounded`], by eps over the
    /// mean square of a query or key.
    Eps,
}

/// One over the smallest mean square of a query or key that a bound is given for.
const QK_NORM: f64 = 100.0;

impl WidenResidual {
    fn stretch<A: Architecture>(&self, from: &A) -> f64 {
        (self.to as f64 / from.size(Axis::Residual) as f64).sqrt()
    }
}

impl<A: Architecture> GrowthOperator<A> for WidenResidual {
    fn preservation(&self, from: &A) -> Preservation {
        match self.fold {
            Fold::Eps if from.has_qk_norm() => Preservation::Bounded(QK_NORM * from.scalars().norm_eps),
            _ => Preservation::Exact,
        }
    }

    fn grow_config(&self, from: &A) -> Result<A, GrowthError> {
        let grown = resize(from, Axis::Residual, self.to)?;
        match self.fold {
            Fold::Writers => Ok(grown),
            Fold::Eps => {
                let mut scalars = grown.scalars();
                scalars.norm_eps /= self.stretch(from).powi(2);
                grown.with_scalars(&scalars).ok_or(GrowthError::ScalarRefused { scalar: "norm_eps" })
            }
        }
    }

    fn map(&self, from: &A, to: &A, tensor: &TensorSpec) -> Result<AffineMap, GrowthError> {
        let Some((at, role)) = tensor.find(Axis::Residual) else {
            return Ok(AffineMap::identity(tensor));
        };
        let s = self.stretch(from);
        let writers = if self.fold == Fold::Writers { s } else { 1.0 };
        // The runtime multiplies the embedding, and only it, by a factor that may have moved.
        let embedding = writers * from.scalars().embedding_scale / to.scalars().embedding_scale;
        let (fill, scale) = match role {
            Role::Producer if tensor.layer.is_none() => (Fill::Zero, embedding),
            Role::Producer => (Fill::Zero, writers),
            Role::Tied => (Fill::Zero, embedding),
            Role::Consumer | Role::Entry => (Fill::Random { rms: 1.0 }, 1.0),
            Role::Gain => (Fill::Mean, 1.0 / s),
            Role::TiedGain => (Fill::Mean, 1.0 / (s * embedding)),
        };
        let places = behind(from.size(Axis::Residual), self.to);
        Ok(AffineMap::along(tensor, at, places, fill).scaled(scale))
    }
}
