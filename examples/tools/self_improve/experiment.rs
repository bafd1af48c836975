//! `--experiment`: arms at equal compute, and null models for the gate.

use std::path::Path;

use anyhow::Context;
use data_pipeline::Row;
use indicatif::{ProgressBar, ProgressStyle};
use nanologic_model::torch::Learner;
use self_learning::experiment::{Arm, Laboratory, Measured, Plan, Table, false_accepts};
use self_learning::{FormulaFirst, Gate, Material, Tally, Verifier};
use serde::Serialize;

use super::{Arguments, percent};

/// Gates between null models.
const GATES: u64 = 1000;

/// Runs the arms and the null models, and writes `experiment.json` and `experiment.md`.
pub fn run(arguments: &Arguments, material: &Material, test: &[Row]) -> anyhow::Result<()> {
    let plan = plan(arguments);
    let trainings: u64 = plan.arms.iter().map(|(_, seeds)| seeds * plan.cycles).sum();
    println!("{trainings} trainings of {} steps, {} sentences after each.", plan.steps, test.len());
    let measured = measure(arguments, &arguments.out, plan.clone(), material, test)?;
    let table = Table::of(&measured, test);
    println!("\n{table}\n");

    let nulls = null_gates(arguments, plan, material, test)?;
    let report = Report { table: &table, false_accepts: nulls, gates_over: test.len() };
    let json = serde_json::to_string_pretty(&report)? + "\n";
    std::fs::write(arguments.out.join("experiment.json"), json)?;
    std::fs::write(arguments.out.join("experiment.md"), format!("{table}\n"))?;
    println!("Written: {}", arguments.out.join("experiment.json").display());
    Ok(())
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    table: &'a Table,
    /// Of gates between models that differ by their seed alone; none were asked without null models.
    false_accepts: Tally,
    gates_over: usize,
}

fn plan(arguments: &Arguments) -> Plan {
    let default = Plan::default();
    let wanted =
        |arm: &Arm| arguments.arms.is_empty() || arguments.arms.iter().any(|name| name == arm.name());
    let seeds = |(arm, seeds)| (arm, arguments.seeds.unwrap_or(seeds));
    Plan {
        arms: default.arms.into_iter().filter(|(arm, _)| wanted(arm)).map(seeds).collect(),
        cycles: arguments.cycles,
        steps: arguments.steps,
        lesson_rows: arguments.steps as usize * super::ROWS_A_STEP,
        original_share: arguments.replay,
        questions: arguments.questions,
        ..Plan::default()
    }
}

fn measure(
    arguments: &Arguments,
    out: &Path,
    plan: Plan,
    material: &Material,
    test: &[Row],
) -> anyhow::Result<Vec<Measured>> {
    let learner = Learner::load(&arguments.checkpoint, super::training(arguments))?;
    let left_out: Vec<String> = super::left_out(material).collect();
    let aimed = FormulaFirst::about_the_weakest(left_out.clone());
    let anything = FormulaFirst::about_anything(left_out);
    let trainings: u64 = plan.arms.iter().map(|(_, seeds)| seeds * plan.cycles).sum();
    let mut laboratory = Laboratory::new(out, plan, (learner, aimed, anything, Verifier), material, test)?;
    let style = ProgressStyle::with_template("   {bar:30} {pos}/{len} {msg}")?;
    let bar = ProgressBar::new(trainings + 1).with_style(style);
    let measured = laboratory.run(&mut |measured| {
        bar.inc(1);
        let Measured { arm, seed, cycle, .. } = measured;
        let of = if *cycle == 0 { "base".to_owned() } else { format!("{arm} {seed}, cycle {cycle}") };
        bar.suspend(|| println!("   {of:<20} {}", percent(measured.accuracy())));
    })?;
    bar.finish_and_clear();
    Ok(measured)
}

/// Models of the same data and other seeds, and how often a gate takes one for better than another.
fn null_gates(arguments: &Arguments, plan: Plan, material: &Material, test: &[Row]) -> anyhow::Result<Tally> {
    if arguments.nulls < 2 {
        return Ok(Tally::default());
    }
    println!("{} null models: the same data, other seeds.", arguments.nulls);
    let plan = Plan { arms: vec![(Arm::None, arguments.nulls)], cycles: 1, ..plan };
    let measured = measure(arguments, &arguments.out.join("nulls"), plan, material, test)?;
    let models: Vec<Vec<bool>> = measured.into_iter().filter(|m| m.cycle > 0).map(|m| m.right).collect();
    let gate = Gate { min_steps: arguments.steps, ..Gate::default() };
    let accepted = false_accepts(&models, test, &gate, arguments.gate_items, GATES, arguments.seed);
    let rate =
        accepted.asked.checked_sub(1).map(|_| percent(accepted.rate())).context("no gate was asked")?;
    println!("The gate accepted {} of {} models that are no better: {rate}.", accepted.right, accepted.asked);
    Ok(accepted)
}
