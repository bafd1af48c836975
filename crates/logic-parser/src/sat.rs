//! The SAT solver behind the table: `batsat`, with a budget of conflicts.

use alloc::vec::Vec;
use core::cell::Cell;

use batsat::{Callbacks, Lit, Solver, SolverInterface, SolverOpts, Var, clause, lbool};

use crate::budget::{Budget, Reason, Unknown};
use crate::cnf::Cnf;

/// The values of the first `atoms` variables in a model, `None` if there is no model.
pub(crate) fn solve(cnf: &Cnf, atoms: usize, budget: &Budget<'_>) -> Result<Option<Vec<bool>>, Unknown> {
    let watch = Watch { budget, conflicts: 0, stopped: Cell::new(None) };
    let mut solver = Solver::new(SolverOpts::default(), watch);
    let variables: Vec<Var> = (0..cnf.variables).map(|_| solver.new_var_default()).collect();
    let mut consistent = true;
    let mut literals = Vec::new();
    for clause in cnf.clauses() {
        literals.extend(clause.iter().map(|&it| Lit::new(variables[it.unsigned_abs() as usize - 1], it > 0)));
        consistent &= solver.add_clause_reuse(&mut literals);
        literals.clear();
    }
    if !consistent {
        return Ok(None);
    }
    let verdict = solver.solve_limited(&[]);
    if verdict == lbool::TRUE {
        Ok(Some(variables[..atoms].iter().map(|&it| solver.value_var(it) == lbool::TRUE).collect()))
    } else if verdict == lbool::FALSE {
        Ok(None)
    } else {
        let watch = solver.cb();
        Err(Unknown { reason: watch.stopped.get().unwrap_or(Reason::Conflicts), spent: watch.conflicts })
    }
}

/// Counts conflicts, one learnt clause each, and stops the solver when they, or the caller's patience, run out.
struct Watch<'b> {
    budget: &'b Budget<'b>,
    conflicts: u64,
    stopped: Cell<Option<Reason>>,
}

impl Callbacks for Watch<'_> {
    fn on_new_clause(&mut self, _clause: &[Lit], _source: clause::Kind) {
        self.conflicts += 1;
    }

    fn stop(&self) -> bool {
        let reason = if self.budget.is_interrupted() {
            Some(Reason::Interrupted)
        } else {
            (self.conflicts >= self.budget.conflicts).then_some(Reason::Conflicts)
        };
        self.stopped.set(reason);
        reason.is_some()
    }
}
