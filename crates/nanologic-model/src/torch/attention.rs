//! Attention on LibTorch: grouped queries, QK-norm, RoPE, a cache, and a second pattern that is subtracted.
//!
//! Legend of the shapes: B rows, T tokens a row, S tokens seen so far (keys), d `d_model`, P patterns (2 where
//! attention is differential), H query heads, K key/value heads, G = H / K queries a key, D `head_dim`.

use tch::{Kind as Number, Tensor};

use super::decoder::{Scene, linear};
use super::parameters::LayerLeaves;
use crate::config::Config;

/// Keys and values of the tokens so far, of one layer: (B, P·K, S, D) and (B, K, S, D).
pub(super) struct Past {
    pub keys: Tensor,
    pub values: Tensor,
}

/// Normalised hidden states (B, T, d) to what is added to the stream, in the compute format. With `past`, the new
/// keys and values are added to it, or begin it.
pub(super) fn attention(
    config: &Config,
    layer: &LayerLeaves,
    h: &Tensor,
    scene: &Scene,
    past: Option<&mut Option<Past>>,
) -> Tensor {
    let (b, t, _) = h.size3().expect("hidden states have three dimensions");
    let (heads, kv, d) = (config.n_heads as i64, config.n_kv_heads as i64, config.head_dim as i64);
    let patterns = if layer.lambda.is_some() { 2 } else { 1 };
    let placed = patterns * (heads + kv);
    let qkv = linear(h, &layer.qkv).view([b, t, placed + kv, d]);
    let qk = place(config, layer, &qkv.narrow(2, 0, placed), scene).to_kind(qkv.kind());

    let mut keys = qk.narrow(2, patterns * heads, patterns * kv).transpose(1, 2); // (B, P·K, T, D)
    let mut values = qkv.narrow(2, placed, kv).transpose(1, 2); // (B, K, T, D)
    if let Some(past) = past {
        if let Some(before) = past.take() {
            keys = Tensor::cat(&[&before.keys, &keys], 2);
            values = Tensor::cat(&[&before.values, &values], 2);
        }
        *past = Some(Past { keys: keys.shallow_clone(), values: values.shallow_clone() });
    }
    let of = |n: i64| {
        pattern(config, &qk.narrow(2, n * heads, heads), &keys.narrow(1, n * kv, kv), &values, scene)
    };
    let mixed = match &layer.lambda {
        Some(lambda) => of(0) - of(1) * lambda.to_kind(qkv.kind()),
        None => of(0),
    };
    linear(&mixed, &layer.output)
}

/// `softmax(cap(q kᵀ / √D) + mask) v`: queries (B, T, H, D), keys and values (B, K, S, D) to (B, T, H·D).
fn pattern(config: &Config, queries: &Tensor, keys: &Tensor, values: &Tensor, scene: &Scene) -> Tensor {
    let (b, t, heads, d) = queries.size4().expect("queries have four dimensions");
    let (kv, s) = (keys.size()[1], keys.size()[2]);
    let Some(cap) = config.options.attention_cap else {
        // LibTorch's fused kernel never writes the scores down.
        let queries = queries.transpose(1, 2); // (B, H, T, D)
        let mask = Some(scene.mask());
        let mixed =
            Tensor::scaled_dot_product_attention(&queries, keys, values, mask, 0.0, false, None, heads != kv);
        return mixed.transpose(1, 2).reshape([b, t, heads * d]);
    };
    // It knows no cap: two products and a softmax.
    let group = heads / kv;
    // (B, T, H, D) -> (B·K, G·T, D): the queries that share a key stand below each other.
    let q = queries.view([b, t, kv, group, d]).permute([0, 2, 3, 1, 4]).reshape([b * kv, group * t, d]);
    let k = keys.reshape([b * kv, s, d]);
    let v = values.reshape([b * kv, s, d]);
    let scores = (q.bmm(&k.transpose(1, 2)) * (1.0 / (cap * (d as f64).sqrt()))).tanh() * cap;
    let scores = scores.view([b, heads, t, s]) + scene.mask();
    let weights = scores.softmax(-1, None).view([b * kv, group * t, s]);
    let mixed = weights.bmm(&v).view([b, kv, group, t, d]).permute([0, 3, 1, 2, 4]);
    mixed.reshape([b, t, heads * d])
}

/// QK-norm if there is one, then RoPE, of queries and keys (B, T, P·(H + K), D) at once, in fp32.
fn place(config: &Config, layer: &LayerLeaves, qk: &Tensor, scene: &Scene) -> Tensor {
    let mut qk = qk.to_kind(Number::Float);
    let (placed, d) = (qk.size()[2], qk.size()[3]);
    if let Some((q_gain, k_gain)) = &layer.qk_norm {
        let queries = placed * config.n_heads as i64 / (config.n_heads + config.n_kv_heads) as i64;
        let gains = [q_gain.expand([queries, d], false), k_gain.expand([placed - queries, d], false)];
        qk = qk.rms_norm([d], None::<&Tensor>, config.norm_eps) * Tensor::cat(&gains, 0);
    }
    scene.turn(&qk)
}
