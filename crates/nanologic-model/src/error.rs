//! What can go wrong in this crate.

use std::path::{Path, PathBuf};

use crate::config::ConfigError;

/// Every error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The config is no decoder.
    #[error("config: {0}")]
    Config(#[from] ConfigError),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is not the JSON that it should be.
    #[error("{path}: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A file is not a safetensors file.
    #[error("{path}: {source}")]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// The config names a tensor that the weights lack.
    #[error("no tensor {name}")]
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// The weights hold a tensor that the config does not know.
    #[error("tensor {name} belongs to no part of this decoder")]
    UnknownTensor {
        /// Its name.
        name: String,
    },
    /// A tensor does not have the shape that the config gives it.
    #[error("tensor {name} has shape {found:?}, the config says {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// The shape by the config.
        expected: Vec<usize>,
        /// The shape found.
        found: Vec<usize>,
    },
    /// A tensor's numbers are of a type that is not read.
    #[error("tensor {name} holds {dtype}; read are F64, F32, F16 and BF16")]
    Dtype {
        /// Its name.
        name: String,
        /// Its type as safetensors spells it.
        dtype: String,
    },
    /// A token id that the vocabulary does not hold.
    #[error("token id {id} is outside the vocabulary of {vocab_size}")]
    Token {
        /// The id.
        id: u32,
        /// Number of ids there are.
        vocab_size: usize,
    },
    /// A sequence longer than the model was made for, or empty.
    #[error("a sequence of {length} tokens; the model takes 1 to {max_seq}")]
    Length {
        /// Its length in tokens.
        length: usize,
        /// The longest allowed.
        max_seq: usize,
    },
    /// A batch whose parts do not agree in length.
    #[error("batch of {rows} × {seq}: {field} holds {found} values")]
    Batch {
        /// Rows it claims.
        rows: usize,
        /// Tokens a row it claims.
        seq: usize,
        /// The field that disagrees.
        field: &'static str,
        /// How many values it holds.
        found: usize,
    },
    /// Training produced a number that is not finite; the last checkpoint is still good.
    #[error("{tensor} is not finite at step {step}")]
    NotFinite {
        /// The tensor, `gradient of` a tensor, `output of` a layer, or `loss`.
        tensor: String,
        /// The step that produced it.
        step: u64,
    },
    /// A step needs more memory than there is.
    #[error(
        "out of memory: {tokens} tokens at once need about {} MiB, {} MiB are free; {}",
        needed >> 20, free >> 20, what_fits(*fitting_tokens)
    )]
    Memory {
        /// Tokens that are computed at once.
        tokens: usize,
        /// Bytes that they need, by estimate.
        needed: usize,
        /// Bytes that are free.
        free: usize,
        /// Tokens at once that would fit, 0 if not even one row does.
        fitting_tokens: usize,
    },
    /// A checkpoint cannot be trained further as asked.
    #[error("cannot resume: {reason}")]
    Resume {
        /// Why.
        reason: String,
    },
    /// A setting of training means nothing, or nothing beside the others.
    #[error("training setting {setting}: {reason}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing to train on or to answer.
    #[error("no examples")]
    NoExamples,
    /// The tokenizer could not be loaded, or lacks a token that the format needs.
    #[error("tokenizer: {reason}")]
    Tokenizer {
        /// Why.
        reason: String,
    },
    /// LibTorch refused.
    #[cfg(feature = "torch")]
    #[error("LibTorch: {0}")]
    Torch(#[from] tch::TchError),
}

impl Error {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error + '_ {
        move |source| Error::Io { path: path.to_owned(), source }
    }

    pub(crate) fn json(path: &Path) -> impl FnOnce(serde_json::Error) -> Error + '_ {
        move |source| Error::Json { path: path.to_owned(), source }
    }

    pub(crate) fn safetensors(path: &Path) -> impl FnOnce(safetensors::SafeTensorError) -> Error + '_ {
        move |source| Error::Safetensors { path: path.to_owned(), source }
    }
}

fn what_fits(tokens: usize) -> String {
    match tokens {
        0 => "not even one row fits: a smaller model, shorter rows, or recomputed blocks would".to_owned(),
        _ => format!("{tokens} at once would fit: more accumulation, or a smaller batch"),
    }
}
