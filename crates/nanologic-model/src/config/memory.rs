//! How many bytes a decoder needs.

use super::Config;

/// Bytes that training holds, by what they hold. Computed, not measured: what LibTorch keeps for the backward pass
/// is counted by tensor, its temporary copies are not.
///
/// ```
/// use nanologic_model::{Config, Memory};
///
/// let age = Config::preset("age-1").unwrap();
/// let needed = Memory::training(&age, 8, 512);
/// assert_eq!(needed.weights, age.parameters() * 4);
/// println!("{:.1} GB, {:.1} GB of them activations", needed.total() as f64 / 1e9, needed.activations as f64 / 1e9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// fp32 weights.
    pub weights: usize,
    /// fp32 gradients.
    pub gradients: usize,
    /// fp32 optimizer moments, two a weight.
    pub moments: usize,
    /// What the forward pass keeps for the backward pass, in fp32.
    pub activations: usize,
}

impl Memory {
    /// For batches of `rows` rows of `seq` tokens, every token scored.
    pub fn training(config: &Config, rows: usize, seq: usize) -> Memory {
        let weights = config.parameters() * size_of::<f32>();
        let tokens = rows * seq;
        let patterns = if config.options.differential { 2 } else { 1 };
        let queries = config.n_heads * config.head_dim;
        let keys = config.n_kv_heads * config.head_dim;
        // The stream before and after each norm, and what the sub-layer adds to it.
        let stream = 6 * config.d_model;
        // Projected, normalised, turned; then the mixture.
        let heads = patterns * 3 * (queries + keys) + keys + patterns * queries;
        // Scores and weights of every pair of tokens of a row.
        let pairs = patterns * 2 * config.n_heads * seq;
        // Gate, up, silu(gate) and their product.
        let hidden = 4 * config.d_ff;
        let block = tokens * (stream + heads + pairs + hidden);
        // Logits, then their gradient in the same place.
        let head = tokens * config.vocab_size;
        let activations = (config.n_layers * block + head) * size_of::<f32>();
        Memory { weights, gradients: weights, moments: 2 * weights, activations }
    }

    /// All of it.
    pub fn total(&self) -> usize {
        self.weights + self.gradients + self.moments + self.activations
    }
}
