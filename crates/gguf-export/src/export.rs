//! From a checkpoint folder to a GGUF file, with the proof.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

use serde_json::Value;

use crate::architecture::{Architecture, Hyperparameters, is_full_profile};
use crate::atomic_file::{self, AtomicFile};
use crate::fold::Folded;
use crate::full_profile::{Caps, FullProfile};
use crate::manifest::{self, Approximate};
use crate::names::{Recipe, RowOrder, recipes};
use crate::quantize::quantize_rows;
use crate::vocab::{normalization, write_vocab};
use crate::{
    ChatTemplate, CheckpointFolder, Error, FileType, Forward, GgmlType, GgufFile, GgufModel, GgufTokenizer,
    Manifest, Metadata, Mix, Modelfile, TensorInfo, TensorRecord, TensorSource, Tokenized, Writer,
    dequantize, proof,
};

/// How to export.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// Type of the matrices.
    pub file_type: FileType,
    /// `general.name`; by default the folder's name.
    pub name: Option<String>,
    /// How a conversation becomes a prompt; by default the checkpoint's own template, or none: the prompt as it is.
    pub chat: Option<ChatTemplate>,
    /// System message for the Modelfile.
    pub system: Option<String>,
    /// Licence text for the Modelfile.
    pub license: Option<String>,
    /// What may be left out although the file then computes something else; the manifest says how much.
    pub allow_approximate: Vec<Approximation>,
    /// Texts that the file must tokenize as the checkpoint does.
    pub corpus: Vec<Tokenized>,
    /// Token sequences for the proof; none: 8 of 24 tokens, drawn evenly from the vocabulary.
    pub probes: Vec<Vec<u32>>,
}

impl Default for ExportOptions {
    fn default() -> ExportOptions {
        ExportOptions {
            file_type: FileType::F16,
            name: None,
            chat: None,
            system: None,
            license: None,
            allow_approximate: Vec::new(),
            corpus: Vec::new(),
            probes: Vec::new(),
        }
    }
}

/// Something that GGUF cannot say and that may be left out, if the caller insists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approximation {
    /// Bounds on attention scores and logits. The likeliest token stays the same for the latter.
    Softcap,
    /// Unicode's normal form C, to which the tokenizer brings a text: for texts that are in it, as nearly all are, nothing
    /// changes.
    Nfc,
}

impl FromStr for Approximation {
    type Err = UnknownApproximation;

    fn from_str(name: &str) -> Result<Approximation, UnknownApproximation> {
        match name {
            "softcap" => Ok(Approximation::Softcap),
            "nfc" => Ok(Approximation::Nfc),
            other => Err(UnknownApproximation(other.to_owned())),
        }
    }
}

/// No approximation has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing called {0:?} may be left out; the names are softcap and nfc")]
pub struct UnknownApproximation(String);

/// Numbers read at a time, so that memory does not grow with the model.
const CHUNK: usize = 1 << 21;

/// Writes `out`, a `Modelfile` and `<out>.manifest.json` beside it, once the file is proven.
///
/// The vocabulary must give every text of `options.corpus` the ids it comes with. For the numbers the proof has three
/// steps. A file with the same keys and names but F32 numbers must give the logits of `forward`
/// but for rounding ([`Proof::is_exact`](crate::Proof::is_exact)). What [`ExportOptions::allow_approximate`] lets go is put
/// back for that, and its cost measured without it. Each tensor of the file asked for, read back, must be as near to that one
/// as its type allows. The logits of the file asked for are then compared with `forward`'s and reported.
///
/// # Errors
/// [`Error::Refused`] names what GGUF cannot say; [`Error::NotProven`] means the file would compute something else and
/// was not written; the others tell what is wrong with the checkpoint or the disk.
pub fn export(
    folder: &Path,
    out: &Path,
    options: &ExportOptions,
    forward: &dyn Forward,
) -> Result<Manifest, Error> {
    let checkpoint = CheckpointFolder::open(folder)?;
    let caps = caps(&checkpoint.config, options)?;
    let source = Source::new(&checkpoint, folder, options)?;
    let probes = match options.probes.as_slice() {
        [] => proof::probes(source.model.vocab_size, 8, source.model.context_length.min(24)),
        given => given.to_vec(),
    };

    let mut exact_file = AtomicFile::create(&with_suffix(out, ".f32"))?;
    source.write(FileType::F32, &mut exact_file)?;
    let exact = GgufFile::open(exact_file.readable()?)?;
    let graph = proof::compare_model(&GgufModel::new(&exact)?.with_caps(caps), forward, &probes)?;
    if !graph.is_exact() {
        return Err(Error::NotProven(Box::new(graph)));
    }
    check_tokens(&exact, &options.corpus)?;
    let mut left_out = caps.in_words();
    left_out.extend(source.lost_of_text.clone());
    let approximate = match left_out.is_empty() {
        true => None,
        false => Some(Approximate { left_out, logits: proof::compare(&exact, forward, &probes)? }),
    };

    let mut file = AtomicFile::create(out)?;
    let mut hashing = Hashing { out: &mut file, hasher: blake3::Hasher::new() };
    source.write(options.file_type, &mut hashing)?;
    let hash = hashing.hasher.finalize();
    let written = GgufFile::open(file.readable()?)?;
    let tensors = compare_tensors(&exact, &written)?;
    let logits = proof::compare(&written, forward, &probes)?;

    file.persist()?;
    let record = Manifest {
        gguf_export: env!("CARGO_PKG_VERSION").to_owned(),
        file: file_name(out),
        bytes: fs::metadata(out).map_err(|source| Error::io(out, source))?.len(),
        blake3: hash.to_string(),
        architecture: source.model.architecture.name().to_owned(),
        file_type: options.file_type.to_string(),
        parameters: tensors.iter().map(|tensor| tensor.dims.iter().product::<u64>()).sum(),
        texts: options.corpus.len(),
        sources: checkpoint.hashes.iter().cloned().collect(),
        changes: source.changes.clone(),
        approximate,
        graph,
        logits,
        tensors,
    };
    let mut json = serde_json::to_string_pretty(&record).expect("a manifest is plain data");
    json.push('\n');
    atomic_file::write(&manifest::beside(out), json.as_bytes())?;
    atomic_file::write(&out.with_file_name("Modelfile"), source.modelfile(out, options).text().as_bytes())?;
    Ok(record)
}

/// The caps of a configuration, refused unless they may be left out.
fn caps(config: &Value, options: &ExportOptions) -> Result<Caps, Error> {
    let caps = Caps::from_config(config)?;
    match caps.in_words().first() {
        Some(cap) if !options.allow_approximate.contains(&Approximation::Softcap) => {
            let reason = "no SwiGLU architecture of llama.cpp caps";
            let remedy = "train without caps (the portable profile), or allow the approximation softcap";
            Err(Error::refused(cap, reason, remedy))
        }
        _ => Ok(caps),
    }
}

/// A checkpoint, understood.
struct Source<'a> {
    /// `None` where the checkpoint has a Jinja template of its own.
    chat: Option<ChatTemplate>,
    weights: Box<dyn TensorSource + 'a>,
    model: Hyperparameters,
    metadata: Metadata,
    recipes: Vec<Recipe>,
    changes: Vec<String>,
    /// What the tokenizer does to a text and llama.cpp does not.
    lost_of_text: Option<String>,
}

impl<'a> Source<'a> {
    fn new(
        checkpoint: &'a CheckpointFolder,
        folder: &Path,
        options: &ExportOptions,
    ) -> Result<Source<'a>, Error> {
        let mut model = Hyperparameters::from_config(&checkpoint.config)?;
        let mut weights: Box<dyn TensorSource + 'a> = Box::new(checkpoint);
        let mut changes = Vec::new();
        if is_full_profile(&checkpoint.config) {
            let folded = Folded::new(checkpoint, FullProfile::from_config(&checkpoint.config)?, model)?;
            model = folded.hyperparameters();
            changes = folded.changes();
            weights = Box::new(folded);
        }
        let d_ff = padded_width(model.d_ff, options.file_type);
        let recipes = recipes(&*weights, &model, d_ff)?;
        changes.extend(layout_changes(&model, d_ff));
        model.d_ff = d_ff;

        let mut metadata = Metadata::default();
        model.write_to(&mut metadata);
        let folder_name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        metadata.set("general.name", options.name.clone().or(folder_name).unwrap_or_default());
        metadata.set("general.quantization_version", 2_u32);
        let (config, tokenizer) = (&checkpoint.config, &checkpoint.tokenizer);
        let lost_of_text = normalization(tokenizer, &options.allow_approximate)?;
        write_vocab(tokenizer, &checkpoint.tokenizer_config, config, model.vocab_size, &mut metadata)?;
        let own = checkpoint.chat_template.clone();
        let chat = options.chat.clone().or_else(|| own.is_none().then(ChatTemplate::default));
        if let Some(template) = chat.as_ref().map(ChatTemplate::jinja).or(own) {
            metadata.set("tokenizer.chat_template", template);
        }
        Ok(Source { chat, weights, model, metadata, recipes, changes, lost_of_text })
    }

    /// Writes every tensor, a chunk of rows at a time.
    fn write(&self, file_type: FileType, out: &mut impl Write) -> Result<(), Error> {
        let mut metadata = self.metadata.clone();
        metadata.set("general.file_type", file_type.id());
        let mix = Mix {
            file_type,
            n_layers: self.model.n_layers,
            n_gqa: self.model.n_heads / self.model.n_kv_heads,
            tied: self.model.tied,
            is_70b: self.model.architecture == Architecture::Llama
                && self.model.n_layers == 80
                && self.model.n_heads != self.model.n_kv_heads,
            importance: false,
        };
        let typed = self.recipes.iter().map(|recipe| {
            let name = recipe.target.clone();
            let dims = recipe.padded.iter().rev().map(|&size| size as u64).collect();
            let tensor = TensorInfo { name, dims, ggml_type: GgmlType::F32, offset: 0 };
            let ggml_type = mix.tensor_type(&tensor);
            (tensor.name, tensor.dims, ggml_type)
        });
        let tensors = Writer::lay_out(typed)?;
        let mut writer = Writer::new(out, &metadata, tensors.clone())?;
        for (recipe, tensor) in self.recipes.iter().zip(&tensors) {
            self.write_tensor(recipe, tensor, &mut writer)?;
        }
        writer.finish().map(|_| ())
    }

    fn write_tensor(
        &self,
        recipe: &Recipe,
        tensor: &TensorInfo,
        writer: &mut Writer<impl Write>,
    ) -> Result<(), Error> {
        let row_len = tensor.row_len() as usize;
        let n_rows: usize = recipe.padded.iter().rev().skip(1).product();
        let mut values = Vec::new();
        let mut bytes = Vec::new();
        let rows_at_once = (CHUNK / row_len).max(1);
        for first in (0..n_rows).step_by(rows_at_once) {
            values.clear();
            for row in first..n_rows.min(first + rows_at_once) {
                self.read_row(recipe, row, row_len, &mut values)?;
            }
            check_range(&values, tensor, tensor.ggml_type)?;
            bytes.clear();
            quantize_rows(tensor.ggml_type, &values, row_len, &mut bytes)?;
            writer.write(&bytes)?;
        }
        Ok(())
    }

    /// Appends row `row` of the file, zeros where the checkpoint has none.
    fn read_row(
        &self,
        recipe: &Recipe,
        row: usize,
        row_len: usize,
        values: &mut Vec<f32>,
    ) -> Result<(), Error> {
        let end = values.len() + row_len;
        if let [vector_len] = recipe.shape[..] {
            match recipe.rows {
                RowOrder::AsStored => self.weights.read(&recipe.source, 0..vector_len, values)?,
                order => {
                    for place in (0..vector_len).map(|place| order.source_row(place)) {
                        self.weights.read(&recipe.source, place..place + 1, values)?;
                    }
                }
            }
        } else if row < recipe.shape[0] {
            let start = recipe.rows.source_row(row) * recipe.shape[1];
            self.weights.read(&recipe.source, start..start + recipe.shape[1], values)?;
        }
        values.resize(end, 0.0);
        Ok(())
    }

    fn modelfile(&self, out: &Path, options: &ExportOptions) -> Modelfile {
        let tokens = self.metadata.strings("tokenizer.ggml.tokens").unwrap_or_default();
        let eos = self.metadata.u64("tokenizer.ggml.eos_token_id");
        let stop = eos.and_then(|id| tokens.get(id as usize)).cloned();
        Modelfile {
            from: format!("./{}", file_name(out)),
            template: self.chat.as_ref().map(ChatTemplate::go),
            system: options.system.clone(),
            stop: stop.into_iter().collect(),
            num_ctx: self.model.context_length,
            license: options.license.clone(),
        }
    }
}

/// Hashes what passes.
struct Hashing<W> {
    out: W,
    hasher: blake3::Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.out.write(bytes)?;
        self.hasher.update(&bytes[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Rows of the down projection must fill blocks: 256 numbers for k-quants, 32 for the others.
fn padded_width(d_ff: usize, file_type: FileType) -> usize {
    match file_type.base_type().block_len() {
        1 => d_ff,
        // Q8_0 falls back on nothing better than F16.
        32 => d_ff.next_multiple_of(32),
        _ => d_ff.next_multiple_of(256),
    }
}

fn layout_changes(model: &Hyperparameters, d_ff: usize) -> Vec<String> {
    let mut changes = Vec::new();
    if model.architecture == Architecture::Llama {
        changes.push("rows of each query and key head interleaved, since llama turns neighbours".to_owned());
    }
    if d_ff != model.d_ff {
        let units = d_ff - model.d_ff;
        changes.push(format!("feed-forward padded from {} to {d_ff} with {units} zero units", model.d_ff));
    }
    changes
}

/// A weight that is no number, or too large for the half-precision numbers or scales of its type.
pub(crate) fn check_range(values: &[f32], tensor: &TensorInfo, ggml_type: GgmlType) -> Result<(), Error> {
    let limit = match ggml_type {
        GgmlType::F32 | GgmlType::BF16 => f32::MAX,
        _ => 65504.0,
    };
    let beyond = |value: f32| value.is_nan() | (value.abs() > limit);
    // Without a way out in the middle, the compiler looks at many at a time.
    if !values.iter().fold(false, |any, &value| any | beyond(value)) {
        return Ok(());
    }
    let value = values.iter().copied().find(|&value| beyond(value)).unwrap_or(f32::NAN);
    Err(Error::OutOfRange { name: tensor.name.clone(), value, ggml_type })
}

fn check_tokens(file: &GgufFile, corpus: &[Tokenized]) -> Result<(), Error> {
    let tokenizer = GgufTokenizer::new(file)?;
    for Tokenized { text, tokens } in corpus {
        let found = tokenizer.encode(text);
        if found != *tokens {
            return Err(Error::TokensDiffer { text: text.clone(), expected: tokens.clone(), found });
        }
    }
    Ok(())
}

/// Reads both files back and measures each tensor of the second against the first.
fn compare_tensors(exact: &GgufFile, written: &GgufFile) -> Result<Vec<TensorRecord>, Error> {
    let mut records = Vec::new();
    for tensor in &written.header().tensors {
        let missing = || Error::MissingTensor { name: tensor.name.clone() };
        let truth =
            exact.tensor(&tensor.name).filter(|truth| truth.dims == tensor.dims).ok_or_else(missing)?;
        let relative_rmse = relative_rmse(exact.bytes(truth), truth, written.bytes(tensor), tensor)?;
        let limit = coarsest(tensor.ggml_type);
        if relative_rmse.is_nan() || relative_rmse > limit {
            let (name, ggml_type) = (tensor.name.clone(), tensor.ggml_type);
            return Err(Error::TooCoarse { name, ggml_type, relative_rmse, limit });
        }
        records.push(TensorRecord {
            name: tensor.name.clone(),
            ggml_type: tensor.ggml_type.to_string(),
            dims: tensor.dims.clone(),
            relative_rmse,
        });
    }
    Ok(records)
}

fn relative_rmse(
    truth: &[u8],
    truth_info: &TensorInfo,
    found: &[u8],
    found_info: &TensorInfo,
) -> Result<f64, Error> {
    let chunk = |info: &TensorInfo| {
        CHUNK / info.ggml_type.block_len() as usize * info.ggml_type.block_bytes() as usize
    };
    let (mut error, mut total) = (0.0, 0.0);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (truth, found) in truth.chunks(chunk(truth_info)).zip(found.chunks(chunk(found_info))) {
        x.clear();
        y.clear();
        dequantize(truth_info.ggml_type, truth, &mut x)?;
        dequantize(found_info.ggml_type, found, &mut y)?;
        for (x, y) in x.iter().zip(&y) {
            error += f64::from(x - y).powi(2);
            total += f64::from(*x).powi(2);
        }
    }
    Ok(if error == 0.0 { 0.0 } else { (error / total).sqrt() })
}

/// Four times the relative error that a type makes on normally distributed weights: beyond that something is broken.
fn coarsest(ggml_type: GgmlType) -> f64 {
    4.0 * match ggml_type {
        GgmlType::F32 => 0.0,
        GgmlType::F16 => 3e-4,
        GgmlType::BF16 => 2e-3,
        GgmlType::Q8_0 => 6e-3,
        GgmlType::Q6_K => 2e-2,
        GgmlType::Q5_K | GgmlType::Q5_0 | GgmlType::Q5_1 => 4.5e-2,
        GgmlType::Q4_K | GgmlType::Q4_0 | GgmlType::Q4_1 => 9e-2,
        GgmlType::Q3_K => 0.17,
        _ => 0.32,
    }
}

fn with_suffix(path: &Path, suffix: &str) -> std::path::PathBuf {
    path.with_file_name(file_name(path) + suffix)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
