//! How far a part has come, kept beside its rows, so that it goes on there after a crash.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{StepReport, step::StepReports};

/// What has been done of a part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    /// How many rows of the source.
    pub rows: u64,
    /// How many bytes of the part's file are whole rows that belong to those.
    pub bytes: u64,
    /// The sum of the hashes of all source rows, in hexadecimal.
    pub input: String,
    pub read: StepReport,
    pub steps: StepReports,
    pub exact: StepReport,
    /// Whether that is all.
    pub complete: bool,
}

/// One line of JSON that says what the part is made of, then one for every chunk.
pub(super) struct Journal(File);

impl Journal {
    /// Opens the journal of a part made as `header` says: what was done of it last, if that is still in its file of
    /// `bytes` bytes. A journal of another part is begun anew.
    pub(super) fn open(path: &Path, header: &str, bytes: u64) -> io::Result<(Journal, Option<Done>)> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut text = String::new();
        // A crash of the whole machine may leave bytes that are no text: nothing to go on from.
        let readable = file.read_to_string(&mut text).is_ok();
        let done = if readable { last(&text, header, bytes) } else { None };
        let kept = done.as_ref().map_or(0, |(end, _)| *end as u64);
        file.set_len(kept)?;
        file.seek(io::SeekFrom::Start(kept))?;
        if done.is_none() {
            writeln!(file, "{header}")?;
        }
        Ok((Journal(file), done.map(|(_, done)| done)))
    }

    /// The last entry of a part that is complete.
    pub(super) fn completed(path: &Path, header: &str, bytes: u64) -> Option<Done> {
        let text = std::fs::read_to_string(path).ok()?;
        last(&text, header, bytes).map(|(_, done)| done).filter(|done| done.complete)
    }

    pub(super) fn append(&mut self, done: &Done) -> io::Result<()> {
        let mut line = serde_json::to_string(done)?;
        line.push('\n');
        self.0.write_all(line.as_bytes())
    }
}

/// The last whole entry that lies within `bytes`, and where it ends.
fn last(journal: &str, header: &str, bytes: u64) -> Option<(usize, Done)> {
    let rest = journal.strip_prefix(header)?.strip_prefix('\n')?;
    let mut end = journal.len() - rest.len();
    let mut found = None;
    for line in rest.split_inclusive('\n') {
        let Ok(done) = serde_json::from_str::<Done>(line) else { break };
        if !line.ends_with('\n') || done.bytes > bytes {
            break;
        }
        end += line.len();
        found = Some((end, done));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(rows: u64) -> Done {
        Done { rows, bytes: rows * 10, ..Done::default() }
    }

    #[test]
    fn the_last_whole_entry_counts_and_what_follows_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut journal, nothing) = Journal::open(&path, "seed 1", 0).unwrap();
        assert_eq!(nothing, None);
        (1..=3).for_each(|rows| journal.append(&done(rows)).unwrap());
        let whole = std::fs::read(&path).unwrap();
        // Cut anywhere, it goes on from the last line that is whole.
        for len in 0..=whole.len() {
            std::fs::write(&path, &whole[..len]).unwrap();
            let lines = whole[..len].iter().filter(|&&byte| byte == b'\n').count() as u64;
            let (mut journal, found) = Journal::open(&path, "seed 1", 30).unwrap();
            assert_eq!(found.as_ref().map(|done| done.rows), lines.checked_sub(1).filter(|&rows| rows > 0));
            let next = found.map_or(1, |done| done.rows + 1);
            (next..=3).for_each(|rows| journal.append(&done(rows)).unwrap());
            assert_eq!(std::fs::read(&path).unwrap(), whole, "{len}");
        }
    }

    #[test]
    fn an_entry_beyond_the_rows_in_the_file_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut journal, _) = Journal::open(&path, "seed 1", 0).unwrap();
        (1..=3).for_each(|rows| journal.append(&done(rows)).unwrap());
        assert_eq!(Journal::open(&path, "seed 1", 25).unwrap().1, Some(done(2)));
        assert_eq!(Journal::completed(&path, "seed 1", 30), None);
        assert_eq!(Journal::open(&path, "seed 2", 30).unwrap().1, None);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "seed 2\n");
    }
}
