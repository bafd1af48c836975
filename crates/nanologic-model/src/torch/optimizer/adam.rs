//! AdamW (Loshchilov and Hutter, 2019) and its schedule-free form (Defazio et al., 2024), a cache's worth at a time.

use std::ops::Range;

use tch::{Tensor, no_grad};

use super::{Slot, between};
use crate::torch::memory;

/// Entries that are worked on at a time: with their moments they stay in a core's cache.
const CHUNK: i64 = 1 << 15;

/// The entries it trains: stretches of the flat buffers, and whether they decay.
pub(super) struct Adam(Vec<(Range<i64>, bool)>);

/// What one step needs to know.
pub(super) struct Rates {
    pub rate: f64,
    /// What the gradient is multiplied by first.
    pub scale: f64,
    pub betas: (f64, f64),
    pub eps: f64,
    pub decay: f64,
    /// Steps taken, this one included.
    pub steps: u64,
    /// The weight of this step in the schedule-free average.
    pub average: Option<f64>,
}

/// Flat buffers, of equal length.
pub(super) struct State {
    pub weights: Tensor,
    pub gradient: Tensor,
    pub first: Tensor,
    pub second: Tensor,
    pub born: Option<Tensor>,
    /// z and x of the schedule-free form.
    pub free: Option<(Tensor, Tensor)>,
}

impl State {
    fn part(&self, from: i64, length: i64) -> State {
        let part = |flat: &Tensor| flat.narrow(0, from, length);
        State {
            weights: part(&self.weights),
            gradient: part(&self.gradient),
            first: part(&self.first),
            second: part(&self.second),
            born: self.born.as_ref().map(part),
            free: self.free.as_ref().map(|(z, x)| (part(z), part(x))),
        }
    }
}

impl Adam {
    pub fn new(slots: Vec<(Slot, bool)>) -> Adam {
        let mut stretches: Vec<(Range<i64>, bool)> = Vec::new();
        for (slot, decays) in slots {
            let range = slot.start..slot.start + slot.length;
            match stretches.last_mut() {
                Some((last, same)) if last.end == range.start && *same == decays => last.end = range.end,
                _ => stretches.push((range, decays)),
            }
        }
        Adam(stretches)
    }

    /// One step; each thread takes its share of the chunks.
    pub fn step(&self, state: &State, rates: &Rates, threads: usize) {
        let chunks = self.0.iter().flat_map(|(range, decays)| {
            range.clone().step_by(CHUNK as usize).map(|from| (from, CHUNK.min(range.end - from), *decays))
        });
        let chunks: Vec<(i64, i64, bool)> = chunks.collect();
        std::thread::scope(|scope| {
            for share in chunks.chunks(chunks.len().div_ceil(threads.max(1)).max(1)) {
                let state = state.part(0, state.weights.size()[0]);
                scope.spawn(move || {
                    memory::one_thread();
                    no_grad(|| {
                        for &(from, length, decays) in share {
                            let decay = if decays { rates.decay } else { 0.0 };
                            chunk(state.part(from, length), rates, decay);
                        }
                    });
                });
            }
        });
    }
}

fn chunk(state: State, rates: &Rates, decay: f64) {
    let State { weights: mut weight, gradient, mut first, mut second, born, free } = state;
    let (beta1, beta2) = rates.betas;
    let mut gradient = gradient * rates.scale;
    let _ = second.lerp_(&gradient.square(), 1.0 - beta2);
    // Entries younger than the run correct the bias of their moments by their own age.
    let unbiased = |moment: &Tensor, beta: f64| match &born {
        Some(born) => moment / -((born - rates.steps as f64) * -beta.ln()).expm1(),
        None => moment / (1.0 - beta.powf(rates.steps as f64)),
    };
    let root = unbiased(&second, beta2).sqrt_() + rates.eps;
    if let (Some((mut z, mut x)), Some(average)) = (free, rates.average) {
        gradient /= root;
        if decay > 0.0 {
            gradient += &weight * decay;
        }
        z -= gradient * rates.rate;
        let _ = x.lerp_(&z, average);
        weight.copy_(&between(&x, &z, beta1));
        return;
    }
    let _ = first.lerp_(&gradient, 1.0 - beta1);
    if decay > 0.0 {
        weight *= 1.0 - rates.rate * decay;
    }
    weight -= unbiased(&first, beta1) / root * rates.rate;
}
