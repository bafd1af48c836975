//! Formula-first Spanish corpora.

#![forbid(unsafe_code)]

pub mod argument;
mod batch;
pub mod format;
mod row;
mod rows;
mod sequence;
mod tokenizer;
pub mod vocabulary;
mod words;

pub use batch::{Batch, PackError, Packed, pack};
pub use row::{Complexity, Origin, Row, WordSpan};
pub use rows::{ReadRowsError, read_rows, write_rows};
pub use sequence::Sequence;
pub use tokenizer::{Tokenizer, TokenizerError};
pub use words::words;
