//! Scores: what counts as right, and what never does.

use std::collections::BTreeMap;

use logic_parser::Formula;
use logic_parser::score::{Glossed, Score, compare, tree_edit_distance};
use proptest::prelude::*;

use crate::formulas;

fn glossary(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(atom, text)| (atom.to_string(), text.to_string())).collect()
}

fn score(gold: (&str, &[(&str, &str)]), answer: (&str, &[(&str, &str)])) -> Score {
    let parse = |text| Formula::parse(text).expect("well-formed");
    let (gold_formula, answer_formula) = (parse(gold.0), parse(answer.0));
    compare(
        &Glossed { formula: &gold_formula, atoms: &glossary(gold.1) },
        &Glossed { formula: &answer_formula, atoms: &glossary(answer.1) },
    )
}

const RAIN: (&str, &[(&str, &str)]) = ("p → q", &[("p", "llueve mucho"), ("q", "la calle se moja")]);

#[test]
fn other_letters_are_right_if_the_glossary_says_so() {
    let turned = score(RAIN, ("q → p", &[("q", "llueve mucho"), ("p", "la calle se moja")]));
    assert!(turned.exact && turned.equivalent && turned.glossary && !turned.equivalent_without_glossary);
    let renamed = score(RAIN, ("¬b → ¬a", &[("a", "Llueve mucho"), ("b", "se moja la calle")]));
    assert!(renamed.equivalent && renamed.glossary && !renamed.exact);
}

#[test]
fn renaming_is_never_free() {
    let converse = score(RAIN, ("q → p", &[("p", "llueve mucho"), ("q", "la calle se moja")]));
    assert!(!converse.equivalent && !converse.equivalent_without_glossary);
    let silent = score(RAIN, ("q → p", &[]));
    assert!(!silent.equivalent && !silent.glossary);
    let right_letters = score(RAIN, ("p → q", &[]));
    assert!(right_letters.equivalent && !right_letters.glossary);
}

#[test]
fn an_atom_too_many_is_told_apart() {
    let padded =
        score(RAIN, ("p ∧ r → q", &[("p", "llueve mucho"), ("q", "la calle se moja"), ("r", "nieva")]));
    assert!(!padded.equivalent);
    assert_eq!(padded.levels.atoms, 0.8);
    assert!(padded.levels.root && padded.partial_credit > 0.5);
}

#[test]
fn empty_and_constant_answers_never_score() {
    for constant in ["p → p", "⊤", "⊥", "p ∧ ¬p", "z ∨ ¬z"] {
        let worthless = score(RAIN, (constant, &[("p", "llueve mucho")]));
        assert!(!worthless.equivalent && worthless.partial_credit == 0.0, "{constant}");
    }
    let tautology: (&str, &[(&str, &str)]) = ("p ∨ ¬p", &[("p", "llueve")]);
    assert!(!score(tautology, ("p → p", &[("p", "llueve")])).equivalent);
    assert!(score(tautology, ("¬r ∨ r", &[("r", "llueve")])).equivalent);
    assert!(Formula::parse("").is_err(), "an empty answer is no formula");
}

#[test]
fn one_wrong_node_of_five_is_worth_four_fifths() {
    let gold: (&str, &[(&str, &str)]) = ("p ∧ q → r", &[]);
    let near = score(gold, ("p ∧ q → s", &[]));
    assert_eq!(near.partial_credit, 0.8);
    assert_eq!(near.agreement, 0.875);
    assert_eq!(score(gold, ("q ∧ p → r", &[])).partial_credit, 1.0);
}

/// The distances that zss and APTED agree on; `make.py` beside them wrote the file.
#[test]
fn the_edit_distance_is_that_of_zss_and_apted() {
    let pairs = include_str!("../../test_data/tree_edit/pairs.tsv");
    for line in pairs.lines() {
        let [left, right, distance] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (left, right): (Formula, Formula) = (left.parse().unwrap(), right.parse().unwrap());
        assert_eq!(tree_edit_distance(&left, &right), Some(distance.parse().unwrap()), "{line}");
    }
    assert_eq!(pairs.lines().count(), 100);
}

proptest! {
    #[test]
    fn the_edit_distance_is_a_metric(
        a in formulas::formula(3), b in formulas::formula(3), c in formulas::formula(3),
    ) {
        let between = |left: &Formula, right: &Formula| tree_edit_distance(left, right).unwrap();
        prop_assert_eq!(between(&a, &a), 0);
        prop_assert_eq!(between(&a, &b), between(&b, &a));
        prop_assert_eq!(between(&a, &b) == 0, a == b);
        prop_assert!(between(&a, &c) <= between(&a, &b) + between(&b, &c));
    }

    #[test]
    fn canonical_forms_ignore_the_order_of_operands(formula in formulas::formula(4)) {
        let turned = formula.fold(
            |leaf| match leaf {
                logic_parser::Leaf::Atom(id) => Formula::atom(formula.name(id)),
                logic_parser::Leaf::Top => Formula::top(),
                logic_parser::Leaf::Bottom => Formula::bottom(),
            },
            Formula::not,
            |connective, left, right| {
                if connective.is_commutative() { right.join(connective, &left) } else { left.join(connective, &right) }
            },
        );
        prop_assert_eq!(turned.canonical(), formula.canonical());
    }
}
