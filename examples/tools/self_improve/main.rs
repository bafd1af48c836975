//! A model finds where it is weak, asks itself about it, learns from what it got wrong, and is replaced only if it is better.
//!
//! ```text
//! cargo run --release --features torch --example self_improve -- --checkpoint DIR --data DIR --cycles 1 --out DIR
//! ```
//! DIR of `--data` is what `corpus` writes. OUT gets `self_learning.json`, `progress.svg`, the rounds with every question and answer, and
//! `generators/` with `current`. Killed, it goes on where it stopped when the same command is given again.
//!
//! With `--experiment` it measures the loop instead: arms at equal compute, and the table of what each gains.
//! ```text
//! … --experiment --cycles 5 --out DIR                                  the six arms, 3 or 5 seeds each, 20 null models
//! … --experiment --cycles 20 --arms full,vote,replace --seeds 1 --nulls 0 --out DIR
//! ```

mod experiment;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use data_pipeline::{Maker, Row, read_rows};
use indicatif::{ProgressBar, ProgressStyle};
use logic_parser::Formula;

use nanologic_model::torch::{Learner, Training};
use self_learning::experiment::Arm;
use self_learning::{
    Budget, Comparison, Cycle, Event, Experiment, FormulaFirst, Gate, Material, Refusal, Report, Round,
    Settings, Start, StopReason, Verifier,
};
use serde::Serialize;

/// Let a model teach itself for some rounds, beside a control that only goes over what it knows.
#[derive(Parser)]
struct Arguments {
    /// Checkpoint folder to begin with.
    #[arg(long)]
    checkpoint: PathBuf,
    /// Folder of train.jsonl, val.jsonl and test.jsonl that the model was trained with.
    #[arg(long)]
    data: PathBuf,
    /// Rounds.
    #[arg(long, default_value_t = 1)]
    cycles: u64,
    /// Folder for everything that comes of it.
    #[arg(long)]
    out: PathBuf,
    /// Questions a round.
    #[arg(long, default_value_t = 500)]
    questions: usize,
    /// Optimizer steps a round, for the candidate and again for the control.
    #[arg(long, default_value_t = 100)]
    steps: u64,
    /// Share of what it learns from that it was taught before, at least 0.3.
    #[arg(long, default_value_t = 0.6)]
    replay: f64,
    /// Sentences of the gate.
    #[arg(long, default_value_t = 2000)]
    gate_items: usize,
    /// Seed of every draw.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Measure what the loop gains against arms that lack a part of it.
    #[arg(long)]
    experiment: bool,
    /// Its arms; all when none is named.
    #[arg(long, value_delimiter = ',', value_parser = Arm::ALL.map(Arm::name))]
    arms: Vec<String>,
    /// Seeds of each arm; 5 of none and full and 3 of the others when not given.
    #[arg(long)]
    seeds: Option<u64>,
    /// Null models to try the gate with: the same data, other seeds.
    #[arg(long, default_value_t = 20)]
    nulls: u64,
}

/// Rows that a step takes in, about.
const ROWS_A_STEP: usize = 128;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let start = Instant::now();
    let settings = settings(&arguments);
    let (material, test) = material(&arguments.data, &settings)?;
    if arguments.experiment {
        return experiment::run(&arguments, &material, &test);
    }
    let learner = Learner::load(&arguments.checkpoint, training(&arguments))?;
    let proposer = FormulaFirst::about_the_weakest(left_out(&material));
    let questions = arguments.cycles as usize * arguments.questions;
    let budget = Experiment::open(&arguments.out.join("budget.jsonl"), "self_improve", questions)?;
    let trio = (learner, proposer, Verifier);
    let mut cycle = Cycle::new(&arguments.out, settings, trio, material, Budget::Experiment(budget))?;

    let mut narrator = Narrator::default();
    let report = cycle.run(arguments.cycles, &mut |event| narrator.tell(&event))?;
    println!("\nStopped: {}.", why(&report.stop));
    println!("The generator is now version {}.", cycle.history().state().current_generator);
    let summary = Summary::of(&report, start.elapsed()).context("no round was finished")?;
    std::fs::write(arguments.out.join("progress.svg"), cycle.history().state().plot())?;
    let path = arguments.out.join("self_learning.json");
    std::fs::write(&path, serde_json::to_string_pretty(&summary)? + "\n")?;
    println!("Written: {}", path.display());
    Ok(())
}

fn training(arguments: &Arguments) -> Training {
    Training {
        // Back to a third of the first training's rate, and down to nothing again.
        learning_rate: Training::default().learning_rate / 3.0,
        warmup_steps: arguments.steps / 10,
        ..Training::default()
    }
}

/// It asks about formulas that it was never taught; those that examine it are left out by the loop as well.
fn left_out(material: &Material) -> impl Iterator<Item = String> {
    let taught = material.original().iter().map(|row| row.pattern.clone());
    material.forbidden().map(str::to_owned).chain(taught)
}

fn settings(arguments: &Arguments) -> Settings {
    Settings {
        probes: 600,
        doubt_probes: 64,
        questions: arguments.questions,
        steps: arguments.steps,
        original_share: arguments.replay,
        lesson_rows: arguments.steps as usize * ROWS_A_STEP,
        gate_items: arguments.gate_items,
        start: Start::Generator,
        gate: Gate { min_steps: arguments.steps, ..Gate::default() },
        seed: arguments.seed,
        ..Settings::default()
    }
}

/// The validation side, cut by pattern into sentences to find gaps with and sentences to decide with; more of both are made
/// where there are too few. The patterns of the test side, which comes with it, are kept out of everything.
fn material(data: &Path, settings: &Settings) -> anyhow::Result<(Material, Vec<Row>)> {
    let read = |name: &str| -> anyhow::Result<Vec<Row>> {
        let path = data.join(name);
        let rows = read_rows(&path)?.collect::<Result<Vec<Row>, _>>();
        rows.with_context(|| format!("reading {}", path.display()))
    };
    let test = read("test.jsonl")?;
    let tested: BTreeSet<String> = test.iter().map(|row| row.pattern.clone()).collect();
    let original = read("train.jsonl")?;
    let mut val = read("val.jsonl")?;
    let taught: BTreeSet<&str> = original.iter().map(|row| row.pattern.as_str()).collect();
    val.retain(|row| !taught.contains(row.pattern.as_str()) && !tested.contains(&row.pattern));
    let (probe, gate) = Material::cut(val, 0.35, settings.seed);
    let probe = enough(probe, settings.probes, settings.seed);
    let gate = enough(gate, settings.gate_items, settings.seed);
    Ok((Material::new(probe, gate, original, tested)?, test))
}

/// The rows, and until there are enough, the patterns of these rows said in other sentences.
fn enough(mut rows: Vec<Row>, count: usize, seed: u64) -> Vec<Row> {
    let maker = Maker::new(seed ^ 0x6761_7465);
    let patterns: Vec<Formula> = rows.iter().filter_map(|row| Formula::parse(&row.pattern).ok()).collect();
    let anew = (0..20 * count).zip(patterns.iter().cycle());
    let anew = anew.filter_map(|(index, pattern)| maker.say(pattern, index as u64));
    let missing = count.saturating_sub(rows.len());
    rows.extend(anew.take(missing));
    rows
}

/// Tells a reader what is going on.
#[derive(Default)]
struct Narrator {
    bar: Option<ProgressBar>,
}

impl Narrator {
    fn tell(&mut self, event: &Event<'_>) {
        if let Event::Answering { what, done, of } = event {
            return self.answering(what, *done, *of);
        }
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        match event {
            Event::Begin { round } => println!("\nRound {round}"),
            Event::Mapped { gaps, weakest, signal } => {
                let all = gaps.overall();
                println!(
                    "1. Where is it weak? Of {} held-out sentences {} are right.",
                    all.asked,
                    percent(all.rate())
                );
                for (stratum, tally) in gaps.weakest().into_iter().take(5) {
                    let (lower, upper) = tally.interval();
                    let share =
                        format!("{} ({} to {})", percent(tally.rate()), percent(lower), percent(upper));
                    println!("     {:<40} {share} of {}", stratum.to_string(), tally.asked);
                }
                if let (Some(entropy), Some(rules)) = (signal.entropy, signal.rules) {
                    println!(
                        "   Doubt foretells failure: AUROC {entropy:.2} by meaning, {rules:.2} by the rules for free text."
                    );
                }
                println!(
                    "2. It asks itself about: {weakest}. Each formula comes first and is then said in Spanish."
                );
            }
            Event::Judged { answered, new_rows } => {
                let wrong: Vec<_> = answered.iter().filter(|answered| !answered.verdict.right).collect();
                println!(
                    "3. Of {} answers the truth table finds {} wrong, such as",
                    answered.len(),
                    wrong.len()
                );
                for wrong in wrong.iter().take(3) {
                    println!("     {}\n       {}", wrong.question.input, wrong.verdict.reason);
                }
                println!("   {new_rows} sentences of those formulas are made to learn from.");
            }
            Event::Learning { what, steps } => self.learning(what, *steps),
            Event::End(round) => tell_round(round),
            Event::Answering { .. } => {}
        }
    }

    fn answering(&mut self, what: &str, done: usize, of: usize) {
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("   {bar:30} {pos}/{len} {msg}")
                .expect("a template that is fixed");
            ProgressBar::new(of as u64).with_style(style)
        });
        bar.set_length(of as u64);
        bar.set_position(done as u64);
        bar.set_message(format!("answers ({what})"));
    }

    fn learning(&mut self, what: &str, steps: u64) {
        match what {
            "control" => {
                println!("5. Beside it a control takes {steps} steps on what it knew, and nothing else.")
            }
            _ => println!("4. It takes {steps} steps on them, mixed with what it learned from before."),
        }
        let style = ProgressStyle::with_template("   {spinner} {elapsed}").expect("a template that is fixed");
        let spinner = ProgressBar::new_spinner().with_style(style);
        spinner.enable_steady_tick(Duration::from_millis(200));
        self.bar = Some(spinner);
    }
}

fn tell_round(round: &Round) {
    let decision = &round.decision;
    println!(
        "6. The gate asks all three {} other sentences, of {} patterns that nobody was taught:",
        decision.items, decision.patterns
    );
    println!("     before   {}", percent(decision.before.accuracy));
    println!("     after    {}", percent(decision.after.accuracy));
    println!("     gain     {}", points(decision.gain, decision.interval));
    if let (Some(control), Some(Comparison { gain, interval, .. })) = (round.control, round.over_control) {
        println!("     control  {}", percent(control.accuracy));
        println!("     over it  {}", points(gain, interval));
    }
    if decision.accepted {
        println!("   Accepted: it is the generator from now on.");
    } else {
        println!("   Refused, and the model stays what it was:");
        decision.refusals.iter().for_each(|refusal| println!("     {}", reason(refusal)));
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn points(gain: f64, (lower, upper): (f64, f64)) -> String {
    format!("{:+.1} points ({:+.1} to {:+.1})", 100.0 * gain, 100.0 * lower, 100.0 * upper)
}

fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::TooFewPatterns { found, needed } => format!("{found} patterns, {needed} are needed"),
        Refusal::TooFewSteps { found, needed } => format!("{found} steps, {needed} are needed"),
        Refusal::NotSure { .. } => "the gain may be chance".to_owned(),
        Refusal::TooSmall { threshold, .. } => format!("the gain is below {:.0} points", 100.0 * threshold),
        Refusal::StratumLost { stratum, loss, items } => {
            format!("{stratum} lost {:.1} points on {items} sentences", 100.0 * loss)
        }
    }
}

fn why(stop: &StopReason) -> String {
    match stop {
        StopReason::Done => "all rounds are done".to_owned(),
        StopReason::NothingToAsk => "there is nothing new to ask".to_owned(),
        StopReason::NothingFailed => "every answer was right".to_owned(),
        StopReason::Limit { wait } => format!("the limits allow the next question in {} s", wait.as_secs()),
        StopReason::BudgetSpent => "the questions of this experiment are used up".to_owned(),
        StopReason::Collapse(collapse) => {
            format!("{} fell from {:.2} to {:.2}", collapse.measure, collapse.was, collapse.is)
        }
    }
}

/// What `self_learning.json` holds. Accuracies are fractions of the gate's items of the last round.
#[derive(Serialize)]
struct Summary<'a> {
    before: f64,
    after: f64,
    control: Option<f64>,
    accepted: bool,
    /// Of `after - before`, at the gate's level.
    interval: (f64, f64),
    over_control: Option<Comparison>,
    weakest: String,
    questions: u64,
    answered_right: u64,
    new_rows: usize,
    steps: u64,
    gate_items: usize,
    gate_patterns: usize,
    gap_signal: self_learning::Signal,
    stop: &'a StopReason,
    seconds: f64,
    rounds: &'a [Round],
}

impl<'a> Summary<'a> {
    fn of(report: &'a Report, elapsed: Duration) -> Option<Summary<'a>> {
        let round = report.rounds.last()?;
        Some(Summary {
            before: round.decision.before.accuracy,
            after: round.decision.after.accuracy,
            control: round.control.map(|scores| scores.accuracy),
            accepted: round.decision.accepted,
            interval: round.decision.interval,
            over_control: round.over_control,
            weakest: round.weakest.to_string(),
            questions: round.asked.asked,
            answered_right: round.asked.right,
            new_rows: round.new_rows,
            steps: round.steps,
            gate_items: round.decision.items,
            gate_patterns: round.decision.patterns,
            gap_signal: round.signal,
            stop: &report.stop,
            seconds: elapsed.as_secs_f64(),
            rounds: &report.rounds,
        })
    }
}
