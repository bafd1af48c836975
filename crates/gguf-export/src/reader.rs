//! Reading a GGUF file that may have been made to hurt.
//!
//! No count in the file is believed before the bytes that it promises are seen to be there, all arithmetic is checked,
//! and nothing is allocated by a number that the file alone vouches for. What is refused, and why each rule exists
//! (CVE-2026-7482 and its kin), is in the tests.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use crate::metadata::kind;
use crate::tensor::align_up;
use crate::{Array, Error, GgmlType, Metadata, TensorInfo, Value};

pub(crate) const MAGIC: &[u8; 4] = b"GGUF";
pub(crate) const VERSION: u32 = 3;
pub(crate) const DEFAULT_ALIGNMENT: u64 = 32;
pub(crate) const MAX_NAME_BYTES: usize = 63;
pub(crate) const MAX_DIMS: usize = 4;
/// Fewest bytes of a key-value pair: key length, one letter, type, one byte.
const MIN_ENTRY_BYTES: u64 = 8 + 1 + 4 + 1;
/// Fewest bytes of a tensor entry: name length, one letter, dimension count, one dimension, type, offset.
const MIN_TENSOR_BYTES: u64 = 8 + 1 + 4 + 8 + 4 + 8;

/// Where a file stops being GGUF, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {kind}")]
pub struct ReadError {
    /// Bytes from the start of the file.
    pub offset: u64,
    /// What is wrong there.
    pub kind: ReadErrorKind,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum ReadErrorKind {
    #[error("the file does not start with GGUF")]
    Magic,
    #[error("version {0:#x} is not 3 or 2")]
    Version(u32),
    #[error("{needed} more bytes are promised, {left} are left")]
    Truncated { needed: u64, left: u64 },
    #[error("{count} {what} are promised, more than {left} bytes can hold")]
    Count { what: &'static str, count: u64, left: u64 },
    #[error("text is not UTF-8")]
    Utf8,
    #[error("empty or with a NUL: key or tensor name {0:?}")]
    BadName(String),
    #[error("{0:?} stands twice")]
    Duplicate(String),
    #[error("value type {0} does not exist")]
    ValueType(u32),
    #[error("a list of lists")]
    NestedArray,
    #[error("a boolean of value {0}")]
    Bool(u8),
    #[error("general.alignment is not a power of two of type u32")]
    Alignment,
    #[error("tensor name of {0} bytes; 63 are allowed")]
    NameLength(u64),
    #[error("{0} dimensions; 1 to 4 are allowed")]
    Dimensions(u32),
    #[error("tensor {0:?} has a dimension of 0, or sizes that overflow")]
    Shape(String),
    #[error("tensor type {0} does not exist")]
    TensorType(u32),
    #[error("rows of {row} numbers do not fill blocks of {block}")]
    RowLength { row: u64, block: u64 },
    #[error("tensor {name:?} starts at {found} of the data; the tensors before it end at {expected}")]
    Offset { name: String, expected: u64, found: u64 },
}

/// The head of a GGUF file: everything but the numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Keys and values.
    pub metadata: Metadata,
    /// Tensors in file order.
    pub tensors: Vec<TensorInfo>,
    /// Bytes from the start of the file to the data section.
    pub data_start: u64,
    /// Every tensor starts at a multiple of this many bytes.
    pub alignment: u64,
}

impl Header {
    /// Reads the head of a file of which `bytes` is the whole.
    ///
    /// # Errors
    /// [`ReadError`] with the offset of the first thing that is wrong, here or in the extent of the tensors' data.
    pub fn parse(bytes: &[u8]) -> Result<Header, ReadError> {
        Cursor { bytes, at: 0 }.header()
    }
}

/// A GGUF file, mapped into memory: opening a large one is instant.
///
/// ```no_run
/// let file = gguf_export::GgufFile::open("model.gguf".as_ref())?;
/// for tensor in &file.header().tensors {
///     println!("{} {:?} {}", tensor.name, tensor.dims, tensor.ggml_type);
/// }
/// # Ok::<(), gguf_export::Error>(())
/// ```
pub struct GgufFile {
    map: Mmap,
    header: Header,
}

impl GgufFile {
    /// Opens and checks a file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened, [`Error::Read`] if it is not sound GGUF.
    pub fn open(path: &Path) -> Result<GgufFile, Error> {
        let map = map(path)?;
        let header = Header::parse(&map).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Ok(GgufFile { map, header })
    }

    /// Keys, tensors and places.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The entry of a tensor.
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.header.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// The stored bytes of a tensor of this file.
    ///
    /// # Panics
    /// If `tensor` is another file's.
    pub fn bytes(&self, tensor: &TensorInfo) -> &[u8] {
        let start = (self.header.data_start + tensor.offset) as usize;
        let len = tensor.byte_len().expect("checked when the file was opened") as usize;
        &self.map[start..start + len]
    }
}

impl fmt::Debug for GgufFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GgufFile").field("header", &self.header).finish_non_exhaustive()
    }
}

/// Maps a file for reading.
pub(crate) fn map(path: &Path) -> Result<Mmap, Error> {
    let file = File::open(path).map_err(|source| Error::io(path, source))?;
    // SAFETY: the map is only read. A file cut short by another process while we read ends this one (SIGBUS) or gives
    // other bytes; it cannot break memory safety of anything but the bytes themselves, which are plain numbers.
    #[allow(unsafe_code)]
    unsafe { Mmap::map(&file) }.map_err(|source| Error::io(path, source))
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn header(mut self) -> Result<Header, ReadError> {
        if self.take(4)? != MAGIC {
            return Err(at(0, ReadErrorKind::Magic));
        }
        let version = self.u32()?;
        if !(2..=VERSION).contains(&version) {
            return Err(at(4, ReadErrorKind::Version(version)));
        }
        let n_tensors = self.u64()?;
        let n_entries = self.u64()?;
        self.can_hold("tensors", n_tensors, MIN_TENSOR_BYTES)?;
        self.can_hold("keys", n_entries, MIN_ENTRY_BYTES)?;
        let metadata = self.metadata(n_entries)?;
        let alignment = alignment(&metadata).ok_or_else(|| self.error(ReadErrorKind::Alignment))?;
        let tensors = self.tensors(n_tensors)?;
        let data_start = align_up(self.at as u64, alignment).expect("a file is shorter than 2^63 bytes");
        self.check_extents(&tensors, data_start, alignment)?;
        Ok(Header { metadata, tensors, data_start, alignment })
    }

    fn metadata(&mut self, n_entries: u64) -> Result<Metadata, ReadError> {
        let mut seen = HashSet::new();
        let mut metadata = Metadata::default();
        for _ in 0..n_entries {
            let start = self.at;
            let key = self.name()?;
            if !seen.insert(key.clone()) {
                return Err(at(start, ReadErrorKind::Duplicate(key)));
            }
            let value = self.value()?;
            metadata.push(key, value);
        }
        Ok(metadata)
    }

    fn value(&mut self) -> Result<Value, ReadError> {
        let start = self.at;
        Ok(match self.u32()? {
            kind::U8 => Value::U8(self.number(u8::from_le_bytes)?),
            kind::I8 => Value::I8(self.number(i8::from_le_bytes)?),
            kind::U16 => Value::U16(self.number(u16::from_le_bytes)?),
            kind::I16 => Value::I16(self.number(i16::from_le_bytes)?),
            kind::U32 => Value::U32(self.u32()?),
            kind::I32 => Value::I32(self.number(i32::from_le_bytes)?),
            kind::F32 => Value::F32(self.number(f32::from_le_bytes)?),
            kind::BOOL => Value::Bool(self.bool()?),
            kind::STRING => Value::String(self.string()?),
            kind::ARRAY => Value::Array(self.array()?),
            kind::U64 => Value::U64(self.u64()?),
            kind::I64 => Value::I64(self.number(i64::from_le_bytes)?),
            kind::F64 => Value::F64(self.number(f64::from_le_bytes)?),
            other => return Err(at(start, ReadErrorKind::ValueType(other))),
        })
    }

    fn array(&mut self) -> Result<Array, ReadError> {
        let start = self.at;
        let element = self.u32()?;
        let len = self.u64()?;
        Ok(match element {
            kind::U8 => Array::U8(self.numbers(len, u8::from_le_bytes)?),
            kind::I8 => Array::I8(self.numbers(len, i8::from_le_bytes)?),
            kind::U16 => Array::U16(self.numbers(len, u16::from_le_bytes)?),
            kind::I16 => Array::I16(self.numbers(len, i16::from_le_bytes)?),
            kind::U32 => Array::U32(self.numbers(len, u32::from_le_bytes)?),
            kind::I32 => Array::I32(self.numbers(len, i32::from_le_bytes)?),
            kind::F32 => Array::F32(self.numbers(len, f32::from_le_bytes)?),
            kind::U64 => Array::U64(self.numbers(len, u64::from_le_bytes)?),
            kind::I64 => Array::I64(self.numbers(len, i64::from_le_bytes)?),
            kind::F64 => Array::F64(self.numbers(len, f64::from_le_bytes)?),
            kind::BOOL => {
                self.can_hold("booleans", len, 1)?;
                Array::Bool((0..len).map(|_| self.bool()).collect::<Result<_, _>>()?)
            }
            kind::STRING => {
                self.can_hold("texts", len, 8)?;
                Array::String((0..len).map(|_| self.string()).collect::<Result<_, _>>()?)
            }
            kind::ARRAY => return Err(at(start, ReadErrorKind::NestedArray)),
            other => return Err(at(start, ReadErrorKind::ValueType(other))),
        })
    }

    fn tensors(&mut self, n_tensors: u64) -> Result<Vec<TensorInfo>, ReadError> {
        let mut seen = HashSet::new();
        let mut tensors = Vec::new();
        for _ in 0..n_tensors {
            let start = self.at;
            let tensor = self.tensor()?;
            if !seen.insert(tensor.name.clone()) {
                return Err(at(start, ReadErrorKind::Duplicate(tensor.name)));
            }
            tensors.push(tensor);
        }
        Ok(tensors)
    }

    fn tensor(&mut self) -> Result<TensorInfo, ReadError> {
        let start = self.at;
        let name = self.name()?;
        if name.len() > MAX_NAME_BYTES {
            return Err(at(start, ReadErrorKind::NameLength(name.len() as u64)));
        }
        let dims_at = self.at;
        let n_dims = self.u32()?;
        if !(1..=MAX_DIMS as u32).contains(&n_dims) {
            return Err(at(dims_at, ReadErrorKind::Dimensions(n_dims)));
        }
        let dims = (0..n_dims).map(|_| self.u64()).collect::<Result<Vec<_>, _>>()?;
        let type_at = self.at;
        let id = self.u32()?;
        let ggml_type = GgmlType::from_id(id).ok_or_else(|| at(type_at, ReadErrorKind::TensorType(id)))?;
        let tensor = TensorInfo { name, dims, ggml_type, offset: self.u64()? };
        let (row, block) = (tensor.row_len(), ggml_type.block_len());
        if !row.is_multiple_of(block) {
            return Err(at(dims_at, ReadErrorKind::RowLength { row, block }));
        }
        if tensor.dims.contains(&0) || tensor.byte_len().is_none_or(|len| len > i64::MAX as u64) {
            return Err(at(dims_at, ReadErrorKind::Shape(tensor.name)));
        }
        Ok(tensor)
    }

    /// Tensors lie one after another, each aligned, all inside the file.
    fn check_extents(
        &self,
        tensors: &[TensorInfo],
        data_start: u64,
        alignment: u64,
    ) -> Result<(), ReadError> {
        let file_len = self.bytes.len() as u64;
        let mut expected = 0_u64;
        for tensor in tensors {
            if tensor.offset != expected {
                let (name, found) = (tensor.name.clone(), tensor.offset);
                return Err(self.error(ReadErrorKind::Offset { name, expected, found }));
            }
            let overflow = || self.error(ReadErrorKind::Shape(tensor.name.clone()));
            let len = tensor.byte_len().ok_or_else(overflow)?;
            let end =
                expected.checked_add(len).and_then(|end| end.checked_add(data_start)).ok_or_else(overflow)?;
            if end > file_len {
                let start = file_len.min(data_start + expected);
                let left = file_len - start;
                return Err(at(start, ReadErrorKind::Truncated { needed: len, left }));
            }
            expected = align_up(end - data_start, alignment).ok_or_else(overflow)?;
        }
        Ok(())
    }

    fn name(&mut self) -> Result<String, ReadError> {
        let start = self.at;
        let name = self.string()?;
        if name.is_empty() || name.contains('\0') {
            return Err(at(start, ReadErrorKind::BadName(name)));
        }
        Ok(name)
    }

    fn string(&mut self) -> Result<String, ReadError> {
        let start = self.at;
        let len = self.u64()?;
        let bytes = self.take(len)?;
        let text = std::str::from_utf8(bytes).map_err(|_| at(start, ReadErrorKind::Utf8))?;
        Ok(text.to_owned())
    }

    fn bool(&mut self) -> Result<bool, ReadError> {
        let start = self.at;
        match self.number(u8::from_le_bytes)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(at(start, ReadErrorKind::Bool(other))),
        }
    }

    fn u32(&mut self) -> Result<u32, ReadError> {
        self.number(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, ReadError> {
        self.number(u64::from_le_bytes)
    }

    fn number<const N: usize, T>(&mut self, from: fn([u8; N]) -> T) -> Result<T, ReadError> {
        Ok(from(self.take(N as u64)?.try_into().expect("take gives as many bytes as asked")))
    }

    fn numbers<const N: usize, T>(&mut self, len: u64, from: fn([u8; N]) -> T) -> Result<Vec<T>, ReadError> {
        self.can_hold("numbers", len, N as u64)?;
        let (numbers, _) = self.take(len * N as u64)?.as_chunks::<N>();
        Ok(numbers.iter().map(|&bytes| from(bytes)).collect())
    }

    /// Are there bytes for `count` things of at least `size` bytes each?
    fn can_hold(&self, what: &'static str, count: u64, size: u64) -> Result<(), ReadError> {
        let left = self.left();
        match count.checked_mul(size) {
            Some(needed) if needed <= left => Ok(()),
            _ => Err(self.error(ReadErrorKind::Count { what, count, left })),
        }
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], ReadError> {
        let left = self.left();
        if len > left {
            return Err(self.error(ReadErrorKind::Truncated { needed: len, left }));
        }
        let start = self.at;
        self.at += len as usize;
        Ok(&self.bytes[start..self.at])
    }

    fn left(&self) -> u64 {
        (self.bytes.len() - self.at) as u64
    }

    fn error(&self, kind: ReadErrorKind) -> ReadError {
        at(self.at, kind)
    }
}

fn at(offset: impl TryInto<u64>, kind: ReadErrorKind) -> ReadError {
    ReadError { offset: offset.try_into().unwrap_or(u64::MAX), kind }
}

fn alignment(metadata: &Metadata) -> Option<u64> {
    match metadata.get("general.alignment") {
        None => Some(DEFAULT_ALIGNMENT),
        Some(&Value::U32(alignment)) if alignment.is_power_of_two() => Some(alignment.into()),
        Some(_) => None,
    }
}
