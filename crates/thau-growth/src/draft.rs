//! A grown checkpoint folder, not handed over before it is proven.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::{Path, PathBuf},
};

use half::bf16;
use safetensors::Dtype;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    architecture::{Architecture, TensorSpec},
    cost::Cost,
    error::GrowthError,
    folder::{Folder, FolderWriter, Storage, read_json, write_json},
    forward::Forward,
    inspect::idle_channels,
    operator::Preservation,
    optimizer_state::transport_state,
    plan::GrowthPlan,
    proof::{Proof, Tolerance},
    record::Record,
    tensor::{Tensor, TensorSource},
};

const STATE: &str = "training_state.safetensors";
const PROVENANCE: &str = "provenance.json";
const CONFIG: &str = "config.json";
const REPORT: &str = "growth.json";
/// How the files begin in which `train` of this project and TensorBoard log a run: that run made the old model.
const RUN_LOGS: [&str; 3] = ["log.jsonl", "summary.json", "events.out.tfevents"];

/// How the grown folder is written, and what it may be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The number format of the weights.
    pub storage: Storage,
    /// Weights in several files of at most this many bytes; `None` for one.
    pub shard_bytes: Option<u64>,
    /// The least that may be preserved.
    pub accept: Accept,
    /// How far logits may move.
    pub tolerance: Tolerance,
}

/// The least that a growth may preserve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Accept {
    /// Only exact growth.
    #[default]
    Exact,
    /// Also growth with a bound.
    Bounded,
    /// Anything; for comparison.
    Lossy,
}

/// The weights before, cast to the format that they will be stored in: a bf16 chain is cast once, before its first
/// growth, and what is proven is the growth from there.
#[derive(Debug)]
struct Source {
    folder: Folder,
    cast: BTreeSet<String>,
}

impl Source {
    fn open<A: Architecture>(from: &Path, config: &A, storage: Storage) -> Result<Source, GrowthError> {
        let folder = Folder::open(from)?;
        let rounded = |tensor: &TensorSpec| {
            storage.dtype(tensor) == Dtype::BF16 && folder.dtype(&tensor.name) != Some(Dtype::BF16)
        };
        let cast = config.tensors().into_iter().filter(rounded).map(|tensor| tensor.name).collect();
        Ok(Source { folder, cast })
    }
}

impl TensorSource for Source {
    fn read(&self, name: &str) -> Result<Tensor, GrowthError> {
        let mut tensor = self.folder.read(name)?;
        if self.cast.contains(name) {
            tensor.values.iter_mut().for_each(|value| *value = bf16::from_f32(*value).to_f32());
        }
        Ok(tensor)
    }
}

/// A grown folder under a temporary name beside its destination. It is deleted unless it is
/// [handed over](Draft::hand_over).
#[derive(Debug)]
pub struct Draft<'a, A: Architecture> {
    plan: &'a GrowthPlan<A>,
    options: Options,
    source: Source,
    temporary: PathBuf,
    to: PathBuf,
    proof: Option<Proof>,
}

impl<'a, A: Architecture + Serialize + DeserializeOwned> Draft<'a, A> {
    /// Grows the checkpoint folder `from`: its weights tensor by tensor, its optimizer state, and its other files
    /// as they are. Nothing appears at `to` yet.
    ///
    /// # Errors
    /// [`GrowthError::Exists`] where `to` is there already; [`GrowthError::NotThePlans`] where `from` is not the
    /// model that the plan begins with; [`GrowthError::Preserves`] where the plan preserves less than accepted;
    /// those of reading, growing and writing.
    pub fn write(
        plan: &'a GrowthPlan<A>,
        from: &Path,
        to: &Path,
        options: Options,
    ) -> Result<Draft<'a, A>, GrowthError> {
        if to.exists() {
            return Err(GrowthError::Exists { path: to.into() });
        }
        let claim = plan.preservation();
        let kind = match claim {
            Preservation::Exact => Accept::Exact,
            Preservation::Bounded(_) => Accept::Bounded,
            Preservation::Lossy => Accept::Lossy,
        };
        if kind > options.accept {
            return Err(GrowthError::Preserves { claim });
        }
        if read_json::<A>(&from.join(CONFIG))? != *plan.from() {
            return Err(GrowthError::NotThePlans { path: from.join(CONFIG) });
        }
        let temporary = beside(to)?;
        let draft = Draft {
            plan,
            source: Source::open(from, plan.from(), options.storage)?,
            options,
            temporary,
            to: to.into(),
            proof: None,
        };
        fs::create_dir_all(&draft.temporary).map_err(GrowthError::io(&draft.temporary))?;
        draft.write_weights()?;
        draft.write_config(from)?;
        let state = from.join(STATE);
        if state.exists() {
            transport_state(plan, &draft.source, &state, &draft.temporary.join(STATE))?;
        }
        draft.copy_others(from)?;
        Ok(draft)
    }

    /// Compares the logits of both models on the probes, and the channels that can learn.
    ///
    /// # Errors
    /// [`GrowthError::LogitsMoved`], [`GrowthError::Idle`]; those of the forward pass and of reading.
    pub fn prove<F: Forward<A>>(&mut self, forward: &F, probes: &[Vec<u32>]) -> Result<&Proof, GrowthError> {
        let grown = Folder::open(&self.temporary)?;
        let proof = Proof::measure(self.plan, &self.source, &grown, forward, probes)?;
        proof.check(self.plan.preservation(), self.options.tolerance)?;
        self.look_for_idle(&grown)?;
        Ok(self.proof.insert(proof))
    }

    /// Writes the ledger, and the same record as `growth.json`, and gives the folder its name. A growth without a
    /// [proof](Draft::prove) is first taken back out of the stored files and compared with the model before, value by
    /// value, and its channels are looked at; whether logits moved, that does not say.
    ///
    /// # Errors
    /// [`GrowthError::NotReversible`] where that comparison fails, [`GrowthError::Idle`]; those of reading and writing.
    pub fn hand_over(mut self) -> Result<Record, GrowthError> {
        let folder = &self.source.folder;
        let parent = std::thread::scope(|scope| {
            let hash = scope.spawn(|| folder.hash());
            if self.proof.is_none() {
                self.compare_retracted()?;
                self.look_for_idle(&Folder::open(&self.temporary)?)?;
            }
            hash.join().expect("hashing does not panic")
        })?;
        let record = Record {
            parent,
            seed: self.plan.seed(),
            steps: self.plan.operators().map(|operator| format!("{operator:?}")).collect(),
            preservation: self.plan.preservation(),
            before: Cost::of(self.plan.from()),
            after: Cost::of(self.plan.to()),
            proof: self.proof.take(),
        };
        self.write_provenance(&record)?;
        write_json(&self.temporary.join(REPORT), &record)?;
        fs::rename(&self.temporary, &self.to).map_err(GrowthError::io(&self.to))?;
        let parent =
            self.to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent).and_then(|folder| folder.sync_all()).map_err(GrowthError::io(parent))?;
        Ok(record)
    }

    /// Refuses more idle channels than there were, unless a lossy growth is accepted.
    fn look_for_idle(&self, grown: &Folder) -> Result<(), GrowthError> {
        if self.options.accept == Accept::Lossy {
            return Ok(());
        }
        let before = idle_channels(self.plan.from(), &self.source)?;
        let after = idle_channels(self.plan.to(), grown)?;
        if after.trapped > before.trapped || after.twins > before.twins {
            return Err(GrowthError::Idle { before, after });
        }
        Ok(())
    }

    fn write_weights(&self) -> Result<(), GrowthError> {
        let steps: Vec<String> = self.plan.operators().map(|operator| format!("{operator:?}")).collect();
        let metadata = BTreeMap::from([
            ("format".to_owned(), "pt".to_owned()),
            ("growth".to_owned(), format!("seed {}: {}", self.plan.seed(), steps.join(", "))),
        ]);
        let Options { storage, shard_bytes, .. } = self.options;
        let mut sink = FolderWriter::create(&self.temporary, self.plan.to(), storage, shard_bytes, metadata)?;
        self.plan.apply(&self.source, &mut sink)?;
        sink.finish()
    }

    /// The old `config.json` with what the grown configuration says on top, so that keys of others stay.
    fn write_config(&self, from: &Path) -> Result<(), GrowthError> {
        let path = self.temporary.join(CONFIG);
        let mut config: BTreeMap<String, serde_json::Value> = read_json(&from.join(CONFIG))?;
        let grown = serde_json::to_value(self.plan.to()).map_err(GrowthError::json(&path))?;
        config
            .extend(grown.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
        write_json(&path, &config)
    }

    fn write_provenance(&self, record: &Record) -> Result<(), GrowthError> {
        let path = self.temporary.join(PROVENANCE);
        let mut provenance: BTreeMap<String, serde_json::Value> =
            if path.exists() { read_json(&path)? } else { BTreeMap::new() };
        provenance.insert("parents".into(), serde_json::json!([record.parent]));
        let ledger = provenance.entry("growth".into()).or_insert_with(|| serde_json::json!([]));
        let entry = serde_json::to_value(record).map_err(GrowthError::json(&path))?;
        match ledger.as_array_mut() {
            Some(entries) => entries.push(entry),
            None => *ledger = serde_json::json!([ledger.take(), entry]),
        }
        write_json(&path, &provenance)
    }

    /// Tokenizer, provenance and whatever else lies in the folder, but not weights, state, an earlier report, or the log of
    /// the run that made the old model.
    fn copy_others(&self, from: &Path) -> Result<(), GrowthError> {
        for entry in fs::read_dir(from).map_err(GrowthError::io(from))? {
            let entry = entry.map_err(GrowthError::io(from))?;
            let name = entry.file_name();
            let text = name.to_string_lossy();
            let ours = text.ends_with(".safetensors") || text.ends_with(".safetensors.index.json");
            let is_file = entry.file_type().map_err(GrowthError::io(&entry.path()))?.is_file();
            let log = RUN_LOGS.iter().any(|log| text.starts_with(log));
            if is_file && !ours && !log && text != CONFIG && text != REPORT {
                fs::copy(entry.path(), self.temporary.join(&name)).map_err(GrowthError::io(&entry.path()))?;
            }
        }
        Ok(())
    }

    fn compare_retracted(&self) -> Result<(), GrowthError> {
        let grown = Folder::open(&self.temporary)?;
        let back = self.plan.retracted(&grown)?;
        // Two roundings of the stored format: one when the grown value was written, one on the way back.
        let share = match self.options.storage {
            Storage::Fp32 => f32::EPSILON,
            Storage::Bf16 => 1.0 / 128.0,
        };
        for tensor in self.plan.from().tensors() {
            let (new, old) = (back.read(&tensor.name)?, self.source.read(&tensor.name)?);
            let close = |(a, b): (&f32, &f32)| (a - b).abs() <= share * a.abs();
            if old.values.len() != new.values.len() || !old.values.iter().zip(&new.values).all(close) {
                return Err(GrowthError::NotReversible { name: tensor.name });
            }
        }
        Ok(())
    }
}

impl<A: Architecture> Drop for Draft<'_, A> {
    fn drop(&mut self) {
        // After handing over there is nothing under this name; a failure here leaves only a hidden folder behind.
        let _ = fs::remove_dir_all(&self.temporary);
    }
}

/// A hidden name in the same folder.
fn beside(to: &Path) -> Result<PathBuf, GrowthError> {
    let unnamed = || GrowthError::Exists { path: to.into() };
    let name = to.file_name().ok_or_else(unnamed)?.to_string_lossy();
    Ok(to.with_file_name(format!(".{name}.growing-{}", std::process::id())))
}
