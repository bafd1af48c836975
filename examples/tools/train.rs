//! Trains a model on a corpus, and goes on where it stopped.
//!
//! ```text
//! cargo run --release --features torch --example train -- --data target/corpus --preset demo --out target/model
//! cargo run --release --features torch --example train -- --data target/corpus --checkpoint target/model --steps 500 --out target/more
//! ```
//! `tensorboard --logdir target/model` shows the curves, while it trains too.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, bail};
use clap::{Parser, ValueEnum};
use data_pipeline::format::{Pointing, Sections};
use data_pipeline::{Complexity, Curriculum, Sequence, Tokenizer};
use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use nanologic_model::torch::{
    Compute, Control, EarlyStop, GradientNoise, Loss, Method, Phase, Recompute, Regularization, Schedule,
    Section, StopReason, Trainer, Training, latest, train,
};
use nanologic_model::{Checkpoint, Config, Dataset, Memory, PRESETS, Provenance, Weights};

/// Writes a checkpoint folder, log.jsonl (one line a step), a TensorBoard file, the three best models and summary.json.
#[derive(Parser)]
struct Arguments {
    /// Folder with train.jsonl, val.jsonl and tokenizer.json, as `corpus` writes it.
    #[arg(long)]
    data: PathBuf,
    /// Start from fresh weights of this shape: tiny, demo, notes, age-0 … age-15.
    #[arg(long, required_unless_present = "checkpoint", conflicts_with = "checkpoint")]
    preset: Option<String>,
    /// Go on from this checkpoint folder, with its optimizer state.
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// The folder to write.
    #[arg(long)]
    out: PathBuf,
    /// Go on with the run that stopped in --out; start it if there is none.
    #[arg(long)]
    resume: bool,
    /// Optimizer steps in all.
    #[arg(long, default_value_t = Training::default().steps)]
    steps: u64,
    /// Train for so many floating-point operations, in place of --steps: models of two sizes get the same.
    #[arg(long, conflicts_with = "steps")]
    flops: Option<f64>,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Tokens a step, padding included.
    #[arg(long, default_value_t = Training::default().batch_tokens)]
    batch_tokens: usize,
    /// Muon's rate; AdamW's follows at a tenth of it.
    #[arg(long, default_value_t = Training::default().learning_rate)]
    learning_rate: f64,
    /// Compute in fp32 throughout, even where the processor multiplies bf16 natively.
    #[arg(long)]
    fp32: bool,
    /// Threads; another number gives other roundings.
    #[arg(long, default_value_t = Training::default().threads)]
    threads: usize,
    /// Steps between two checkpoints, and between two validations.
    #[arg(long, default_value_t = Training::default().checkpoint_every)]
    checkpoint_every: u64,
    /// How the answer is written: by pointing at words, or in the sections of the notes.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// In the sections: write the thought in so many epochs first, then learn to do without (distillation).
    #[arg(long, default_value_t = 0)]
    thought_epochs: u64,
    /// Easy formulas first: from which epoch on each degree takes part, as 0:0,5:1,15:2.
    #[arg(long, num_args = 0..=1, default_missing_value = "0:0,5:1,15:2", value_parser = curriculum)]
    curriculum: Option<Curriculum>,
    /// Three steps, a validation and a checkpoint, in a folder that is removed again: does it all work?
    #[arg(long)]
    fast_dev_run: bool,
    /// Look for numbers that are none in weights and moments after every step, and say the gradient's norm.
    #[arg(long)]
    debug: bool,
    #[command(flatten)]
    settings: Settings,
}

/// What rarely changes.
#[derive(clap::Args)]
#[command(next_help_heading = "How it learns")]
struct Settings {
    /// Muon with AdamW for embeddings, AdamW alone, or schedule-free AdamW.
    #[arg(long, value_enum, default_value_t)]
    method: Rule,
    /// How the rate falls: cosine, constant, or linearly over the last share of the steps, as 0.2.
    #[arg(long, default_value = "cosine", value_parser = schedule)]
    schedule: Schedule,
    /// Steps until the rate is full.
    #[arg(long, default_value_t = Training::default().warmup_steps)]
    warmup_steps: u64,
    /// By how much of its rate a hidden matrix shrinks each step.
    #[arg(long, default_value_t = Training::default().weight_decay)]
    weight_decay: f64,
    /// Largest norm of the gradient.
    #[arg(long, default_value_t = Training::default().clip)]
    clip: f64,
    /// Parts of a batch that are computed one after the other: the same step in less memory.
    #[arg(long, default_value_t = 1)]
    accumulate: usize,
    /// Hand over an average of the weights that forgets by this factor a step.
    #[arg(long, num_args = 0..=1, default_missing_value = "0.999")]
    ema: Option<f64>,
    /// Noise on the gradient, falling with the steps.
    #[arg(long)]
    gradient_noise: bool,
    /// Share of a target's probability that is spread over the vocabulary.
    #[arg(long, num_args = 0..=1, default_value_t = 0.0, default_missing_value = "0.1")]
    label_smoothing: f64,
    /// Sections with smoothed targets; all, if not given.
    #[arg(long, value_delimiter = ',', value_parser = section)]
    smoothed: Vec<Section>,
    /// Sections that are learnt, of thought, atoms, connectors and formula; all, if not given.
    #[arg(long, value_delimiter = ',', value_parser = section)]
    sections: Vec<Section>,
    /// Weight of the squared log of the softmax's denominator.
    #[arg(long, num_args = 0..=1, default_value_t = 0.0, default_missing_value = "1e-4")]
    z_loss: f64,
    /// Weight of a prompt's token beside an answer's, as an auxiliary task.
    #[arg(long, default_value_t = 0.0)]
    prompt_loss: f64,
    /// Share of the numbers that each sub-layer adds which is left out at random.
    #[arg(long, default_value_t = 0.0)]
    dropout: f64,
    /// How often the last block is left out at random; earlier ones less.
    #[arg(long, default_value_t = 0.0)]
    stochastic_depth: f64,
    /// Compute each block again on the way back, in place of keeping it: less memory, a third more time.
    #[arg(long, visible_alias = "grad-ckpt")]
    recompute: bool,
    /// Stop after so many validations without a gain.
    #[arg(long)]
    patience: Option<usize>,
    /// How many of the best models are kept beside the last.
    #[arg(long, default_value_t = Training::default().keep_best)]
    keep_best: usize,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Format {
    #[default]
    Pointing,
    Sections,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Rule {
    #[default]
    Muon,
    Adamw,
    ScheduleFree,
}

impl Arguments {
    fn training(&self) -> Training {
        let Settings { smoothed, sections, .. } = &self.settings;
        let or_all =
            |chosen: &Vec<Section>| if chosen.is_empty() { Section::ALL.into() } else { chosen.clone() };
        Training {
            steps: if self.fast_dev_run { 3 } else { self.steps },
            seed: self.seed,
            batch_tokens: self.batch_tokens,
            accumulation: self.settings.accumulate,
            method: match self.settings.method {
                Rule::Muon => Method::Muon,
                Rule::Adamw => Method::AdamW,
                Rule::ScheduleFree => Method::ScheduleFree,
            },
            learning_rate: self.learning_rate,
            schedule: self.settings.schedule,
            warmup_steps: self.settings.warmup_steps,
            weight_decay: self.settings.weight_decay,
            clip: self.settings.clip,
            ema: self.settings.ema,
            gradient_noise: self.settings.gradient_noise.then(GradientNoise::default),
            loss: Loss {
                label_smoothing: self.settings.label_smoothing,
                smoothed: or_all(smoothed),
                sections: or_all(sections),
                prompt: self.settings.prompt_loss,
                z: self.settings.z_loss,
            },
            regularization: Regularization {
                dropout: self.settings.dropout,
                stochastic_depth: self.settings.stochastic_depth,
            },
            recompute: if self.settings.recompute { Recompute::Blocks } else { Recompute::Nothing },
            early_stop: self.settings.patience.map(|patience| EarlyStop { patience, least_gain: 0.0 }),
            keep_best: self.settings.keep_best,
            compute: if self.fp32 { Compute::Fp32 } else { Compute::default() },
            threads: self.threads,
            checkpoint_every: self.checkpoint_every,
            debug: self.debug,
            ..Training::default()
        }
    }
}

/// `0:0,5:1,15:2`: epoch and degree, as in the notes.
fn curriculum(text: &str) -> Result<Curriculum, String> {
    let pair = |pair: &str| {
        let (epoch, degree) = pair.split_once(':').ok_or("not EPOCH:DEGREE")?;
        let number = |text: &str| text.trim().parse::<usize>().map_err(|error| format!("{text:?}: {error}"));
        Ok::<_, String>((number(degree)?, number(epoch)?))
    };
    let pairs = text.split(',').map(pair).collect::<Result<std::collections::BTreeMap<_, _>, _>>()?;
    match (pairs.len(), pairs.get(&0), pairs.get(&1), pairs.get(&2)) {
        (3, Some(0), Some(&intermediate_from), Some(&advanced_from))
            if intermediate_from <= advanced_from =>
        {
            Ok(Curriculum { intermediate_from, advanced_from })
        }
        _ => Err("not of the form 0:0,EPOCH:1,EPOCH:2, the epochs rising".to_owned()),
    }
}

fn schedule(text: &str) -> Result<Schedule, String> {
    match text {
        "cosine" => Ok(Schedule::Cosine),
        "constant" => Ok(Schedule::Constant),
        share => match share.parse() {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(Schedule::StableDecay(share)),
            _ => Err("neither cosine, constant nor a share of the steps".to_owned()),
        },
    }
}

fn section(text: &str) -> Result<Section, String> {
    match text {
        "thought" => Ok(Section::Thought),
        "atoms" => Ok(Section::Atoms),
        "connectors" => Ok(Section::Connectors),
        "formula" => Ok(Section::Formula),
        _ => Err("none of thought, atoms, connectors, formula".to_owned()),
    }
}

/// The sequences of a run, and which of them from which epoch on.
struct Course {
    parts: Vec<Dataset>,
    /// Epoch, part, and how many of its sequences from the first.
    phases: Vec<(u64, usize, usize)>,
}

impl Course {
    fn read(arguments: &Arguments, tokenizer: &Tokenizer, longest: usize) -> anyhow::Result<Course> {
        let read = |thought| sequences(arguments, tokenizer, longest, "train.jsonl", thought);
        if arguments.thought_epochs > 0 {
            let parts = vec![read(true)?, read(false)?];
            let phases = vec![
                (0, 0, parts[0].sequences.len()),
                (arguments.thought_epochs, 1, parts[1].sequences.len()),
            ];
            return Ok(Course { parts, phases });
        }
        let dataset = read(false)?;
        let all = dataset.sequences.len();
        let Some(curriculum) = arguments.curriculum else {
            return Ok(Course { parts: vec![dataset], phases: vec![(0, 0, all)] });
        };
        let dataset = dataset.easy_first();
        let begins = |degree: &Complexity| {
            (0..).find(|&epoch| curriculum.admits(epoch, *degree)).expect("every degree begins") as u64
        };
        let phases = Complexity::ALL.iter().map(|degree| {
            (begins(degree), 0, dataset.complexities.iter().filter(|found| *found <= degree).count())
        });
        let phases = phases.filter(|(_, _, count)| *count > 0).collect();
        Ok(Course { phases, parts: vec![dataset] })
    }

    fn phases(&self) -> Vec<Phase<'_>> {
        let phase = |&(from_epoch, part, count): &(u64, usize, usize)| {
            let part: &Dataset = &self.parts[part];
            Phase { from_epoch, sequences: &part.sequences[..count] }
        };
        self.phases.iter().map(phase).collect()
    }
}

fn sequences(
    arguments: &Arguments,
    tokenizer: &Tokenizer,
    longest: usize,
    name: &str,
    thought: bool,
) -> anyhow::Result<Dataset> {
    let path = arguments.data.join(name);
    let dataset = match (arguments.format, thought) {
        (Format::Pointing, _) => Dataset::read(&Pointing, &path, tokenizer, longest),
        (Format::Sections, true) => Dataset::read(&Sections::WithThought, &path, tokenizer, longest),
        (Format::Sections, false) => Dataset::read(&Sections::WithoutThought, &path, tokenizer, longest),
    };
    let dataset = dataset.with_context(|| format!("reading {}", path.display()))?;
    for (index, reason) in dataset.left_out.iter().take(3) {
        eprintln!("{name}: row {} left out: {reason}", index + 1);
    }
    Ok(dataset)
}

/// What is about to happen, on one screen.
fn summary(trainer: &Trainer, arguments: &Arguments, course: &Course, validation: &[Sequence]) {
    let (config, training) = (trainer.config(), trainer.training());
    let data = course.phases().last().map_or(&[][..], |phase| phase.sequences);
    let tokens: usize = data.iter().map(|sequence| sequence.ids.len()).sum();
    let parameters = config.parameters();
    let longest = data.iter().map(|sequence| sequence.ids.len()).max().unwrap_or(1);
    let memory = Memory::training(config, training.batch_tokens.div_ceil(longest), longest);
    let epochs = training.steps as f64 * training.batch_tokens as f64 / tokens.max(1) as f64;
    let averaged = training.ema.map_or_else(String::new, |decay| format!(", averaged by {decay}"));
    let lines = [
        (
            "model",
            format!(
                "{} parameters ({} outside the embedding): {} blocks of {}, {} heads on {}, vocabulary {}",
                HumanCount(parameters as u64),
                HumanCount(config.body_parameters() as u64),
                config.n_layers,
                config.d_model,
                config.n_heads,
                config.n_kv_heads,
                config.vocab_size
            ),
        ),
        (
            "memory",
            format!(
                "{} of weights, gradients and moments, {} of activations at most",
                HumanBytes((memory.total() - memory.activations) as u64),
                HumanBytes((memory.activations / training.accumulation.max(1)) as u64)
            ),
        ),
        (
            "data",
            format!(
                "{} sequences, {} tokens ({:.2} a parameter), {} of validation; left out {}",
                HumanCount(data.len() as u64),
                HumanCount(tokens as u64),
                tokens as f64 / parameters as f64,
                HumanCount(validation.len() as u64),
                course.parts.iter().map(|part| part.left_out.len()).sum::<usize>()
            ),
        ),
        (
            "steps",
            format!(
                "{} of {} tokens, about {epochs:.1} epochs, from step {}; phases begin with epochs {:?}",
                HumanCount(training.steps),
                HumanCount(training.batch_tokens as u64),
                trainer.progress().step,
                course.phases.iter().map(|(epoch, ..)| *epoch).collect::<Vec<u64>>()
            ),
        ),
        (
            "learning",
            format!(
                "{:?} at {}, {:?}, warm-up {}{averaged}; {:?} on {} threads, seed {}",
                training.method,
                training.learning_rate,
                training.schedule,
                training.warmup_steps,
                training.compute,
                training.threads,
                training.seed
            ),
        ),
        ("out", arguments.out.display().to_string()),
    ];
    for (name, what) in lines {
        eprintln!("{name:>9}  {what}");
    }
}

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    if arguments.thought_epochs > 0 && matches!(arguments.format, Format::Pointing) {
        bail!("--thought-epochs needs --format sections");
    }
    if arguments.thought_epochs > 0 && arguments.curriculum.is_some() {
        bail!("--thought-epochs and --curriculum do not go together");
    }
    if arguments.fast_dev_run {
        arguments.out = arguments.out.with_extension("fast-dev-run");
    }
    let stopped = latest(&arguments.out)?;
    if stopped.is_some() && !arguments.resume {
        bail!("{} holds a run: add --resume, or name another folder", arguments.out.display());
    }
    let resumes = stopped.is_some();
    let checkpoint = stopped.map_or_else(|| start(&arguments), Ok)?;
    let mut training = arguments.training();
    if let Some(flops) = arguments.flops {
        training.steps = training.steps_for(flops, &checkpoint.config);
    }
    let steps = training.steps;
    let mut trainer =
        if resumes { Trainer::resume(&checkpoint, training)? } else { Trainer::new(&checkpoint, training)? };
    let tokenizer = Tokenizer::load(arguments.data.join("tokenizer.json"))?;
    let longest = trainer.config().max_seq;
    let course = Course::read(&arguments, &tokenizer, longest)?;
    let validation = sequences(&arguments, &tokenizer, longest, "val.jsonl", false)?.sequences;
    summary(&trainer, &arguments, &course, &validation);

    let asked_to_stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&asked_to_stop);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))?;
    let bar =
        ProgressBar::new(steps).with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len}  {msg}")?);
    let first = trainer.progress().step;
    bar.set_position(first);
    let mut smooth = None;
    let trained = train(&mut trainer, &course.phases(), &validation, &arguments.out, |line| {
        let loss = smooth.map_or(line.loss, |smooth: f64| 0.95 * smooth + 0.05 * line.loss);
        smooth = Some(loss);
        let left = bar.elapsed().mul_f64((steps - line.step) as f64 / (line.step - first) as f64);
        let norm =
            if arguments.debug { format!("  gradient {:.3}", line.gradient_norm) } else { String::new() };
        bar.set_message(format!(
            "loss {loss:.3}  {} tokens/s  MFU {:.0} %{norm}  {} left",
            HumanCount(line.tokens_per_second as u64),
            line.mfu * 100.0,
            HumanDuration(left)
        ));
        bar.set_position(line.step);
        if asked_to_stop.load(Ordering::Relaxed) { Control::Stop } else { Control::Continue }
    });
    bar.finish();
    if arguments.fast_dev_run {
        fs::remove_dir_all(&arguments.out)?;
        let (_, summary) = trained?;
        println!("three steps, a validation and a checkpoint went well: loss {:.3}", summary.loss);
        return Ok(());
    }
    let (stop, summary) = trained?;
    match stop {
        StopReason::Finished => {}
        StopReason::Stalled { best_step } => {
            eprintln!("stopped at step {}: no lower validation loss since step {best_step}", summary.steps);
        }
        StopReason::Asked => {
            eprintln!("saved at step {}; the same command with --resume goes on", summary.steps);
            std::process::exit(130);
        }
    }
    fs::write(arguments.out.join("summary.json"), serde_json::to_string_pretty(&summary)? + "\n")?;
    println!(
        "{} tokens in {:.0} s ({:.0} a second), loss {:.3}, validation {:.3}: {}",
        HumanCount(summary.tokens),
        summary.seconds,
        summary.tokens_per_second,
        summary.loss,
        summary.validation_loss.unwrap_or(f64::NAN),
        arguments.out.display()
    );
    Ok(())
}

/// The checkpoint a new run begins with.
fn start(arguments: &Arguments) -> anyhow::Result<Checkpoint> {
    let tokenizer = arguments.data.join("tokenizer.json");
    let bytes = fs::read(&tokenizer).with_context(|| format!("reading {}", tokenizer.display()))?;
    let mut checkpoint = match (&arguments.checkpoint, &arguments.preset) {
        (Some(folder), _) => {
            let checkpoint =
                Checkpoint::load(folder).with_context(|| format!("reading {}", folder.display()))?;
            if checkpoint.tokenizer.as_ref().is_some_and(|own| *own != bytes) {
                bail!("{} was trained with another tokenizer", folder.display());
            }
            let parents = vec![hash(&folder.join("model.safetensors"))?];
            Checkpoint { provenance: Provenance { parents, ..checkpoint.provenance }, ..checkpoint }
        }
        (None, preset) => {
            let preset = preset.as_deref().unwrap_or_default();
            let names: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
            let config = Config::preset(preset)
                .with_context(|| format!("no preset {preset:?}; there are {}", names.join(", ")))?;
            let vocab_size = Tokenizer::load(&tokenizer)?.vocab_size();
            let config = Config { vocab_size, ..config };
            let weights = Weights::init(&config, arguments.seed);
            Checkpoint { config, weights, tokenizer: None, training: None, provenance: Provenance::default() }
        }
    };
    checkpoint.tokenizer = Some(bytes);
    for name in ["train.jsonl", "tokenizer.json"] {
        checkpoint.provenance.data.insert(name.to_owned(), hash(&arguments.data.join(name))?);
    }
    checkpoint.provenance.seeds.insert("training".to_owned(), arguments.seed);
    Ok(checkpoint)
}

fn hash(path: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}
