//! Growth that loses nothing: a transformer becomes a larger one that computes the same function, with the proof.
//!
//! A model says once, as data, what each dimension of each of its tensors is ([`Architecture`], [`TensorSpec`],
//! [`Axis`], [`Role`]). A [`GrowthPlan`] leads from one configuration to another by [operators](operator) that know
//! axes and never names. Applied to weights, it gives a larger model with the same logits; applied to optimizer
//! moments, one that trains on as if nothing had happened. A [`Draft`] does both to a checkpoint folder, proves it
//! with a [`Forward`] if there is one, and only then gives the folder its name.
//!
//! ```
//! use std::collections::BTreeMap;
//! use thau_growth::{Cost, GrowthPlan, Preservation, Tensor, TensorSource};
//! # use thau_growth::{Architecture, Axis, Role, Scalars, TensorSpec};
//! # #[derive(Clone, PartialEq, Debug)]
//! # struct Toy { vocab: usize, width: usize }
//! # impl Architecture for Toy {
//! #     fn tensors(&self) -> Vec<TensorSpec> {
//! #         let vocab = (Axis::Vocabulary, self.vocab, Role::Entry);
//! #         vec![
//! #             TensorSpec::new("embed").dim(&[vocab]).dim(&[(Axis::Residual, self.width, Role::Producer)]),
//! #             TensorSpec::new("norm").dim(&[(Axis::Residual, self.width, Role::Gain)]),
//! #             TensorSpec::new("head").dim(&[vocab]).dim(&[(Axis::Residual, self.width, Role::Consumer)]),
//! #         ]
//! #     }
//! #     fn size(&self, axis: Axis) -> usize {
//! #         match axis { Axis::Vocabulary => self.vocab, Axis::Residual => self.width, _ => 1 }
//! #     }
//! #     fn with_size(&self, axis: Axis, size: usize) -> Self {
//! #         let mut grown = self.clone();
//! #         match axis { Axis::Vocabulary => grown.vocab = size, Axis::Residual => grown.width = size, _ => {} }
//! #         grown
//! #     }
//! #     fn scalars(&self) -> Scalars { Scalars::plain(1e-6, 10_000.0, 64) }
//! #     fn with_scalars(&self, _: &Scalars) -> Option<Self> { None }
//! # }
//!
//! // An embedding, a norm and a head, as in the example of `Architecture`.
//! let (small, large) = (Toy { vocab: 3, width: 2 }, Toy { vocab: 3, width: 8 });
//! let weights = BTreeMap::from([
//!     ("embed".to_string(), Tensor { shape: vec![3, 2], values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] }),
//!     ("norm".to_string(), Tensor { shape: vec![2], values: vec![1.0, 0.5] }),
//!     ("head".to_string(), Tensor { shape: vec![3, 2], values: vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6] }),
//! ]);
//!
//! let plan = GrowthPlan::between(&small, &large, 42)?;
//! assert_eq!(plan.preservation(), Preservation::Exact);
//! assert_eq!((Cost::of(plan.from()).parameters, Cost::of(plan.to()).parameters), (14, 56));
//!
//! // Nothing writes the new channels; the zeros lower the root mean square, and gains make up for it.
//! let grown = plan.grown(&weights);
//! assert_eq!(grown.read("embed")?.values[..8], [2.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
//! assert_eq!(grown.read("norm")?.values[..2], [0.5, 0.25]);
//! assert_eq!(plan.retracted(&grown)?.read("head")?, weights["head"]);
//! # Ok::<(), thau_growth::GrowthError>(())
//! ```
//!
//! Exact by default: an operator says what it preserves ([`Preservation`]), and a draft accepts nothing less than
//! [`Accept`] says. An exact or bounded growth whose logits are seen to move further than it says, or that has more
//! channels (of the stream, the feed-forward, the query heads, the values) that cannot learn than before, is not handed
//! over. Without a forward pass, the old weights are looked for in the stored ones, value by value. Matrices can be
//! fp32, fp16 or bf16; growth is computed in `f64` and rounded once. The sizes of the cognitive [ages] are presets;
//! [`due`] says when to go to the next.
//!
//! The crate has no features. It never links LibTorch, never knows one model's field names, never overwrites a
//! folder, and holds two versions of one tensor in memory, not the model.

#![forbid(unsafe_code)]

mod axis;

mod architecture;
mod tensor;

mod forward;
mod map;
pub mod operator;
mod plan;
mod recipe;

pub mod ages;
mod cost;
mod trigger;

mod folder;
pub mod optimizer_state;
mod safetensors_file;

mod draft;
mod inspect;
mod proof;
mod record;

mod error;

pub use architecture::{Architecture, Scalars, TensorSpec, parameters};
pub use axis::{Axis, AxisUse, Role};
pub use cost::Cost;
pub use draft::{Accept, Draft, Options};
pub use error::GrowthError;
pub use folder::{Folder, Storage};
pub use forward::{Forward, Precision};
pub use inspect::{Idle, idle_channels};
pub use map::{AffineMap, Fill, History, Place};
pub use operator::{GrowthOperator, Preservation};
pub use plan::{Grown, GrowthPlan, Retracted};
pub use proof::{Proof, Tolerance, random_probes};
pub use recipe::{Recipe, Step};
pub use record::{Record, ancestor, ledger};
pub use safetensors_file::SafetensorsFile;
pub use tensor::{Element, Tensor, TensorSink, TensorSource};
pub use trigger::{Progress, Trigger, due};
