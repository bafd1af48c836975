//! The optimizer's memory, carried along.
//!
//! `training_state.safetensors` holds moments under `first_moment.<tensor>`, `momentum.<tensor>` (means of
//! gradients), `second_moment.<tensor>` (of their squares) and further weights under `ema.<tensor>` (their average) and
//! `z.<tensor>` (what schedule-free training averages). A weight multiplied
//! by `s` has a gradient divided by `s`, so means are divided by `s` and means of squares by `s²`; averages grow
//! like weights, with the same new entries. New entries have no moments.
//!
//! Adam with its old step counter and an empty second moment would overstep on new entries: by up to 6.6 times
//! the learning rate for β₂ = 0.999, 1.1 times for 0.95. A second moment copied from old entries starves them
//! instead. So for every tensor with a second moment `born.<tensor>` says at which optimizer step each entry was
//! added (0: from the start), and a trainer that corrects the bias with `step - born` gives each its own clock.

use std::{collections::BTreeMap, path::Path};

use safetensors::Dtype;

use crate::{
    architecture::Architecture,
    error::GrowthError,
    plan::GrowthPlan,
    safetensors_file::{Entry, SafetensorsFile, SafetensorsWriter},
    tensor::{Tensor, TensorSource},
};

/// What a tensor of the state is to its weight, by the first part of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A mean of gradients (1) or of their squares (2).
    Moment(i32),
    /// An average of weights.
    Average,
    /// Optimizer steps at which entries were added.
    Born,
}

const PREFIXES: [(&str, Kind); 6] = [
    ("first_moment.", Kind::Moment(1)),
    ("momentum.", Kind::Moment(1)),
    ("second_moment.", Kind::Moment(2)),
    ("ema.", Kind::Average),
    ("z.", Kind::Average),
    ("born.", Kind::Born),
];

/// Tensors of a source under names that begin with a prefix.
struct Prefixed<'a> {
    source: &'a dyn TensorSource,
    prefix: &'a str,
}

impl TensorSource for Prefixed<'_> {
    fn read(&self, name: &str) -> Result<Tensor, GrowthError> {
        self.source.read(&format!("{}{name}", self.prefix))
    }
}

/// Carries a training state over to the grown model; `weights` are those before. Metadata (counters) is copied.
///
/// # Errors
/// Those of reading and writing; a tensor with an unknown prefix or for no weight is
/// [`GrowthError::UnknownTensor`].
pub fn transport_state<A: Architecture>(
    plan: &GrowthPlan<A>,
    weights: &dyn TensorSource,
    from: &Path,
    to: &Path,
) -> Result<(), GrowthError> {
    let state = SafetensorsFile::open(from)?;
    let step = optimizer_step(&state.metadata());
    let mut jobs = jobs(plan, &state)?;
    jobs.sort();
    let entries: Vec<Entry> =
        jobs.iter().map(|(name, _, shape)| (name.clone(), shape.clone(), Dtype::F32)).collect();
    let mut writer = SafetensorsWriter::create(to, entries, &state.metadata())?;
    for (name, prefix, shape) in jobs {
        let (_, kind) = PREFIXES[prefix];
        let prefix = PREFIXES[prefix].0;
        let tensor = &name[prefix.len()..];
        let source = Prefixed { source: &state, prefix };
        let mut grown = match kind {
            Kind::Moment(order) => plan.transport(&source, tensor, order)?.ok_or_else(missing(&name))?,
            Kind::Average => average(plan, weights, &source, tensor)?.ok_or_else(missing(&name))?,
            Kind::Born => births(plan, weights, &source, tensor, step)?,
        };
        grown.shape = shape;
        writer.write(&name, &grown)?;
    }
    writer.finish()
}

fn missing(name: &str) -> impl Fn() -> GrowthError {
    move || GrowthError::MissingTensor { name: name.into() }
}

/// The grown state's tensors: full name, prefix number, shape.
fn jobs<A: Architecture>(
    plan: &GrowthPlan<A>,
    state: &SafetensorsFile,
) -> Result<Vec<(String, usize, Vec<usize>)>, GrowthError> {
    let old: BTreeMap<String, ()> =
        plan.from().tensors().into_iter().map(|tensor| (tensor.name, ())).collect();
    for name in state.names() {
        let known = PREFIXES.iter().filter_map(|(prefix, _)| name.strip_prefix(prefix));
        if !known.into_iter().any(|tensor| old.contains_key(tensor)) {
            return Err(GrowthError::UnknownTensor { name });
        }
    }
    let has = |name: String| state.dtype(&name).is_some();
    let mut jobs = Vec::new();
    for tensor in plan.to().tensors() {
        let (origin, _) = plan.lineage(&tensor.name)?;
        for (number, (prefix, kind)) in PREFIXES.iter().enumerate() {
            let wanted = match kind {
                Kind::Born => has(format!("second_moment.{origin}")),
                _ => has(format!("{prefix}{origin}")),
            };
            if wanted {
                jobs.push((format!("{prefix}{}", tensor.name), number, tensor.shape()));
            }
        }
    }
    Ok(jobs)
}

/// 1 where an entry of the grown tensor is an old one, 0 where it is new.
fn survivors<A: Architecture>(
    plan: &GrowthPlan<A>,
    weights: &dyn TensorSource,
    name: &str,
) -> Result<Option<Tensor>, GrowthError> {
    struct Ones<'a>(&'a dyn TensorSource);
    impl TensorSource for Ones<'_> {
        fn read(&self, name: &str) -> Result<Tensor, GrowthError> {
            let Tensor { shape, values } = self.0.read(name)?;
            Ok(Tensor { shape, values: vec![1.0; values.len()] })
        }
    }
    plan.transport(&Ones(weights), name, 0)
}

/// An average grown like its weight; new entries are the weight's.
fn average<A: Architecture>(
    plan: &GrowthPlan<A>,
    weights: &dyn TensorSource,
    averages: &dyn TensorSource,
    name: &str,
) -> Result<Option<Tensor>, GrowthError> {
    let mut grown = plan.grown(averages).read(name)?;
    let weight = plan.grown(weights).read(name)?;
    let Some(old) = survivors(plan, weights, name)? else {
        return Ok(None);
    };
    for ((value, &weight), &old) in grown.values.iter_mut().zip(&weight.values).zip(&old.values) {
        if old == 0.0 {
            *value = weight;
        }
    }
    Ok(Some(grown))
}

/// The steps at which entries were added: `step` for those of this growth, what was known for the others.
fn births<A: Architecture>(
    plan: &GrowthPlan<A>,
    weights: &dyn TensorSource,
    known: &dyn TensorSource,
    name: &str,
    step: u64,
) -> Result<Tensor, GrowthError> {
    let mut old = survivors(plan, weights, name)?.ok_or_else(missing(name))?;
    let before = plan.transport(known, name, 0)?;
    for (at, value) in old.values.iter_mut().enumerate() {
        let earlier = before.as_ref().map_or(0.0, |before| before.values[at]);
        *value = if *value == 0.0 { step as f32 } else { earlier };
    }
    Ok(old)
}

/// The optimizer's step counter: `optimizer_step`, or `step`, of the JSON under the metadata key `training_state`.
fn optimizer_step(metadata: &BTreeMap<String, String>) -> u64 {
    let json =
        metadata.get("training_state").and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let counter = |key| json.as_ref().and_then(|json| json.get(key)).and_then(serde_json::Value::as_u64);
    counter("optimizer_step").or_else(|| counter("step")).unwrap_or(0)
}
