//! Formula-first Spanish corpora.

#![forbid(unsafe_code)]

mod row;
mod words;

pub use row::{Complexity, Origin, Row, WordSpan};
pub use words::words;
