//! An argument in running text: premises and a conclusion, each read by itself, with one set of atoms for all.

use std::collections::BTreeMap;

use logic_parser::{Argument, Formula};

use super::{ReadError, Spanish, atoms::Content};
use crate::{
    argument::{ArgumentError, ArgumentText},
    vocabulary::LETTERS,
};

/// An argument in logic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadArgument {
    /// Ready to be judged.
    pub argument: Argument,
    /// What each atom says, in the words of the sentence that says it first.
    pub atoms: BTreeMap<String, String>,
}

/// Why a text cannot be read as an argument.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadArgumentError {
    /// It is none, or its atoms are too many.
    #[error("the text cannot be read as an argument")]
    Argument(#[from] ArgumentError),
    /// One of its sentences has no reading.
    #[error("«{sentence}» has no reading")]
    Sentence {
        /// The sentence.
        sentence: String,
        /// Why.
        #[source]
        source: ReadError,
    },
}

impl Spanish {
    /// Reads an argument; an atom is one through all its sentences, whatever its tense and mood.
    ///
    /// ```
    /// use data_pipeline::reader::Spanish;
    /// use logic_parser::Verdict;
    ///
    /// let read = Spanish.read_argument("Si lloviera, me mojaría. Llueve. Por tanto, me mojo.")?;
    /// assert_eq!(read.argument.conclusion.to_string(), "q");
    /// assert_eq!(read.argument.judge().verdict, Verdict::Valid);
    /// # Ok::<(), data_pipeline::reader::ReadArgumentError>(())
    /// ```
    ///
    /// # Errors
    /// [`ReadArgumentError::Argument`] for a text without premises or with several conclusions, or with more atoms than
    /// letters; [`ReadArgumentError::Sentence`].
    pub fn read_argument(&self, text: &str) -> Result<ReadArgument, ReadArgumentError> {
        let ArgumentText { premises, conclusion } = ArgumentText::read(text)?;
        let mut known: Vec<Content> = Vec::new();
        let mut atoms = BTreeMap::new();
        let mut read = |sentence: &String| -> Result<Formula, ReadArgumentError> {
            let (answer, contents) = self
                .read_contents(sentence)
                .map_err(|source| ReadArgumentError::Sentence { sentence: sentence.clone(), source })?;
            let mut letters: BTreeMap<&str, &str> = BTreeMap::new();
            for (letter, content) in &contents {
                // Two atoms of one sentence are never one.
                let free = |at: &usize| !letters.values().any(|taken| LETTERS.get(*at) == Some(taken));
                let same = |&at: &usize| known[at].same(content) || content.same(&known[at]);
                let at = (0..known.len()).filter(free).find(same).unwrap_or(known.len());
                let common = *LETTERS.get(at).ok_or(ArgumentError::TooManyAtoms)?;
                if at == known.len() {
                    known.push(content.clone());
                    atoms.insert(common.to_owned(), answer.atoms[letter].clone());
                }
                letters.insert(letter, common);
            }
            Ok(answer.formula.rename(|atom| letters[atom].to_owned()))
        };
        let premises = premises.iter().map(&mut read).collect::<Result<_, _>>()?;
        let conclusion = read(&conclusion)?;
        Ok(ReadArgument { argument: Argument { premises, conclusion }, atoms })
    }
}
