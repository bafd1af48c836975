//! What is read is read again as the same formula from every notation, and every answer about it fits the others.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logic_parser::{Budget, Class, Formula, Notation, classify_within, count_models, equivalent_within};

const SMALL: Budget<'static> = Budget {
    table_steps: 1 << 16,
    diagram_nodes: 1 << 10,
    conflicts: 100,
    nodes: 1 << 12,
    ..Budget::DEFAULT
};

fuzz_target!(|text: &str| {
    let Ok(formula) = Formula::parse(text) else { return };
    for notation in Notation::ALL {
        let written = formula.display(notation).to_string();
        assert_eq!(Formula::parse(&written).as_ref(), Ok(&formula), "{written}");
    }
    let canonical = formula.canonical();
    assert_eq!(canonical.canonical(), canonical);
    assert!(!equivalent_within(&formula, &canonical, &SMALL).is_no());
    if let Ok(models) = count_models(&formula, &SMALL) {
        match classify_within(&formula, &SMALL) {
            Class::Tautology => assert_eq!(models.count_ones(), 1),
            Class::Contradiction => assert_eq!(models, 0),
            Class::Contingent => assert!(models > 0),
            Class::Unknown(_) => {}
        }
    }
    if let Ok(plain) = formula.negation_normal_form(&SMALL) {
        assert!(!equivalent_within(&formula, &plain, &SMALL).is_no());
    }
});
