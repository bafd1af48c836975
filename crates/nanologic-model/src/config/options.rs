//! What the full profile adds to the portable one. Each option stands alone.
//!
//! | option | in the forward pass | why one would | what it costs, and what follows |
//! |---|---|---|---|
//! | [`residual_scales`](Options::residual_scales) | `x ← αₖ x + fₖ(norm x)` | DeepNorm (Wang et al. 2022) steadies very deep *post*-norm nets | nothing a token. In this *pre*-norm stream the embedding reaches the head ∏αₖ times as loud as the last sub-layer, 65,536 times for α = 2 at 16 sub-layers: depth is silent until training makes up for it. Off by default |
//! | [`beta`](Options::beta) | none; `W_v, W_o, W_gate, W_up, W_down` start at β/√fan-in | DeepNorm's start: sub-layers open slowly | nothing; the portable profile starts `W_o` and `W_down` at 0 instead, which opens slower still |
//! | [`embedding_scale`](Options::embedding_scale) | `x₀ = s · E[id]` | √d gives a tied embedding of std 0.02 the size of a residual stream | one product a token |
//! | [`head_scale`](Options::head_scale) | `logits = c · (E norm x)`, c learned, from 1 | one number to be surer or more careful with | one product a logit |
//! | [`attention_cap`](Options::attention_cap) | `s ← c tanh(s / c)` on the scores `q·k/√D` | no score grows without bound (Gemma 2) | the fused kernels know no cap; with QK-norm scores are below √D · gains anyhow |
//! | [`output_cap`](Options::output_cap) | `l ← c tanh(l / c)` on the logits | against overconfidence (Gemma 2) | two passes over the logits; GGUF's llama and qwen3 cannot say it |
//! | [`gate_residual`](Options::gate_residual) | `(silu(g) + a) ⊙ u`, a learned a block, from 0 | a way past a gate that closes too much | one pass over the hidden layer |
//! | [`differential`](Options::differential) | `softmax(q₁k₁)v − λ softmax(q₂k₂)v`, λ learned a block | what both patterns see alike is noise, and cancels (Ye et al. 2024, without their norm of the difference, so that it folds into more heads exactly) | queries and keys twice, attention twice, a larger KV cache |
//! | [`rope_frequencies`](Options::rope_frequencies) | pair i turns by `ωᵢ` radians a position | grown heads that keep their old frequencies; long contexts | nothing |
//!
//! What acts only in training is no part of a model's function and therefore of its training: dropout, stochastic
//! depth, z-loss and label smoothing.

/// What a decoder computes beyond the portable profile; [`Options::default`] is the portable profile itself.
///
/// ```
/// use nanologic_model::{Config, Options};
///
/// let plain = Config::tiny();
/// assert!(plain.options.is_portable());
/// let capped = Config { options: Options { output_cap: Some(30.0), ..Options::default() }, ..plain };
/// assert!(serde_json::to_string(&capped)?.contains("NanoLogicForCausalLM"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Factor on the residual stream where each sub-layer is added: two a block, attention first. Empty: 1 everywhere.
    /// They are stored one by one, and not as a function of the depth, so that a model can grow deeper unchanged.
    pub residual_scales: Vec<f64>,
    /// DeepNorm's β, a factor on how the sub-layers start. `None`: what writes to the residual stream starts at 0.
    pub beta: Option<f64>,
    /// Factor on the looked-up embedding. Stored, and not computed from the width, so that a model can grow wider.
    pub embedding_scale: Option<f64>,
    /// Whether the logits are multiplied by a learned number.
    pub head_scale: bool,
    /// Bound of the attention scores.
    pub attention_cap: Option<f64>,
    /// Bound of the logits.
    pub output_cap: Option<f64>,
    /// Whether a learned share of the up-projection passes the gate.
    pub gate_residual: bool,
    /// Whether a second attention pattern is subtracted from the first.
    pub differential: bool,
    /// Radians a position for each of the `head_dim / 2` pairs of a head. Empty: from `rope_base`.
    pub rope_frequencies: Vec<f64>,
}

impl Options {
    /// DeepNorm's constants for a decoder of `n_layers` blocks: α = (2N)^¼ at every sub-layer, β = (8N)^-¼.
    ///
    /// ```
    /// # use nanologic_model::Options;
    /// let options = Options::deep_norm(8);
    /// assert_eq!(options.residual_scales, [2.0; 16]);
    /// assert!((options.beta.unwrap() - 0.354).abs() < 1e-3);
    /// ```
    pub fn deep_norm(n_layers: usize) -> Options {
        let n = n_layers as f64;
        Options {
            residual_scales: vec![(2.0 * n).powf(0.25); 2 * n_layers],
            beta: Some((8.0 * n).powf(-0.25)),
            ..Options::default()
        }
    }

    /// Whether the forward pass is that of the portable profile; β is only how weights start.
    pub fn is_portable(&self) -> bool {
        Options { beta: None, ..self.clone() } == Options::default()
    }

    /// Factor on the residual stream where sub-layer `k` is added; attention of block l is 2l, its feed-forward 2l + 1.
    pub(crate) fn residual_scale(&self, k: usize) -> f64 {
        self.residual_scales.get(k).copied().unwrap_or(1.0)
    }

    /// Every number that must be positive and finite, with its field.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let single = [
            ("beta", self.beta),
            ("embedding_scale", self.embedding_scale),
            ("attention_cap", self.attention_cap),
            ("output_cap", self.output_cap),
        ];
        let lists =
            [("residual_scales", &self.residual_scales), ("rope_frequencies", &self.rope_frequencies)];
        let single = single.into_iter().filter_map(|(field, value)| Some((field, value?)));
        single
            .chain(lists.into_iter().flat_map(|(field, list)| list.iter().map(move |&value| (field, value))))
    }
}
