//! A model grows up: each age is trained until it is ripe, grown into the next one with the proof, and trained on.
//!
//! ```text
//! cargo run --release --features torch --example ages -- --data target/corpus --to-age 1 --out target/ages
//! cargo run --release --features torch --example ages -- --data target/corpus --to-age 3 --narrow 4 --steps-per-age 300 --out target/young
//! ```
//! OUT gets a folder for each age: its model with optimizer state, ledger, log and examinations; and `ages.txt` and `ages.json`, the table
//! of them all. Killed, it goes on where it stopped when the same command is given again; with a higher `--to-age` it goes
//! further. The way back to an age is its folder: `train --checkpoint OUT/age-0` goes on from there.

mod schooling;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, bail};
use clap::Parser;
use nanologic_model::torch::{Compute, Schedule, Training};
use nanologic_model::{Checkpoint, Config, Provenance, ReferenceForward, Weights};
use self_learning::Stage;
use thau_growth::ages::{Age, Shape, Table};
use thau_growth::{
    Architecture, Axis, Cost, Draft, GrowthPlan, Options, Record, Trigger, ledger, random_probes,
};

use schooling::{Lessons, School};
use table::AgeReport;

/// Trains age after age on one corpus, growing in between, and prints what each age came to.
#[derive(Parser)]
struct Arguments {
    /// Folder with train.jsonl, val.jsonl and tokenizer.json, as `corpus` writes it.
    #[arg(long)]
    data: PathBuf,
    /// The last age, of 0, 1, 3, 6, 12 and 15.
    #[arg(long)]
    to_age: u8,
    /// The age to be born at.
    #[arg(long, default_value_t = 0)]
    from_age: u8,
    /// The folder for everything.
    #[arg(long)]
    out: PathBuf,
    /// Optimizer steps of an age at most; the last age takes them all.
    #[arg(long, default_value_t = Training::default().steps)]
    steps_per_age: u64,
    /// Grow once an age has seen so many tokens a parameter.
    #[arg(long)]
    tokens_per_parameter: Option<f64>,
    /// Grow once the loss falls by less than SLOPE nats a step over the last WINDOW steps.
    #[arg(long, value_name = "WINDOW:SLOPE", value_parser = flat)]
    flat: Option<Trigger>,
    /// Make widths so many times narrower than the ages', to try the way on a small machine.
    #[arg(long, default_value_t = 1)]
    narrow: usize,
    /// Steps between two checkpoints, which are examinations too: what ends an age is looked at only there.
    #[arg(long, default_value_t = 250)]
    checkpoint_every: u64,
    /// Validation rows answered in an examination; the criteria of the age's cognitive stage are asked of them.
    #[arg(long, default_value_t = 200)]
    examine: usize,
    /// Tokens a step, padding included.
    #[arg(long, default_value_t = Training::default().batch_tokens)]
    batch_tokens: usize,
    /// Muon's rate; AdamW's follows at a tenth of it.
    #[arg(long, default_value_t = Training::default().learning_rate)]
    learning_rate: f64,
    /// Steps until the rate is full again after growing.
    #[arg(long, default_value_t = 0)]
    rewarm: u64,
    /// Compute in fp32 throughout, even where the processor multiplies bf16 natively.
    #[arg(long)]
    fp32: bool,
    /// Threads; another number gives other roundings.
    #[arg(long, default_value_t = Training::default().threads)]
    threads: usize,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn flat(text: &str) -> Result<Trigger, String> {
    let (window, slope) = text.split_once(':').ok_or("not WINDOW:SLOPE")?;
    let window = window.parse().map_err(|error| format!("{window:?}: {error}"))?;
    let least_slope = slope.parse().map_err(|error| format!("{slope:?}: {error}"))?;
    Ok(Trigger::Flat { window, least_slope })
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let ages: Vec<Age> = Table::Corrected.ages().into_iter().filter(|age| arguments.takes(age)).collect();
    let (Some(first), Some(last)) = (ages.first(), ages.last()) else { bail!("no age lies between these") };
    if (first.years, last.years) != (arguments.from_age, arguments.to_age) {
        bail!("ages are 0, 1, 3, 6, 12 and 15");
    }
    fs::create_dir_all(&arguments.out)?;
    sweep(&arguments.out)?;
    let asked_to_stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&asked_to_stop);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))?;
    let newborn = Config::preset(&format!("age-{}", first.years)).context("every age is a preset")?;
    let lessons = Lessons::read(&arguments.data, newborn.max_seq, arguments.examine)?;

    let mut reports: Vec<AgeReport> = Vec::new();
    for age in &ages {
        let folder = arguments.folder(age);
        let done = folder.join("age.json");
        if !done.exists() {
            let before = reports.last().map(|report| arguments.out.join(format!("age-{}", report.years)));
            let shape = arguments.shape(age)?;
            let born = || match &before {
                Some(before) => grown(before, &folder.with_extension("grown"), &shape, arguments.seed),
                None => newly_born(&shape.on(&newborn), &lessons, arguments.seed).map(|born| (born, None)),
            };
            let training = arguments.training(age, before.is_some(), age == last);
            let stage = stage(age)?;
            let triggers = arguments.triggers(&stage, age == last);
            println!("age {} ({}): {}", age.years, age.name, stage.description);
            let school = School { lessons: &lessons, training, triggers, folder: &folder };
            let Some(report) = school.teach(age, &stage, born, &asked_to_stop)? else {
                eprintln!("saved; the same command goes on");
                std::process::exit(130);
            };
            fs::write(&done, serde_json::to_string_pretty(&report)? + "\n")?;
        }
        remove(&folder.with_extension("grown"))?;
        reports.push(serde_json::from_str(&fs::read_to_string(&done)?)?);
        let text = table::print(&reports);
        fs::write(arguments.out.join("ages.json"), serde_json::to_string_pretty(&reports)? + "\n")?;
        fs::write(arguments.out.join("ages.txt"), &text)?;
        if age == last {
            println!("{text}");
        }
    }
    Ok(())
}

impl Arguments {
    fn takes(&self, age: &Age) -> bool {
        (self.from_age..=self.to_age).contains(&age.years)
    }

    fn folder(&self, age: &Age) -> PathBuf {
        self.out.join(format!("age-{}", age.years))
    }

    fn shape(&self, age: &Age) -> anyhow::Result<Shape> {
        age.shape.narrowed(self.narrow).with_context(|| format!("widths do not divide by {}", self.narrow))
    }

    /// The rate stays as it is until the last age, which ends as any training does.
    fn training(&self, age: &Age, grown: bool, last: bool) -> Training {
        Training {
            steps: self.steps_per_age,
            batch_tokens: self.batch_tokens,
            learning_rate: self.learning_rate,
            seed: self.seed + u64::from(age.years),
            warmup_steps: if grown { self.rewarm } else { Training::default().warmup_steps },
            schedule: if last { Schedule::StableDecay(0.2) } else { Schedule::Constant },
            compute: if self.fp32 { Compute::Fp32 } else { Compute::default() },
            threads: self.threads,
            checkpoint_every: self.checkpoint_every,
            keep_best: 0,
            ..Training::default()
        }
    }

    fn triggers(&self, stage: &Stage, last: bool) -> Vec<Trigger> {
        let steps = Trigger::Steps(self.steps_per_age);
        if last {
            return vec![steps];
        }
        let enough = self.tokens_per_parameter.map(Trigger::TokensPerParameter);
        [Some(schooling::criteria(stage)), enough, self.flat, Some(steps)].into_iter().flatten().collect()
    }
}

/// The cognitive stage that an age lies in.
fn stage(age: &Age) -> anyhow::Result<Stage> {
    let lies_in =
        |stage: &Stage| stage.from_age <= age.years && stage.to_age.is_none_or(|to_age| age.years <= to_age);
    Stage::all().into_iter().find(lies_in).context("every age lies in a stage")
}

/// Fresh weights of the first age.
fn newly_born(config: &Config, lessons: &Lessons, seed: u64) -> anyhow::Result<Checkpoint> {
    let config = Config { vocab_size: lessons.vocabulary(), ..config.clone() };
    config.validate()?;
    let mut provenance = Provenance { data: lessons.hashes.clone(), ..Provenance::default() };
    provenance.seeds.insert("ages".to_owned(), seed);
    let (weights, tokenizer) = (Weights::init(&config, seed), Some(lessons.tokenizer_json.clone()));
    Ok(Checkpoint { config, weights, tokenizer, training: None, provenance })
}

/// Tokens of a proof's probe, and floating-point operations that a proof may take in all.
const PROBE: usize = 64;
const BUDGET: f64 = 5e10;

/// The model of `before` in its new shape, proven; grown once, however often this is asked.
fn grown(before: &Path, to: &Path, shape: &Shape, seed: u64) -> anyhow::Result<(Checkpoint, Option<Record>)> {
    if !to.exists() {
        let config: Config = serde_json::from_str(&fs::read_to_string(before.join("config.json"))?)?;
        let plan = GrowthPlan::between(&config, &shape.on(&config), seed)?;
        let mut draft = Draft::write(&plan, before, to, Options::default())?;
        let probes = 4;
        let affordable = BUDGET / (4.0 * Cost::of(plan.to()).flops_per_token * f64::from(probes));
        let length = (affordable as usize).clamp(4, PROBE).min(config.size(Axis::Context));
        draft.prove(&ReferenceForward, &random_probes(config.vocab_size, probes as usize, length, seed))?;
        draft.hand_over()?;
    }
    Ok((Checkpoint::load(to)?, ledger(to)?.pop()))
}

/// What a killed run had not finished writing.
fn sweep(out: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(out)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(".age-") {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
