//! The judge of formulas: a truth table.

use data_pipeline::format::{Answer, Pointing};
use data_pipeline::{Complexity, Row};
use logic_parser::Formula;
use logic_parser::score::{Glossed, compare};

use super::{Judge, Verdict};
use crate::Attempt;

/// Reads an answer in the pointing format, aligns its atoms with the label's by what they say, and asks whether both formulas are
/// true in the same rows.
///
/// Atoms are never renamed at will: that would take *q → p* for *p → q*. Credit is that of
/// [`logic_parser::score::compare`].
///
/// ```
/// use data_pipeline::Row;
/// use self_learning::{Attempt, Judge, Verifier};
///
/// let row: Row = serde_json::from_str(
///     r#"{"input": "Si llueve, me mojo", "formula": "p → q", "atoms": {"p": "llueve", "q": "me mojo"}}"#)?;
/// let says = |text: &str| Verifier.judge(&row, &Attempt { text: text.into(), confidence: 1.0 });
/// assert!(says("→ p q<|atoms|><1><1>;<3><4>").right);
/// assert!(says("∨¬ p q<|atoms|><1><1>;<3><4>").right);
/// // The converse, and the converse in other letters.
/// assert!(!says("→ q p<|atoms|><3><4>;<1><1>").right);
/// assert!(!says("→ p q<|atoms|><3><4>;<1><1>").right);
/// assert!(!says("").coherent);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Verifier;

impl Judge for Verifier {
    fn judge(&self, question: &Row, attempt: &Attempt) -> Verdict {
        let Ok(gold) = Formula::parse(&question.formula) else {
            return Verdict::wrong("the label is not a formula");
        };
        let answer = match Pointing::read(&question.input, &attempt.text) {
            Ok(answer) => answer,
            Err(error) => return Verdict::wrong(error.to_string()),
        };
        let label = Glossed { formula: &gold, atoms: &question.atoms };
        let score = compare(&label, &glossed(&answer));
        Verdict {
            right: score.equivalent,
            coherent: true,
            credit: score.partial_credit,
            kind: answer.formula.pattern().to_string(),
            reason: match score.equivalent {
                true => String::new(),
                false => format!("{} is not {}", answer.formula, question.formula),
            },
        }
    }

    fn alike(&self, question: &Row, one: &Attempt, other: &Attempt) -> bool {
        if one.text == other.text {
            return true;
        }
        let read = |attempt: &Attempt| Pointing::read(&question.input, &attempt.text).ok();
        match (read(one), read(other)) {
            (Some(one), Some(other)) => compare(&glossed(&one), &glossed(&other)).equivalent,
            _ => false,
        }
    }

    fn label(&self, question: &Row, attempt: &Attempt) -> Option<Row> {
        let answer = Pointing::read(&question.input, &attempt.text).ok()?;
        Some(Row {
            formula: answer.formula.to_string(),
            pattern: answer.formula.pattern().to_string(),
            complexity: Complexity::of(&answer.formula),
            input: question.input.clone(),
            language: question.language.clone(),
            block: question.block.clone(),
            atoms: answer.atoms,
            spans: answer.spans,
            ..Row::default()
        })
    }
}

fn glossed(answer: &Answer) -> Glossed<'_> {
    Glossed { formula: &answer.formula, atoms: &answer.atoms }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn question() -> Row {
        Row {
            input: "No hay luz ni agua y, si llueve, el río crece.".into(),
            formula: "¬p ∧ ¬q ∧ (r → s)".into(),
            atoms: [("p", "hay luz"), ("q", "hay agua"), ("r", "llueve"), ("s", "el río crece")]
                .map(|(letter, text)| (letter.to_owned(), text.to_owned()))
                .into(),
            ..Row::default()
        }
    }

    fn attempt(text: &str) -> Attempt {
        Attempt { text: text.to_owned(), confidence: 1.0 }
    }

    #[test]
    fn an_answer_of_any_equivalent_shape_is_right() {
        let text = "∧¬∨ p q→ r s<|atoms|><1><2>;<1><1>+<4><4>;<8><8>;<10><12>";
        let verdict = Verifier.judge(&question(), &attempt(text));
        assert!(verdict.right, "{}", verdict.reason);
        assert_eq!(verdict.kind, "¬(p ∨ q) ∧ (r → s)");
    }

    #[test]
    fn a_wrong_connective_is_wrong_with_part_of_the_credit() {
        let text = "∧∧¬ p¬ q∧ r s<|atoms|><1><2>;<1><1>+<4><4>;<8><8>;<10><12>";
        let verdict = Verifier.judge(&question(), &attempt(text));
        assert!(!verdict.right && verdict.coherent);
        assert!(verdict.credit > 0.3 && verdict.credit < 1.0, "{}", verdict.credit);
    }

    #[test]
    fn alike_is_by_meaning_and_only_for_what_can_be_read() {
        let one = attempt("→ p q<|atoms|><8><8>;<10><12>");
        let same = attempt("∨¬ p q<|atoms|><8><8>;<10><12>");
        let converse = attempt("→ p q<|atoms|><10><12>;<8><8>");
        assert!(Verifier.alike(&question(), &one, &same));
        assert!(!Verifier.alike(&question(), &one, &converse));
        assert!(!Verifier.alike(&question(), &attempt("x"), &attempt("y")));
    }

    proptest! {
        /// What reads nothing is never right: an empty or broken answer cannot be rewarded.
        #[test]
        fn noise_is_never_right(text in "[ →∧∨¬pqrs<>|0-9;+]{0,40}") {
            let verdict = Verifier.judge(&question(), &attempt(&text));
            prop_assert!(!verdict.right);
        }
    }
}
