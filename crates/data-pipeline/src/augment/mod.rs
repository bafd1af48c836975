//! More rows from the rows there are.
//!
//! [`compose`] and [`contrast`] make new sentences with new formulas, each sentence with one. [`equivalents`] rewrites
//! the formula of a sentence by a law; a model that points gets one canonical formula a sentence, so these forms are
//! for other uses: paraphrased targets, or questions about equivalence.

mod compose;
mod contrast;
mod laws;
mod letters;

pub use compose::compose;
pub use contrast::contrast;
pub use laws::{Law, equivalents, rewritings};
