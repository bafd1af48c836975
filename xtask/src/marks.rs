//! Which commands of a run are done, so that it goes on where it stopped.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::command::Command;

/// Commands that go on by themselves with what they left when they were stopped.
const RESUME: [&str; 2] = ["train", "self_improve"];

/// The marks of a run, kept in a file: commands done, in order, and the one begun.
///
/// A command counts as done only as long as all before it are the same as when it ran.
pub struct Marks {
    file: PathBuf,
    done: Vec<String>,
    begun: Option<String>,
    /// How many of this sitting's commands are behind.
    passed: usize,
}

impl Marks {
    /// Reads the marks that an earlier sitting left, if any.
    pub fn open(file: PathBuf) -> Self {
        let marks: Value =
            fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let done = marks["done"].as_array().into_iter().flatten();
        let done = done.filter_map(|command| Some(command.as_str()?.to_owned())).collect();
        Self { file, done, begun: marks["begun"].as_str().map(str::to_owned), passed: 0 }
    }

    /// Runs the command unless it is done. What an earlier sitting made with other commands is removed first.
    pub fn run(&mut self, command: &Command, root: &Path) -> Result<()> {
        let line = command.to_string();
        if self.done.get(self.passed) != Some(&line) {
            self.done.truncate(self.passed);
            let interrupted = self.begun.as_ref() == Some(&line);
            if !(interrupted && command.words().iter().any(|word| RESUME.contains(&word.as_str()))) {
                remove(command.makes().map(|made| root.join(made)))?;
            }
            self.begun = Some(line.clone());
            self.write()?;
            command.run(root)?;
            self.done.push(line);
            self.begun = None;
            self.write()?;
        } else {
            println!("\n(done before) {line}");
        }
        self.passed += 1;
        Ok(())
    }

    fn write(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(&json!({"done": self.done, "begun": self.begun}))?;
        let partial = self.file.with_extension("partial");
        fs::write(&partial, text).with_context(|| format!("{} cannot be written", partial.display()))?;
        fs::rename(&partial, &self.file).with_context(|| format!("{} cannot be written", self.file.display()))
    }
}

fn remove(made: Option<PathBuf>) -> Result<()> {
    let Some(made) = made else { return Ok(()) };
    let removed = if made.is_dir() { fs::remove_dir_all(&made) } else { fs::remove_file(&made) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", made.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-marks-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a temporary folder can be made");
        folder
    }

    fn sitting(folder: &Path, lines: &[&str]) -> Result<()> {
        let mut marks = Marks::open(folder.join("marks.json"));
        lines.iter().try_for_each(|line| marks.run(&Command::new(line), folder))
    }

    #[test]
    fn what_is_done_is_not_run_again() {
        let folder = folder("done");
        sitting(&folder, &["mkdir --out a"]).expect_err("mkdir knows no --out");
        sitting(&folder, &["mkdir a", "mkdir b"]).expect("two folders");
        sitting(&folder, &["mkdir a", "mkdir b", "mkdir c"]).expect("mkdir a would fail the second time");
        assert!(folder.join("c").is_dir());
    }

    #[test]
    fn a_changed_command_runs_again_with_all_that_follow() {
        let folder = folder("changed");
        sitting(&folder, &["echo one > a", "cat a > b"]).expect("two files");
        sitting(&folder, &["echo two > a", "cat a > b"]).expect("two other files");
        assert_eq!(fs::read_to_string(folder.join("b")).expect("a file"), "two\n");
    }

    #[test]
    fn what_another_command_left_is_removed_first() {
        let folder = folder("left");
        fs::create_dir(folder.join("a")).expect("a folder");
        sitting(&folder, &["echo train > a"]).expect("the folder is gone, the file made");
        assert!(folder.join("a").is_file());
    }
}
