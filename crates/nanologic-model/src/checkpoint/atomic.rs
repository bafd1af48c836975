//! Files that are either whole or not there: written under a temporary name beside their place, flushed to the disk,
//! and renamed.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Writes `bytes` to `path`; a reader sees the old file or the new one, whenever the process dies.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let temporary = temporary_name(path);
    let mut file = File::create(&temporary).map_err(Error::io(&temporary))?;
    file.write_all(bytes).map_err(Error::io(&temporary))?;
    file.sync_all().map_err(Error::io(&temporary))?;
    fs::rename(&temporary, path).map_err(Error::io(path))?;
    sync_parent(path)
}

/// Makes the folder `path` with what `fill` writes into it; the folder appears whole or not at all. What stood at
/// `path` before is replaced.
pub(crate) fn write_folder(path: &Path, fill: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let temporary = temporary_name(path);
    remove_now(&temporary)?;
    fs::create_dir_all(&temporary).map_err(Error::io(&temporary))?;
    fill(&temporary)?;
    remove(path)?;
    fs::rename(&temporary, path).map_err(Error::io(path))?;
    sync_parent(path)
}

/// Removes a folder if it is there; it is gone at once, never half there.
pub(crate) fn remove(folder: &Path) -> Result<(), Error> {
    let gone = hidden_name(folder, "gone");
    match fs::rename(folder, &gone) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            // Something that a killed process was removing lies there.
            remove_now(&gone)?;
            fs::rename(folder, &gone).map_err(Error::io(folder))?;
        }
        _ => {}
    }
    remove_now(&gone)
}

fn remove_now(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(folder)(error)),
        _ => Ok(()),
    }
}

fn temporary_name(path: &Path) -> PathBuf {
    hidden_name(path, "partial")
}

fn hidden_name(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{what}"))
}

/// The rename itself lives in the folder that holds the name.
fn sync_parent(path: &Path) -> Result<(), Error> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(Error::io(parent))
}
