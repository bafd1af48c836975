//! From one configuration to another, in steps.

use std::collections::BTreeMap;

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use crate::{
    architecture::{Architecture, TensorSpec, parameters},
    error::GrowthError,
    map::{AffineMap, History},
    operator::{GrowthOperator, Preservation},
    recipe::Recipe,
    tensor::{Element, Tensor, TensorSink, TensorSource},
};

/// More than any machine holds, and few enough that byte counts stay within 64 bits.
const MOST_PARAMETERS: u64 = 1 << 46;

/// Operators in order, with every configuration on the way.
///
/// Weights are grown tensor by tensor, through all steps, so at any time two tensors are in memory. Random numbers
/// depend on the seed, the step, the tensor's name and its length before the step.
#[derive(Debug)]
pub struct GrowthPlan<A: Architecture> {
    seed: u64,
    operators: Vec<Box<dyn GrowthOperator<A>>>,
    stages: Vec<Stage<A>>,
}

#[derive(Debug)]
struct Stage<A> {
    config: A,
    tensors: BTreeMap<String, TensorSpec>,
}

impl<A: Architecture> Stage<A> {
    fn new(config: A) -> Stage<A> {
        let tensors = config.tensors().into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
        Stage { config, tensors }
    }

    fn find(&self, name: &str) -> Result<&TensorSpec, GrowthError> {
        self.tensors.get(name).ok_or_else(|| GrowthError::UnknownTensor { name: name.into() })
    }
}

impl<A: Architecture> GrowthPlan<A> {
    /// A plan that does nothing yet.
    pub fn new(from: A, seed: u64) -> GrowthPlan<A> {
        GrowthPlan { seed, operators: Vec::new(), stages: vec![Stage::new(from)] }
    }

    /// The steps of [`Recipe::between`].
    ///
    /// # Errors
    /// As [`Recipe::between`].
    pub fn between(from: &A, to: &A, seed: u64) -> Result<GrowthPlan<A>, GrowthError> {
        Recipe::between(from, to, seed)?.plan(from)
    }

    /// The same plan with one more step.
    ///
    /// # Errors
    /// Where the operator cannot be applied to what the plan has reached; [`GrowthError::TooManyParameters`].
    pub fn then(mut self, operator: impl GrowthOperator<A> + 'static) -> Result<GrowthPlan<A>, GrowthError> {
        let grown = operator.grow_config(self.to())?;
        let parameters = parameters(&grown);
        if parameters > MOST_PARAMETERS {
            return Err(GrowthError::TooManyParameters { parameters, most: MOST_PARAMETERS });
        }
        self.stages.push(Stage::new(grown));
        self.operators.push(Box::new(operator));
        Ok(self)
    }

    /// The seed of everything drawn at random.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The configuration before.
    pub fn from(&self) -> &A {
        &self.stages[0].config
    }

    /// The configuration after.
    pub fn to(&self) -> &A {
        &self.stages[self.operators.len()].config
    }

    /// The steps, in order.
    pub fn operators(&self) -> impl Iterator<Item = &dyn GrowthOperator<A>> {
        self.operators.iter().map(|operator| &**operator)
    }

    /// What all steps together do to the function.
    pub fn preservation(&self) -> Preservation {
        let each = self.operators.iter().zip(&self.stages).map(|(op, stage)| op.preservation(&stage.config));
        each.fold(Preservation::Exact, Preservation::and)
    }

    /// Grows the model into `sink`, in the order of [`Architecture::tensors`].
    ///
    /// # Errors
    /// Those of the source, the maps and the sink.
    pub fn apply(&self, source: &dyn TensorSource, sink: &mut dyn TensorSink) -> Result<(), GrowthError> {
        let grown = self.grown(source);
        for tensor in self.to().tensors() {
            sink.write(&tensor.name, &grown.read(&tensor.name)?)?;
        }
        Ok(())
    }

    /// The grown model as a source: each tensor is computed when it is read, in `f64` from end to end where it is
    /// read so.
    pub fn grown<'a>(&'a self, source: &'a dyn TensorSource) -> Grown<'a, A> {
        Grown { plan: self, source }
    }

    /// The model before, out of a grown one: see [`AffineMap::retract`].
    ///
    /// # Errors
    /// Those of the maps.
    pub fn retracted<'a>(&'a self, grown: &'a dyn TensorSource) -> Result<Retracted<'a, A>, GrowthError> {
        let mut heirs = BTreeMap::new();
        for tensor in self.to().tensors() {
            let (origin, maps) = self.lineage(&tensor.name)?;
            if maps.iter().all(|(_, map)| map.history == History::Kept) {
                let maps = maps.into_iter().map(|(_, map)| map).collect();
                heirs.entry(origin).or_insert(Heir { name: tensor.name, maps });
            }
        }
        Ok(Retracted { plan: self, grown, heirs })
    }

    /// One optimizer moment of the grown model: of `order` 1 (a mean of gradients) or 2 (of their squares), read
    /// from `source` under the names of the weights. `None` where the tensor has no history in `source`.
    ///
    /// # Errors
    /// As [`apply`](GrowthPlan::apply), but for a missing tensor.
    pub fn transport(
        &self,
        source: &dyn TensorSource,
        name: &str,
        order: i32,
    ) -> Result<Option<Tensor>, GrowthError> {
        let (origin, maps) = self.lineage(name)?;
        match source.read(&origin) {
            Err(GrowthError::MissingTensor { .. }) => Ok(None),
            Err(error) => Err(error),
            Ok(moment) => maps.iter().try_fold(moment, |m, (_, map)| map.transport(&m, order)).map(Some),
        }
    }

    /// The tensor of the model before that the grown tensor `name` comes from, and the maps between them with the
    /// number of their step.
    pub(crate) fn lineage(&self, name: &str) -> Result<(String, Vec<(usize, AffineMap)>), GrowthError> {
        let mut name = name.to_owned();
        let mut maps = Vec::new();
        for (step, operator) in self.operators.iter().enumerate().rev() {
            let (before, after) = (&self.stages[step], &self.stages[step + 1]);
            let map = operator.map(&before.config, &after.config, after.find(&name)?)?;
            name = before.find(&map.source)?.name.clone();
            maps.push((step, map));
        }
        maps.reverse();
        Ok((name, maps))
    }

    fn grow<T: Element>(&self, source: &dyn TensorSource, name: &str) -> Result<Tensor<T>, GrowthError> {
        let (origin, maps) = self.lineage(name)?;
        let expected = self.stages[0].find(&origin)?.shape();
        let mut tensor = T::read(source, &origin)?;
        if tensor.shape != expected || tensor.values.len() != expected.iter().product::<usize>() {
            return Err(GrowthError::WrongShape { name: origin, expected, found: tensor.shape });
        }
        for (step, map) in maps {
            if !map.is_identity() {
                tensor = map.apply(&tensor, &mut self.random(step, name, tensor.values.len()))?;
            }
        }
        tensor.shape = self.stages[self.operators.len()].find(name)?.shape();
        let (expected, found) = (tensor.shape.iter().product::<usize>(), tensor.values.len());
        if found != expected {
            return Err(GrowthError::WrongLength { name: name.into(), expected, found });
        }
        Ok(tensor)
    }

    /// What is drawn depends on the length of the tensor before too: growing twice by one seed does not draw the same
    /// twice.
    fn random(&self, step: usize, name: &str, length: usize) -> ChaCha8Rng {
        let mut hash = blake3::Hasher::new();
        hash.update(&self.seed.to_le_bytes());
        hash.update(&(step as u64).to_le_bytes());
        hash.update(&(length as u64).to_le_bytes());
        hash.update(name.as_bytes());
        ChaCha8Rng::from_seed(*hash.finalize().as_bytes())
    }
}

/// A grown model, computed as it is read. See [`GrowthPlan::grown`].
#[derive(Clone, Copy)]
pub struct Grown<'a, A: Architecture> {
    plan: &'a GrowthPlan<A>,
    source: &'a dyn TensorSource,
}

impl<A: Architecture> TensorSource for Grown<'_, A> {
    fn read(&self, name: &str) -> Result<Tensor, GrowthError> {
        self.plan.grow(self.source, name)
    }
    fn read_f64(&self, name: &str) -> Result<Tensor<f64>, GrowthError> {
        self.plan.grow(self.source, name)
    }
}

/// The model before, out of the grown one. See [`GrowthPlan::retracted`].
pub struct Retracted<'a, A: Architecture> {
    plan: &'a GrowthPlan<A>,
    grown: &'a dyn TensorSource,
    heirs: BTreeMap<String, Heir>,
}

/// The first grown tensor that still is an old one, and how it came about.
struct Heir {
    name: String,
    maps: Vec<AffineMap>,
}

impl<A: Architecture> Retracted<'_, A> {
    fn retract<T: Element>(&self, name: &str) -> Result<Tensor<T>, GrowthError> {
        let heir = self.heirs.get(name).ok_or_else(|| GrowthError::NotReversible { name: name.into() })?;
        let grown = T::read(self.grown, &heir.name)?;
        let shape = self.plan.stages[0].find(name)?.shape();
        let mut old = heir.maps.iter().rev().try_fold(grown, |tensor, map| map.retract(&tensor))?;
        old.shape = shape;
        Ok(old)
    }
}

impl<A: Architecture> TensorSource for Retracted<'_, A> {
    fn read(&self, name: &str) -> Result<Tensor, GrowthError> {
        self.retract(name)
    }
    fn read_f64(&self, name: &str) -> Result<Tensor<f64>, GrowthError> {
        self.retract(name)
    }
}
