//! Running a model, as far as a proof needs it.

use crate::tensor::TensorSource;

/// The number format of a whole forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Weights by [`TensorSource::read`], all arithmetic in `f32`.
    F32,
    /// Weights by [`TensorSource::read_f64`], all arithmetic in `f64`.
    F64,
}

/// A forward pass that growth can be checked with. It should share no code with what trains the model.
pub trait Forward<A> {
    /// What can go wrong in it.
    type Error: std::error::Error + Send + Sync + 'static;

    /// For each probe, the logits of every position: `(probe.len(), vocabulary)`, row-major, in evaluation mode.
    ///
    /// # Errors
    /// Those of reading the weights, and of running the model.
    fn logits(
        &self,
        config: &A,
        weights: &dyn TensorSource,
        probes: &[Vec<u32>],
        precision: Precision,
    ) -> Result<Vec<Vec<f64>>, Self::Error>;
}
