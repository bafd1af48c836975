use tch::{Device, Kind as Number};

use super::*;
use crate::config::Config;

const GAIN: &str = "model.norm.weight";
const MATRIX: &str = "model.layers.0.mlp.up_proj.weight";

struct Bench {
    layout: Layout,
    master: Tensor,
    optimizer: Optimizer,
    training: Training,
}

impl Bench {
    fn new(training: Training) -> Bench {
        Bench::after(training, &Weights::default(), 0)
    }

    fn after(training: Training, moments: &Weights, steps: u64) -> Bench {
        let config = Config::tiny();
        let layout = Layout::new(&config);
        let mut master = layout.flatten(&Weights::init(&config, 0), str::to_owned).unwrap();
        let optimizer = Optimizer::new(&layout, &training, &mut master, moments, steps, 0).unwrap();
        Bench { layout, master, optimizer, training }
    }

    fn step(&mut self, gradient: f64, scale: f64, factor: f64) {
        let gradient = Tensor::full([self.layout.total as i64], gradient, (Number::Float, Device::Cpu));
        self.optimizer.step(&mut self.master, &gradient, scale, factor, &self.training);
    }

    /// The first entry of a tensor in a flat buffer.
    fn entry(&self, name: &str, flat: &Tensor) -> f64 {
        let at = self.layout.specs.iter().find(|(spec, _)| spec.name == name).unwrap().1;
        flat.double_value(&[at as i64])
    }

    fn weight(&self, name: &str) -> f64 {
        self.entry(name, &self.master)
    }
}

/// AdamW by its paper, on a gain and on a matrix, in f64. Only the matrix decays.
#[test]
fn adamw_follows_its_formula_and_decays_matrices_alone() {
    let training = Training { method: Method::AdamW, weight_decay: 0.1, ..Training::default() };
    let mut bench = Bench::new(training.clone());
    for (name, decay) in [(GAIN, 0.0), (MATRIX, 0.1)] {
        let mut bench = Bench::new(training.clone());
        let (mut weight, mut m, mut v) = (bench.weight(name), 0.0f64, 0.0f64);
        for step in 1..=5 {
            let g = 0.3 * f64::from(step) - 0.8;
            bench.step(g * 2.0, 0.5, 1.0);
            let (b1, b2) = training.adam_betas;
            m = b1 * m + (1.0 - b1) * g;
            v = b2 * v + (1.0 - b2) * g * g;
            let (m_hat, v_hat) = (m / (1.0 - b1.powi(step)), v / (1.0 - b2.powi(step)));
            let rate = training.learning_rate * training.adam_share;
            weight -= rate * decay * weight;
            weight -= rate * m_hat / (v_hat.sqrt() + training.adam_eps);
            assert!((bench.weight(name) - weight).abs() < 1e-6, "{name} step {step}");
        }
    }
    bench.step(0.0, 1.0, 1.0);
    assert_eq!(
        bench.weight("model.embed_tokens.weight"),
        Bench::new(training).weight("model.embed_tokens.weight")
    );
}

/// The update of the paper's algorithm 1, in f64: `z -= γ ĝ`, `x = (1 - c) x + c z`, gradient at `y`.
#[test]
fn schedule_free_follows_its_formula() {
    let training =
        Training { method: Method::ScheduleFree, weight_decay: 0.1, warmup_steps: 2, ..Training::default() };
    let mut bench = Bench::new(training.clone());
    let start = bench.weight(MATRIX);
    let (mut x, mut z, mut y, mut v, mut sum) = (start, start, start, 0.0f64, 0.0f64);
    let (b1, b2) = training.adam_betas;
    for step in 1..=6 {
        let g = 0.3 * f64::from(step) - 0.8;
        let factor = training.rate_factor(step as u64 - 1);
        bench.step(g, 1.0, factor);
        v = b2 * v + (1.0 - b2) * g * g;
        let direction = g / ((v / (1.0 - b2.powi(step))).sqrt() + training.adam_eps) + 0.1 * y;
        z -= training.learning_rate * training.adam_share * factor * direction;
        sum += factor * factor;
        x += factor * factor / sum * (z - x);
        y = b1 * x + (1.0 - b1) * z;
        assert!((bench.weight(MATRIX) - y).abs() < 1e-6, "y at step {step}");
        assert!(
            (bench.entry(MATRIX, bench.optimizer.averaged().unwrap()) - x).abs() < 1e-6,
            "x at step {step}"
        );
    }
}

#[test]
fn the_exponential_average_follows_the_weights() {
    let mut bench = Bench::new(Training { ema: Some(0.9), ..Training::default() });
    let mut average = bench.weight(GAIN);
    for _ in 0..4 {
        bench.step(0.5, 1.0, 1.0);
        average = 0.9 * average + 0.1 * bench.weight(GAIN);
        assert!((bench.entry(GAIN, bench.optimizer.averaged().unwrap()) - average).abs() < 1e-6);
    }
    assert!(bench.optimizer.moments(&bench.layout).0.contains_key(&format!("ema.{GAIN}")));
}

/// An entry that growth has added takes the step that it would take in a new run.
#[test]
fn a_newborn_entry_corrects_its_bias_by_its_own_age() {
    let mut old = Bench::new(Training::default());
    (0..50).for_each(|_| old.step(0.2, 1.0, 1.0));
    let mut moments = old.optimizer.moments(&old.layout);
    for (name, value) in [("first_moment", 0.0), ("second_moment", 0.0), ("born", 50.0)] {
        let gain = moments
            .0
            .entry(format!("{name}.{GAIN}"))
            .or_insert(Array { shape: vec![32], data: vec![0.0; 32] });
        gain.data[0] = value;
    }
    let mut grown = Bench::after(Training::default(), &moments, 50);
    let mut fresh = Bench::new(Training::default());
    for _ in 0..5 {
        grown.step(0.2, 1.0, 1.0);
        fresh.step(0.2, 1.0, 1.0);
        assert!((grown.weight(GAIN) - fresh.weight(GAIN)).abs() < 1e-6);
    }
    let kept = grown.optimizer.moments(&grown.layout);
    assert_eq!(kept.0[&format!("born.{GAIN}")].data[..2], [50.0, 0.0]);
}

/// Without a clock of its own, an empty second moment late in a run would take steps several times too long.
#[test]
fn a_change_of_method_starts_clean() {
    let mut muon = Bench::new(Training::default());
    (0..50).for_each(|_| muon.step(0.2, 1.0, 1.0));
    let training = Training { method: Method::AdamW, weight_decay: 0.0, ..Training::default() };
    let mut adam = Bench::after(training.clone(), &muon.optimizer.moments(&muon.layout), 50);
    let before = adam.weight(MATRIX);
    adam.step(0.2, 1.0, 1.0);
    let moved = before - adam.weight(MATRIX);
    assert!((moved - training.learning_rate * training.adam_share).abs() < 1e-6, "{moved}");
}

#[test]
fn moments_come_back_by_name() {
    for training in [
        Training::default(),
        Training { method: Method::AdamW, ema: Some(0.99), ..Training::default() },
        Training { method: Method::ScheduleFree, ..Training::default() },
    ] {
        let mut bench = Bench::new(training.clone());
        bench.step(0.3, 1.0, 1.0);
        let moments = bench.optimizer.moments(&bench.layout);
        let has = |prefix: &str| moments.0.contains_key(&format!("{prefix}.{MATRIX}"));
        let method = training.method;
        assert_eq!(
            ["momentum", "first_moment", "second_moment", "ema", "z"].map(has),
            [
                method == Method::Muon,
                method == Method::AdamW,
                method != Method::Muon,
                method == Method::AdamW,
                method == Method::ScheduleFree
            ]
        );
        let mut master = bench.optimizer.kept(&bench.master).copy();
        let again = Optimizer::new(&bench.layout, &training, &mut master, &moments, 1, 1).unwrap();
        assert_eq!(again.moments(&bench.layout), moments);
        assert_eq!(master, bench.master, "the gradient is taken where it was");
    }
}
