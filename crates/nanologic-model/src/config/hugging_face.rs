//! `config.json` as `transformers` writes it.
//!
//! A config of the portable profile is `Qwen3ForCausalLM` or `LlamaForCausalLM`, field for field. One with options is
//! `NanoLogicForCausalLM`: no other tool knows the name, so none runs the weights as something else. What `config.json`
//! asks for and this decoder does not compute is refused by name; in a `nanologic` folder that is every unknown key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Config, ConfigError, Options};

const FULL: &str = "nanologic";

/// The part of `config.json` that matters, with the names of `transformers`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct HuggingFace {
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
    rope_scaling: Option<Value>,
    /// Where `transformers` 5 keeps RoPE's base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rope_parameters: Option<RopeParameters>,
    /// One a block, `full_attention`; Qwen's folders list them, so that depth is said twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    layer_types: Option<Vec<String>>,
    #[serde(default = "float32")]
    torch_dtype: String,
    /// What `transformers` 5 reads in place of `torch_dtype`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dtype: Option<String>,
    /// DeepNorm's β: how weights start, whatever the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    initializer_beta: Option<f64>,
    #[serde(flatten)]
    full: Full,
    /// What other tools add.
    #[serde(flatten, skip_serializing)]
    unknown: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct RopeParameters {
    rope_theta: Option<f64>,
    #[serde(default = "default_rope")]
    rope_type: String,
}

/// The keys of a `nanologic` config, and of no other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Full {
    #[serde(skip_serializing_if = "Option::is_none")]
    use_qk_norm: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    residual_scales: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding_scale: Option<f64>,
    #[serde(skip_serializing_if = "is_false")]
    head_scale: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    attn_logit_softcapping: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    final_logit_softcapping: Option<f64>,
    #[serde(skip_serializing_if = "is_false")]
    gate_residual: bool,
    #[serde(skip_serializing_if = "is_false")]
    differential_attention: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rope_frequencies: Vec<f64>,
}

fn full_attention() -> String {
    "full_attention".to_owned()
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
fn is_false(set: &bool) -> bool {
    !set
}

impl Full {
    fn new(options: Options, qk_norm: bool) -> Full {
        if options.is_portable() {
            return Full::default();
        }
        Full {
            use_qk_norm: Some(qk_norm),
            residual_scales: options.residual_scales,
            embedding_scale: options.embedding_scale,
            head_scale: options.head_scale,
            attn_logit_softcapping: options.attention_cap,
            final_logit_softcapping: options.output_cap,
            gate_residual: options.gate_residual,
            differential_attention: options.differential,
            rope_frequencies: options.rope_frequencies,
        }
    }

    fn options(self, beta: Option<f64>) -> Options {
        Options {
            residual_scales: self.residual_scales,
            beta,
            embedding_scale: self.embedding_scale,
            head_scale: self.head_scale,
            attention_cap: self.attn_logit_softcapping,
            output_cap: self.final_logit_softcapping,
            gate_residual: self.gate_residual,
            differential: self.differential_attention,
            rope_frequencies: self.rope_frequencies,
        }
    }

    /// The first key that is set, with its value.
    fn first_set(&self) -> Option<(String, Value)> {
        let set = serde_json::to_value(self).ok()?;
        set.as_object()?.iter().next().map(|(key, value)| (key.clone(), value.clone()))
    }
}

impl From<Config> for HuggingFace {
    fn from(config: Config) -> HuggingFace {
        // What newer tools say a second time is written too: a folder of theirs keeps its other keys when it changes.
        let portable = config.options.is_portable();
        let qwen3 = portable && config.qk_norm;
        let rope = RopeParameters { rope_theta: Some(config.rope_base), rope_type: default_rope() };
        let (class, model_type) = match (portable, config.qk_norm) {
            (true, true) => ("Qwen3ForCausalLM", "qwen3"),
            (true, false) => ("LlamaForCausalLM", "llama"),
            (false, _) => ("NanoLogicForCausalLM", FULL),
        };
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
            rope_parameters: portable.then_some(rope),
            layer_types: qwen3.then(|| vec![full_attention(); config.n_layers]),
            torch_dtype: float32(),
            dtype: portable.then(float32),
            initializer_beta: config.options.beta,
            full: Full::new(config.options, config.qk_norm),
            unknown: BTreeMap::new(),
        }
    }
}

impl TryFrom<HuggingFace> for Config {
    type Error = ConfigError;

    fn try_from(hf: HuggingFace) -> Result<Config, ConfigError> {
        let unsupported = |field: &str, value: &dyn ToString| {
            Err(ConfigError::Unsupported { field: field.to_owned(), value: value.to_string() })
        };
        let qk_norm = match hf.model_type.as_str() {
            "qwen3" => true,
            "llama" => false,
            FULL => hf.full.use_qk_norm.unwrap_or(false),
            other => return unsupported("model_type", &other),
        };
        let stranger = if hf.model_type == FULL {
            hf.unknown.iter().next().map(|(key, value)| (key.clone(), value.clone()))
        } else {
            hf.full.first_set()
        };
        if let Some((field, value)) = stranger {
            return unsupported(&field, &value);
        }
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
        if let Some(other) = hf.layer_types.iter().flatten().find(|kind| **kind != full_attention()) {
            return unsupported("layer_types", other);
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
            options: hf.full.options(hf.initializer_beta),
        };
        config.validate()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::PRESETS;

    #[test]
    fn every_preset_comes_back_from_json() {
        for (name, make) in PRESETS {
            let json = serde_json::to_string(&make()).unwrap();
            assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), make(), "{name}");
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
    fn every_option_alone_comes_back_and_passes_for_no_portable_model() {
        for (name, config) in crate::config::each_option() {
            let json = serde_json::to_value(&config).unwrap();
            assert_eq!(serde_json::from_value::<Config>(json.clone()).unwrap(), config, "{name}");
            let full =
                json["model_type"] == "nanologic" && json["architectures"][0] == "NanoLogicForCausalLM";
            assert_eq!(full, !config.options.is_portable(), "{name}");
            // With another's name on it, it is refused: by the key that the other does not have.
            let mut disguised = json.clone();
            disguised["model_type"] = "qwen3".into();
            let error = serde_json::from_value::<Config>(disguised);
            assert_eq!(error.is_err(), full, "{name}: {error:?}");
        }
    }

    #[test]
    fn the_portable_profile_writes_no_key_of_the_full_one() {
        let json = serde_json::to_value(Config::demo()).unwrap();
        for key in ["use_qk_norm", "residual_scales", "embedding_scale", "head_scale", "gate_residual"] {
            assert!(json.get(key).is_none(), "{key}");
        }
    }

    #[test]
    fn a_full_config_with_a_key_of_tomorrow_is_refused_by_its_name() {
        let mut json = serde_json::to_value(Config::notes_full()).unwrap();
        json["value_embeddings"] = true.into();
        let error = serde_json::from_value::<Config>(json).unwrap_err();
        assert!(error.to_string().contains("value_embeddings"), "{error}");
    }

    #[test]
    fn what_is_not_computed_is_refused_by_name() {
        let mut json = serde_json::to_value(Config::tiny()).unwrap();
        for (key, value) in [
            ("hidden_act", json!("gelu")),
            ("attention_bias", true.into()),
            ("rope_scaling", json!({"type": "yarn"})),
            ("final_logit_softcapping", 30.0.into()),
            ("model_type", "mamba".into()),
            ("layer_types", json!(["full_attention", "sliding_attention"])),
            ("num_attention_heads", 3.into()),
            ("num_attention_heads", 0.into()),
            ("hidden_size", 0.into()),
            ("head_dim", 7.into()),
        ] {
            let kept = json.get(key).cloned();
            json[key] = value;
            assert!(serde_json::from_value::<Config>(json.clone()).is_err(), "{key}");
            match kept {
                Some(kept) => json[key] = kept,
                None => {
                    json.as_object_mut().unwrap().remove(key);
                }
            }
        }
    }
}
