//! Muon for the hidden matrices, AdamW for embeddings and gains, with state that has names.

use std::collections::BTreeMap;

use tch::{Kind as Number, Tensor};

use super::parameters::Layout;
use super::training::Training;
use crate::axes::{Group, TensorSpec};
use crate::checkpoint::{Array, Weights};
use crate::error::Error;

/// Coefficients of the quintic iteration that pushes all singular values towards 1 (Jordan et al., Muon, 2024).
const NEWTON_SCHULZ: (f64, f64, f64) = (3.4445, -4.7750, 2.0315);
const NEWTON_SCHULZ_STEPS: usize = 5;

/// The state of both optimizers, flat beside the weights.
pub(super) struct Optimizer {
    /// Muon's momentum where a tensor is a hidden matrix, AdamW's first moment elsewhere.
    first: Tensor,
    /// AdamW's second moment; zero and unused where a tensor is a hidden matrix.
    second: Tensor,
    /// Steps that the moments have seen.
    pub steps: u64,
    /// Hidden matrices that are orthogonalised together: equal shapes once the longer side lies across.
    hidden: Vec<Vec<Slot>>,
    rest: Vec<Slot>,
}

struct Slot {
    start: i64,
    length: i64,
    shape: Vec<i64>,
}

impl Slot {
    fn of(&self, flat: &Tensor) -> Tensor {
        flat.narrow(0, self.start, self.length).view(self.shape.as_slice())
    }

    fn is_tall(&self) -> bool {
        self.shape[0] > self.shape[1]
    }

    /// The matrix with its longer side across.
    fn wide(&self, flat: &Tensor) -> Tensor {
        let matrix = self.of(flat);
        if self.is_tall() { matrix.transpose(0, 1) } else { matrix }
    }
}

impl Optimizer {
    /// Takes over moments by name; those missing start at zero.
    ///
    /// # Errors
    /// [`Error::Shape`] when a moment does not have the shape of its tensor.
    pub fn new(layout: &Layout, moments: &Weights, steps: u64) -> Result<Optimizer, Error> {
        let mut hidden: BTreeMap<(i64, i64), Vec<Slot>> = BTreeMap::new();
        let mut rest = Vec::new();
        for (spec, start) in &layout.specs {
            let shape: Vec<i64> = spec.shape.iter().map(|&n| n as i64).collect();
            let slot = Slot { start: *start as i64, length: spec.elements() as i64, shape };
            match spec.kind.group() {
                Group::Hidden => {
                    let (rows, columns) = (slot.shape[0], slot.shape[1]);
                    hidden.entry((rows.min(columns), rows.max(columns))).or_default().push(slot);
                }
                Group::Embedding | Group::Gain => rest.push(slot),
            }
        }
        let first = Weights(
            layout
                .specs
                .iter()
                .filter_map(|(spec, _)| by_plain_name(spec, first_name(spec), moments))
                .collect(),
        );
        Ok(Optimizer {
            first: layout.flatten(&first, str::to_owned)?,
            second: layout.flatten(moments, |name| format!("second_moment.{name}"))?,
            steps,
            hidden: hidden.into_values().collect(),
            rest,
        })
    }

    /// The moments by name, as a checkpoint keeps them.
    pub fn moments(&self, layout: &Layout) -> Weights {
        let mut moments = layout.unflatten(&self.first, |spec| Some(first_name(spec)));
        let second = layout.unflatten(&self.second, |spec| {
            (spec.kind.group() != Group::Hidden).then(|| format!("second_moment.{}", spec.name))
        });
        moments.0.extend(second.0);
        moments
    }

    /// One step on the flat `master`, at `factor` times the rates of `training`.
    pub fn step(&mut self, master: &mut Tensor, gradient: &Tensor, factor: f64, training: &Training) {
        self.steps += 1;
        let rate = training.learning_rate * factor;
        for group in &self.hidden {
            muon(group, master, gradient, &self.first, rate, training);
        }
        for slot in &self.rest {
            let (mut weight, gradient) = (slot.of(master), slot.of(gradient));
            let (mut first, mut second) = (slot.of(&self.first), slot.of(&self.second));
            let (beta1, beta2) = training.adam_betas;
            let _ = first.lerp_(&gradient, 1.0 - beta1);
            let _ = second.lerp_(&gradient.square(), 1.0 - beta2);
            let steps = self.steps as f64;
            let root = (&second / (1.0 - beta2.powf(steps))).sqrt() + training.adam_eps;
            weight -= &first / root * (rate * training.adam_share / (1.0 - beta1.powf(steps)));
        }
    }
}

/// One Muon step on matrices of equal shape: momentum, Nesterov's look ahead, orthogonalisation, decoupled decay.
fn muon(
    group: &[Slot],
    master: &Tensor,
    gradient: &Tensor,
    momentum: &Tensor,
    rate: f64,
    training: &Training,
) {
    let beta = training.muon_momentum;
    let ahead = |slot: &Slot| {
        let gradient = slot.wide(gradient);
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

fn first_name(spec: &TensorSpec) -> String {
    let prefix = if spec.kind.group() == Group::Hidden { "momentum" } else { "first_moment" };
    format!("{prefix}.{}", spec.name)
}

fn by_plain_name(spec: &TensorSpec, moment: String, moments: &Weights) -> Option<(String, Array)> {
    Some((spec.name.clone(), moments.0.get(&moment)?.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn orthogonalised_matrices_have_singular_values_near_one() {
        tch::manual_seed(1);
        let matrices = Tensor::randn([3, 8, 20], (Number::Float, tch::Device::Cpu));
        let x = orthogonalise(&matrices, Number::Float);
        let squared = x.bmm(&x.transpose(1, 2)).linalg_eigvalsh("L");
        assert!(squared.min().double_value(&[]) > 0.3 && squared.max().double_value(&[]) < 1.7, "{squared}");
    }

    /// AdamW by its paper, on one gain, in f64.
    #[test]
    fn adamw_follows_its_formula() {
        let config = Config::tiny();
        let layout = Layout::new(&config);
        let training = Training::default();
        let mut optimizer = Optimizer::new(&layout, &Weights::default(), 0).unwrap();
        let mut master = layout.flatten(&Weights::init(&config, 0), str::to_owned).unwrap();
        let at = layout.specs.iter().find(|(spec, _)| spec.name == "model.norm.weight").unwrap().1 as i64;
        let (mut weight, mut m, mut v) = (1.0f64, 0.0f64, 0.0f64);
        for step in 1..=5 {
            let g = 0.3 * f64::from(step) - 0.8;
            let gradient = Tensor::full([layout.total as i64], g, (Number::Float, tch::Device::Cpu));
            optimizer.step(&mut master, &gradient, 1.0, &training);
            let (b1, b2) = training.adam_betas;
            m = b1 * m + (1.0 - b1) * g;
            v = b2 * v + (1.0 - b2) * g * g;
            let (m_hat, v_hat) = (m / (1.0 - b1.powi(step)), v / (1.0 - b2.powi(step)));
            weight -=
                training.learning_rate * training.adam_share * m_hat / (v_hat.sqrt() + training.adam_eps);
            assert!((master.double_value(&[at]) - weight).abs() < 1e-6, "step {step}");
        }
    }

    #[test]
    fn moments_come_back_by_name() {
        let config = Config::tiny();
        let layout = Layout::new(&config);
        let mut optimizer = Optimizer::new(&layout, &Weights::default(), 0).unwrap();
        let mut master = layout.flatten(&Weights::init(&config, 0), str::to_owned).unwrap();
        let gradient = Tensor::arange(layout.total as i64, (Number::Float, tch::Device::Cpu)) * 1e-3;
        optimizer.step(&mut master, &gradient, 1.0, &Training::default());
        let moments = optimizer.moments(&layout);
        assert!(moments.0.contains_key("momentum.model.layers.0.mlp.up_proj.weight"));
        assert!(moments.0.contains_key("second_moment.model.embed_tokens.weight"));
        assert!(!moments.0.contains_key("second_moment.model.layers.0.mlp.up_proj.weight"));
        let again = Optimizer::new(&layout, &moments, 1).unwrap();
        assert_eq!(again.moments(&layout), moments);
    }
}
