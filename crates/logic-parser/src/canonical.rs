//! Formulas up to the order of operands.

use alloc::vec;
use alloc::vec::Vec;

use crate::formula::{Connective, Formula, Node};

impl Formula {
    /// The formula with the operands of ∧ ∨ ↔ ⊕ in one order: by the first name that occurs in them, then by size,
    /// then by content. `q ∧ p` and `p ∧ q` become the same; nothing else is rearranged.
    ///
    /// ```
    /// # use logic_parser::Formula;
    /// let formula: Formula = "r → (q ∨ s) ∧ p".parse()?;
    /// assert_eq!(formula.canonical().to_string(), "r → p ∧ (q ∨ s)");
    /// # Ok::<(), logic_parser::ParseError>(())
    /// ```
    pub fn canonical(&self) -> Formula {
        let nodes = self.nodes();
        let starts = self.starts();
        let digests = digests(self);
        let mut order = Vec::with_capacity(nodes.len());
        let mut tasks = vec![Task::Visit(nodes.len() - 1)];
        while let Some(task) = tasks.pop() {
            match task {
                Task::Emit(index) => order.push(nodes[index]),
                Task::Visit(index) => {
                    tasks.push(Task::Emit(index));
                    match nodes[index] {
                        Node::Atom(_) | Node::Top | Node::Bottom => {}
                        Node::Not => tasks.push(Task::Visit(index - 1)),
                        Node::Binary(connective) => {
                            let (left, right) = (starts[index - 1] as usize - 1, index - 1);
                            let swapped = connective.is_commutative() && digests[right] < digests[left];
                            let (first, second) = if swapped { (right, left) } else { (left, right) };
                            tasks.extend([Task::Visit(second), Task::Visit(first)]);
                        }
                    }
                }
            }
        }
        self.rebuilt(&order)
    }
}

enum Task {
    Visit(usize),
    Emit(usize),
}

/// What says of a subformula which one it is, up to the order of operands. The fields are in the order of comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Digest {
    /// The rank of its alphabetically first atom.
    first_atom: u32,
    nodes: u32,
    /// Equal for equal subformulas, and with 64 bits hardly ever for others.
    pub(crate) content: u64,
}

/// The digest of the subformula at each node.
pub(crate) fn digests(formula: &Formula) -> Vec<Digest> {
    let ranks = alphabetical_ranks(formula);
    let starts = formula.starts();
    let mut digests: Vec<Digest> = Vec::with_capacity(starts.len());
    for (index, &node) in formula.nodes().iter().enumerate() {
        digests.push(match node {
            Node::Atom(id) => {
                let content =
                    formula.name(id).bytes().fold(mix(0, 1), |content, byte| mix(content, byte.into()));
                Digest { first_atom: ranks[id.index()], nodes: 1, content }
            }
            Node::Top => Digest { first_atom: u32::MAX, nodes: 1, content: mix(0, 2) },
            Node::Bottom => Digest { first_atom: u32::MAX, nodes: 1, content: mix(0, 3) },
            Node::Not => {
                let operand = digests[index - 1];
                Digest { nodes: operand.nodes + 1, content: mix(operand.content, 4), ..operand }
            }
            Node::Binary(connective) => {
                let (left, right) = (digests[starts[index - 1] as usize - 1], digests[index - 1]);
                let (first, second) = if connective.is_commutative() && right.content < left.content {
                    (right, left)
                } else {
                    (left, right)
                };
                Digest {
                    first_atom: left.first_atom.min(right.first_atom),
                    nodes: left.nodes + right.nodes + 1,
                    content: mix(mix(mix(0, 5 + label(connective)), first.content), second.content),
                }
            }
        });
    }
    digests
}

fn label(connective: Connective) -> u64 {
    connective.precedence().into()
}

fn alphabetical_ranks(formula: &Formula) -> Vec<u32> {
    let names = formula.atoms();
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_unstable_by_key(|&index| names[index]);
    let mut ranks = vec![0; names.len()];
    for (rank, index) in (0..).zip(order) {
        ranks[index] = rank;
    }
    ranks
}

/// One round of a 64-bit multiply-and-rotate hash.
fn mix(state: u64, value: u64) -> u64 {
    (state.rotate_left(23) ^ value.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .wrapping_mul(0xD6E8_FEB8_6659_FD93)
        .rotate_left(29)
}
