//! Channels that cannot learn.
//!
//! A channel whose producers and consumers are all zero gets no gradient, ever: it is *trapped*. Two channels with
//! the same producers and the same consumers get the same gradients and stay *twins*. Both are found in one pass
//! over the weights, by a fingerprint a channel and side.

use std::collections::BTreeMap;

use crate::{
    architecture::{Architecture, TensorSpec},
    axis::{Axis, Role},
    error::GrowthError,
    tensor::TensorSource,
};

/// How many channels of a model cannot learn, or not on their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Idle {
    /// Channels with zeros on both sides.
    pub trapped: usize,
    /// Channels that repeat another one on both sides.
    pub twins: usize,
}

/// What one side of a channel holds: 0 where it is zero.
type Fingerprint = u64;

#[derive(Clone, Default)]
struct Channel {
    produced: Fingerprint,
    consumed: Fingerprint,
}

/// Looks at every channel of the residual stream, the feed-forward blocks, the query heads and the value dimensions.
///
/// # Errors
/// Those of the source; [`GrowthError::WrongLength`] for a tensor that is not the configuration's.
pub fn idle_channels<A: Architecture>(config: &A, weights: &dyn TensorSource) -> Result<Idle, GrowthError> {
    let mut channels: BTreeMap<(Axis, Option<usize>), Vec<Channel>> = BTreeMap::new();
    for (number, tensor) in config.tensors().iter().enumerate() {
        let values = weights.read(&tensor.name)?.values;
        if values.len() != tensor.len() {
            let (name, expected) = (tensor.name.clone(), tensor.len());
            return Err(GrowthError::WrongLength { name, expected, found: values.len() });
        }
        for (at, used) in tensor.axes.iter().enumerate() {
            let scope = match used.axis {
                Axis::Residual => None,
                Axis::FeedForward | Axis::QueryHead | Axis::ValueDim => tensor.layer,
                _ => continue,
            };
            let (produces, consumes) = match used.role {
                Role::Producer => (true, false),
                Role::Consumer => (false, true),
                Role::Tied => (true, true),
                _ => continue,
            };
            let all = channels.entry((used.axis, scope)).or_default();
            all.resize(used.size.max(all.len()), Channel::default());
            for (channel, print) in all.iter_mut().zip(fingerprints(tensor, at, number as u64, &values)) {
                channel.produced = channel.produced.wrapping_add(if produces { print } else { 0 });
                channel.consumed = channel.consumed.wrapping_add(if consumes { print } else { 0 });
            }
        }
    }
    let mut idle = Idle::default();
    for all in channels.into_values() {
        let mut seen = std::collections::BTreeSet::new();
        for Channel { produced, consumed } in all {
            if produced == 0 && consumed == 0 {
                idle.trapped += 1;
            } else if !seen.insert((produced, consumed)) {
                idle.twins += 1;
            }
        }
    }
    Ok(idle)
}

/// For each channel along axis `at`, a sum of its values' bits times a number that depends on their places.
fn fingerprints(tensor: &TensorSpec, at: usize, number: u64, values: &[f32]) -> Vec<Fingerprint> {
    let size = tensor.axes[at].size;
    let inner: usize = tensor.axes[at + 1..].iter().map(|used| used.size).product();
    let mut prints = vec![0u64; size];
    for (outer, block) in values.chunks_exact((size * inner).max(1)).enumerate() {
        for (print, slice) in prints.iter_mut().zip(block.chunks_exact(inner.max(1))) {
            for (place, value) in slice.iter().enumerate() {
                // -0 and 0 are the same value.
                let bits = u64::from((value + 0.0).to_bits());
                let place = number << 40 ^ (outer * inner + place) as u64;
                *print = print.wrapping_add(bits.wrapping_mul(scramble(place) | 1));
            }
        }
    }
    prints
}

/// SplitMix64's finaliser.
fn scramble(x: u64) -> u64 {
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}
