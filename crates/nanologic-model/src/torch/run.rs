//! A training run in a folder: it can be stopped or killed at any moment, and goes on to the same bits.
//!
//! ```text
//! OUT/log.jsonl        one line a step
//! OUT/steps/000500/    the last checkpoint of a run under way
//! OUT/                 the checkpoint, once the run is finished
//! ```

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use data_pipeline::{Batch, Sequence};
use serde::{Deserialize, Serialize};

use super::stream::Stream;
use super::trainer::{Step, Trainer};
use crate::checkpoint::{Checkpoint, atomic};
use crate::error::Error;

/// What the caller wants after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Save and stop.
    Stop,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// All steps are taken.
    Finished,
    /// The caller said so; the run can be resumed.
    Asked,
}

/// One line of `log.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// Steps taken.
    pub step: u64,
    /// Mean loss of the step's batch, in nats a scored token.
    pub loss: f64,
    /// Mean loss on the validation sequences, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
    /// The rate that the step took.
    pub learning_rate: f64,
    /// Tokens seen so far, without padding.
    pub tokens: u64,
    /// Seconds spent so far, over all sittings.
    pub seconds: f64,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Parameters of the model.
    pub params: usize,
    /// Steps taken.
    pub steps: u64,
    /// Seconds spent, over all sittings.
    pub seconds: f64,
    /// Tokens seen, without padding.
    pub tokens: u64,
    /// Tokens a second, without padding.
    pub tokens_per_second: f64,
    /// Floating-point operations spent.
    pub flops: f64,
    /// Mean loss of the last hundred steps, in nats a scored token.
    pub loss: f64,
    /// Last loss on the validation sequences.
    pub validation_loss: Option<f64>,
}

/// Batches of validation sequences that a checkpoint is measured on.
const VALIDATION_BATCHES: usize = 8;

/// The last checkpoint that a run has left in `folder`, finished or not.
///
/// # Errors
/// As [`Checkpoint::load`].
pub fn latest(folder: &Path) -> Result<Option<Checkpoint>, Error> {
    if let Some(step) = step_folders(folder)?.pop() {
        return Checkpoint::load(&step).map(Some);
    }
    folder.join("training_state.safetensors").exists().then(|| Checkpoint::load(folder)).transpose()
}

/// Trains until the steps are taken or `on_step` asks to stop, and leaves the model in `folder`.
///
/// `on_step` hears of every step; the library itself prints nothing. `validation` may be empty.
///
/// # Errors
/// [`Error::NoExamples`] without sequences; [`Error::Io`]; as [`Trainer::step`], with the last checkpoint still in place.
pub fn train(
    trainer: &mut Trainer,
    sequences: &[Sequence],
    validation: &[Sequence],
    folder: &Path,
    mut on_step: impl FnMut(&Step) -> Control,
) -> Result<(StopReason, Summary), Error> {
    fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let mut log = Log::open(folder, trainer.progress().step)?;
    let max_seq = trainer.config().max_seq;
    let validation = match Stream::new(validation, trainer.training(), max_seq) {
        Ok(stream) => stream.into_epoch().take(VALIDATION_BATCHES).collect(),
        Err(Error::NoExamples) => Vec::new(),
        Err(error) => return Err(error),
    };
    let total = trainer.training().steps;
    let mut stop = StopReason::Finished;
    let mut stream = Stream::new(sequences, trainer.training(), max_seq)?.after(trainer.progress().step);
    while trainer.progress().step < total && stop == StopReason::Finished {
        let batch = stream.next().expect("the stream never ends");
        let step = trainer.step(&batch)?;
        if on_step(&step) == Control::Stop {
            stop = StopReason::Asked;
        }
        let last = step.step == total || stop == StopReason::Asked;
        let save = last || step.step.is_multiple_of(trainer.training().checkpoint_every.max(1));
        let measured = if save { validation_loss(trainer, &validation)? } else { None };
        log.write(&step, trainer.progress().tokens, measured)?;
        if save {
            log.flush()?;
            save_step(trainer, folder)?;
        }
    }
    if stop == StopReason::Finished {
        trainer.checkpoint().save(folder)?;
        atomic::remove(&folder.join("steps"))?;
    }
    Ok((stop, log.summary(trainer)))
}

fn validation_loss(trainer: &Trainer, batches: &[Batch]) -> Result<Option<f64>, Error> {
    let losses = batches.iter().map(|batch| trainer.loss(batch)).collect::<Result<Vec<f64>, Error>>()?;
    Ok((!losses.is_empty()).then(|| losses.iter().sum::<f64>() / losses.len() as f64))
}

/// Saves the run as it stands, then forgets older steps.
fn save_step(trainer: &Trainer, folder: &Path) -> Result<(), Error> {
    let older = step_folders(folder)?;
    let steps = folder.join("steps");
    fs::create_dir_all(&steps).map_err(Error::io(&steps))?;
    let name = steps.join(format!("{:08}", trainer.progress().step));
    trainer.checkpoint().save_whole(&name)?;
    older.iter().filter(|path| **path != name).try_for_each(|path| atomic::remove(path))
}

/// Finished step folders, oldest first. Unfinished ones have a name that starts with a dot.
fn step_folders(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let steps = folder.join("steps");
    if !steps.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&steps).map_err(Error::io(&steps))? {
        let entry = entry.map_err(Error::io(&steps))?;
        if entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// `log.jsonl`, with the clock that runs on over sittings.
struct Log {
    path: PathBuf,
    file: BufWriter<File>,
    started: Instant,
    seconds_before: f64,
    recent: Vec<f64>,
    validation_loss: Option<f64>,
}

impl Log {
    /// Opens the log of a run that stands at `step`; lines of later steps, lost with the process, are dropped.
    fn open(folder: &Path, step: u64) -> Result<Log, Error> {
        let path = folder.join("log.jsonl");
        let mut lines = Vec::new();
        if step > 0 && path.exists() {
            let file = BufReader::new(File::open(&path).map_err(Error::io(&path))?);
            for line in file.lines() {
                let line = line.map_err(Error::io(&path))?;
                // A line cut short by a kill is one of a lost step.
                match serde_json::from_str::<LogLine>(&line) {
                    Ok(parsed) if parsed.step <= step => lines.push((parsed, line)),
                    _ => break,
                }
            }
        }
        let text: String = lines.iter().flat_map(|(_, line)| [line, "\n"]).collect();
        atomic::write(&path, text.as_bytes())?;
        let file = File::options().append(true).open(&path).map_err(Error::io(&path))?;
        Ok(Log {
            file: BufWriter::new(file),
            started: Instant::now(),
            seconds_before: lines.last().map_or(0.0, |(line, _)| line.seconds),
            recent: lines.iter().map(|(line, _)| line.loss).collect(),
            validation_loss: lines.iter().rev().find_map(|(line, _)| line.validation_loss),
            path,
        })
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }

    fn write(&mut self, step: &Step, tokens: u64, validation_loss: Option<f64>) -> Result<(), Error> {
        let line = LogLine {
            step: step.step,
            loss: step.loss,
            validation_loss,
            learning_rate: step.learning_rate,
            tokens,
            seconds: self.seconds(),
        };
        self.recent.push(step.loss);
        self.validation_loss = validation_loss.or(self.validation_loss);
        let json = serde_json::to_string(&line).map_err(Error::json(&self.path))?;
        writeln!(self.file, "{json}").map_err(Error::io(&self.path))
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.file.flush().map_err(Error::io(&self.path))
    }

    fn summary(&self, trainer: &Trainer) -> Summary {
        let progress = trainer.progress();
        let recent = &self.recent[self.recent.len().saturating_sub(100)..];
        // A run that was complete already spent no time in this sitting.
        let seconds = if self.recent.is_empty() { self.seconds_before } else { self.seconds() };
        Summary {
            params: trainer.config().parameters(),
            steps: progress.step,
            seconds,
            tokens: progress.tokens,
            tokens_per_second: progress.tokens as f64 / seconds.max(1e-9),
            flops: progress.flops,
            loss: recent.iter().sum::<f64>() / recent.len().max(1) as f64,
            validation_loss: self.validation_loss,
        }
    }
}
