//! The proof that nothing was lost.
//!
//! In `f64`, with the grown weights computed and not rounded, logits may differ by 10⁻¹⁰ of the largest one: that
//! proves the algebra. In `f32`, with the weights as they are stored, by four times what `f32` arithmetic does to
//! the small model itself: that proves the file.

use serde::{Deserialize, Serialize};

use crate::{
    architecture::Architecture,
    axis::Axis,
    error::GrowthError,
    forward::{Forward, Precision},
    operator::Preservation,
    plan::GrowthPlan,
    tensor::TensorSource,
};

/// What was measured on the probes. Logits are compared for the tokens that both models know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// Token sequences tried.
    pub probes: usize,
    /// Tokens in them.
    pub tokens: usize,
    /// The largest logit of the small model, as an absolute value.
    pub largest_logit: f64,
    /// Largest difference of a logit in `f64`, grown weights not rounded.
    pub max_logit_delta_f64: f64,
    /// Largest difference of a logit in `f32`, grown weights as stored.
    pub max_logit_delta_f32: f64,
    /// Largest difference between the small model's own logits in `f32` and in `f64`.
    pub own_rounding_f32: f64,
}

/// How far logits may move.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tolerance {
    /// In `f64`, as a share of the largest logit.
    pub f64: f64,
    /// In `f32`, in units of the small model's own rounding.
    pub f32: f64,
}

impl Default for Tolerance {
    fn default() -> Tolerance {
        Tolerance { f64: 1e-10, f32: 4.0 }
    }
}

impl Proof {
    /// Runs both models on the probes: `before` grown by `plan` in memory, and `stored` as it was written.
    ///
    /// # Errors
    /// [`GrowthError::Forward`]; [`GrowthError::NoProbes`] where there is nothing to compare.
    pub fn measure<A: Architecture, F: Forward<A>>(
        plan: &GrowthPlan<A>,
        before: &dyn TensorSource,
        stored: &dyn TensorSource,
        forward: &F,
        probes: &[Vec<u32>],
    ) -> Result<Proof, GrowthError> {
        let run = |config: &A, weights: &dyn TensorSource, precision| {
            let logits = forward.logits(config, weights, probes, precision);
            logits.map_err(|error| GrowthError::Forward(Box::new(error)))
        };
        let old_f64 = run(plan.from(), before, Precision::F64)?;
        let old_f32 = run(plan.from(), before, Precision::F32)?;
        let new_f64 = run(plan.to(), &plan.grown(before), Precision::F64)?;
        let new_f32 = run(plan.to(), stored, Precision::F32)?;
        let (small, large) = (plan.from().size(Axis::Vocabulary), plan.to().size(Axis::Vocabulary));
        let tokens = probes.iter().map(Vec::len).sum();
        let all = [(&old_f64, small), (&old_f32, small), (&new_f64, large), (&new_f32, large)];
        let whole = |(logits, each): &(&Vec<Vec<f64>>, usize)| {
            logits.iter().map(Vec::len).sum::<usize>() == tokens * each
        };
        if tokens == 0 || !all.iter().all(whole) {
            return Err(GrowthError::NoProbes);
        }
        Ok(Proof {
            probes: probes.len(),
            tokens,
            largest_logit: old_f64.iter().flatten().fold(0.0, |most, v| worse(most, v.abs())),
            max_logit_delta_f64: most_apart((&old_f64, small), (&new_f64, large)),
            max_logit_delta_f32: most_apart((&old_f32, small), (&new_f32, large)),
            own_rounding_f32: most_apart((&old_f64, small), (&old_f32, small)),
        })
    }

    /// Holds the measurement to what the growth claims. A lossy growth claims nothing but numbers.
    ///
    /// # Errors
    /// [`GrowthError::LogitsMoved`], also for a logit that is not a number.
    pub fn check(&self, claim: Preservation, tolerance: Tolerance) -> Result<(), GrowthError> {
        let share = match claim {
            Preservation::Exact => 0.0,
            Preservation::Bounded(share) => share,
            Preservation::Lossy => f64::MAX.sqrt(),
        };
        // No arithmetic beats one rounding of the largest logit.
        let rounding = self.own_rounding_f32.max(f64::from(f32::EPSILON) * self.largest_logit);
        let limits = [
            (Precision::F64, self.max_logit_delta_f64, (share + tolerance.f64) * self.largest_logit),
            (Precision::F32, self.max_logit_delta_f32, share * self.largest_logit + tolerance.f32 * rounding),
        ];
        for (precision, delta, limit) in limits {
            // Written so that a logit that is not a number is refused too.
            let within = delta <= limit;
            if !within {
                return Err(GrowthError::LogitsMoved { precision, delta, limit });
            }
        }
        Ok(())
    }
}

/// Random token sequences, the same for the same seed.
pub fn random_probes(vocabulary: usize, count: usize, length: usize, seed: u64) -> Vec<Vec<u32>> {
    use rand_chacha::rand_core::{Rng, SeedableRng};
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut token = || (rng.next_u64() % vocabulary.max(1) as u64) as u32;
    (0..count).map(|_| (0..length).map(|_| token()).collect()).collect()
}

/// The largest difference between rows of logits, over the columns that both have.
fn most_apart((old, old_width): (&[Vec<f64>], usize), (new, new_width): (&[Vec<f64>], usize)) -> f64 {
    let rows = |all: &[Vec<f64>], width: usize| -> Vec<Vec<f64>> {
        all.iter().flat_map(|probe| probe.chunks(width.max(1)).map(<[f64]>::to_vec)).collect()
    };
    let pairs = rows(old, old_width).into_iter().zip(rows(new, new_width));
    pairs.flat_map(|(old, new)| old.into_iter().zip(new)).fold(0.0, |most, (a, b)| worse(most, (a - b).abs()))
}

/// The larger one; not a number once one of them is not.
fn worse(a: f64, b: f64) -> f64 {
    if a >= b || a.is_nan() { a } else { b }
}
