//! What was exported from what, what was changed on the way, and how far the numbers moved.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::Proof;

/// The record beside an exported file. It holds no date, so the same input gives the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Manifest {
    /// Version of this crate.
    pub gguf_export: String,
    /// Name of the GGUF file.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Its BLAKE3 hash: a truncated or damaged file does not have it.
    pub blake3: String,
    /// `general.architecture`.
    pub architecture: String,
    /// Name of the file type, as `Q4_K_M`.
    pub file_type: String,
    /// Weights in the file.
    pub parameters: u64,
    /// BLAKE3 hashes of the checkpoint's files, by name.
    pub sources: BTreeMap<String, String>,
    /// What was reordered, padded or folded, in words.
    pub changes: Vec<String>,
    /// Texts that the file tokenizes as the checkpoint does.
    pub texts: usize,
    /// The same file in F32 against the checkpoint: the graph, the names and the order of rows are right.
    pub graph: Proof,
    /// The file itself against the checkpoint: what its types cost.
    pub logits: Proof,
    /// Each tensor.
    pub tensors: Vec<TensorRecord>,
}

/// One tensor of an exported file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TensorRecord {
    /// Name in GGUF.
    pub name: String,
    /// Its type.
    pub ggml_type: String,
    /// Sizes, fastest first.
    pub dims: Vec<u64>,
    /// √(Σ(stored - true)² / Σ true²), as read back from the file.
    pub relative_rmse: f64,
}
