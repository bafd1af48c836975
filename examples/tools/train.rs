//! Trains a model on a corpus, and goes on where it stopped.
//!
//! ```text
//! cargo run --release --features torch --example train -- --data target/corpus --preset demo --out target/model
//! cargo run --release --features torch --example train -- --data target/corpus --checkpoint target/model --steps 500 --out target/more
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, bail};
use clap::Parser;
use data_pipeline::Tokenizer;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use nanologic_model::torch::{Compute, Control, StopReason, Trainer, Training, latest, train};
use nanologic_model::{Checkpoint, Config, Dataset, PRESETS, Provenance, Weights};

/// Writes a checkpoint folder, log.jsonl (one line a step) and summary.json.
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
    /// Steps between two checkpoints.
    #[arg(long, default_value_t = Training::default().checkpoint_every)]
    checkpoint_every: u64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let stopped = latest(&arguments.out)?;
    if stopped.is_some() && !arguments.resume {
        bail!("{} holds a run: add --resume, or name another folder", arguments.out.display());
    }
    let resumes = stopped.is_some();
    let checkpoint = stopped.map_or_else(|| start(&arguments), Ok)?;
    let mut training = Training {
        steps: arguments.steps,
        seed: arguments.seed,
        batch_tokens: arguments.batch_tokens,
        learning_rate: arguments.learning_rate,
        compute: if arguments.fp32 { Compute::Fp32 } else { Compute::default() },
        threads: arguments.threads,
        checkpoint_every: arguments.checkpoint_every,
        ..Training::default()
    };
    if let Some(flops) = arguments.flops {
        training.steps = training.steps_for(flops, &checkpoint.config);
    }
    let steps = training.steps;
    let mut trainer =
        if resumes { Trainer::resume(&checkpoint, training)? } else { Trainer::new(&checkpoint, training)? };
    let tokenizer = Tokenizer::load(arguments.data.join("tokenizer.json"))?;
    let read = |name: &str| {
        let path = arguments.data.join(name);
        let dataset = Dataset::read(&path, &tokenizer, trainer.config().max_seq)
            .with_context(|| format!("reading {}", path.display()))?;
        for (index, reason) in dataset.left_out.iter().take(3) {
            eprintln!("{name}: row {} left out: {reason}", index + 1);
        }
        eprintln!(
            "{name}: {} sequences, {} rows left out",
            HumanCount(dataset.sequences.len() as u64),
            dataset.left_out.len()
        );
        anyhow::Ok(dataset.sequences)
    };
    let (sequences, validation) = (read("train.jsonl")?, read("val.jsonl")?);
    eprintln!(
        "{} parameters, {} of them outside the embedding",
        HumanCount(trainer.config().parameters() as u64),
        HumanCount(trainer.config().body_parameters() as u64)
    );

    let asked_to_stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&asked_to_stop);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))?;
    let style = "training {wide_bar} {pos}/{len}  {msg}  {elapsed} so far, {eta} left";
    let bar = ProgressBar::new(steps).with_style(ProgressStyle::with_template(style)?);
    bar.set_position(trainer.progress().step);
    bar.reset_eta();
    let (mut smooth, mut tokens) = (None, 0);
    let (stop, summary) = train(&mut trainer, &sequences, &validation, &arguments.out, |step| {
        let loss = smooth.map_or(step.loss, |smooth: f64| 0.95 * smooth + 0.05 * step.loss);
        smooth = Some(loss);
        tokens += step.tokens;
        let rate = tokens as f64 / bar.elapsed().as_secs_f64();
        bar.set_message(format!("loss {loss:.3}  {} tokens/s", HumanCount(rate as u64)));
        bar.set_position(step.step);
        if asked_to_stop.load(Ordering::Relaxed) { Control::Stop } else { Control::Continue }
    })?;
    bar.finish();
    if stop == StopReason::Asked {
        eprintln!("saved at step {}; the same command with --resume goes on", summary.steps);
        std::process::exit(130);
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
