//! The forward pass on LibTorch.
//!
//! Legend of the shapes: B rows, T tokens a row, S tokens seen so far (keys), d `d_model`, H query heads, K key/value
//! heads, G = H / K queries a key, D `head_dim`, F `d_ff`, V vocabulary, N scored positions.

use tch::{Kind as Number, Tensor};

use super::parameters::{LayerLeaves, Leaves};
use crate::config::Config;

/// Where tokens stand and whom they see.
pub(super) struct Scene {
    /// (B, T, 1, D): cosines of RoPE's angles, both halves alike.
    cos: Tensor,
    /// (B, T, 1, D): sines, the first half negated.
    sin: Tensor,
    /// (B, 1, T, S) in the compute format: 0 where the key is seen, a large negative number where not.
    mask: Tensor,
}

impl Scene {
    /// `position` (B, T) counts from 0 within a document; `seen` (B, T, S) says which keys a token attends to.
    pub fn new(config: &Config, position: &Tensor, seen: &Tensor, number: Number) -> Scene {
        let d = config.head_dim as i64;
        let pairs = Tensor::arange(d / 2, (Number::Double, position.device()));
        let frequencies = (pairs * (-2.0 / d as f64 * config.rope_base.ln())).exp();
        let angle = position.to_kind(Number::Double).unsqueeze(-1) * frequencies; // (B, T, D/2)
        let (cos, sin) = (angle.cos(), angle.sin());
        let both = |a: &Tensor, b: &Tensor| Tensor::cat(&[a, b], -1).unsqueeze(2).to_kind(Number::Float);
        let mask = seen.logical_not().to_kind(number) * -1e9;
        Scene { cos: both(&cos, &cos), sin: both(&-&sin, &sin), mask: mask.unsqueeze(1) }
    }

    /// Packed rows: a token sees itself and what stands before it in its own document. `document` is (B, T).
    pub fn packed(config: &Config, position: &Tensor, document: &Tensor, number: Number) -> Scene {
        let t = document.size()[1];
        let same = document.unsqueeze(2).eq_tensor(&document.unsqueeze(1));
        let past = Tensor::ones([t, t], (Number::Bool, document.device())).tril(0);
        Scene::new(config, position, &same.logical_and(&past), number)
    }
}

/// Keys and values of the tokens so far, of one layer: (B, K, S, D) each.
pub(super) struct Past {
    pub keys: Tensor,
    pub values: Tensor,
}

/// Token ids (B, T) to hidden states (B, T, d) before the last norm. With `past`, the scene's S counts the tokens of
/// earlier calls too, and the new keys and values are added to it.
pub(super) fn hidden(
    config: &Config,
    leaves: &Leaves,
    ids: &Tensor,
    scene: &Scene,
    mut past: Option<&mut Vec<Past>>,
) -> Tensor {
    let mut x = Tensor::embedding(&leaves.lookup, ids, -1, false, false);
    for (n, layer) in leaves.layers.iter().enumerate() {
        let past = past.as_deref_mut().map(|past| (past, n));
        let h = rms_norm(&x, &layer.attention_norm, config.norm_eps);
        let attended = &x + attention(config, layer, &h, scene, past);
        let h = rms_norm(&attended, &layer.feed_forward_norm, config.norm_eps);
        x = &attended + feed_forward(layer, &h);
    }
    x
}

/// Hidden states (N, d) to logits (N, V), in the compute format.
pub(super) fn logits(config: &Config, leaves: &Leaves, hidden: &Tensor) -> Tensor {
    let h = rms_norm(hidden, &leaves.final_norm, config.norm_eps);
    linear(&h, &leaves.head)
}

/// `gain ⊙ x / √(mean(x²) + eps)`, in fp32.
fn rms_norm(x: &Tensor, gain: &Tensor, eps: f64) -> Tensor {
    x.rms_norm(gain.size(), Some(gain), eps)
}

/// `x Wᵀ` in the format of `w`.
fn linear(x: &Tensor, w: &Tensor) -> Tensor {
    x.to_kind(w.kind()).linear::<&Tensor>(w, None)
}

fn attention(
    config: &Config,
    layer: &LayerLeaves,
    h: &Tensor,
    scene: &Scene,
    past: Option<(&mut Vec<Past>, usize)>,
) -> Tensor {
    let (b, t, _) = h.size3().expect("hidden states have three dimensions");
    let (heads, kv, d) = (config.n_heads as i64, config.n_kv_heads as i64, config.head_dim as i64);
    let group = heads / kv;
    let qkv = linear(h, &layer.qkv).view([b, t, heads + 2 * kv, d]);
    let number = qkv.kind();
    let qk = place(config, layer, &qkv.narrow(2, 0, heads + kv), scene).to_kind(number);

    // (B, T, H, D) -> (B, K, G·T, D): the queries that share a key stand below each other.
    let q = qk.narrow(2, 0, heads).view([b, t, kv, group, d]).permute([0, 2, 3, 1, 4]);
    let q = q.reshape([b * kv, group * t, d]);
    let mut k = qk.narrow(2, heads, kv).transpose(1, 2); // (B, K, T, D)
    let mut v = qkv.narrow(2, heads + kv, kv).transpose(1, 2);
    if let Some((past, n)) = past {
        if let Some(before) = past.get(n) {
            k = Tensor::cat(&[&before.keys, &k], 2);
            v = Tensor::cat(&[&before.values, &v], 2);
        }
        let now = Past { keys: k.shallow_clone(), values: v.shallow_clone() };
        match past.get_mut(n) {
            Some(before) => *before = now,
            None => past.push(now),
        }
    }
    let s = k.size()[2];
    let k = k.reshape([b * kv, s, d]);
    let v = v.reshape([b * kv, s, d]);

    // As two products and a softmax: on CPU the fused kernel's backward is slower at a few hundred tokens.
    let scores = q.bmm(&k.transpose(1, 2)) * (1.0 / (d as f64).sqrt());
    let scores = scores.view([b, heads, t, s]) + &scene.mask;
    let weights = scores.softmax(-1, None).view([b * kv, group * t, s]);
    let mixed = weights.bmm(&v).view([b, kv, group, t, d]).permute([0, 3, 1, 2, 4]);
    linear(&mixed.reshape([b, t, heads * d]), &layer.output)
}

/// QK-norm if there is one, then RoPE, of queries and keys (B, T, H + K, D) at once, in fp32.
fn place(config: &Config, layer: &LayerLeaves, qk: &Tensor, scene: &Scene) -> Tensor {
    let mut qk = qk.to_kind(Number::Float);
    if let Some((q_gain, k_gain)) = &layer.qk_norm {
        let d = config.head_dim as i64;
        let gain = Tensor::cat(
            &[
                q_gain.expand([config.n_heads as i64, d], false),
                k_gain.expand([config.n_kv_heads as i64, d], false),
            ],
            0,
        );
        qk = qk.rms_norm([d], None::<&Tensor>, config.norm_eps) * gain;
    }
    let half = qk.size()[3] / 2;
    &qk * &scene.cos + qk.roll([half], [3]) * &scene.sin
}

/// `W_down (silu(W_gate h) ⊙ W_up h)`.
fn feed_forward(layer: &LayerLeaves, h: &Tensor) -> Tensor {
    let both = linear(h, &layer.gate_up).chunk(2, -1);
    linear(&(both[0].silu() * &both[1]), &layer.down)
}
