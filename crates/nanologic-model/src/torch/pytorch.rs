//! LibTorch and the reference against arrays that PyTorch and `transformers` computed.
//!
//! `tests/pytorch/make.py` made `tests/pytorch/arrays.safetensors` and says how; both sides draw the weights from one
//! formula.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use tch::{Device, Kind as Number, Tensor, no_grad};

use super::decoder::{self, Recompute, Scene};
use super::loss::{Head, Scored, terms};
use super::optimizer::Optimizer;
use super::parameters::{Layout, Leaves};
use super::{Compute, Loss, Method, Schedule, Training};
use crate::checkpoint::Array;
use crate::{Config, Reference, Weights};

#[derive(Deserialize)]
struct Inputs {
    ids: Vec<i64>,
    positions: Vec<i64>,
    documents: Vec<i64>,
    targets: Vec<i64>,
    smoothing: f64,
    z: f64,
}

impl Inputs {
    fn scored(&self, loss: &Loss) -> Scored {
        Scored::new(loss, &self.targets, &self.documents, &vec![1.0; self.targets.len()]).unwrap()
    }
}

struct Arrays {
    arrays: Weights,
    inputs: Inputs,
    /// Of each case its `config.json`, as make.py wrote it.
    json: BTreeMap<String, Value>,
    cases: BTreeMap<String, Config>,
}

impl Arrays {
    fn load() -> Arrays {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pytorch/arrays.safetensors");
        let (arrays, metadata) = Weights::read(&path).unwrap();
        let inputs = serde_json::from_str(&metadata["inputs"]).unwrap();
        let json = serde_json::from_str(&metadata["cases"]).unwrap();
        Arrays { arrays, inputs, json, cases: serde_json::from_str(&metadata["cases"]).unwrap() }
    }

    fn get(&self, name: &str) -> &Array {
        self.arrays.get(name).unwrap()
    }
}

/// `noisy` of make.py.
fn noisy(config: &Config) -> Weights {
    let mut weights = Weights::init(config, 0);
    for (n, array) in weights.0.values_mut().enumerate() {
        let centre = if array.shape.len() < 2 { 1.0 } else { 0.0 };
        for (i, x) in array.data.iter_mut().enumerate() {
            let hash = (i as u64 * 2_654_435_761 + n as u64 * 40_503 + 12_345) & 0xffff_ffff;
            let hash = ((hash ^ (hash >> 15)) * 2_246_822_519) & 0xffff_ffff;
            *x = (((hash ^ (hash >> 13)) % 1024) as f64 / 1024.0 - 0.5 + centre) as f32;
        }
    }
    weights
}

/// Euclidean distance as a share of what is expected.
#[track_caller]
fn assert_close(what: &str, found: &[f32], expected: &[f32], within: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let square = |x: f32| f64::from(x) * f64::from(x);
    let distance: f64 = found.iter().zip(expected).map(|(a, b)| square(a - b)).sum();
    let share = (distance / expected.iter().map(|&x| square(x)).sum::<f64>()).sqrt();
    assert!(share <= within, "{what}: {share}");
}

fn values(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.to_kind(Number::Float).contiguous().view([-1])).unwrap()
}

fn row(values: &[i64]) -> Tensor {
    Tensor::from_slice(values).unsqueeze(0)
}

fn ids(inputs: &Inputs) -> Vec<u32> {
    inputs.ids.iter().map(|&id| id as u32).collect()
}

/// Logits of the packed row, and the gradient of its mean cross-entropy by name.
fn libtorch(config: &Config, inputs: &Inputs) -> (Tensor, f64, Weights) {
    let layout = Layout::new(config);
    let flat = layout.flatten(&noisy(config), str::to_owned).unwrap();
    let leaves = Leaves::new(config, &layout, &flat, &flat, true);
    let scene = Scene::packed(config, &row(&inputs.positions), &row(&inputs.documents), Number::Float);
    let (mut logits, mut loss, mut of_head) = (None, 0.0, None);
    let gradients =
        decoder::gradients(config, &leaves, &row(&inputs.ids), &scene, Recompute::Nothing, |hidden| {
            let hidden = hidden.squeeze_dim(0);
            logits = Some(decoder::logits(config, &leaves, &hidden).detach());
            let head = Head { weights: &leaves.head, cap: config.options.output_cap };
            let scored = inputs.scored(&Loss::default());
            let tokens = inputs.targets.len() as f64;
            let h = decoder::before_head(config, &leaves, &hidden);
            let terms = terms(&Loss::default(), &head, &h, &scored, 1.0 / tokens);
            loss = terms.objective / tokens;
            of_head = Some(terms.head);
            terms.surrogate
        });
    let gradients = leaves.with_head(gradients, of_head.unwrap());
    let flat = flat.zeros_like();
    Leaves::sum_gradients(&flat, vec![gradients], false).unwrap();
    (logits.unwrap(), loss, layout.unflatten(&flat, |spec| Some(spec.name.clone())))
}

#[test]
fn logits_losses_and_every_gradient_are_pytorchs() {
    let pytorch = Arrays::load();
    for (case, config) in &pytorch.cases {
        let (logits, loss, gradients) = libtorch(config, &pytorch.inputs);
        let expected = pytorch.get(&format!("{case}/logits"));
        assert_close(case, &values(&logits), &expected.data, 1e-5);
        let expected = f64::from(pytorch.get(&format!("{case}/losses")).data[0]);
        assert!((loss - expected).abs() < 1e-5 * expected, "{case}: {loss} {expected}");
        let mut numbers: BTreeMap<&str, (Vec<f32>, Vec<f32>)> = BTreeMap::new();
        for (name, gradient) in &gradients.0 {
            let expected = pytorch.get(&format!("{case}/gradient/{name}"));
            assert_eq!(gradient.shape, expected.shape, "{case}: {name}");
            if gradient.shape.is_empty() {
                // A number a layer: together they are one vector over the layers.
                let kind = name.rsplit('.').next().unwrap_or(name);
                let (found, wanted) = numbers.entry(kind).or_default();
                found.extend(&gradient.data);
                wanted.extend(&expected.data);
            } else {
                assert_close(&format!("{case}: {name}"), &gradient.data, &expected.data, 1e-5);
            }
        }
        for (kind, (found, wanted)) in numbers {
            assert_close(&format!("{case}: {kind}"), &found, &wanted, 1e-5);
        }
    }
}

#[test]
fn the_reference_gives_pytorchs_logits() {
    let pytorch = Arrays::load();
    for (case, config) in &pytorch.cases {
        let expected = pytorch.get(&format!("{case}/logits"));
        let model = Reference::<f64>::new(config, &noisy(config)).unwrap();
        let ids = ids(&pytorch.inputs);
        let second = pytorch.inputs.documents.iter().position(|&document| document == 1).unwrap();
        let logits = [model.logits(&ids[..second]).unwrap(), model.logits(&ids[second..]).unwrap()].concat();
        let logits: Vec<f32> = logits.into_iter().map(|x| x as f32).collect();
        assert_close(case, &logits, &expected.data, 1e-6);
    }
}

/// What `Qwen3ForCausalLM` and `LlamaForCausalLM` said of a folder with these weights and this `config.json`.
#[test]
fn transformers_runs_the_portable_folder_to_the_same_logits() {
    let pytorch = Arrays::load();
    for case in ["portable", "llama"] {
        let config = &pytorch.cases[case];
        // The folder that transformers was given says nothing that ours would not.
        let written = serde_json::to_value(config).unwrap();
        for (key, value) in pytorch.json[case].as_object().unwrap() {
            assert_eq!(&written[key], value, "{case}: {key}");
        }
        let expected = pytorch.get(&format!("transformers/{case}"));
        let whole: Vec<i64> = (0..expected.shape[0] as i64).collect();
        let one = Inputs {
            ids: pytorch.inputs.ids.clone(),
            documents: vec![0; whole.len()],
            positions: whole,
            targets: pytorch.inputs.targets.clone(),
            ..pytorch.inputs
        };
        let ours = values(&libtorch(config, &one).0);
        let most = ours.iter().zip(&expected.data).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most < 1e-4, "{case}: {most}");
        let reference = Reference::<f32>::new(config, &noisy(config)).unwrap().logits(&ids(&one)).unwrap();
        let most = reference.iter().zip(&expected.data).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most < 1e-4, "{case}, by the reference: {most}");
    }
}

/// `tensor` of make.py.
fn formula(seed: usize, length: usize) -> Vec<f32> {
    (0..length).map(|i| (((i * 7919 + seed * 104_729) % 1009) as f64 / 1009.0 - 0.5) as f32).collect()
}

/// The tensor `name` of a decoder with (6, 10) queries after five steps; the average where there is one.
fn five_steps(name: &str, training: &Training) -> Vec<f32> {
    let config =
        Config { d_model: 10, n_heads: 3, n_kv_heads: 3, head_dim: 2, n_layers: 1, ..Config::tiny() };
    let layout = Layout::new(&config);
    let flat = |seed: usize| {
        let mut all = Weights::init(&config, 1);
        let array = all.0.get_mut(name).unwrap();
        array.data = formula(seed, array.data.len());
        layout.flatten(&all, str::to_owned).unwrap()
    };
    let mut master = flat(0);
    let mut optimizer = Optimizer::new(&layout, training, &mut master, &Weights::default(), 0, 0).unwrap();
    for step in 1..=5 {
        let factor = training.rate_factor(step - 1);
        no_grad(|| optimizer.step(&mut master, &flat(step as usize), 1.0, factor, training));
    }
    let trained = optimizer.averaged().unwrap_or(&master);
    layout.unflatten(trained, |spec| Some(spec.name.clone())).get(name).unwrap().data.clone()
}

#[test]
fn five_steps_of_every_optimizer_are_pytorchs() {
    const WIDE: &str = "model.layers.0.self_attn.q_proj.weight";
    const TALL: &str = "model.layers.0.self_attn.o_proj.weight";
    let pytorch = Arrays::load();
    let muon = Training {
        steps: 100,
        method: Method::Muon,
        learning_rate: 0.02,
        muon_momentum: 0.95,
        weight_decay: 0.01,
        warmup_steps: 0,
        schedule: Schedule::Constant,
        compute: Compute::Fp32,
        ..Training::default()
    };
    let adamw = Training {
        method: Method::AdamW,
        learning_rate: 0.01,
        adam_share: 1.0,
        adam_betas: (0.9, 0.98),
        adam_eps: 1e-8,
        weight_decay: 0.1,
        ..muon.clone()
    };
    let free = Training { method: Method::ScheduleFree, weight_decay: 0.0, ..adamw.clone() };
    let warm = Training { warmup_steps: 3, weight_decay: 0.1, ..free.clone() };
    for (array, name, training) in [
        ("muon_wide", WIDE, &muon),
        ("muon_tall", TALL, &muon),
        ("adamw", WIDE, &adamw),
        ("schedulefree", WIDE, &free),
        ("schedulefree_warmup_decay", WIDE, &warm),
    ] {
        let expected = pytorch.get(&format!("optimizer/{array}"));
        assert_close(array, &five_steps(name, training), &expected.data, 1e-5);
    }
}

#[test]
fn smoothing_and_z_loss_are_pytorchs() {
    let pytorch = Arrays::load();
    let Inputs { targets, smoothing, z, .. } = &pytorch.inputs;
    let loss = Loss { label_smoothing: *smoothing, z: *z, ..Loss::default() };
    for (case, config) in &pytorch.cases {
        let (logits, ..) = libtorch(config, &pytorch.inputs);
        // Logits as they are.
        let head = Head { weights: &Tensor::eye(logits.size()[1], (Number::Float, Device::Cpu)), cap: None };
        let terms = terms(&loss, &head, &logits, &pytorch.inputs.scored(&loss), 1.0);
        let expected = &pytorch.get(&format!("{case}/losses")).data;
        for (found, &expected) in [terms.cross_entropy, terms.objective].iter().zip(expected) {
            let (found, expected) = (found / targets.len() as f64, f64::from(expected));
            assert!((found - expected).abs() < 1e-5 * expected, "{case}: {found} {expected}");
        }
    }
}
