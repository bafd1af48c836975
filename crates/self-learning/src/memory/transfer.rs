//! Everything out as lines of JSON, and in again.

use std::collections::HashMap;
use std::io::{BufRead, Write};

use super::store::{Entry, Memory, insert, list, make_room};
use crate::{Error, Result};

impl Memory {
    /// Writes every entry as a line of JSON, oldest number first; how many there were.
    ///
    /// # Errors
    /// [`Error::Transfer`] when `out` cannot be written, and when the file cannot be read.
    pub fn export(&self, out: &mut impl Write) -> Result<usize> {
        let entries = list(
            &self.file,
            "SELECT id, term, text, source, made, used, uses, superseded_by FROM entry ORDER BY id",
            [],
        )?;
        for (line, entry) in (1..).zip(&entries) {
            serde_json::to_writer(&mut *out, entry)
                .map_err(std::io::Error::from)
                .and_then(|()| out.write_all(b"\n"))
                .map_err(|source| Error::Transfer { line, source })?;
        }
        Ok(entries.len())
    }

    /// Adds what was exported, under new numbers; how many entries were new. An entry that is held already, with the same
    /// text, kind and time, is passed over, so that importing twice adds nothing. All lines come in, or none.
    ///
    /// # Errors
    /// [`Error::Transfer`] with the line that is no entry or cannot be read, [`Error::TooLong`], and when the file cannot be
    /// written.
    pub fn import(&mut self, lines: impl BufRead, now: u64) -> Result<usize> {
        let mut entries: Vec<Entry> = Vec::new();
        for (line, text) in (1..).zip(lines.lines()) {
            let entry: std::io::Result<Entry> = text.and_then(|text| Ok(serde_json::from_str(&text)?));
            entries.push(entry.map_err(|source| Error::Transfer { line, source })?);
        }
        let texts: Vec<&str> =
            entries.iter().flat_map(|entry| [entry.text.as_str(), entry.source.as_str()]).collect();
        let (capacity, begin) = self.begin(&texts)?;
        let (mut numbers, mut added) = (HashMap::new(), 0);
        for entry in &entries {
            let held = "SELECT id, term, text, source, made, used, uses, superseded_by FROM entry
                        WHERE text = ?1 ORDER BY id";
            let held = list(&begin, held, [&entry.text])?;
            let held = held.iter().find(|held| held.term == entry.term && held.made == entry.made);
            let id = match held {
                Some(held) => held.id,
                None => {
                    added += 1;
                    insert(&begin, entry)?
                }
            };
            numbers.insert(entry.id, id);
        }
        for entry in &entries {
            if let Some(successor) = entry.superseded_by {
                let successor = numbers.get(&successor).copied().unwrap_or(0);
                begin.execute(
                    "UPDATE entry SET superseded_by = ?2 WHERE id = ?1",
                    [numbers[&entry.id], successor],
                )?;
            }
        }
        make_room(&begin, capacity, now)?;
        begin.commit()?;
        Ok(added)
    }
}
