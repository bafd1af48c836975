//! Where the rows of a corpus come from.

use std::{
    fs::File,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{ReadRowsError, Realizer, Record, Row, records};

/// Where the rows of a corpus come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// They are made.
    Made {
        /// By whom, in whatever language.
        maker: Arc<dyn Realizer>,
        /// How many.
        rows: u64,
    },
    /// They are read, in any form that [`read_rows`](crate::read_rows) knows.
    File(PathBuf),
}

/// A row that is still to be made or understood.
pub(super) enum Raw {
    Index(u64),
    Record(Record),
}

/// A row that is still to come, with its number.
type Numbered = Result<(u64, Raw), ReadRowsError>;

impl Source {
    /// Rows that a realizer makes.
    pub fn made(maker: impl Realizer + 'static, rows: u64) -> Source {
        Source::Made { maker: Arc::new(maker), rows }
    }

    /// How many rows or records there are.
    pub(super) fn len(&self) -> Result<u64, ReadRowsError> {
        match self {
            Source::Made { rows, .. } => Ok(*rows),
            Source::File(path) => records(path)?.try_fold(0, |count, record| record.map(|_| count + 1)),
        }
    }

    /// The same for the same rows in the same order, whatever the machine.
    pub(super) fn fingerprint(&self) -> io::Result<String> {
        match self {
            Source::Made { maker, rows } => Ok(format!("made: {rows} rows, {}", maker.fingerprint())),
            Source::File(path) => {
                let mut hasher = blake3::Hasher::new();
                hasher.update_reader(File::open(path)?)?;
                Ok(format!("file: BLAKE3 {}", hasher.finalize().to_hex()))
            }
        }
    }

    /// The rows of a range, each with its number.
    pub(super) fn raw(
        &self,
        range: Range<u64>,
    ) -> Result<Box<dyn Iterator<Item = Numbered> + Send>, ReadRowsError> {
        Ok(match self {
            Source::Made { .. } => Box::new(range.map(|index| Ok((index, Raw::Index(index))))),
            Source::File(path) => {
                let taken = (0..).zip(records(path)?).skip(range.start as usize);
                let left = range.end.saturating_sub(range.start) as usize;
                Box::new(taken.take(left).map(|(index, record)| Ok((index, Raw::Record(record?)))))
            }
        })
    }

    /// The row, or `None` for a record that is none.
    pub(super) fn row(&self, raw: Raw) -> Option<Row> {
        match (self, raw) {
            (Source::Made { maker, .. }, Raw::Index(index)) => Some(maker.row(index)),
            (Source::File(path), Raw::Record(record)) => record.into_row(path).ok(),
            (_, Raw::Record(record)) => record.into_row(Path::new("")).ok(),
            (Source::File(_), Raw::Index(_)) => None,
        }
    }
}
