//! The forward pass on LibTorch.
//!
//! Legend of the shapes: B rows, T tokens a row, S tokens seen so far (keys), d `d_model`, D `head_dim`, V vocabulary,
//! N scored positions.

use serde::{Deserialize, Serialize};
use tch::{Kind as Number, Tensor, no_grad};

use super::attention::{Past, attention};
use super::noise::{Noise, SubLayer};
use super::parameters::{LayerLeaves, Leaves};
use crate::config::Config;

/// Where tokens stand, whom they see, and what is left out.
pub(super) struct Scene {
    /// (B, T, 1, D): cosines of RoPE's angles, both halves alike.
    cos: Tensor,
    /// (B, T, 1, D): sines, the first half negated.
    sin: Tensor,
    /// (B, 1, T, S) in the compute format: 0 where the key is seen, a large negative number where not.
    mask: Tensor,
    noise: Option<Noise>,
}

impl Scene {
    /// `position` (B, T) counts from 0 within a document; `seen` (B, T, S) says which keys a token attends to.
    pub fn new(config: &Config, position: &Tensor, seen: &Tensor, number: Number) -> Scene {
        let frequencies: Vec<f64> = (0..config.head_dim / 2).map(|i| config.rope_frequency(i)).collect();
        let frequencies = Tensor::from_slice(&frequencies).to(position.device());
        let angle = position.to_kind(Number::Double).unsqueeze(-1) * frequencies; // (B, T, D/2)
        let (cos, sin) = (angle.cos(), angle.sin());
        let both = |a: &Tensor, b: &Tensor| Tensor::cat(&[a, b], -1).unsqueeze(2).to_kind(Number::Float);
        let mask = seen.logical_not().to_kind(number) * -1e9;
        let mask = mask.unsqueeze(1);
        Scene { cos: both(&cos, &cos), sin: both(&-&sin, &sin), mask, noise: None }
    }

    /// Packed rows: a token sees itself and what stands before it in its own document. `document` is (B, T).
    pub fn packed(config: &Config, position: &Tensor, document: &Tensor, number: Number) -> Scene {
        let t = document.size()[1];
        let same = document.unsqueeze(2).eq_tensor(&document.unsqueeze(1));
        let past = Tensor::ones([t, t], (Number::Bool, document.device())).tril(0);
        Scene::new(config, position, &same.logical_and(&past), number)
    }

    /// The same scene with something left out.
    pub fn with_noise(self, noise: Option<Noise>) -> Scene {
        Scene { noise, ..self }
    }

    /// (B, 1, T, S): what is added to the scores.
    pub fn mask(&self) -> &Tensor {
        &self.mask
    }

    /// RoPE: heads (B, T, _, D) turned to their positions, in fp32.
    pub fn turn(&self, heads: &Tensor) -> Tensor {
        let half = heads.size()[3] / 2;
        heads * &self.cos + heads.roll([half], [3]) * &self.sin
    }
}

/// Token ids (B, T) to hidden states (B, T, d) before the last norm. With `past`, the scene's S counts the tokens of
/// earlier calls too, and the new keys and values are added to it.
pub(super) fn hidden(
    config: &Config,
    leaves: &Leaves,
    ids: &Tensor,
    scene: &Scene,
    mut past: Option<&mut Vec<Option<Past>>>,
) -> Tensor {
    if let Some(past) = past.as_deref_mut() {
        past.resize_with(config.n_layers, || None);
    }
    let mut x = embed(config, leaves, ids);
    for n in 0..config.n_layers {
        x = block(config, leaves, n, &x, scene, past.as_deref_mut().map(|past| &mut past[n]));
    }
    x
}

/// Where in the forward pass a number first stops being finite: the embeddings or a layer, if it is before the head.
pub(super) fn first_not_finite(
    config: &Config,
    leaves: &Leaves,
    ids: &Tensor,
    scene: &Scene,
) -> Option<String> {
    let finite = |x: &Tensor| x.isfinite().all().int64_value(&[]) == 1;
    let mut x = embed(config, leaves, ids);
    if !finite(&x) {
        return Some("output of model.embed_tokens".to_owned());
    }
    (0..config.n_layers).find_map(|n| {
        x = block(config, leaves, n, &x, scene, None);
        (!finite(&x)).then(|| format!("output of model.layers.{n}"))
    })
}

/// `s · E[id]`: (B, T) to (B, T, d).
fn embed(config: &Config, leaves: &Leaves, ids: &Tensor) -> Tensor {
    let x = Tensor::embedding(&leaves.lookup, ids, -1, false, false);
    match config.options.embedding_scale {
        Some(scale) => x * scale,
        None => x,
    }
}

/// Block `n` of the decoder: (B, T, d) to the same.
fn block(
    config: &Config,
    leaves: &Leaves,
    n: usize,
    x: &Tensor,
    scene: &Scene,
    past: Option<&mut Option<Past>>,
) -> Tensor {
    let layer: &LayerLeaves = &leaves.layers[n];
    let leave_out = |sub_layer, added: Tensor| match &scene.noise {
        Some(noise) => noise.leave_out(n, sub_layer, added),
        None => added,
    };
    let h = rms_norm(x, &layer.attention_norm, config.norm_eps);
    let added = attention(config, layer, &h, scene, past);
    let x = residual(x, leave_out(SubLayer::Attention, added), config.options.residual_scale(2 * n));
    let h = rms_norm(&x, &layer.feed_forward_norm, config.norm_eps);
    let added = layer.feed_forward.forward(&h);
    residual(&x, leave_out(SubLayer::FeedForward, added), config.options.residual_scale(2 * n + 1))
}

/// `α x + f`.
fn residual(x: &Tensor, f: Tensor, alpha: f64) -> Tensor {
    if alpha == 1.0 { x + f } else { x * alpha + f }
}

/// Hidden states (N, d) to what the head multiplies: normalised, and with the factors of the logits in it already, since
/// there are fewer entries here than there.
pub(super) fn before_head(config: &Config, leaves: &Leaves, hidden: &Tensor) -> Tensor {
    let h = rms_norm(hidden, &leaves.final_norm, config.norm_eps);
    let h = match &leaves.head_scale {
        Some(scale) => h * scale,
        None => h,
    };
    match config.options.output_cap {
        Some(cap) => h * (1.0 / cap),
        None => h,
    }
}

/// Hidden states (N, d) to logits (N, V).
pub(super) fn logits(config: &Config, leaves: &Leaves, hidden: &Tensor) -> Tensor {
    capped(&linear(&before_head(config, leaves, hidden), &leaves.head), config.options.output_cap)
}

/// `c tanh(u)` in fp32, or `u` where there is no cap.
pub(super) fn capped(u: &Tensor, cap: Option<f64>) -> Tensor {
    match cap {
        Some(cap) => u.to_kind(Number::Float).tanh() * cap,
        None => u.shallow_clone(),
    }
}

/// What is minimised as a function of the hidden states (B, T, d) before the last norm, backwards: the gradients of
/// [`Leaves::in_order`]. `objective` is called once and gives a scalar.
pub(super) fn gradients(
    config: &Config,
    leaves: &Leaves,
    ids: &Tensor,
    scene: &Scene,
    recompute: Recompute,
    objective: impl FnOnce(&Tensor) -> Tensor,
) -> Vec<Tensor> {
    match recompute {
        Recompute::Nothing => {
            let objective = objective(&hidden(config, leaves, ids, scene, None));
            Tensor::run_backward(&[&objective], &leaves.in_order(), false, false)
        }
        Recompute::Blocks => recomputed_gradients(config, leaves, ids, scene, objective),
    }
}

/// What the backward pass computes a second time instead of keeping it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recompute {
    /// Nothing: every intermediate result of the forward pass is kept.
    #[default]
    Nothing,
    /// Each block, from its input (Chen et al. 2016, "gradient checkpointing"): memory for one block and a residual
    /// stream a block, for a third more computing.
    Blocks,
}

fn recomputed_gradients(
    config: &Config,
    leaves: &Leaves,
    ids: &Tensor,
    scene: &Scene,
    objective: impl FnOnce(&Tensor) -> Tensor,
) -> Vec<Tensor> {
    let mut inputs = no_grad(|| {
        let mut inputs = vec![embed(config, leaves, ids)];
        for n in 0..config.n_layers {
            let x = block(config, leaves, n, &inputs[n], scene, None);
            inputs.push(x);
        }
        inputs
    });
    let last = inputs.pop().expect("the embedding is one").set_requires_grad(true);
    let mut of: Vec<&Tensor> = vec![&last];
    of.extend(leaves.behind_blocks());
    let mut found = Tensor::run_backward(&[objective(&last)], &of, false, false);
    let behind = found.split_off(1);
    let mut slope = found.remove(0);
    let mut blocks = Vec::with_capacity(config.n_layers);
    for n in (0..config.n_layers).rev() {
        let x = inputs.pop().expect("every block has an input").set_requires_grad(true);
        let mut of = vec![&x];
        of.extend(leaves.layers[n].in_order());
        let y = block(config, leaves, n, &x, scene, None);
        // A scalar with the gradient `slope` for y, to go backwards from.
        let mut found = Tensor::run_backward(&[(y * &slope).sum(Number::Float)], &of, false, false);
        blocks.push(found.split_off(1));
        slope = found.remove(0);
    }
    let embedded = (embed(config, leaves, ids) * slope).sum(Number::Float);
    let mut all = Tensor::run_backward(&[embedded], &[&leaves.lookup], false, false);
    all.extend(blocks.into_iter().rev().flatten());
    all.extend(behind);
    all
}

/// `gain ⊙ x / √(mean(x²) + eps)`, in fp32.
fn rms_norm(x: &Tensor, gain: &Tensor, eps: f64) -> Tensor {
    x.rms_norm(gain.size(), Some(gain), eps)
}

/// `x Wᵀ` in the format of `w`.
pub(super) fn linear(x: &Tensor, w: &Tensor) -> Tensor {
    x.to_kind(w.kind()).linear::<&Tensor>(w, None)
}

#[cfg(test)]
mod tests;
