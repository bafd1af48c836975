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
    /// Residual stream to the queries of the pattern that is subtracted, with [`Options::differential`].
    ///
    /// [`Options::differential`]: crate::Options::differential
    SecondQuery,
    /// Residual stream to keys.
    Key,
    /// Residual stream to the keys of the pattern that is subtracted.
    SecondKey,
    /// Residual stream to values.
    Value,
    /// Gain of the norm of each query head.
    QueryNorm,
    /// Gain of the norm of each key head.
    KeyNorm,
    /// How much of the second pattern is subtracted: one number, λ.
    Lambda,
    /// Heads back to the residual stream.
    Output,
    /// Gain of the norm before the feed-forward.
    FeedForwardNorm,
    /// The half of SwiGLU that passes through SiLU.
    Gate,
    /// The half of SwiGLU that is gated.
    Up,
    /// How much of the up-projection passes the gate: one number, with [`Options::gate_residual`].
    ///
    /// [`Options::gate_residual`]: crate::Options::gate_residual
    GateResidual,
    /// Feed-forward back to the residual stream.
    Down,
    /// Gain of the norm before the head.
    FinalNorm,
    /// Residual stream to logits, when it is not the embedding.
    Head,
    /// Factor on the logits: one number, with [`Options::head_scale`].
    ///
    /// [`Options::head_scale`]: crate::Options::head_scale
    HeadScale,
}

/// How a tensor starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// The same number throughout: 1 for gains; 0 for what writes to the residual stream, so that every block starts as
    /// the identity.
    Constant(f64),
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
    /// Gains and single numbers: AdamW, not decayed.
    Gain,
}

impl Kind {
    const LAYER: [Kind; 15] = [
        Kind::AttentionNorm,
        Kind::Query,
        Kind::SecondQuery,
        Kind::Key,
        Kind::SecondKey,
        Kind::Value,
        Kind::QueryNorm,
        Kind::KeyNorm,
        Kind::Lambda,
        Kind::Output,
        Kind::FeedForwardNorm,
        Kind::Gate,
        Kind::Up,
        Kind::GateResidual,
        Kind::Down,
    ];

    /// The axis of each dimension, outermost first.
    pub fn axes(self) -> &'static [Axis] {
        match self {
            Kind::Embedding | Kind::Head => &[Axis::Vocabulary, Axis::Residual],
            Kind::AttentionNorm | Kind::FeedForwardNorm | Kind::FinalNorm => &[Axis::Residual],
            Kind::QueryNorm | Kind::KeyNorm => &[Axis::Head],
            Kind::Query | Kind::SecondQuery => &[Axis::Query, Axis::Residual],
            Kind::Key | Kind::SecondKey | Kind::Value => &[Axis::KeyValue, Axis::Residual],
            Kind::Output => &[Axis::Residual, Axis::Query],
            Kind::Gate | Kind::Up => &[Axis::FeedForward, Axis::Residual],
            Kind::Down => &[Axis::Residual, Axis::FeedForward],
            Kind::Lambda | Kind::GateResidual | Kind::HeadScale => &[],
        }
    }

    /// How it starts in block `layer`: matrices normal with variance 1 / fan-in, by DeepNorm β times that standard
    /// deviation; see [`Init`] for the exceptions.
    pub fn init(self, config: &Config, layer: Option<usize>) -> Init {
        let fan_in = |n: usize| (n as f64).powf(-0.5);
        let beta = config.options.beta;
        match self {
            Kind::Embedding | Kind::Head => Init::Normal { std: 0.02 },
            Kind::Output | Kind::Down => match beta {
                Some(beta) => Init::Normal { std: beta * fan_in(self.axes()[1].length(config)) },
                None => Init::Constant(0.0),
            },
            Kind::Value | Kind::Gate | Kind::Up => {
                Init::Normal { std: beta.unwrap_or(1.0) * fan_in(config.d_model) }
            }
            Kind::Query | Kind::SecondQuery | Kind::Key | Kind::SecondKey => {
                Init::Normal { std: fan_in(config.d_model) }
            }
            // Ye et al. 2024: deeper blocks see more noise.
            Kind::Lambda => Init::Constant(0.8 - 0.6 * (-0.3 * layer.unwrap_or(0) as f64).exp()),
            Kind::GateResidual => Init::Constant(0.0),
            _ => Init::Constant(1.0),
        }
    }

    /// The optimizer it belongs to.
    pub fn group(self) -> Group {
        match self {
            Kind::Embedding | Kind::Head => Group::Embedding,
            _ if self.axes().len() < 2 => Group::Gain,
            _ => Group::Hidden,
        }
    }

    /// Its name in a checkpoint, which is LLaMA's.
    pub fn name(self, layer: Option<usize>) -> String {
        let stem = match self {
            Kind::Embedding => "model.embed_tokens.weight",
            Kind::AttentionNorm => "input_layernorm.weight",
            Kind::Query => "self_attn.q_proj.weight",
            Kind::SecondQuery => "self_attn.q2_proj.weight",
            Kind::Key => "self_attn.k_proj.weight",
            Kind::SecondKey => "self_attn.k2_proj.weight",
            Kind::Value => "self_attn.v_proj.weight",
            Kind::QueryNorm => "self_attn.q_norm.weight",
            Kind::KeyNorm => "self_attn.k_norm.weight",
            Kind::Lambda => "self_attn.lambda",
            Kind::Output => "self_attn.o_proj.weight",
            Kind::FeedForwardNorm => "post_attention_layernorm.weight",
            Kind::Gate => "mlp.gate_proj.weight",
            Kind::Up => "mlp.up_proj.weight",
            Kind::GateResidual => "mlp.gate_residual",
            Kind::Down => "mlp.down_proj.weight",
            Kind::FinalNorm => "model.norm.weight",
            Kind::Head => "lm_head.weight",
            Kind::HeadScale => "lm_head.scale",
        };
        match layer {
            Some(layer) => format!("model.layers.{layer}.{stem}"),
            None => stem.to_owned(),
        }
    }

    /// Whether a decoder of this config has it.
    fn in_use(self, config: &Config) -> bool {
        match self {
            Kind::QueryNorm | Kind::KeyNorm => config.qk_norm,
            Kind::SecondQuery | Kind::SecondKey | Kind::Lambda => config.options.differential,
            Kind::GateResidual => config.options.gate_residual,
            Kind::HeadScale => config.options.head_scale,
            Kind::Head => !config.tied,
            _ => true,
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
    let in_use = |kind: &Kind| kind.in_use(config);
    let mut all = vec![spec(Kind::Embedding, None)];
    for layer in 0..config.n_layers {
        all.extend(Kind::LAYER.into_iter().filter(in_use).map(|kind| spec(kind, Some(layer))));
    }
    let last = [Kind::FinalNorm, Kind::Head, Kind::HeadScale];
    all.extend(last.into_iter().filter(in_use).map(|kind| spec(kind, None)));
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
