//! A file cut into its records, before any of them is understood: cutting is quick and has to be done in order,
//! understanding a record is slow and can be done on all cores.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use super::{NotARow, NotesRecord, ReadRowsError};
use crate::Row;

/// The most bytes of one record.
const MAX_RECORD: usize = 16 << 20;

/// One record of a file, not yet understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The line on which it begins, counted from 1.
    pub line: usize,
    json: Vec<u8>,
}

impl Record {
    /// The record as a row; `path` is only for the error.
    ///
    /// # Errors
    ///
    /// [`ReadRowsError::Row`].
    pub fn into_row(self, path: &Path) -> Result<Row, ReadRowsError> {
        self.row().map_err(|source| ReadRowsError::Row { path: path.to_owned(), line: self.line, source })
    }

    /// The record as it stands in the file.
    pub(crate) fn json(&self) -> &[u8] {
        &self.json
    }

    fn row(&self) -> Result<Row, NotARow> {
        match serde_json::from_slice(&self.json) {
            Ok(row) => Ok(row),
            // The notes' shapes are tried second, for they take longer.
            Err(error) => match serde_json::from_slice::<NotesRecord>(&self.json) {
                Ok(record) => record.into_row(),
                Err(_) => Err(error.into()),
            },
        }
    }
}

/// Opens a file of records; see [`read_rows`](super::read_rows).
///
/// # Errors
///
/// [`ReadRowsError::Io`].
pub fn records(path: impl AsRef<Path>) -> Result<Records, ReadRowsError> {
    let path = path.as_ref().to_owned();
    let file = File::open(&path).map_err(|source| unreadable(&path, source))?;
    Ok(Records { path, reader: BufReader::with_capacity(1 << 18, file), line: 1, place: Place::Start })
}

/// The records of a file in order.
pub struct Records {
    path: PathBuf,
    reader: BufReader<File>,
    line: usize,
    place: Place,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Start,
    Lines,
    /// In an array, before its first record, or after one.
    Array {
        first: bool,
    },
    End,
}

/// Where the bytes of one record are, as far as they have been seen.
#[derive(Default)]
struct Nesting {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Nesting {
    /// Whether `byte` closes the record.
    fn closes(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.depth == 0
    }
}

impl Iterator for Records {
    type Item = Result<Record, ReadRowsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.advance().transpose();
        if record.as_ref().is_none_or(Result::is_err) {
            self.place = Place::End;
        }
        record
    }
}

impl Records {
    fn advance(&mut self) -> Result<Option<Record>, ReadRowsError> {
        match self.place {
            Place::End => Ok(None),
            Place::Lines => self.line_record(),
            Place::Start => {
                if self.peek()? == Some(0xEF) {
                    self.reader.consume(3);
                }
                self.place = Place::Lines;
                if self.after_space()? == Some(b'[') {
                    self.reader.consume(1);
                    self.place = Place::Array { first: true };
                }
                self.advance()
            }
            Place::Array { first } => {
                match (self.after_space()?, first) {
                    (Some(b']'), _) => {
                        self.reader.consume(1);
                        return if self.after_space()?.is_none() { Ok(None) } else { Err(self.broken()) };
                    }
                    (Some(b','), false) => self.reader.consume(1),
                    (Some(_), true) => {}
                    _ => return Err(self.broken()),
                }
                if self.after_space()? != Some(b'{') {
                    return Err(self.broken());
                }
                self.place = Place::Array { first: false };
                self.object()
            }
        }
    }

    /// The next line that is not blank.
    fn line_record(&mut self) -> Result<Option<Record>, ReadRowsError> {
        loop {
            let mut bytes = Vec::with_capacity(1024);
            let line = self.line;
            loop {
                let buffer = self.reader.fill_buf().map_err(|source| unreadable(&self.path, source))?;
                let end = memchr_newline(buffer);
                let taken = end.unwrap_or(buffer.len());
                bytes.extend_from_slice(&buffer[..taken]);
                let over = buffer.is_empty();
                self.reader.consume(taken + usize::from(end.is_some()));
                if bytes.len() > MAX_RECORD {
                    return Err(self.too_long(line));
                }
                if end.is_some() || over {
                    self.line += usize::from(end.is_some());
                    break;
                }
            }
            let blank = bytes.iter().all(u8::is_ascii_whitespace);
            if !blank {
                return Ok(Some(Record { line, json: bytes }));
            }
            if self.peek()?.is_none() {
                return Ok(None);
            }
        }
    }

    /// The object that begins here.
    fn object(&mut self) -> Result<Option<Record>, ReadRowsError> {
        let (mut bytes, line) = (Vec::new(), self.line);
        let mut nesting = Nesting::default();
        loop {
            let buffer = self.reader.fill_buf().map_err(|source| unreadable(&self.path, source))?;
            if buffer.is_empty() {
                return Err(ReadRowsError::Broken { path: self.path.clone(), line });
            }
            let end = buffer.iter().position(|&byte| nesting.closes(byte));
            let taken = end.map_or(buffer.len(), |end| end + 1);
            self.line += buffer[..taken].iter().filter(|&&byte| byte == b'\n').count();
            bytes.extend_from_slice(&buffer[..taken]);
            self.reader.consume(taken);
            if bytes.len() > MAX_RECORD {
                return Err(self.too_long(line));
            }
            if end.is_some() {
                return Ok(Some(Record { line, json: bytes }));
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, ReadRowsError> {
        let buffer = self.reader.fill_buf().map_err(|source| unreadable(&self.path, source))?;
        Ok(buffer.first().copied())
    }

    /// The next byte that is not white space.
    fn after_space(&mut self) -> Result<Option<u8>, ReadRowsError> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
            self.line += usize::from(byte == b'\n');
            self.reader.consume(1);
        }
        Ok(None)
    }

    fn broken(&self) -> ReadRowsError {
        ReadRowsError::Broken { path: self.path.clone(), line: self.line }
    }

    fn too_long(&self, line: usize) -> ReadRowsError {
        ReadRowsError::TooLong { path: self.path.clone(), line, max: MAX_RECORD }
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> ReadRowsError {
    ReadRowsError::Io { path: path.to_owned(), source }
}

fn memchr_newline(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&byte| byte == b'\n')
}
