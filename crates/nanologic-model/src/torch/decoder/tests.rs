//! LibTorch against the reference, packed against alone, cached against whole, recomputed against kept: for every
//! option.

use tch::{Device, no_grad};

use super::*;
use crate::config::each_option;
use crate::torch::noise::Regularization;
use crate::torch::parameters::Layout;
use crate::{Reference, Weights};

/// Each option alone and all together, then the shapes that attention treats apart.
fn configs() -> Vec<(&'static str, Config)> {
    let mut all = each_option();
    let with_all = all.last().expect("there are options").1.clone();
    all.push((
        "one key a query, untied, no QK-norm",
        Config { n_kv_heads: 4, tied: false, qk_norm: false, ..with_all },
    ));
    all.push(("one key for all", Config { n_kv_heads: 1, ..Config::tiny() }));
    all.push(("one key a query", Config { n_kv_heads: 4, qk_norm: false, ..Config::tiny() }));
    all
}

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

fn leaves(config: &Config, gradients: bool) -> Leaves {
    let layout = Layout::new(config);
    let flat = layout.flatten(&noisy(config), str::to_owned).unwrap();
    Leaves::new(config, &layout, &flat, &flat, gradients)
}

fn tokens(n: usize) -> Vec<u32> {
    (0..n).map(|i| (i * i * 7 + i * 11) as u32 % 64).collect()
}

fn ids(tokens: &[u32]) -> Tensor {
    Tensor::from_slice(&tokens.iter().map(|&id| i64::from(id)).collect::<Vec<_>>()).unsqueeze(0)
}

/// Positions (1, n) of documents of these lengths, and which document each belongs to.
fn documents(lengths: &[i64]) -> (Tensor, Tensor) {
    let position: Vec<i64> = lengths.iter().flat_map(|&n| 0..n).collect();
    let document: Vec<i64> = (0..).zip(lengths).flat_map(|(at, &n)| vec![at; n as usize]).collect();
    (Tensor::from_slice(&position).unsqueeze(0), Tensor::from_slice(&document).unsqueeze(0))
}

fn scene(config: &Config, lengths: &[i64]) -> Scene {
    let (position, document) = documents(lengths);
    Scene::packed(config, &position, &document, Number::Float)
}

/// Logits (T, V) of documents of these lengths in one row.
fn packed_logits(config: &Config, tokens: &[u32], lengths: &[i64]) -> Vec<f64> {
    let leaves = leaves(config, false);
    let scene = scene(config, lengths);
    values(&no_grad(|| logits(config, &leaves, &hidden(config, &leaves, &ids(tokens), &scene, None))))
}

fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.to_kind(Number::Double).contiguous().view([-1])).unwrap()
}

#[track_caller]
fn assert_close(name: &str, ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len(), "{name}");
    let largest = theirs.iter().fold(0f64, |most, x| most.max(x.abs()));
    let most = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(most <= 1e-5 * largest, "{name}: {most} of {largest}");
}

#[test]
fn libtorch_equals_the_reference() {
    for (name, config) in configs() {
        let tokens = tokens(50);
        let reference = Reference::<f64>::new(&config, &noisy(&config)).unwrap().logits(&tokens).unwrap();
        assert_close(name, &packed_logits(&config, &tokens, &[50]), &reference);
    }
}

#[test]
fn documents_in_one_row_are_as_each_alone() {
    let lengths = [13, 1, 20, 6];
    for (name, config) in configs() {
        let tokens = tokens(40);
        let packed = packed_logits(&config, &tokens, &lengths);
        let mut from = 0;
        let mut alone = Vec::new();
        for length in lengths {
            let document = &tokens[from..from + length as usize];
            alone.extend(packed_logits(&config, document, &[length]));
            from += length as usize;
        }
        assert_close(name, &packed, &alone);
    }
}

#[test]
fn tokens_one_by_one_through_the_cache_are_as_all_at_once() {
    for (name, config) in configs() {
        let (tokens, leaves) = (tokens(20), leaves(&config, false));
        let whole = packed_logits(&config, &tokens, &[20]);
        let mut past = Vec::new();
        let mut cached = Vec::new();
        for part in [0..9, 9..10, 10..14, 14..20] {
            let (from, to) = (part.start as i64, part.end as i64);
            let position = Tensor::arange_start(from, to, (Number::Int64, Device::Cpu)).unsqueeze(0);
            let keys = Tensor::arange(to, (Number::Int64, Device::Cpu));
            let seen = keys.le_tensor(&position.unsqueeze(-1)); // (1, T, S)
            let scene = Scene::new(&config, &position, &seen, Number::Float);
            let part = ids(&tokens[part]);
            cached.extend(no_grad(|| {
                values(&logits(&config, &leaves, &hidden(&config, &leaves, &part, &scene, Some(&mut past))))
            }));
        }
        assert_close(name, &cached, &whole);
    }
}

#[test]
fn blocks_computed_again_give_the_gradients_of_blocks_kept() {
    let regularization = Regularization { dropout: 0.2, stochastic_depth: 0.4 };
    for (name, config) in configs() {
        let leaves = leaves(&config, true);
        let scene = scene(&config, &[13, 7]);
        let scene = scene.with_noise(Noise::new(regularization, config.n_layers, 1, 2, 3));
        let of = |recompute| {
            let objective = |hidden: &Tensor| logits(&config, &leaves, hidden).square().mean(Number::Float);
            gradients(&config, &leaves, &ids(&tokens(20)), &scene, recompute, objective)
        };
        let (kept, again) = (of(Recompute::Nothing), of(Recompute::Blocks));
        assert_eq!((kept.len(), again.len()), (leaves.in_order().len(), leaves.in_order().len()));
        for (kept, again) in kept.iter().zip(&again) {
            assert_close(name, &values(again), &values(kept));
        }
    }
}

#[test]
fn bf16_is_near_fp32_with_every_option() {
    for (name, config) in configs() {
        let layout = Layout::new(&config);
        let flat = layout.flatten(&noisy(&config), str::to_owned).unwrap();
        let leaves = Leaves::new(&config, &layout, &flat, &flat.to_kind(Number::BFloat16), false);
        let (position, document) = documents(&[30]);
        let scene = Scene::packed(&config, &position, &document, Number::BFloat16);
        let half = no_grad(|| {
            values(&logits(&config, &leaves, &hidden(&config, &leaves, &ids(&tokens(30)), &scene, None)))
        });
        let single = packed_logits(&config, &tokens(30), &[30]);
        let norm = |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>().sqrt();
        let apart: Vec<f64> = half.iter().zip(&single).map(|(a, b)| a - b).collect();
        let share = norm(&apart) / norm(&single);
        assert!(share < 0.05, "{name}: {share}");
    }
}
