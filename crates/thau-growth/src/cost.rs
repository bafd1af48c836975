//! What a model costs, computed from its tensors.

use serde::{Deserialize, Serialize};

use crate::{
    architecture::{Architecture, parameters},
    axis::{Axis, Role},
};

/// Size and work of a model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Parameters; a tied head counts once.
    pub parameters: u64,
    /// Bytes of fp32 weights, gradients and two moments: what training holds besides activations.
    pub training_bytes: u64,
    /// Floating-point operations of one forward pass, a token, at the end of a full context. Training takes three
    /// times as many.
    pub flops_per_token: f64,
}

impl Cost {
    /// The cost of a configuration.
    pub fn of<A: Architecture>(config: &A) -> Cost {
        let parameters = parameters(config);
        let multiplied = |tensor: &crate::TensorSpec| {
            let looked_up = tensor.find(Axis::Vocabulary).is_some()
                && matches!(tensor.find(Axis::Residual), Some((_, Role::Producer)));
            tensor.shape().len() > 1 && !looked_up
        };
        let size = |axis| config.size(axis) as f64;
        let matrices: f64 = config.tensors().iter().filter(|t| multiplied(t)).map(|t| t.len() as f64).sum();
        let head = size(Axis::QkDim) + size(Axis::ValueDim);
        let attention = size(Axis::Layer) * size(Axis::QueryHead) * head * size(Axis::Context);
        Cost {
            parameters,
            training_bytes: parameters.saturating_mul(16),
            flops_per_token: 2.0 * (matrices + attention),
        }
    }
}
