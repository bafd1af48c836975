//! One table of a decoder's tensors. Shapes, names, initialisation, weight decay, the parameter count and growth all
//! follow from it; nothing else in the crate spells a tensor's name.

use crate::config::Config;

/// A size of the config that tensors share, as growth widens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// `vocab_size`.
    Vocabulary,
    /// `d_model`.
    Residual,
    /// `n_heads × head_dim`, head by head.
    Query,
    /// `n_kv_heads × head_dim`, head by head.
    KeyValue,
    /// `head_dim`.
    Head,
    /// `d_ff`.
    FeedForward,
}

impl Axis {
    /// Its length in `config`.
    pub fn length(self, config: &Config) -> usize {
        match self {
            Axis::Vocabulary => config.vocab_size,
            Axis::Residual => config.d_model,
            Axis::Query => config.n_heads * config.head_dim,
            Axis::KeyValue => config.n_kv_heads * config.head_dim,
            Axis::Head => config.head_dim,
            Axis::FeedForward => config.d_ff,
        }
    }
}

/// What a tensor is for. A matrix multiplies as `y = W x`: rows produce, columns consume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Token id to residual stream, `(vocabulary, residual)`.
    Embedding,
    /// Gain of the norm before attention.
    AttentionNorm,
    /// Residual stream to queries.
    Query,
    /// Residual stream to keys.
    Key,
    /// Residual stream to values.
    Value,
    /// Gain of the norm of each query head.
    QueryNorm,
    /// Gain of the norm of each key head.
    KeyNorm,
    /// Heads back to the residual stream.
    Output,
    /// Gain of the norm before the feed-forward.
    FeedForwardNorm,
    /// The half of SwiGLU that passes through SiLU.
    Gate,
    /// The half of SwiGLU that is gated.
    Up,
    /// Feed-forward back to the residual stream.
    Down,
    /// Gain of the norm before the head.
    FinalNorm,
    /// Residual stream to logits, when it is not the embedding.
    Head,
}

/// How a tensor starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// All ones: gains.
    Ones,
    /// All zeros: what writes to the residual stream, so that every block starts as the identity.
    Zeros,
    /// Independent normal numbers of mean 0.
    Normal {
        /// Standard deviation.
        std: f64,
    },
}

/// Which optimizer a tensor belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Matrices between hidden vectors: Muon, decayed.
    Hidden,
    /// Embedding and head: AdamW, not decayed.
    Embedding,
    /// Gains: AdamW, not decayed.
    Gain,
}

impl Kind {
    const LAYER: [Kind; 11] = [
        Kind::AttentionNorm,
        Kind::Query,
        Kind::Key,
        Kind::Value,
        Kind::QueryNorm,
        Kind::KeyNorm,
        Kind::Output,
        Kind::FeedForwardNorm,
        Kind::Gate,
        Kind::Up,
        Kind::Down,
    ];

    /// The axis of each dimension, outermost first.
    pub fn axes(self) -> &'static [Axis] {
        match self {
            Kind::Embedding | Kind::Head => &[Axis::Vocabulary, Axis::Residual],
            Kind::AttentionNorm | Kind::FeedForwardNorm | Kind::FinalNorm => &[Axis::Residual],
            Kind::QueryNorm | Kind::KeyNorm => &[Axis::Head],
            Kind::Query => &[Axis::Query, Axis::Residual],
            Kind::Key | Kind::Value => &[Axis::KeyValue, Axis::Residual],
            Kind::Output => &[Axis::Residual, Axis::Query],
            Kind::Gate | Kind::Up => &[Axis::FeedForward, Axis::Residual],
            Kind::Down => &[Axis::Residual, Axis::FeedForward],
        }
    }

    /// How it starts: normal with variance 1 / fan-in; see [`Init`] for the exceptions.
    pub fn init(self, config: &Config) -> Init {
        match self {
            Kind::Output | Kind::Down => Init::Zeros,
            Kind::Embedding | Kind::Head => Init::Normal { std: 0.02 },
            Kind::Query | Kind::Key | Kind::Value | Kind::Gate | Kind::Up => {
                Init::Normal { std: (config.d_model as f64).powf(-0.5) }
            }
            _ => Init::Ones,
        }
    }

    /// The optimizer it belongs to.
    pub fn group(self) -> Group {
        match self {
            Kind::Embedding | Kind::Head => Group::Embedding,
            _ if self.axes().len() == 1 => Group::Gain,
            _ => Group::Hidden,
        }
    }

    /// Its name in a checkpoint, which is LLaMA's.
    pub fn name(self, layer: Option<usize>) -> String {
        let stem = match self {
            Kind::Embedding => "model.embed_tokens",
            Kind::AttentionNorm => "input_layernorm",
            Kind::Query => "self_attn.q_proj",
            Kind::Key => "self_attn.k_proj",
            Kind::Value => "self_attn.v_proj",
            Kind::QueryNorm => "self_attn.q_norm",
            Kind::KeyNorm => "self_attn.k_norm",
            Kind::Output => "self_attn.o_proj",
            Kind::FeedForwardNorm => "post_attention_layernorm",
            Kind::Gate => "mlp.gate_proj",
            Kind::Up => "mlp.up_proj",
            Kind::Down => "mlp.down_proj",
            Kind::FinalNorm => "model.norm",
            Kind::Head => "lm_head",
        };
        match layer {
            Some(layer) => format!("model.layers.{layer}.{stem}.weight"),
            None => format!("{stem}.weight"),
        }
    }
}

/// One tensor of a decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its name in `model.safetensors`.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// The block it belongs to, counted from 0.
    pub layer: Option<usize>,
    /// Its lengths, outermost first.
    pub shape: Vec<usize>,
}

impl TensorSpec {
    /// Number of values.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Every tensor of `config`, in the order of the forward pass.
pub(crate) fn tensors(config: &Config) -> Vec<TensorSpec> {
    let spec = |kind: Kind, layer| TensorSpec {
        name: kind.name(layer),
        kind,
        layer,
        shape: kind.axes().iter().map(|axis| axis.length(config)).collect(),
    };
    let in_use = |kind: &Kind| config.qk_norm || !matches!(kind, Kind::QueryNorm | Kind::KeyNorm);
    let mut all = vec![spec(Kind::Embedding, None)];
    for layer in 0..config.n_layers {
        all.extend(Kind::LAYER.into_iter().filter(in_use).map(|kind| spec(kind, Some(layer))));
    }
    all.push(spec(Kind::FinalNorm, None));
    if !config.tied {
        all.push(spec(Kind::Head, None));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_llamas() {
        let config = Config { tied: false, ..Config::tiny() };
        let names: BTreeSet<String> = config.tensors().into_iter().map(|spec| spec.name).collect();
        assert_eq!(names.len(), config.tensors().len());
        assert!(names.contains("model.layers.1.self_attn.q_proj.weight"));
        assert!(names.contains("lm_head.weight"));
    }

    #[test]
    fn parameters_match_the_sum_written_out() {
        let c = Config::tiny();
        let attention = 2 * c.d_model * c.d_model + 2 * c.d_model * c.n_kv_heads * c.head_dim;
        let layer = attention + 3 * c.d_model * c.d_ff + 2 * c.d_model + 2 * c.head_dim;
        assert_eq!(c.body_parameters(), c.n_layers * layer);
        assert_eq!(c.parameters(), c.n_layers * layer + c.vocab_size * c.d_model + c.d_model);
    }

    #[test]
    fn only_matrices_are_hidden() {
        for spec in Config::demo().tensors() {
            assert_eq!(spec.kind.group() == Group::Hidden, spec.shape.len() == 2 && spec.layer.is_some());
        }
    }
}
