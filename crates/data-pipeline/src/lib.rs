//! From nothing to a corpus that teaches a model to read Spanish as logic.
//!
//! A [`Maker`] draws a formula and says it in Spanish, so that every label is right by construction. A [`Corpus`] takes
//! such [`Row`]s (or any others) through the [`Step`]s that clean them, splits them without leaks, augments and balances
//! train, and learns the [`Tokenizer`] from it. [`mod@format`] turns a row into what a model reads and writes, and
//! reads its answer back; [`pack`] turns token ids into the [`Batch`]es that a trainer eats.
//!
//! ```
//! use data_pipeline::{Corpus, Maker, Recipe, Row, Sequence, Source, Tokenizer, format::Pointing, pack, read_rows};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let source = Source::made(Maker::new(1), 500);
//! let recipe = Recipe { vocab_size: 1_000, ..Recipe::default() };
//! let manifest = Corpus::new(&source, &recipe, folder).build()?;
//! println!("{manifest}");
//!
//! let train: Vec<Row> = read_rows(folder.join("train.jsonl"))?.collect::<Result<_, _>>()?;
//! let answer = Pointing::read(&train[0].input, &Pointing::answer(&train[0])?)?;
//! assert_eq!(answer.formula.to_string(), train[0].pattern);
//!
//! let tokenizer = Tokenizer::load(folder.join("tokenizer.json"))?;
//! let sequences: Vec<Sequence> =
//!     train.iter().map(|row| Sequence::of(row, &tokenizer)).collect::<Result<_, _>>()?;
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
mod arena;
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
mod stream;
mod training_lines;
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

pub use balance::balance;
pub use batch::{Batch, PackError, Packed, Section, bucket, pack, sections};
pub use corpus::{Corpus, CorpusError, Manifest, Part, Progress, Recipe, Source};
pub use curriculum::Curriculum;
pub use distribution::Distribution;
pub use lexicon::{Lemmas, lemmas};
pub use realize::{Maker, Realizer};
pub use row::{Complexity, Origin, Row, WordSpan};
pub use rows::{NotARow, NotesRecord, ReadRowsError, Record, Records, read_rows, records, write_rows};
pub use sequence::Sequence;
pub use split::{Shares, Side, Split, SplitKeys, SplitReport};
pub use step::{Dropped, Reason, Step, StepReport, StepReports, Steps};
pub use tokenizer::{Tokenizer, TokenizerError};
pub use training_lines::{TrainingLines, training_lines};
pub use words::words;
