//! Named tensors in, named tensors out.

use crate::error::GrowthError;

/// A dense row-major array.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<T = f32> {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// The entries, `shape`'s product of them.
    pub values: Vec<T>,
}

/// A number that weights are computed in: `f32` for files, `f64` for proofs.
pub trait Element: Copy + Default + PartialEq + std::fmt::Debug + Send + Sync + 'static {
    /// Rounds to nearest.
    fn from_f64(value: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
    /// Reads a tensor of this type.
    ///
    /// # Errors
    /// Those of the source.
    fn read(source: &dyn TensorSource, name: &str) -> Result<Tensor<Self>, GrowthError>;
}

impl Element for f32 {
    fn from_f64(value: f64) -> f32 {
        value as f32
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    fn read(source: &dyn TensorSource, name: &str) -> Result<Tensor<f32>, GrowthError> {
        source.read(name)
    }
}

impl Element for f64 {
    fn from_f64(value: f64) -> f64 {
        value
    }
    fn to_f64(self) -> f64 {
        self
    }
    fn read(source: &dyn TensorSource, name: &str) -> Result<Tensor<f64>, GrowthError> {
        source.read_f64(name)
    }
}

/// Where weights come from: a checkpoint folder, a map in memory, a model grown on the fly.
///
/// A `BTreeMap<String, Tensor>` is one:
///
/// ```
/// use std::collections::BTreeMap;
/// use thau_growth::{Tensor, TensorSource};
/// let weights = BTreeMap::from([("w".to_string(), Tensor { shape: vec![2], values: vec![0.5f32, 1.0] })]);
/// assert_eq!(weights.read_f64("w")?.values, [0.5, 1.0]);
/// # Ok::<(), thau_growth::GrowthError>(())
/// ```
pub trait TensorSource {
    /// One tensor, decoded to `f32` (exact for F32, F16 and BF16 storage).
    ///
    /// # Errors
    /// [`GrowthError::MissingTensor`] where there is none of that name; errors of reading.
    fn read(&self, name: &str) -> Result<Tensor, GrowthError>;

    /// The same tensor in `f64`. Override it where more than `f32` is known, as for a model grown on the fly.
    ///
    /// # Errors
    /// As [`read`](TensorSource::read).
    fn read_f64(&self, name: &str) -> Result<Tensor<f64>, GrowthError> {
        let Tensor { shape, values } = self.read(name)?;
        Ok(Tensor { shape, values: values.into_iter().map(f64::from).collect() })
    }
}

/// Where weights go, one at a time, in the order of [`Architecture::tensors`](crate::Architecture::tensors).
pub trait TensorSink {
    /// Takes one tensor.
    ///
    /// # Errors
    /// Errors of writing.
    fn write(&mut self, name: &str, tensor: &Tensor) -> Result<(), GrowthError>;
}

impl TensorSource for std::collections::BTreeMap<String, Tensor> {
    fn read(&self, name: &str) -> Result<Tensor, GrowthError> {
        self.get(name).cloned().ok_or_else(|| GrowthError::MissingTensor { name: name.into() })
    }
}

impl TensorSource for std::collections::BTreeMap<String, Tensor<f64>> {
    fn read(&self, name: &str) -> Result<Tensor, GrowthError> {
        let Tensor { shape, values } = self.read_f64(name)?;
        Ok(Tensor { shape, values: values.into_iter().map(|v| v as f32).collect() })
    }
    fn read_f64(&self, name: &str) -> Result<Tensor<f64>, GrowthError> {
        self.get(name).cloned().ok_or_else(|| GrowthError::MissingTensor { name: name.into() })
    }
}

impl TensorSink for std::collections::BTreeMap<String, Tensor> {
    fn write(&mut self, name: &str, tensor: &Tensor) -> Result<(), GrowthError> {
        self.insert(name.into(), tensor.clone());
        Ok(())
    }
}
