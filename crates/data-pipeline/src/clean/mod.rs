//! Steps that keep out rows that are wrong, and trivial ones beyond their share.

mod trivial;
mod well_formed;

pub use trivial::Trivial;
pub use well_formed::WellFormed;
