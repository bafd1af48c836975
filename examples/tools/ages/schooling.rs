//! One age: lessons, examinations, and when it is over.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use data_pipeline::format::Pointing;
use data_pipeline::{Batch, Row, Sequence, Tokenizer, pack, read_rows};
use indicatif::{ProgressBar, ProgressStyle};
use nanologic_model::eval::{Proportion, Report};
use nanologic_model::torch::{
    Control, Formalizer, LogLine, Phase, Sampling, Trainer, Training, latest, train,
};
use nanologic_model::{Checkpoint, Dataset};
use self_learning::Stage;
use serde::{Deserialize, Serialize};
use thau_growth::ages::Age;
use thau_growth::{Progress, Record, Trigger, due};

use crate::table::AgeReport;

/// What all ages learn from and are examined by.
pub struct Lessons {
    sequences: Vec<Sequence>,
    /// Mean length of a sequence, in tokens.
    mean_tokens: f64,
    validation: Vec<Batch>,
    questions: Vec<Row>,
    tokenizer: Tokenizer,
    pub tokenizer_json: Vec<u8>,
    /// BLAKE3 of the files, by name.
    pub hashes: BTreeMap<String, String>,
}

/// Validation sequences of a batch, and batches.
const ROWS: usize = 16;
const BATCHES: usize = 8;

impl Lessons {
    pub fn read(folder: &Path, longest: usize, questions: usize) -> anyhow::Result<Lessons> {
        let tokenizer = Tokenizer::load(folder.join("tokenizer.json"))?;
        let read = |name: &str| -> anyhow::Result<Vec<Sequence>> {
            let path = folder.join(name);
            let dataset = Dataset::read(&Pointing, &path, &tokenizer, longest);
            Ok(dataset.with_context(|| format!("reading {}", path.display()))?.sequences)
        };
        let (sequences, validation) = (read("train.jsonl")?, read("val.jsonl")?);
        let tokens: usize = sequences.iter().map(|sequence| sequence.ids.len()).sum();
        let length = validation.iter().map(|sequence| sequence.ids.len()).max().unwrap_or(1);
        let validation = pack(&validation, ROWS, length.next_multiple_of(16), 0)?.take(BATCHES).collect();
        let questions = read_rows(folder.join("val.jsonl"))?.take(questions).collect::<Result<_, _>>()?;
        let hash = |name: &str| -> anyhow::Result<(String, String)> {
            Ok((name.to_owned(), blake3::hash(&fs::read(folder.join(name))?).to_hex().to_string()))
        };
        Ok(Lessons {
            mean_tokens: tokens as f64 / sequences.len().max(1) as f64,
            sequences,
            validation,
            questions,
            tokenizer,
            tokenizer_json: fs::read(folder.join("tokenizer.json"))?,
            hashes: [hash("train.jsonl")?, hash("tokenizer.json")?].into(),
        })
    }

    pub fn vocabulary(&self) -> usize {
        self.tokenizer.vocab_size()
    }
}

/// How a model does at one step of its age.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Examination {
    pub step: u64,
    /// Tokens seen at this age, without padding.
    pub tokens: u64,
    /// Mean cross-entropy of the validation sequences, in nats a scored token.
    pub loss: f64,
    /// `e` to that power.
    pub perplexity: f64,
    /// Validation rows answered with an equivalent formula.
    pub right: Proportion,
}

/// What a stage asks for before its learner may grow.
pub fn criteria(stage: &Stage) -> Trigger {
    Trigger::Criteria { examples: stage.min_examples as u64, accuracy: stage.min_accuracy }
}

/// The teaching of one age.
pub struct School<'a> {
    pub lessons: &'a Lessons,
    pub training: Training,
    pub triggers: Vec<Trigger>,
    pub folder: &'a Path,
}

impl School<'_> {
    /// Teaches until a trigger says it is time, from the checkpoint that `born` gives or from where a killed run stood.
    /// The model is left in the folder. `None` when asked to stop.
    pub fn teach(
        &self,
        age: &Age,
        stage: &Stage,
        born: impl Fn() -> anyhow::Result<(Checkpoint, Option<Record>)>,
        asked_to_stop: &AtomicBool,
    ) -> anyhow::Result<Option<AgeReport>> {
        let (folder, training) = (self.folder, &self.training);
        let (mut trainer, growth) = match latest(folder)? {
            Some(stopped) => (Trainer::resume(&stopped, training.clone())?, recorded(&stopped)),
            None => {
                let (checkpoint, growth) = born()?;
                (Trainer::new(&checkpoint, training.clone())?, growth)
            }
        };
        fs::create_dir_all(folder)?;
        let mut examinations: Vec<Examination> = read_lines(&folder.join("examinations.jsonl"))?;
        examinations.retain(|examination| examination.step <= trainer.progress().step);
        let bar = ProgressBar::new(training.steps)
            .with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len}  {msg}")?);
        let ended = loop {
            let step = trainer.progress().step;
            // Elsewhere a run that was stopped would be examined where one that was not is not.
            if step.is_multiple_of(training.checkpoint_every) || step == training.steps {
                if examinations.last().is_none_or(|last| last.step < step) {
                    let examination = self.examine(&trainer)?;
                    bar.suspend(|| println!("{examination}"));
                    examinations.push(examination);
                    write_lines(&folder.join("examinations.jsonl"), &examinations)?;
                }
                let losses = losses(folder)?;
                if let Some(trigger) = due(&self.triggers, &self.progress(&trainer, &examinations, &losses)) {
                    break *trigger;
                }
            }
            let mut asked = false;
            train(&mut trainer, &Phase::only(&self.lessons.sequences), &[], folder, |line| {
                bar.set_position(line.step);
                bar.set_message(format!("loss {:.3}  {:.0} tokens/s", line.loss, line.tokens_per_second));
                asked = asked_to_stop.load(Ordering::Relaxed);
                let examined = line.step.is_multiple_of(training.checkpoint_every);
                if asked || examined { Control::Stop } else { Control::Continue }
            })?;
            if asked {
                return Ok(None);
            }
        };
        bar.finish_and_clear();
        trainer.model().save(folder)?;
        crate::remove(&folder.join("steps"))?;
        let log: Vec<LogLine> = read_lines(&folder.join("log.jsonl"))?;
        let recent = &log[log.len().saturating_sub(100)..];
        let progress = trainer.progress();
        let (Some(first), Some(last)) = (examinations.first(), examinations.last()) else {
            anyhow::bail!("an age begins and ends with an examination");
        };
        let criteria = criteria(stage);
        Ok(Some(AgeReport {
            years: age.years,
            name: age.name.to_owned(),
            parameters: trainer.config().parameters(),
            steps: progress.step,
            tokens: progress.tokens,
            examples: self.examples(&trainer),
            flops: progress.flops,
            seconds: log.last().map_or(0.0, |line| line.seconds),
            loss: recent.iter().map(|line| line.loss).sum::<f64>() / recent.len().max(1) as f64,
            first: first.clone(),
            worst_loss: examinations.iter().map(|e| e.loss).fold(f64::NEG_INFINITY, f64::max),
            last: last.clone(),
            criteria,
            ripe: due(&[criteria], &self.progress(&trainer, &examinations, &[])).is_some(),
            ended,
            growth,
        }))
    }

    fn progress<'a>(
        &self,
        trainer: &Trainer,
        examinations: &[Examination],
        losses: &'a [f64],
    ) -> Progress<'a> {
        let last = examinations.last().filter(|last| last.right.of > 0);
        Progress {
            steps: trainer.progress().step,
            tokens: trainer.progress().tokens,
            parameters: trainer.config().parameters() as u64,
            losses,
            examples: self.examples(trainer),
            accuracy: last.map(|last| last.right.share()),
        }
    }

    /// Sequences learnt at this age, by their mean length.
    fn examples(&self, trainer: &Trainer) -> u64 {
        (trainer.progress().tokens as f64 / self.lessons.mean_tokens).round() as u64
    }

    fn examine(&self, trainer: &Trainer) -> anyhow::Result<Examination> {
        let Lessons { validation, questions, tokenizer, .. } = self.lessons;
        let losses = validation.iter().map(|batch| trainer.loss(batch)).collect::<Result<Vec<f64>, _>>()?;
        let loss = losses.iter().sum::<f64>() / losses.len().max(1) as f64;
        let mut right = Proportion::default();
        if !questions.is_empty() {
            let mut formalizer = Formalizer::new(&trainer.model(), tokenizer.clone(), self.training.threads)?;
            let inputs: Vec<&str> = questions.iter().map(|row| row.input.as_str()).collect();
            let readings = formalizer.read(&inputs, &Sampling::greedy())?;
            let answers = readings.iter().map(|reading| reading.as_ref().ok().map(|r| &r.answer));
            right = Report::new(questions.iter().zip(answers)).all.equivalent;
        }
        let (step, tokens) = (trainer.progress().step, trainer.progress().tokens);
        Ok(Examination { step, tokens, loss, perplexity: loss.exp(), right })
    }
}

impl std::fmt::Display for Examination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Examination { step, loss, perplexity, right, .. } = self;
        write!(f, "  step {step:>6}  validation {loss:.4}, perplexity {perplexity:.3}")?;
        if right.of > 0 {
            write!(f, ", {} of {} right", right.right, right.of)?;
        }
        Ok(())
    }
}

/// The growth that a run under way began with.
fn recorded(checkpoint: &Checkpoint) -> Option<Record> {
    let ledger = checkpoint.provenance.more.get("growth")?.as_array()?;
    serde_json::from_value(ledger.last()?.clone()).ok()
}

fn losses(folder: &Path) -> anyhow::Result<Vec<f64>> {
    let log: Vec<LogLine> = read_lines(&folder.join("log.jsonl"))?;
    Ok(log.into_iter().map(|line| line.loss).collect())
}

/// Whole lines of a file; none where there is no file.
fn read_lines<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path)?;
    // A line cut short by a kill is one of a lost step.
    Ok(text.lines().map_while(|line| serde_json::from_str(line).ok()).collect())
}

fn write_lines<T: Serialize>(path: &Path, lines: &[T]) -> anyhow::Result<()> {
    let lines = lines.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    let temporary = path.with_extension("partial");
    fs::write(&temporary, lines.join("\n") + "\n")?;
    Ok(fs::rename(temporary, path)?)
}
