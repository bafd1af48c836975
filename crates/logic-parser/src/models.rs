//! Counting models.

use crate::budget::{Budget, Reason, Unknown};
use crate::diagram::Diagram;
use crate::formula::Formula;
use crate::satisfy::fits_table;
use crate::table;

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
    let overflow = Unknown {
        reason: Reason::Overflow,
        spent: atoms as u64,
    };
    Diagram::of(formula, budget)?.count(atoms).ok_or(overflow)
}
