//! Grow a checkpoint into a larger model that computes the same function, and prove it.
//!
//! ```text
//! cargo run --release --example grow -- --checkpoint DIR --to age:1 --out DIR
//! ```
//! `--to` is an age (`thau_growth::ages::Table::Corrected`), a JSON file with the keys of `config.json` that change,
//! or a plan in TOML (`thau_growth::Recipe`), which has a seed of its own. RoPE's base follows wider heads unless the
//! file says it.
//! The grown folder has the tokenizer, the optimizer state carried along, and the proof in `growth.json`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use nanologic_model::{Config, ReferenceForward};
use thau_growth::{
    Accept, Architecture, Axis, Cost, Draft, GrowthPlan, Options, Proof, Recipe, Storage,
    ages::Table,
    operator::{Fold, GrowthOperator as _, WidenHeads},
    random_probes,
};

#[derive(Parser)]
#[command(about = "Grow a checkpoint into a larger model that computes the same function, and prove it")]
struct Arguments {
    /// Checkpoint folder to grow.
    #[arg(long)]
    checkpoint: PathBuf,
    /// `age:N` (0, 1, 3, 6, 12 or 15), CONFIG.json or PLAN.toml.
    #[arg(long)]
    to: String,
    /// Folder to write; must not exist.
    #[arg(long)]
    out: PathBuf,
    /// Print what would be done, and stop.
    #[arg(long)]
    dry_run: bool,
    /// Number format of the grown weights.
    #[arg(long, value_enum, default_value = "fp32")]
    dtype: Dtype,
    /// For everything drawn at random; a plan in TOML has its own.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The least that the growth may preserve.
    #[arg(long, value_enum, default_value = "exact")]
    allow: Allow,
    /// Token sequences to compare both models on; 0 compares the stored weights with the old ones instead.
    #[arg(long, default_value_t = 4)]
    probes: usize,
    /// Split the weights into files of at most this many bytes.
    #[arg(long)]
    shard_bytes: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Dtype {
    Fp32,
    Bf16,
}

#[derive(Clone, Copy, ValueEnum)]
enum Allow {
    Exact,
    Bounded,
    Lossy,
}

/// Tokens of a probe, but for models so large that the proof would take minutes.
const LENGTH: usize = 64;

/// Floating-point operations that the proof may take in all.
const BUDGET: f64 = 5e10;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let config: Config = read_json(&arguments.checkpoint.join("config.json"))?;
    let plan = plan(&arguments, &config)?;
    plan.to().validate()?;
    let storage = match arguments.dtype {
        Dtype::Fp32 => Storage::Fp32,
        Dtype::Bf16 => Storage::Bf16,
    };
    print_plan(&plan, storage);
    if arguments.dry_run {
        return Ok(());
    }
    let accept = match arguments.allow {
        Allow::Exact => Accept::Exact,
        Allow::Bounded => Accept::Bounded,
        Allow::Lossy => Accept::Lossy,
    };
    let options = Options { storage, accept, shard_bytes: arguments.shard_bytes, ..Options::default() };
    let mut draft = Draft::write(&plan, &arguments.checkpoint, &arguments.out, options)?;
    if arguments.probes > 0 {
        let affordable = BUDGET / (4.0 * Cost::of(plan.to()).flops_per_token * arguments.probes as f64);
        let length = (affordable as usize).clamp(4, LENGTH).min(config.size(Axis::Context));
        let probes = random_probes(config.vocab_size, arguments.probes, length, arguments.seed);
        print_proof(draft.prove(&ReferenceForward, &probes)?);
    }
    let record = draft.hand_over()?;
    println!("{} grown from {}", arguments.out.display(), &record.parent[..16]);
    if record.proof.is_none() {
        println!("not proven by logits: the old weights were found again in the stored ones, value by value");
    }
    Ok(())
}

fn plan(arguments: &Arguments, config: &Config) -> Result<GrowthPlan<Config>> {
    let (to, seed) = (arguments.to.as_str(), arguments.seed);
    let fold = match arguments.dtype {
        Dtype::Fp32 => Fold::Writers,
        Dtype::Bf16 => Fold::Eps,
    };
    let recipe = if let Some(years) = to.strip_prefix("age:") {
        let age = years.parse().ok().and_then(|years| Table::Corrected.age(years));
        let Some(age) = age else { bail!("there is no age {years}; ages are 0, 1, 3, 6, 12 and 15") };
        Recipe::between(config, &turning_as(config, age.shape.on(config))?, seed)?.with_fold(fold)
    } else if to.ends_with(".toml") {
        let text = std::fs::read_to_string(to).with_context(|| to.to_owned())?;
        Recipe::from_toml(&text)?
    } else {
        let mut target = serde_json::to_value(config)?;
        let mut changes: serde_json::Map<String, serde_json::Value> = read_json(Path::new(to))?;
        // Where newer folders say it.
        if let Some(base) = changes.get("rope_parameters").and_then(|rope| rope.get("rope_theta")).cloned() {
            changes.entry("rope_theta").or_insert(base);
        }
        let base_told = changes.contains_key("rope_theta");
        target.as_object_mut().context("a config is an object")?.extend(changes);
        let target: Config = serde_json::from_value(target).with_context(|| to.to_owned())?;
        let target = if base_told { target } else { turning_as(config, target)? };
        Recipe::between(config, &target, seed)?.with_fold(fold)
    };
    Ok(recipe.plan(config)?)
}

/// The target with the RoPE base by which the old pairs of dimensions turn as before.
fn turning_as(config: &Config, target: Config) -> Result<Config> {
    if target.head_dim <= config.head_dim {
        return Ok(target);
    }
    let widened = WidenHeads { to: target.head_dim }.grow_config(config)?;
    Ok(Config { rope_base: widened.rope_base, ..target })
}

fn print_plan(plan: &GrowthPlan<Config>, storage: Storage) {
    let (before, after) = (Cost::of(plan.from()), Cost::of(plan.to()));
    let row = |what: &str, before: f64, after: f64| {
        println!("{what:<28}{before:>14.2}{after:>14.2}{:>9.2}x", after / before.max(f64::MIN_POSITIVE));
    };
    println!("{:<28}{:>14}{:>14}", "", "before", "after");
    row("parameters, millions", before.parameters as f64 / 1e6, after.parameters as f64 / 1e6);
    row("weights on disk, MiB", mebibytes(storage.bytes(plan.from())), mebibytes(storage.bytes(plan.to())));
    row("memory to train, MiB", mebibytes(before.training_bytes), mebibytes(after.training_bytes));
    row("forward MFLOP a token", before.flops_per_token / 1e6, after.flops_per_token / 1e6);
    for operator in plan.operators() {
        println!("step: {operator:?}");
    }
    println!("the whole growth is {:?}", plan.preservation());
}

fn print_proof(proof: &Proof) {
    println!("proof on {} tokens in {} probes:", proof.tokens, proof.probes);
    println!(
        "  f64: max |Δlogit| {:.2e}, largest logit {:.3}",
        proof.max_logit_delta_f64, proof.largest_logit
    );
    println!(
        "  f32: max |Δlogit| {:.2e}, the small model's own rounding {:.2e}",
        proof.max_logit_delta_f32, proof.own_rounding_f32
    );
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}
