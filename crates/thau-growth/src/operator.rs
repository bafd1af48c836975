//! Ways to grow, and how to add one.
//!
//! An operator says what the configuration becomes and, tensor by tensor, where the grown values come from. It
//! sees axes and roles, never names, so it works on every [`Architecture`]. To add one to this crate:
//!
//! 1. `src/operator/NAME.rs`, and its `mod` and `pub use` here: a struct with named fields for the sizes it asks for,
//!    derives as its neighbours have them, and the three functions of [`GrowthOperator`]. [`resize`] checks the size,
//!    [`behind`] places the channels, [`fill`] says what new ones hold.
//! 2. A line in `steps!` of `src/recipe.rs`, so that recipes can say it, and one in `Recipe::between` if a target
//!    configuration is to reach it.
//! 3. Unless it is lossy, a line in `any_steps` of `tests/it/exactness.rs`, which grows random models by it, in any
//!    order with the others, and holds it to its [`Preservation`]; one in `no_exact_operator_leaves_idle_channels` of
//!    `tests/it/naive.rs`; and one in `a_full_model_grows_exactly_or_not_at_all` of `nanologic-model/src/growth.rs`.
//! 4. `cargo test -p thau-growth`, then `cargo test -p nanologic-model --features thau-growth growth`.
//!
//! ```
//! use thau_growth::operator::{GrowthOperator, Preservation, fill, resize};
//! use thau_growth::{AffineMap, Architecture, Axis, GrowthError, GrowthPlan, Idle, Place, Role, TensorSpec};
//! # use std::collections::BTreeMap;
//! # use thau_growth::{Scalars, Tensor, TensorSource, idle_channels};
//! # #[derive(Clone, PartialEq, Debug)]
//! # struct Mlp { units: usize }
//! # impl Architecture for Mlp {
//! #     fn tensors(&self) -> Vec<TensorSpec> {
//! #         let units = |role| [(Axis::FeedForward, self.units, role)];
//! #         vec![
//! #             TensorSpec::new("up").dim(&units(Role::Producer)).dim(&[(Axis::Residual, 2, Role::Consumer)]),
//! #             TensorSpec::new("down").dim(&[(Axis::Residual, 2, Role::Producer)]).dim(&units(Role::Consumer)),
//! #         ]
//! #     }
//! #     fn size(&self, axis: Axis) -> usize { if axis == Axis::FeedForward { self.units } else { 2 } }
//! #     fn with_size(&self, axis: Axis, size: usize) -> Self {
//! #         if axis == Axis::FeedForward { Mlp { units: size } } else { self.clone() }
//! #     }
//! #     fn scalars(&self) -> Scalars { Scalars::plain(1e-6, 10_000.0, 64) }
//! #     fn with_scalars(&self, _: &Scalars) -> Option<Self> { None }
//! # }
//!
//! /// As `WidenFeedForward`, but with the new units before the old ones.
//! #[derive(Debug)]
//! struct PrependUnits { count: usize }
//!
//! impl<A: Architecture> GrowthOperator<A> for PrependUnits {
//!     fn preservation(&self, _: &A) -> Preservation { Preservation::Exact }
//!
//!     fn grow_config(&self, from: &A) -> Result<A, GrowthError> {
//!         resize(from, Axis::FeedForward, from.size(Axis::FeedForward).saturating_add(self.count))
//!     }
//!
//!     fn map(&self, from: &A, _: &A, tensor: &TensorSpec) -> Result<AffineMap, GrowthError> {
//!         // A tensor without this axis stays what it is.
//!         let Some((at, role)) = tensor.find(Axis::FeedForward) else { return Ok(AffineMap::identity(tensor)) };
//!         let old = (0..from.size(Axis::FeedForward)).map(|index| Place::Old { index, copies: 1 });
//!         let places = std::iter::repeat_n(Place::New, self.count).chain(old).collect();
//!         // What writes the new units is random, what reads them zero: nothing moves, nothing is trapped.
//!         Ok(AffineMap::along(tensor, at, places, fill(role)))
//!     }
//! }
//!
//! # let tensor = |shape: [usize; 2], values: [f32; 6]| Tensor { shape: shape.to_vec(), values: values.to_vec() };
//! # let weights = BTreeMap::from([
//! #     ("up".to_owned(), tensor([3, 2], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
//! #     ("down".to_owned(), tensor([2, 3], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
//! # ]);
//! let plan = GrowthPlan::new(Mlp { units: 3 }, 0).then(PrependUnits { count: 2 })?;
//! let grown = plan.grown(&weights);
//! assert_eq!(grown.read("down")?.values, [0.0, 0.0, 1.0, 2.0, 3.0, 0.0, 0.0, 4.0, 5.0, 6.0]);
//! assert_eq!(plan.retracted(&grown)?.read("up")?, weights["up"]);
//! assert_eq!(idle_channels(plan.to(), &grown)?, Idle::default());
//! # assert!(matches!(resize(&Mlp { units: 3 }, Axis::Layer, 5), Err(GrowthError::NoSuchAxis { axis: Axis::Layer })));
//! # Ok::<(), GrowthError>(())
//! ```
//!
//! All operators follow one rule: of every new channel exactly one side is zero, the other random. The function
//! is unchanged, the zero side has a gradient at once and the random side one step later, and no channel is the
//! twin of another.
//!
//! What one step cannot say, because [`AffineMap`] does not: two axes of one tensor at once, or one axis that a tensor
//! has twice; a factor for some slices of a weight and not for others (`copies` divides moments alone); new values of
//! two tensors that cancel each other. A tensor that is new altogether names any old tensor of its length as its
//! source; with [`History::Fresh`](crate::History) it starts without moments and is never used for the way back.

mod context;
mod depth;
mod feed_forward;
mod for_comparison;
mod head_dim;
mod heads;
mod residual;
mod vocabulary;

pub use context::ExtendContext;
pub use depth::InsertLayers;
pub use feed_forward::WidenFeedForward;
pub use for_comparison::{StackLayers, TurnRope};
pub use head_dim::WidenHeads;
pub use heads::AddHeads;
pub use residual::{Fold, WidenResidual};
pub use vocabulary::ExtendVocabulary;

use serde::{Deserialize, Serialize};

use crate::{
    architecture::{Architecture, Scalars, TensorSpec},
    axis::{Axis, Role},
    error::GrowthError,
    map::{AffineMap, Fill, Place},
};

/// What a growth does to the function that the model computes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preservation {
    /// Nothing, but for the rounding of the numbers it is stored in.
    Exact,
    /// Moves logits by at most about this share of the largest logit.
    Bounded(f64),
    /// Computes something else; here for comparison.
    Lossy,
}

impl Preservation {
    /// What two growths in a row do.
    pub fn and(self, next: Preservation) -> Preservation {
        use Preservation::{Bounded, Exact, Lossy};
        match (self, next) {
            (Lossy, _) | (_, Lossy) => Lossy,
            (Exact, other) | (other, Exact) => other,
            (Bounded(a), Bounded(b)) => Bounded(a + b),
        }
    }
}

/// One way to make a model larger. Its `Debug` text is what the ledger of a grown folder keeps.
pub trait GrowthOperator<A: Architecture>: std::fmt::Debug {
    /// What it does to the function.
    fn preservation(&self, from: &A) -> Preservation;

    /// The configuration after it.
    ///
    /// # Errors
    /// Where this operator cannot be applied to `from`: here, before anything is written, is the place to refuse.
    fn grow_config(&self, from: &A) -> Result<A, GrowthError>;

    /// How one tensor of the grown model comes from a tensor of the model before. `grown` has its sizes after the
    /// step; each [`Place`] list is as long as its axis then. Called at every read, so it gives the same each time.
    ///
    /// # Errors
    /// Where the tensor's axes do not fit the operator.
    fn map(&self, from: &A, to: &A, grown: &TensorSpec) -> Result<AffineMap, GrowthError>;
}

/// `from` with `to` entries along `axis`.
///
/// # Errors
/// [`GrowthError::Shrinks`] for fewer than there are, [`GrowthError::TooLarge`], [`GrowthError::NoSuchAxis`] where the
/// model has no such axis, [`GrowthError::ScalesMoved`] where the residual scales of old sub-layers would change.
pub fn resize<A: Architecture>(from: &A, axis: Axis, to: usize) -> Result<A, GrowthError> {
    let size = from.size(axis);
    if to < size {
        return Err(GrowthError::Shrinks { axis, from: size, to });
    }
    // Heads and blocks are listed one by one when a plan is made.
    let most = match axis {
        Axis::Layer => 1 << 12,
        Axis::QueryHead | Axis::KvHead => 1 << 16,
        _ => 1 << 28,
    };
    if to > most {
        return Err(GrowthError::TooLarge { axis, to, most });
    }
    let grown = from.with_size(axis, to);
    if grown.size(axis) != to {
        return Err(GrowthError::NoSuchAxis { axis });
    }
    let (before, after) = (from.residual_scales(), grown.residual_scales());
    if axis != Axis::Layer && before != after {
        return Err(GrowthError::ScalesMoved { axis });
    }
    Ok(grown)
}

/// `grown` with these residual scales, two a block.
fn with_residual_scales<A: Architecture>(grown: A, scales: Vec<f64>) -> Result<A, GrowthError> {
    if scales == grown.residual_scales() {
        return Ok(grown);
    }
    let scalars = Scalars { residual_scales: scales, ..grown.scalars() };
    grown.with_scalars(&scalars).ok_or(GrowthError::ScalesMoved { axis: Axis::Layer })
}

/// The old channels where they were, new ones behind them.
pub fn behind(from: usize, to: usize) -> Vec<Place> {
    let place = |index| {
        if index < from { Place::Old { index, copies: 1 } } else { Place::New }
    };
    (0..to).map(place).collect()
}

/// What new channels hold on any axis but the residual stream: producers are random, consumers zero, gains the mean.
pub fn fill(role: Role) -> Fill {
    match role {
        Role::Producer => Fill::Random { rms: 1.0 },
        Role::Gain | Role::TiedGain => Fill::Mean,
        Role::Consumer | Role::Tied | Role::Entry => Fill::Zero,
    }
}
