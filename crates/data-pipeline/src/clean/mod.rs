//! Steps that keep out rows that are wrong, and trivial ones beyond their share.

mod pointable;
mod trivial;
mod well_formed;

pub use pointable::Pointable;
pub use trivial::Trivial;
pub use well_formed::WellFormed;
