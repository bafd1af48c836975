use logic_parser::{Formula, ParseError, ParseErrorKind};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::{Complexity, Reason, Row, Step, vocabulary::LETTERS};

/// Keeps rows that have a sentence and whose formula parses and uses exactly the declared atoms, and brings them to
/// normal form: single spaces, composed accents, fewest brackets, pattern and complexity as the formula has them.
///
/// ```
/// use data_pipeline::{Reason, Row, Step, clean::WellFormed};
///
/// let row = Row {
///     input: "Si  llueve, nieva".into(),
///     formula: "((p) -> q)".into(),
///     atoms: [("p".into(), "llueve".into()), ("q".into(), "nieva".into())].into(),
///     ..Row::default()
/// };
/// let clean = WellFormed.apply(row.clone()).unwrap();
/// assert_eq!((clean.input.as_str(), clean.formula.as_str()), ("Si llueve, nieva", "p → q"));
///
/// let unexplained = Row { formula: "p → r".into(), ..row };
/// assert_eq!(WellFormed.apply(unexplained), Err(Reason::AtomsDiffer));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct WellFormed;

impl Step for WellFormed {
    fn name(&self) -> &'static str {
        "well formed"
    }

    fn apply(&self, row: Row) -> Result<Row, Reason> {
        WellFormed.read(row).map(|(row, _)| row)
    }
}

impl WellFormed {
    /// The row in normal form, and its formula.
    pub(crate) fn read(self, mut row: Row) -> Result<(Row, Formula), Reason> {
        let formula = Formula::parse(&row.formula).map_err(|error| reason(&error))?;
        let atoms = formula.atoms();
        if atoms.len() != row.atoms.len() || !atoms.iter().all(|&atom| row.atoms.contains_key(atom)) {
            return Err(Reason::AtomsDiffer);
        }
        if !is_single_spaced(&row.input) {
            row.input = row.input.split_whitespace().flat_map(|word| [" ", word]).skip(1).collect::<String>();
        }
        if is_nfc_quick(row.input.chars()) != IsNormalized::Yes {
            row.input = row.input.nfc().collect();
        }
        if row.input.is_empty() {
            return Err(Reason::NoSentence);
        }
        row.formula = formula.to_string();
        row.pattern = match LETTERS.get(..atoms.len()) == Some(&atoms) {
            true => row.formula.clone(),
            false => formula.pattern().to_string(),
        };
        row.complexity = Complexity::of(&formula);
        Ok((row, formula))
    }
}

fn reason(error: &ParseError) -> Reason {
    use ParseErrorKind::{MismatchedBracket, UnclosedBracket, UnopenedBracket};
    match error.first().kind {
        UnclosedBracket | UnopenedBracket | MismatchedBracket => Reason::BracketsUnbalanced,
        _ => Reason::FormulaDoesNotParse,
    }
}

/// Whether white space is single spaces between words.
fn is_single_spaced(text: &str) -> bool {
    let mut space_before = true;
    for c in text.chars() {
        if c.is_whitespace() && (c != ' ' || space_before) {
            return false;
        }
        space_before = c == ' ';
    }
    !space_before || text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drop(input: &str, formula: &str) -> Option<Reason> {
        let atoms = [("p".to_owned(), "llueve".to_owned())].into();
        WellFormed.apply(Row { input: input.into(), formula: formula.into(), atoms, ..Row::default() }).err()
    }

    #[test]
    fn every_fault_has_its_reason() {
        assert_eq!(drop("Llueve", "p"), None);
        assert_eq!(drop("Llueve", "(p"), Some(Reason::BracketsUnbalanced));
        assert_eq!(drop("Llueve", "p)"), Some(Reason::BracketsUnbalanced));
        assert_eq!(drop("Llueve", "p →"), Some(Reason::FormulaDoesNotParse));
        assert_eq!(drop("Llueve", "q"), Some(Reason::AtomsDiffer));
        assert_eq!(drop("Llueve", "p ∧ q"), Some(Reason::AtomsDiffer));
        assert_eq!(drop(" \n", "p"), Some(Reason::NoSentence));
    }

    #[test]
    fn sentences_and_patterns_become_normal() {
        let clean = |input: &str, formula: &str, atom: &str| {
            let atoms = [(atom.to_owned(), "llueve".to_owned())].into();
            let row = Row { input: input.into(), formula: formula.into(), atoms, ..Row::default() };
            let row = WellFormed.apply(row).unwrap();
            (row.input, row.formula, row.pattern)
        };
        let own = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(clean("No  llueve\tma\u{301}s ", "(~(a))", "a"), own("No llueve más", "¬a", "¬p"));
        assert_eq!(clean("No\u{a0}llueve", "¬q", "q"), own("No llueve", "¬q", "¬p"));
        assert_eq!(clean("No llueve", "¬p", "p"), own("No llueve", "¬p", "¬p"));
    }
}
