//! What a round has done so far, on disk, so that a killed round goes on where it stopped.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;
use crate::disk::{create_folder, read_json, remove_folder, rename, write_json};

/// A folder of finished steps.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
}

impl Journal {
    pub(crate) fn open(folder: PathBuf) -> Result<Journal> {
        create_folder(&folder)?;
        Ok(Journal { folder })
    }

    /// What the step made before, or makes now and remembers.
    pub(crate) fn once<T: Serialize + DeserializeOwned>(
        &self,
        step: &str,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if let Some(made) = self.made(step)? {
            return Ok(made);
        }
        let made = make()?;
        write_json(&self.folder.join(format!("{step}.json")), &made)?;
        Ok(made)
    }

    /// What the step made before.
    pub(crate) fn made<T: DeserializeOwned>(&self, step: &str) -> Result<Option<T>> {
        read_json(&self.folder.join(format!("{step}.json")))
    }

    /// The folder that the step filled before, or fills now.
    pub(crate) fn once_folder(&self, step: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let folder = self.folder.join(step);
        if !folder.exists() {
            let part = self.folder.join(format!("{step}.part"));
            remove_folder(&part)?;
            create_folder(&part)?;
            fill(&part)?;
            rename(&part, &folder)?;
        }
        Ok(folder)
    }

    /// Removes a folder that is not needed any more.
    pub(crate) fn drop_folder(&self, step: &str) -> Result<()> {
        remove_folder(&self.folder.join(step))
    }
}
