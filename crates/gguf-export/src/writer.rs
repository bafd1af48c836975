//! Writing a GGUF file in one pass: the header first, then each tensor's bytes as they come.

use std::io::{self, Write};

use crate::metadata::kind;
use crate::reader::{DEFAULT_ALIGNMENT, MAGIC, MAX_DIMS, MAX_NAME_BYTES, VERSION};
use crate::tensor::align_up;
use crate::{Array, Error, GgmlType, Metadata, TensorInfo, Value};

/// Writes the header, then takes the tensors' bytes in the order promised.
///
/// ```
/// use gguf_export::{GgmlType, Header, Metadata, TensorInfo, Writer};
///
/// let mut metadata = Metadata::default();
/// metadata.set("general.architecture", "llama");
/// let tensors = Writer::lay_out([("t".to_owned(), vec![2], GgmlType::F32)])?;
///
/// let mut bytes = Vec::new();
/// let mut writer = Writer::new(&mut bytes, &metadata, tensors)?;
/// writer.write(&[0; 8])?;
/// writer.finish()?;
///
/// let header = Header::parse(&bytes)?;
/// assert_eq!(header.metadata, metadata);
/// assert_eq!(header.tensors[0].dims, [2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Writer<W> {
    out: W,
    tensors: std::vec::IntoIter<TensorInfo>,
    /// Bytes of the current tensor still to come.
    due: u64,
    /// Bytes of the data section so far.
    written: u64,
}

impl Writer<io::Sink> {
    /// Gives each tensor (name, dims fastest first, type) its place in the data section.
    ///
    /// # Errors
    /// [`Error::Unwritable`] for a name or shape that the format cannot hold.
    pub fn lay_out(
        tensors: impl IntoIterator<Item = (String, Vec<u64>, GgmlType)>,
    ) -> Result<Vec<TensorInfo>, Error> {
        let mut offset = 0;
        let mut placed = Vec::new();
        for (name, dims, ggml_type) in tensors {
            let tensor = TensorInfo { name, dims, ggml_type, offset };
            let len = writable_len(&tensor)?;
            offset = offset
                .checked_add(len)
                .and_then(|end| align_up(end, DEFAULT_ALIGNMENT))
                .ok_or_else(|| unwritable(&tensor.name, "sizes overflow"))?;
            placed.push(tensor);
        }
        Ok(placed)
    }
}

impl<W: Write> Writer<W> {
    /// Writes the header of a file with these tensors, as [`Writer::lay_out`] placed them.
    ///
    /// # Errors
    /// [`Error::Write`] if `out` fails; [`Error::Unwritable`] for a `general.alignment` other than the 32 bytes written.
    pub fn new(mut out: W, metadata: &Metadata, tensors: Vec<TensorInfo>) -> Result<Writer<W>, Error> {
        let alignment = metadata.get("general.alignment");
        if alignment.is_some_and(|alignment| *alignment != Value::U32(DEFAULT_ALIGNMENT as u32)) {
            return Err(unwritable("general.alignment", "tensors are aligned to 32 bytes here"));
        }
        let mut head = header_bytes(metadata, &tensors);
        head.resize(head.len().next_multiple_of(DEFAULT_ALIGNMENT as usize), 0);
        out.write_all(&head).map_err(Error::Write)?;
        let mut writer = Writer { out, tensors: tensors.into_iter(), due: 0, written: 0 };
        writer.next_tensor()?;
        Ok(writer)
    }

    /// Adds bytes to the current tensor, and goes on to the next when it is full.
    ///
    /// # Errors
    /// [`Error::Write`] if the sink fails or if more bytes come than were promised.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let len = bytes.len() as u64;
        if len > self.due {
            return Err(Error::Write(io::Error::other("more bytes than the header promises")));
        }
        self.out.write_all(bytes).map_err(Error::Write)?;
        self.due -= len;
        self.written += len;
        if self.due == 0 { self.next_tensor() } else { Ok(()) }
    }

    /// Hands the sink back once every tensor is there.
    ///
    /// # Errors
    /// [`Error::Write`] if bytes are missing.
    pub fn finish(self) -> Result<W, Error> {
        if self.due > 0 || self.tensors.len() > 0 {
            return Err(Error::Write(io::Error::other("fewer bytes than the header promises")));
        }
        Ok(self.out)
    }

    fn next_tensor(&mut self) -> Result<(), Error> {
        let padding = self.written.next_multiple_of(DEFAULT_ALIGNMENT) - self.written;
        self.out.write_all(&[0; DEFAULT_ALIGNMENT as usize][..padding as usize]).map_err(Error::Write)?;
        self.written += padding;
        if let Some(tensor) = self.tensors.next() {
            debug_assert_eq!(tensor.offset, self.written);
            self.due = writable_len(&tensor)?;
        }
        Ok(())
    }
}

fn writable_len(tensor: &TensorInfo) -> Result<u64, Error> {
    let refuse = |reason| unwritable(&tensor.name, reason);
    if tensor.name.is_empty() || tensor.name.len() > MAX_NAME_BYTES || tensor.name.contains('\0') {
        return Err(refuse("a name has 1 to 63 bytes, none of them NUL"));
    }
    if tensor.dims.is_empty() || tensor.dims.len() > MAX_DIMS || tensor.dims.contains(&0) {
        return Err(refuse("a tensor has 1 to 4 dimensions, none of them 0"));
    }
    tensor.byte_len().ok_or_else(|| refuse("its rows do not fill whole blocks"))
}

fn unwritable(name: &str, reason: &'static str) -> Error {
    Error::Unwritable { name: name.to_owned(), reason }
}

fn header_bytes(metadata: &Metadata, tensors: &[TensorInfo]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend(VERSION.to_le_bytes());
    out.extend((tensors.len() as u64).to_le_bytes());
    out.extend((metadata.iter().len() as u64).to_le_bytes());
    for (key, value) in metadata.iter() {
        put_string(&mut out, key);
        put_value(&mut out, value);
    }
    for tensor in tensors {
        put_string(&mut out, &tensor.name);
        out.extend((tensor.dims.len() as u32).to_le_bytes());
        tensor.dims.iter().for_each(|dim| out.extend(dim.to_le_bytes()));
        out.extend(tensor.ggml_type.id().to_le_bytes());
        out.extend(tensor.offset.to_le_bytes());
    }
    out
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    let mut put = |kind: u32, bytes: &[u8]| {
        out.extend(kind.to_le_bytes());
        out.extend(bytes);
    };
    match value {
        Value::U8(x) => put(kind::U8, &x.to_le_bytes()),
        Value::I8(x) => put(kind::I8, &x.to_le_bytes()),
        Value::U16(x) => put(kind::U16, &x.to_le_bytes()),
        Value::I16(x) => put(kind::I16, &x.to_le_bytes()),
        Value::U32(x) => put(kind::U32, &x.to_le_bytes()),
        Value::I32(x) => put(kind::I32, &x.to_le_bytes()),
        Value::F32(x) => put(kind::F32, &x.to_le_bytes()),
        Value::Bool(x) => put(kind::BOOL, &[u8::from(*x)]),
        Value::U64(x) => put(kind::U64, &x.to_le_bytes()),
        Value::I64(x) => put(kind::I64, &x.to_le_bytes()),
        Value::F64(x) => put(kind::F64, &x.to_le_bytes()),
        Value::String(text) => {
            put(kind::STRING, &[]);
            put_string(out, text);
        }
        Value::Array(array) => {
            put(kind::ARRAY, &[]);
            put_array(out, array);
        }
    }
}

fn put_array(out: &mut Vec<u8>, array: &Array) {
    fn put<T: Copy, const N: usize>(out: &mut Vec<u8>, kind: u32, values: &[T], bytes: fn(T) -> [u8; N]) {
        out.extend(kind.to_le_bytes());
        out.extend((values.len() as u64).to_le_bytes());
        values.iter().for_each(|&value| out.extend(bytes(value)));
    }
    match array {
        Array::U8(xs) => put(out, kind::U8, xs, u8::to_le_bytes),
        Array::I8(xs) => put(out, kind::I8, xs, i8::to_le_bytes),
        Array::U16(xs) => put(out, kind::U16, xs, u16::to_le_bytes),
        Array::I16(xs) => put(out, kind::I16, xs, i16::to_le_bytes),
        Array::U32(xs) => put(out, kind::U32, xs, u32::to_le_bytes),
        Array::I32(xs) => put(out, kind::I32, xs, i32::to_le_bytes),
        Array::F32(xs) => put(out, kind::F32, xs, f32::to_le_bytes),
        Array::U64(xs) => put(out, kind::U64, xs, u64::to_le_bytes),
        Array::I64(xs) => put(out, kind::I64, xs, i64::to_le_bytes),
        Array::F64(xs) => put(out, kind::F64, xs, f64::to_le_bytes),
        Array::Bool(xs) => put(out, kind::BOOL, xs, |x| [u8::from(x)]),
        Array::String(texts) => {
            out.extend(kind::STRING.to_le_bytes());
            out.extend((texts.len() as u64).to_le_bytes());
            texts.iter().for_each(|text| put_string(out, text));
        }
    }
}
