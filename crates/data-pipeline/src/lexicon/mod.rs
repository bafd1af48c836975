//! The words: nouns with their gender, adjectives that agree, verbs with what they govern. All of it is read once from
//! the tables under `data/es/`, which a teacher of Spanish can edit.

mod agreement;
mod lemmas;
mod noun;
mod pseudo;
mod table;
mod verb;

pub use agreement::{Agreement, Gender, inflect};
pub use lemmas::{Lemmas, lemmas};
pub use noun::{Noun, plural};
pub use table::{Adjective, Copula, Domain, Piece, Predicates, Subject, lexicon};
pub use verb::{Person, Simple, Verb, conjugate, read_irregular};

pub use table::IRREGULAR;

/// The lines of a data file that say something.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#'))
}
