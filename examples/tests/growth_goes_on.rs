//! A grown model on LibTorch: it computes what it did, its optimizer goes on where it was, and every new entry learns.
#![cfg(feature = "torch")]

use data_pipeline::{Batch, Sequence, pack};
use nanologic_model::torch::{Compute, Method, Schedule, Trainer, Training};
use nanologic_model::{Array, Checkpoint, Config, Provenance, ReferenceForward, Weights};
use thau_growth::{
    Draft, GrowthPlan, Options, Recipe, Step, Tensor, TensorSource as _, operator::*, random_probes,
};

fn batches() -> Vec<Batch> {
    let sequence = |n: u32| {
        let prompt = (0..3 + n % 5).map(|i| 1 + (n * 7 + i * 3) % 60).collect();
        Sequence::new(prompt, (0..2 + n % 3).map(|i| (n * 5 + i) % 64).collect())
    };
    pack(&(0..96).map(sequence).collect::<Vec<_>>(), 4, 64, 0).unwrap().collect()
}

/// No clipping: the norm of the gradient counts the new entries too.
fn training(method: Method) -> Training {
    Training {
        steps: 1000,
        method,
        schedule: Schedule::Constant,
        warmup_steps: 0,
        learning_rate: 0.01,
        clip: 1e9,
        compute: Compute::Fp32,
        threads: 1,
        ..Training::default()
    }
}

/// A model that has learnt for a dozen steps.
fn learnt(config: Config, training: &Training) -> Trainer {
    let weights = Weights::init(&config, 1);
    let provenance = Provenance::default();
    let born = Checkpoint { config, weights, tokenizer: None, training: None, provenance };
    let mut trainer = Trainer::new(&born, training.clone()).unwrap();
    for batch in batches().iter().cycle().take(12) {
        trainer.step(batch).unwrap();
    }
    trainer
}

/// Through a folder, as `grow` does it.
fn grow(small: &Checkpoint, plan: &GrowthPlan<Config>) -> Checkpoint {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("small"), home.path().join("large"));
    small.save(&from).unwrap();
    let mut draft = Draft::write(plan, &from, &to, Options::default()).unwrap();
    draft.prove(&ReferenceForward, &random_probes(small.config.vocab_size, 2, 24, 0)).unwrap();
    draft.hand_over().unwrap();
    Checkpoint::load(&to).unwrap()
}

/// Wider in everything and deeper.
fn larger(config: &Config) -> Config {
    Config { d_model: 48, n_layers: 3, n_heads: 6, n_kv_heads: 3, d_ff: 96, ..config.clone() }
}

#[test]
fn every_method_goes_on_after_growing() {
    let config = Config::tiny();
    for training in [
        training(Method::Muon),
        training(Method::AdamW),
        Training { ema: Some(0.9), ..training(Method::AdamW) },
        training(Method::ScheduleFree),
    ] {
        let what = format!("{:?}, average {:?}", training.method, training.ema);
        let trainer = learnt(config.clone(), &training);
        let batches = batches();
        let losses = |trainer: &Trainer| -> Vec<f64> {
            batches.iter().map(|batch| trainer.loss(batch).unwrap()).collect()
        };
        let before = losses(&trainer);
        let small = trainer.checkpoint();
        let plan = GrowthPlan::between(&config, &larger(&config), 1).unwrap();
        let large = grow(&small, &plan);

        // The state is whole: of every kind, one tensor for every tensor that had one.
        let state = large.training.as_ref().unwrap();
        assert_eq!(state.progress, small.training.as_ref().unwrap().progress, "{what}");
        for name in small.training.as_ref().unwrap().moments.0.keys() {
            let (kind, tensor) = name.split_once('.').unwrap();
            let shape = &large.weights.get(tensor).unwrap().shape;
            assert_eq!(
                &state.moments.get(&format!("{kind}.{tensor}")).unwrap().shape,
                shape,
                "{what}: {name}"
            );
        }
        // A run that is resumed and one that begins anew both start where the small one stopped.
        for mut trainer in [
            Trainer::resume(&large, training.clone()).unwrap(),
            Trainer::new(&large, training.clone()).unwrap(),
        ] {
            for (before, after) in before.iter().zip(losses(&trainer)) {
                assert!((before - after).abs() < 1e-5 * before, "{what}: {before} {after}");
            }
            let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
            for _ in 0..3 {
                for batch in &batches {
                    trainer.step(batch).unwrap();
                }
                let now = losses(&trainer);
                assert!(mean(&now) < mean(&before), "{what}: {} {}", mean(&before), mean(&now));
            }
        }
    }
}

/// Old entries of the grown model take the very step that they would have taken in the small one, where no factor
/// changed their scale; without the state they do not.
#[test]
fn the_next_step_of_old_entries_is_the_small_models() {
    let config = Config::tiny();
    let to = Config { n_layers: 3, n_heads: 6, n_kv_heads: 3, d_ff: 96, ..config.clone() };
    let plan = GrowthPlan::between(&config, &to, 1).unwrap();
    for method in [Method::AdamW, Method::ScheduleFree] {
        let training = training(method);
        let batch = &batches()[2];
        let mut trainer = learnt(config.clone(), &training);
        let small = trainer.checkpoint();
        trainer.step(batch).unwrap();
        let expected = trainer.checkpoint().weights;
        let most_apart = |start: &Checkpoint| {
            let mut trainer = Trainer::resume(start, training.clone()).unwrap();
            trainer.step(batch).unwrap();
            let stepped = trainer.checkpoint().weights;
            let back = plan.retracted(&stepped).unwrap();
            expected.0.iter().fold(0f32, |most, (name, expected)| {
                let Tensor { values, .. } = back.read(name).unwrap();
                expected.data.iter().zip(values).fold(most, |most, (a, b)| most.max((a - b).abs()))
            })
        };
        let mut large = grow(&small, &plan);
        let with_state = most_apart(&large);
        large.training.as_mut().unwrap().moments = Weights::default();
        let without = most_apart(&large);
        // One step is about 1e-3.
        assert!(
            with_state < 1e-5 && without > 2e-4,
            "{method:?}: {with_state} with the state, {without} without"
        );
    }
}

/// Entries of the grown tensor that the small model did not have.
fn new_entries(plan: &GrowthPlan<Config>, small: &Weights, name: &str) -> Vec<bool> {
    let ones = |(name, array): (&String, &Array)| {
        (name.clone(), Array { shape: array.shape.clone(), data: vec![1.0; array.data.len()] })
    };
    let ones = Weights(small.0.iter().map(ones).collect());
    let old = plan.transport(&ones, name, 0).unwrap().unwrap();
    old.values.into_iter().map(|old| old == 0.0).collect()
}

/// How many new entries three steps have not moved, and how many there are.
fn unmoved(plan: &GrowthPlan<Config>, small: &Weights, large: &Checkpoint) -> (usize, usize) {
    let training = Training { weight_decay: 0.0, ..training(Method::AdamW) };
    let mut trainer = Trainer::new(large, training).unwrap();
    for batch in batches().iter().take(3) {
        trainer.step(batch).unwrap();
    }
    let after = trainer.checkpoint().weights;
    let (mut idle, mut new) = (0, 0);
    for tensor in plan.to().tensors() {
        let (before, after) = (large.weights.get(&tensor.name).unwrap(), after.get(&tensor.name).unwrap());
        for (at, _) in new_entries(plan, small, &tensor.name).iter().enumerate().filter(|(_, new)| **new) {
            new += 1;
            idle += usize::from(before.data[at] == after.data[at]);
        }
    }
    (idle, new)
}

#[test]
fn three_steps_reach_every_new_entry_of_every_operator() {
    for qk_norm in [true, false] {
        let config = Config { qk_norm, ..Config::tiny() };
        let small = learnt(config.clone(), &training(Method::AdamW)).checkpoint();
        let mut steps = vec![
            Step::WidenResidual(WidenResidual { to: 44, fold: Fold::Writers }),
            Step::WidenFeedForward(WidenFeedForward { to: 80 }),
            Step::AddHeads(AddHeads { query: 6, kv: 3 }),
            Step::InsertLayers(InsertLayers { to: 3 }),
            Step::ExtendVocabulary(ExtendVocabulary { to: 70 }),
        ];
        if !qk_norm {
            steps.push(Step::WidenResidual(WidenResidual { to: 44, fold: Fold::Eps }));
            steps.push(Step::WidenHeads(WidenHeads { to: 12 }));
        }
        let plans = steps.iter().cloned().map(|step| (format!("{step:?}"), vec![step])).collect::<Vec<_>>();
        for (what, steps) in plans.into_iter().chain([("all at once".to_owned(), steps)]) {
            let plan = Recipe { seed: 2, steps }.plan(&config).unwrap();
            let large = grow(&small, &plan);
            let (idle, new) = unmoved(&plan, &small.weights, &large);
            assert!(idle == 0 && new > 0, "{what}: {idle} of {new} new entries cannot learn");
        }
    }
}

#[test]
fn the_probe_notices_units_with_zeros_on_both_sides() {
    let config = Config::tiny();
    let small = learnt(config.clone(), &training(Method::AdamW)).checkpoint();
    let plan = GrowthPlan::new(config.clone(), 0).then(WidenFeedForward { to: 80 }).unwrap();
    let mut large = grow(&small, &plan);
    for (name, array) in &mut large.weights.0 {
        if name.contains("gate_proj") || name.contains("up_proj") {
            array.data[64 * config.d_model..].fill(0.0);
        }
    }
    let (idle, new) = unmoved(&plan, &small.weights, &large);
    assert_eq!(idle, new, "nothing of a unit with zeros on both sides ever moves");
}
