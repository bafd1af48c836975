//! Growth that loses nothing: a transformer becomes a larger one that computes the same function.

#![forbid(unsafe_code)]

mod architecture;
mod axis;
mod error;
mod forward;
mod map;
pub mod operator;
mod plan;
mod recipe;
mod tensor;

pub use architecture::{Architecture, Scalars, TensorSpec, parameters};
pub use axis::{Axis, AxisUse, Role};
pub use error::GrowthError;
pub use forward::{Forward, Precision};
pub use map::{AffineMap, Fill, History, Place};
pub use operator::{GrowthOperator, Preservation};
pub use plan::{Grown, GrowthPlan, Retracted};
pub use recipe::{Recipe, Step};
pub use tensor::{Element, Tensor, TensorSink, TensorSource};
