//! What a model reads and writes, and how its answer is read back.

mod align;
mod harmless;
mod pointing;
mod prefix;
mod sections;

use std::collections::{BTreeMap, BTreeSet};

use logic_parser::Formula;

use crate::{Row, WordSpan, normal, vocabulary::LETTERS};
pub(crate) use harmless::harmless;
pub use pointing::Pointing;
pub use sections::Sections;

/// A way to ask a model for a formula and to understand its answer.
///
/// [`Pointing`] is what models learn best; [`Sections`] is what the NanoLogic notes describe.
///
/// ```
/// use data_pipeline::{format::{Format, FormatError, Pointing, Sections}, gold};
///
/// fn longest_answer(format: &impl Format) -> Result<usize, FormatError> {
///     let answers = gold::sentences().iter().map(|row| format.answer(row)).collect::<Result<Vec<_>, _>>()?;
///     Ok(answers.iter().map(String::len).max().unwrap_or(0))
/// }
///
/// assert!(longest_answer(&Pointing)? < longest_answer(&Sections::WithoutThought)?);
/// # Ok::<(), FormatError>(())
/// ```
pub trait Format {
    /// What the model is asked.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where the sentence does not fit.
    fn prompt(&self, input: &str) -> Result<String, FormatError>;

    /// What it should answer, `<|eos|>` included.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where the row does not fit.
    fn answer(&self, row: &Row) -> Result<String, FormatError>;

    /// Reads its answer; `<|eos|>` may be missing.
    ///
    /// # Errors
    ///
    /// [`ReadError`] where it is not one.
    fn read(&self, input: &str, answer: &str) -> Result<Answer, ReadError>;
}

/// A model's answer, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The formula, its atoms lettered p, q, r … by first mention.
    pub formula: Formula,
    /// What each atom says: the words pointed at, joined by spaces.
    pub atoms: BTreeMap<String, String>,
    /// Where the sentence says it; empty if the format does not point.
    pub spans: BTreeMap<String, Vec<WordSpan>>,
}

impl Answer {
    /// How many content words of the sentence no atom says, in this or another form: their first three letters decide.
    ///
    /// ```
    /// use data_pipeline::format::Pointing;
    ///
    /// let sentence = "Los murciélagos vuelan, pero no son aves";
    /// let right = Pointing::read(sentence, "∧ p¬ q<|atoms|><0><2>;<6><7>")?;
    /// let wrong = Pointing::read(sentence, "∧ p¬ p<|atoms|><0><2>")?;
    /// assert_eq!((right.words_left(sentence), wrong.words_left(sentence)), (0, 1));
    /// # Ok::<(), data_pipeline::format::ReadError>(())
    /// ```
    pub fn words_left(&self, sentence: &str) -> usize {
        let beginning = |word: &String| word.chars().take(3).collect::<String>();
        let said: BTreeSet<String> = self
            .atoms
            .values()
            .flat_map(|text| normal::content_words(text))
            .map(|word| beginning(&word))
            .collect();
        normal::content_words(sentence).iter().filter(|word| !said.contains(&beginning(word))).count()
    }

    /// The answer with one letter for atoms that say the same: in the same words, capitals apart, or as `same` finds. A
    /// model that points twice at *llueve* means one atom. Letters stay in the order of first mention.
    ///
    /// ```
    /// use data_pipeline::{format::Pointing, reader::Spanish};
    ///
    /// let answer = Pointing::read("Si llueve, lloverá", "→ p q<|atoms|><1><1>;<3><3>")?;
    /// assert_eq!(answer.clone().merge_atoms(|_, _| false).formula.to_string(), "p → q");
    /// assert_eq!(answer.merge_atoms(|one, other| Spanish.same(one, other)).formula.to_string(), "p → p");
    /// # Ok::<(), data_pipeline::format::ReadError>(())
    /// ```
    pub fn merge_atoms(self, same: impl Fn(&str, &str) -> bool) -> Answer {
        let mut letters: BTreeMap<&str, &str> = BTreeMap::new();
        let mut texts: Vec<&str> = Vec::new();
        let (mut atoms, mut spans) = (BTreeMap::new(), BTreeMap::new());
        for atom in self.formula.atoms() {
            let said = self.atoms.get(atom);
            let text = said.map_or(atom, String::as_str);
            let says = |known: &&str| known.to_lowercase() == text.to_lowercase() || same(known, text);
            let place = texts.iter().position(says).unwrap_or(texts.len());
            let Some(letter) = LETTERS.get(place) else { return self };
            if place == texts.len() {
                texts.push(text);
                atoms.extend(said.map(|text| ((*letter).to_owned(), text.clone())));
                spans.extend(self.spans.get(atom).map(|spans| ((*letter).to_owned(), spans.clone())));
            }
            letters.insert(atom, letter);
        }
        let formula = self.formula.rename(|atom| letters[atom].to_owned());
        Answer { formula, atoms, spans }
    }
}

/// Why a row cannot be put into the format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// There is nothing to point at.
    #[error("the sentence has no words")]
    NoWords,
    /// More words than index tokens.
    #[error("the sentence has {found} words, at most {max} can be numbered", max = crate::vocabulary::MAX_WORDS)]
    TooManyWords {
        /// The number of words.
        found: usize,
    },
    /// More atoms than letters.
    #[error("the formula has {found} atoms, at most {max} have a letter", max = crate::vocabulary::LETTERS.len())]
    TooManyAtoms {
        /// The number of atoms.
        found: usize,
    },
    /// The row's formula does not parse.
    #[error("the formula does not parse")]
    Formula(#[from] logic_parser::ParseError),
    /// The formula uses a symbol that has no token: ⊤, ⊥ or ⊕.
    #[error("the symbol {symbol} has no token")]
    NoToken {
        /// The symbol.
        symbol: char,
    },
    /// The row has neither spans for an atom nor a glossary text that the sentence says.
    #[error("the sentence does not say where the atom {atom} is")]
    AtomNotFound {
        /// The atom, as the row names it.
        atom: String,
    },
    /// A span of the row lies outside the sentence or is reversed.
    #[error("the atom {atom} points at words {first} to {last} of {words}", first = span.first, last = span.last)]
    BadSpan {
        /// The atom, as the row names it.
        atom: String,
        /// Its span.
        span: WordSpan,
        /// How many words there are.
        words: usize,
    },
}

/// Why a model's answer is no answer. Offsets are in bytes of the answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The sentence asked about could not have been asked.
    #[error("the sentence cannot be put into the format")]
    Input(#[from] FormatError),
    /// The formula does not end with `<|atoms|>`.
    #[error("no <|atoms|> after the formula")]
    NoAtomsSection,
    /// A section of the notes' format is missing or where it does not belong.
    #[error("the section {section} is not where it belongs")]
    SectionOutOfPlace {
        /// Its token.
        section: &'static str,
    },
    /// An entry of the glossary that is not `p: text`, or explains an atom again.
    #[error("{entry:?} does not explain an atom of its own")]
    BadGlossary {
        /// The entry.
        entry: String,
    },
    /// The formula section does not parse.
    #[error("the formula does not parse")]
    Formula(#[from] logic_parser::ParseError),
    /// Something that is neither a connective nor a letter.
    #[error("neither a connective nor a letter at byte {at}")]
    UnknownSymbol {
        /// Where.
        at: usize,
    },
    /// A connective lacks an operand.
    #[error("the formula lacks {missing} operands")]
    IncompleteFormula {
        /// How many are missing.
        missing: usize,
    },
    /// The formula was complete before this.
    #[error("the formula goes on at byte {at}, where it was complete")]
    AfterFormula {
        /// Where.
        at: usize,
    },
    /// More symbols than any sentence needs.
    #[error("the formula has more than {max} symbols")]
    FormulaTooLong {
        /// The most that are read.
        max: usize,
    },
    /// Letters must come in order of first mention: p, then q …
    #[error("the letter {found} comes where {expected} should")]
    LetterOutOfOrder {
        /// The letter met.
        found: &'static str,
        /// The letter due.
        expected: &'static str,
    },
    /// As many atoms as letters must be pointed at.
    #[error("{found} atoms are pointed at, the formula has {expected}")]
    AtomCount {
        /// How many letters the formula has.
        expected: usize,
        /// How many atoms follow it.
        found: usize,
    },
    /// Not of the form `<first><last>`.
    #[error("no pair of word numbers at byte {at}")]
    BadSpan {
        /// Where.
        at: usize,
    },
    /// The last word of a span stands before the first.
    #[error("the span from word {first} to {last} is reversed")]
    ReversedSpan {
        /// First word.
        first: u16,
        /// Last word.
        last: u16,
    },
    /// A word number that the sentence does not have.
    #[error("the answer points at word {index} of {words}")]
    WordOutOfRange {
        /// The number, from 0.
        index: u16,
        /// How many words there are.
        words: usize,
    },
}
