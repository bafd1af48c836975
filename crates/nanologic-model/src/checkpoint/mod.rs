//! The checkpoint folder: what Hugging Face tools write and read, and beside it what training and provenance need.
//!
//! ```text
//! config.json                   Qwen3ForCausalLM or LlamaForCausalLM
//! model.safetensors             fp32, LLaMA's names (or shards with model.safetensors.index.json, read only)
//! tokenizer.json                byte-level BPE
//! tokenizer_config.json
//! training_state.safetensors    optimizer moments and counters
//! provenance.json               parents, data, seeds, growth
//! ```

pub(crate) mod atomic;
mod training_state;
mod weights;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use training_state::{Progress, TrainingState};
pub use weights::{Array, Weights};

use crate::config::Config;
use crate::error::Error;

/// A model as it lies in a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Its shape.
    pub config: Config,
    /// Its weights.
    pub weights: Weights,
    /// The bytes of `tokenizer.json`, if the folder has one.
    pub tokenizer: Option<Vec<u8>>,
    /// What training needs to go on, if the folder has it.
    pub training: Option<TrainingState>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// Where a model comes from. Fields that other tools add are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Content hashes (blake3, hex) of the models this one was made from.
    pub parents: Vec<String>,
    /// Content hashes (blake3, hex) of the files it was trained on, by name.
    pub data: BTreeMap<String, String>,
    /// Seeds by what they drew.
    pub seeds: BTreeMap<String, u64>,
    /// What others recorded: growth, self-learning.
    #[serde(flatten)]
    pub more: BTreeMap<String, serde_json::Value>,
}

impl Checkpoint {
    /// Reads a checkpoint folder, this project's or another's.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Json`], [`Error::Safetensors`] for unreadable files; [`Error::MissingTensor`],
    /// [`Error::Shape`], [`Error::UnknownTensor`], [`Error::Dtype`] when the weights are not those of the config.
    pub fn load(folder: &Path) -> Result<Checkpoint, Error> {
        let config: Config = read_json(&folder.join("config.json"))?;
        let mut weights = read_weights(folder)?;
        if config.tied {
            weights.0.remove(&crate::axes::Kind::Head.name(None));
        }
        weights.check(&config)?;
        let state = folder.join("training_state.safetensors");
        let tokenizer = folder.join("tokenizer.json");
        let provenance = folder.join("provenance.json");
        Ok(Checkpoint {
            config,
            weights,
            tokenizer: tokenizer
                .exists()
                .then(|| fs::read(&tokenizer).map_err(Error::io(&tokenizer)))
                .transpose()?,
            training: state.exists().then(|| TrainingState::read(&state)).transpose()?,
            provenance: provenance.exists().then(|| read_json(&provenance)).transpose()?.unwrap_or_default(),
        })
    }

    /// Writes the folder file by file, each atomically; files that are not a checkpoint's stay.
    ///
    /// # Errors
    /// [`Error::Io`]; as [`Weights::check`] when the weights are not those of the config.
    pub fn save(&self, folder: &Path) -> Result<(), Error> {
        self.save_with(folder, self.training.as_ref(), Weights::write)
    }

    /// Writes the folder so that it appears whole or not at all, in place of what stood there.
    ///
    /// # Errors
    /// As [`save`](Checkpoint::save).
    pub fn save_whole(&self, folder: &Path) -> Result<(), Error> {
        atomic::write_folder(folder, |temporary| self.save(temporary))
    }

    /// Writes the folder as those who only use the model want it: the weights rounded to bf16, without what training
    /// goes on from. It loads as any other.
    ///
    /// # Errors
    /// As [`save`](Checkpoint::save).
    pub fn publish(&self, folder: &Path) -> Result<(), Error> {
        let state = folder.join("training_state.safetensors");
        if state.exists() {
            fs::remove_file(&state).map_err(Error::io(&state))?;
        }
        self.save_with(folder, None, Weights::write_bf16)
    }

    fn save_with(
        &self,
        folder: &Path,
        training: Option<&TrainingState>,
        write: WriteWeights,
    ) -> Result<(), Error> {
        self.weights.check(&self.config)?;
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        write_json(&folder.join("config.json"), &self.config)?;
        if let Some(tokenizer) = &self.tokenizer {
            atomic::write(&folder.join("tokenizer.json"), tokenizer)?;
            write_json(&folder.join("tokenizer_config.json"), &tokenizer_config(&self.config))?;
        }
        write(&self.weights, &folder.join("model.safetensors"), ("format", "pt".to_owned()))?;
        if let Some(training) = training {
            training.write(&folder.join("training_state.safetensors"))?;
        }
        write_json(&folder.join("provenance.json"), &self.provenance)
    }
}

/// Writes weights as a safetensors file with an entry of metadata.
type WriteWeights = fn(&Weights, &Path, (&str, String)) -> Result<(), Error>;

fn tokenizer_config(config: &Config) -> serde_json::Value {
    serde_json::json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|bos|>",
        "eos_token": "<|eos|>",
        "pad_token": "<|pad|>",
        "unk_token": "<|unk|>",
        "model_max_length": config.max_seq,
        "clean_up_tokenization_spaces": false,
    })
}

fn read_weights(folder: &Path) -> Result<Weights, Error> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let index = folder.join("model.safetensors.index.json");
    let single = folder.join("model.safetensors");
    if single.exists() || !index.exists() {
        return Ok(Weights::read(&single)?.0);
    }
    let shards: BTreeSet<String> = read_json::<Index>(&index)?.weight_map.into_values().collect();
    let mut weights = Weights::default();
    for shard in shards {
        // A shard's name is a plain file name; anything else would reach outside the folder.
        let name = Path::new(&shard).file_name().unwrap_or_default();
        weights.0.extend(Weights::read(&folder.join(name))?.0.0);
    }
    Ok(weights)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = fs::read_to_string(path).map_err(Error::io(path))?;
    serde_json::from_str(&text).map_err(Error::json(path))
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(value).map_err(Error::json(path))?;
    text.push('\n');
    atomic::write(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        let config = Config::tiny();
        let weights = Weights::init(&config, 1);
        let moments = Weights(
            weights.0.iter().map(|(name, array)| (format!("momentum.{name}"), array.clone())).collect(),
        );
        let progress = Progress { step: 3, seed: 9, ..Progress::default() };
        Checkpoint {
            config,
            weights,
            tokenizer: Some(b"{}".to_vec()),
            training: Some(TrainingState { moments, progress }),
            provenance: Provenance { parents: vec!["ab".to_owned()], ..Provenance::default() },
        }
    }

    #[test]
    fn a_saved_folder_loads_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        checkpoint().save_whole(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), checkpoint());
        checkpoint().save_whole(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing temporary is left");
    }

    #[test]
    fn a_published_folder_is_half_as_large_and_nearly_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let size = || fs::metadata(folder.path().join("model.safetensors")).unwrap().len();
        checkpoint().save(folder.path()).unwrap();
        let whole = size();
        checkpoint().publish(folder.path()).unwrap();
        assert!(size() < whole * 11 / 20, "{} of {whole} bytes", size());
        let published = Checkpoint::load(folder.path()).unwrap();
        assert_eq!(published.training, None);
        assert_eq!(published.tokenizer, checkpoint().tokenizer);
        for (name, array) in &checkpoint().weights.0 {
            for (found, was) in published.weights.get(name).unwrap().data.iter().zip(&array.data) {
                assert!((found - was).abs() <= was.abs() / 256.0, "{name}: {found} for {was}");
            }
        }
    }

    #[test]
    fn a_truncated_file_is_an_error_not_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        checkpoint().save(folder.path()).unwrap();
        let path = folder.path().join("model.safetensors");
        let bytes = fs::read(&path).unwrap();
        for length in [0, 4, 8, 100, bytes.len() - 1] {
            fs::write(&path, &bytes[..length]).unwrap();
            assert!(matches!(Checkpoint::load(folder.path()), Err(Error::Safetensors { .. })), "{length}");
        }
    }

    #[test]
    fn shards_are_read_through_their_index() {
        let folder = tempfile::tempdir().unwrap();
        checkpoint().save(folder.path()).unwrap();
        let weights = checkpoint().weights.0;
        let (head, tail): (BTreeMap<_, _>, BTreeMap<_, _>) =
            weights.into_iter().partition(|(name, _)| name.contains("layers.0"));
        let mut map = BTreeMap::new();
        for (shard, part) in [("a.safetensors", head), ("b.safetensors", tail)] {
            map.extend(part.keys().map(|name| (name.clone(), shard)));
            Weights(part).write(&folder.path().join(shard), ("format", "pt".to_owned())).unwrap();
        }
        fs::remove_file(folder.path().join("model.safetensors")).unwrap();
        let index = serde_json::json!({ "weight_map": map });
        write_json(&folder.path().join("model.safetensors.index.json"), &index).unwrap();
        assert_eq!(Checkpoint::load(folder.path()).unwrap(), checkpoint());
    }
}
