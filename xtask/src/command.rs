//! A command that is printed as a person would type it, then run from the workspace root.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Lets Ctrl-C end the running child, which saves its work, instead of killing xtask above it.
pub fn outlive_interrupts() -> Result<()> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::SeqCst)).context("Ctrl-C cannot be handled")
}

/// A program, its arguments, and where its standard output goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    words: Vec<String>,
    environment: Vec<(String, String)>,
    output: Option<PathBuf>,
}

impl Command {
    /// A command line without quotes: words are separated by spaces, `> FILE` at the end takes standard output.
    pub fn new(line: &str) -> Self {
        let (line, output) = match line.split_once(" > ") {
            Some((line, file)) => (line, Some(PathBuf::from(file))),
            None => (line, None),
        };
        let words = line.split_whitespace().map(str::to_owned).collect();
        Self { words, environment: Vec::new(), output }
    }

    /// One more argument, which may hold spaces.
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.words.push(argument.into());
        self
    }

    /// Sets an environment variable for this command alone.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The program and its arguments.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The file or folder that the command makes: where its output goes, what `--out` names, or the target of `cp`.
    pub fn makes(&self) -> Option<PathBuf> {
        let after_out = || self.words.iter().skip_while(|word| *word != "--out").nth(1);
        let copied = || self.words.last().filter(|_| self.words[0] == "cp");
        self.output.clone().or_else(|| after_out().or_else(copied).map(PathBuf::from))
    }

    /// Prints the command and runs it in `directory`; anything but success is an error.
    pub fn run(&self, directory: &Path) -> Result<()> {
        println!("\n$ {self}");
        let (program, arguments) = self.words.split_first().context("an empty command")?;
        let mut process = Process::new(program);
        process.args(arguments).current_dir(directory).envs(self.environment.iter().cloned());
        let partial = self.output.as_ref().map(|path| directory.join(path).with_extension("partial"));
        if let Some(partial) = &partial {
            let file =
                File::create(partial).with_context(|| format!("{} cannot be written", partial.display()))?;
            process.stdout(Stdio::from(file));
        }
        let status = process.status().with_context(|| format!("{program} cannot be started"))?;
        if INTERRUPTED.load(Ordering::SeqCst) {
            bail!("interrupted; the same command goes on from here");
        }
        if !status.success() {
            bail!("this command failed ({status}):\n  {self}");
        }
        if let (Some(partial), Some(path)) = (partial, &self.output) {
            std::fs::rename(partial, directory.join(path))?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(f, "{name}={} ", quoted(value))?;
        }
        let words: Vec<_> = self.words.iter().map(|word| quoted(word)).collect();
        f.write_str(&words.join(" "))?;
        if let Some(path) = &self.output {
            write!(f, " > {}", path.display())?;
        }
        Ok(())
    }
}

/// The word as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_command_can_be_typed() {
        let command = Command::new("cargo run -- > out/a.json").arg("Si llueve, me mojo").arg("it's");
        assert_eq!(command.to_string(), r"cargo run -- 'Si llueve, me mojo' 'it'\''s' > out/a.json");
    }

    #[test]
    fn a_failing_command_is_an_error_and_leaves_no_output() {
        let directory = std::env::temp_dir();
        let command = Command::new("false > xtask-never.json");
        assert!(command.run(&directory).is_err());
        assert!(!directory.join("xtask-never.json").exists());
    }
}
