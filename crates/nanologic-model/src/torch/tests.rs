//! LibTorch against the reference, packing against single rows, and learning itself.

use super::parameters::Layout;
use super::{
    Compute, Constraint, Control, Generator, Prompt, Sampling, StopReason, Trainer, Training, latest, train,
};
use crate::{Checkpoint, Config, Error, Provenance, Reference, Weights};
use data_pipeline::{Batch, Sequence, pack};

/// Weights with nothing at zero, so that every term counts.
fn noisy(config: &Config) -> Weights {
    let mut weights = Weights::init(config, 3);
    for (n, array) in weights.0.values_mut().enumerate() {
        for (i, x) in array.data.iter_mut().enumerate() {
            *x += ((i * 31 + n * 7) % 17) as f32 / 170.0 - 0.05;
        }
    }
    weights
}

fn checkpoint(config: Config) -> Checkpoint {
    let weights = noisy(&config);
    Checkpoint { config, weights, tokenizer: None, training: None, provenance: Provenance::default() }
}

fn sequences() -> Vec<Sequence> {
    let sequence = |n: u32| {
        let prompt = (0..3 + n % 5).map(|i| 10 + (n * 7 + i * 3) % 50).collect();
        Sequence::new(prompt, (0..2 + n % 3).map(|i| (n * 5 + i) % 60).collect())
    };
    (0..24).map(sequence).collect()
}

fn exact(steps: u64) -> Training {
    Training {
        steps,
        compute: Compute::Fp32,
        batch_tokens: 256,
        warmup_steps: 2,
        checkpoint_every: 3,
        ..Training::default()
    }
}

fn one_row(sequence: &Sequence) -> Batch {
    pack(std::slice::from_ref(sequence), 1, sequence.ids.len(), 0).unwrap().next().unwrap()
}

#[test]
fn packed_rows_lose_as_single_ones() {
    let trainer = Trainer::new(&checkpoint(Config::tiny()), exact(1)).unwrap();
    let sequences = sequences();
    let packed = pack(&sequences, 64, 40, 1).unwrap().next().unwrap();
    let scored = |batch: &Batch| batch.loss_mask.iter().map(|&m| f64::from(m)).sum::<f64>();
    let single: f64 =
        sequences.iter().map(one_row).map(|batch| trainer.loss(&batch).unwrap() * scored(&batch)).sum();
    let together = trainer.loss(&packed).unwrap() * scored(&packed);
    assert!((single - together).abs() < 1e-5 * single, "{single} {together}");
}

/// The first-order change of the loss along the step just taken, against the loss itself.
#[test]
fn the_gradient_predicts_the_loss() {
    let config = Config::tiny();
    let base = checkpoint(config.clone());
    let batch = pack(&sequences(), 64, 40, 1).unwrap().next().unwrap();
    let loss = |weights: &Weights| {
        let moved = Checkpoint { weights: weights.clone(), ..base.clone() };
        Trainer::new(&moved, exact(1)).unwrap().loss(&batch).unwrap()
    };
    let mut trainer = Trainer::new(&base, exact(1)).unwrap();
    let gradient = trainer.gradient(&batch).unwrap().1;
    let gradient = Layout::new(&config).unflatten(&gradient, |spec| Some(spec.name.clone()));
    for (name, slope) in &gradient.0 {
        let norm = slope.data.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let along = |sign: f64| {
            let mut weights = base.weights.clone();
            for (w, g) in weights.0.get_mut(name).unwrap().data.iter_mut().zip(&slope.data) {
                *w += (sign * 3e-3 * f64::from(*g) / norm) as f32;
            }
            loss(&weights)
        };
        let measured = (along(1.0) - along(-1.0)) / 6e-3;
        assert!((measured - norm).abs() < 0.02 * norm + 5e-4, "{name}: {measured} {norm}");
    }
}

#[test]
fn one_batch_is_learnt_by_heart() {
    for compute in [Compute::Fp32, Compute::Bf16] {
        let fresh = Checkpoint { weights: Weights::init(&Config::tiny(), 1), ..checkpoint(Config::tiny()) };
        let mut trainer = Trainer::new(&fresh, Training { compute, ..exact(300) }).unwrap();
        let batch = pack(&sequences()[..8], 8, 40, 1).unwrap().next().unwrap();
        let first = trainer.step(&batch).unwrap().loss;
        let last = (0..299).map(|_| trainer.step(&batch).unwrap().loss).last().unwrap();
        assert!(first > 3.5 && last < 0.1, "{compute:?}: {first} to {last}");
    }
}

#[test]
fn two_threads_compute_the_gradient_of_one() {
    let batch = pack(&sequences(), 64, 40, 1).unwrap().next().unwrap();
    let of = |threads| {
        let mut trainer =
            Trainer::new(&checkpoint(Config::tiny()), Training { threads, ..exact(1) }).unwrap();
        trainer.gradient(&batch).unwrap().1
    };
    let (one, three) = (of(1), of(3));
    let distance = (&one - three).norm().double_value(&[]);
    assert!(distance < 1e-5 * one.norm().double_value(&[]), "{distance}");
}

#[test]
fn a_run_stopped_and_resumed_ends_in_the_same_bits() {
    let sequences = sequences();
    let run = |stops: &[u64]| {
        let folder = tempfile::tempdir().unwrap();
        let mut start = checkpoint(Config::tiny());
        let mut trainer = Trainer::new(&start, exact(11)).unwrap();
        for stop in stops {
            let until = |step: &super::Step| {
                if step.step == *stop { Control::Stop } else { Control::Continue }
            };
            let (reason, _) = train(&mut trainer, &sequences, &sequences[..4], folder.path(), until).unwrap();
            assert_eq!(reason, StopReason::Asked);
            start = latest(folder.path()).unwrap().unwrap();
            trainer = Trainer::resume(&start, exact(11)).unwrap();
        }
        let (reason, summary) =
            train(&mut trainer, &sequences, &[], folder.path(), |_| Control::Continue).unwrap();
        assert_eq!((reason, summary.steps), (StopReason::Finished, 11));
        let log = std::fs::read_to_string(folder.path().join("log.jsonl")).unwrap();
        assert_eq!(log.lines().count(), 11);
        assert!(!folder.path().join("steps").exists());
        ["model.safetensors", "training_state.safetensors"]
            .map(|file| blake3::hash(&std::fs::read(folder.path().join(file)).unwrap()))
    };
    let whole = run(&[]);
    assert_eq!(run(&[1, 5, 10]), whole);
    assert_eq!(run(&[4]), whole);
}

#[test]
fn a_number_that_is_none_stops_with_its_name() {
    let mut broken = checkpoint(Config::tiny());
    broken.weights.0.get_mut("model.layers.1.mlp.up_proj.weight").unwrap().data[5] = f32::NAN;
    let mut trainer = Trainer::new(&broken, exact(5)).unwrap();
    let error = trainer.step(&one_row(&sequences()[0])).unwrap_err();
    assert!(matches!(error, Error::NotFinite { step: 1, .. }), "{error}");
}

#[test]
fn a_batch_that_is_not_the_models_is_refused() {
    let mut trainer = Trainer::new(&checkpoint(Config::tiny()), exact(5)).unwrap();
    let good = one_row(&sequences()[0]);
    let mut bad = good.clone();
    bad.ids[0] = 64;
    assert!(matches!(trainer.step(&bad), Err(Error::Token { id: 64, .. })));
    let bad = Batch { rows: 2, ..good.clone() };
    assert!(matches!(trainer.step(&bad), Err(Error::Batch { field: "ids", .. })));
    let bad = Batch { loss_mask: vec![0.0; good.ids.len()], ..good };
    assert!(matches!(trainer.step(&bad), Err(Error::NoExamples)));
}

/// Anything, so many times.
struct Free(usize);

impl Constraint for Free {
    fn allowed(&self) -> Vec<u32> {
        if self.0 == 0 { Vec::new() } else { (0..64).collect() }
    }
    fn accept(&mut self, _: u32) {
        self.0 -= 1;
    }
}

fn generate(prompts: &[Vec<u32>], temperature: f64) -> Vec<super::Generated> {
    let mut generator = Generator::new(&checkpoint(Config::tiny()), 2).unwrap();
    let prompts = prompts.iter().map(|ids| Prompt { ids: ids.clone(), constraint: Free(ids.len() + 3) });
    let sampling = Sampling { temperature, seed: 4, max_tokens: 40 };
    generator.generate(prompts.collect(), &sampling).unwrap()
}

fn ragged_prompts() -> Vec<Vec<u32>> {
    (0..20).map(|n| (0..1 + n * 7 % 13).map(|i| (n * 5 + i * 3) % 64).collect()).collect()
}

/// The reference knows neither a cache nor a batch.
#[test]
fn cached_generation_in_a_ragged_batch_follows_the_reference() {
    let config = Config::tiny();
    let reference = Reference::<f64>::new(&config, &noisy(&config)).unwrap();
    for (prompt, said) in ragged_prompts().iter().zip(generate(&ragged_prompts(), 0.0)) {
        assert_eq!(said.ids.len(), prompt.len() + 3);
        let whole = [&prompt[..], &said.ids].concat();
        let logits = reference.logits(&whole).unwrap();
        let mut total = 0.0;
        for (at, &id) in (prompt.len()..).zip(&said.ids) {
            let row = &logits[(at - 1) * config.vocab_size..at * config.vocab_size];
            let most = row.iter().copied().fold(f64::MIN, f64::max);
            assert!(row[id as usize] > most - 1e-4, "the likeliest token is taken");
            total += row[id as usize] - row.iter().map(|x| (x - most).exp()).sum::<f64>().ln() - most;
        }
        assert!((total - said.log_probability).abs() < 1e-3, "{total} {}", said.log_probability);
    }
}

#[test]
fn draws_depend_on_the_seed_and_not_on_the_neighbours() {
    let prompts = ragged_prompts();
    let all = generate(&prompts, 1.0);
    assert_eq!(generate(&prompts, 1.0), all);
    assert_eq!(
        generate(&prompts[..3], 1.0).iter().map(|g| &g.ids).collect::<Vec<_>>(),
        all[..3].iter().map(|g| &g.ids).collect::<Vec<_>>()
    );
    assert_ne!(generate(&prompts, 0.0), all);
}
