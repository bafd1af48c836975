//! Steps that keep out what came before: the same sentence, nearly the same, or one of the gold set.

mod exact;
mod gold;
mod near;

pub use exact::Exact;
pub use gold::{GoldOverlap, WordRuns};
pub use near::Near;
