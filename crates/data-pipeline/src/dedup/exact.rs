use std::collections::{HashMap, hash_map::Entry};

use crate::{Reason, Row, Step, normal::fingerprint, words};

/// Keeps the first of all rows with the same sentence, whether the others agree on the formula or not: a sentence has
/// one formula. Capitals and a final full stop make no difference; commas and accents do, for they can change what a
/// sentence means.
///
/// Remembers 32 bytes a row. Expects rows that [`WellFormed`](crate::clean::WellFormed) has passed.
#[derive(Clone, Debug, Default)]
pub struct Exact {
    /// Sentence and formula, as fingerprints.
    seen: HashMap<u128, u128>,
}

impl Step for Exact {
    fn name(&self) -> &'static str {
        "exact repeats"
    }

    fn apply(&mut self, row: Row) -> Result<Row, Reason> {
        let words = words(&row.input);
        let sentence = words.strip_suffix(&["."]).unwrap_or(&words).join(" ").to_lowercase();
        let formula = fingerprint(&row.pattern);
        match self.seen.entry(fingerprint(&sentence)) {
            Entry::Vacant(place) => {
                place.insert(formula);
                Ok(row)
            }
            Entry::Occupied(before) if *before.get() == formula => Err(Reason::Repeated),
            Entry::Occupied(_) => Err(Reason::SentenceHasAnotherFormula),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_formula_a_sentence() {
        let mut step = Exact::default();
        let mut apply = |input: &str, pattern: &str| {
            step.apply(Row { input: input.into(), pattern: pattern.into(), ..Row::default() }).err()
        };
        assert_eq!(apply("No llueve y nieva", "¬(p ∧ q)"), None);
        assert_eq!(apply("no llueve y nieva.", "¬(p ∧ q)"), Some(Reason::Repeated));
        assert_eq!(apply("No llueve y nieva", "¬p ∧ q"), Some(Reason::SentenceHasAnotherFormula));
        assert_eq!(apply("No llueve, y nieva", "¬p ∧ q"), None);
    }
}
