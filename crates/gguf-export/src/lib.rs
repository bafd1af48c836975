//! GGUF that provably computes the same.
//!
//! [`export`] turns a checkpoint folder, as Hugging Face tools write it, into one file that llama.cpp and Ollama run
//! unchanged, and hands it over only when it is proven: the crate's own small forward ([`GgufModel`]) and tokenizer
//! ([`GgufTokenizer`]) read the written file back and must give the logits of the checkpoint's own [`Forward`] and the ids
//! of its tokenizer. NanoLogic's full profile is folded into the weights where that is exact; what GGUF cannot say is refused
//! by name, with the reason and the remedy. [`requantize`] turns one GGUF file into another of other types, as
//! `llama-quantize` does.
//!
//! ```
//! use gguf_export::{Error, ExportOptions, FileType, Forward, export};
//! use std::path::Path;
//!
//! fn ship(checkpoint: &Path, reference: &dyn Forward) -> Result<(), Error> {
//!     let options = ExportOptions { file_type: FileType::Q8_0, ..Default::default() };
//!     let manifest = export(checkpoint, Path::new("model.gguf"), &options, reference)?;
//!     println!("{}", manifest.logits);
//!     Ok(())
//! }
//! ```
//!
//! Below it lie the format itself, for any GGUF file: [`Metadata`], [`TensorInfo`], [`Writer`] (one pass, no tensor held),
//! [`GgufFile`] (no count believed before its bytes are seen), and the block types, [`quantize`] and [`dequantize`],
//! byte for byte those of a stock x86-64 llama.cpp.
//!
//! # Features
//!
//! - `llama-cpp`: module `llama_cpp`, a client that asks the real llama.cpp for tokens, logits and text.
//!
//! # What it never does
//!
//! Write what it cannot prove equal; allocate by a number that only a file vouches for; leave half a file behind.

#![deny(unsafe_code)]
#![deny(missing_docs)]

// The format.
mod ggml_type;
mod metadata;
mod tensor;

mod reader;
mod writer;

mod importance;
mod quantize;
mod requantize;

// From a checkpoint to a file.
mod checkpoint;

mod architecture;
mod fold;
mod full_profile;
mod names;
mod vocab;

mod chat_template;
mod export;
mod manifest;
mod modelfile;

// The proof.
mod forward;
mod proof;
mod tokenizer;

mod atomic_file;
mod error;

#[cfg(feature = "llama-cpp")]
pub mod llama_cpp;

pub use architecture::{Architecture, Hyperparameters};
pub use chat_template::{ChatTemplate, Role, Turn};
pub use checkpoint::{CheckpointFolder, TensorSource};
pub use error::Error;
pub use export::{Approximation, ExportOptions, UnknownApproximation, export};
pub use forward::GgufModel;
pub use ggml_type::{FileType, GgmlType, UnknownFileType};
pub use importance::ImportanceMatrix;
pub use manifest::{Approximate, Manifest, TensorRecord, check_against_manifest};
pub use metadata::{Array, Metadata, Value};
pub use modelfile::Modelfile;
pub use proof::{Forward, Proof, ROUNDING, Tokenized, compare, probes};
pub use quantize::{Mix, dequantize, quantize};
pub use reader::{GgufFile, Header, ReadError, ReadErrorKind};
pub use requantize::{RequantizeOptions, Requantized, plan, requantize};
pub use tensor::TensorInfo;
pub use tokenizer::GgufTokenizer;
pub use writer::Writer;
