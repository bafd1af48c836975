//! Models: how many, which ones, and what they share.

use alloc::vec;
use alloc::vec::Vec;

use crate::argument::Argument;
use crate::assignment::Assignment;
use crate::budget::{Budget, Reason, Unknown};
use crate::diagram::Diagram;
use crate::formula::Formula;
use crate::normal_form::{Sign, conjunction, prime_cover};
use crate::satisfy::{fits_table, satisfy};
use crate::table;
use crate::truth::counterexample;

/// Under how many of the 2ⁿ assignments to its n atoms the formula is true.
///
/// ```
/// use logic_parser::{Budget, Formula, count_models};
///
/// let formula: Formula = "p ∨ q ∨ r".parse()?;
/// assert_eq!(count_models(&formula, &Budget::default())?, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the budget runs out, or the count needs more than 128 bits ([`Reason::Overflow`]).
pub fn count_models(formula: &Formula, budget: &Budget<'_>) -> Result<u128, Unknown> {
    if fits_table(formula, budget) {
        return Ok(table::count(formula).into());
    }
    let atoms = formula.atom_count();
    let overflow = Unknown { reason: Reason::Overflow, spent: atoms as u64 };
    Diagram::of(formula, budget)?.count(atoms).ok_or(overflow)
}

/// The models of a formula one after the other, the first atom true first. The budget is for each step, not for all.
///
/// ```
/// use logic_parser::{Budget, Formula, models};
///
/// let formula: Formula = "p ↔ q".parse()?;
/// let found: Result<Vec<_>, _> = models(&formula, Budget::default()).collect();
/// assert_eq!(found?.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn models<'b>(formula: &Formula, budget: Budget<'b>) -> Models<'b> {
    Models { formula: formula.clone(), budget, open: vec![Vec::new()] }
}

/// The iterator of [`models`].
#[derive(Clone, Debug)]
pub struct Models<'b> {
    formula: Formula,
    budget: Budget<'b>,
    /// Values of the first atoms under which models may be left, the next one last.
    open: Vec<Vec<bool>>,
}

impl Iterator for Models<'_> {
    type Item = Result<Assignment, Unknown>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(values) = self.open.pop() {
            let cube: Vec<Sign> =
                Sign::all(&self.formula).zip(&values).map(|(sign, &value)| sign.is(value)).collect();
            match satisfy(&self.formula.clone().and(conjunction(&self.formula, &cube)), &self.budget) {
                Err(unknown) => {
                    self.open.clear();
                    return Some(Err(unknown));
                }
                Ok(None) => {}
                Ok(Some(_)) if values.len() == self.formula.atom_count() => {
                    return Some(Ok(Assignment::new(&self.formula, &values)));
                }
                Ok(Some(_)) => self.open.extend([false, true].map(|value| [&values[..], &[value]].concat())),
            }
        }
        None
    }
}

impl Argument {
    /// Every countermodel, one after the other.
    pub fn countermodels<'b>(&self, budget: Budget<'b>) -> Models<'b> {
        models(&counterexample(&self.premises, &self.conclusion), budget)
    }

    /// Countermodels that say no more than they must: whatever the atoms left out say, the premises are true and the
    /// conclusion is false. Together they cover every countermodel.
    ///
    /// ```
    /// use logic_parser::{Argument, Budget};
    ///
    /// let argument: Argument = "p ∨ q, r ∨ ¬r ⊢ p".parse()?;
    /// let minimal = argument.minimal_countermodels(&Budget::default())?;
    /// assert_eq!(minimal.len(), 1);
    /// assert_eq!(minimal[0].to_string(), "p = false, q = true");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the budget runs out.
    pub fn minimal_countermodels(&self, budget: &Budget<'_>) -> Result<Vec<Assignment>, Unknown> {
        let formula = counterexample(&self.premises, &self.conclusion);
        let said = |sign: Sign| (formula.name(sign.atom), sign.positive);
        Ok(prime_cover(&formula, budget)?
            .into_iter()
            .map(|cube| cube.into_iter().map(said).collect())
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_as_many_as_counted_and_all_different() {
        for text in ["p → q", "p ⊕ q ⊕ r", "p ∧ ¬p", "⊤", "(p ∨ q) ∧ (r ∨ s) ∧ (¬p ∨ ¬s)"]
        {
            let formula = Formula::parse(text).expect("well-formed");
            let found: Vec<Assignment> =
                models(&formula, Budget::default()).collect::<Result<_, _>>().expect("within the budget");
            assert_eq!(
                found.len() as u128,
                count_models(&formula, &Budget::default()).expect("small"),
                "{text}"
            );
            assert!(found.iter().all(|model| model.satisfies(&formula)));
            assert!((1..found.len()).all(|index| !found[..index].contains(&found[index])));
        }
    }

    #[test]
    fn minimal_countermodels_refute_whatever_the_rest_says() {
        let argument: Argument = "p → q, r ∨ s ⊢ q".parse().expect("well-formed");
        let minimal = argument.minimal_countermodels(&Budget::default()).expect("small");
        for countermodel in &minimal {
            for all in argument.countermodels(Budget::default()).map(|model| model.expect("small")) {
                let agrees = countermodel.iter().all(|(name, value)| all.get(name) == Some(value));
                assert!(!agrees || argument.premises.iter().all(|premise| all.satisfies(premise)));
            }
            assert_eq!(countermodel.get("q"), Some(false));
        }
        assert_eq!(minimal.len(), 2);
    }
}
