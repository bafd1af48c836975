//! Does growing pay? A small model is trained and grown, and held against two others that spend as many floating-point
//! operations: the large model from scratch, and the small model that simply trains on.
//!
//! ```text
//! cargo run --release --features torch --example growth_benchmark -- --data target/corpus --out target/growth-benchmark
//! ```
//! OUT gets a file for each run and seed, `table.txt` and `table.json`. The same command goes on where it stopped; with
//! more `--seeds` it goes further. The rate is constant after its warm-up, the order of the data is the same for all runs
//! of a seed, and the small model's training is charged to whatever comes of it.
//!
//! What the columns say of each run: **M1** how far growing itself moved logits, and the divergence of the next
//! token; **M2** the most by which the loss rose in the 200 steps after it; **M3** the loss at the end less that of
//! from-scratch, and the share of the operations it did not need to reach that loss; **M4** as M2, on sentences with
//! simple formulas, which the small model knew; **M5** the share of new entries that three steps moved, and idle
//! channels; **M6** the loss at the end less the control's.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Parser;
use data_pipeline::format::Pointing;
use data_pipeline::{Batch, Complexity, Sequence, Tokenizer, pack};
use nanologic_model::torch::{Schedule, Trainer, Training};
use nanologic_model::{Checkpoint, Config, Dataset, Provenance, ReferenceForward, Weights};
use serde::{Deserialize, Serialize};
use thau_growth::{
    Accept, Draft, Forward as _, GrowthPlan, Options, Precision, Proof, Recipe, Step, TensorSource as _,
    idle_channels, ledger, operator::StackLayers, random_probes,
};

/// Trains and grows small models at equal compute, and prints what growing saved.
#[derive(Parser)]
struct Arguments {
    /// Folder with train.jsonl, val.jsonl and tokenizer.json, as `corpus` writes it.
    #[arg(long)]
    data: PathBuf,
    /// The folder for everything.
    #[arg(long)]
    out: PathBuf,
    /// How many times, each with its own weights and order of data.
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Steps of the large model from scratch; the others get as many floating-point operations.
    #[arg(long, default_value_t = 500)]
    steps: u64,
    /// Share of them that the small model gets before it is grown.
    #[arg(long, default_value_t = 0.25)]
    small_share: f64,
    /// Width of the small model's residual stream, a multiple of 64; the large one has half as much again and one block
    /// more for every two.
    #[arg(long, default_value_t = 64)]
    width: usize,
    /// Blocks of the small model.
    #[arg(long, default_value_t = 2)]
    layers: usize,
    /// Tokens a step.
    #[arg(long, default_value_t = 2048)]
    batch_tokens: usize,
    /// Muon's rate.
    #[arg(long, default_value_t = Training::default().learning_rate)]
    learning_rate: f64,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// What becomes of the small model.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arm {
    /// It trains on as it is.
    Control,
    /// Exact growth with the optimizer's state.
    Exact,
    /// The same, and the rate rises anew over fifty steps.
    Rewarmed,
    /// Exact growth, moments and clock forgotten.
    Forgetful,
    /// Exact in width, its last blocks stacked twice (after G_stack): lossy.
    Stacked,
}

const ARMS: [(Arm, &str); 5] = [
    (Arm::Control, "control: the small model trains on"),
    (Arm::Exact, "exact, state carried"),
    (Arm::Rewarmed, "exact, state carried, re-warmed"),
    (Arm::Forgetful, "exact, state forgotten"),
    (Arm::Stacked, "width exact, blocks stacked"),
];

/// One measurement of a run.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Point {
    step: u64,
    /// Floating-point operations so far, the small model's among them.
    flops: f64,
    /// Nats a scored token, over validation sequences.
    loss: f64,
    /// The same, over those with simple formulas.
    simple: f64,
}

/// What a run came to.
#[derive(Clone, Serialize, Deserialize)]
struct Run {
    parameters: usize,
    curve: Vec<Point>,
    growth: Option<Growth>,
}

/// What was seen of a growth itself.
#[derive(Clone, Serialize, Deserialize)]
struct Growth {
    proof: Option<Proof>,
    /// Mean divergence of the grown model's next token from the small one's, in nats a token.
    kl: f64,
    /// Share of the new entries that three steps had moved.
    reached: f64,
    /// Channels that are trapped or twins after these steps.
    idle: usize,
}

/// What every run learns from and is measured by.
struct Material {
    sequences: Vec<Sequence>,
    all: Vec<Batch>,
    simple: Vec<Batch>,
    rows: usize,
    seq: usize,
    vocabulary: usize,
}

/// Steps between two measurements, and how closely the first ones after a growth are watched.
const EVERY: u64 = 25;
const CLOSELY: [u64; 5] = [1, 2, 5, 10, 15];
/// Steps in which a spike would come.
const SPIKE: u64 = 200;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    fs::create_dir_all(&arguments.out)?;
    let material = Material::read(&arguments)?;
    arguments.same_as_before()?;
    let mut table = Vec::new();
    for seed in 0..arguments.seeds {
        table.push(bench(&arguments, &material, seed)?);
        let text = print(&table);
        fs::write(arguments.out.join("table.txt"), &text)?;
        fs::write(arguments.out.join("table.json"), serde_json::to_string_pretty(&table)? + "\n")?;
    }
    println!("{}", print(&table));
    Ok(())
}

/// All runs of a seed: from scratch, the small model, and what becomes of it.
#[derive(Serialize)]
struct Seed {
    scratch: Run,
    small: Run,
    arms: Vec<(&'static str, Run)>,
}

fn bench(arguments: &Arguments, material: &Material, seed: u64) -> anyhow::Result<Seed> {
    let folder = arguments.out.join(format!("seed-{seed}"));
    fs::create_dir_all(&folder)?;
    let (small, large) = (arguments.small(material.vocabulary), arguments.large(material.vocabulary));
    let training = |steps: u64, warmup_steps: u64| Training {
        steps,
        seed,
        batch_tokens: arguments.batch_tokens,
        learning_rate: arguments.learning_rate,
        schedule: Schedule::Constant,
        warmup_steps,
        threads: arguments.threads,
        ..Training::default()
    };
    let warm = 50.min(arguments.steps / 4);
    let scratch = once(&folder.join("scratch.json"), || {
        let mut trainer = Trainer::new(&fresh(&large, seed), training(arguments.steps, warm))?;
        material.run(&mut trainer, seed, 0, None, |trainer| trainer.progress().step < arguments.steps)
    })?;
    let most = scratch.curve.last().context("a run is measured")?.flops;
    let small_folder = folder.join("small");
    let small = once(&folder.join("small.json"), || {
        // So long that its rate stays as it is.
        let mut trainer = Trainer::new(&fresh(&small, seed), training(u64::MAX, warm))?;
        let share = arguments.small_share * most;
        let run = material.run(&mut trainer, seed, 0, None, |trainer| trainer.progress().flops < share)?;
        trainer.checkpoint().save_whole(&small_folder)?;
        Ok(run)
    })?;
    let before = *small.curve.last().context("a run is measured")?;
    let mut arms = Vec::new();
    for (arm, name) in ARMS {
        let run = once(&folder.join(format!("{}.json", name.replace([' ', ':', ','], "-"))), || {
            let start = Checkpoint::load(&small_folder)?;
            let steps = training(u64::MAX, if arm == Arm::Rewarmed { 50 } else { 0 });
            let (start, growth) = match arm {
                Arm::Control => (start, None),
                _ => {
                    let to = folder.join("grown");
                    let (start, growth) = grow(arm, &small_folder, &to, &large, seed, material, &steps)?;
                    (start, Some(growth))
                }
            };
            let mut trainer = Trainer::new(&start, steps)?;
            let until = |trainer: &Trainer| before.flops + trainer.progress().flops < most;
            let mut run = material.run(&mut trainer, seed, before.step, Some(before.flops), until)?;
            run.growth = growth;
            Ok(run)
        })?;
        arms.push((name, run));
    }
    Ok(Seed { scratch, small, arms })
}

/// What the file says, or else what `run` gives, which is then written.
fn once(done: &Path, run: impl FnOnce() -> anyhow::Result<Run>) -> anyhow::Result<Run> {
    if !done.exists() {
        let run = run()?;
        let temporary = done.with_extension("partial");
        fs::write(&temporary, serde_json::to_string(&run)?)?;
        fs::rename(temporary, done)?;
        let last = run.curve.last().context("a run is measured")?;
        eprintln!("{}: {:.4} after {:.3e} FLOPs", done.display(), last.loss, last.flops);
    }
    Ok(serde_json::from_str(&fs::read_to_string(done)?)?)
}

impl Arguments {
    /// Whether what lies in the folder was measured with these settings; those of the first call are kept there.
    fn same_as_before(&self) -> anyhow::Result<()> {
        let Arguments { data, steps, small_share, width, layers, batch_tokens, learning_rate, .. } = self;
        let now = format!(
            "--data {} --steps {steps} --small-share {small_share} --width {width} --layers {layers} \
             --batch-tokens {batch_tokens} --learning-rate {learning_rate}\n",
            data.display()
        );
        let path = self.out.join("settings.txt");
        match fs::read_to_string(&path) {
            Ok(before) if before != now => {
                bail!("{} was begun with {}", self.out.display(), before.trim_end())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => fs::write(&path, now),
            read => read.map(|_| ()),
        }
        .with_context(|| path.display().to_string())
    }

    fn small(&self, vocab_size: usize) -> Config {
        let d = self.width;
        Config {
            vocab_size,
            d_model: d,
            n_layers: self.layers,
            n_heads: d / 16,
            n_kv_heads: d / 32,
            head_dim: 16,
            d_ff: 3 * d,
            max_seq: 256,
            ..Config::demo()
        }
    }

    fn large(&self, vocab_size: usize) -> Config {
        let Arguments { width: d, layers, .. } = self;
        Config {
            d_model: d * 3 / 2,
            n_layers: layers + layers / 2,
            n_heads: d / 32 * 3,
            n_kv_heads: d / 64 * 3,
            d_ff: d * 9 / 2,
            ..self.small(vocab_size)
        }
    }
}

fn fresh(config: &Config, seed: u64) -> Checkpoint {
    let weights = Weights::init(config, seed);
    let provenance = Provenance::default();
    Checkpoint { config: config.clone(), weights, tokenizer: None, training: None, provenance }
}

fn grow(
    arm: Arm,
    from: &Path,
    to: &Path,
    large: &Config,
    seed: u64,
    material: &Material,
    training: &Training,
) -> anyhow::Result<(Checkpoint, Growth)> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    let small = Checkpoint::load(from)?;
    let layers = small.config.n_layers;
    let mut accept = Accept::Exact;
    let plan = if arm == Arm::Stacked {
        accept = Accept::Lossy;
        let wide = Config { n_layers: layers, ..large.clone() };
        let mut recipe = Recipe::between(&small.config, &wide, seed)?;
        // The lower blocks once, the upper ones twice.
        let stacked = (0..layers).chain(2 * layers - large.n_layers..layers).collect();
        recipe.steps.push(Step::StackLayers(StackLayers { layers: stacked }));
        recipe.plan(&small.config)?
    } else {
        GrowthPlan::between(&small.config, large, seed)?
    };
    let probes = random_probes(small.config.vocab_size, 16, 32, seed);
    let mut draft = Draft::write(&plan, from, to, Options { accept, ..Options::default() })?;
    draft.prove(&ReferenceForward, &probes[..4])?;
    draft.hand_over()?;
    let mut start = Checkpoint::load(to)?;
    if arm == Arm::Forgetful {
        start.training = None;
    }

    let logits = |config: &Config, weights: &Weights| {
        ReferenceForward.logits(config, weights, &probes, Precision::F32)
    };
    let (old, new) = (logits(&small.config, &small.weights)?, logits(large, &start.weights)?);
    let vocabulary = small.config.vocab_size;
    let rows = old.iter().zip(&new).flat_map(|(a, b)| a.chunks(vocabulary).zip(b.chunks(vocabulary)));
    let divergences: Vec<f64> = rows.map(|(a, b)| divergence(a, b)).collect();

    // Without decay, only what has a gradient moves.
    let mut trainer =
        Trainer::new(&start, Training { weight_decay: 0.0, warmup_steps: 0, ..training.clone() })?;
    for batch in material.batches(seed).take(3) {
        trainer.step(&batch)?;
    }
    let after = trainer.checkpoint().weights;
    let (mut moved, mut new) = (0usize, 0usize);
    for tensor in plan.to().tensors() {
        let ones = |(name, array): (&String, &nanologic_model::Array)| {
            let data = vec![1.0; array.data.len()];
            (name.clone(), nanologic_model::Array { shape: array.shape.clone(), data })
        };
        let ones = Weights(small.weights.0.iter().map(ones).collect());
        let old = plan.transport(&ones, &tensor.name, 0)?.context("every weight has a counterpart")?;
        let (before, after) = (start.weights.read(&tensor.name)?.values, after.read(&tensor.name)?.values);
        for ((old, before), after) in old.values.iter().zip(before).zip(after) {
            if *old == 0.0 {
                new += 1;
                moved += usize::from(before != after);
            }
        }
    }
    let idle = idle_channels(plan.to(), &after)?;
    let growth = Growth {
        proof: ledger(to)?.pop().and_then(|record| record.proof),
        kl: divergences.iter().sum::<f64>() / divergences.len().max(1) as f64,
        reached: moved as f64 / new.max(1) as f64,
        idle: idle.trapped + idle.twins,
    };
    fs::remove_dir_all(to)?;
    Ok((start, growth))
}

/// Of the second distribution from the first, in nats, both given as logits.
fn divergence(old: &[f64], new: &[f64]) -> f64 {
    let log_softmax = |logits: &[f64]| -> Vec<f64> {
        let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total = logits.iter().map(|logit| (logit - most).exp()).sum::<f64>().ln();
        logits.iter().map(|logit| logit - most - total).collect()
    };
    log_softmax(old).iter().zip(log_softmax(new)).map(|(a, b)| a.exp() * (a - b)).sum()
}

impl Material {
    fn read(arguments: &Arguments) -> anyhow::Result<Material> {
        let tokenizer = Tokenizer::load(arguments.data.join("tokenizer.json"))?;
        let read = |name: &str| Dataset::read(&Pointing, &arguments.data.join(name), &tokenizer, 256);
        let (sequences, validation) = (read("train.jsonl")?.sequences, read("val.jsonl")?);
        let longest = |sequences: &[Sequence]| sequences.iter().map(|sequence| sequence.ids.len()).max();
        let seq = longest(&sequences).unwrap_or(1).next_multiple_of(16).max(128);
        let rows = (arguments.batch_tokens / seq).max(1);
        let measured = |sequences: &[Sequence]| -> anyhow::Result<Vec<Batch>> {
            let seq = longest(sequences).unwrap_or(1).next_multiple_of(16);
            Ok(pack(sequences, 16, seq, 0)?.take(6).collect())
        };
        let is_simple = |complexity: &Complexity| *complexity == Complexity::Simple;
        let both = validation.sequences.iter().zip(&validation.complexities);
        let simple: Vec<Sequence> = both
            .filter(|(_, complexity)| is_simple(complexity))
            .map(|(sequence, _)| sequence.clone())
            .collect();
        Ok(Material {
            all: measured(&validation.sequences)?,
            simple: measured(&simple)?,
            sequences,
            rows,
            seq,
            vocabulary: tokenizer.vocab_size(),
        })
    }

    /// The batches of a seed, epoch after epoch.
    fn batches(&self, seed: u64) -> impl Iterator<Item = Batch> {
        let epoch = move |epoch| pack(&self.sequences, self.rows, self.seq, seed.wrapping_add(epoch));
        (0u64..).map_while(move |n| epoch(n).ok()).flatten()
    }

    /// Trains while `goes_on`, on the batches after the first `skipped`, and measures.
    fn run(
        &self,
        trainer: &mut Trainer,
        seed: u64,
        skipped: u64,
        charged: Option<f64>,
        goes_on: impl Fn(&Trainer) -> bool,
    ) -> anyhow::Result<Run> {
        let mut curve = vec![self.measure(trainer, charged)?];
        for batch in self.batches(seed).skip(skipped as usize) {
            if !goes_on(trainer) {
                break;
            }
            let step = trainer.step(&batch)?.step;
            let closely = charged.is_some() && CLOSELY.contains(&step);
            if closely || step.is_multiple_of(EVERY) || !goes_on(trainer) {
                curve.push(self.measure(trainer, charged)?);
            }
        }
        Ok(Run { parameters: trainer.config().parameters(), curve, growth: None })
    }

    fn measure(&self, trainer: &Trainer, charged: Option<f64>) -> anyhow::Result<Point> {
        let mean = |batches: &[Batch]| -> anyhow::Result<f64> {
            let losses = batches.iter().map(|batch| trainer.loss(batch)).collect::<Result<Vec<f64>, _>>()?;
            Ok(losses.iter().sum::<f64>() / losses.len().max(1) as f64)
        };
        let (loss, simple) = (mean(&self.all)?, mean(&self.simple)?);
        let progress = trainer.progress();
        Ok(Point { step: progress.step, flops: charged.unwrap_or(0.0) + progress.flops, loss, simple })
    }
}

/// Figures of one run beside the others of its seed.
struct Figures {
    /// Loss at the end, from scratch's and from the control's.
    to_scratch: f64,
    to_control: f64,
    /// Floating-point operations saved until the loss of from-scratch, as a share; `None` where it was not reached.
    saved: Option<f64>,
    spike: f64,
    simple: f64,
}

impl Figures {
    fn of(seed: &Seed, run: &Run) -> Figures {
        let target = target(&seed.scratch);
        let total = last(&seed.scratch).flops;
        let hit = run.curve.iter().find(|point| point.loss <= target).map(|point| point.flops);
        let before = last(&seed.small);
        let after = || run.curve.iter().filter(|point| point.step <= SPIKE);
        let worst = |of: fn(&Point) -> f64| after().map(of).fold(f64::NEG_INFINITY, f64::max);
        let control = seed.arms.first().map_or(f64::NAN, |(_, control)| last(control).loss);
        Figures {
            to_scratch: last(run).loss - target,
            to_control: last(run).loss - control,
            saved: hit.map(|flops| 1.0 - flops / total),
            spike: worst(|point| point.loss) - before.loss,
            simple: worst(|point| point.simple) - before.simple,
        }
    }
}

fn last(run: &Run) -> Point {
    *run.curve.last().expect("a run is measured at its beginning")
}

/// The loss of from-scratch: the mean of its last three measurements.
fn target(scratch: &Run) -> f64 {
    let end = &scratch.curve[scratch.curve.len().saturating_sub(3)..];
    end.iter().map(|point| point.loss).sum::<f64>() / end.len() as f64
}

fn print(seeds: &[Seed]) -> String {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let with_deviation = |values: &[f64]| {
        let centre = mean(values);
        let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
        format!("{centre:+.4} ± {:.4}", (squares / (values.len().max(2) - 1) as f64).sqrt())
    };
    let Some(first) = seeds.first() else { return String::new() };
    let mut text = format!(
        "{} seeds; {:.3} M parameters grow to {:.3} M after {:.0} % of {:.2e} FLOPs; from scratch {:.4} nats a token, the small model when it grows {:.4}\n\n",
        seeds.len(),
        first.small.parameters as f64 / 1e6,
        first.scratch.parameters as f64 / 1e6,
        100.0 * last(&first.small).flops / last(&first.scratch).flops,
        last(&first.scratch).flops,
        mean(&seeds.iter().map(|seed| target(&seed.scratch)).collect::<Vec<f64>>()),
        mean(&seeds.iter().map(|seed| last(&seed.small).loss).collect::<Vec<f64>>()),
    );
    text += &format!(
        "{:<36}{:>19}{:>19}{:>20}{:>9}{:>9}{:>9}{:>9}{:>8}{:>6}\n",
        "run, at equal FLOPs",
        "to scratch (M3)",
        "to control (M6)",
        "FLOPs saved (M3)",
        "spike M2",
        "old M4",
        "Δ f32 M1",
        "KL M1",
        "new M5",
        "idle"
    );
    for (n, (_, name)) in ARMS.iter().enumerate() {
        let figures: Vec<Figures> = seeds.iter().map(|seed| Figures::of(seed, &seed.arms[n].1)).collect();
        let all = |of: fn(&Figures) -> f64| figures.iter().map(of).collect::<Vec<f64>>();
        let saved: Vec<f64> = figures.iter().filter_map(|figures| figures.saved).collect();
        let saved = match saved.len() {
            0 => "never".to_owned(),
            hits => format!("{:.0} % ({hits} of {})", 100.0 * mean(&saved), figures.len()),
        };
        text += &format!(
            "{name:<36}{:>19}{:>19}{saved:>20}{:>9.4}{:>9.4}",
            with_deviation(&all(|f| f.to_scratch)),
            with_deviation(&all(|f| f.to_control)),
            mean(&all(|f| f.spike)),
            mean(&all(|f| f.simple)),
        );
        let grown: Vec<&Growth> = seeds.iter().filter_map(|seed| seed.arms[n].1.growth.as_ref()).collect();
        if !grown.is_empty() {
            let worst = |of: fn(&Growth) -> f64| grown.iter().map(|growth| of(growth)).fold(0.0, f64::max);
            let least = grown.iter().map(|growth| growth.reached).fold(1.0, f64::min);
            text += &format!(
                "{:>9.0e}{:>9.0e}{:>6.1} %{:>6}",
                worst(|growth| growth.proof.as_ref().map_or(f64::NAN, |proof| proof.max_logit_delta_f32)),
                worst(|growth| growth.kl),
                100.0 * least,
                worst(|growth| growth.idle as f64),
            );
        }
        text += "\n";
    }
    text + "\nMarks of the literature: G_stack 35 % of the tokens saved (54.6 % faster), SPARKLING 35 %, LEMON 33-57 %, MIDAS 40 %, a family of models 25 %,\n\
            staged training 22 %; none beside a control that trains on.\n"
}
