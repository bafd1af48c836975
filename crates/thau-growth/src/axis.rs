//! What the dimensions of a tensor mean.
//!
//! Growth operators never see a field name: they ask which axis a dimension is, and on which side of it the
//! tensor stands. *Of every new channel exactly one side is zero and the other random*: inside a block the consumers are
//! zero; on the residual stream it is the producers, since whatever they wrote there would move every norm.

use serde::{Deserialize, Serialize};

/// A quantity that a transformer can have more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Axis {
    /// Rows of the embedding and of the output head.
    Vocabulary,
    /// The residual stream, `d_model`.
    Residual,
    /// Query heads.
    QueryHead,
    /// Key and value heads; each serves `query heads / KV heads` consecutive query heads.
    KvHead,
    /// Dimensions of one query or key, in rotate-half order: pair `i` is `(i, i + n / 2)`.
    QkDim,
    /// Dimensions of one value.
    ValueDim,
    /// Hidden units of the feed-forward block, `d_ff`.
    FeedForward,
    /// Blocks. No tensor has this dimension; it is in the tensors' names.
    Layer,
    /// The longest sequence. No tensor has this dimension.
    Context,
}

/// On which side of an axis a tensor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Writes the channel: the embedding and both output projections write the residual stream, `gate` and `up`
    /// the feed-forward units, `q`, `k` and `v` their heads, `k` the query-key dimensions.
    Producer,
    /// Reads the channel: `q`, `k`, `v`, `gate`, `up` and an untied head read the residual stream, `down` the
    /// feed-forward units, `o` the heads and the value dimensions, `q` the query-key dimensions.
    Consumer,
    /// Writes the channel at the bottom and reads it at the top: a tied embedding on the residual stream.
    Tied,
    /// Scales the channel after a root-mean-square norm over the whole axis.
    Gain,
    /// The gain of the last norm where a tied embedding reads its output.
    TiedGain,
    /// One row a channel with nothing on the other side: the vocabulary.
    Entry,
}

/// One axis of one tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AxisUse {
    /// The stored dimension. Two uses may share one: rows of `q_proj` are `(query head, query-key dimension)`.
    pub dim: usize,
    /// Which axis.
    pub axis: Axis,
    /// How many entries along it.
    pub size: usize,
    /// On which side of it the tensor stands.
    pub role: Role,
}
