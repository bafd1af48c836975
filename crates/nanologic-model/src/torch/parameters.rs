//! All weights in one flat fp32 buffer, and the views of it that layers compute with.
//!
//! One buffer makes the whole of an optimizer step, the gradient norm and the cast to bf16 a handful of operations,
//! whatever the number of layers. Neighbours in it are also one matrix: q, k and v multiply at once, as do gate and up.

use tch::{Kind as Number, Tensor, no_grad};

use super::feed_forward::{FeedForward, SwiGlu};
use crate::axes::{Kind, TensorSpec};
use crate::checkpoint::{Array, Weights};
use crate::config::Config;
use crate::error::Error;

/// The number format of the large matrix products; everything else is fp32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compute {
    /// fp32.
    Fp32,
    /// bf16 products of fp32 masters, as PyTorch's autocast.
    Bf16,
}

impl Default for Compute {
    /// bf16 where the processor multiplies it natively: there it trains two and a half times as fast.
    fn default() -> Compute {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx512bf16") {
            return Compute::Bf16;
        }
        Compute::Fp32
    }
}

impl Compute {
    pub(super) fn number(self) -> Number {
        match self {
            Compute::Fp32 => Number::Float,
            Compute::Bf16 => Number::BFloat16,
        }
    }
}

/// Where each tensor of a config lies in a flat buffer.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub specs: Vec<(TensorSpec, usize)>,
    pub total: usize,
}

impl Layout {
    pub fn new(config: &Config) -> Layout {
        let mut total = 0;
        let specs = config
            .tensors()
            .into_iter()
            .map(|spec| {
                let start = total;
                total += spec.elements();
                (spec, start)
            })
            .collect();
        Layout { specs, total }
    }

    /// The part of `flat` that is the tensor of this kind and layer, in its shape; `rows` counts the kinds that lie
    /// one behind the other and become one matrix.
    fn view(&self, flat: &Tensor, kind: Kind, layer: Option<usize>, joined: usize) -> Tensor {
        let at = self
            .specs
            .iter()
            .position(|(spec, _)| spec.kind == kind && spec.layer == layer)
            .expect("the layout holds every tensor of its config");
        let parts = &self.specs[at..at + joined];
        let length: usize = parts.iter().map(|(spec, _)| spec.elements()).sum();
        let mut shape: Vec<i64> = parts[0].0.shape.iter().map(|&n| n as i64).collect();
        if let Some(rows) = shape.first_mut() {
            *rows = parts.iter().map(|(spec, _)| spec.shape[0] as i64).sum();
        }
        flat.narrow(0, parts[0].1 as i64, length as i64).view(shape.as_slice())
    }

    /// A flat fp32 buffer holding `weights`; what `name` maps to nothing is zero.
    pub fn flatten(&self, weights: &Weights, name: impl Fn(&str) -> String) -> Result<Tensor, Error> {
        self.overwrite(vec![0f32; self.total], weights, name)
    }

    /// A flat fp32 buffer holding `weights`; what `name` maps to nothing is as in `base`.
    pub fn flatten_over(
        &self,
        base: &Tensor,
        weights: &Weights,
        name: impl Fn(&str) -> String,
    ) -> Result<Tensor, Error> {
        let mut flat = vec![0f32; self.total];
        base.copy_data(&mut flat, self.total);
        self.overwrite(flat, weights, name)
    }

    fn overwrite(
        &self,
        mut flat: Vec<f32>,
        weights: &Weights,
        name: impl Fn(&str) -> String,
    ) -> Result<Tensor, Error> {
        for (spec, start) in &self.specs {
            if let Some(array) = weights.0.get(&name(&spec.name)) {
                if array.shape != spec.shape {
                    return Err(Error::Shape {
                        name: name(&spec.name),
                        expected: spec.shape.clone(),
                        found: array.shape.clone(),
                    });
                }
                flat[*start..start + spec.elements()].copy_from_slice(&array.data);
            }
        }
        Ok(Tensor::from_slice(&flat))
    }

    /// The named arrays of a flat fp32 buffer; tensors that `name` maps to `None` are left out.
    pub fn unflatten(&self, flat: &Tensor, name: impl Fn(&TensorSpec) -> Option<String>) -> Weights {
        let mut values = vec![0f32; self.total];
        flat.copy_data(&mut values, self.total);
        let named = self.specs.iter().filter_map(|(spec, start)| {
            let data = values[*start..start + spec.elements()].to_vec();
            Some((name(spec)?, Array { shape: spec.shape.clone(), data }))
        });
        Weights(named.collect())
    }

    /// Name of the tensor that the flat index `at` belongs to.
    pub fn name_at(&self, at: usize) -> &str {
        let after = self.specs.partition_point(|(_, start)| *start <= at);
        &self.specs[after.saturating_sub(1)].0.name
    }
}

/// The tensors that a forward pass reads, as views of flat buffers: large matrices of `products`, in the compute
/// format; the looked-up embedding, the gains and the single numbers of `master`, in fp32.
pub(super) struct Leaves {
    pub lookup: Tensor,
    pub layers: Vec<LayerLeaves>,
    pub final_norm: Tensor,
    pub head: Tensor,
    pub head_scale: Option<Tensor>,
    tied: bool,
}

pub(super) struct LayerLeaves {
    pub attention_norm: Tensor,
    /// Queries, keys and values, one above the other: ((P·(H + K) + K)·D, d), P = 2 where attention is differential.
    pub qkv: Tensor,
    pub qk_norm: Option<(Tensor, Tensor)>,
    /// How much of the second pattern is subtracted, where attention is differential.
    pub lambda: Option<Tensor>,
    pub output: Tensor,
    pub feed_forward_norm: Tensor,
    pub feed_forward: Box<dyn FeedForward>,
}

impl Leaves {
    pub fn new(
        config: &Config,
        layout: &Layout,
        master: &Tensor,
        products: &Tensor,
        gradients: bool,
    ) -> Leaves {
        let options = &config.options;
        let view = |flat: &Tensor, kind, layer, joined| {
            no_grad(|| layout.view(flat, kind, layer, joined)).detach().set_requires_grad(gradients)
        };
        let gain = |kind, layer| view(master, kind, layer, 1);
        let layer = |n| LayerLeaves {
            attention_norm: gain(Kind::AttentionNorm, n),
            qkv: view(products, Kind::Query, n, if options.differential { 5 } else { 3 }),
            qk_norm: config.qk_norm.then(|| (gain(Kind::QueryNorm, n), gain(Kind::KeyNorm, n))),
            lambda: options.differential.then(|| gain(Kind::Lambda, n)),
            output: view(products, Kind::Output, n, 1),
            feed_forward_norm: gain(Kind::FeedForwardNorm, n),
            feed_forward: Box::new(SwiGlu {
                gate_up: view(products, Kind::Gate, n, 2),
                residual: options.gate_residual.then(|| gain(Kind::GateResidual, n)),
                down: view(products, Kind::Down, n, 1),
            }),
        };
        Leaves {
            lookup: view(master, Kind::Embedding, None, 1),
            layers: (0..config.n_layers).map(|n| layer(Some(n))).collect(),
            final_norm: gain(Kind::FinalNorm, None),
            head: view(products, if config.tied { Kind::Embedding } else { Kind::Head }, None, 1),
            head_scale: options.head_scale.then(|| gain(Kind::HeadScale, None)),
            tied: config.tied,
        }
    }

    /// In the order of the flat buffer, but for a head that is the embedding, which is last.
    pub fn in_order(&self) -> Vec<&Tensor> {
        let mut all = vec![&self.lookup];
        all.extend(self.layers.iter().flat_map(LayerLeaves::in_order));
        all.extend(self.behind_blocks());
        all
    }

    /// Those behind the last block, in the same order.
    pub fn behind_blocks(&self) -> Vec<&Tensor> {
        let head = [Some(&self.head), self.head_scale.as_ref()];
        let mut all = vec![&self.final_norm];
        all.extend(head.into_iter().flatten());
        if self.tied {
            all[1..].reverse();
        }
        all
    }

    /// One flat fp32 gradient out of those of [`in_order`](Leaves::in_order); the two uses of a tied embedding add up.
    pub fn flatten_gradients(mut gradients: Vec<Tensor>, tied: bool) -> Tensor {
        if tied && let Some(head) = gradients.pop() {
            gradients[0] += head;
        }
        let flat: Vec<Tensor> = gradients.iter().map(|g| g.reshape([-1]).to_kind(Number::Float)).collect();
        Tensor::cat(&flat, 0)
    }
}

impl LayerLeaves {
    /// In the order of the flat buffer.
    pub fn in_order(&self) -> Vec<&Tensor> {
        let mut all = vec![&self.attention_norm, &self.qkv];
        all.extend(self.qk_norm.iter().flat_map(|(q, k)| [q, k]));
        all.extend(&self.lambda);
        all.extend([&self.output, &self.feed_forward_norm]);
        all.extend(self.feed_forward.leaves());
        all
    }
}
