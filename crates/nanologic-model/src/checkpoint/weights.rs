//! Named arrays of fp32 numbers: a model's weights, its gradients or an optimizer's moments, outside LibTorch.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use half::{bf16, f16};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::atomic;
use crate::axes::Init;
use crate::config::Config;
use crate::error::Error;

/// An array in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Lengths, outermost first.
    pub shape: Vec<usize>,
    /// The values; as many as the product of `shape`.
    pub data: Vec<f32>,
}

/// Arrays by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights(pub BTreeMap<String, Array>);

impl Weights {
    /// Fresh weights for `config`. A tensor's numbers depend on `seed` and its name alone.
    ///
    /// ```
    /// use nanologic_model::{Config, Weights};
    /// let weights = Weights::init(&Config::tiny(), 7);
    /// assert_eq!(weights, Weights::init(&Config::tiny(), 7));
    /// assert_eq!(weights.parameters(), Config::tiny().parameters());
    /// ```
    pub fn init(config: &Config, seed: u64) -> Weights {
        let draw = |spec: crate::axes::TensorSpec| {
            let n = spec.elements();
            let data = match spec.kind.init(config, spec.layer) {
                Init::Constant(value) => vec![value as f32; n],
                Init::Normal { std } => normal(&spec.name, seed).map(|z| (z * std) as f32).take(n).collect(),
            };
            (spec.name, Array { shape: spec.shape, data })
        };
        Weights(config.tensors().into_iter().map(draw).collect())
    }

    /// Number of values.
    pub fn parameters(&self) -> usize {
        self.0.values().map(|array| array.data.len()).sum()
    }

    /// The array of this name.
    ///
    /// # Errors
    /// [`Error::MissingTensor`].
    pub fn get(&self, name: &str) -> Result<&Array, Error> {
        self.0.get(name).ok_or_else(|| Error::MissingTensor { name: name.to_owned() })
    }

    /// Checks that these are the weights of `config`: every tensor there, in shape, and nothing else.
    ///
    /// # Errors
    /// [`Error::MissingTensor`], [`Error::Shape`], [`Error::UnknownTensor`].
    pub fn check(&self, config: &Config) -> Result<(), Error> {
        let specs = config.tensors();
        for spec in &specs {
            let found = self.get(&spec.name)?;
            if found.shape != spec.shape {
                return Err(Error::Shape {
                    name: spec.name.clone(),
                    expected: spec.shape.clone(),
                    found: found.shape.clone(),
                });
            }
        }
        match self.0.keys().find(|name| specs.iter().all(|spec| spec.name != **name)) {
            Some(name) => Err(Error::UnknownTensor { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// Reads a safetensors file, whatever its floating-point type, and its metadata.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Safetensors`], [`Error::Dtype`].
    pub fn read(path: &Path) -> Result<(Weights, HashMap<String, String>), Error> {
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(Error::safetensors(path))?;
        let file = SafeTensors::deserialize(&bytes).map_err(Error::safetensors(path))?;
        let mut weights = BTreeMap::new();
        for (name, view) in file.tensors() {
            let data = to_f32(&name, &view)?;
            weights.insert(name, Array { shape: view.shape().to_vec(), data });
        }
        Ok((Weights(weights), header.metadata().clone().unwrap_or_default()))
    }

    /// Writes a safetensors file of fp32 numbers with one entry of metadata, atomically. The same weights give the
    /// same bytes.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Safetensors`].
    pub fn write(&self, path: &Path, metadata: (&str, String)) -> Result<(), Error> {
        self.write_as(Dtype::F32, f32::to_le_bytes, path, metadata)
    }

    /// As [`write`](Weights::write), every number rounded to the nearest of bf16: half the size.
    ///
    /// # Errors
    /// As [`write`](Weights::write).
    pub fn write_bf16(&self, path: &Path, metadata: (&str, String)) -> Result<(), Error> {
        self.write_as(Dtype::BF16, |x| bf16::from_f32(x).to_le_bytes(), path, metadata)
    }

    fn write_as<const N: usize>(
        &self,
        dtype: Dtype,
        to_bytes: fn(f32) -> [u8; N],
        path: &Path,
        metadata: (&str, String),
    ) -> Result<(), Error> {
        let bytes: Vec<(&String, &Array, Vec<u8>)> = self
            .0
            .iter()
            .map(|(name, array)| (name, array, array.data.iter().flat_map(|&x| to_bytes(x)).collect()))
            .collect();
        let mut views = Vec::with_capacity(bytes.len());
        for (name, array, data) in &bytes {
            let view = TensorView::new(dtype, array.shape.clone(), data).map_err(Error::safetensors(path))?;
            views.push((name.as_str(), view));
        }
        let metadata = HashMap::from([(metadata.0.to_owned(), metadata.1)]);
        let file = safetensors::serialize(views, Some(metadata)).map_err(Error::safetensors(path))?;
        atomic::write(path, &file)
    }
}

fn to_f32(name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, Error> {
    let bytes = view.data();
    Ok(match view.dtype() {
        Dtype::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::BF16 => bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
        other => {
            return Err(Error::Dtype { name: name.to_owned(), dtype: format!("{other:?}") });
        }
    })
}

/// Independent standard normal numbers, by Box and Muller, from a stream of the name's own.
fn normal(name: &str, seed: u64) -> impl Iterator<Item = f64> {
    let key = blake3::Hasher::new().update(&seed.to_le_bytes()).update(name.as_bytes()).finalize();
    let mut rng = ChaCha8Rng::from_seed(*key.as_bytes());
    std::iter::repeat_with(move || {
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
        let angle = std::f64::consts::TAU * rng.random::<f64>();
        [radius * angle.cos(), radius * angle.sin()]
    })
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_weights_come_back_and_are_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let weights = Weights::init(&Config::tiny(), 1);
        let path = folder.path().join("w.safetensors");
        weights.write(&path, ("note", "hi".to_owned())).unwrap();
        let first = std::fs::read(&path).unwrap();
        let (back, metadata) = Weights::read(&path).unwrap();
        assert_eq!(back, weights);
        assert_eq!(metadata["note"], "hi");
        back.write(&path, ("note", "hi".to_owned())).unwrap();
        assert_eq!(first, std::fs::read(&path).unwrap());
    }

    #[test]
    fn a_wrong_shape_is_named() {
        let mut weights = Weights::init(&Config::tiny(), 1);
        weights.0.get_mut("model.norm.weight").unwrap().shape = vec![4, 8];
        let error = weights.check(&Config::tiny()).unwrap_err();
        assert!(matches!(error, Error::Shape { name, .. } if name == "model.norm.weight"));
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        let draws: Vec<f64> = normal("x", 3).take(20_000).collect();
        let mean = draws.iter().sum::<f64>() / 2e4;
        let variance = draws.iter().map(|z| z * z).sum::<f64>() / 2e4;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }
}
