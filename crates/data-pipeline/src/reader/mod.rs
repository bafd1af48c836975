//! Spanish to formula by grammar, without learning: the second opinion beside a model.
//!
//! The grammar is the maker's own table of constructions, read backwards: each line says which phrases, in which order,
//! around which operands, say which formula. A chart keeps the cheapest reading of every part of the sentence; a clause
//! that borrows words from another gets them back; clauses that say the same become one atom.

mod argument;
mod atoms;
mod boundaries;
mod build;
mod chart;
mod dictionary;
mod ellipsis;
mod endings;
mod grammar;
mod sentence;
mod verbs;

use crate::format::{Answer, FormatError};
use build::Builder;
use chart::Chart;
use sentence::Sentence;

pub use argument::ReadArgumentError;

/// Reads sentences of one language as formulas.
///
/// ```
/// use data_pipeline::reader::{Reader, Spanish};
///
/// let answer = Spanish.read("Si llueve y no llevo paraguas, me mojo.")?;
/// assert_eq!(answer.formula.to_string(), "p ∧ ¬q → r");
/// assert_eq!(answer.atoms["q"], "llevo paraguas");
/// # Ok::<(), data_pipeline::reader::ReadError>(())
/// ```
pub trait Reader {
    /// The formula of a sentence, with the words that each atom is said by.
    ///
    /// The same sentence always has the same answer. A sentence in which no connective is found is one atom.
    ///
    /// # Errors
    ///
    /// Every [`ReadError`].
    fn read(&self, sentence: &str) -> Result<Answer, ReadError>;
}

/// Why a sentence has no reading.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Nothing to read, or more words than a sentence has.
    #[error("the sentence cannot be read")]
    Input(#[from] FormatError),
    /// More atoms than letters.
    #[error("the sentence has {found} atoms, at most {max} have a letter", max = crate::vocabulary::LETTERS.len())]
    TooManyAtoms {
        /// The number of atoms.
        found: usize,
    },
    /// The search for the best reading takes too long: clauses by the dozen with little to tell how they hang together.
    #[error("the sentence has too many readings to find the best")]
    TooAmbiguous,
    /// The formula would be out of all proportion to the sentence.
    #[error("the sentence repeats itself too often")]
    TooTangled,
}

/// The reader of Spanish.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spanish;

impl Reader for Spanish {
    fn read(&self, text: &str) -> Result<Answer, ReadError> {
        self.weigh(text).map(|(answer, _)| answer)
    }
}

impl Spanish {
    /// Reads a sentence and says how odd it is by the grammar, at least 0: what the reading costs for clauses without a
    /// verb or with two, for connectives left unread, for marks and moods that the construction does not ask for.
    ///
    /// ```
    /// use data_pipeline::reader::Spanish;
    ///
    /// let (_, plain) = Spanish.weigh("Si llueve, entonces me mojo.")?;
    /// let (_, odd) = Spanish.weigh("Si llueve o entonces, mojo si.")?;
    /// assert!(plain < odd);
    /// # Ok::<(), data_pipeline::reader::ReadError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Every [`ReadError`].
    pub fn weigh(&self, sentence: &str) -> Result<(Answer, f32), ReadError> {
        let (grammar, dictionary) = grammar::spanish();
        let sentence = Sentence::new(sentence, grammar, dictionary)?;
        let mut chart = Chart::new(&sentence, grammar);
        let best = chart.best().ok_or(ReadError::TooAmbiguous)?;
        let oddness = chart.oddness(best);
        Ok((Builder::new(&chart, grammar).answer(best)?, oddness))
    }
}
