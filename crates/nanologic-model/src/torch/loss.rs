//! Cross-entropy of the scored tokens.

use tch::{Kind as Number, Reduction, Tensor};

use super::decoder;
use super::parameters::Leaves;
use crate::config::Config;

/// Sum over the scored positions of `-ln p(target)`, in nats. `hidden` is (N, d) and `targets` (N).
pub(super) fn cross_entropy(config: &Config, leaves: &Leaves, hidden: &Tensor, targets: &Tensor) -> Tensor {
    let logits = decoder::logits(config, leaves, hidden).to_kind(Number::Float);
    logits.cross_entropy_loss::<&Tensor>(targets, None, Reduction::Sum, -100, 0.0)
}
