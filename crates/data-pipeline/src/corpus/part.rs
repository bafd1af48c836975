//! The first half of a corpus: rows are made or read, cleaned, and every sentence kept once. A part of the source can be
//! done by itself, on any machine that sees the folder; killed, it goes on where its journal says.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Seek as _, Write as _},
    path::PathBuf,
};

use serde_json::json;

use super::{Corpus, CorpusError, code_version, journal::Done, journal::Journal};
use crate::{
    Reason, Row, StepReport,
    clean::{Pointable, Trivial, WellFormed},
    dedup::{Distinct, Exact, GoldOverlap},
    step::{Dropped, Steps},
    stream::in_order,
};

/// One of several equal parts of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which, from 1.
    pub number: u64,
    /// Of how many.
    pub of: u64,
}

impl Part {
    /// The whole.
    pub const WHOLE: Part = Part { number: 1, of: 1 };
}

/// `i/n`, as in `2/8`.
impl std::str::FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Part, String> {
        let part = text.split_once('/').and_then(|(number, of)| {
            let (number, of) = (number.parse().ok()?, of.parse().ok()?);
            (1..=of).contains(&number).then_some(Part { number, of })
        });
        part.ok_or_else(|| format!("{text:?} is not i/n with i from 1 to n"))
    }
}

/// What became of one row of the source.
struct Cleaned {
    /// The hash of the row as it came, with its number.
    hash: u128,
    outcome: Result<(Vec<u8>, <Exact as Distinct>::Key), Option<Dropped>>,
}

impl Corpus<'_> {
    /// The steps that look at one row alone.
    pub(super) fn steps(&self) -> Steps {
        Steps::new(vec![
            Box::new(WellFormed),
            Box::new(Pointable),
            Box::new(GoldOverlap::default()),
            Box::new(Trivial { rate: self.recipe.trivial_rate, seed: self.recipe.seed }),
        ])
    }

    /// Where the rows of a part are, and its journal.
    pub(super) fn files_of(&self, part: Part) -> [PathBuf; 2] {
        let name = |ending: &str| self.work().join(format!("{}-of-{}.{ending}", part.number, part.of));
        [name("jsonl"), name("journal")]
    }

    /// What a part is made of; only a journal that begins so is gone on with.
    pub(super) fn header_of(&self, part: Part) -> io::Result<String> {
        let source = self.source.fingerprint()?;
        let part = format!("{}/{}", part.number, part.of);
        Ok(json!({"source": source, "code": code_version(), "recipe": self.recipe, "part": part}).to_string())
    }

    /// Makes or reads one part of the rows, cleans them and keeps every sentence once. Done already, it returns at
    /// once; killed on the way, it goes on from the last few thousand rows.
    ///
    /// # Errors
    ///
    /// [`CorpusError::Io`], [`CorpusError::Read`].
    pub fn clean(&self, part: Part) -> Result<(), CorpusError> {
        std::fs::create_dir_all(self.work())?;
        let total = self.source.len()?;
        let at = |number: u64| (u128::from(total) * u128::from(number) / u128::from(part.of)) as u64;
        let range = at(part.number - 1)..at(part.number);
        let [rows_path, journal_path] = self.files_of(part);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&rows_path)?;
        let bytes = file.metadata()?.len();
        let (mut journal, done) = Journal::open(&journal_path, &self.header_of(part)?, bytes)?;
        let steps = self.steps();
        let mut done = done.unwrap_or_else(|| Done {
            read: StepReport::new("read"),
            steps: steps.reports(),
            exact: StepReport::new(Exact::NAME),
            ..Done::default()
        });
        if done.complete {
            return Ok(());
        }
        file.set_len(done.bytes)?;
        file.rewind()?;
        let mut exact = self.remembered(&rows_path, done.bytes)?;
        file.seek(io::SeekFrom::End(0))?;
        let mut rows = BufWriter::with_capacity(1 << 20, file);
        let mut input = u128::from_str_radix(&done.input, 16).unwrap_or(0);
        let left = self.source.raw(range.start + done.rows..range.end)?.map(|raw| Ok(raw?));
        let clean = |(index, raw)| {
            let row = self.source.row(raw);
            let mut hasher = blake3::Hasher::new();
            hasher.update(&u64::to_le_bytes(index));
            let outcome = match row {
                None => Err(None),
                Some(row) => {
                    hasher.update(&as_line(&row));
                    steps.apply(row).map(|row| (as_line(&row), Exact::key(&row))).map_err(Some)
                }
            };
            let hash = hasher.finalize();
            let hash = u128::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"));
            Cleaned { hash, outcome }
        };
        let take = |chunk: Vec<Cleaned>| -> Result<(), CorpusError> {
            done.rows += chunk.len() as u64;
            for Cleaned { hash, outcome } in chunk {
                input = input.wrapping_add(hash);
                let readable = if let Err(None) = outcome { Err(Reason::Unreadable) } else { Ok(()) };
                done.read.count(readable);
                match outcome {
                    Err(None) => {}
                    Err(Some(dropped)) => done.steps.count(Some(dropped)),
                    Ok((line, key)) => {
                        done.steps.count(None);
                        let admitted = exact.admit(key);
                        done.exact.count(admitted);
                        if admitted.is_ok() {
                            rows.write_all(&line)?;
                            done.bytes += line.len() as u64;
                        }
                    }
                }
            }
            done.input = format!("{input:032x}");
            done.complete = done.rows == range.end - range.start;
            self.tell("making and cleaning", done.rows, range.end - range.start);
            // First the rows, then the word that they are there.
            rows.flush()?;
            rows.get_ref().sync_data()?;
            Ok(journal.append(&done)?)
        };
        in_order(left, clean, take)?;
        if !done.complete {
            // A source without rows.
            done.complete = true;
            journal.append(&done)?;
        }
        Ok(())
    }

    /// What comparing the rows that a part has already kept has taught.
    fn remembered(&self, rows: &PathBuf, bytes: u64) -> Result<Exact, CorpusError> {
        let mut exact = Exact::default();
        if bytes > 0 {
            let key = |record: crate::Record| record.into_row(rows).map(|row| Exact::key(&row));
            in_order(crate::records(rows)?, key, |keys| {
                for key in keys {
                    // It was admitted before, and is again.
                    let _ = exact.admit(key?);
                }
                Ok(())
            })?;
        }
        Ok(exact)
    }
}

/// The row as a line of JSON.
pub(super) fn as_line(row: &Row) -> Vec<u8> {
    let mut line = Vec::with_capacity(1_024);
    serde_json::to_writer(&mut line, row).expect("a row is JSON");
    line.push(b'\n');
    line
}

/// Opens a file of our own for appending whole lines.
pub(super) fn writer(path: &std::path::Path) -> io::Result<BufWriter<File>> {
    Ok(BufWriter::with_capacity(1 << 20, File::create(path)?))
}
