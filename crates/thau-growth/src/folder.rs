//! A checkpoint folder's weights: one safetensors file, or shards with an index.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::{Path, PathBuf},
};

use safetensors::Dtype;
use serde::{Deserialize, Serialize};

use crate::{
    architecture::{Architecture, TensorSpec},
    error::GrowthError,
    safetensors_file::{Entry, SafetensorsFile, SafetensorsWriter},
    tensor::{Tensor, TensorSink, TensorSource},
};

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// The weights of a checkpoint folder, this project's or another's.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    files: BTreeMap<String, SafetensorsFile>,
    file_of: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct Index {
    #[serde(default)]
    metadata: BTreeMap<String, u64>,
    weight_map: BTreeMap<String, String>,
}

impl Folder {
    /// Opens `model.safetensors`, or the shards that `model.safetensors.index.json` names.
    ///
    /// # Errors
    /// [`GrowthError::Io`], [`GrowthError::Json`], [`GrowthError::Safetensors`].
    pub fn open(path: &Path) -> Result<Folder, GrowthError> {
        let index = path.join(INDEX);
        let names: BTreeSet<String> = if path.join(SINGLE).exists() || !index.exists() {
            BTreeSet::from([SINGLE.to_owned()])
        } else {
            read_json::<Index>(&index)?.weight_map.into_values().collect()
        };
        let mut files = BTreeMap::new();
        let mut file_of = BTreeMap::new();
        for name in names {
            if Path::new(&name).file_name() != Some(name.as_ref()) {
                return Err(GrowthError::Safetensors {
                    path: index,
                    reason: "a shard is not a file of the folder",
                });
            }
            let file = SafetensorsFile::open(&path.join(&name))?;
            file_of.extend(file.names().into_iter().map(|tensor| (tensor, name.clone())));
            files.insert(name, file);
        }
        Ok(Folder { path: path.into(), files, file_of })
    }

    /// The tensors' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.file_of.keys().map(String::as_str)
    }

    /// The number format of a tensor.
    pub(crate) fn dtype(&self, name: &str) -> Option<Dtype> {
        self.files.get(self.file_of.get(name)?)?.dtype(name)
    }

    /// BLAKE3 of the weight files, one after the other by name, in hex.
    ///
    /// # Errors
    /// [`GrowthError::Io`].
    pub fn hash(&self) -> Result<String, GrowthError> {
        let mut hash = blake3::Hasher::new();
        for name in self.files.keys() {
            let path = self.path.join(name);
            let file = File::open(&path).map_err(GrowthError::io(&path))?;
            hash.update_reader(file).map_err(GrowthError::io(&path))?;
        }
        Ok(hash.finalize().to_hex().to_string())
    }
}

impl TensorSource for Folder {
    fn read(&self, name: &str) -> Result<Tensor, GrowthError> {
        let file = self.file_of.get(name).and_then(|file| self.files.get(file));
        file.ok_or_else(|| GrowthError::MissingTensor { name: name.into() })?.read(name)
    }
}

/// How grown weights are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// Everything in fp32.
    #[default]
    Fp32,
    /// Matrices in bf16, gains in fp32: a factor on a bf16 gain would be lost to rounding.
    Bf16,
}

impl Storage {
    pub(crate) fn dtype(self, tensor: &TensorSpec) -> Dtype {
        match self {
            Storage::Bf16 if tensor.shape().len() > 1 => Dtype::BF16,
            _ => Dtype::F32,
        }
    }

    /// Bytes of a model's weights so stored.
    pub fn bytes<A: Architecture>(self, config: &A) -> u64 {
        config.tensors().iter().map(|t| t.len() as u64 * self.dtype(t).bitsize() as u64 / 8).sum()
    }
}

/// Weight files being written: shards of at most `shard_bytes` (but at least one tensor each).
pub(crate) struct FolderWriter {
    shards: std::vec::IntoIter<(PathBuf, Vec<Entry>)>,
    metadata: BTreeMap<String, String>,
    current: Option<SafetensorsWriter>,
    left_in_shard: usize,
}

impl FolderWriter {
    pub fn create<A: Architecture>(
        path: &Path,
        config: &A,
        storage: Storage,
        shard_bytes: Option<u64>,
        metadata: BTreeMap<String, String>,
    ) -> Result<FolderWriter, GrowthError> {
        let mut shards: Vec<(u64, Vec<Entry>)> = Vec::new();
        for tensor in config.tensors() {
            let dtype = storage.dtype(&tensor);
            let bytes = tensor.len() as u64 * dtype.bitsize() as u64 / 8;
            let entry = (tensor.name.clone(), tensor.shape(), dtype);
            match shards.last_mut() {
                Some((size, shard)) if shard_bytes.is_none_or(|most| *size + bytes <= most) => {
                    *size += bytes;
                    shard.push(entry);
                }
                _ => shards.push((bytes, vec![entry])),
            }
        }
        let count = shards.len();
        let name = |n: usize| match count {
            1 => SINGLE.to_owned(),
            _ => format!("model-{:05}-of-{count:05}.safetensors", n + 1),
        };
        if count > 1 {
            let in_shard = |(n, (_, shard)): (usize, &(u64, Vec<Entry>))| {
                shard.iter().map(|(tensor, ..)| (tensor.clone(), name(n))).collect::<Vec<_>>()
            };
            let weight_map = shards.iter().enumerate().flat_map(in_shard).collect();
            let total = shards.iter().map(|(size, _)| size).sum();
            let metadata = BTreeMap::from([("total_size".to_owned(), total)]);
            write_json(&path.join(INDEX), &Index { metadata, weight_map })?;
        }
        let shards: Vec<_> =
            shards.into_iter().enumerate().map(|(n, (_, entries))| (path.join(name(n)), entries)).collect();
        Ok(FolderWriter { shards: shards.into_iter(), metadata, current: None, left_in_shard: 0 })
    }

    pub fn finish(self) -> Result<(), GrowthError> {
        self.current.map_or(Ok(()), SafetensorsWriter::finish)
    }
}

impl TensorSink for FolderWriter {
    fn write(&mut self, name: &str, tensor: &Tensor) -> Result<(), GrowthError> {
        if self.left_in_shard == 0 {
            if let Some(full) = self.current.take() {
                full.finish()?;
            }
            let none_left = || GrowthError::OutOfOrder { name: name.into() };
            let (path, entries) = self.shards.next().ok_or_else(none_left)?;
            self.left_in_shard = entries.len();
            self.current = Some(SafetensorsWriter::create(&path, entries, &self.metadata)?);
        }
        self.left_in_shard -= 1;
        self.current.as_mut().expect("a shard with tensors left is open").write(name, tensor)
    }
}

pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, GrowthError> {
    let text = std::fs::read(path).map_err(GrowthError::io(path))?;
    serde_json::from_slice(&text).map_err(GrowthError::json(path))
}

pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), GrowthError> {
    let mut text = serde_json::to_string_pretty(value).map_err(GrowthError::json(path))?;
    text.push('\n');
    std::fs::write(path, text).map_err(GrowthError::io(path))?;
    File::open(path).and_then(|file| file.sync_all()).map_err(GrowthError::io(path))
}
