use logic_parser::Formula;
use unicode_normalization::UnicodeNormalization;

use crate::{Complexity, Reason, Row, Step, format::Pointing};

/// Keeps rows whose formula parses, uses exactly the declared atoms and can be written in the pointing format, and
/// brings them to normal form: single spaces, composed accents, fewest brackets, pattern and complexity as the formula
/// has them.
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
        "clean"
    }

    fn apply(&mut self, mut row: Row) -> Result<Row, Reason> {
        let formula = Formula::parse(&row.formula).map_err(|_| Reason::FormulaDoesNotParse)?;
        let atoms = formula.atoms();
        if atoms.len() != row.atoms.len() || !atoms.iter().all(|&atom| row.atoms.contains_key(atom)) {
            return Err(Reason::AtomsDiffer);
        }
        row.input = row.input.split_whitespace().flat_map(|word| [" ", word]).skip(1).collect::<String>();
        row.input = row.input.nfc().collect();
        row.formula = formula.to_string();
        row.pattern = formula.pattern().to_string();
        row.complexity = Complexity::of(&formula);
        Pointing::answer(&row).map_err(|_| Reason::DoesNotFitFormat)?;
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drop(input: &str, formula: &str, glossary: &str) -> Option<Reason> {
        let atoms = [("p".to_owned(), glossary.to_owned())].into();
        WellFormed.apply(Row { input: input.into(), formula: formula.into(), atoms, ..Row::default() }).err()
    }

    #[test]
    fn every_fault_has_its_reason() {
        assert_eq!(drop("Llueve", "p", "llueve"), None);
        assert_eq!(drop("Llueve", "(p", "llueve"), Some(Reason::FormulaDoesNotParse));
        assert_eq!(drop("Llueve", "q", "llueve"), Some(Reason::AtomsDiffer));
        assert_eq!(drop("Llueve", "p ∧ q", "llueve"), Some(Reason::AtomsDiffer));
        assert_eq!(drop("Llueve", "p", "el perro ladra"), Some(Reason::DoesNotFitFormat));
        assert_eq!(drop("", "p", "llueve"), Some(Reason::DoesNotFitFormat));
        assert_eq!(drop(&"llueve ".repeat(97), "p", "llueve"), Some(Reason::DoesNotFitFormat));
    }
}
