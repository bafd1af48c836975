//! An argument in running text: premises and a conclusion, each read by itself, with one set of atoms for all.

use std::collections::BTreeMap;

use logic_parser::{Argument, Formula};

use super::{ReadError, Reader as _, Spanish, atoms::Content};
use crate::{
    argument::{ArgumentError, ArgumentText, ReadArgument},
    format::Answer,
    vocabulary::LETTERS,
};

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
        let read = |sentence: &String| {
            self.read(sentence)
                .map_err(|source| ReadArgumentError::Sentence { sentence: sentence.clone(), source })
        };
        let premises: Vec<Answer> = premises.iter().map(read).collect::<Result<_, _>>()?;
        Ok(self.unite(&premises, &read(&conclusion)?)?)
    }

    /// Whether two clauses say the same, whatever their tense and mood; either may leave out the subject, or say by a
    /// pronoun what the other names.
    ///
    /// ```
    /// use data_pipeline::reader::Spanish;
    ///
    /// assert!(Spanish.same("Ana compra el libro", "lo comprará"));
    /// assert!(!Spanish.same("Ana compra el libro", "Luis compra el libro"));
    /// assert!(!Spanish.same("Ana ve a Luis", "Luis ve a Ana"));
    /// assert!(!Spanish.same("viene con dinero", "viene sin dinero"));
    /// ```
    pub fn same(&self, one: &str, other: &str) -> bool {
        Content::of(one).same_either_way(&Content::of(other))
    }

    /// Brings what a reader, whichever, made of the sentences of an argument under one set of letters: an atom that says
    /// what one before it says is that one, as this reader understands Spanish.
    ///
    /// # Errors
    /// [`ArgumentError::TooManyAtoms`].
    pub fn unite(&self, premises: &[Answer], conclusion: &Answer) -> Result<ReadArgument, ArgumentError> {
        let mut known: Vec<(String, Content)> = Vec::new();
        let mut adopt = |answer: &Answer| -> Result<Formula, ArgumentError> {
            let mut letters: BTreeMap<&str, &str> = BTreeMap::new();
            for letter in answer.formula.atoms() {
                let text = answer.atoms.get(letter).map_or(letter, String::as_str);
                let content = Content::of(text);
                // Two atoms of one sentence are never one.
                let free = |at: &usize| !letters.values().any(|taken| LETTERS.get(*at) == Some(taken));
                let same = |&at: &usize| known[at].0 == text || known[at].1.same_either_way(&content);
                let at = (0..known.len()).filter(free).find(same).unwrap_or(known.len());
                let common = *LETTERS.get(at).ok_or(ArgumentError::TooManyAtoms)?;
                if at == known.len() {
                    known.push((text.to_owned(), content));
                }
                letters.insert(letter, common);
            }
            Ok(answer.formula.rename(|atom| letters[atom].to_owned()))
        };
        let premises = premises.iter().map(&mut adopt).collect::<Result<_, _>>()?;
        let conclusion = adopt(conclusion)?;
        let atoms =
            LETTERS.iter().zip(known).map(|(letter, (text, _))| ((*letter).to_owned(), text)).collect();
        Ok(ReadArgument { argument: Argument { premises, conclusion }, atoms })
    }
}
