//! Every verdict beside that of `biodivine-lib-bdd`, which shares nothing with us: it parses our text by itself.

use biodivine_lib_bdd::boolean_expression::BooleanExpression;
use biodivine_lib_bdd::{Bdd, BddVariableSet};
use logic_parser::{
    Argument, Budget, Class, Connective, Formula, Leaf, Verdict, classify, count_models, equivalent,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::formulas;

const ATOMS: usize = 7;

struct Oracle {
    variables: BddVariableSet,
}

impl Oracle {
    fn new() -> Oracle {
        Oracle { variables: BddVariableSet::from((0..ATOMS).map(name).collect::<Vec<_>>()) }
    }

    fn diagram(&self, formula: &Formula) -> Bdd {
        let expression =
            BooleanExpression::try_from(fully_bracketed(formula).as_str()).expect("its notation");
        self.variables.eval_expression(&expression)
    }
}

/// The oracle's precedences are its own, so nothing is left to them.
fn fully_bracketed(formula: &Formula) -> String {
    formula.fold(
        |leaf| match leaf {
            Leaf::Atom(id) => formula.name(id).to_owned(),
            Leaf::Top => "true".to_owned(),
            Leaf::Bottom => "false".to_owned(),
        },
        |operand| format!("!{operand}"),
        |connective, left, right| {
            let symbol = match connective {
                Connective::And => "&",
                Connective::Or => "|",
                Connective::Implies => "=>",
                Connective::Iff => "<=>",
                Connective::Xor => "^",
            };
            format!("({left} {symbol} {right})")
        },
    )
}

fn name(index: usize) -> String {
    format!("a{index}")
}

fn class(diagram: &Bdd) -> Class {
    if diagram.is_true() {
        Class::Tautology
    } else if diagram.is_false() {
        Class::Contradiction
    } else {
        Class::Contingent
    }
}

#[test]
fn a_hundred_thousand_verdicts_agree() {
    let oracle = Oracle::new();
    let pair = (formulas::named(ATOMS, name), formulas::named(ATOMS, name));
    // A class, a count, a pair, an argument: four verdicts a case.
    let agree = |(left, right): (Formula, Formula)| {
        let (left_diagram, right_diagram) = (oracle.diagram(&left), oracle.diagram(&right));
        prop_assert_eq!(classify(&left), class(&left_diagram));
        let free = 2_f64.powi((ATOMS - left.atom_count()) as i32);
        prop_assert_eq!(
            count_models(&left, &Budget::default()).unwrap() as f64 * free,
            left_diagram.cardinality()
        );
        let equivalence = equivalent(&left, &right);
        prop_assert_eq!(
            (equivalence.is_yes(), equivalence.is_no()),
            (left_diagram == right_diagram, left_diagram != right_diagram)
        );
        let valid = left_diagram.imp(&right_diagram).is_true();
        let verdict = Argument { premises: vec![left], conclusion: right }.judge().verdict;
        prop_assert_eq!(verdict, if valid { Verdict::Valid } else { Verdict::Invalid });
        Ok(())
    };
    TestRunner::new(Config { cases: 25_000, ..Config::default() }).run(&pair, agree).unwrap();
}
