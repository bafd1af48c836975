//! A reduced ordered binary decision diagram, small and with a budget of nodes (Bryant 1986; negated edges after
//! Brace, Rudell and Bryant 1990).
//!
//! It decides in a moment what needs exponentially many rows or conflicts: parities, chains of ↔ and ⊕, most
//! formulas close to read-once. When it grows too large it gives up, and the SAT solver takes over.

use alloc::vec;
use alloc::vec::Vec;

use crate::budget::{Budget, Reason, Unknown};
use crate::formula::{Connective, Formula, Node};

/// A node's index, shifted by one; the lowest bit negates. Node 0 is the only leaf, so [`TRUE`] is the edge to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge(u32);

const TRUE: Edge = Edge(0);
const FALSE: Edge = Edge(1);

impl Edge {
    fn node(self) -> usize {
        (self.0 >> 1) as usize
    }

    fn is_negated(self) -> bool {
        self.0 & 1 == 1
    }

    /// Negated if `condition` holds.
    fn negated_if(self, condition: bool) -> Edge {
        Edge(self.0 ^ u32::from(condition))
    }
}

impl core::ops::Not for Edge {
    type Output = Edge;

    fn not(self) -> Edge {
        Edge(self.0 ^ 1)
    }
}

/// If the atom then `high` else `low`; `high` is never negated, which makes a function's diagram unique.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Branch {
    atom: u32,
    low: Edge,
    high: Edge,
}

/// Below every atom.
const LEAF: u32 = u32::MAX;

pub(crate) struct Diagram<'b> {
    branches: Vec<Branch>,
    /// Open addressing over `branches`; `EMPTY` where nothing is.
    unique: Vec<u32>,
    /// What was computed last in each slot.
    computed: Vec<(Operation, Edge, Edge, Edge)>,
    budget: &'b Budget<'b>,
    spent: u64,
    root: Edge,
}

const EMPTY: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    And,
    Xor,
}

impl<'b> Diagram<'b> {
    /// The diagram of a formula, its atoms in order of first appearance from the top down.
    pub(crate) fn of(formula: &Formula, budget: &'b Budget<'b>) -> Result<Diagram<'b>, Unknown> {
        const SLOTS: usize = 1 << 12;
        let leaf = Branch { atom: LEAF, low: TRUE, high: TRUE };
        let mut diagram = Diagram {
            branches: vec![leaf],
            unique: vec![EMPTY; SLOTS],
            computed: vec![(Operation::And, TRUE, TRUE, TRUE); SLOTS],
            budget,
            spent: 0,
            root: TRUE,
        };
        let mut stack: Vec<Edge> = Vec::new();
        for &node in formula.nodes() {
            let edge = match node {
                Node::Atom(id) => diagram.branch(id.0, FALSE, TRUE)?,
                Node::Top => TRUE,
                Node::Bottom => FALSE,
                Node::Not => !stack.pop().expect("an operand stands before"),
                Node::Binary(connective) => {
                    let right = stack.pop().expect("an operand stands before");
                    let left = stack.pop().expect("an operand stands before");
                    diagram.join(connective, left, right)?
                }
            };
            stack.push(edge);
        }
        diagram.root = stack.pop().expect("a formula has a root");
        Ok(diagram)
    }

    /// The values of `atoms` atoms on a path to true; those not asked for are false.
    pub(crate) fn model(&self, atoms: usize) -> Option<Vec<bool>> {
        if self.root == FALSE {
            return None;
        }
        let mut values = vec![false; atoms];
        let mut edge = self.root;
        while edge != TRUE {
            let Branch { atom, low, high } = self.branches[edge.node()];
            let (low, high) = (low.negated_if(edge.is_negated()), high.negated_if(edge.is_negated()));
            values[atom as usize] = low == FALSE;
            edge = if low == FALSE { high } else { low };
        }
        Some(values)
    }

    /// How many of the 2^`atoms` assignments are models, `None` beyond 127 atoms.
    pub(crate) fn count(&self, atoms: usize) -> Option<u128> {
        let atoms = u32::try_from(atoms).ok().filter(|&atoms| atoms <= 127)?;
        // Models over the atoms from a branch's own down; children were made before their parents.
        let mut counts: Vec<u128> = Vec::with_capacity(self.branches.len());
        let level = |edge: Edge| self.branches[edge.node()].atom.min(atoms);
        let below = |counts: &[u128], edge: Edge| {
            let all = 1_u128 << (atoms - level(edge));
            if edge.is_negated() { all - counts[edge.node()] } else { counts[edge.node()] }
        };
        for branch in &self.branches {
            counts.push(if branch.atom == LEAF {
                1
            } else {
                let part = |edge: Edge| below(&counts, edge) << (level(edge) - branch.atom - 1);
                part(branch.low) + part(branch.high)
            });
        }
        Some(below(&counts, self.root) << level(self.root))
    }

    fn join(&mut self, connective: Connective, left: Edge, right: Edge) -> Result<Edge, Unknown> {
        Ok(match connective {
            Connective::And => self.apply(Operation::And, left, right)?,
            Connective::Or => !self.apply(Operation::And, !left, !right)?,
            Connective::Implies => !self.apply(Operation::And, left, !right)?,
            Connective::Xor => self.apply(Operation::Xor, left, right)?,
            Connective::Iff => !self.apply(Operation::Xor, left, right)?,
        })
    }

    /// Combines two diagrams branch by branch, on a stack of its own.
    fn apply(&mut self, operation: Operation, left: Edge, right: Edge) -> Result<Edge, Unknown> {
        enum Task {
            Combine(Edge, Edge),
            Branch { atom: u32, left: Edge, right: Edge, negated: bool },
        }
        let mut tasks = vec![Task::Combine(left, right)];
        let mut done: Vec<Edge> = Vec::new();
        while let Some(task) = tasks.pop() {
            match task {
                Task::Combine(left, right) => {
                    let (left, right, negated) = canonical(operation, left, right);
                    if let Some(edge) = at_once(operation, left, right) {
                        done.push(edge.negated_if(negated));
                        continue;
                    }
                    let known = self.computed[self.slot(operation, left, right)];
                    if (known.0, known.1, known.2) == (operation, left, right) {
                        done.push(known.3.negated_if(negated));
                        continue;
                    }
                    let atom = self.branches[left.node()].atom.min(self.branches[right.node()].atom);
                    let (left_low, left_high) = self.halves(left, atom);
                    let (right_low, right_high) = self.halves(right, atom);
                    tasks.extend([
                        Task::Branch { atom, left, right, negated },
                        Task::Combine(left_high, right_high),
                        Task::Combine(left_low, right_low),
                    ]);
                }
                Task::Branch { atom, left, right, negated } => {
                    let high = done.pop().expect("the high half was combined");
                    let low = done.pop().expect("the low half was combined");
                    let edge = self.branch(atom, low, high)?;
                    let slot = self.slot(operation, left, right);
                    self.computed[slot] = (operation, left, right, edge);
                    done.push(edge.negated_if(negated));
                    self.spend()?;
                }
            }
        }
        Ok(done.pop().expect("the whole was combined"))
    }

    /// What an edge becomes when the atom is false, and when it is true.
    fn halves(&self, edge: Edge, atom: u32) -> (Edge, Edge) {
        let branch = self.branches[edge.node()];
        if branch.atom != atom {
            return (edge, edge);
        }
        (branch.low.negated_if(edge.is_negated()), branch.high.negated_if(edge.is_negated()))
    }

    /// The edge to the one branch with these halves.
    fn branch(&mut self, atom: u32, low: Edge, high: Edge) -> Result<Edge, Unknown> {
        if low == high {
            return Ok(low);
        }
        let negated = high.is_negated();
        let branch = Branch { atom, low: low.negated_if(negated), high: high.negated_if(negated) };
        let mut slot = hash(branch) & (self.unique.len() - 1);
        while self.unique[slot] != EMPTY {
            let index = self.unique[slot];
            if self.branches[index as usize] == branch {
                return Ok(Edge(index << 1).negated_if(negated));
            }
            slot = (slot + 1) & (self.unique.len() - 1);
        }
        if self.branches.len() > self.budget.diagram_nodes.min(u32::MAX as usize >> 1) {
            return Err(Unknown { reason: Reason::DiagramNodes, spent: self.branches.len() as u64 });
        }
        let index = self.branches.len() as u32;
        self.branches.push(branch);
        self.unique[slot] = index;
        if self.branches.len() * 2 > self.unique.len() {
            self.grow();
        }
        Ok(Edge(index << 1).negated_if(negated))
    }

    fn grow(&mut self) {
        let slots = self.unique.len() * 2;
        self.unique = vec![EMPTY; slots];
        for (index, &branch) in self.branches.iter().enumerate().skip(1) {
            let mut slot = hash(branch) & (slots - 1);
            while self.unique[slot] != EMPTY {
                slot = (slot + 1) & (slots - 1);
            }
            self.unique[slot] = index as u32;
        }
        self.computed = vec![(Operation::And, TRUE, TRUE, TRUE); slots];
    }

    /// Operations are bounded too: a diagram that stays small can still take long to combine.
    fn spend(&mut self) -> Result<(), Unknown> {
        const OPERATIONS_PER_NODE: u64 = 16;
        const LOOK_UP_EVERY: u64 = 1 << 12;
        self.spent += 1;
        if self.spent > OPERATIONS_PER_NODE * self.budget.diagram_nodes as u64 {
            return Err(Unknown { reason: Reason::DiagramNodes, spent: self.branches.len() as u64 });
        }
        if self.spent.is_multiple_of(LOOK_UP_EVERY) {
            self.budget.check(self.branches.len() as u64)
        } else {
            Ok(())
        }
    }

    fn slot(&self, operation: Operation, left: Edge, right: Edge) -> usize {
        mix(left.0, right.0, operation as u32) & (self.computed.len() - 1)
    }
}

/// The same operation with its operands in order and, for ⊕, no negation inside: more hits among what was computed.
fn canonical(operation: Operation, left: Edge, right: Edge) -> (Edge, Edge, bool) {
    let (left, right) = if left.0 <= right.0 { (left, right) } else { (right, left) };
    match operation {
        Operation::And => (left, right, false),
        Operation::Xor => {
            let negated = left.is_negated() != right.is_negated();
            (Edge(left.0 & !1), Edge(right.0 & !1), negated)
        }
    }
}

/// What needs no look inside.
fn at_once(operation: Operation, left: Edge, right: Edge) -> Option<Edge> {
    match operation {
        Operation::And if left == right || right == TRUE => Some(left),
        Operation::And if left == TRUE => Some(right),
        Operation::And if left == FALSE || right == FALSE || left == !right => Some(FALSE),
        Operation::Xor if left == right => Some(FALSE),
        Operation::Xor if left == TRUE => Some(!right),
        Operation::Xor if right == TRUE => Some(!left),
        _ => None,
    }
}

fn hash(branch: Branch) -> usize {
    mix(branch.low.0, branch.high.0, branch.atom)
}

fn mix(a: u32, b: u32, c: u32) -> usize {
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let mixed =
        (u64::from(a) << 32 | u64::from(b)).wrapping_mul(GOLDEN) ^ u64::from(c).wrapping_mul(GOLDEN >> 7);
    (mixed.wrapping_mul(GOLDEN) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    #[test]
    fn counts_equal_the_table_and_models_are_models() {
        let budget = Budget::default();
        for text in [
            "p",
            "¬p",
            "p ∧ q",
            "p ⊕ q ⊕ r",
            "p → q → r ↔ s",
            "(p ↔ q) ∧ (q ↔ ¬p)",
            "⊤",
            "⊥",
            "p ∨ (q ∧ ⊥)",
            "(p → q) → p → p",
            "¬(p ∧ q) ⊕ (r → ¬(s ∨ p)) ∨ t",
        ] {
            let formula = Formula::parse(text).expect("well-formed");
            let diagram = Diagram::of(&formula, &budget).expect("small");
            assert_eq!(diagram.count(formula.atom_count()), Some(table::count(&formula).into()), "{text}");
            match diagram.model(formula.atom_count()) {
                Some(values) => assert!(formula.evaluate(&values), "{text}"),
                None => assert_eq!(table::count(&formula), 0, "{text}"),
            }
        }
    }
}
