//! What `thau_growth` asks of a model, for [`Config`], and [`Reference`] as the forward of its proofs.

use thau_growth::{
    Architecture, Axis as GrowthAxis, Forward, GrowthError, Precision, Role, Scalars, Tensor, TensorSource,
    TensorSpec,
};

use crate::axes::{Axis, Kind};
use crate::checkpoint::{Array, Weights};
use crate::config::Config;
use crate::error::Error;
use crate::reference::{Real, Reference};

impl Architecture for Config {
    fn tensors(&self) -> Vec<TensorSpec> {
        let spec = |ours: crate::axes::TensorSpec| {
            let mut spec = TensorSpec::new(&ours.name);
            spec.layer = ours.layer;
            for (dim, &axis) in ours.kind.axes().iter().enumerate() {
                spec = spec.dim(&uses(self, ours.kind, dim, axis));
            }
            spec
        };
        Config::tensors(self).into_iter().map(spec).collect()
    }

    fn size(&self, axis: GrowthAxis) -> usize {
        match axis {
            GrowthAxis::Vocabulary => self.vocab_size,
            GrowthAxis::Residual => self.d_model,
            GrowthAxis::QueryHead => self.n_heads,
            GrowthAxis::KvHead => self.n_kv_heads,
            GrowthAxis::QkDim | GrowthAxis::ValueDim => self.head_dim,
            GrowthAxis::FeedForward => self.d_ff,
            GrowthAxis::Layer => self.n_layers,
            GrowthAxis::Context => self.max_seq,
            _ => 1,
        }
    }

    fn with_size(&self, axis: GrowthAxis, size: usize) -> Config {
        let mut grown = self.clone();
        match axis {
            GrowthAxis::Vocabulary => grown.vocab_size = size,
            GrowthAxis::Residual => grown.d_model = size,
            GrowthAxis::QueryHead => grown.n_heads = size,
            GrowthAxis::KvHead => grown.n_kv_heads = size,
            GrowthAxis::QkDim | GrowthAxis::ValueDim => grown.head_dim = size,
            GrowthAxis::FeedForward => grown.d_ff = size,
            GrowthAxis::Layer => {
                grown.n_layers = size;
                // New blocks stand last until an operator places them, with nothing on their stream.
                if !grown.options.residual_scales.is_empty() {
                    grown.options.residual_scales.resize(2 * size, 1.0);
                }
            }
            GrowthAxis::Context => grown.max_seq = size,
            _ => {}
        }
        grown
    }

    fn scalars(&self) -> Scalars {
        Scalars {
            embedding_scale: self.options.embedding_scale.unwrap_or(1.0),
            residual_scales: self.options.residual_scales.clone(),
            ..Scalars::plain(self.norm_eps, self.rope_base, self.head_dim)
        }
    }

    fn with_scalars(&self, scalars: &Scalars) -> Option<Config> {
        // A base that the listed frequencies overrule would be no base.
        if !self.options.rope_frequencies.is_empty() && scalars.rope_base != self.rope_base {
            return None;
        }
        let mut options = self.options.clone();
        options.residual_scales = scalars.residual_scales.clone();
        if scalars.embedding_scale != 1.0 || options.embedding_scale.is_some() {
            options.embedding_scale = Some(scalars.embedding_scale);
        }
        let (norm_eps, rope_base) = (scalars.norm_eps, scalars.rope_base);
        let grown = Config { norm_eps, rope_base, options, ..self.clone() };
        (grown.scalars() == *scalars).then_some(grown)
    }
}

/// The growth axes of dimension `dim` of a tensor, from major to minor, with the tensor's role on each.
fn uses(config: &Config, kind: Kind, dim: usize, axis: Axis) -> Vec<(GrowthAxis, usize, Role)> {
    let side = if dim == 0 { Role::Producer } else { Role::Consumer };
    let heads = |axis, n, inner, inner_role| vec![(axis, n, side), (inner, config.head_dim, inner_role)];
    match (kind, axis) {
        (_, Axis::Vocabulary) => vec![(GrowthAxis::Vocabulary, config.vocab_size, Role::Entry)],
        (_, Axis::Residual) => {
            let role = match kind {
                Kind::Embedding if config.tied => Role::Tied,
                Kind::Embedding => Role::Producer,
                Kind::FinalNorm if config.tied => Role::TiedGain,
                Kind::AttentionNorm | Kind::FeedForwardNorm | Kind::FinalNorm => Role::Gain,
                _ => side,
            };
            vec![(GrowthAxis::Residual, config.d_model, role)]
        }
        (_, Axis::Head) => vec![(GrowthAxis::QkDim, config.head_dim, Role::Gain)],
        (_, Axis::FeedForward) => vec![(GrowthAxis::FeedForward, config.d_ff, side)],
        (Kind::Query | Kind::SecondQuery, Axis::Query) => {
            heads(GrowthAxis::QueryHead, config.n_heads, GrowthAxis::QkDim, Role::Consumer)
        }
        (_, Axis::Query) => heads(GrowthAxis::QueryHead, config.n_heads, GrowthAxis::ValueDim, side),
        (Kind::Key | Kind::SecondKey, Axis::KeyValue) => {
            heads(GrowthAxis::KvHead, config.n_kv_heads, GrowthAxis::QkDim, Role::Producer)
        }
        (_, Axis::KeyValue) => heads(GrowthAxis::KvHead, config.n_kv_heads, GrowthAxis::ValueDim, side),
    }
}

/// [`Reference`] as the forward that growth is proven with.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReferenceForward;

impl Forward<Config> for ReferenceForward {
    type Error = ForwardError;

    fn logits(
        &self,
        config: &Config,
        weights: &dyn TensorSource,
        probes: &[Vec<u32>],
        precision: Precision,
    ) -> Result<Vec<Vec<f64>>, ForwardError> {
        config.validate().map_err(Error::from)?;
        match precision {
            Precision::F32 => run::<f32>(config, |name| weights.read(name), probes),
            Precision::F64 => run::<f64>(config, |name| weights.read_f64(name), probes),
        }
    }
}

fn run<R: Real>(
    config: &Config,
    read: impl Fn(&str) -> Result<Tensor<R>, GrowthError>,
    probes: &[Vec<u32>],
) -> Result<Vec<Vec<f64>>, ForwardError> {
    let shapes: std::collections::BTreeMap<String, Vec<usize>> =
        Config::tensors(config).into_iter().map(|spec| (spec.name, spec.shape)).collect();
    let model = Reference::<R>::from_tensors(config, |name| {
        let Tensor { shape, values } = read(name)?;
        match shapes.get(name) {
            Some(expected) if *expected != shape => {
                let (name, expected) = (name.to_owned(), expected.clone());
                Err(ForwardError::Model(Error::Shape { name, expected, found: shape }))
            }
            _ => Ok(values),
        }
    })?;
    let logits = |probe: &Vec<u32>| Ok(model.logits(probe)?.into_iter().map(Real::wide).collect());
    probes.iter().map(logits).collect()
}

/// Why [`ReferenceForward`] could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForwardError {
    /// The weights could not be read.
    #[error(transparent)]
    Weights(#[from] GrowthError),
    /// The model could not be run.
    #[error(transparent)]
    Model(#[from] Error),
}

impl TensorSource for Weights {
    fn read(&self, name: &str) -> Result<Tensor, GrowthError> {
        let array = self.0.get(name).ok_or_else(|| GrowthError::MissingTensor { name: name.to_owned() })?;
        Ok(Tensor { shape: array.shape.clone(), values: array.data.clone() })
    }
}

impl thau_growth::TensorSink for Weights {
    fn write(&mut self, name: &str, tensor: &Tensor) -> Result<(), GrowthError> {
        let array = Array { shape: tensor.shape.clone(), data: tensor.values.clone() };
        self.0.insert(name.to_owned(), array);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_sees_the_same_shapes() {
        for tied in [true, false] {
            let config = Config { tied, ..Config::tiny() };
            for (ours, theirs) in Config::tensors(&config).iter().zip(Architecture::tensors(&config)) {
                assert_eq!((&ours.name, &ours.shape), (&theirs.name, &theirs.shape()));
            }
            assert_eq!(thau_growth::parameters(&config), config.parameters() as u64);
        }
    }

    #[test]
    fn sizes_set_are_sizes_got() {
        let config = Config::tiny();
        for axis in [GrowthAxis::Residual, GrowthAxis::KvHead, GrowthAxis::Layer, GrowthAxis::Context] {
            assert_eq!(config.with_size(axis, 12).size(axis), 12);
        }
        let half = Scalars { softmax_scale: 0.5, ..config.scalars() };
        assert_eq!(config.with_scalars(&half), None);
    }

    #[test]
    fn the_forward_of_proofs_is_the_reference() {
        let config = Config::tiny();
        let weights = Weights::init(&config, 1);
        let proof = ReferenceForward.logits(&config, &weights, &[vec![1, 2, 3]], Precision::F64).unwrap();
        let direct = Reference::<f64>::new(&config, &weights).unwrap().logits(&[1, 2, 3]).unwrap();
        assert_eq!(proof[0], direct);
    }

    /// Every operator on every option: exact as claimed, or refused before anything is grown.
    #[test]
    fn a_full_model_grows_exactly_or_not_at_all() {
        use thau_growth::{GrowthPlan, Proof, Step, Tolerance, operator::*, random_probes};
        let steps = [
            Step::WidenResidual(WidenResidual { to: 40, fold: Fold::Writers }),
            Step::WidenResidual(WidenResidual { to: 64, fold: Fold::Eps }),
            Step::WidenFeedForward(WidenFeedForward { to: 90 }),
            Step::AddHeads(AddHeads { query: 6, kv: 3 }),
            Step::WidenHeads(WidenHeads { to: 16 }),
            Step::InsertLayers(InsertLayers { to: 3 }),
            Step::ExtendVocabulary(ExtendVocabulary { to: 80 }),
            Step::ExtendContext(ExtendContext { to: 512 }),
        ];
        let mut refused = Vec::new();
        for (name, config) in crate::config::each_option() {
            let config = Config { qk_norm: false, ..config };
            let mut weights = Weights::init(&config, 1);
            for (n, array) in weights.0.values_mut().enumerate() {
                for (i, x) in array.data.iter_mut().enumerate() {
                    *x += ((i * 31 + n * 7) % 17) as f32 / 60.0 - 0.13;
                }
            }
            let probes = random_probes(config.vocab_size, 2, 24, 0);
            for step in &steps {
                let Ok(plan) = GrowthPlan::new(config.clone(), 1).then(step.clone()) else {
                    refused.push((name, format!("{step:?}")));
                    continue;
                };
                let mut grown = Weights::default();
                plan.apply(&weights, &mut grown).unwrap();
                let proof = Proof::measure(&plan, &weights, &grown, &ReferenceForward, &probes);
                let proof = proof.unwrap_or_else(|error| panic!("{name}, {step:?}: {error}"));
                let checked = proof.check(plan.preservation(), Tolerance::default());
                assert!(checked.is_ok(), "{name}, {step:?}: {checked:?}");
            }
        }
        // Listed frequencies leave no base to stretch.
        let heads = "WidenHeads { to: 16 }".to_owned();
        assert_eq!(refused, [("rope_frequencies", heads.clone()), ("all", heads)]);
    }
}
