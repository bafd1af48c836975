//! The shape of a decoder, as data: what `config.json` of a Hugging Face folder says, read and written as such.
//!
//! The *portable* profile is pre-norm RMSNorm, grouped-query attention with RoPE, SwiGLU and tied or untied
//! embeddings: with QK-norm it is `Qwen3ForCausalLM`, without it `LlamaForCausalLM`, field for field. The *full*
//! profile switches on any of [`Options`], and calls itself `NanoLogicForCausalLM`.

mod hugging_face;
mod memory;
mod options;
mod presets;

use serde::{Deserialize, Serialize};

use crate::axes::{self, TensorSpec};
use hugging_face::HuggingFace;

pub use memory::Memory;
pub use options::Options;
pub use presets::{PRESETS, Preset};

/// The shape of a decoder. Everything else about it (tensors, parameter count, memory) is computed from these.
///
/// ```
/// use nanologic_model::Config;
///
/// let config = Config::demo();
/// assert_eq!(config.n_heads * config.head_dim, config.d_model);
/// let json = serde_json::to_string(&config)?;
/// assert!(json.contains("Qwen3ForCausalLM"));
/// assert_eq!(serde_json::from_str::<Config>(&json)?, config);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "HuggingFace", into = "HuggingFace")]
pub struct Config {
    /// Rows of the embedding: how many token ids there are.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Number of blocks.
    pub n_layers: usize,
    /// Query heads.
    pub n_heads: usize,
    /// Key and value heads; each serves `n_heads / n_kv_heads` query heads.
    pub n_kv_heads: usize,
    /// Width of one head; even, because RoPE turns pairs.
    pub head_dim: usize,
    /// Hidden width of the SwiGLU feed-forward.
    pub d_ff: usize,
    /// Most positions the model was made for.
    pub max_seq: usize,
    /// Base of RoPE's frequencies: pair `i` of a head turns by `base^(-2i/head_dim)` radians per position.
    pub rope_base: f64,
    /// What RMSNorm adds to the mean square before its root.
    pub norm_eps: f64,
    /// Whether queries and keys are normalised per head before RoPE.
    pub qk_norm: bool,
    /// Whether the output head is the embedding.
    pub tied: bool,
    /// What it computes beyond the portable profile.
    pub options: Options,
}

/// Why a config cannot be a decoder.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A size is zero or beyond what any machine holds.
    #[error("{field} is {value}, outside 1..={most}")]
    Size {
        /// The field as it is called in [`Config`].
        field: &'static str,
        /// What it says.
        value: usize,
        /// The largest value accepted.
        most: usize,
    },
    /// Query heads cannot be shared out evenly.
    #[error("{n_heads} query heads cannot share {n_kv_heads} key/value heads evenly")]
    Heads {
        /// Query heads.
        n_heads: usize,
        /// Key and value heads.
        n_kv_heads: usize,
    },
    /// RoPE turns pairs of channels.
    #[error("head_dim {head_dim} is odd")]
    OddHead {
        /// Width of one head.
        head_dim: usize,
    },
    /// A list has another length than the sizes ask for.
    #[error("{field} has {found} entries; it takes none or {expected}")]
    Entries {
        /// The field as it is called in [`Options`].
        field: &'static str,
        /// Its length by the sizes.
        expected: usize,
        /// The length it has.
        found: usize,
    },
    /// A number that must be positive and finite is not.
    #[error("{field} is {value}, not a positive number")]
    Number {
        /// The field as it is called in [`Config`].
        field: &'static str,
        /// What it says.
        value: f64,
    },
    /// `config.json` asks for something that this decoder does not compute.
    #[error("config.json asks for {field} = {value}, which this decoder does not compute")]
    Unsupported {
        /// The key in `config.json`.
        field: String,
        /// Its value.
        value: String,
    },
}

impl Config {
    /// Checks that the sizes make a decoder whose tensors fit in an address space.
    ///
    /// # Errors
    /// The first [`ConfigError`] found, in the order of the fields.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let sizes = [
            ("vocab_size", self.vocab_size, 1 << 24),
            ("d_model", self.d_model, 1 << 16),
            ("n_layers", self.n_layers, 1 << 12),
            ("n_heads", self.n_heads, 1 << 12),
            ("n_kv_heads", self.n_kv_heads, 1 << 12),
            ("head_dim", self.head_dim, 1 << 12),
            ("d_ff", self.d_ff, 1 << 20),
            ("max_seq", self.max_seq, 1 << 24),
        ];
        for (field, value, most) in sizes {
            if value == 0 || value > most {
                return Err(ConfigError::Size { field, value, most });
            }
        }
        let numbers = [("rope_base", self.rope_base), ("norm_eps", self.norm_eps)];
        for (field, value) in numbers.into_iter().chain(self.options.numbers()) {
            if !(value.is_finite() && value > 0.0) {
                return Err(ConfigError::Number { field, value });
            }
        }
        if !self.n_heads.is_multiple_of(self.n_kv_heads) {
            return Err(ConfigError::Heads { n_heads: self.n_heads, n_kv_heads: self.n_kv_heads });
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(ConfigError::OddHead { head_dim: self.head_dim });
        }
        for (field, list, expected) in [
            ("residual_scales", &self.options.residual_scales, 2 * self.n_layers),
            ("rope_frequencies", &self.options.rope_frequencies, self.head_dim / 2),
        ] {
            if !list.is_empty() && list.len() != expected {
                return Err(ConfigError::Entries { field, expected, found: list.len() });
            }
        }
        Ok(())
    }

    /// Every tensor of this decoder, in the order of the forward pass.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        axes::tensors(self)
    }

    /// Number of parameters; a tied head counts once.
    pub fn parameters(&self) -> usize {
        self.tensors().iter().map(TensorSpec::elements).sum()
    }

    /// Number of parameters outside the embedding and the head.
    pub fn body_parameters(&self) -> usize {
        self.tensors().iter().filter(|spec| spec.layer.is_some()).map(TensorSpec::elements).sum()
    }

    /// Floating-point operations to train on one token: six per parameter that multiplies it (the head counts even
    /// when tied), plus attention over a context of `context` tokens, twice where it is differential.
    pub fn training_flops_per_token(&self, context: usize) -> f64 {
        let products = self.body_parameters() + self.vocab_size * self.d_model;
        let patterns = if self.options.differential { 2 } else { 1 };
        let attention = 12 * patterns * self.n_layers * self.n_heads * self.head_dim * context;
        6.0 * products as f64 + attention as f64
    }

    /// What RoPE turns pair `i` of a head by, in radians a position.
    pub(crate) fn rope_frequency(&self, i: usize) -> f64 {
        let by_base = || self.rope_base.powf(-2.0 * i as f64 / self.head_dim as f64);
        self.options.rope_frequencies.get(i).copied().unwrap_or_else(by_base)
    }
}

/// The tiny decoder with each option alone, and with all of them.
#[cfg(test)]
pub(crate) fn each_option() -> Vec<(&'static str, Config)> {
    let none = Options::default;
    let scales = vec![1.3, 0.7, 1.9, 1.1];
    let frequencies = vec![1.0, 0.4, 0.03, 0.2];
    let alone = [
        ("none", none()),
        ("residual_scales", Options { residual_scales: scales.clone(), ..none() }),
        ("beta", Options { beta: Some(0.5), ..none() }),
        ("embedding_scale", Options { embedding_scale: Some(5.7), ..none() }),
        ("head_scale", Options { head_scale: true, ..none() }),
        ("attention_cap", Options { attention_cap: Some(0.8), ..none() }),
        ("output_cap", Options { output_cap: Some(1.5), ..none() }),
        ("gate_residual", Options { gate_residual: true, ..none() }),
        ("differential", Options { differential: true, ..none() }),
        ("rope_frequencies", Options { rope_frequencies: frequencies.clone(), ..none() }),
    ];
    let all = Options {
        residual_scales: scales,
        beta: Some(0.5),
        embedding_scale: Some(5.7),
        head_scale: true,
        attention_cap: Some(0.8),
        output_cap: Some(1.5),
        gate_residual: true,
        differential: true,
        rope_frequencies: frequencies,
    };
    let config = |options| Config { options, ..Config::tiny() };
    alone.into_iter().chain([("all", all)]).map(|(name, options)| (name, config(options))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_and_every_option_is_valid() {
        for (name, make) in PRESETS {
            make().validate().unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        for (name, config) in each_option() {
            config.validate().unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }

    #[test]
    fn ages_have_the_sizes_of_their_table() {
        let millions = |name| Config::preset(name).unwrap().parameters() as f64 / 1e6;
        for (name, expected) in [("age-0", 21.7), ("age-1", 38.9), ("age-3", 100.1), ("age-6", 213.0)] {
            assert!((millions(name) - expected).abs() < 0.6, "{name}: {}", millions(name));
        }
    }

    #[test]
    fn options_that_make_no_sense_are_refused_by_name() {
        let refused = |options: Options| Config { options, ..Config::tiny() }.validate().unwrap_err();
        let none = Options::default;
        let cap = refused(Options { output_cap: Some(0.0), ..none() });
        assert!(matches!(cap, ConfigError::Number { field: "output_cap", .. }));
        let scales = refused(Options { residual_scales: vec![1.0; 3], ..none() });
        assert!(matches!(scales, ConfigError::Entries { field: "residual_scales", expected: 4, found: 3 }));
        let frequencies = refused(Options { rope_frequencies: vec![1.0, f64::NAN, 1.0, 1.0], ..none() });
        assert!(matches!(frequencies, ConfigError::Number { field: "rope_frequencies", .. }));
    }
}
