//! Ways to grow.

use crate::{
    architecture::{Architecture, TensorSpec},
    error::GrowthError,
    map::AffineMap,
};

/// What a growth does to the function that the model computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Preservation {
    /// Nothing, but for the rounding of the numbers it is stored in.
    Exact,
    /// Moves logits by at most about this share of the largest logit.
    Bounded(f64),
    /// Computes something else; here for comparison.
    Lossy,
}

/// One way to make a model larger.
pub trait GrowthOperator<A: Architecture>: std::fmt::Debug {
    /// What it does to the function.
    fn preservation(&self, from: &A) -> Preservation;

    /// The configuration after it.
    ///
    /// # Errors
    /// Where this operator cannot be applied to `from`.
    fn grow_config(&self, from: &A) -> Result<A, GrowthError>;

    /// How one tensor of the grown model comes from a tensor of the model before.
    ///
    /// # Errors
    /// Where the tensor's axes do not fit the operator.
    fn map(&self, from: &A, to: &A, tensor: &TensorSpec) -> Result<AffineMap, GrowthError>;
}
