//! From rows to a corpus: clean, split, augment and balance train, learn the tokenizer from train, write the folder.
//!
//! Rows stream through files in the folder `work` of the corpus: only fingerprints, sentences for the comparison of near
//! repeats, and counts are in memory, about 300 MB for a million rows.

mod join;
mod journal;
mod manifest;
mod part;
mod report;
mod source;

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{ReadRowsError, Shares, TokenizerError};

pub use manifest::Manifest;
pub use part::Part;
pub use source::Source;

/// How a corpus is made. All shares are from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Decides every choice; the same rows and seed give the same bytes.
    pub seed: u64,
    /// The share of rows with a trivial formula (`p`, `p → q`) that stays.
    pub trivial_rate: f64,
    /// What is held out.
    pub shares: Shares,
    /// The share of simple train rows that are also composed with another into an advanced one.
    pub composed: f64,
    /// The share of train rows that get a contrasting neighbour, where they have one.
    pub contrasted: f64,
    /// How many equivalent formulas a train sentence has at most besides its own. None by default: a model that is to
    /// answer with one formula should see one.
    pub rewritten: usize,
    /// No degree of complexity has more than this share of train.
    pub most_of_a_complexity: f64,
    /// No block has more than this share of train.
    pub most_of_a_block: f64,
    /// The size of the vocabulary.
    pub vocab_size: usize,
}

impl Default for Recipe {
    fn default() -> Recipe {
        Recipe {
            seed: 0,
            trivial_rate: 0.8,
            shares: Shares::default(),
            composed: 0.1,
            contrasted: 0.2,
            rewritten: 0,
            most_of_a_complexity: 0.5,
            most_of_a_block: 0.25,
            vocab_size: 8_000,
        }
    }
}

/// A corpus that is to be made.
///
/// ```
/// use data_pipeline::{Corpus, Maker, Recipe, Source, read_rows};
///
/// let folder = tempfile::tempdir()?;
/// let source = Source::made(Maker::new(1), 500);
/// let recipe = Recipe { vocab_size: 1_000, ..Recipe::default() };
/// let manifest = Corpus::new(&source, &recipe, folder.path()).build()?;
/// assert_eq!(read_rows(folder.path().join("train.jsonl"))?.count(), manifest.sides["train"].rows);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Corpus<'a> {
    source: &'a Source,
    recipe: &'a Recipe,
    folder: &'a Path,
    progress: &'a (dyn Fn(Progress) + Sync),
}

/// How far the making of a corpus has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: &'static str,
    /// How many rows it has been done to.
    pub done: u64,
    /// Of how many.
    pub of: u64,
}

/// Why there is no corpus.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// Nothing to learn from was left.
    #[error("no rows are left to train on")]
    NoRows,
    /// Parts cannot be joined before each of them is done, of the same source, by the same code and recipe.
    #[error("part {number} of {of} is not done, or was made of something else", number = .0.number, of = .0.of)]
    PartMissing(Part),
    /// The tokenizer could not be trained or written.
    #[error("cannot make the tokenizer")]
    Tokenizer(#[from] TokenizerError),
    /// The source could not be read.
    #[error("cannot read the rows")]
    Read(#[from] ReadRowsError),
    /// A file could not be written.
    #[error("cannot write the corpus")]
    Io(#[from] io::Error),
}

impl<'a> Corpus<'a> {
    /// A corpus of these rows, to be written into `folder`.
    pub fn new(source: &'a Source, recipe: &'a Recipe, folder: &'a Path) -> Corpus<'a> {
        Corpus { source, recipe, folder, progress: &|_| {} }
    }

    /// Tells `progress` every few thousand rows.
    pub fn with_progress(self, progress: &'a (dyn Fn(Progress) + Sync)) -> Corpus<'a> {
        Corpus { progress, ..self }
    }

    /// Makes the corpus whole: [`clean`](Corpus::clean), then [`join`](Corpus::join). Killed at any moment and called
    /// again, it writes what it would have written.
    ///
    /// # Errors
    ///
    /// Every [`CorpusError`].
    pub fn build(&self) -> Result<Manifest, CorpusError> {
        self.clean(Part::WHOLE)?;
        self.join(1)
    }

    /// The folder of what is not needed once the corpus is there.
    fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    fn tell(&self, stage: &'static str, done: u64, of: u64) {
        (self.progress)(Progress { stage, done, of });
    }
}

/// The version of this crate and a fingerprint of its sources and data.
fn code_version() -> String {
    format!("{}+{}", env!("CARGO_PKG_VERSION"), env!("DATA_PIPELINE_CODE"))
}
