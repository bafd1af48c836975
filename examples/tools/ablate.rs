//! Which options of the model and of its training earn their place? Each is switched on by itself, at equal compute.
//!
//! ```text
//! cargo run --release --features torch --example ablate -- --data target/corpus --flops 3e14 --seeds 3 --out target/ablation
//! ```
//! OUT gets a run in a folder for each variant and seed, `table.json` and `table.txt`. The same command goes on where it
//! stopped; variants that are done are not done again.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Parser;
use data_pipeline::format::Pointing;
use data_pipeline::{Row, Sequence, Tokenizer, read_rows};
use nanologic_model::eval::Report;
use nanologic_model::torch::{
    Control, Formalizer, GradientNoise, Loss, Method, Phase, Regularization, Sampling, Schedule, Trainer,
    Training, latest, train,
};
use nanologic_model::{Checkpoint, Config, Dataset, Options, Provenance, Weights};
use serde::{Deserialize, Serialize};

/// Trains every variant from fresh weights and prints how right each is, beside the first.
#[derive(Parser)]
struct Arguments {
    /// Folder with train.jsonl, val.jsonl and tokenizer.json, as `corpus` writes it.
    #[arg(long)]
    data: PathBuf,
    /// Shape of the model, before a variant changes it.
    #[arg(long, default_value = "demo")]
    preset: String,
    /// Floating-point operations of each run.
    #[arg(long)]
    flops: f64,
    /// Seeds of each variant.
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Only these variants.
    #[arg(long, value_delimiter = ',')]
    variants: Vec<String>,
    /// Validation rows that are answered.
    #[arg(long, default_value_t = 1000)]
    rows: usize,
    /// Tokens a step.
    #[arg(long, default_value_t = Training::default().batch_tokens)]
    batch_tokens: usize,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Where the runs lie.
    #[arg(long)]
    out: PathBuf,
}

type Change = fn(&mut Config, &mut Training);

/// Name of each variant and what it changes. The first is what the others are compared with.
const VARIANTS: [(&str, Change); 20] = [
    ("default", |_, _| {}),
    ("adamw", |_, training| training.method = Method::AdamW),
    ("schedule-free", |_, training| training.method = Method::ScheduleFree),
    ("stable-decay", |_, training| training.schedule = Schedule::StableDecay(0.2)),
    ("ema", |_, training| training.ema = Some(0.999)),
    ("label-smoothing", |_, training| training.loss = Loss { label_smoothing: 0.1, ..Loss::default() }),
    ("z-loss", |_, training| training.loss = Loss { z: 1e-4, ..Loss::default() }),
    ("prompt-loss", |_, training| training.loss = Loss { prompt: 0.1, ..Loss::default() }),
    ("gradient-noise", |_, training| {
        training.gradient_noise = Some(GradientNoise { eta: 1e-6, gamma: 0.55 })
    }),
    ("weight-decay-0.1", |_, training| training.weight_decay = 0.1),
    ("dropout", |_, training| {
        training.regularization = Regularization { dropout: 0.1, ..Default::default() }
    }),
    ("stochastic-depth", |_, training| {
        training.regularization = Regularization { stochastic_depth: 0.1, ..Default::default() }
    }),
    ("no-qk-norm", |config, _| config.qk_norm = false),
    ("deep-norm", |config, _| config.options = Options::deep_norm(config.n_layers)),
    ("embedding-scale", |config, _| config.options.embedding_scale = Some((config.d_model as f64).sqrt())),
    ("head-scale", |config, _| config.options.head_scale = true),
    ("attention-cap", |config, _| config.options.attention_cap = Some(50.0)),
    ("output-cap", |config, _| config.options.output_cap = Some(30.0)),
    ("gate-residual", |config, _| config.options.gate_residual = true),
    ("differential", |config, _| config.options.differential = true),
];

/// What one run came to.
#[derive(Serialize, Deserialize)]
struct Outcome {
    validation_loss: f64,
    /// Share of the validation rows answered with an equivalent formula and the right glossary.
    right: f64,
    seconds: f64,
    steps: u64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let tokenizer = Tokenizer::load(arguments.data.join("tokenizer.json"))?;
    let base =
        Config::preset(&arguments.preset).with_context(|| format!("no preset {:?}", arguments.preset))?;
    let base = Config { vocab_size: tokenizer.vocab_size(), ..base };
    let read = |name: &str| -> anyhow::Result<Vec<Sequence>> {
        Ok(Dataset::read(&Pointing, &arguments.data.join(name), &tokenizer, base.max_seq)?.sequences)
    };
    let (sequences, validation) = (read("train.jsonl")?, read("val.jsonl")?);
    let rows: Vec<Row> =
        read_rows(arguments.data.join("val.jsonl"))?.take(arguments.rows).collect::<Result<_, _>>()?;

    let chosen =
        |name: &str| arguments.variants.is_empty() || arguments.variants.iter().any(|one| one == name);
    let mut table: Vec<(&str, Vec<Outcome>)> = Vec::new();
    for (name, change) in VARIANTS.into_iter().filter(|(name, _)| chosen(name)) {
        let mut outcomes = Vec::new();
        for seed in 0..arguments.seeds {
            let folder = arguments.out.join(format!("{name}-{seed}"));
            let done = folder.join("outcome.json");
            if !done.exists() {
                let mut config = base.clone();
                let mut training = Training {
                    seed,
                    batch_tokens: arguments.batch_tokens,
                    threads: arguments.threads,
                    keep_best: 0,
                    ..Training::default()
                };
                change(&mut config, &mut training);
                training.steps = training.steps_for(arguments.flops, &config);
                let outcome = run(config, training, &sequences, &validation, &rows, &tokenizer, &folder)?;
                fs::write(&done, serde_json::to_string(&outcome)?)?;
                eprintln!(
                    "{name} seed {seed}: {:.1} % right, loss {:.4}",
                    outcome.right * 100.0,
                    outcome.validation_loss
                );
            }
            outcomes.push(serde_json::from_str(&fs::read_to_string(&done)?)?);
        }
        table.push((name, outcomes));
    }
    let text = print(&table);
    fs::write(arguments.out.join("table.json"), serde_json::to_string_pretty(&table)?)?;
    fs::write(arguments.out.join("table.txt"), &text)?;
    println!("{text}");
    Ok(())
}

fn run(
    config: Config,
    training: Training,
    sequences: &[Sequence],
    validation: &[Sequence],
    rows: &[Row],
    tokenizer: &Tokenizer,
    folder: &Path,
) -> anyhow::Result<Outcome> {
    let threads = training.threads;
    let mut trainer = match latest(folder)? {
        Some(stopped) => Trainer::resume(&stopped, training)?,
        None => {
            let weights = Weights::init(&config, training.seed);
            let provenance = Provenance::default();
            Trainer::new(
                &Checkpoint { config, weights, tokenizer: None, training: None, provenance },
                training,
            )?
        }
    };
    let (_, summary) =
        train(&mut trainer, &Phase::only(sequences), validation, folder, |_| Control::Continue)?;
    let mut formalizer = Formalizer::new(&trainer.model(), tokenizer.clone(), threads)?;
    let inputs: Vec<&str> = rows.iter().map(|row| row.input.as_str()).collect();
    let readings = formalizer.read(&inputs, &Sampling::greedy())?;
    let answers = rows.iter().zip(readings.iter().map(|reading| reading.as_ref().ok().map(|r| &r.answer)));
    Ok(Outcome {
        validation_loss: summary.validation_loss.unwrap_or(f64::NAN),
        right: Report::new(answers).all.equivalent.share(),
        seconds: summary.seconds,
        steps: summary.steps,
    })
}

/// Mean and standard deviation over the seeds, and the difference from the first variant.
fn print(table: &[(&str, Vec<Outcome>)]) -> String {
    let mut text = format!(
        "{:<18}{:>8}{:>8}{:>9}{:>10}{:>9}\n",
        "variant", "right %", "± sd", "to first", "val loss", "seconds"
    );
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let first = table.first().map_or(0.0, |(_, outcomes)| mean(&shares(outcomes)));
    for (name, outcomes) in table {
        let shares = shares(outcomes);
        let right = mean(&shares);
        let squares: Vec<f64> = shares.iter().map(|share| (share - right).powi(2)).collect();
        let deviation = (squares.iter().sum::<f64>() / (shares.len().max(2) - 1) as f64).sqrt();
        let losses: Vec<f64> = outcomes.iter().map(|outcome| outcome.validation_loss).collect();
        let seconds: Vec<f64> = outcomes.iter().map(|outcome| outcome.seconds).collect();
        text += &format!(
            "{name:<18}{right:>8.1}{deviation:>8.1}{:>+9.1}{:>10.4}{:>9.0}\n",
            right - first,
            mean(&losses),
            mean(&seconds)
        );
    }
    text
}

fn shares(outcomes: &[Outcome]) -> Vec<f64> {
    outcomes.iter().map(|outcome| outcome.right * 100.0).collect()
}
