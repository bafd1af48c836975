//! Formula-first Spanish corpora.

#![forbid(unsafe_code)]

pub mod argument;
pub mod augment;
mod balance;
mod batch;
pub mod clean;
pub mod dedup;
pub mod format;
pub mod gold;
mod lexicon;
pub mod normal;
mod realize;
mod row;
mod rows;
mod sequence;
mod split;
mod step;
mod tokenizer;
pub mod vocabulary;
mod words;

pub use balance::{Balance, balance};
pub use batch::{Batch, PackError, Packed, pack};
pub use realize::Maker;
pub use row::{Complexity, Origin, Row, WordSpan};
pub use rows::{ReadRowsError, read_rows, write_rows};
pub use sequence::Sequence;
pub use split::{Shares, Split, SplitReport, split};
pub use step::{Reason, Step, StepReport, Steps};
pub use tokenizer::{Tokenizer, TokenizerError};
pub use words::words;
