//! The likeliest answers to one prompt: beam search with a KV cache.

use tch::{Device, Kind as Number, Tensor};

use super::decoder::{self, Scene};
use super::generate::{Constraint, Generated, Prompt};
use super::parameters::Leaves;
use crate::config::Config;

/// An answer so far.
struct Beginning<C> {
    generated: Generated,
    constraint: C,
}

/// The likeliest `n` complete answers, likeliest first.
pub(super) fn search<C: Constraint + Clone>(
    config: &Config,
    leaves: &Leaves,
    prompt: Prompt<C>,
    n: usize,
    max_tokens: usize,
) -> Vec<Generated> {
    let mut complete: Vec<Generated> = Vec::new();
    let nothing = Generated { ids: Vec::new(), log_probabilities: Vec::new() };
    let mut live = vec![Beginning { generated: nothing, constraint: prompt.constraint }];
    let mut past = Vec::new();
    // What goes into the model next: for each beginning (or once, the prompt) a row.
    let ids: Vec<i64> = prompt.ids.iter().map(|&id| i64::from(id)).collect();
    let mut next = Tensor::from_slice(&ids).unsqueeze(0);
    let mut seen = 0;
    for _ in 0..max_tokens {
        let scores = log_probabilities(config, leaves, &next, seen, &mut past);
        seen += next.size()[1];
        let mut grown = candidates(&live, &scores, config.vocab_size);
        grown.truncate(n);
        let parents: Vec<i64> = grown.iter().map(|candidate| candidate.parent as i64).collect();
        let mut rows = Vec::new();
        let mut still = Vec::new();
        for (candidate, parent) in grown.into_iter().zip(parents) {
            let begun = &live[candidate.parent];
            let mut constraint = begun.constraint.clone();
            constraint.accept(candidate.id);
            let mut generated = begun.generated.clone();
            generated.ids.push(candidate.id);
            generated.log_probabilities.push(candidate.log_probability - begun.generated.log_probability());
            if constraint.allowed().is_empty() {
                complete.push(generated);
            } else {
                still.push(Beginning { generated, constraint });
                rows.push(parent);
            }
        }
        complete.sort_by(|a, b| b.log_probability().total_cmp(&a.log_probability()));
        complete.truncate(n);
        let worst = complete.get(n.saturating_sub(1)).map(Generated::log_probability);
        let hope = still.first().map(|first| first.generated.log_probability());
        live = still;
        if hope.is_none_or(|hope| worst.is_some_and(|worst| hope <= worst)) {
            break;
        }
        let rows = Tensor::from_slice(&rows);
        for past in past.iter_mut().flatten() {
            past.keys = past.keys.index_select(0, &rows);
            past.values = past.values.index_select(0, &rows);
        }
        let last = |beginning: &Beginning<C>| beginning.generated.ids.last().map_or(0, |&id| i64::from(id));
        next = Tensor::from_slice(&live.iter().map(last).collect::<Vec<_>>()).unsqueeze(1);
    }
    complete
}

/// One token more.
struct Candidate {
    parent: usize,
    id: u32,
    log_probability: f64,
}

/// Every allowed continuation, likeliest first.
fn candidates<C: Constraint>(live: &[Beginning<C>], scores: &[f32], vocab_size: usize) -> Vec<Candidate> {
    let mut all = Vec::new();
    for (parent, (beginning, scores)) in live.iter().zip(scores.chunks_exact(vocab_size)).enumerate() {
        let before = beginning.generated.log_probability();
        all.extend(beginning.constraint.allowed().into_iter().map(|id| {
            let log_probability = before + f64::from(scores[id as usize]);
            Candidate { parent, id, log_probability }
        }));
    }
    all.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability));
    all
}

/// After the last token of each row of `ids` (B, T), which stands behind `seen` tokens of `past`: (B, V), row-major.
fn log_probabilities(
    config: &Config,
    leaves: &Leaves,
    ids: &Tensor,
    seen: i64,
    past: &mut Vec<Option<super::attention::Past>>,
) -> Vec<f32> {
    let (b, t) = ids.size2().expect("ids are rows of tokens");
    let position = Tensor::arange_start(seen, seen + t, (Number::Int64, Device::Cpu)).unsqueeze(0);
    let keys = Tensor::arange(seen + t, (Number::Int64, Device::Cpu));
    let scene = Scene::new(config, &position, &keys.le_tensor(&position.unsqueeze(-1)), Number::Float);
    let hidden = decoder::hidden(config, leaves, ids, &scene, Some(past)).select(1, t - 1); // (B, d)
    let scores = decoder::logits(config, leaves, &hidden).log_softmax(-1, Number::Float).view([-1]);
    let mut values = vec![0f32; b as usize * config.vocab_size];
    let n = values.len();
    scores.copy_data(&mut values, n);
    values
}
