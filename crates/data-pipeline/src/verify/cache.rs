//! Replies on disk, one JSON object a line, appended as they come.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
};

use serde::{Deserialize, Serialize};

pub(super) struct Cache {
    replies: HashMap<String, String>,
    file: File,
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    reply: String,
}

impl Cache {
    /// Reads what is there. A last line that a crash cut short is cut off.
    pub(super) fn open(path: &Path) -> io::Result<Cache> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        file.seek(io::SeekFrom::End(0))?;
        let mut replies = HashMap::new();
        for line in text[..whole].lines() {
            let line: Line = serde_json::from_str(line)?;
            replies.insert(line.key, line.reply);
        }
        Ok(Cache { replies, file })
    }

    pub(super) fn get(&self, key: &str) -> Option<String> {
        self.replies.get(key).cloned()
    }

    pub(super) fn put(&mut self, key: &str, reply: &str) -> io::Result<()> {
        let line = Line { key: key.to_owned(), reply: reply.to_owned() };
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes())?;
        self.replies.insert(line.key, line.reply);
        Ok(())
    }
}
