//! A checkpoint folder as Hugging Face tools write it, read without copying the weights into memory.

use std::fs::{self, File};
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use crate::{Error, GgmlType, dequantize, reader};

/// Where an export takes its numbers from: a folder, or a model in memory.
///
/// ```
/// use std::ops::Range;
/// use gguf_export::{Error, TensorSource};
///
/// struct One;
/// impl TensorSource for One {
///     fn tensors(&self) -> Vec<(String, Vec<usize>)> {
///         vec![("model.norm.weight".to_owned(), vec![4])]
///     }
///     fn read(&self, _name: &str, range: Range<usize>, out: &mut Vec<f32>) -> Result<(), Error> {
///         out.extend(range.map(|_| 1.0));
///         Ok(())
///     }
/// }
/// ```
pub trait TensorSource {
    /// Name and shape, slowest dimension first, of every tensor.
    fn tensors(&self) -> Vec<(String, Vec<usize>)>;

    /// Appends the numbers of a tensor whose row-major positions are in `range`.
    ///
    /// # Errors
    /// [`Error::MissingTensor`] if there is none of this name.
    fn read(&self, name: &str, range: Range<usize>, out: &mut Vec<f32>) -> Result<(), Error>;
}

/// The files of a checkpoint folder.
pub struct CheckpointFolder {
    /// `config.json`.
    pub config: Value,
    /// `tokenizer.json`.
    pub tokenizer: Value,
    /// `tokenizer_config.json`, or null where there is none.
    pub tokenizer_config: Value,
    /// The Jinja template of `tokenizer_config.json` or `chat_template.jinja`.
    pub chat_template: Option<String>,
    /// Files read and their BLAKE3 hashes, by name.
    pub hashes: Vec<(String, String)>,
    shards: Vec<Shard>,
}

struct Shard {
    path: PathBuf,
    map: Mmap,
    data_start: usize,
    header: safetensors::tensor::Metadata,
}

impl CheckpointFolder {
    /// Opens `config.json`, `tokenizer.json`, `tokenizer_config.json` (if there) and `model.safetensors`, or the shards
    /// that `model.safetensors.index.json` lists.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Json`] or [`Error::Safetensors`], naming the file.
    pub fn open(folder: &Path) -> Result<CheckpointFolder, Error> {
        let mut hashes = Vec::new();
        let config = json(&folder.join("config.json"), &mut hashes)?;
        let tokenizer = json(&folder.join("tokenizer.json"), &mut hashes)?;
        let tokenizer_config = folder.join("tokenizer_config.json");
        let tokenizer_config =
            if tokenizer_config.exists() { json(&tokenizer_config, &mut hashes)? } else { Value::Null };
        let template = folder.join("chat_template.jinja");
        let chat_template = match tokenizer_config["chat_template"].as_str() {
            Some(template) => Some(template.to_owned()),
            None if template.exists() => {
                Some(fs::read_to_string(&template).map_err(|source| Error::io(&template, source))?)
            }
            None => None,
        };
        let mut shards = Vec::new();
        for path in weight_files(folder, &mut hashes)? {
            let shard = Shard::open(path)?;
            hashes.push((file_name(&shard.path), hash(&shard.path)?));
            shards.push(shard);
        }
        Ok(CheckpointFolder { config, tokenizer, tokenizer_config, chat_template, hashes, shards })
    }
}

impl<S: TensorSource + ?Sized> TensorSource for &S {
    fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        (**self).tensors()
    }

    fn read(&self, name: &str, range: Range<usize>, out: &mut Vec<f32>) -> Result<(), Error> {
        (**self).read(name, range, out)
    }
}

impl TensorSource for CheckpointFolder {
    fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let all = self.shards.iter().flat_map(|shard| shard.header.tensors());
        all.map(|(name, info)| (name, info.shape.clone())).collect()
    }

    fn read(&self, name: &str, range: Range<usize>, out: &mut Vec<f32>) -> Result<(), Error> {
        let missing = || Error::MissingTensor { name: name.to_owned() };
        let (shard, info) = self
            .shards
            .iter()
            .find_map(|shard| Some((shard, shard.header.info(name)?)))
            .ok_or_else(missing)?;
        let ggml_type = match info.dtype {
            Dtype::F32 => GgmlType::F32,
            Dtype::F16 => GgmlType::F16,
            Dtype::BF16 => GgmlType::BF16,
            other => {
                let remedy = "save the checkpoint as F32, F16 or BF16";
                return Err(Error::refused(name, &format!("its numbers are of type {other:?}"), remedy));
            }
        };
        let width = ggml_type.block_bytes() as usize;
        let start = shard.data_start + info.data_offsets.0;
        let stored = shard.map.get(start..shard.data_start + info.data_offsets.1).ok_or_else(missing)?;
        let bytes = stored.get(range.start * width..range.end * width).ok_or_else(missing)?;
        dequantize(ggml_type, bytes, out)
    }
}

impl Shard {
    fn open(path: PathBuf) -> Result<Shard, Error> {
        let map = reader::map(&path)?;
        let broken = |source| Error::Safetensors { path: path.clone(), source };
        let (header_len, header) = SafeTensors::read_metadata(&map).map_err(broken)?;
        let data_start = header_len + 8;
        // Checks that the file holds every tensor the header lists.
        SafeTensors::deserialize(&map).map_err(broken)?;
        Ok(Shard { path, map, data_start, header })
    }
}

fn weight_files(folder: &Path, hashes: &mut Vec<(String, String)>) -> Result<Vec<PathBuf>, Error> {
    let index = folder.join("model.safetensors.index.json");
    if !index.exists() {
        return Ok(vec![folder.join("model.safetensors")]);
    }
    let index = json(&index, hashes)?;
    let map = index["weight_map"].as_object().ok_or_else(|| Error::Field {
        field: "weight_map of model.safetensors.index.json".to_owned(),
        expected: "an object",
    })?;
    let mut names: Vec<&str> = map.values().filter_map(Value::as_str).collect();
    names.sort_unstable();
    names.dedup();
    // A shard is a file of this folder: a path that leads elsewhere is cut to its last part.
    Ok(names.iter().filter_map(|name| Path::new(name).file_name()).map(|name| folder.join(name)).collect())
}

/// The hash of a file, read in pieces: through the map all of it would count as this process's memory.
fn hash(path: &Path) -> Result<String, Error> {
    let mut hasher = blake3::Hasher::new();
    let read = File::open(path).and_then(|file| hasher.update_reader(file).map(|_| ()));
    read.map_err(|source| Error::io(path, source))?;
    Ok(hasher.finalize().to_string())
}

fn json(path: &Path, hashes: &mut Vec<(String, String)>) -> Result<Value, Error> {
    let text = fs::read(path).map_err(|source| Error::io(path, source))?;
    hashes.push((file_name(path), blake3::hash(&text).to_string()));
    serde_json::from_slice(&text).map_err(|source| Error::Json { path: path.to_owned(), source })
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
