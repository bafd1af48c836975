//! Entries in and out of the file.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Layout of the file, kept in SQLite's `user_version`.
const VERSION: i64 = 1;

/// Words of a query that are looked for.
const MAX_WORDS: usize = 32;

const COLUMNS: &str = "id, term, text, source, made, used, uses, superseded_by";

const SCHEMA: &str = "
CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    term TEXT NOT NULL CHECK (term IN ('short', 'long', 'episodic')),
    text TEXT NOT NULL,
    source TEXT NOT NULL,
    made INTEGER NOT NULL,
    used INTEGER NOT NULL,
    uses INTEGER NOT NULL DEFAULT 1,
    superseded_by INTEGER
) STRICT;
CREATE INDEX entry_by_time ON entry (term, made, id);
CREATE INDEX entry_by_text ON entry (text);
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = 'entry', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER entry_added AFTER INSERT ON entry BEGIN
    INSERT INTO words (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER entry_gone AFTER DELETE ON entry BEGIN
    INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, old.text);
END;
";

/// The three kinds of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// What was just said.
    Short,
    /// What holds.
    Long,
    /// What happened, and when.
    Episodic,
}

impl Term {
    fn name(self) -> &'static str {
        match self {
            Term::Short => "short",
            Term::Long => "long",
            Term::Episodic => "episodic",
        }
    }

    fn of(name: &str) -> Term {
        match name {
            "short" => Term::Short,
            "long" => Term::Long,
            _ => Term::Episodic,
        }
    }
}

/// How much is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// Entries of short-term memory.
    pub short: usize,
    /// Entries of long-term memory.
    pub long: usize,
    /// Entries of episodic memory.
    pub episodic: usize,
    /// Bytes of one text and of its source.
    pub text_bytes: usize,
}

impl Default for Capacity {
    fn default() -> Capacity {
        Capacity { short: 64, long: 10_000, episodic: 10_000, text_bytes: 16 << 10 }
    }
}

/// One thing remembered. Times are seconds since 1970, given by the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number in this file, never given twice.
    pub id: i64,
    /// Where it is kept.
    pub term: Term,
    /// What it says.
    pub text: String,
    /// Where it came from.
    pub source: String,
    /// When it was remembered, or happened.
    pub made: u64,
    /// When it was last used.
    pub used: u64,
    /// How often it was used; remembering it counts.
    pub uses: u32,
    /// The number of the entry that holds in its place, which may be forgotten by now; 0 for one that never was in this file.
    pub superseded_by: Option<i64>,
}

/// An open memory.
#[derive(Debug)]
pub struct Memory {
    pub(super) file: Connection,
    capacity: Capacity,
}

impl Memory {
    /// Opens the memory in this file, begun when there is none.
    ///
    /// # Errors
    /// [`Error::Memory`] when the file cannot be used or is no SQLite file, [`Error::Layout`] when a later version of this crate
    /// made it.
    pub fn open(path: &Path, capacity: Capacity) -> Result<Memory> {
        let mut file = Connection::open(path)?;
        file.busy_timeout(Duration::from_secs(60))?;
        // A rollback journal, and deleted bytes overwritten: what is forgotten is in neither.
        file.execute_batch(
            "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;",
        )?;
        let begin = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match begin.query_row("PRAGMA user_version", [], |row| row.get(0))? {
            0i64 => begin.execute_batch(&format!("{SCHEMA} PRAGMA user_version = {VERSION};"))?,
            VERSION => {}
            found => return Err(Error::Layout { found, known: VERSION }),
        }
        begin.commit()?;
        Ok(Memory { file, capacity })
    }

    /// Remembers a text, and lets go of what there is no room for. Returns its number: that of the entry it adds a use to, where
    /// long-term memory holds the same text already.
    ///
    /// # Errors
    /// [`Error::TooLong`] when text or source is longer than the capacity allows, and when the file cannot be written.
    pub fn remember(&mut self, term: Term, text: &str, source: &str, now: u64) -> Result<i64> {
        let (capacity, begin) = self.begin(&[text, source])?;
        let id = add(&begin, term, text, source, now)?;
        make_room(&begin, capacity, now)?;
        begin.commit()?;
        Ok(id)
    }

    /// Remembers in long-term memory what holds instead of an entry. The old one is found no longer, but still listed.
    ///
    /// # Errors
    /// [`Error::NotRemembered`] when there is no such entry, and as [`remember`](Memory::remember).
    pub fn supersede(&mut self, old: i64, text: &str, source: &str, now: u64) -> Result<i64> {
        let (capacity, begin) = self.begin(&[text, source])?;
        let id = add(&begin, Term::Long, text, source, now)?;
        if id != old {
            let changed = begin.execute("UPDATE entry SET superseded_by = ?2 WHERE id = ?1", [old, id])?;
            if changed == 0 {
                return Err(Error::NotRemembered { id: old });
            }
        }
        make_room(&begin, capacity, now)?;
        begin.commit()?;
        Ok(id)
    }

    /// The entries that share words with the query, most fitting first (BM25), and counts them as used. Any text is a query: its
    /// words are looked for, nothing in it is a command.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn recall(&mut self, query: &str, count: usize, now: u64) -> Result<Vec<Entry>> {
        let begin = self.file.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = find(&begin, query, count)?;
        for entry in &found {
            begin.execute(
                "UPDATE entry SET uses = min(uses + 1, 1000000000), used = max(used, ?2) WHERE id = ?1",
                params![entry.id, seconds(now)],
            )?;
        }
        begin.commit()?;
        Ok(found)
    }

    /// What [`recall`](Memory::recall) would find, without a trace: for people who look.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn search(&self, query: &str, count: usize) -> Result<Vec<Entry>> {
        find(&self.file, query, count)
    }

    /// Everything held of one kind, superseded entries too, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn entries(&self, term: Term) -> Result<Vec<Entry>> {
        let query = format!("SELECT {COLUMNS} FROM entry WHERE term = ?1 ORDER BY made, id");
        list(&self.file, &query, [term.name()])
    }

    /// What happened from one time to another, both included.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn episodes(&self, from: u64, to: u64) -> Result<Vec<Entry>> {
        let query = format!(
            "SELECT {COLUMNS} FROM entry WHERE term = 'episodic' AND made BETWEEN ?1 AND ?2 ORDER BY made, id"
        );
        list(&self.file, &query, [seconds(from), seconds(to)])
    }

    /// Deletes an entry for good; whether there was one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget(&mut self, id: i64) -> Result<bool> {
        Ok(self.file.execute("DELETE FROM entry WHERE id = ?1", [id])? > 0)
    }

    /// Deletes everything for good.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget_all(&mut self) -> Result<()> {
        self.file.execute("DELETE FROM entry", [])?;
        Ok(())
    }

    /// Begins a change after the texts have been measured.
    pub(super) fn begin(&mut self, texts: &[&str]) -> Result<(Capacity, Transaction<'_>)> {
        let most = self.capacity.text_bytes;
        if let Some(text) = texts.iter().find(|text| text.len() > most) {
            return Err(Error::TooLong { bytes: text.len(), most });
        }
        Ok((self.capacity, self.file.transaction_with_behavior(TransactionBehavior::Immediate)?))
    }
}

/// Adds an entry, or a use to the one of long-term memory that says the same and still holds.
fn add(begin: &Transaction<'_>, term: Term, text: &str, source: &str, now: u64) -> Result<i64> {
    if term == Term::Long {
        let known = "UPDATE entry SET uses = min(uses + 1, 1000000000), used = max(used, ?2)
             WHERE term = 'long' AND text = ?1 AND superseded_by IS NULL RETURNING id";
        let known = begin.query_row(known, params![text, seconds(now)], |row| row.get(0)).optional()?;
        if let Some(id) = known {
            return Ok(id);
        }
    }
    let entry = Entry {
        id: 0,
        term,
        text: text.to_owned(),
        source: source.to_owned(),
        made: now,
        used: now,
        uses: 1,
        superseded_by: None,
    };
    insert(begin, &entry)
}

/// Adds an entry under a new number, what superseded it left open.
pub(super) fn insert(begin: &Transaction<'_>, entry: &Entry) -> Result<i64> {
    begin.execute(
        "INSERT INTO entry (term, text, source, made, used, uses) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            entry.term.name(),
            entry.text,
            entry.source,
            seconds(entry.made),
            seconds(entry.used),
            entry.uses.max(1)
        ],
    )?;
    Ok(begin.last_insert_rowid())
}

/// Lets go of what exceeds the capacity: see the module's page for who goes first.
pub(super) fn make_room(begin: &Transaction<'_>, capacity: Capacity, now: u64) -> Result<()> {
    let beyond = |term: &str, capacity: usize| -> Result<i64> {
        let held: i64 =
            begin.query_row("SELECT count(*) FROM entry WHERE term = ?1", [term], |row| row.get(0))?;
        Ok(held.saturating_sub(i64::try_from(capacity).unwrap_or(i64::MAX)).max(0))
    };
    let oldest = "SELECT id FROM entry WHERE term = ?1 ORDER BY made, id LIMIT ?2";
    let short = beyond("short", capacity.short)?;
    if short > 0 {
        let promote = format!("UPDATE entry SET term = 'long' WHERE uses > 1 AND id IN ({oldest})");
        begin.execute(&promote, params!["short", short])?;
        let short = beyond("short", capacity.short)?;
        begin.execute(&format!("DELETE FROM entry WHERE id IN ({oldest})"), params!["short", short])?;
    }
    let episodic = beyond("episodic", capacity.episodic)?;
    if episodic > 0 {
        begin.execute(&format!("DELETE FROM entry WHERE id IN ({oldest})"), params!["episodic", episodic])?;
    }
    let long = beyond("long", capacity.long)?;
    if long > 0 {
        begin.execute(
            "DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE term = 'long'
             ORDER BY superseded_by IS NULL, 1.0 * uses * uses / (max(?1 - made, 0) + 1), made, id LIMIT ?2)",
            params![seconds(now), long],
        )?;
    }
    Ok(())
}

fn find(file: &Connection, query: &str, count: usize) -> Result<Vec<Entry>> {
    let words: Vec<String> = query
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        // Quoted, a word is a word and no operator.
        .map(|word| format!("\"{word}\""))
        .collect();
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let columns = COLUMNS.replace("id, term, text", "id, term, entry.text");
    let query = format!(
        "SELECT {columns} FROM words JOIN entry ON entry.id = words.rowid
         WHERE words MATCH ?1 AND superseded_by IS NULL ORDER BY words.rank, made DESC, id DESC LIMIT ?2"
    );
    list(file, &query, params![words.join(" OR "), i64::try_from(count).unwrap_or(i64::MAX)])
}

pub(super) fn list(file: &Connection, query: &str, parameters: impl rusqlite::Params) -> Result<Vec<Entry>> {
    let mut query = file.prepare(query)?;
    let entries = query.query_map(parameters, read)?.collect::<Result<Vec<Entry>, _>>()?;
    Ok(entries)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let time = |seconds: i64| u64::try_from(seconds).unwrap_or(0);
    Ok(Entry {
        id: row.get(0)?,
        term: Term::of(&row.get::<_, String>(1)?),
        text: row.get(2)?,
        source: row.get(3)?,
        made: time(row.get(4)?),
        used: time(row.get(5)?),
        uses: row.get(6)?,
        superseded_by: row.get(7)?,
    })
}

/// SQLite's integers are signed.
fn seconds(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
