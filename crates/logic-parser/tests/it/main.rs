//! The crate from outside, one file a question.

mod arguments;
mod formulas;
mod golden;
mod hostile;
mod normal_forms;
mod oracle;
mod parse;
mod proofs;
mod round_trip;
mod scoring;
mod truth;
mod verify;
