//! Rows as JSON Lines files.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::Row;

/// Why a file of rows cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadRowsError {
    /// The file is missing or cannot be read further.
    #[error("cannot read {path}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A line is not a row.
    #[error("line {line} of {path} is not a row", path = path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// Reads rows one at a time, one JSON object a line; blank lines are passed over.
///
/// ```
/// use data_pipeline::{Row, read_rows, write_rows};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("rows.jsonl");
/// let rows = [Row { input: "Llueve.".into(), formula: "p".into(), ..Row::default() }];
/// write_rows(&path, &rows)?;
/// assert_eq!(read_rows(&path)?.collect::<Result<Vec<_>, _>>()?, rows);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ReadRowsError::Io`] at once if the file cannot be opened; afterwards each item may be an error, and the line
/// after a bad row is read as usual.
pub fn read_rows(
    path: impl AsRef<Path>,
) -> Result<impl Iterator<Item = Result<Row, ReadRowsError>>, ReadRowsError> {
    let path = path.as_ref().to_owned();
    let unreadable = |source| ReadRowsError::Io { path: path.clone(), source };
    let lines = BufReader::new(File::open(&path).map_err(unreadable)?).lines();
    Ok(lines.zip(1..).filter(|(text, _)| !matches!(text, Ok(text) if text.trim().is_empty())).map(
        move |(text, line)| {
            let text = text.map_err(|source| ReadRowsError::Io { path: path.clone(), source })?;
            serde_json::from_str(&text).map_err(|source| ReadRowsError::Row {
                path: path.clone(),
                line,
                source,
            })
        },
    ))
}

/// Writes rows as JSON Lines; the file appears only when it is whole.
///
/// # Errors
///
/// What the system says when the folder is missing, not writable or full.
pub fn write_rows<'a>(path: impl AsRef<Path>, rows: impl IntoIterator<Item = &'a Row>) -> io::Result<()> {
    write_atomically(path.as_ref(), |file| {
        for row in rows {
            serde_json::to_writer(&mut *file, row)?;
            file.write_all(b"\n")?;
        }
        Ok(())
    })
}

/// Writes under a temporary name in the same folder, then renames: a reader never sees half a file.
pub(crate) fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.partial", std::process::id()));
    let written = (|| {
        let mut file = BufWriter::new(File::create(&temporary)?);
        write(&mut file)?;
        file.into_inner()?.sync_all()?;
        std::fs::rename(&temporary, path)
    })();
    if written.is_err() {
        // The first error is the one worth telling.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_is_named_and_the_next_one_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        std::fs::write(&path, "{\"input\": \"a\", \"formula\": \"p\"}\n\n{\"input\": 3}\n{\"input\": \"b\", \"formula\": \"q\"}")
            .unwrap();
        let rows: Vec<_> = read_rows(&path).unwrap().collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0].as_ref().unwrap().input, "a");
        assert!(matches!(rows[1], Err(ReadRowsError::Row { line: 3, .. })));
        assert_eq!(rows[2].as_ref().unwrap().formula, "q");
    }

    #[test]
    fn a_missing_file_is_an_error() {
        assert!(matches!(read_rows("/no/such/file").map(|_| ()), Err(ReadRowsError::Io { .. })));
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        let failed = write_atomically(&path, |_| Err(io::Error::other("full")));
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
