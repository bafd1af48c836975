//! How much work a question may cost.

use core::sync::atomic::{AtomicBool, Ordering};

/// How much work a question may cost before the answer is [`Unknown`]. The default takes a few seconds at most.
///
/// ```
/// use logic_parser::{Budget, Class, Formula, classify_within};
/// use std::sync::atomic::AtomicBool;
///
/// let enough = AtomicBool::new(true); // another thread would set it
/// let budget = Budget { table_steps: 0, interrupt: Some(&enough), ..Budget::default() };
/// let formula: Formula = "(a ∨ b ∨ c ∨ d ∨ e) → (f ∧ g ∧ h ∧ i ∧ j)".parse()?;
/// assert!(matches!(classify_within(&formula, &budget), Class::Unknown(_)));
/// # Ok::<(), logic_parser::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Budget<'a> {
    /// Rows times connectives that a truth table may take; 10⁹ are a few milliseconds.
    pub table_steps: u64,
    /// Nodes that the decision diagram may have.
    pub diagram_nodes: usize,
    /// Conflicts that the SAT solver may run into.
    pub conflicts: u64,
    /// Nodes that a formula made on the way, as a normal form, may have.
    pub nodes: usize,
    /// Set from another thread, it ends the work soon.
    pub interrupt: Option<&'a AtomicBool>,
}

impl Budget<'_> {
    /// A few seconds at most.
    pub const DEFAULT: Budget<'static> = Budget {
        table_steps: 1 << 30,
        diagram_nodes: 200_000,
        conflicts: 200_000,
        nodes: 1 << 20,
        interrupt: None,
    };

    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupt.is_some_and(|interrupt| interrupt.load(Ordering::Relaxed))
    }

    /// The caller's patience as an outcome: `Err` once it has run out.
    pub(crate) fn check(&self, spent: u64) -> Result<(), Unknown> {
        if self.is_interrupted() { Err(Unknown { reason: Reason::Interrupted, spent }) } else { Ok(()) }
    }
}

impl Default for Budget<'_> {
    fn default() -> Self {
        Budget::DEFAULT
    }
}

/// The work ended before the answer was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("undecided: {reason} after {spent}")]
pub struct Unknown {
    /// What ended it.
    pub reason: Reason,
    /// How much was spent, in the unit of what ended it: conflicts, diagram nodes, or table steps for an interrupt.
    pub spent: u64,
}

/// What ended the work.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// [`Budget::diagram_nodes`] do not suffice, and no other method was at hand.
    #[error("out of diagram nodes")]
    DiagramNodes,
    /// [`Budget::conflicts`] do not suffice.
    #[error("out of conflicts")]
    Conflicts,
    /// [`Budget::nodes`] do not suffice.
    #[error("out of nodes")]
    Nodes,
    /// [`Budget::interrupt`] was set.
    #[error("interrupted")]
    Interrupted,
    /// The count does not fit in 128 bits.
    #[error("a count beyond 128 bits")]
    Overflow,
}
