//! The shape of a decoder, as data: what `config.json` of a Hugging Face folder says, read and written as such.
//!
//! The *portable* profile is pre-norm RMSNorm, grouped-query attention with RoPE, SwiGLU and tied or untied
//! embeddings: with QK-norm it is `Qwen3ForCausalLM`, without it `LlamaForCausalLM`, field for field.

use serde::{Deserialize, Serialize};

use crate::axes::{self, TensorSpec};

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
        field: &'static str,
        /// Its value.
        value: String,
    },
}

/// A name and the config it stands for.
pub type Preset = (&'static str, fn() -> Config);

/// The named presets, in order of size.
pub const PRESETS: [Preset; 9] = [
    ("tiny", Config::tiny),
    ("demo", Config::demo),
    ("notes", Config::notes),
    ("age-0", || portable(384, 6, 6, 2, 64, 1024, 32_000)),
    ("age-1", || portable(512, 8, 8, 2, 64, 1408, 32_000)),
    ("age-3", || portable(768, 12, 12, 4, 64, 2048, 32_000)),
    ("age-6", || portable(1024, 16, 16, 4, 64, 2816, 32_000)),
    ("age-12", || portable(1536, 20, 24, 8, 64, 4096, 32_000)),
    ("age-15", || portable(2560, 24, 40, 8, 64, 6912, 32_000)),
];

fn portable(
    d: usize,
    layers: usize,
    heads: usize,
    kv: usize,
    head: usize,
    ff: usize,
    vocab: usize,
) -> Config {
    Config {
        vocab_size: vocab,
        d_model: d,
        n_layers: layers,
        n_heads: heads,
        n_kv_heads: kv,
        head_dim: head,
        d_ff: ff,
        max_seq: 1024,
        rope_base: 10_000.0,
        norm_eps: 1e-6,
        qk_norm: true,
        tied: true,
    }
}

impl Config {
    /// A decoder of a few thousand parameters, for tests.
    pub fn tiny() -> Config {
        Config { max_seq: 128, ..portable(32, 2, 4, 2, 8, 64, 64) }
    }

    /// What the demonstration trains in minutes on two cores.
    pub fn demo() -> Config {
        portable(128, 4, 4, 2, 32, 512, 8000)
    }

    /// The 512 × 8 model of the NanoLogic notes, in the portable profile.
    pub fn notes() -> Config {
        portable(512, 8, 8, 2, 64, 1536, 8000)
    }

    /// The preset of this name, one of [`PRESETS`].
    pub fn preset(name: &str) -> Option<Config> {
        PRESETS.iter().find(|(known, _)| *known == name).map(|(_, make)| make())
    }

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
        for (field, value) in [("rope_base", self.rope_base), ("norm_eps", self.norm_eps)] {
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

    /// Bytes of fp32 weights, gradients and two optimizer moments: what training holds besides activations.
    pub fn training_bytes(&self) -> usize {
        self.parameters() * 4 * size_of::<f32>()
    }

    /// Floating-point operations to train on one token: six per parameter that multiplies it (the head counts even
    /// when tied), plus attention over a context of `context` tokens.
    pub fn training_flops_per_token(&self, context: usize) -> f64 {
        let products = self.body_parameters() + self.vocab_size * self.d_model;
        let attention = 12 * self.n_layers * self.n_heads * self.head_dim * context;
        6.0 * products as f64 + attention as f64
    }
}

/// The part of `config.json` that matters, with the names of `transformers`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct HuggingFace {
    #[serde(default)]
    architectures: Vec<String>,
    model_type: String,
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    intermediate_size: usize,
    #[serde(default = "default_positions")]
    max_position_embeddings: usize,
    rope_theta: Option<f64>,
    #[serde(default = "default_eps")]
    rms_norm_eps: f64,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(default = "silu")]
    hidden_act: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default)]
    use_sliding_window: bool,
    #[serde(default)]
    rope_scaling: Option<serde_json::Value>,
    /// Where `transformers` 5 keeps RoPE's base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rope_parameters: Option<RopeParameters>,
    #[serde(default = "float32")]
    torch_dtype: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct RopeParameters {
    rope_theta: Option<f64>,
    #[serde(default = "default_rope")]
    rope_type: String,
}

fn default_positions() -> usize {
    2048
}
fn default_eps() -> f64 {
    1e-6
}
fn silu() -> String {
    "silu".to_owned()
}
fn float32() -> String {
    "float32".to_owned()
}
fn default_rope() -> String {
    "default".to_owned()
}

impl From<Config> for HuggingFace {
    fn from(config: Config) -> HuggingFace {
        let (class, model_type) =
            if config.qk_norm { ("Qwen3ForCausalLM", "qwen3") } else { ("LlamaForCausalLM", "llama") };
        HuggingFace {
            architectures: vec![class.to_owned()],
            model_type: model_type.to_owned(),
            vocab_size: config.vocab_size,
            hidden_size: config.d_model,
            num_hidden_layers: config.n_layers,
            num_attention_heads: config.n_heads,
            num_key_value_heads: Some(config.n_kv_heads),
            head_dim: Some(config.head_dim),
            intermediate_size: config.d_ff,
            max_position_embeddings: config.max_seq,
            rope_theta: Some(config.rope_base),
            rms_norm_eps: config.norm_eps,
            tie_word_embeddings: config.tied,
            hidden_act: silu(),
            attention_bias: false,
            mlp_bias: false,
            use_sliding_window: false,
            rope_scaling: None,
            rope_parameters: None,
            torch_dtype: float32(),
        }
    }
}

impl TryFrom<HuggingFace> for Config {
    type Error = ConfigError;

    fn try_from(hf: HuggingFace) -> Result<Config, ConfigError> {
        let unsupported =
            |field, value: &dyn ToString| Err(ConfigError::Unsupported { field, value: value.to_string() });
        let qk_norm = match hf.model_type.as_str() {
            "qwen3" => true,
            "llama" => false,
            other => return unsupported("model_type", &other),
        };
        if hf.hidden_act != "silu" {
            return unsupported("hidden_act", &hf.hidden_act);
        }
        for (field, set) in [
            ("attention_bias", hf.attention_bias),
            ("mlp_bias", hf.mlp_bias),
            ("use_sliding_window", hf.use_sliding_window),
        ] {
            if set {
                return unsupported(field, &set);
            }
        }
        if let Some(scaling) = hf.rope_scaling {
            return unsupported("rope_scaling", &scaling);
        }
        if let Some(rope) = hf.rope_parameters.as_ref().filter(|rope| rope.rope_type != "default") {
            return unsupported("rope_parameters.rope_type", &rope.rope_type);
        }
        let rope_base = hf.rope_theta.or(hf.rope_parameters.and_then(|rope| rope.rope_theta));
        let head_dim = hf.head_dim.or(hf.hidden_size.checked_div(hf.num_attention_heads));
        let config = Config {
            vocab_size: hf.vocab_size,
            d_model: hf.hidden_size,
            n_layers: hf.num_hidden_layers,
            n_heads: hf.num_attention_heads,
            n_kv_heads: hf.num_key_value_heads.unwrap_or(hf.num_attention_heads),
            head_dim: head_dim.unwrap_or(0),
            d_ff: hf.intermediate_size,
            max_seq: hf.max_position_embeddings,
            rope_base: rope_base.unwrap_or(10_000.0),
            norm_eps: hf.rms_norm_eps,
            qk_norm,
            tied: hf.tie_word_embeddings,
        };
        config.validate()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_valid_and_comes_back_from_json() {
        for (name, make) in PRESETS {
            let config = make();
            config.validate().unwrap_or_else(|error| panic!("{name}: {error}"));
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), config, "{name}");
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
    fn the_same_without_qk_norm_is_a_llama() {
        let config = Config { qk_norm: false, tied: false, ..Config::tiny() };
        let json = serde_json::to_string(&config).unwrap();
        assert!(json.contains("LlamaForCausalLM"));
        assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), config);
    }

    #[test]
    fn what_is_not_computed_is_refused_by_name() {
        let mut json = serde_json::to_value(Config::tiny()).unwrap();
        for (key, value) in [
            ("hidden_act", serde_json::json!("gelu")),
            ("attention_bias", true.into()),
            ("rope_scaling", serde_json::json!({"type": "yarn"})),
            ("model_type", "mamba".into()),
            ("num_attention_heads", 3.into()),
            ("num_attention_heads", 0.into()),
            ("hidden_size", 0.into()),
            ("head_dim", 7.into()),
        ] {
            let kept = json[key].take();
            json[key] = value;
            assert!(serde_json::from_value::<Config>(json.clone()).is_err(), "{key}");
            json[key] = kept;
        }
    }
}
