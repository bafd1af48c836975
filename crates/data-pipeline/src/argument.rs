//! An argument in running text: its premises, its conclusion, and one glossary for all of them.
//!
//! A model reads one sentence at a time and letters the atoms of each from p. What makes sentences an argument is
//! that they share atoms, so their glossaries are brought together by what the atoms say.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use logic_parser::Formula;
use unicode_normalization::UnicodeNormalization;

use crate::{format::Answer, lexicon::lines, vocabulary::LETTERS};

const WORDS: &str = include_str!("../data/es/argument.tsv");

/// Phrases that announce a conclusion, accents folded, longest first where one begins another.
static CONCLUSION_MARKERS: LazyLock<Vec<&str>> = LazyLock::new(|| listed("conclusion").collect());

/// Words too common to tell two atoms apart.
static COMMON: LazyLock<BTreeSet<&str>> = LazyLock::new(|| listed("common").collect());

fn listed(name: &str) -> impl Iterator<Item = &'static str> {
    let line = move |line: &'static str| line.split_once('\t').filter(|(known, _)| *known == name);
    lines(WORDS).filter_map(line).flat_map(|(_, listed)| listed.split(", "))
}

/// Two atoms of different sentences are one when they share at least this part of their words.
const SAME_ATOM: f64 = 0.6;

/// The sentences of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentText {
    /// What is assumed, in order.
    pub premises: Vec<String>,
    /// What is said to follow, without the words that announce it.
    pub conclusion: String,
}

/// A text that holds no argument.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentError {
    /// An argument has at least one premise and a conclusion.
    #[error("an argument needs at least two sentences, this text has {found}")]
    TooFewSentences {
        /// How many sentences there are.
        found: usize,
    },
    /// No sentence, or more than one, says that it is the conclusion, and it is not the last one.
    #[error("the conclusion is announced {found} times")]
    ManyConclusions {
        /// How many sentences are announced as conclusions.
        found: usize,
    },
    /// More different atoms than letters.
    #[error("the argument has more than {max} atoms", max = LETTERS.len())]
    TooManyAtoms,
}

impl ArgumentText {
    /// Cuts a text into sentences and finds the conclusion: the one announced by *por lo tanto*, *luego* …, or the
    /// last one when none is announced.
    ///
    /// ```
    /// use data_pipeline::argument::ArgumentText;
    ///
    /// let text = ArgumentText::read("Si llueve, me mojo. Me mojo; por lo tanto, llueve.")?;
    /// assert_eq!(text.premises, ["Si llueve, me mojo", "Me mojo"]);
    /// assert_eq!(text.conclusion, "llueve");
    /// # Ok::<(), data_pipeline::argument::ArgumentError>(())
    /// ```
    ///
    /// # Errors
    /// [`ArgumentError::TooFewSentences`], or [`ArgumentError::ManyConclusions`] when several are announced.
    pub fn read(text: &str) -> Result<ArgumentText, ArgumentError> {
        let mut sentences: Vec<_> = sentences(text).into_iter().map(announced).collect();
        if sentences.len() < 2 {
            return Err(ArgumentError::TooFewSentences { found: sentences.len() });
        }
        let found = sentences.iter().filter(|(_, is_conclusion)| *is_conclusion).count();
        if found > 1 {
            return Err(ArgumentError::ManyConclusions { found });
        }
        let place =
            sentences.iter().position(|(_, is_conclusion)| *is_conclusion).unwrap_or(sentences.len() - 1);
        let (conclusion, _) = sentences.remove(place);
        let premises = sentences.into_iter().map(|(sentence, _)| sentence.to_owned()).collect();
        Ok(ArgumentText { premises, conclusion: conclusion.to_owned() })
    }
}

/// Sentences end at a full stop, a question or exclamation mark, a semicolon or a line's end; the point inside a
/// number does not end one.
fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (at, mark) in text.char_indices() {
        let end = at + mark.len_utf8();
        let before_space = text[end..].chars().next().is_none_or(char::is_whitespace);
        let ends = mark == '\n' || (matches!(mark, '.' | ';' | '?' | '!') && before_space);
        if ends {
            sentences.push(&text[start..at]);
            start = end;
        }
    }
    sentences.push(&text[start..]);
    sentences
        .into_iter()
        .map(str::trim)
        .filter(|sentence| sentence.chars().any(char::is_alphanumeric))
        .collect()
}

/// The sentence without the words that announce a conclusion, and whether there were any.
fn announced(sentence: &str) -> (&str, bool) {
    for &marker in CONCLUSION_MARKERS.iter() {
        let length = marker.chars().count();
        let end = sentence.char_indices().nth(length).map_or(sentence.len(), |(at, _)| at);
        let (head, rest) = sentence.split_at(end);
        let whole_word = !rest.starts_with(char::is_alphanumeric);
        if fold(head) == marker && whole_word {
            return (rest.trim_start_matches([',', ':', ' ']), true);
        }
    }
    (sentence, false)
}

/// The atoms of several readings under one set of letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glossary {
    entries: Vec<String>,
}

impl Glossary {
    /// The answer's formula with its atoms renamed to this glossary's letters. An atom that says what an entry says
    /// takes its letter; another takes the next free one and becomes an entry.
    ///
    /// # Errors
    /// [`ArgumentError::TooManyAtoms`] when the letters run out.
    pub fn adopt(&mut self, answer: &Answer) -> Result<Formula, ArgumentError> {
        let mut letters = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for atom in answer.formula.atoms() {
            let text = answer.atoms.get(atom).map_or(atom, String::as_str);
            let known = (0..self.entries.len())
                .filter(|entry| !taken.contains(entry))
                .map(|entry| (similarity(text, &self.entries[entry]), entry))
                .filter(|(similarity, _)| *similarity >= SAME_ATOM)
                .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
            let entry = known.map_or(self.entries.len(), |(_, entry)| entry);
            if entry == self.entries.len() {
                self.entries.push(text.to_owned());
            }
            taken.insert(entry);
            letters.insert(atom.to_owned(), *LETTERS.get(entry).ok_or(ArgumentError::TooManyAtoms)?);
        }
        Ok(answer.formula.rename(|atom| letters[atom].to_owned()))
    }

    /// Each letter with what it says.
    pub fn atoms(&self) -> BTreeMap<String, String> {
        LETTERS.iter().zip(&self.entries).map(|(letter, text)| ((*letter).to_owned(), text.clone())).collect()
    }
}

/// The share of words that two texts have in common (Jaccard), words without their endings: cut to at most five
/// letters, and to one less than they have when that leaves three.
fn similarity(a: &str, b: &str) -> f64 {
    let stems = |text: &str| -> BTreeSet<String> {
        let folded = fold(text);
        let all: BTreeSet<String> = folded
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(|word| word.chars().take((word.chars().count() - 1).clamp(3, 5)).collect())
            .collect();
        let telling: BTreeSet<_> =
            all.iter().filter(|word| !COMMON.contains(word.as_str())).cloned().collect();
        if telling.is_empty() { all } else { telling }
    };
    let (a, b) = (stems(a), stems(b));
    let union = a.union(&b).count();
    if union == 0 { 0.0 } else { a.intersection(&b).count() as f64 / union as f64 }
}

/// Lower case without accents.
fn fold(text: &str) -> String {
    text.nfd().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(formula: &str, atoms: &[(&str, &str)]) -> Answer {
        let atoms = atoms.iter().map(|(letter, text)| ((*letter).to_owned(), (*text).to_owned())).collect();
        Answer { formula: formula.parse().expect("a formula"), atoms, spans: BTreeMap::new() }
    }

    #[test]
    fn the_last_sentence_concludes_when_none_says_so() {
        let text = ArgumentText::read("Todo va bien.\nLa luz 3.5 brilla. Llueve").expect("three sentences");
        assert_eq!(text.premises, ["Todo va bien", "La luz 3.5 brilla"]);
        assert_eq!(text.conclusion, "Llueve");
    }

    #[test]
    fn an_announced_conclusion_may_come_first_and_lose_its_accent() {
        let text =
            ArgumentText::read("En conclusión, gano. Si juego, gano. Juego.").expect("three sentences");
        assert_eq!(text.conclusion, "gano");
        assert_eq!(text.premises.len(), 2);
    }

    #[test]
    fn luego_is_no_announcement_inside_a_longer_word() {
        assert_eq!(announced("luegos y juegos"), ("luegos y juegos", false));
    }

    #[test]
    fn a_text_of_one_sentence_or_two_conclusions_is_refused() {
        assert_eq!(ArgumentText::read("Llueve."), Err(ArgumentError::TooFewSentences { found: 1 }));
        assert_eq!(ArgumentText::read(""), Err(ArgumentError::TooFewSentences { found: 0 }));
        assert_eq!(
            ArgumentText::read("Luego llueve. Por tanto nieva."),
            Err(ArgumentError::ManyConclusions { found: 2 })
        );
    }

    #[test]
    fn atoms_that_say_the_same_share_a_letter() {
        let mut glossary = Glossary::default();
        let first =
            glossary.adopt(&answer("p → q", &[("p", "la alarma suena"), ("q", "ladra el perro")])).unwrap();
        let second = glossary.adopt(&answer("¬p", &[("p", "el perro ladró")])).unwrap();
        let third = glossary.adopt(&answer("p", &[("p", "el gato duerme")])).unwrap();
        assert_eq!([first.to_string(), second.to_string(), third.to_string()], ["p → q", "¬q", "r"]);
        assert_eq!(glossary.atoms()["r"], "el gato duerme");
    }

    #[test]
    fn two_atoms_of_one_sentence_never_share_a_letter() {
        let mut glossary = Glossary::default();
        glossary.adopt(&answer("p", &[("p", "dos divide a n")])).unwrap();
        let formula =
            glossary.adopt(&answer("p ∧ q", &[("p", "dos divide a n"), ("q", "tres divide a n")])).unwrap();
        assert_eq!(formula.to_string(), "p ∧ q");
    }
}
