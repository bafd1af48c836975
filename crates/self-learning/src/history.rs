//! Every generator that ever was current, on disk, and the way back to it.
//!
//! ```text
//! pipeline_state.json     which generator is current, and how each came to be
//! generators/
//!   generator_v1/         the base; never deleted
//!   generator_v2/
//!   current -> generator_v2
//! ```
//! An upgrade has the documents' six steps: save the trained model, bring it into the generator's format, point to it, archive
//! the one before, make new data with it, go on. The first two fill a folder that nothing points to. The third and fourth
//! are one: `pipeline_state.json` is replaced in one rename, and with it the reference and the archive. The last two are the
//! next round of the loop. A process killed anywhere leaves either the old state or the new one; what lies about unfinished
//! is removed on opening.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk::{at, create_folder, files, read_json, remove_folder, rename, sync, try_lock, write_json};
use crate::gate::Decision;
use crate::{Error, Result};

/// The generators of one loop. Holding it keeps other processes out.
#[derive(Debug)]
pub struct History {
    root: PathBuf,
    state: PipelineState,
    keep: usize,
    _lock: File,
}

/// What `pipeline_state.json` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineState {
    /// Rounds finished.
    pub current_epoch: u64,
    /// The version in use.
    pub current_generator: u32,
    /// Every generator that ever was, from the base on.
    pub generators: Vec<Generator>,
    /// Score of every round, for plotting.
    pub scores: Vec<EpochScore>,
}

/// One generator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// Its number; the base is 1.
    pub version: u32,
    /// The generator that it grew from; none for the base.
    pub parent: Option<u32>,
    /// BLAKE3 of its files, names and bytes.
    pub hash: String,
    /// Its weights are still on disk.
    pub kept: bool,
    /// The gate that let it in; none for the base.
    pub decision: Option<Decision>,
}

/// Score of one round.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochScore {
    /// The round, from 1.
    pub epoch: u64,
    /// Accuracy of the generator before it, on the gate's items.
    pub before: f64,
    /// Accuracy of the candidate.
    pub after: f64,
    /// The candidate became the generator.
    pub upgraded: bool,
}

impl History {
    /// Opens the history below `root`, begun with a base that `fill` writes into the folder it is given. Weights of the last
    /// `keep` generators stay on disk, and those of the base and of the current one always.
    ///
    /// # Errors
    /// [`Error::Busy`] while another has it open, and when a file cannot be read or written.
    pub fn open(root: &Path, keep: usize, fill: impl FnOnce(&Path) -> Result<()>) -> Result<History> {
        create_folder(&root.join("generators"))?;
        let lock = try_lock(&root.join("pipeline_state.lock"))?;
        let state = read_json(&root.join("pipeline_state.json"))?;
        let mut history = History {
            root: root.to_owned(),
            state: state.unwrap_or(PipelineState {
                current_epoch: 0,
                current_generator: 0,
                generators: Vec::new(),
                scores: Vec::new(),
            }),
            keep,
            _lock: lock,
        };
        if history.state.generators.is_empty() {
            let base = history.store(fill, None)?;
            let version = base.version;
            history.commit(|state| {
                state.generators.push(base);
                state.current_generator = version;
            })?;
        }
        history.tidy()?;
        Ok(history)
    }

    /// What is known of all generators and rounds.
    pub fn state(&self) -> &PipelineState {
        &self.state
    }

    /// Folder of the current generator.
    pub fn current(&self) -> PathBuf {
        self.folder(self.state.current_generator)
    }

    /// Folder of the base.
    pub fn base(&self) -> PathBuf {
        self.folder(1)
    }

    fn folder(&self, version: u32) -> PathBuf {
        self.root.join("generators").join(format!("generator_v{version}"))
    }

    /// Records a round whose candidate was refused.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn refuse(&mut self, decision: &Decision) -> Result<()> {
        self.commit(|state| state.close_epoch(decision, false))
    }

    /// Makes what `fill` writes the current generator, and gives its version.
    ///
    /// # Errors
    /// When `fill` fails or a file cannot be written; then the generator is the one it was.
    pub fn upgrade(&mut self, decision: &Decision, fill: impl FnOnce(&Path) -> Result<()>) -> Result<u32> {
        let generator = self.store(fill, Some(decision.clone()))?;
        let version = generator.version;
        self.commit(|state| {
            state.generators.push(generator);
            state.current_generator = version;
            state.close_epoch(decision, true);
        })?;
        self.tidy()?;
        Ok(version)
    }

    /// Goes back to the generator that the current one grew from, and gives its version. Nothing is copied.
    ///
    /// # Errors
    /// [`Error::NothingToRollBack`] at the base, [`Error::NotKept`] when its weights were dropped, [`Error::Tampered`]
    /// when they are not what was stored.
    pub fn roll_back(&mut self) -> Result<u32> {
        let current = self.state.current_generator;
        let parent = self.generator(current)?.parent;
        let version = parent.ok_or(Error::NothingToRollBack { version: current })?;
        self.verify(version)?;
        self.commit(|state| state.current_generator = version)?;
        self.tidy()?;
        Ok(version)
    }

    /// Checks that a generator's files are those that were stored.
    ///
    /// # Errors
    /// [`Error::NotKept`] or [`Error::Tampered`].
    pub fn verify(&self, version: u32) -> Result<()> {
        let generator = self.generator(version)?;
        if !generator.kept {
            return Err(Error::NotKept { version });
        }
        if hash(&self.folder(version))? != generator.hash {
            return Err(Error::Tampered { version });
        }
        Ok(())
    }

    fn generator(&self, version: u32) -> Result<&Generator> {
        let found = self.state.generators.iter().find(|g| g.version == version);
        found.ok_or(Error::NotKept { version })
    }

    /// Steps one and two: a whole folder that nothing points to yet.
    fn store(&self, fill: impl FnOnce(&Path) -> Result<()>, decision: Option<Decision>) -> Result<Generator> {
        let version = self.state.generators.last().map_or(1, |last| last.version + 1);
        let incoming = self.root.join("generators/incoming");
        remove_folder(&incoming)?;
        create_folder(&incoming)?;
        fill(&incoming)?;
        for file in files(&incoming)? {
            sync(&file)?;
        }
        let hash = hash(&incoming)?;
        remove_folder(&self.folder(version))?;
        rename(&incoming, &self.folder(version))?;
        Ok(Generator {
            version,
            parent: (version > 1).then_some(self.state.current_generator),
            hash,
            kept: true,
            decision,
        })
    }

    /// Steps three and four: one rename decides.
    fn commit(&mut self, change: impl FnOnce(&mut PipelineState)) -> Result<()> {
        let mut state = self.state.clone();
        change(&mut state);
        write_json(&self.root.join("pipeline_state.json"), &state)?;
        self.state = state;
        Ok(())
    }

    /// Brings the folders in line with the state.
    fn tidy(&mut self) -> Result<()> {
        let newest: Vec<u32> =
            self.state.generators.iter().rev().take(self.keep).map(|g| g.version).collect();
        let current = self.state.current_generator;
        let keep = |g: &Generator| g.parent.is_none() || g.version == current || newest.contains(&g.version);
        if self.state.generators.iter().any(|g| g.kept && !keep(g)) {
            self.commit(|state| {
                for generator in &mut state.generators {
                    generator.kept &= keep(generator);
                }
            })?;
        }
        let folder = self.root.join("generators");
        for entry in fs::read_dir(&folder).map_err(at(&folder))? {
            let path = entry.map_err(at(&folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let version = name.strip_prefix("generator_v").and_then(|n| n.parse().ok());
            let listed = |version| self.generator(version).is_ok_and(|g| g.kept);
            if name == "incoming" || version.is_some_and(|version| !listed(version)) {
                remove_folder(&path)?;
            }
        }
        point(&folder, &format!("generator_v{current}"))
    }
}

impl PipelineState {
    fn close_epoch(&mut self, decision: &Decision, upgraded: bool) {
        self.current_epoch += 1;
        self.scores.push(EpochScore {
            epoch: self.current_epoch,
            before: decision.before.accuracy,
            after: decision.after.accuracy,
            upgraded,
        });
    }
}

/// Points `current` to a generator: a link where links are, else a file with its name.
fn point(folder: &Path, name: &str) -> Result<()> {
    let current = folder.join("current");
    let fresh = folder.join("current.part");
    if fs::read_link(&current).is_ok_and(|target| target == Path::new(name)) {
        return Ok(());
    }
    let _ = fs::remove_file(&fresh);
    #[cfg(unix)]
    std::os::unix::fs::symlink(name, &fresh).map_err(at(&fresh))?;
    #[cfg(not(unix))]
    fs::write(&fresh, name).map_err(at(&fresh))?;
    rename(&fresh, &current)
}

fn hash(folder: &Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    for file in files(folder)? {
        let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().into_owned();
        let mut content = blake3::Hasher::new();
        content.update_reader(File::open(&file).map_err(at(&file))?).map_err(at(&file))?;
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(content.finalize().as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gate;
    use std::time::{Duration, Instant};

    fn writes(text: &str) -> impl FnOnce(&Path) -> Result<()> {
        move |folder| {
            fs::write(folder.join("weights"), text).expect("a temporary folder");
            Ok(())
        }
    }

    fn weights(history: &History) -> String {
        fs::read_to_string(history.root.join("generators/current/weights")).unwrap()
    }

    fn decision() -> Decision {
        Gate::default().decide(&[], 0)
    }

    #[test]
    fn upgrades_and_rolls_back_along_the_line_of_descent() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::open(folder.path(), 3, writes("base")).unwrap();
        assert_eq!(history.upgrade(&decision(), writes("two")).unwrap(), 2);
        history.refuse(&decision()).unwrap();
        assert_eq!(history.roll_back().unwrap(), 1);
        assert_eq!(weights(&history), "base");
        // Version 2 stays in the history: the next is 3, and grew from the base.
        assert_eq!(history.upgrade(&decision(), writes("three")).unwrap(), 3);
        assert_eq!(history.roll_back().unwrap(), 1);
        assert!(matches!(history.roll_back(), Err(Error::NothingToRollBack { version: 1 })));
        assert_eq!(history.state().current_epoch, 3);
    }

    #[test]
    fn keeps_the_base_the_current_and_the_last_n() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::open(folder.path(), 2, writes("base")).unwrap();
        for text in ["2", "3", "4", "5"] {
            history.upgrade(&decision(), writes(text)).unwrap();
        }
        let kept: Vec<u32> =
            history.state().generators.iter().filter(|g| g.kept).map(|g| g.version).collect();
        assert_eq!(kept, [1, 4, 5]);
        assert_eq!(history.state().generators.len(), 5);
        assert!(!history.folder(3).exists() && history.folder(1).exists());
        history.roll_back().unwrap();
        assert!(matches!(history.roll_back(), Err(Error::NotKept { version: 3 })));
    }

    #[test]
    fn a_poisoned_generator_is_not_gone_back_to() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::open(folder.path(), 3, writes("base")).unwrap();
        history.upgrade(&decision(), writes("two")).unwrap();
        fs::write(history.folder(1).join("weights"), "poison").unwrap();
        assert!(matches!(history.roll_back(), Err(Error::Tampered { version: 1 })));
        assert_eq!(weights(&history), "two");
    }

    #[test]
    fn a_failing_save_leaves_the_old_generator() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::open(folder.path(), 3, writes("base")).unwrap();
        let before = history.state().clone();
        let result = history.upgrade(&decision(), |folder| {
            fs::write(folder.join("weights"), "half").expect("a temporary folder");
            Err(Error::NoRows { missing: "new" })
        });
        assert!(result.is_err());
        drop(history);
        let history = History::open(folder.path(), 3, writes("never")).unwrap();
        assert_eq!(*history.state(), before);
        assert_eq!(weights(&history), "base");
        assert!(!folder.path().join("generators/incoming").exists());
    }

    #[test]
    fn an_uncommitted_generator_vanishes_and_a_stale_link_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        drop(History::open(folder.path(), 3, writes("base")).unwrap());
        // Killed after step two, before the commit; and with a link that points nowhere.
        fs::create_dir(folder.path().join("generators/generator_v2")).unwrap();
        fs::remove_file(folder.path().join("generators/current")).unwrap();
        let history = History::open(folder.path(), 3, writes("never")).unwrap();
        assert!(!history.folder(2).exists());
        assert_eq!(weights(&history), "base");
    }

    #[test]
    fn two_processes_cannot_hold_one_history() {
        let folder = tempfile::tempdir().unwrap();
        let _first = History::open(folder.path(), 3, writes("base")).unwrap();
        assert!(matches!(History::open(folder.path(), 3, writes("base")), Err(Error::Busy { .. })));
    }

    #[test]
    fn rollback_takes_less_than_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::open(folder.path(), 3, writes(&"w".repeat(8 << 20))).unwrap();
        history.upgrade(&decision(), writes("two")).unwrap();
        let start = Instant::now();
        history.roll_back().unwrap();
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}
