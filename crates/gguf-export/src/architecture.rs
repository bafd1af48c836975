//! Which of llama.cpp's architectures computes the same as a checkpoint's configuration.

use serde_json::Value;

use crate::{Error, Metadata};

/// An architecture of llama.cpp that this crate can prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// `llama`: RoPE turns neighbouring pairs; biases on attention and feed-forward are allowed.
    Llama,
    /// `qwen3`: RMSNorm on each query and key head, RoPE turns the two halves of a head.
    Qwen3,
}

impl Architecture {
    /// The value of `general.architecture`, and the prefix of the other keys.
    pub fn name(self) -> &'static str {
        match self {
            Architecture::Llama => "llama",
            Architecture::Qwen3 => "qwen3",
        }
    }
}

/// The sizes and constants of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Hyperparameters {
    /// How it computes.
    pub architecture: Architecture,
    /// Decoder blocks.
    pub n_layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Query heads.
    pub n_heads: usize,
    /// Key and value heads.
    pub n_kv_heads: usize,
    /// Numbers in a head.
    pub head_dim: usize,
    /// Width of the feed-forward.
    pub d_ff: usize,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Longest sequence trained on, in tokens.
    pub context_length: usize,
    /// RoPE base.
    pub rope_base: f64,
    /// Added to the mean square under RMSNorm's root.
    pub norm_eps: f64,
    /// The output matrix is the embedding.
    pub tied: bool,
}

/// Largest size believed: a head, not a weight, decides how much is allocated.
const MAX_SIZE: u64 = 1 << 24;

impl Hyperparameters {
    /// Reads a Hugging Face `config.json`.
    ///
    /// # Errors
    /// [`Error::Refused`] for what `llama` and `qwen3` cannot say, [`Error::Field`] for what is missing or absurd.
    pub fn from_config(config: &Value) -> Result<Hyperparameters, Error> {
        let architecture = architecture(config)?;
        refuse_inexpressible(config, architecture)?;
        let d_model = size(config, "hidden_size")?;
        let n_heads = size(config, "num_attention_heads")?;
        let n_kv_heads = optional_size(config, "num_key_value_heads")?.unwrap_or(n_heads);
        let head_dim = optional_size(config, "head_dim")?.unwrap_or(d_model / n_heads);
        if !n_heads.is_multiple_of(n_kv_heads) {
            return Err(field("num_key_value_heads", "a divisor of num_attention_heads"));
        }
        if head_dim == 0 || !head_dim.is_multiple_of(2) {
            return Err(field("head_dim", "an even number"));
        }
        Ok(Hyperparameters {
            architecture,
            n_layers: size(config, "num_hidden_layers")?,
            d_model,
            n_heads,
            n_kv_heads,
            head_dim,
            d_ff: size(config, "intermediate_size")?,
            vocab_size: size(config, "vocab_size")?,
            context_length: size(config, "max_position_embeddings")?,
            rope_base: rope_base(config)?,
            norm_eps: positive(config.get("rms_norm_eps"), "rms_norm_eps")?,
            tied: config["tie_word_embeddings"].as_bool().unwrap_or(false),
        })
    }

    /// Writes the keys that llama.cpp needs to build the graph.
    pub(crate) fn write_to(&self, metadata: &mut Metadata) {
        let name = self.architecture.name();
        metadata.set("general.architecture", name);
        metadata.set("general.type", "model");
        let mut set = |key: &str, value: usize| metadata.set(&format!("{name}.{key}"), value as u32);
        set("context_length", self.context_length);
        set("embedding_length", self.d_model);
        set("block_count", self.n_layers);
        set("feed_forward_length", self.d_ff);
        set("attention.head_count", self.n_heads);
        set("attention.head_count_kv", self.n_kv_heads);
        set("attention.key_length", self.head_dim);
        set("attention.value_length", self.head_dim);
        set("rope.dimension_count", self.head_dim);
        set("vocab_size", self.vocab_size);
        metadata.set(&format!("{name}.rope.freq_base"), self.rope_base as f32);
        metadata.set(&format!("{name}.attention.layer_norm_rms_epsilon"), self.norm_eps as f32);
    }
}

fn architecture(config: &Value) -> Result<Architecture, Error> {
    let name = config["architectures"][0].as_str();
    match (name, config["model_type"].as_str()) {
        (Some("LlamaForCausalLM"), _) | (None, Some("llama")) => Ok(Architecture::Llama),
        (Some("Qwen3ForCausalLM"), _) | (None, Some("qwen3")) => Ok(Architecture::Qwen3),
        _ if is_full_profile(config) => match config["use_qk_norm"].as_bool() {
            Some(true) => Ok(Architecture::Qwen3),
            _ => Ok(Architecture::Llama),
        },
        (other, model_type) => Err(Error::refused(
            format!("architecture {}", other.or(model_type).unwrap_or("(none named)")),
            "only LlamaForCausalLM, Qwen3ForCausalLM and NanoLogicForCausalLM are known to compute what llama.cpp computes",
            "train the portable profile, or convert with llama.cpp's own script",
        )),
    }
}

/// Is this a checkpoint of NanoLogic's full profile?
pub(crate) fn is_full_profile(config: &Value) -> bool {
    match config["architectures"][0].as_str() {
        Some(name) => name == "NanoLogicForCausalLM",
        None => config["model_type"] == "nanologic",
    }
}

/// Names what a configuration switches on that the architecture has no key for.
fn refuse_inexpressible(config: &Value, architecture: Architecture) -> Result<(), Error> {
    let activation = config["hidden_act"].as_str().unwrap_or("silu");
    if activation != "silu" && activation != "swish" {
        let reason = "llama.cpp computes SwiGLU for this architecture";
        return Err(Error::refused(format!("hidden_act = {activation}"), reason, "train with silu"));
    }
    for key in ["rope_scaling", "rope_parameters"] {
        let kind = config[key]["rope_type"].as_str().or(config[key]["type"].as_str()).unwrap_or("default");
        if kind != "default" {
            let reason = "only plain RoPE is proven here";
            let remedy = "export the base model before its context was stretched";
            return Err(Error::refused(format!("{key} of type {kind}"), reason, remedy));
        }
    }
    if config["use_sliding_window"].as_bool() == Some(true) {
        let reason = "this architecture attends to everything before a token";
        return Err(Error::refused("use_sliding_window", reason, "train with full attention"));
    }
    if architecture == Architecture::Qwen3 && config["attention_bias"].as_bool() == Some(true) {
        let reason = "qwen3 loads no biases";
        return Err(Error::refused("attention_bias", reason, "train without biases, or without QK-norm"));
    }
    Ok(())
}

fn rope_base(config: &Value) -> Result<f64, Error> {
    let value = config.get("rope_theta").or_else(|| config["rope_parameters"].get("rope_theta"));
    if value.is_none() { Ok(10_000.0) } else { positive(value, "rope_theta") }
}

fn size(config: &Value, name: &str) -> Result<usize, Error> {
    optional_size(config, name)?.ok_or_else(|| field(name, "a size from 1 to 2^24"))
}

fn optional_size(config: &Value, name: &str) -> Result<Option<usize>, Error> {
    match &config[name] {
        Value::Null => Ok(None),
        value => match value.as_u64() {
            Some(size @ 1..=MAX_SIZE) => Ok(Some(size as usize)),
            _ => Err(field(name, "a size from 1 to 2^24")),
        },
    }
}

fn positive(value: Option<&Value>, name: &str) -> Result<f64, Error> {
    let number = value.and_then(Value::as_f64).filter(|&x| x > 0.0 && x.is_finite());
    number.ok_or_else(|| field(name, "a positive number"))
}

fn field(name: &str, expected: &'static str) -> Error {
    Error::Field { field: format!("{name} of config.json"), expected }
}
