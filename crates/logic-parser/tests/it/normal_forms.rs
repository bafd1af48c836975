//! Normal forms keep the truth and have the shape they are named for.

use logic_parser::{Budget, Connective, Formula, Node, equivalent};
use proptest::prelude::*;

use crate::formulas;

/// The operands of the root connective and of those below it that are the same.
fn operands(formula: &Formula, connective: Connective) -> Vec<Formula> {
    let mut flat = Vec::new();
    let mut open = vec![formula.clone()];
    while let Some(part) = open.pop() {
        if part.root() == Node::Binary(connective) { open.extend(part.operands()) } else { flat.push(part) }
    }
    flat
}

fn is_literal_or_constant(formula: &Formula) -> bool {
    matches!(formula.nodes(), [Node::Atom(_) | Node::Top | Node::Bottom] | [Node::Atom(_), Node::Not])
}

fn has_two_levels(formula: &Formula, outer: Connective, inner: Connective) -> bool {
    operands(formula, outer).iter().all(|group| operands(group, inner).iter().all(is_literal_or_constant))
}

proptest! {
    #[test]
    fn normal_forms_keep_the_truth(formula in formulas::formula(5)) {
        let budget = Budget::default();
        let nnf = formula.negation_normal_form(&budget).unwrap();
        prop_assert!(equivalent(&nnf, &formula).is_yes());
        for (index, node) in nnf.nodes().iter().enumerate() {
            match node {
                Node::Not => prop_assert!(matches!(nnf.nodes()[index - 1], Node::Atom(_))),
                Node::Binary(connective) => prop_assert!(matches!(connective, Connective::And | Connective::Or)),
                _ => {}
            }
        }
        let dnf = formula.disjunctive_normal_form(&budget).unwrap();
        prop_assert!(equivalent(&dnf, &formula).is_yes());
        prop_assert!(has_two_levels(&dnf, Connective::Or, Connective::And), "{}", dnf);
        let cnf = formula.conjunctive_normal_form(&budget).unwrap();
        prop_assert!(equivalent(&cnf, &formula).is_yes());
        prop_assert!(has_two_levels(&cnf, Connective::And, Connective::Or), "{}", cnf);
    }
}

#[test]
fn what_would_explode_is_an_error() {
    let chain =
        (0..64).map(|index| Formula::atom(&format!("a{index}"))).reduce(Formula::iff).expect("not empty");
    let budget = Budget { nodes: 10_000, ..Budget::default() };
    assert!(chain.negation_normal_form(&budget).is_err());
    assert!(chain.disjunctive_normal_form(&budget).is_err());
}

#[test]
fn the_forms_of_a_constant_are_constants() {
    let budget = Budget::default();
    for (text, expected) in [("p ∨ ¬p", "⊤"), ("p ∧ ¬p", "⊥")] {
        let formula: Formula = text.parse().unwrap();
        assert_eq!(formula.disjunctive_normal_form(&budget).unwrap().to_string(), expected);
        assert_eq!(formula.conjunctive_normal_form(&budget).unwrap().to_string(), expected);
    }
}
