//! From gradients to steps: Muon, AdamW, schedule-free AdamW and the average of the weights, on flat buffers and with
//! state that has names.

mod adam;
mod muon;

use tch::Tensor;

use self::adam::{Adam, Rates};
use self::muon::Muon;
use super::parameters::Layout;
use super::training::{Method, Training};
use crate::axes::{Group, TensorSpec};
use crate::checkpoint::{Array, Weights};
use crate::error::Error;

/// The state of the optimizer, flat beside the weights.
pub(super) struct Optimizer {
    /// Muon's momentum where Muon trains a tensor, AdamW's first moment elsewhere.
    first: Tensor,
    /// AdamW's second moment; zero and unused where Muon trains.
    second: Tensor,
    /// The step before which an entry did not exist, if there are such: growth added it, or another method trained it.
    born: Option<Tensor>,
    average: Average,
    /// Steps that the moments have seen.
    pub steps: u64,
    muon: Muon,
    adam: Adam,
    method: Method,
}

/// A second copy of the weights, better to use than the one that gradients are taken at.
enum Average {
    None,
    Exponential {
        weights: Tensor,
        decay: f64,
    },
    /// The gradient is taken at `y = β x + (1 - β) z`.
    ScheduleFree {
        x: Tensor,
        z: Tensor,
        weight: f64,
    },
}

/// A tensor in a flat buffer.
#[derive(Clone)]
struct Slot {
    start: i64,
    length: i64,
    shape: Vec<i64>,
}

impl Slot {
    fn of(&self, flat: &Tensor) -> Tensor {
        flat.narrow(0, self.start, self.length).view(self.shape.as_slice())
    }
}

impl Optimizer {
    /// Takes over moments by name; those missing start at zero, with clocks of their own. `master` becomes what the
    /// gradient is taken at; `taken` is how many steps of this run are behind it.
    ///
    /// # Errors
    /// [`Error::Shape`] when a moment does not have the shape of its tensor.
    pub fn new(
        layout: &Layout,
        training: &Training,
        master: &mut Tensor,
        moments: &Weights,
        steps: u64,
        taken: u64,
    ) -> Result<Optimizer, Error> {
        let method = training.method;
        let slot = |spec: &TensorSpec, start: usize| Slot {
            start: start as i64,
            length: spec.elements() as i64,
            shape: spec.shape.iter().map(|&n| n as i64).collect(),
        };
        let (mut by_muon, mut by_adam) = (Vec::new(), Vec::new());
        for (spec, start) in &layout.specs {
            let slot = slot(spec, *start);
            match trained_by(method, spec) {
                Method::Muon => by_muon.push(slot),
                _ => by_adam.push((slot, spec.kind.group() == Group::Hidden)),
            }
        }
        let first = Weights(
            layout
                .specs
                .iter()
                .filter_map(|(spec, _)| {
                    Some((spec.name.clone(), moments.0.get(&first_name(method, spec))?.clone()))
                })
                .collect(),
        );
        let named = |prefix: &'static str| move |name: &str| format!("{prefix}.{name}");
        let average = match (method, training.ema) {
            (Method::ScheduleFree, _) => {
                let x = master.copy();
                // A new run averages anew, from the model that the last one handed over.
                let z = if taken == 0 { x.copy() } else { layout.flatten_over(&x, moments, named("z"))? };
                let weight = (0..taken).map(|step| training.rate_factor(step).powi(2)).sum();
                master.copy_(&between(&x, &z, training.adam_betas.0));
                Average::ScheduleFree { x, z, weight }
            }
            (_, Some(decay)) => {
                Average::Exponential { weights: layout.flatten_over(master, moments, named("ema"))?, decay }
            }
            (_, None) => Average::None,
        };
        Ok(Optimizer {
            first: layout.flatten(&first, str::to_owned)?,
            second: layout.flatten(moments, named("second_moment"))?,
            born: births(layout, method, moments, steps)?,
            average,
            steps,
            muon: Muon::new(by_muon),
            adam: Adam::new(by_adam),
            method,
        })
    }

    /// The moments by name, as a checkpoint keeps them.
    pub fn moments(&self, layout: &Layout) -> Weights {
        let by_adam = |spec: &TensorSpec| trained_by(self.method, spec) != Method::Muon;
        let mut moments = Weights::default();
        let mut keep = |flat: &Tensor, name: &dyn Fn(&TensorSpec) -> Option<String>| {
            moments.0.extend(layout.unflatten(flat, name).0);
        };
        if self.method != Method::ScheduleFree {
            keep(&self.first, &|spec| Some(first_name(self.method, spec)));
        }
        keep(&self.second, &|spec| by_adam(spec).then(|| format!("second_moment.{}", spec.name)));
        if let Some(born) = &self.born {
            keep(born, &|spec| by_adam(spec).then(|| format!("born.{}", spec.name)));
        }
        match &self.average {
            Average::None => {}
            Average::Exponential { weights, .. } => keep(weights, &|spec| Some(format!("ema.{}", spec.name))),
            Average::ScheduleFree { z, .. } => keep(z, &|spec| Some(format!("z.{}", spec.name))),
        }
        moments
    }

    /// The flat buffers, each with what it is to a tensor.
    pub fn state(&self) -> impl Iterator<Item = (&'static str, &Tensor)> {
        let average = self.averaged().map(|average| ("average of ", average));
        [("first moment of ", &self.first), ("second moment of ", &self.second)].into_iter().chain(average)
    }

    /// The weights to measure and to hand over, where they are not those that the gradient is taken at.
    pub fn averaged(&self) -> Option<&Tensor> {
        match &self.average {
            Average::None => None,
            Average::Exponential { weights, .. } => Some(weights),
            Average::ScheduleFree { x, .. } => Some(x),
        }
    }

    /// The weights that a run goes on from, for a checkpoint.
    pub fn kept<'a>(&'a self, master: &'a Tensor) -> &'a Tensor {
        match &self.average {
            Average::ScheduleFree { x, .. } => x,
            _ => master,
        }
    }

    /// One step on the flat `master` along `gradient` times `scale`, at `factor` times the rates of `training`.
    pub fn step(
        &mut self,
        master: &mut Tensor,
        gradient: &Tensor,
        scale: f64,
        factor: f64,
        training: &Training,
    ) {
        self.steps += 1;
        let rate = training.learning_rate * factor;
        self.muon.step(master, gradient, scale, &self.first, rate, training);
        let mut rates = Rates {
            rate: rate * training.adam_share,
            scale,
            betas: training.adam_betas,
            eps: training.adam_eps,
            decay: training.weight_decay,
            steps: self.steps,
            average: None,
        };
        let fast = match &mut self.average {
            Average::ScheduleFree { z, weight, .. } => {
                let now = factor.powi(2);
                *weight += now;
                rates.average = Some(now / *weight);
                Some(z.shallow_clone())
            }
            _ => None,
        };
        let state = adam::State {
            weights: master.shallow_clone(),
            gradient: gradient.shallow_clone(),
            first: self.first.shallow_clone(),
            second: self.second.shallow_clone(),
            born: self.born.as_ref().map(Tensor::shallow_clone),
            free: fast.zip(self.averaged().map(Tensor::shallow_clone)),
        };
        self.adam.step(&state, &rates, training.threads);
        if let Average::Exponential { weights, decay } = &mut self.average {
            let _ = weights.lerp_(master, 1.0 - *decay);
        }
    }
}

/// `β x + (1 - β) z`.
fn between(x: &Tensor, z: &Tensor, beta: f64) -> Tensor {
    z.lerp(x, beta)
}

fn trained_by(method: Method, spec: &TensorSpec) -> Method {
    match (method, spec.kind.group()) {
        (Method::Muon, Group::Embedding | Group::Gain) => Method::AdamW,
        _ => method,
    }
}

fn first_name(method: Method, spec: &TensorSpec) -> String {
    let prefix = if trained_by(method, spec) == Method::Muon { "momentum" } else { "first_moment" };
    format!("{prefix}.{}", spec.name)
}

/// When each entry that AdamW trains was added, if any was added after the first step.
fn births(layout: &Layout, method: Method, moments: &Weights, steps: u64) -> Result<Option<Tensor>, Error> {
    let born = layout.specs.iter().filter(|(spec, _)| trained_by(method, spec) != Method::Muon);
    let born = born.filter_map(|(spec, _)| {
        let told = moments.0.get(&format!("born.{}", spec.name)).cloned();
        let new = !moments.0.contains_key(&format!("second_moment.{}", spec.name));
        let now = || Array { shape: spec.shape.clone(), data: vec![steps as f32; spec.elements()] };
        Some((spec.name.clone(), if new { now() } else { told? }))
    });
    let born = Weights(born.collect());
    if born.0.values().all(|array| array.data.iter().all(|&step| step == 0.0)) {
        return Ok(None);
    }
    layout.flatten(&born, str::to_owned).map(Some)
}

#[cfg(test)]
mod tests;
