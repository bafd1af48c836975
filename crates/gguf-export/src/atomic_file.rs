//! A file that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use crate::Error;

/// Collects bytes under a temporary name in the same folder and takes its own name when it is complete and on disk.
/// Dropped before that, it leaves nothing behind.
pub(crate) struct AtomicFile {
    out: BufWriter<File>,
    temporary: PathBuf,
    path: PathBuf,
    /// Bytes since the last sync began.
    unsynced: usize,
    /// Brings to the disk what was written so far, while more is made: the last sync then waits for little.
    syncing: Option<JoinHandle<io::Result<()>>>,
    done: bool,
}

/// Bytes worth a sync of their own.
const SYNC_AFTER: usize = 32 << 20;

impl AtomicFile {
    pub fn create(path: &Path) -> Result<AtomicFile, Error> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let temporary = path.with_file_name(name);
        let file = File::create(&temporary).map_err(|source| Error::io(&temporary, source))?;
        Ok(AtomicFile {
            out: BufWriter::with_capacity(1 << 20, file),
            temporary,
            path: path.to_owned(),
            unsynced: 0,
            syncing: None,
            done: false,
        })
    }

    /// The temporary name, under which what was written so far can be read.
    pub fn readable(&mut self) -> Result<&Path, Error> {
        self.out.flush().map_err(|source| Error::io(&self.temporary, source))?;
        Ok(&self.temporary)
    }

    /// Makes the file appear.
    pub fn persist(mut self) -> Result<(), Error> {
        self.put_on_disk().map_err(|source| Error::io(&self.path, source))?;
        self.done = true;
        Ok(())
    }

    fn put_on_disk(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.finish_sync()?;
        self.out.get_ref().sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        match self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => File::open(folder)?.sync_all(),
            None => File::open(".")?.sync_all(),
        }
    }

    fn begin_sync(&mut self) -> io::Result<()> {
        self.finish_sync()?;
        let file = self.out.get_ref().try_clone()?;
        self.unsynced = 0;
        self.syncing = Some(thread::spawn(move || file.sync_data()));
        Ok(())
    }

    fn finish_sync(&mut self) -> io::Result<()> {
        let synced = self.syncing.take().map(JoinHandle::join);
        synced.unwrap_or(Ok(Ok(()))).map_err(|_| io::Error::other("the thread that syncs broke off"))?
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.out.write(bytes)?;
        self.unsynced += len;
        let idle = self.syncing.as_ref().is_none_or(JoinHandle::is_finished);
        if self.unsynced >= SYNC_AFTER && idle {
            self.begin_sync()?;
        }
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.done {
            // Nothing more can be done about a temporary file that will not go.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Writes a small file whole or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes).map_err(|source| Error::io(path, source))?;
    file.persist()
}
