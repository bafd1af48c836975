//! A formula as three-address code over a fixed set of slots.

use alloc::vec::Vec;

use crate::formula::{Connective, Formula, Node};

/// Slots hold the atoms, then ⊤ and ⊥, then what has been computed.
pub(super) const SLOTS: usize = 64;
pub(crate) const MAX_ATOMS: usize = 30;
pub(super) const TOP: u8 = 30;
pub(super) const BOTTOM: u8 = 31;
const FIRST_FREE: u8 = 32;

/// `target = left connective right`, in slots; for ¬ both operands are the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) operator: Operator,
    pub(super) target: u8,
    pub(super) left: u8,
    pub(super) right: u8,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Operator {
    Not,
    Binary(Connective),
}

/// The code that computes every row of a block.
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) result: u8,
    pub(super) atoms: usize,
}

impl Program {
    /// Of two operands the one that needs more slots is computed first (Sethi and Ullman 1970), so a formula of n
    /// connectives needs at most log₂ n slots, however deep it is.
    ///
    /// # Panics
    /// If the formula has more than [`MAX_ATOMS`] atoms.
    pub(super) fn compile(formula: &Formula) -> Program {
        assert!(formula.atom_count() <= MAX_ATOMS, "a table has at most {MAX_ATOMS} atoms");
        let nodes = formula.nodes();
        let starts = formula.starts();
        let need = slots_needed(nodes, &starts);
        let mut steps = Vec::with_capacity(nodes.len());
        let mut computed: Vec<u8> = Vec::new();
        let mut free: Vec<u8> = (FIRST_FREE..SLOTS as u8).rev().collect();
        let mut tasks = alloc::vec![Task::Compute(nodes.len() - 1)];
        while let Some(task) = tasks.pop() {
            let (operator, left, right) = match task {
                Task::Compute(index) => {
                    match nodes[index] {
                        Node::Atom(id) => computed.push(id.index() as u8),
                        Node::Top => computed.push(TOP),
                        Node::Bottom => computed.push(BOTTOM),
                        Node::Not => tasks.extend([Task::Negate, Task::Compute(index - 1)]),
                        Node::Binary(connective) => {
                            let (left, right) = (starts[index - 1] as usize - 1, index - 1);
                            let (first, second, order) = if need[right] > need[left] {
                                (right, left, Order::RightFirst)
                            } else {
                                (left, right, Order::LeftFirst)
                            };
                            tasks.extend([
                                Task::Apply(connective, order),
                                Task::Compute(second),
                                Task::Compute(first),
                            ]);
                        }
                    }
                    continue;
                }
                Task::Negate => {
                    let operand = computed.pop().expect("¬ follows its operand");
                    (Operator::Not, operand, operand)
                }
                Task::Apply(connective, order) => {
                    let second = computed.pop().expect("a connective follows both operands");
                    let first = computed.pop().expect("a connective follows both operands");
                    match order {
                        Order::LeftFirst => (Operator::Binary(connective), first, second),
                        Order::RightFirst => (Operator::Binary(connective), second, first),
                    }
                }
            };
            for operand in [left, right] {
                if operand >= FIRST_FREE && free.last() != Some(&operand) {
                    free.push(operand);
                }
            }
            let target = free.pop().expect("32 slots suffice for 2³² connectives");
            steps.push(Step { operator, target, left, right });
            computed.push(target);
        }
        let result = computed.pop().expect("a formula computes one value");
        Program { steps, result, atoms: formula.atom_count() }
    }
}

enum Task {
    Compute(usize),
    Negate,
    Apply(Connective, Order),
}

enum Order {
    LeftFirst,
    RightFirst,
}

/// Ershov numbers: leaves need no slot of their own.
fn slots_needed(nodes: &[Node], starts: &[u32]) -> Vec<u8> {
    let mut need: Vec<u8> = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        need.push(match node {
            Node::Atom(_) | Node::Top | Node::Bottom => 0,
            Node::Not => need[index - 1].max(1),
            Node::Binary(_) => {
                let (left, right) = (need[starts[index - 1] as usize - 1], need[index - 1]);
                if left == right { left + 1 } else { left.max(right) }
            }
        });
    }
    need
}
