//! What can go wrong, as one enum.

use std::io;
use std::path::{Path, PathBuf};

use crate::reader::ReadError;
use crate::{GgmlType, Proof};

/// Why a file was not read, written, or believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, read or put in place.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Bytes could not be written, or were not those promised.
    #[error("cannot write: {0}")]
    Write(#[source] io::Error),
    /// A file is not sound GGUF.
    #[error("{path}: not a sound GGUF file: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: ReadError,
    },
    /// A JSON file of the checkpoint does not parse.
    #[error("{path}: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A weights file of the checkpoint does not parse.
    #[error("{path}: {source}")]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// Why.
        source: safetensors::SafeTensorError,
    },
    /// A field of the checkpoint's `config.json` or `tokenizer.json`, or a key of a GGUF file, is missing or of
    /// another kind.
    #[error("{field} is missing or not {expected}")]
    Field {
        /// Its name.
        field: String,
        /// What was looked for.
        expected: &'static str,
    },
    /// The model does something that no GGUF architecture of this crate can say.
    #[error("{what} cannot be said in GGUF: {reason}; {remedy}")]
    Refused {
        /// The thing, by the name it has in the checkpoint.
        what: String,
        /// Why not.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
    /// A file is not the one that its manifest describes.
    #[error("{} is not the file that its manifest describes: it was damaged or replaced", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A tensor that the architecture needs is not there.
    #[error("tensor {name} is missing")]
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// A tensor that the architecture has no use for: left out, the model would compute something else.
    #[error("tensor {name} has no place in the architecture {architecture}")]
    UnexpectedTensor {
        /// Its name in the checkpoint.
        name: String,
        /// The GGUF architecture.
        architecture: &'static str,
    },
    /// A tensor's shape contradicts the configuration.
    #[error("tensor {name} has shape {found:?}, the configuration says {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// Sizes by the configuration, slowest first.
        expected: Vec<usize>,
        /// Sizes in the file, slowest first.
        found: Vec<usize>,
    },
    /// A weight that is not a number, or that the chosen type turns into infinity.
    #[error("tensor {name} holds {value:e}, which {ggml_type} cannot hold; export as BF16 or F32")]
    OutOfRange {
        /// The tensor.
        name: String,
        /// The weight.
        value: f32,
        /// The type.
        ggml_type: GgmlType,
    },
    /// A tensor of the written file is further from the checkpoint's than its type explains.
    #[error(
        "tensor {name} lost {relative_rmse:.3} of itself as {ggml_type}, more than {limit:.3}; choose a finer type"
    )]
    TooCoarse {
        /// The tensor.
        name: String,
        /// Its type.
        ggml_type: GgmlType,
        /// Root mean square error relative to the tensor's own root mean square.
        relative_rmse: f64,
        /// The most that is accepted.
        limit: f64,
    },
    /// A name or shape that the format cannot hold.
    #[error("{name:?} cannot be written: {reason}")]
    Unwritable {
        /// The tensor, or the key.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// Numbers or bytes that do not fill whole blocks of their type.
    #[error("{len} numbers or bytes do not fill whole blocks of {ggml_type}")]
    PartialBlock {
        /// The type.
        ggml_type: GgmlType,
        /// How many there were.
        len: usize,
    },
    /// This crate reads the layout of this type but does not turn it into numbers or back.
    #[error("numbers of type {0} are not supported here")]
    UnsupportedType(GgmlType),
    /// The caller's forward failed.
    #[error("the checkpoint's forward failed: {0}")]
    Forward(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file's vocabulary gives a text other ids than the checkpoint's tokenizer; nothing was handed over.
    #[error("{text:?} has the ids {expected:?} in the checkpoint and {found:?} in the file")]
    TokensDiffer {
        /// The text.
        text: String,
        /// The checkpoint's ids.
        expected: Vec<u32>,
        /// The file's.
        found: Vec<u32>,
    },
    /// The file does not compute what the checkpoint computes; nothing was handed over.
    #[error("the file does not compute what the checkpoint computes: {0}")]
    NotProven(Box<Proof>),
}

impl Error {
    pub(crate) fn io(path: &Path, source: io::Error) -> Error {
        Error::Io { path: path.to_owned(), source }
    }

    pub(crate) fn refused(what: impl Into<String>, reason: &str, remedy: &str) -> Error {
        Error::Refused { what: what.into(), reason: reason.to_owned(), remedy: remedy.to_owned() }
    }
}
