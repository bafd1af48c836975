//! Many questions at once, on all cores, answers in order.

use alloc::vec::Vec;

use rayon::prelude::*;

use crate::argument::{Argument, Judgement};
use crate::formula::Formula;
use crate::truth::{Class, Equivalence, classify, equivalent};

/// [`classify`] for each formula.
pub fn classify_all(formulas: &[Formula]) -> Vec<Class> {
    formulas.par_iter().map(classify).collect()
}

/// [`equivalent`] for each pair.
pub fn equivalent_all(pairs: &[(Formula, Formula)]) -> Vec<Equivalence> {
    pairs.par_iter().map(|(left, right)| equivalent(left, right)).collect()
}

/// [`Argument::judge`] for each argument.
pub fn judge_all(arguments: &[Argument]) -> Vec<Judgement> {
    arguments.par_iter().map(Argument::judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_order() {
        let formulas: Vec<Formula> =
            ["p ∨ ¬p", "p ∧ ¬p", "p"].iter().map(|text| Formula::parse(text).expect("well-formed")).collect();
        assert_eq!(classify_all(&formulas), [Class::Tautology, Class::Contradiction, Class::Contingent]);
    }
}
