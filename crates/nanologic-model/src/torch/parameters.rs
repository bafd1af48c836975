//! All weights in one flat fp32 buffer, and the views of it that layers compute with.
//!
//! One buffer makes the whole of an optimizer step, the gradient norm and the cast to bf16 a handful of operations,
//! whatever the number of layers. Neighbours in it are also one matrix: q, k and v multiply at once, as do gate and up.

use tch::{Kind as Number, Tensor, no_grad};

use super::feed_forward::{FeedForward, SwiGlu};
use super::memory;
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

/// The tensors that a forward pass reads, in training as views of flat buffers: large matrices of `products`, in the compute
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

    /// A copy of weights without gradients, for answers: products with few rows read a matrix faster column by column. An
    /// embedding that is the head too is kept both ways.
    pub fn for_answers(&self) -> Leaves {
        let turned = self.map(&|weights| match weights.dim() {
            2 => weights.tr().contiguous().tr(),
            _ => weights.copy(),
        });
        Leaves { lookup: self.lookup.copy(), ..turned }
    }

    /// The same tensors, for another thread.
    pub fn shared(&self) -> Leaves {
        self.map(&Tensor::shallow_clone)
    }

    fn map(&self, f: &dyn Fn(&Tensor) -> Tensor) -> Leaves {
        let layer = |layer: &LayerLeaves| LayerLeaves {
            attention_norm: f(&layer.attention_norm),
            qkv: f(&layer.qkv),
            qk_norm: layer.qk_norm.as_ref().map(|(q, k)| (f(q), f(k))),
            lambda: layer.lambda.as_ref().map(f),
            output: f(&layer.output),
            feed_forward_norm: f(&layer.feed_forward_norm),
            feed_forward: layer.feed_forward.map(f),
        };
        Leaves {
            lookup: f(&self.lookup),
            layers: self.layers.iter().map(layer).collect(),
            final_norm: f(&self.final_norm),
            head: f(&self.head),
            head_scale: self.head_scale.as_ref().map(f),
            tied: self.tied,
        }
    }

    /// In the order of the flat buffer, without the head, whose gradient the loss knows.
    pub fn in_order(&self) -> Vec<&Tensor> {
        let mut all = vec![&self.lookup];
        all.extend(self.layers.iter().flat_map(LayerLeaves::in_order));
        all.extend(self.behind_blocks());
        all
    }

    /// Those behind the last block, in the same order.
    pub fn behind_blocks(&self) -> Vec<&Tensor> {
        [Some(&self.final_norm), self.head_scale.as_ref()].into_iter().flatten().collect()
    }

    /// All gradients in the order of the flat buffer, from those of [`in_order`](Leaves::in_order) and that of the head.
    /// The two uses of a tied embedding add up.
    pub fn with_head(&self, mut gradients: Vec<Tensor>, head: Tensor) -> Vec<Tensor> {
        if self.tied {
            gradients[0] += head;
        } else {
            gradients.insert(gradients.len() - usize::from(self.head_scale.is_some()), head);
        }
        gradients
    }

    /// Sums gradients of [`with_head`](Leaves::with_head), a list a replica, into a flat fp32 buffer: on top of what it holds
    /// if `more`, or instead. The order of the additions depends on the lists alone. A panic of LibTorch comes back.
    pub fn sum_gradients(flat: &Tensor, replicas: Vec<Vec<Tensor>>, more: bool) -> std::thread::Result<()> {
        // A tensor goes to the thread in whose share of the entries it begins.
        let share = flat.numel().div_ceil(replicas.len());
        let mut shares: Vec<Vec<(Tensor, Vec<Tensor>)>> = replicas.iter().map(|_| Vec::new()).collect();
        let mut terms: Vec<Vec<Tensor>> = Vec::new();
        for gradients in replicas {
            terms.resize_with(gradients.len(), Vec::new);
            terms.iter_mut().zip(gradients).for_each(|(terms, gradient)| terms.push(gradient));
        }
        let mut start = 0;
        for terms in terms {
            let length = terms[0].numel();
            shares[start / share].push((flat.narrow(0, start as i64, length as i64), terms));
            start += length;
        }
        debug_assert_eq!(start, flat.numel(), "every weight has a gradient");
        std::thread::scope(|scope| {
            let sum = |share: Vec<(Tensor, Vec<Tensor>)>| {
                memory::one_thread();
                no_grad(|| share.into_iter().for_each(|(part, terms)| sum_into(part, terms, more)));
            };
            let workers: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || sum(share))).collect();
            workers.into_iter().try_for_each(|worker| worker.join())
        })
    }
}

fn sum_into(mut part: Tensor, terms: Vec<Tensor>, more: bool) {
    let mut terms = terms.into_iter().map(|term| term.reshape([-1]));
    if !more && let Some(first) = terms.next() {
        part.copy_(&first);
    }
    terms.for_each(|term| part += term);
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
