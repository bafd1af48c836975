//! Growth that loses nothing: a transformer becomes a larger one that computes the same function.

#![forbid(unsafe_code)]

pub mod ages;
mod architecture;
mod axis;
mod cost;
mod draft;
mod error;
mod folder;
mod forward;
mod inspect;
mod map;
pub mod operator;
pub mod optimizer_state;
mod plan;
mod proof;
mod recipe;
mod record;
mod safetensors_file;
mod tensor;

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
pub use record::Record;
pub use safetensors_file::SafetensorsFile;
pub use tensor::{Element, Tensor, TensorSink, TensorSource};
