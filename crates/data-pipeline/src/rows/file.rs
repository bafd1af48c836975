//! Files that appear only when they are whole.

use std::{
    fs::File,
    io::{self, BufWriter},
    path::Path,
};

/// Writes under a temporary name in the same folder, then renames: a reader never sees half a file.
pub(crate) fn write_atomically<T, E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<T, E>,
) -> Result<T, E> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.partial", std::process::id()));
    let written = (|| {
        let mut file = BufWriter::new(File::create(&temporary)?);
        let value = write(&mut file)?;
        file.into_inner().map_err(|failed| failed.into_error())?.sync_all()?;
        std::fs::rename(&temporary, path)?;
        Ok(value)
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
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        let failed: io::Result<()> = write_atomically(&path, |_| Err(io::Error::other("full")));
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
