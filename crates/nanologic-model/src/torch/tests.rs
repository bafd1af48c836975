//! LibTorch against the reference, packing against single rows, and learning itself.

use super::parameters::Layout;
use super::{
    Compute, Constraint, Control, EarlyStop, Generator, GradientNoise, Loss, Method, Phase, Prompt,
    Recompute, Regularization, Sampling, Section, StopReason, Trainer, Training, latest, train,
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
    let run = |training: &Training, stops: &[u64]| {
        let folder = tempfile::tempdir().unwrap();
        let mut start = checkpoint(Config::tiny());
        let mut trainer = Trainer::new(&start, training.clone()).unwrap();
        for stop in stops {
            let until = |line: &super::LogLine| {
                if line.step == *stop { Control::Stop } else { Control::Continue }
            };
            let (reason, _) =
                train(&mut trainer, &Phase::only(&sequences), &sequences[..4], folder.path(), until).unwrap();
            assert_eq!(reason, StopReason::Asked);
            start = latest(folder.path()).unwrap().unwrap();
            trainer = Trainer::resume(&start, training.clone()).unwrap();
        }
        let (reason, summary) =
            train(&mut trainer, &Phase::only(&sequences), &sequences[..4], folder.path(), |_| {
                Control::Continue
            })
            .unwrap();
        assert_eq!((reason, summary.steps), (StopReason::Finished, 11));
        let log = std::fs::read_to_string(folder.path().join("log.jsonl")).unwrap();
        assert_eq!(log.lines().count(), 11);
        assert!(!folder.path().join("steps").exists());
        let mut best: Vec<String> = std::fs::read_dir(folder.path().join("best"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        best.sort();
        let hashes = ["model.safetensors", "training_state.safetensors"]
            .map(|file| blake3::hash(&std::fs::read(folder.path().join(file)).unwrap()));
        (best, hashes)
    };
    for training in [
        Training { gradient_noise: Some(GradientNoise::default()), ..exact(11) },
        Training { method: Method::AdamW, ema: Some(0.9), accumulation: 2, ..exact(11) },
        Training { method: Method::ScheduleFree, ..exact(11) },
    ] {
        let whole = run(&training, &[]);
        assert_eq!(whole.0.len(), 3, "the three best of four checkpoints");
        assert_eq!(run(&training, &[1, 5, 10]), whole, "{:?}", training.method);
        assert_eq!(run(&training, &[4]), whole, "{:?}", training.method);
    }
}

#[test]
fn a_run_goes_on_only_with_its_own_settings() {
    let mut trainer = Trainer::new(&checkpoint(Config::tiny()), exact(5)).unwrap();
    trainer.step(&one_row(&sequences()[0])).unwrap();
    let stopped = trainer.checkpoint();
    assert!(Trainer::resume(&stopped, Training { threads: 1, checkpoint_every: 7, ..exact(5) }).is_ok());
    let other = Training { learning_rate: 0.5, ema: Some(0.9), ..exact(5) };
    let error = Trainer::resume(&stopped, other).err().unwrap().to_string();
    assert!(error.contains("learning_rate") && error.contains("ema") && !error.contains("seed"), "{error}");
}

#[test]
fn a_loss_that_no_longer_falls_stops_the_run() {
    let training = Training {
        learning_rate: 0.0,
        early_stop: Some(EarlyStop { patience: 2, least_gain: 0.0 }),
        ..exact(100)
    };
    let sequences = sequences();
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = Trainer::new(&checkpoint(Config::tiny()), training.clone()).unwrap();
    let run = |trainer: &mut Trainer| {
        train(trainer, &Phase::only(&sequences), &sequences[..4], folder.path(), |_| Control::Continue)
            .unwrap()
    };
    let (reason, summary) = run(&mut trainer);
    assert_eq!((reason, summary.steps), (StopReason::Stalled { best_step: 3 }, 9));
    let stopped = latest(folder.path()).unwrap().unwrap();
    assert_eq!(run(&mut Trainer::resume(&stopped, training).unwrap()).0, reason, "it stays stopped");
    assert!(folder.path().join("best/00000003/model.safetensors").exists());
}

#[test]
fn parts_of_a_batch_add_up_to_its_gradient() {
    let batch = pack(&sequences(), 64, 40, 1).unwrap().next().unwrap();
    let loss = Loss { label_smoothing: 0.1, z: 1e-3, prompt: 0.2, ..Loss::default() };
    let of = |accumulation| {
        let training = Training { accumulation, loss: loss.clone(), ..exact(1) };
        Trainer::new(&checkpoint(Config::tiny()), training).unwrap().gradient(&batch).unwrap()
    };
    let (one, four) = (of(1), of(4));
    assert!((one.0.objective - four.0.objective).abs() < 1e-6 * one.0.objective);
    let distance = (&one.1 - &four.1).norm().double_value(&[]);
    assert!(distance < 1e-5 * one.1.norm().double_value(&[]), "{distance}");
}

#[test]
fn blocks_computed_again_give_the_same_gradient_and_leave_out_the_same() {
    let batch = pack(&sequences(), 64, 40, 1).unwrap().next().unwrap();
    let regularization = Regularization { dropout: 0.2, stochastic_depth: 0.3 };
    let of = |recompute, threads| {
        let training = Training { recompute, threads, regularization, ..exact(1) };
        Trainer::new(&checkpoint(Config::tiny()), training).unwrap().gradient(&batch).unwrap().1
    };
    let kept = of(Recompute::Nothing, 2);
    for other in [of(Recompute::Blocks, 2), of(Recompute::Nothing, 3)] {
        let distance = (&kept - other).norm().double_value(&[]);
        assert!(distance < 1e-5 * kept.norm().double_value(&[]), "{distance}");
    }
}

#[test]
fn what_cannot_fit_is_refused_with_what_does() {
    let trainer = Trainer::new(&checkpoint(Config::tiny()), exact(1)).unwrap();
    trainer.check_memory(8, 128).unwrap();
    let Err(Error::Memory { tokens, needed, free, fitting_tokens }) = trainer.check_memory(1 << 24, 128)
    else {
        panic!("two thousand million tokens fit nowhere")
    };
    assert!(tokens == 1 << 31 && needed > free && fitting_tokens > 128 && fitting_tokens < tokens);
}

#[test]
fn only_chosen_sections_are_learnt() {
    let atoms = 7; // <|atoms|>
    let sequence = Sequence::new(vec![1, 4, 20, 5], vec![30, 31, atoms, 40, 41, 2]);
    let batch = one_row(&sequence);
    let gradient = |loss: Loss| {
        let training = Training { loss, ..exact(1) };
        Trainer::new(&checkpoint(Config { tied: false, ..Config::tiny() }), training)
            .unwrap()
            .gradient(&batch)
            .unwrap()
    };
    // Logits of a sum over all tokens are the sum of those over each section, weighed by their tokens.
    let part = |section| gradient(Loss { sections: vec![section], ..Loss::default() });
    let (formula, pointing, whole) =
        (part(Section::Formula), part(Section::Atoms), gradient(Loss::default()));
    let mean = (formula.1 * 2.0 + pointing.1 * 4.0) / 6.0;
    let distance = (mean - &whole.1).norm().double_value(&[]);
    assert!(distance < 1e-5 * whole.1.norm().double_value(&[]), "{distance}");
    assert!((formula.0.objective * 2.0 + pointing.0.objective * 4.0 - whole.0.objective * 6.0).abs() < 1e-4);
    let none = Training { loss: Loss { sections: vec![Section::Thought], ..Loss::default() }, ..exact(1) };
    let mut trainer = Trainer::new(&checkpoint(Config::tiny()), none).unwrap();
    assert!(matches!(trainer.step(&batch), Err(Error::NoExamples)));
}

#[test]
fn what_is_handed_over_is_the_average() {
    let batch = pack(&sequences(), 64, 40, 1).unwrap().next().unwrap();
    for training in
        [Training { ema: Some(0.5), ..exact(9) }, Training { method: Method::ScheduleFree, ..exact(9) }]
    {
        let mut trainer = Trainer::new(&checkpoint(Config::tiny()), training.clone()).unwrap();
        for _ in 0..4 {
            trainer.step(&batch).unwrap();
        }
        let model = trainer.model();
        let measured = Trainer::new(&model, exact(1)).unwrap().loss(&batch).unwrap();
        assert!((trainer.loss(&batch).unwrap() - measured).abs() < 1e-6, "{:?}", training.method);
        assert!(!model.training.unwrap().moments.0.keys().any(|name| name.starts_with("ema.")));
    }
}

#[test]
fn every_method_learns() {
    let batch = pack(&sequences()[..8], 8, 40, 1).unwrap().next().unwrap();
    for (method, adam_share) in [(Method::AdamW, 0.5), (Method::ScheduleFree, 0.5)] {
        let fresh = Checkpoint { weights: Weights::init(&Config::tiny(), 1), ..checkpoint(Config::tiny()) };
        let mut trainer = Trainer::new(&fresh, Training { method, adam_share, ..exact(200) }).unwrap();
        for _ in 0..200 {
            trainer.step(&batch).unwrap();
        }
        let loss = trainer.loss(&batch).unwrap();
        assert!(loss < 0.3, "{method:?}: {loss}");
    }
}

#[test]
fn a_number_that_is_none_stops_with_its_name() {
    let mut broken = checkpoint(Config::tiny());
    broken.weights.0.get_mut("model.layers.1.mlp.up_proj.weight").unwrap().data[5] = f32::NAN;
    let mut trainer = Trainer::new(&broken, exact(5)).unwrap();
    let error = trainer.step(&one_row(&sequences()[0])).unwrap_err();
    let Error::NotFinite { tensor, step: 1 } = error else { panic!("{error}") };
    assert_eq!(tensor, "model.layers.1.mlp.up_proj.weight");

    // Every weight is a number, but what the layer makes of them is too large for one.
    let mut broken = checkpoint(Config::tiny());
    for name in ["up_proj", "down_proj", "gate_proj"] {
        let weight = broken.weights.0.get_mut(&format!("model.layers.1.mlp.{name}.weight")).unwrap();
        weight.data.fill(1e30);
    }
    let mut trainer = Trainer::new(&broken, exact(5)).unwrap();
    let error = trainer.step(&one_row(&sequences()[0])).unwrap_err();
    let Error::NotFinite { tensor, step: 1 } = error else { panic!("{error}") };
    assert_eq!(tensor, "output of model.layers.1");
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
#[derive(Clone)]
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
    let sampling = Sampling { temperature, seed: 4, max_tokens: 40, ..Sampling::greedy() };
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
        assert!((total - said.log_probability()).abs() < 1e-3, "{total} {}", said.log_probability());
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

/// Every answer of a small language, scored one by one by the reference.
#[test]
fn the_likeliest_answers_are_those_of_trying_all() {
    /// Two tokens out of six, the second not before the first.
    #[derive(Clone)]
    struct Two(Vec<u32>);
    impl Constraint for Two {
        fn allowed(&self) -> Vec<u32> {
            match self.0[..] {
                [] => (0..6).collect(),
                [first] => (first..6).collect(),
                _ => Vec::new(),
            }
        }
        fn accept(&mut self, id: u32) {
            self.0.push(id);
        }
    }
    for (name, config) in crate::config::each_option() {
        let reference = Reference::<f64>::new(&config, &noisy(&config)).unwrap();
        let prompt = vec![7, 3, 40];
        let mut all = Vec::new();
        for first in 0..6 {
            for second in first..6 {
                let logits = reference.logits(&[7, 3, 40, first, second]).unwrap();
                let log_probability = |at: usize, id: u32| {
                    let row = &logits[at * config.vocab_size..(at + 1) * config.vocab_size];
                    row[id as usize] - row.iter().map(|x| x.exp()).sum::<f64>().ln()
                };
                all.push((log_probability(2, first) + log_probability(3, second), vec![first, second]));
            }
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut generator = Generator::new(&checkpoint(config), 1).unwrap();
        let prompts = || vec![Prompt { ids: prompt.clone(), constraint: Two(Vec::new()) }];
        // As wide as the language, the search cannot miss.
        let found = generator.likeliest(prompts(), 21, 40).unwrap().remove(0);
        assert_eq!(found.len(), all.len());
        for (found, (log_probability, _)) in found.iter().zip(&all) {
            assert!((found.log_probability() - log_probability).abs() < 1e-4, "{name}");
        }
        assert_eq!(generator.likeliest(prompts(), 3, 40).unwrap()[0].len(), 3);
        assert!(generator.likeliest(prompts(), 3, 1).unwrap()[0].is_empty());
    }
}

#[test]
fn text_ends_at_a_stop_token() {
    let mut until = super::Until::new(64, vec![5]);
    assert_eq!(until.allowed().len(), 64);
    until.accept(4);
    assert_eq!(until.allowed().len(), 64);
    until.accept(5);
    assert!(until.allowed().is_empty());
}
