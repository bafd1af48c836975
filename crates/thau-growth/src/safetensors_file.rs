//! One safetensors file, read and written one tensor at a time.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use half::{bf16, f16};
use safetensors::{
    Dtype,
    tensor::{Metadata, TensorInfo},
};

use crate::{
    error::GrowthError,
    tensor::{Tensor, TensorSource},
};

/// The format's own limit on a header, in bytes.
const MOST_HEADER: u64 = 100_000_000;

/// A safetensors file, open for reading. Only its header and the tensor being read are in memory.
#[derive(Debug)]
pub struct SafetensorsFile {
    path: PathBuf,
    file: Mutex<File>,
    data_start: u64,
    header: Metadata,
}

impl SafetensorsFile {
    /// Opens a file and checks its header against its length.
    ///
    /// # Errors
    /// [`GrowthError::Io`]; [`GrowthError::Safetensors`] where the header lies.
    pub fn open(path: &Path) -> Result<SafetensorsFile, GrowthError> {
        let invalid = |reason| GrowthError::Safetensors { path: path.into(), reason };
        let mut file = File::open(path).map_err(GrowthError::io(path))?;
        let length = file.metadata().map_err(GrowthError::io(path))?.len();
        let mut size = [0; 8];
        file.read_exact(&mut size).map_err(|_| invalid("shorter than its header's length"))?;
        let size = u64::from_le_bytes(size);
        if size > MOST_HEADER || size + 8 > length {
            return Err(invalid("header longer than the file or than 100 MB"));
        }
        let mut text = vec![0; size as usize];
        file.read_exact(&mut text).map_err(GrowthError::io(path))?;
        let header: Metadata = serde_json::from_slice(&text).map_err(GrowthError::json(path))?;
        let data_start = size + 8;
        if data_start.checked_add(header.data_len() as u64) != Some(length) {
            return Err(invalid("length differs from what the header says"));
        }
        Ok(SafetensorsFile { path: path.into(), file: Mutex::new(file), data_start, header })
    }

    /// The tensors' names, in the order they are stored.
    pub fn names(&self) -> Vec<String> {
        self.header.offset_keys()
    }

    /// The free-form metadata.
    pub fn metadata(&self) -> BTreeMap<String, String> {
        self.header.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The number format of a tensor.
    pub fn dtype(&self, name: &str) -> Option<Dtype> {
        self.header.info(name).map(|info| info.dtype)
    }

    /// Reads `info`'s bytes piece by piece, so that a tensor is in memory only once.
    fn decode<const N: usize>(
        &self,
        info: &TensorInfo,
        value: impl Fn([u8; N]) -> f32,
    ) -> Result<Vec<f32>, GrowthError> {
        let (start, end) = info.data_offsets;
        let mut values = Vec::with_capacity((end - start) / N);
        let mut bytes = vec![0; CHUNK * N];
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.data_start + start as u64)).map_err(GrowthError::io(&self.path))?;
        let mut left = end - start;
        while left > 0 {
            let piece = &mut bytes[..left.min(CHUNK * N)];
            file.read_exact(piece).map_err(GrowthError::io(&self.path))?;
            values.extend(piece.as_chunks::<N>().0.iter().map(|&chunk| value(chunk)));
            left -= piece.len();
        }
        Ok(values)
    }
}

impl TensorSource for SafetensorsFile {
    fn read(&self, name: &str) -> Result<Tensor, GrowthError> {
        let info = self.header.info(name).ok_or_else(|| GrowthError::MissingTensor { name: name.into() })?;
        let values = match info.dtype {
            Dtype::F32 => self.decode(info, f32::from_le_bytes)?,
            Dtype::F16 => self.decode(info, |b| f16::from_le_bytes(b).to_f32())?,
            Dtype::BF16 => self.decode(info, |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16))?,
            other => {
                return Err(GrowthError::Dtype { name: name.into(), dtype: other.to_string() });
            }
        };
        Ok(Tensor { shape: info.shape.clone(), values })
    }
}

/// Entries decoded or encoded at a time.
const CHUNK: usize = 1 << 18;

/// Encoded pieces that wait to be written.
const WAITING: usize = 8;

/// Bytes after which what is written is sent on to the disk, while the next tensors are computed.
const FLUSH: usize = 64 << 20;

/// A tensor to be written: name, shape, format.
pub(crate) type Entry = (String, Vec<usize>, Dtype);

/// A safetensors file being written, tensor by tensor in the order announced. A thread of its own waits for the disk.
#[derive(Debug)]
pub(crate) struct SafetensorsWriter {
    path: PathBuf,
    disk: Option<Disk>,
    entries: std::vec::IntoIter<Entry>,
}

/// The thread that writes, and the way to it.
#[derive(Debug)]
struct Disk {
    pieces: SyncSender<Vec<u8>>,
    thread: JoinHandle<std::io::Result<()>>,
}

impl SafetensorsWriter {
    /// Writes the header. The data begins at a multiple of 8 bytes.
    pub fn create(
        path: &Path,
        entries: Vec<Entry>,
        metadata: &BTreeMap<String, String>,
    ) -> Result<SafetensorsWriter, GrowthError> {
        let mut header = serde_json::Map::new();
        header.insert("__metadata__".into(), serde_json::json!(metadata));
        let mut end = 0;
        for (name, shape, dtype) in &entries {
            let start = end;
            end += shape.iter().product::<usize>() * dtype.bitsize() / 8;
            let info = TensorInfo { dtype: *dtype, shape: shape.clone(), data_offsets: (start, end) };
            header.insert(name.clone(), serde_json::to_value(info).map_err(GrowthError::json(path))?);
        }
        let mut text = serde_json::to_vec(&header).map_err(GrowthError::json(path))?;
        text.resize(text.len().next_multiple_of(8), b' ');
        let mut file = File::create(path).map_err(GrowthError::io(path))?;
        file.write_all(&(text.len() as u64).to_le_bytes()).map_err(GrowthError::io(path))?;
        file.write_all(&text).map_err(GrowthError::io(path))?;
        let (pieces, waiting) = sync_channel(WAITING);
        let thread = std::thread::spawn(move || write_all(file, &waiting));
        let disk = Some(Disk { pieces, thread });
        Ok(SafetensorsWriter { path: path.into(), disk, entries: entries.into_iter() })
    }

    /// Writes the next tensor, rounded to its format.
    pub fn write(&mut self, name: &str, tensor: &Tensor) -> Result<(), GrowthError> {
        let found = || GrowthError::OutOfOrder { name: name.into() };
        let (announced, shape, dtype) = self.entries.next().ok_or_else(found)?;
        if announced != name || shape != tensor.shape {
            return Err(found());
        }
        let Some(disk) = &self.disk else { return Err(found()) };
        let sent = tensor.values.chunks(CHUNK).try_for_each(|chunk| {
            disk.pieces.send(match dtype {
                Dtype::BF16 => encode(chunk, |v| bf16::from_f32(v).to_le_bytes()),
                _ => encode(chunk, f32::to_le_bytes),
            })
        });
        // Nobody takes the piece any more: the thread has ended, and says why.
        sent.or_else(|_| self.close())
    }

    /// Waits until everything is on the disk.
    ///
    /// # Errors
    /// [`GrowthError::Io`] of any piece; [`GrowthError::MissingTensor`] where one was announced and not written.
    pub fn finish(mut self) -> Result<(), GrowthError> {
        self.close()?;
        self.entries.next().map_or(Ok(()), |(name, ..)| Err(GrowthError::MissingTensor { name }))
    }

    fn close(&mut self) -> Result<(), GrowthError> {
        let Some(Disk { pieces, thread }) = self.disk.take() else { return Ok(()) };
        drop(pieces);
        thread.join().expect("writing does not panic").map_err(GrowthError::io(&self.path))
    }
}

fn encode<const N: usize>(values: &[f32], bytes_of: impl Fn(f32) -> [u8; N]) -> Vec<u8> {
    let mut bytes = vec![0; values.len() * N];
    bytes.as_chunks_mut().0.iter_mut().zip(values).for_each(|(bytes, &value)| *bytes = bytes_of(value));
    bytes
}

/// Writes pieces until there are no more, then flushes them all.
fn write_all(mut file: File, pieces: &Receiver<Vec<u8>>) -> std::io::Result<()> {
    let mut unflushed = 0;
    for piece in pieces {
        file.write_all(&piece)?;
        unflushed += piece.len();
        if unflushed >= FLUSH {
            file.sync_data()?;
            unflushed = 0;
        }
    }
    file.sync_all()
}
