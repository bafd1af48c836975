//! An argument in running text: its premises and its conclusion, as sentences and as formulas.

use std::{collections::BTreeMap, sync::LazyLock};

use logic_parser::{Argument, Formula};

use crate::{format::Answer, lexicon::lines, normal, vocabulary::LETTERS};

/// Phrases that announce a conclusion, accents folded, longest first where one begins another.
static CONCLUSION_MARKERS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    lines(include_str!("../data/es/conclusions.tsv")).flat_map(|line| line.split(", ")).collect()
});

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
        if normal::word(head) == marker && whole_word {
            return (rest.trim_start_matches([',', ':', ' ']), true);
        }
    }
    (sentence, false)
}

/// An argument in logic, as a reader found it in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadArgument {
    /// Ready to be judged.
    pub argument: Argument,
    /// What each atom says.
    pub atoms: BTreeMap<String, String>,
}

impl ReadArgument {
    /// The argument as the one formula that says it, the conditional of its premises and its conclusion.
    pub fn answer(&self) -> Answer {
        let premises = Formula::conjunction(&self.argument.premises);
        let formula = premises.implies(self.argument.conclusion.clone());
        Answer { formula, atoms: self.atoms.clone(), spans: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
