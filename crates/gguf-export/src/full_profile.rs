//! What NanoLogic's full profile switches on beyond the architectures of llama.cpp.

use serde_json::Value;

use crate::Error;

/// What a config of the full profile switches on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FullProfile {
    pub qk_norm: bool,
    /// α of each sub-layer, two a block, attention first; empty: 1.
    pub residual_scales: Vec<f64>,
    pub embedding_scale: f64,
    pub head_scale: bool,
    pub gate_residual: bool,
    pub differential: bool,
    /// Radians a position, for each pair of a head; empty: from the base.
    pub rope_frequencies: Vec<f64>,
}

impl FullProfile {
    /// Reads the keys of a `nanologic` config.
    ///
    /// # Errors
    /// [`Error::Field`] for a value of the wrong kind, [`Error::Refused`] for options that no architecture has together.
    pub fn from_config(config: &Value) -> Result<FullProfile, Error> {
        let profile = FullProfile {
            qk_norm: flag(config, "use_qk_norm")?,
            residual_scales: positive_numbers(config, "residual_scales")?,
            embedding_scale: match &config["embedding_scale"] {
                Value::Null => 1.0,
                scale => positive(scale, "embedding_scale")?,
            },
            head_scale: flag(config, "head_scale")?,
            gate_residual: flag(config, "gate_residual")?,
            differential: flag(config, "differential_attention")?,
            rope_frequencies: positive_numbers(config, "rope_frequencies")?,
        };
        for (set, what, reason) in [
            (profile.gate_residual, "gate_residual with use_qk_norm", "a gate bias"),
            (!profile.rope_frequencies.is_empty(), "rope_frequencies with use_qk_norm", "RoPE factors"),
        ] {
            if set && profile.qk_norm {
                let reason = format!("no architecture of llama.cpp loads both QK-norm and {reason}");
                return Err(Error::refused(what, &reason, "train with only one of the two"));
            }
        }
        Ok(profile)
    }
}

/// Bounds c of c tanh(x / c), which no SwiGLU architecture of llama.cpp computes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Caps {
    /// On the attention scores.
    pub attention: Option<f64>,
    /// On the logits.
    pub output: Option<f64>,
}

impl Caps {
    /// Reads the keys of `config.json`.
    ///
    /// # Errors
    /// [`Error::Field`] for a cap that is no positive number.
    pub fn from_config(config: &Value) -> Result<Caps, Error> {
        let cap = |key: &str| match &config[key] {
            Value::Null => Ok(None),
            value => positive(value, key).map(Some),
        };
        Ok(Caps { attention: cap("attn_logit_softcapping")?, output: cap("final_logit_softcapping")? })
    }

    /// Each cap that is set, as it stands in the config.
    pub fn in_words(&self) -> Vec<String> {
        let caps = [("attn_logit_softcapping", self.attention), ("final_logit_softcapping", self.output)];
        caps.into_iter().filter_map(|(key, cap)| Some(format!("{key} = {}", cap?))).collect()
    }
}

fn flag(config: &Value, key: &str) -> Result<bool, Error> {
    match &config[key] {
        Value::Null => Ok(false),
        value => value.as_bool().ok_or_else(|| field(key, "true or false")),
    }
}

fn positive(value: &Value, key: &str) -> Result<f64, Error> {
    let number = value.as_f64().filter(|number| number.is_normal() && *number > 0.0);
    number.ok_or_else(|| field(key, "positive"))
}

fn positive_numbers(config: &Value, key: &str) -> Result<Vec<f64>, Error> {
    let Some(list) = config[key].as_array() else {
        return if config[key].is_null() { Ok(Vec::new()) } else { Err(field(key, "a list of numbers")) };
    };
    list.iter().map(|value| positive(value, key)).collect()
}

pub(crate) fn expect_length(
    list: &[f64],
    len: usize,
    key: &str,
    expected: &'static str,
) -> Result<(), Error> {
    if list.is_empty() || list.len() == len { Ok(()) } else { Err(field(key, expected)) }
}

fn field(key: &str, expected: &'static str) -> Error {
    Error::Field { field: format!("{key} of config.json"), expected }
}
