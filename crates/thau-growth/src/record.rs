//! The ledger: what each growth leaves in `provenance.json`, and the way back to an earlier age.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    cost::Cost,
    error::GrowthError,
    folder::{Folder, read_json},
    operator::Preservation,
    proof::Proof,
};

/// One growth: an entry under `growth` in `provenance.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// BLAKE3 of the weight files before, in hex.
    pub parent: String,
    /// The seed of everything drawn.
    pub seed: u64,
    /// The operators with their sizes, in order.
    pub steps: Vec<String>,
    /// What the steps claim to do to the function.
    pub preservation: Preservation,
    /// The model before.
    pub before: Cost,
    /// The model after.
    pub after: Cost,
    /// What was measured, where a forward was at hand.
    pub proof: Option<Proof>,
}

/// The growths that led to a checkpoint folder, oldest first.
///
/// # Errors
/// [`GrowthError::Io`], [`GrowthError::Json`].
pub fn ledger(checkpoint: &Path) -> Result<Vec<Record>, GrowthError> {
    #[derive(Deserialize)]
    struct Provenance {
        #[serde(default)]
        growth: Vec<Record>,
    }
    Ok(read_json::<Provenance>(&checkpoint.join("provenance.json"))?.growth)
}

/// The checkpoint that `checkpoint` was before its last `growths` growths: the folder in `among` whose weights have
/// the hash that the ledger names. Nothing is changed; training goes on from there.
///
/// # Errors
/// [`GrowthError::NoAncestor`] where the ledger is shorter or no folder has that hash; those of reading.
pub fn ancestor(checkpoint: &Path, growths: usize, among: &Path) -> Result<PathBuf, GrowthError> {
    let lost = || GrowthError::NoAncestor { path: checkpoint.into(), growths };
    let mut ledger = ledger(checkpoint)?;
    let at = ledger.len().checked_sub(growths.max(1)).ok_or_else(lost)?;
    let parent = ledger.swap_remove(at).parent;
    for entry in std::fs::read_dir(among).map_err(GrowthError::io(among))? {
        let folder = entry.map_err(GrowthError::io(among))?.path();
        if folder.is_dir()
            && Folder::open(&folder).and_then(|folder| folder.hash()).is_ok_and(|hash| hash == parent)
        {
            return Ok(folder);
        }
    }
    Err(lost())
}
