//! Verdicts, by table and by solver, beside a truth table written out row by row.

use std::sync::atomic::AtomicBool;

use logic_parser::{
    Answer, Budget, Class, Formula, Reason, classify, classify_within, entails, entails_within, equivalent,
};
use proptest::prelude::*;

use crate::formulas;

fn formula(text: &str) -> Formula {
    Formula::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn rows(atoms: usize) -> impl Iterator<Item = Vec<bool>> {
    (0..1 << atoms).map(move |row: usize| (0..atoms).map(|atom| row >> atom & 1 == 1).collect())
}

fn class_by_hand(formula: &Formula) -> Class {
    let truths: Vec<bool> = rows(formula.atom_count()).map(|row| formula.evaluate(&row)).collect();
    match (truths.contains(&true), truths.contains(&false)) {
        (true, false) => Class::Tautology,
        (false, _) => Class::Contradiction,
        _ => Class::Contingent,
    }
}

/// No table beyond eight atoms and no diagram: the SAT solver alone.
const SOLVER_ONLY: Budget<'static> =
    Budget { table_steps: 0, diagram_nodes: 0, conflicts: 10_000, ..Budget::DEFAULT };

/// No table beyond eight atoms, no conflict: the decision diagram alone.
const DIAGRAM_ONLY: Budget<'static> =
    Budget { table_steps: 0, diagram_nodes: 100_000, conflicts: 0, ..Budget::DEFAULT };

proptest! {
    #[test]
    fn the_table_is_right(formula in formulas::formula(5)) {
        prop_assert_eq!(classify(&formula), class_by_hand(&formula));
    }

    #[test]
    fn table_diagram_and_solver_agree(formula in formulas::named(11, |index| format!("a{index}"))) {
        let expected = class_by_hand(&formula);
        prop_assert_eq!(classify(&formula), expected);
        prop_assert_eq!(classify_within(&formula, &SOLVER_ONLY), expected);
        prop_assert_eq!(classify_within(&formula, &DIAGRAM_ONLY), expected);
    }

    #[test]
    fn a_refuting_assignment_refutes(left in formulas::formula(6), right in formulas::formula(6)) {
        if let Answer::No(apart) = equivalent(&left, &right) {
            prop_assert_ne!(apart.satisfies(&left), apart.satisfies(&right));
        }
        let premises = [left, right.clone().not()];
        for budget in [Budget::default(), SOLVER_ONLY, DIAGRAM_ONLY] {
            if let Answer::No(countermodel) = entails_within(&premises, &right, &budget) {
                prop_assert!(premises.iter().all(|premise| countermodel.satisfies(premise)));
                prop_assert!(!countermodel.satisfies(&right));
            }
        }
    }
}

#[test]
fn equivalence_compares_atoms_by_name() {
    assert!(equivalent(&formula("p → q"), &formula("¬q → ¬p")).is_yes());
    assert!(equivalent(&formula("p → q"), &formula("q → p")).is_no());
    assert!(equivalent(&formula("p"), &formula("q")).is_no());
    assert!(equivalent(&formula("p ∨ ¬p"), &formula("q → q")).is_yes());
}

#[test]
fn nothing_entails_a_contingent_formula_and_a_contradiction_entails_all() {
    assert!(entails(&[], &formula("p")).is_no());
    assert!(entails(&[], &formula("p ∨ ¬p")).is_yes());
    assert!(entails(&[formula("p ∧ ¬p")], &formula("q")).is_yes());
}

fn pigeonhole(holes: usize) -> Formula {
    let sits = |pigeon: usize, hole: usize| Formula::atom(&format!("p{pigeon}h{hole}"));
    let any = |formulas: Vec<Formula>| formulas.into_iter().reduce(Formula::or).expect("not empty");
    let mut clauses: Vec<Formula> =
        (0..=holes).map(|pigeon| any((0..holes).map(|hole| sits(pigeon, hole)).collect())).collect();
    for hole in 0..holes {
        for pigeon in 0..=holes {
            clauses.extend((0..pigeon).map(|other| sits(pigeon, hole).and(sits(other, hole)).not()));
        }
    }
    Formula::conjunction(&clauses)
}

fn parity(order: impl Iterator<Item = usize>) -> Formula {
    order.map(|index| Formula::atom(&format!("a{index}"))).reduce(Formula::iff).expect("not empty")
}

#[test]
fn pigeons_and_parities_beyond_any_table_are_decided() {
    assert_eq!(classify(&pigeonhole(6)), Class::Contradiction);
    assert!(equivalent(&parity(0..60), &parity((0..60).map(|index| index * 7 % 60))).is_yes());
    assert!(equivalent(&parity(0..60), &parity((0..60).rev()).not()).is_no());
}

#[test]
fn a_spent_budget_and_an_interrupt_are_said() {
    let hard = pigeonhole(9);
    let spent = Budget { table_steps: 0, diagram_nodes: 10, conflicts: 20, ..Budget::DEFAULT };
    let Class::Unknown(unknown) = classify_within(&hard, &spent) else {
        panic!("twenty conflicts cannot do it")
    };
    assert_eq!(unknown.reason, Reason::Conflicts);
    assert!(unknown.spent >= 20);
    let stop = AtomicBool::new(true);
    let interrupted = Budget { interrupt: Some(&stop), ..Budget::default() };
    let Class::Unknown(unknown) = classify_within(&hard, &interrupted) else { panic!("it was interrupted") };
    assert_eq!(unknown.reason, Reason::Interrupted);
}
