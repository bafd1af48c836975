//! The documents' rules for answers in words, where no truth table helps.

use data_pipeline::Row;
use serde::{Deserialize, Serialize};

use super::{Judge, Verdict};
use crate::Attempt;
use crate::fold::fold;

/// Doubts an answer that is too short, says that it does not know, or was given without confidence.
///
/// It finds gaps; it proves nothing, for a fluent wrong answer passes. Never for formulas: a right one is mostly shorter
/// than 20 characters.
///
/// ```
/// use self_learning::{Attempt, FreeText, Judge};
/// let question = data_pipeline::Row { input: "¿Qué es un algoritmo?".into(), ..Default::default() };
/// let says = |text: &str| FreeText::default().judge(&question, &Attempt { text: text.into(), confidence: 0.9 }).right;
/// assert!(says("Una serie de pasos ordenados para resolver un problema."));
/// assert!(!says("No ESTOY seguro, pero creo que es una receta."));
/// assert!(!says("Pasos."));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FreeText {
    /// Least length of an answer, in characters.
    pub min_chars: usize,
    /// Phrases of doubt, compared without case and accents.
    pub doubts: Vec<String>,
    /// Least confidence, from 0 to 1.
    pub min_confidence: f64,
}

impl Default for FreeText {
    /// The documents' figures.
    fn default() -> FreeText {
        FreeText {
            min_chars: 20,
            doubts: vec!["no estoy seguro".to_owned(), "no sé".to_owned()],
            min_confidence: 0.6,
        }
    }
}

impl FreeText {
    /// The rule for an age: the youngest answer in one to three words, so that length tells nothing before age 3.
    pub fn for_age(age: u8) -> FreeText {
        FreeText { min_chars: if age < 3 { 1 } else { 20 }, ..FreeText::default() }
    }
}

impl Judge for FreeText {
    fn judge(&self, _question: &Row, attempt: &Attempt) -> Verdict {
        let text = attempt.text.trim();
        let folded = fold(text);
        let padded = format!(" {folded} ");
        let doubt = self.doubts.iter().find(|doubt| padded.contains(&format!(" {} ", fold(doubt))));
        if folded.is_empty() || text.chars().count() < self.min_chars {
            Verdict::wrong("too short")
        } else if let Some(doubt) = doubt {
            Verdict::wrong(format!("says “{doubt}”"))
        } else if attempt.confidence.is_nan() || attempt.confidence < self.min_confidence {
            Verdict::wrong("given without confidence")
        } else {
            Verdict::right()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(judge: &FreeText, text: &str, confidence: f64) -> String {
        judge.judge(&Row::default(), &Attempt { text: text.into(), confidence }).reason
    }

    #[test]
    fn counts_characters_not_bytes() {
        let judge = FreeText::default();
        assert_eq!(reason(&judge, &"ñ".repeat(19), 1.0), "too short");
        assert_eq!(reason(&judge, &"ñ".repeat(20), 1.0), "");
    }

    #[test]
    fn a_doubt_is_a_whole_phrase_without_case_or_accent() {
        let judge = FreeText::default();
        assert_eq!(reason(&judge, "La verdad: NO SE qué decirte hoy.", 1.0), "says “no sé”");
        assert_eq!(reason(&judge, "El motor no seguía en marcha ayer.", 1.0), "");
    }

    #[test]
    fn confidence_that_is_no_number_is_none() {
        assert_eq!(reason(&FreeText::default(), &"a".repeat(30), f64::NAN), "given without confidence");
    }

    #[test]
    fn the_youngest_may_answer_in_a_word_but_not_in_none() {
        assert_eq!(reason(&FreeText::for_age(0), "Sí", 1.0), "");
        assert_eq!(reason(&FreeText::for_age(0), " … ", 1.0), "too short");
    }
}
