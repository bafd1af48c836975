//! Printing and reading back gives the same formula.

use logic_parser::{Formula, Notation};
use proptest::prelude::*;

use crate::formulas;

/// Names that need care: reserved words, letters that are connectives, quotes, spaces, accents, nothing at all.
const AWKWARD: [&str; 16] = [
    "only",
    "Solo",
    "y",
    "no",
    "si",
    "Entonces",
    "v",
    "p_1",
    "p12",
    "_7",
    "llueve mucho",
    "a\"b\\c",
    "",
    "ñandú",
    "p'",
    "e\u{301}",
];

proptest! {
    #[test]
    fn every_notation_reads_back(formula in formulas::named(AWKWARD.len(), |index| AWKWARD[index].into())) {
        for notation in Notation::ALL {
            let text = formula.display(notation).to_string();
            prop_assert_eq!(&Formula::parse(&text).map_err(|e| TestCaseError::fail(e.to_string()))?, &formula);
        }
    }

    #[test]
    fn no_pair_of_brackets_can_be_left_out(formula in formulas::formula(5)) {
        let text: Vec<char> = formula.to_string().chars().collect();
        let mut open = Vec::new();
        for (at, &character) in text.iter().enumerate() {
            match character {
                '(' => open.push(at),
                ')' => {
                    let start = open.pop().expect("balanced");
                    let without = text.iter().enumerate().filter(|(i, _)| *i != start && *i != at).map(|(_, c)| c);
                    let shorter = Formula::parse(&without.collect::<String>());
                    prop_assert_ne!(shorter.as_ref(), Ok(&formula));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn no_text_panics(text in "[pqy¬∧∨→↔(){}\\[\\] \\\\\"'.,⊢|<>=a-z_{}0-9-]{0,40}") {
        let _ = Formula::parse(&text).map_err(|error| error.to_string());
    }

    #[test]
    fn no_unicode_panics(text in "\\PC{0,40}") {
        let _ = Formula::parse(&text).map_err(|error| error.to_string());
    }
}
