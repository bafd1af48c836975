//! Grow a small model along every axis and look at how far its logits move.
//!
//! ```text
//! $ cargo run --release --example exactness
//! step                                                         claims         f64       f32
//! WidenResidual { to: 40, fold: Writers }                      Exact      6.8e-15    2.2e-6
//! WidenResidual { to: 80, fold: Eps }                          Exact      5.4e-15    4.1e-6
//! WidenFeedForward { to: 90 }                                  Exact        0.0e0     0.0e0
//! AddHeads { query: 6, kv: 2 }                                 Exact        0.0e0     0.0e0
//! AddHeads { query: 8, kv: 4 }                                 Exact        0.0e0     0.0e0
//! WidenHeads { to: 10 }                                        Exact      6.6e-15    3.0e-6
//! InsertLayers { to: 3 }                                       Exact        0.0e0     0.0e0
//! ExtendVocabulary { to: 80 }                                  Exact        0.0e0     0.0e0
//! ExtendContext { to: 512 }                                    Exact        0.0e0     0.0e0
//! StackLayers { layers: [0, 1, 0, 1] }                         Lossy        1.6e0     1.6e0
//! TurnRope { base: 500000.0 }                                  Lossy        2.8e0     2.8e0
//! every axis, one after the other                              Exact      6.9e-15    3.5e-6
//! the model's own rounding in f32: 3.9e-6 of logits up to 2.2
//! ```

use anyhow::Result;
use nanologic_model::{Config, ReferenceForward, Weights};
use thau_growth::{GrowthPlan, Preservation, Proof, Recipe, Step, Tolerance, operator::*, random_probes};

fn main() -> Result<()> {
    let config = Config { qk_norm: false, ..Config::tiny() };
    let weights = awake(&config);
    let probes = random_probes(config.vocab_size, 4, 64, 0);
    let steps = [
        Step::WidenResidual(WidenResidual { to: 40, fold: Fold::Writers }),
        Step::WidenResidual(WidenResidual { to: 80, fold: Fold::Eps }),
        Step::WidenFeedForward(WidenFeedForward { to: 90 }),
        Step::AddHeads(AddHeads { query: 6, kv: 2 }),
        Step::AddHeads(AddHeads { query: 8, kv: 4 }),
        Step::WidenHeads(WidenHeads { to: 10 }),
        Step::InsertLayers(InsertLayers { to: 3 }),
        Step::ExtendVocabulary(ExtendVocabulary { to: 80 }),
        Step::ExtendContext(ExtendContext { to: 512 }),
        Step::StackLayers(StackLayers { layers: vec![0, 1, 0, 1] }),
        Step::TurnRope(TurnRope { base: 500_000.0 }),
    ];
    println!("{:<60} {:<8} {:>9} {:>9}", "step", "claims", "f64", "f32");
    for step in &steps {
        show(step, &measure(GrowthPlan::new(config.clone(), 1).then(step.clone())?, &weights, &probes)?);
    }
    let each_axis_once = [1, 2, 4, 5, 6, 7, 8].map(|n: usize| steps[n].clone()).to_vec();
    let plan = Recipe { seed: 1, steps: each_axis_once }.plan(&config)?;
    let whole = measure(plan, &weights, &probes)?;
    show(&format_args!("every axis, one after the other"), &whole);
    let Proof { own_rounding_f32, largest_logit, .. } = whole.1;
    println!("the model's own rounding in f32: {own_rounding_f32:.1e} of logits up to {largest_logit:.1}");
    Ok(())
}

/// Grows in memory, measures, and holds the growth to its claim.
fn measure(
    plan: GrowthPlan<Config>,
    weights: &Weights,
    probes: &[Vec<u32>],
) -> Result<(Preservation, Proof)> {
    let mut grown = Weights::default();
    plan.apply(weights, &mut grown)?;
    let proof = Proof::measure(&plan, weights, &grown, &ReferenceForward, probes)?;
    proof.check(plan.preservation(), Tolerance::default())?;
    Ok((plan.preservation(), proof))
}

fn show(step: &dyn std::fmt::Debug, (claim, proof): &(Preservation, Proof)) {
    let (f64, f32) = (proof.max_logit_delta_f64, proof.max_logit_delta_f32);
    println!("{:<60} {:<8} {f64:>9.1e} {f32:>9.1e}", format!("{step:?}"), format!("{claim:?}"));
}

/// Fresh weights with nothing at zero, so that every term counts.
fn awake(config: &Config) -> Weights {
    let mut weights = Weights::init(config, 1);
    for (n, array) in weights.0.values_mut().enumerate() {
        for (i, value) in array.data.iter_mut().enumerate() {
            *value += ((i * 31 + n * 7) % 17) as f32 / 60.0 - 0.13;
        }
    }
    weights
}
