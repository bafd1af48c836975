//! Is there a row where the formula is true? The one question that all others come down to.
//!
//! A small formula is decided by its truth table, a larger one by a decision diagram, which is best at ↔ and ⊕, and
//! when that grows too large by a SAT solver, which is best at clauses. Each has a budget.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use crate::budget::{Budget, Reason, Unknown};
use crate::diagram::Diagram;
use crate::formula::Formula;
use crate::table;

/// Truth values, in the order of [`Formula::atoms`], under which the formula is true; `None` if there are none.
pub(crate) fn satisfy(formula: &Formula, budget: &Budget<'_>) -> Result<Option<Vec<bool>>, Unknown> {
    if fits_table(formula, budget) {
        return by_table(formula, budget);
    }
    budget.check(0)?;
    match Diagram::of(formula, budget) {
        Ok(diagram) => Ok(diagram.model(formula.atom_count())),
        Err(Unknown { reason: Reason::DiagramNodes, spent }) => by_solver(formula, budget, spent),
        Err(interrupted) => Err(interrupted),
    }
}

pub(crate) fn fits_table(formula: &Formula, budget: &Budget<'_>) -> bool {
    let atoms = formula.atom_count();
    atoms <= table::SMALL_ATOMS
        || atoms <= table::MAX_ATOMS
            && (formula.nodes().len() as u64)
                .checked_mul(1 << atoms)
                .is_some_and(|steps| steps <= budget.table_steps)
}

fn by_table(formula: &Formula, budget: &Budget<'_>) -> Result<Option<Vec<bool>>, Unknown> {
    let atoms = formula.atom_count();
    let mut first_row = 0;
    let found = table::scan(formula, |words| {
        if let Some(word) = words.iter().position(|&word| word != 0) {
            let row = first_row + 64 * word as u64 + u64::from(words[word].trailing_zeros());
            return ControlFlow::Break(Ok(row));
        }
        first_row += 64 * words.len() as u64;
        match budget.check(first_row * formula.nodes().len() as u64) {
            Ok(()) => ControlFlow::Continue(()),
            Err(unknown) => ControlFlow::Break(Err(unknown)),
        }
    });
    match found {
        ControlFlow::Break(row) => row.map(|row| Some(table::row_values(row, atoms))),
        ControlFlow::Continue(()) => Ok(None),
    }
}

#[cfg(feature = "sat")]
fn by_solver(formula: &Formula, budget: &Budget<'_>, _nodes: u64) -> Result<Option<Vec<bool>>, Unknown> {
    crate::sat::solve(&crate::cnf::Cnf::tseitin(formula), formula.atom_count(), budget)
}

#[cfg(not(feature = "sat"))]
fn by_solver(_formula: &Formula, _budget: &Budget<'_>, nodes: u64) -> Result<Option<Vec<bool>>, Unknown> {
    Err(Unknown { reason: Reason::DiagramNodes, spent: nodes })
}
