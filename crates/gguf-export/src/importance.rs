//! What each input of a matrix matters, as `llama-imatrix` measures it.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{Array, Error, GgmlType, GgufFile, Metadata, TensorInfo, Value, dequantize};

/// For each matrix, the mean square of each of its inputs on some text: a file of `llama-imatrix`, in its GGUF form.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportanceMatrix {
    /// What a file made with it says it was made with: the path that it was read from.
    pub file: String,
    /// The text it was measured on.
    pub dataset: Option<String>,
    /// Pieces of that text.
    pub chunks: u64,
    /// By tensor name; one number for each input.
    entries: BTreeMap<String, Vec<f32>>,
}

impl ImportanceMatrix {
    /// Reads a file.
    ///
    /// # Errors
    /// As [`GgufFile::open`]; [`Error::MissingTensor`] for sums without their counts, [`Error::Field`] for what is no
    /// importance matrix.
    pub fn open(path: &Path) -> Result<ImportanceMatrix, Error> {
        let file = GgufFile::open(path)?;
        let metadata = &file.header().metadata;
        let number = |key: &str| {
            let missing = || Error::Field { field: key.to_owned(), expected: "a number" };
            metadata.u64(key).ok_or_else(missing)
        };
        number("imatrix.chunk_size")?;
        let mut entries = BTreeMap::new();
        for sums in &file.header().tensors {
            if let Some(name) = sums.name.strip_suffix(".in_sum2") {
                entries.insert(name.to_owned(), means(&file, sums, &format!("{name}.counts"))?);
            }
        }
        if entries.is_empty() {
            return Err(Error::Field { field: path.display().to_string(), expected: "an importance matrix" });
        }
        let dataset = match metadata.get("imatrix.datasets") {
            Some(Value::Array(Array::String(names))) => names.first().cloned(),
            _ => None,
        };
        let chunks = number("imatrix.chunk_count")?;
        Ok(ImportanceMatrix { file: path.display().to_string(), dataset, chunks, entries })
    }

    /// What the inputs of a tensor matter; `None` if that was not measured.
    ///
    /// # Errors
    /// [`Error::Shape`] if the tensor has another number of inputs.
    pub fn of(&self, tensor: &TensorInfo) -> Result<Option<&[f32]>, Error> {
        match self.entries.get(&tensor.name) {
            Some(entry) if entry.len() as u64 != tensor.row_len() => Err(Error::Shape {
                name: tensor.name.clone(),
                expected: vec![entry.len()],
                found: vec![tensor.row_len() as usize],
            }),
            entry => Ok(entry.map(Vec::as_slice)),
        }
    }

    /// Leaves in a file's keys what it was made with.
    pub(crate) fn write_to(&self, metadata: &mut Metadata) {
        // llama-quantize cuts these texts after 127 bytes.
        let mut put = |key: &str, value: Value| {
            let key = format!("quantize.imatrix.{key}");
            metadata.remove(&key);
            metadata.set(&key, value);
        };
        put("file", cut(&self.file).into());
        if let Some(dataset) = &self.dataset {
            put("dataset", cut(dataset).into());
        }
        put("entries_count", (self.entries.len() as u32).into());
        if self.chunks > 0 {
            put("chunks_count", (self.chunks as u32).into());
        }
    }
}

/// The sums over the count; what was never seen matters like everything else.
fn means(file: &GgufFile, sums: &TensorInfo, counts: &str) -> Result<Vec<f32>, Error> {
    let missing = || Error::MissingTensor { name: counts.to_owned() };
    let counts = file.tensor(counts).ok_or_else(missing)?;
    let read = |tensor: &TensorInfo| {
        let mut values = Vec::new();
        match tensor.ggml_type {
            GgmlType::F32 => dequantize(GgmlType::F32, file.bytes(tensor), &mut values).map(|()| values),
            other => Err(Error::UnsupportedType(other)),
        }
    };
    let (mut values, counts_read) = (read(sums)?, read(counts)?);
    let &[count] = counts_read.as_slice() else {
        let what = format!("the importance of {}", sums.name);
        return Err(Error::refused(what, "it is that of a mixture of experts", "use llama-quantize for it"));
    };
    let count = count.round();
    values.iter_mut().for_each(|value| *value = if count > 0.0 { *value / count } else { 1.0 });
    match values.iter().find(|value| !value.is_finite()) {
        None => Ok(values),
        Some(&value) => Err(Error::OutOfRange { name: sums.name.clone(), value, ggml_type: GgmlType::F32 }),
    }
}

/// The first 127 bytes, and no part of a letter.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(127);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
