//! What a run has done, line by line, over all its sittings.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::tensorboard::Events;
use crate::checkpoint::atomic;
use crate::error::Error;
use crate::torch::trainer::{Step, Trainer};

/// One line of `log.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// Steps taken.
    pub step: u64,
    /// Mean cross-entropy of the step's batch, in nats a scored token.
    pub loss: f64,
    /// Mean loss on the validation sequences, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
    /// The rate that the step took.
    pub learning_rate: f64,
    /// Euclidean norm of the gradient, before clipping.
    #[serde(default)]
    pub gradient_norm: f64,
    /// Tokens seen so far, without padding.
    pub tokens: u64,
    /// Seconds spent so far, over all sittings.
    pub seconds: f64,
    /// Tokens a second of this step, without padding.
    #[serde(default)]
    pub tokens_per_second: f64,
    /// Share of the machine's matrix products that the step came to (model FLOPs utilisation).
    #[serde(default)]
    pub mfu: f64,
}

/// `log.jsonl` and the same for TensorBoard, with the clock that runs on over sittings.
pub(super) struct Log {
    path: PathBuf,
    file: BufWriter<File>,
    events: Events,
    started: Instant,
    seconds_before: f64,
    /// Floating-point operations a second at most.
    roof: f64,
    lines: Vec<LogLine>,
}

impl Log {
    /// Opens the log of a run that stands at `step`; lines of later steps, lost with the process, are dropped.
    pub fn open(folder: &Path, step: u64, roof: f64) -> Result<Log, Error> {
        let path = folder.join("log.jsonl");
        let mut lines: Vec<(LogLine, String)> = Vec::new();
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
        let lines: Vec<LogLine> = lines.into_iter().map(|(line, _)| line).collect();
        let seconds_before = lines.last().map_or(0.0, |line| line.seconds);
        let events = Events::begin(folder, seconds_before, &lines)?;
        let (file, started) = (BufWriter::new(file), Instant::now());
        Ok(Log { file, events, started, seconds_before, roof, lines, path })
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }

    /// The line of a step that has just been taken.
    pub fn line(&self, step: &Step, trainer: &Trainer) -> LogLine {
        let tokens_per_second = step.tokens as f64 / step.seconds.max(1e-9);
        LogLine {
            step: step.step,
            loss: step.loss,
            validation_loss: None,
            learning_rate: step.learning_rate,
            gradient_norm: step.gradient_norm,
            tokens: trainer.progress().tokens,
            seconds: self.seconds(),
            tokens_per_second,
            mfu: step.flops / step.seconds.max(1e-9) / self.roof,
        }
    }

    pub fn write(&mut self, line: LogLine) -> Result<(), Error> {
        let json = serde_json::to_string(&line).map_err(Error::json(&self.path))?;
        writeln!(self.file, "{json}").map_err(Error::io(&self.path))?;
        self.events.write(&line)?;
        self.lines.push(line);
        Ok(())
    }

    pub fn flush(&mut self) -> Result<(), Error> {
        self.file.flush().map_err(Error::io(&self.path))?;
        self.events.flush()
    }

    /// Validation losses so far, with the steps they were measured after.
    pub fn validations(&self) -> impl Iterator<Item = (u64, f64)> + '_ {
        self.lines.iter().filter_map(|line| Some((line.step, line.validation_loss?)))
    }

    pub fn summary(&self, trainer: &Trainer) -> Summary {
        let progress = trainer.progress();
        let recent = &self.lines[self.lines.len().saturating_sub(100)..];
        // A run that was complete already spends no time in this sitting.
        let seconds = self.lines.last().map_or(self.seconds_before, |line| line.seconds);
        Summary {
            params: trainer.config().parameters(),
            steps: progress.step,
            seconds,
            tokens: progress.tokens,
            tokens_per_second: progress.tokens as f64 / seconds.max(1e-9),
            flops: progress.flops,
            loss: recent.iter().map(|line| line.loss).sum::<f64>() / recent.len().max(1) as f64,
            validation_loss: self.validations().last().map(|(_, loss)| loss),
        }
    }
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
