//! Muon: momentum made orthogonal (Jordan et al., 2024).

use std::collections::BTreeMap;

use tch::{Kind as Number, Tensor, no_grad};

use super::Slot;
use crate::torch::memory;
use crate::torch::training::Training;

/// Coefficients of the quintic iteration that pushes all singular values towards 1.
const NEWTON_SCHULZ: (f64, f64, f64) = (3.4445, -4.7750, 2.0315);
const NEWTON_SCHULZ_STEPS: usize = 5;

/// The matrices it trains, those of equal shape together once the longer side lies across.
pub(super) struct Muon(Vec<Vec<Slot>>);

impl Slot {
    /// The matrix with its longer side across.
    fn wide(&self, flat: &Tensor) -> Tensor {
        let matrix = self.of(flat);
        if self.shape[0] > self.shape[1] { matrix.transpose(0, 1) } else { matrix }
    }
}

impl Muon {
    pub fn new(slots: Vec<Slot>) -> Muon {
        let mut groups: BTreeMap<(i64, i64), Vec<Slot>> = BTreeMap::new();
        for slot in slots {
            let (rows, columns) = (slot.shape[0], slot.shape[1]);
            groups.entry((rows.min(columns), rows.max(columns))).or_default().push(slot);
        }
        Muon(groups.into_values().collect())
    }

    /// One step along `gradient` times `scale`; each thread takes its share of every group.
    pub fn step(
        &self,
        master: &Tensor,
        gradient: &Tensor,
        scale: f64,
        momentum: &Tensor,
        rate: f64,
        training: &Training,
    ) {
        let threads = training.threads.max(1);
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let shares: Vec<&[Slot]> = self.0.iter().map(|group| share(group, thread, threads)).collect();
                if shares.iter().all(|share| share.is_empty()) {
                    continue;
                }
                let (master, gradient) = (master.shallow_clone(), gradient.shallow_clone());
                let momentum = momentum.shallow_clone();
                scope.spawn(move || {
                    memory::one_thread();
                    no_grad(|| {
                        for group in shares.into_iter().filter(|share| !share.is_empty()) {
                            matrices(group, &master, &gradient, scale, &momentum, rate, training);
                        }
                    });
                });
            }
        });
    }
}

/// The part of `all` that falls to a thread.
fn share<T>(all: &[T], thread: usize, threads: usize) -> &[T] {
    &all[all.len() * thread / threads..all.len() * (thread + 1) / threads]
}

/// One step on matrices of equal shape: momentum, Nesterov's look ahead, orthogonalisation, decoupled decay.
fn matrices(
    group: &[Slot],
    master: &Tensor,
    gradient: &Tensor,
    scale: f64,
    momentum: &Tensor,
    rate: f64,
    training: &Training,
) {
    let beta = training.muon_momentum;
    let ahead = |slot: &Slot| {
        let gradient = slot.wide(gradient) * scale;
        let mut momentum = slot.wide(momentum);
        let _ = momentum.lerp_(&gradient, 1.0 - beta);
        gradient.lerp(&momentum, beta)
    };
    let directions: Vec<Tensor> = group.iter().map(ahead).collect();
    let directions = orthogonalise(&Tensor::stack(&directions, 0), training.compute.number());
    for (slot, direction) in group.iter().zip(directions.unbind(0)) {
        let mut weight = slot.wide(master);
        let (rows, columns) = (slot.shape[0] as f64, slot.shape[1] as f64);
        weight *= 1.0 - rate * training.weight_decay;
        weight -= direction * (rate * (rows / columns).max(1.0).sqrt());
    }
}

/// Matrices (n, rows, columns), rows ≤ columns, with all singular values pushed to about 1.
fn orthogonalise(matrices: &Tensor, number: Number) -> Tensor {
    let (a, b, c) = NEWTON_SCHULZ;
    let norm = matrices.square().sum_dim_intlist([1i64, 2].as_slice(), true, None).sqrt();
    let mut x = (matrices / (norm + 1e-7)).to_kind(number);
    for _ in 0..NEWTON_SCHULZ_STEPS {
        let gram = x.bmm(&x.transpose(1, 2));
        let polynomial = &gram * b + gram.bmm(&gram) * c;
        x = &x * a + polynomial.bmm(&x);
    }
    x.to_kind(Number::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonalised_matrices_have_singular_values_near_one() {
        tch::manual_seed(1);
        let matrices = Tensor::randn([3, 8, 20], (Number::Float, tch::Device::Cpu));
        let x = orthogonalise(&matrices, Number::Float);
        let squared = x.bmm(&x.transpose(1, 2)).linalg_eigvalsh("L");
        assert!(squared.min().double_value(&[]) > 0.3 && squared.max().double_value(&[]) < 1.7, "{squared}");
    }

    #[test]
    fn every_matrix_falls_to_one_thread() {
        let all: Vec<usize> = (0..7).collect();
        let shared: Vec<usize> = (0..3).flat_map(|thread| share(&all, thread, 3)).copied().collect();
        assert_eq!(shared, all);
    }
}
