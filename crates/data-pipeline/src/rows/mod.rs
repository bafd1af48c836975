//! Rows in files: read one at a time from JSON Lines or a JSON array, written as JSON Lines.

mod file;
mod notes;
mod records;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{Row, format::ReadError};

pub(crate) use file::write_atomically;
pub use notes::NotesRecord;
pub use records::{Record, Records, records};

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
    /// A record is not a row.
    #[error("line {line} of {path} is not a row", path = path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line on which the record begins, counted from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: NotARow,
    },
    /// The records end in the middle of one, or something else stands between them.
    #[error("line {line} of {path} breaks off the list of records", path = path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A single record that no memory should hold.
    #[error("the record on line {line} of {path} has more than {max} bytes", path = path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The line on which the record begins, counted from 1.
        line: usize,
        /// The most bytes that are read.
        max: usize,
    },
}

/// Why a record is not a row.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotARow {
    /// It is not JSON, or not of one of the known shapes.
    #[error("no known record")]
    Json(#[from] serde_json::Error),
    /// Its training line cannot be read back.
    #[error("its training line is none")]
    Sequence(#[from] ReadError),
}

/// Reads rows one at a time from JSON Lines or a JSON array; the file's first bytes tell which. Records may have the
/// fields of [`Row`] or the shapes of the NanoLogic notes, see [`NotesRecord`].
///
/// ```
/// use data_pipeline::{Row, read_rows, write_rows};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("rows.jsonl");
/// let rows = [Row { input: "Llueve.".into(), formula: "p".into(), ..Row::default() }];
/// write_rows(&path, &rows)?;
/// assert_eq!(read_rows(&path)?.collect::<Result<Vec<_>, _>>()?, rows);
///
/// std::fs::write(&path, r#"[{"input": "Llueve.", "formula": "p"}, {"input": "Nieva.", "formula": "p"}]"#)?;
/// assert_eq!(read_rows(&path)?.count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ReadRowsError::Io`] at once if the file cannot be opened; afterwards each item may be an error. The record after
/// one that is not a row is read as usual; any other error ends the file.
pub fn read_rows(
    path: impl AsRef<Path>,
) -> Result<impl Iterator<Item = Result<Row, ReadRowsError>>, ReadRowsError> {
    let path = path.as_ref().to_owned();
    let records = records(&path)?;
    Ok(records.map(move |record| record?.into_row(&path)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_of(text: &str) -> Vec<Result<Row, ReadRowsError>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        std::fs::write(&path, text).unwrap();
        read_rows(&path).unwrap().collect()
    }

    fn inputs(text: &str) -> Vec<String> {
        rows_of(text).into_iter().map(|row| row.unwrap().input).collect()
    }

    #[test]
    fn a_bad_line_is_named_and_the_next_one_is_read() {
        let rows = rows_of(
            "{\"input\": \"a\", \"formula\": \"p\"}\n\n{\"input\": 3}\n{\"input\": \"b\", \"formula\": \"q\"}",
        );
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0].as_ref().unwrap().input, "a");
        assert!(matches!(rows[1], Err(ReadRowsError::Row { line: 3, .. })));
        assert_eq!(rows[2].as_ref().unwrap().formula, "q");
    }

    #[test]
    fn an_array_is_read_record_by_record() {
        let text = "\u{feff} [\n {\"input\": \"a ] } , \\\" \\\\\", \"formula\": \"p\", \"atoms\": {\"p\": \"[\"}},\n\
                    {\"input\": 3}\n, {\"input\": \"b\", \"formula\": \"q\"} ]\n";
        let rows = rows_of(text);
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0].as_ref().unwrap().input, "a ] } , \" \\");
        assert!(matches!(rows[1], Err(ReadRowsError::Row { line: 3, .. })));
        assert_eq!(rows[2].as_ref().unwrap().input, "b");
        assert!(rows_of("[]").is_empty() && rows_of("[ ]").is_empty() && rows_of("").is_empty());
    }

    #[test]
    fn an_array_that_breaks_off_is_an_error_and_the_end() {
        let one = "{\"input\": \"a\", \"formula\": \"p\"}";
        for (text, good) in [
            (format!("[{one}"), 1),
            (format!("[{one},"), 1),
            (format!("[{one} {one}]"), 1),
            (format!("[{one}] {one}"), 1),
            (format!("[{one}, {{\"input\": \"b"), 1),
            (format!("[{one}, 7]"), 1),
            ("[".to_owned(), 0),
            (format!("[,{one}]"), 0),
        ] {
            let rows = rows_of(&text);
            assert_eq!(rows.len(), good + 1, "{text}");
            assert!(matches!(rows[good], Err(ReadRowsError::Broken { line: 1, .. })), "{text}");
        }
    }

    #[test]
    fn rows_may_be_pretty_printed_in_an_array_only() {
        let row = Row { input: "Llueve".into(), formula: "p".into(), ..Row::default() };
        assert_eq!(inputs(&serde_json::to_string_pretty(&[&row, &row]).unwrap()), ["Llueve", "Llueve"]);
    }

    #[test]
    fn a_missing_file_is_an_error() {
        assert!(matches!(read_rows("/no/such/file").map(|_| ()), Err(ReadRowsError::Io { .. })));
    }

    #[test]
    fn bytes_that_are_no_text_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        std::fs::write(&path, b"{\"input\": \"a\xff\"}\n{\"input\": \"b\", \"formula\": \"q\"}").unwrap();
        let rows: Vec<_> = read_rows(&path).unwrap().collect();
        assert!(matches!(rows[0], Err(ReadRowsError::Row { line: 1, .. })));
        assert_eq!(rows[1].as_ref().unwrap().input, "b");
    }
}
