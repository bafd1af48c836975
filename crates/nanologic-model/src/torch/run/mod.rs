//! A training run in a folder: it can be stopped or killed at any moment, and goes on to the same bits.
//!
//! ```text
//! OUT/log.jsonl                     one line a step
//! OUT/events.out.tfevents.training  the same for TensorBoard
//! OUT/best/00000500/                the models that did best on the validation sequences
//! OUT/steps/00000500/               the last checkpoint of a run under way
//! OUT/                              the model, once the run is finished
//! ```

mod best;
mod log;
mod tensorboard;

use std::fs;
use std::path::{Path, PathBuf};

use data_pipeline::{Batch, Sequence};

use self::log::Log;
pub use self::log::{LogLine, Summary};
use super::roof::matmul_roof;
use super::stream::{Phase, Stream};
use super::trainer::Trainer;
use super::training::EarlyStop;
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
    /// The validation loss no longer falls, as [`Training::early_stop`](super::Training::early_stop) has it.
    Stalled {
        /// The step of the lowest validation loss.
        best_step: u64,
    },
    /// The caller said so; the run can be resumed.
    Asked,
}

/// Batches of validation sequences that a checkpoint is measured on.
const VALIDATION_BATCHES: usize = 8;

/// The last checkpoint that a run has left in `folder`, finished or not.
///
/// # Errors
/// As [`Checkpoint::load`].
pub fn latest(folder: &Path) -> Result<Option<Checkpoint>, Error> {
    if let Some((_, step)) = numbered(&folder.join("steps"))?.pop() {
        return Checkpoint::load(&step).map(Some);
    }
    folder.join("training_state.safetensors").exists().then(|| Checkpoint::load(folder)).transpose()
}

/// Trains until the steps are taken, the validation loss stalls or `on_step` asks to stop, and leaves the model in
/// `folder`. Most runs have one phase ([`Phase::only`]); a curriculum or a distillation has more.
///
/// `on_step` hears of every step, before its validation; the library itself prints nothing. `validation` may be empty.
///
/// # Errors
/// [`Error::NoExamples`] for a phase without sequences; [`Error::Io`]; as [`Trainer::step`], with the last checkpoint still in place.
pub fn train(
    trainer: &mut Trainer,
    course: &[Phase<'_>],
    validation: &[Sequence],
    folder: &Path,
    mut on_step: impl FnMut(&LogLine) -> Control,
) -> Result<(StopReason, Summary), Error> {
    fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let training = trainer.training().clone();
    let begun = trainer.progress().step;
    best::forget_after(&folder.join("best"), begun)?;
    let mut log = Log::open(folder, begun, matmul_roof(training.compute, training.threads))?;
    let max_seq = trainer.config().max_seq;
    let validation = Phase::only(validation);
    let validation = match Stream::new(&validation, &training, max_seq) {
        Ok(stream) => stream.into_epoch().take(VALIDATION_BATCHES).collect(),
        Err(Error::NoExamples) => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut stream = Stream::new(course, &training, max_seq)?.after(begun);
    let (rows, seq) = stream.shape();
    trainer.check_memory(rows, seq)?;
    let stop = loop {
        if let Some(best_step) = training.early_stop.and_then(|rule| stalled(rule, &log)) {
            break StopReason::Stalled { best_step };
        }
        if trainer.progress().step >= training.steps {
            break StopReason::Finished;
        }
        let batch = stream.next().expect("the stream never ends");
        let step = trainer.step(&batch)?;
        let mut line = log.line(&step, trainer);
        let asked = on_step(&line) == Control::Stop;
        let due = step.step == training.steps || step.step.is_multiple_of(training.checkpoint_every.max(1));
        // What is measured out of turn would let a stopped run choose other checkpoints than one never stopped.
        line.validation_loss = if due { validation_loss(trainer, &validation)? } else { None };
        let measured = line.validation_loss.is_some();
        log.write(line)?;
        if due || asked {
            log.flush()?;
        }
        if measured {
            let losses: Vec<(u64, f64)> = log.validations().collect();
            best::keep(&folder.join("best"), &losses, training.keep_best, trainer)?;
        }
        if due || asked {
            save_step(trainer, folder)?;
        }
        if asked && step.step < training.steps {
            break StopReason::Asked;
        }
    };
    if stop != StopReason::Asked {
        trainer.model().save(folder)?;
        atomic::remove(&folder.join("steps"))?;
    }
    Ok((stop, log.summary(trainer)))
}

/// The step of the lowest validation loss, if the rule has waited long enough for a lower one.
fn stalled(rule: EarlyStop, log: &Log) -> Option<u64> {
    let (mut best, mut waited) = ((0, f64::INFINITY), 0);
    for (step, loss) in log.validations() {
        if loss < best.1 - rule.least_gain {
            (best, waited) = ((step, loss), 0);
        } else {
            waited += 1;
        }
    }
    (waited >= rule.patience.max(1)).then_some(best.0)
}

fn validation_loss(trainer: &Trainer, batches: &[Batch]) -> Result<Option<f64>, Error> {
    let losses = batches.iter().map(|batch| trainer.loss(batch)).collect::<Result<Vec<f64>, Error>>()?;
    Ok((!losses.is_empty()).then(|| losses.iter().sum::<f64>() / losses.len() as f64))
}

/// Saves the run as it stands, then forgets older steps.
fn save_step(trainer: &Trainer, folder: &Path) -> Result<(), Error> {
    let steps = folder.join("steps");
    let older = numbered(&steps)?;
    fs::create_dir_all(&steps).map_err(Error::io(&steps))?;
    let name = steps.join(step_name(trainer.progress().step));
    trainer.checkpoint().save_whole(&name)?;
    older
        .into_iter()
        .map(|(_, path)| path)
        .filter(|path| *path != name)
        .try_for_each(|path| atomic::remove(&path))
}

fn step_name(step: u64) -> String {
    format!("{step:08}")
}

/// Finished checkpoints of steps in a folder, oldest first. Unfinished ones have a name that starts with a dot.
fn numbered(folder: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let entry = entry.map_err(Error::io(folder))?;
        if let Ok(step) = entry.file_name().to_string_lossy().parse() {
            found.push((step, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}
