//! A decoder-only transformer: what it is, and how LibTorch trains and runs it.
//!
//! Without LibTorch (`default-features = false`) this crate says what a decoder *is*: its [`Config`], the table of its
//! tensors ([`axes`]), the [`Checkpoint`] folder that Hugging Face tools read, a [`Reference`] forward in plain Rust,
//! and how answers are scored. Its default feature `torch` adds the decoder on LibTorch, its trainer and generator.
//!
//! ```
//! use nanologic_model::{Checkpoint, Config, Provenance, Reference, Weights};
//!
//! let config = Config::tiny();
//! println!("{} parameters", config.parameters());
//! let weights = Weights::init(&config, 42);
//! let logits = Reference::<f32>::new(&config, &weights)?.logits(&[1, 4, 2])?;
//! assert_eq!(logits.len(), 3 * config.vocab_size);
//!
//! let folder = tempfile::tempdir()?;
//! let made = Checkpoint { config, weights, tokenizer: None, training: None, provenance: Provenance::default() };
//! made.save(folder.path())?;
//! assert_eq!(Checkpoint::load(folder.path())?, made);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With LibTorch, [`torch::Trainer`] and [`torch::train`] teach it, and [`torch::Formalizer`] asks it:
//!
//! ```no_run
//! # #[cfg(feature = "torch")] {
//! use nanologic_model::torch::{Formalizer, Sampling};
//!
//! let mut formalizer = Formalizer::load("target/model".as_ref(), 2)?;
//! for reading in formalizer.read(&["Si llueve, me mojo."], &Sampling::greedy())? {
//!     let reading = reading?;
//!     println!("{} {:?}", reading.answer.formula, reading.answer.atoms);
//! }
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//! - `torch` (default): train and run on LibTorch 2.11.0 through `tch`.
//! - `thau-growth`: the traits of `thau_growth` for this crate's types.
//! - `gguf-export`: the forward trait of `gguf_export` for [`Reference`].
//! - `self-learning`: `self_learning::Learner` for this crate's model; does something only with `torch`.
//!
//! # What it never does
//! It invents no file format, prints nothing, and never reports an answer right that a truth table has not judged.

#![deny(unsafe_code)]

pub mod axes;
mod checkpoint;
mod config;
mod dataset;
mod error;
pub mod eval;
#[cfg(feature = "gguf-export")]
mod gguf;
mod grammar;
#[cfg(feature = "thau-growth")]
mod growth;
mod opinion;
mod reference;
mod saying;
#[cfg(feature = "torch")]
pub mod torch;

pub use checkpoint::{Array, Checkpoint, Progress, Provenance, TrainingState, Weights};
pub use config::{Config, ConfigError, Memory, Options, PRESETS, Preset};
pub use dataset::{Dataset, LeftOut};
pub use error::Error;
pub use grammar::{AnswerTokens, PointingGrammar};
#[cfg(feature = "thau-growth")]
pub use growth::ReferenceForward;
pub use opinion::{Opinion, believe_model};
pub use reference::{Real, Reference};
pub use saying::say_back;
