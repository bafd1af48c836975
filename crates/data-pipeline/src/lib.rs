//! From nothing to a corpus that teaches a model to read Spanish as logic.
//!
//! A [`Maker`] draws a formula and says it in Spanish, so that every label is right by construction. [`Corpus::build`]
//! takes such [`Row`]s (or any others) through the [`Step`]s that clean them, splits them without leaks, augments and
//! balances train, and learns the [`Tokenizer`] from it. [`mod@format`] turns a row into what a model reads and writes, and
//! reads its answer back; [`pack`] turns token ids into the [`Batch`]es that a trainer eats.
//!
//! ```
//! use data_pipeline::{Corpus, Maker, Recipe, Sequence, format::Pointing, pack};
//!
//! let maker = Maker::new(1);
//! let recipe = Recipe { vocab_size: 1_000, ..Recipe::default() };
//! let corpus = Corpus::build((0..500).map(|index| maker.row(index)), &recipe)?;
//! println!("{}", corpus.manifest);
//!
//! let row = &corpus.train[0];
//! let answer = Pointing::read(&row.input, &Pointing::answer(row)?)?;
//! assert_eq!(answer.formula.to_string(), row.pattern);
//!
//! let sequences: Vec<Sequence> =
//!     corpus.train.iter().map(|row| Sequence::of(row, &corpus.tokenizer)).collect::<Result<_, _>>()?;
//! let batch = pack(&sequences, 8, 512, 0)?.next().unwrap();
//! assert_eq!(batch.ids.len(), 8 * 512);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The evaluation set, written by hand, is [`gold`]; no row that overlaps it passes.
//!
//! # Features
//!
//! - `verify`: the module `verify`, which has a language model behind an OpenAI-compatible endpoint check every row.
//!
//! # What it never does
//!
//! It never links LibTorch, and it lets no sentence and no pattern of test reach train. The same rows and seed give the
//! same bytes, whatever the number of threads.

#![forbid(unsafe_code)]

// The record.
mod row;
mod rows;
mod words;

// Formula to Spanish.
pub mod argument;
mod lexicon;
mod realize;

// Spanish to formula.
pub mod reader;

// Rows to clean sides.
pub mod augment;
mod balance;
pub mod clean;
mod corpus;
pub mod dedup;
mod distribution;
pub mod gold;
pub mod normal;
mod split;
mod step;
mod truth_column;
#[cfg(feature = "verify")]
pub mod verify;

// Rows to tokens.
mod batch;
mod curriculum;
pub mod format;
mod sequence;
mod tokenizer;
pub mod vocabulary;

pub use balance::{Balance, balance};
pub use batch::{Batch, PackError, Packed, bucket, pack};
pub use corpus::{Corpus, CorpusError, Manifest, Recipe};
pub use curriculum::Curriculum;
pub use distribution::Distribution;
pub use lexicon::{Lemmas, lemmas};
pub use realize::Maker;
pub use row::{Complexity, Origin, Row, WordSpan};
pub use rows::{ReadRowsError, read_rows, write_rows};
pub use sequence::Sequence;
pub use split::{Shares, Split, SplitReport, split};
pub use step::{Reason, Step, StepReport, Steps};
pub use tokenizer::{Tokenizer, TokenizerError};
pub use words::words;
