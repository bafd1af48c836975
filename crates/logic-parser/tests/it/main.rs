//! The crate from outside, one file a question.

mod formulas;
mod hostile;
mod parse;
mod round_trip;
mod truth;
