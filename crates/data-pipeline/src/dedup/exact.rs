use std::collections::{HashMap, hash_map::Entry};

use super::Distinct;
use crate::{Reason, Row, normal::fingerprint, words};

/// Keeps the first of all rows with the same sentence, whether the others agree on the formula or not: a sentence has
/// one formula. Capitals and a final full stop make no difference; commas and accents do, for they can change what a
/// sentence means.
///
/// Remembers 16 bytes a row. Fingerprints have 64 bits: among a million sentences two different ones share theirs with
/// probability 3·10⁻⁸, and the second would be dropped.
#[derive(Clone, Debug, Default)]
pub struct Exact {
    /// Sentence and pattern, as fingerprints.
    seen: HashMap<u64, u64>,
}

impl Distinct for Exact {
    /// Sentence and pattern, as fingerprints.
    type Key = (u64, u64);

    const NAME: &'static str = "exact repeats";

    fn key(row: &Row) -> (u64, u64) {
        let words = words(&row.input);
        let mut sentence = String::with_capacity(row.input.len() + 16);
        for word in words.strip_suffix(&["."]).unwrap_or(&words) {
            sentence.push(' ');
            if word.is_ascii() {
                sentence.extend(word.bytes().map(|byte| char::from(byte.to_ascii_lowercase())));
            } else {
                sentence.extend(word.chars().flat_map(char::to_lowercase));
            }
        }
        (fingerprint(&sentence), fingerprint(&row.pattern))
    }

    fn admit(&mut self, (sentence, pattern): (u64, u64)) -> Result<(), Reason> {
        match self.seen.entry(sentence) {
            Entry::Vacant(place) => {
                place.insert(pattern);
                Ok(())
            }
            Entry::Occupied(before) if *before.get() == pattern => Err(Reason::Repeated),
            Entry::Occupied(_) => Err(Reason::SentenceHasAnotherFormula),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_formula_a_sentence() {
        let mut exact = Exact::default();
        let mut apply = |input: &str, pattern: &str| {
            let row = Row { input: input.into(), pattern: pattern.into(), ..Row::default() };
            exact.admit(Exact::key(&row)).err()
        };
        assert_eq!(apply("No llueve y nieva", "¬(p ∧ q)"), None);
        assert_eq!(apply("no llueve y nieva.", "¬(p ∧ q)"), Some(Reason::Repeated));
        assert_eq!(apply("No llueve y nieva", "¬p ∧ q"), Some(Reason::SentenceHasAnotherFormula));
        assert_eq!(apply("No llueve, y nieva", "¬p ∧ q"), None);
    }
}
