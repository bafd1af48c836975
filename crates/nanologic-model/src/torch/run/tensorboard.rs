//! The log as an event file, which TensorBoard shows as curves.
//!
//! An event file is a row of records: length (u64), masked CRC-32C of the length, the bytes, masked CRC-32C of the bytes,
//! all little-endian; each record is a protocol buffer `Event` of TensorFlow. Only what curves need is written.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::log::LogLine;
use crate::checkpoint::atomic;
use crate::error::Error;

/// TensorBoard reads every file whose name holds `tfevents`.
const NAME: &str = "events.out.tfevents.training";

pub(super) struct Events {
    path: PathBuf,
    file: BufWriter<File>,
    /// Seconds since 1970 when the run had spent none.
    epoch: f64,
}

impl Events {
    /// Writes the file anew with the lines so far, of a run that has spent so many seconds.
    pub fn begin(folder: &Path, seconds: f64, lines: &[LogLine]) -> Result<Events, Error> {
        let path = folder.join(NAME);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64();
        let epoch = now - seconds;
        let mut bytes = record(&[double(1, epoch), text(3, b"brain.Event:2")].concat());
        bytes.extend(lines.iter().flat_map(|line| record(&event(line, epoch))));
        atomic::write(&path, &bytes)?;
        let file = File::options().append(true).open(&path).map_err(Error::io(&path))?;
        Ok(Events { file: BufWriter::new(file), path, epoch })
    }

    pub fn write(&mut self, line: &LogLine) -> Result<(), Error> {
        self.file.write_all(&record(&event(line, self.epoch))).map_err(Error::io(&self.path))
    }

    pub fn flush(&mut self) -> Result<(), Error> {
        self.file.flush().map_err(Error::io(&self.path))
    }
}

/// `Event {1: wall_time, 2: step, 5: Summary {1: Value {1: tag, 2: simple_value} …}}`.
fn event(line: &LogLine, epoch: f64) -> Vec<u8> {
    let values = [
        ("loss/train", Some(line.loss)),
        ("loss/validation", line.validation_loss),
        ("learning_rate", Some(line.learning_rate)),
        ("gradient_norm", Some(line.gradient_norm)),
        ("speed/tokens_per_second", Some(line.tokens_per_second)),
        ("speed/mfu", Some(line.mfu)),
    ];
    let summary: Vec<u8> = values
        .into_iter()
        .filter_map(|(tag, value)| {
            let float = [vec![2 << 3 | 5], (value? as f32).to_le_bytes().to_vec()].concat();
            Some(text(1, &[text(1, tag.as_bytes()), float].concat()))
        })
        .flatten()
        .collect();
    [double(1, epoch + line.seconds), [vec![2 << 3], varint(line.step)].concat(), text(5, &summary)].concat()
}

fn record(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    [&length[..], &masked_crc(&length), bytes, &masked_crc(bytes)].concat()
}

/// A field of bytes: text or a message of its own.
fn text(field: u8, bytes: &[u8]) -> Vec<u8> {
    [vec![field << 3 | 2], varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn double(field: u8, value: f64) -> Vec<u8> {
    [vec![field << 3 | 1], value.to_le_bytes().to_vec()].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn masked_crc(bytes: &[u8]) -> [u8; 4] {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// CRC-32C (Castagnoli), bit by bit: a line a step is no work.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn long_numbers_take_seven_bits_a_byte() {
        assert_eq!(varint(300), [0xac, 0x02]);
        assert_eq!(varint(127), [0x7f]);
    }

    /// A first record as TensorFlow's own writer makes it: `Event {wall_time: 1, file_version: "brain.Event:2"}`.
    #[test]
    fn a_record_is_framed_by_its_checksums() {
        let event = [double(1, 1.0), text(3, b"brain.Event:2")].concat();
        assert_eq!(event, *b"\x09\0\0\0\0\0\0\xf0\x3f\x1a\x0dbrain.Event:2");
        let framed = record(&event);
        assert_eq!(framed.len(), 8 + 4 + event.len() + 4);
        assert_eq!(framed[..8], (event.len() as u64).to_le_bytes());
        assert_eq!(framed[8..12], masked_crc(&framed[..8]));
    }
}
