//! What a model says of itself, once, as data.

use crate::{
    axis::{Axis, AxisUse, Role},
    error::GrowthError,
    map::AffineMap,
};

/// A model's configuration that knows its own axes.
///
/// Implement it for the configuration type; growth, retraction, the transport of optimizer moments and the
/// parameter count all follow from [`tensors`](Architecture::tensors). `with_size` and `with_scalars` only *set*:
/// they need not check that the result is a model, since operators pass through states in between (more query
/// heads, KV heads not yet). What the runtime derives from a size (the softmax scale `1/√head_dim`, an embedding
/// scale `√d_model`) must show in [`scalars`](Architecture::scalars) of the changed configuration, so that an
/// operator can see it move and fold the difference into weights.
///
/// ```
/// use thau_growth::{Architecture, Axis, Role, Scalars, TensorSpec};
///
/// /// One linear layer between an embedding and an untied head.
/// #[derive(Clone, PartialEq, Debug)]
/// struct Toy { vocab: usize, width: usize }
///
/// impl Architecture for Toy {
///     fn tensors(&self) -> Vec<TensorSpec> {
///         let vocab = (Axis::Vocabulary, self.vocab, Role::Entry);
///         vec![
///             TensorSpec::new("embed").dim(&[vocab]).dim(&[(Axis::Residual, self.width, Role::Producer)]),
///             TensorSpec::new("norm").dim(&[(Axis::Residual, self.width, Role::Gain)]),
///             TensorSpec::new("head").dim(&[vocab]).dim(&[(Axis::Residual, self.width, Role::Consumer)]),
///         ]
///     }
///     fn size(&self, axis: Axis) -> usize {
///         match axis { Axis::Vocabulary => self.vocab, Axis::Residual => self.width, _ => 1 }
///     }
///     fn with_size(&self, axis: Axis, size: usize) -> Self {
///         let mut grown = self.clone();
///         match axis { Axis::Vocabulary => grown.vocab = size, Axis::Residual => grown.width = size, _ => {} }
///         grown
///     }
///     fn scalars(&self) -> Scalars { Scalars::plain(1e-6, 10_000.0, 64) }
///     fn with_scalars(&self, _: &Scalars) -> Option<Self> { None }
/// }
///
/// assert_eq!(thau_growth::parameters(&Toy { vocab: 100, width: 8 }), 1608);
/// ```
pub trait Architecture: Clone + PartialEq + std::fmt::Debug {
    /// Every weight tensor: its name, and what each of its dimensions means. A tied head is not listed. Every block
    /// lists the same tensors in the same order; outside the blocks only the embedding produces the residual stream.
    fn tensors(&self) -> Vec<TensorSpec>;

    /// How many entries this configuration has along `axis`; 1 along one that it does not have.
    fn size(&self, axis: Axis) -> usize;

    /// The same configuration with exactly `size` entries along `axis`, or as it is where it has no such axis.
    /// Setting `QkDim` or `ValueDim` sets both where the model has one head dimension.
    fn with_size(&self, axis: Axis, size: usize) -> Self;

    /// The constants of the forward pass, as the runtime will use them.
    fn scalars(&self) -> Scalars;

    /// The same configuration with these constants; `None` where its format cannot hold them (say, a softmax
    /// scale other than `1/√head_dim`).
    fn with_scalars(&self, scalars: &Scalars) -> Option<Self>;

    /// [`Scalars::residual_scales`] written out: two a block, 1 where none is set.
    fn residual_scales(&self) -> Vec<f64> {
        let mut scales = self.scalars().residual_scales;
        scales.resize(2 * self.size(Axis::Layer), 1.0);
        scales
    }

    /// Whether queries and keys are normalised a head.
    fn has_qk_norm(&self) -> bool {
        self.tensors().iter().any(|tensor| matches!(tensor.find(Axis::QkDim), Some((_, Role::Gain))))
    }
}

/// The constants of a forward pass that depend, or may depend, on sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalars {
    /// Added to the mean square in every norm.
    pub norm_eps: f64,
    /// RoPE base θ: pair `i` of `n` dimensions turns by `θ^(-2i/n)` radians a position.
    pub rope_base: f64,
    /// Factor on query·key before the softmax.
    pub softmax_scale: f64,
    /// Factor on the embedding before the first block.
    pub embedding_scale: f64,
    /// Factor on the residual stream where each sub-layer is added: two a block, attention first.
    /// Empty means 1 everywhere.
    pub residual_scales: Vec<f64>,
}

impl Scalars {
    /// A plain pre-norm decoder: softmax scale `1/√head_dim`, no other scale.
    pub fn plain(norm_eps: f64, rope_base: f64, head_dim: usize) -> Scalars {
        Scalars {
            norm_eps,
            rope_base,
            softmax_scale: 1.0 / (head_dim as f64).sqrt(),
            embedding_scale: 1.0,
            residual_scales: Vec::new(),
        }
    }
}

/// One weight tensor: its name and the meaning of its dimensions, outermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// The name in the checkpoint, as `model.layers.0.self_attn.q_proj.weight`.
    pub name: String,
    /// The block it belongs to, counted from 0; `None` for the embedding, the last norm and the head.
    pub layer: Option<usize>,
    /// The axes in storage order. Uses that share a stored dimension stand from major to minor.
    pub axes: Vec<AxisUse>,
}

impl TensorSpec {
    /// A tensor outside the blocks, without dimensions yet.
    pub fn new(name: impl Into<String>) -> TensorSpec {
        TensorSpec { name: name.into(), layer: None, axes: Vec::new() }
    }

    /// The same tensor as part of block `layer`.
    pub fn in_layer(mut self, layer: usize) -> TensorSpec {
        self.layer = Some(layer);
        self
    }

    /// Adds the next stored dimension, made of one axis or of several from major to minor.
    pub fn dim(mut self, axes: &[(Axis, usize, Role)]) -> TensorSpec {
        let dim = self.axes.last().map_or(0, |last| last.dim + 1);
        self.axes.extend(axes.iter().map(|&(axis, size, role)| AxisUse { dim, axis, size, role }));
        self
    }

    /// The stored shape: sizes of the axes multiplied within each dimension. Saturates on overflow.
    pub fn shape(&self) -> Vec<usize> {
        let mut shape = vec![1usize; self.axes.last().map_or(0, |last| last.dim + 1)];
        for used in &self.axes {
            shape[used.dim] = shape[used.dim].saturating_mul(used.size);
        }
        shape
    }

    /// How many entries. Saturates on overflow.
    pub fn len(&self) -> usize {
        self.axes.iter().fold(1, |n, used| n.saturating_mul(used.size))
    }

    /// Whether the tensor has no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// This tensor of `to` as an unchanged copy of its counterpart in block `layer` of `from`: blocks list their
    /// tensors in the same order.
    pub(crate) fn copy_of<A: Architecture>(
        &self,
        from: &A,
        layer: usize,
        to: &A,
    ) -> Result<AffineMap, GrowthError> {
        let unknown = || GrowthError::UnknownTensor { name: self.name.clone() };
        let mut siblings = to.tensors().into_iter().filter(|tensor| tensor.layer == self.layer);
        let order = siblings.position(|tensor| tensor.name == self.name).ok_or_else(unknown)?;
        let mut block = from.tensors().into_iter().filter(|tensor| tensor.layer == Some(layer));
        let source = block.nth(order).ok_or_else(unknown)?.name;
        Ok(AffineMap { source, ..AffineMap::identity(self) })
    }

    /// The place of `axis` among [`axes`](TensorSpec::axes), and the role on it.
    pub fn find(&self, axis: Axis) -> Option<(usize, Role)> {
        self.axes.iter().position(|used| used.axis == axis).map(|at| (at, self.axes[at].role))
    }
}

/// How many parameters a configuration has, counted from its tensors. Saturates on overflow.
pub fn parameters<A: Architecture>(config: &A) -> u64 {
    config.tensors().iter().fold(0, |sum, tensor| sum.saturating_add(tensor.len() as u64))
}
