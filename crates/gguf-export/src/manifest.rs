//! What was exported from what, what was changed on the way, and how far the numbers moved.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{Error, Proof};

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
    /// What was left out because the caller allowed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approximate: Option<Approximate>,
    /// The same file in F32 against the checkpoint, with what was left out put back: the graph, the names and the order
    /// of rows are right.
    pub graph: Proof,
    /// The file itself against the checkpoint: what its types cost.
    pub logits: Proof,
    /// Each tensor.
    pub tensors: Vec<TensorRecord>,
}

/// Where the manifest of an exported file lies.
pub(crate) fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".manifest.json");
    file.with_file_name(name)
}

/// Holds an exported file against the hash in the manifest beside it. `false`: there is no manifest.
///
/// # Errors
/// [`Error::Damaged`] if the file is not the one that was exported; [`Error::Json`] or [`Error::Field`] for a manifest
/// that is none; [`Error::Io`].
pub fn check_against_manifest(file: &Path) -> Result<bool, Error> {
    let path = beside(file);
    if !path.exists() {
        return Ok(false);
    }
    let json = fs::read(&path).map_err(|source| Error::io(&path, source))?;
    let manifest: serde_json::Value =
        serde_json::from_slice(&json).map_err(|source| Error::Json { path: path.clone(), source })?;
    let expected = manifest["blake3"]
        .as_str()
        .ok_or_else(|| Error::Field { field: "blake3 of the manifest".to_owned(), expected: "a hash" })?;
    let mut hasher = blake3::Hasher::new();
    let bytes = File::open(file).and_then(|bytes| hasher.update_reader(bytes).map(|_| ()));
    bytes.map_err(|source| Error::io(file, source))?;
    if hasher.finalize().to_string() == expected {
        Ok(true)
    } else {
        Err(Error::Damaged { path: file.to_owned() })
    }
}

/// What a file does not compute although the checkpoint does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Approximate {
    /// By their names and values in the config.
    pub left_out: Vec<String>,
    /// The file in F32 against the checkpoint: what leaving them out costs, types apart.
    pub logits: Proof,
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
