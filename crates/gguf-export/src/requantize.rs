//! One GGUF file into another of other types, byte for byte as `llama-quantize` writes it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use rayon::prelude::*;

use crate::atomic_file::AtomicFile;
use crate::export::check_range;
use crate::quantize::{PARALLEL_CHUNK, quantize_into};
use crate::{
    Error, FileType, GgmlType, GgufFile, ImportanceMatrix, Metadata, Mix, TensorInfo, Value, Writer,
    dequantize,
};

/// How to rewrite a file.
#[derive(Clone, Debug, Default)]
pub struct RequantizeOptions {
    /// Types to turn the matrices into; `None` keeps them and rewrites the keys only.
    pub file_type: Option<FileType>,
    /// Also from types that have lost precision already.
    pub allow_requantize: bool,
    /// What each input of each matrix matters, if that was measured.
    pub importance: Option<ImportanceMatrix>,
    /// Keys to give a value.
    pub set: Vec<(String, Value)>,
    /// Keys to take out.
    pub remove: Vec<String>,
}

/// What became of one tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requantized {
    /// Its entry before.
    pub before: TensorInfo,
    /// Its entry after.
    pub after: TensorInfo,
}

/// Numbers in memory at a time: one piece is written while the next is made.
const PIECE: usize = 1 << 22;

/// The tensors of the file that [`requantize`] would write, without writing it.
///
/// # Errors
/// [`Error::Refused`] for quantized input without `allow_requantize`, for files in parts and for mixtures of experts.
pub fn plan(input: &GgufFile, options: &RequantizeOptions) -> Result<Vec<Requantized>, Error> {
    let mut order: Vec<&TensorInfo> = input.header().tensors.iter().collect();
    order.sort_by_key(|tensor| (layer(&tensor.name), &tensor.name));
    let importance = options.importance.is_some();
    let mix = options.file_type.map(|file_type| mix(input, file_type, importance)).transpose()?;
    let typed = order.iter().map(|tensor| {
        let ggml_type = mix.map_or(tensor.ggml_type, |mix| mix.tensor_type(tensor));
        (tensor.name.clone(), tensor.dims.clone(), ggml_type)
    });
    let after = Writer::lay_out(typed)?;
    let mut changes = Vec::new();
    for (before, after) in order.into_iter().zip(after) {
        let lossy = before.ggml_type.block_len() > 1;
        if before.ggml_type != after.ggml_type && lossy && !options.allow_requantize {
            let what = format!("tensor {} of type {}", before.name, before.ggml_type);
            let reason = "it has lost precision already and would lose it twice";
            return Err(Error::refused(what, reason, "start from F32, F16 or BF16, or allow requantizing"));
        }
        changes.push(Requantized { before: before.clone(), after });
    }
    Ok(changes)
}

/// Writes the file, some rows at a time, under a temporary name until it is whole and on disk.
///
/// The types of the mixes, the order of tensors and keys and every byte are those of `llama-quantize`, with an importance
/// matrix or without.
///
/// # Errors
/// As [`plan`]; [`Error::OutOfRange`] for weights that are no numbers or too large for their type; [`Error::Io`].
pub fn requantize(input: &Path, out: &Path, options: &RequantizeOptions) -> Result<Vec<Requantized>, Error> {
    let file = GgufFile::open(input)?;
    let changes = plan(&file, options)?;
    let metadata = metadata(&file, options);
    // Read, and not mapped: pages of a map would count as this process's memory.
    let mut data = File::open(input).map_err(|source| Error::io(input, source))?;
    let tensors = changes.iter().map(|change| change.after.clone()).collect();
    let mut writer = Writer::new(AtomicFile::create(out)?, &metadata, tensors)?;
    let (mut stored, mut ready, mut next) = (Vec::new(), Vec::new(), Vec::new());
    for piece in pieces(&changes, file.header().data_start) {
        let make = || {
            piece.read(&mut data, &mut stored).map_err(|source| Error::io(input, source))?;
            piece.convert(options.importance.as_ref(), &mut stored, &mut next)
        };
        let (written, made) = rayon::join(|| writer.write(&ready), make);
        written.and(made)?;
        std::mem::swap(&mut ready, &mut next);
    }
    writer.write(&ready)?;
    writer.finish()?.persist()?;
    Ok(changes)
}

/// Some rows of a tensor.
struct Piece<'a> {
    change: &'a Requantized,
    /// Bytes from the start of the input to the first of them.
    start: u64,
    /// Bytes of the input.
    len: usize,
}

/// All rows of all tensors, in the order of the output.
fn pieces(changes: &[Requantized], data_start: u64) -> impl Iterator<Item = Piece<'_>> {
    changes.iter().flat_map(move |change| {
        let Requantized { before, .. } = change;
        let row_bytes = before.ggml_type.byte_len(before.row_len()).expect("checked at opening") as usize;
        let len = before.byte_len().expect("checked at opening") as usize;
        let step = (PIECE / before.row_len() as usize).max(1) * row_bytes;
        let start = data_start + before.offset;
        let piece = move |at: usize| Piece { change, start: start + at as u64, len: step.min(len - at) };
        (0..len).step_by(step).map(piece)
    })
}

impl Piece<'_> {
    fn read(&self, input: &mut File, stored: &mut Vec<u8>) -> io::Result<()> {
        input.seek(SeekFrom::Start(self.start))?;
        stored.resize(self.len, 0);
        input.read_exact(stored)
    }

    /// Turns the bytes read into those to write.
    fn convert(
        &self,
        importance: Option<&ImportanceMatrix>,
        stored: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let Requantized { before, after } = self.change;
        if before.ggml_type == after.ggml_type {
            std::mem::swap(stored, out);
            return Ok(());
        }
        let importance = importance.map(|matrix| matrix.of(before)).transpose()?.flatten();
        convert_rows(before, stored, after.ggml_type, importance, out)
    }
}

/// Rows of one type in another, on all threads of the current rayon pool.
fn convert_rows(
    before: &TensorInfo,
    stored: &[u8],
    to: GgmlType,
    importance: Option<&[f32]>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let row_bytes = |ggml_type: GgmlType| {
        let bytes = ggml_type.byte_len(before.row_len()).expect("the writer laid these rows out");
        bytes as usize
    };
    let (from_bytes, to_bytes) = (row_bytes(before.ggml_type), row_bytes(to));
    let rows_at_once = (PARALLEL_CHUNK / before.row_len() as usize).max(1);
    out.resize(stored.len() / from_bytes * to_bytes, 0);
    stored
        .par_chunks(rows_at_once * from_bytes)
        .zip(out.par_chunks_mut(rows_at_once * to_bytes))
        .try_for_each_init(Vec::new, |values, (stored, out)| {
            values.clear();
            dequantize(before.ggml_type, stored, values)?;
            check_range(values, before, to)?;
            quantize_into(to, values, importance, out)
        })
}

/// The keys in their order, with the two that tell of quantization at the end.
fn metadata(file: &GgufFile, options: &RequantizeOptions) -> Metadata {
    let mut metadata = file.header().metadata.clone();
    let kept = metadata.u64("general.file_type").unwrap_or(0) as u32;
    for (key, value) in [
        ("general.quantization_version", 2),
        ("general.file_type", options.file_type.map_or(kept, FileType::id)),
    ] {
        metadata.remove(key);
        metadata.set(key, value);
    }
    if let Some(importance) = &options.importance {
        importance.write_to(&mut metadata);
    }
    // What is written is aligned to 32 bytes, which is what a file without the key means.
    metadata.remove("general.alignment");
    for key in &options.remove {
        metadata.remove(key);
    }
    for (key, value) in &options.set {
        metadata.remove(key);
        metadata.set(key, value.clone());
    }
    metadata
}

fn mix(file: &GgufFile, file_type: FileType, importance: bool) -> Result<Mix, Error> {
    let metadata = &file.header().metadata;
    let architecture = metadata.str("general.architecture").unwrap_or_default();
    let number = |key: &str| metadata.u64(&format!("{architecture}.{key}"));
    let refuse = |what: &str, reason: &str| Err(Error::refused(what, reason, "use llama-quantize for it"));
    if metadata.u64("split.count").unwrap_or(0) > 1 {
        return refuse("a file in parts", "only whole files are read");
    }
    if number("expert_count").unwrap_or(0) > 0 {
        return refuse("a mixture of experts", "its mixes of types follow other rules");
    }
    let field = |key: &str| Error::Field { field: format!("{architecture}.{key}"), expected: "a size" };
    let n_layers = number("block_count").ok_or_else(|| field("block_count"))? as usize;
    let n_heads = number("attention.head_count").unwrap_or(1);
    let n_kv_heads = number("attention.head_count_kv").unwrap_or(n_heads).max(1);
    Ok(Mix {
        file_type,
        n_layers,
        n_gqa: (n_heads / n_kv_heads) as usize,
        tied: file.tensor("output.weight").is_none(),
        is_70b: architecture == "llama" && n_layers == 80 && n_heads != n_kv_heads,
        importance,
    })
}

/// The block a tensor belongs to; those of no block come first.
fn layer(name: &str) -> Option<u64> {
    name.strip_prefix("blk.")?.split_once('.')?.0.parse().ok()
}
