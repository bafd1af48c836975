//! A formula as the realiser walks it: nodes by index, operands before operators, the root last.

use logic_parser::{Connective, Formula, Node as FormulaNode};

/// The letters of atoms, in order of first appearance.
pub const LETTERS: [&str; 8] = ["p", "q", "r", "s", "t", "u", "v", "w"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    Atom(u8),
    Not(usize),
    Binary(Connective, usize, usize),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    pub nodes: Vec<Node>,
}

impl Tree {
    /// The tree of a formula over at most eight atoms and the connectives that sentences use; atoms are numbered by
    /// first appearance.
    pub fn from_formula(formula: &Formula) -> Option<Tree> {
        let mut tree = Tree::default();
        let mut stack = Vec::new();
        for node in formula.nodes() {
            let built = match *node {
                FormulaNode::Atom(id) => Node::Atom(u8::try_from(id.index()).ok().filter(|&id| id < 8)?),
                FormulaNode::Not => Node::Not(stack.pop()?),
                FormulaNode::Binary(Connective::Xor) | FormulaNode::Top | FormulaNode::Bottom => return None,
                FormulaNode::Binary(connective) => {
                    let right = stack.pop()?;
                    Node::Binary(connective, stack.pop()?, right)
                }
            };
            stack.push(tree.push(built));
        }
        (stack.len() == 1).then_some(tree)
    }

    pub fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    pub fn root(&self) -> usize {
        self.nodes.len() - 1
    }

    /// The atom, and whether it is negated, where the node is one or the other.
    pub fn literal(&self, at: usize) -> Option<(u8, bool)> {
        match self.nodes[at] {
            Node::Atom(atom) => Some((atom, false)),
            Node::Not(inner) => match self.nodes[inner] {
                Node::Atom(atom) => Some((atom, true)),
                _ => None,
            },
            Node::Binary(..) => None,
        }
    }

    /// Whether two nodes say the same formula.
    pub fn same(&self, a: usize, b: usize) -> bool {
        match (self.nodes[a], self.nodes[b]) {
            (Node::Atom(x), Node::Atom(y)) => x == y,
            (Node::Not(x), Node::Not(y)) => self.same(x, y),
            (Node::Binary(c, l, r), Node::Binary(d, m, s)) => c == d && self.same(l, m) && self.same(r, s),
            _ => false,
        }
    }

    pub fn n_atoms(&self) -> usize {
        let last = self.nodes.iter().filter_map(|node| match node {
            Node::Atom(atom) => Some(usize::from(*atom)),
            _ => None,
        });
        last.max().map_or(0, |last| last + 1)
    }

    /// Number of connectives besides negation.
    pub fn n_binary(&self) -> usize {
        self.nodes.iter().filter(|node| matches!(node, Node::Binary(..))).count()
    }

    /// The formula, its atoms lettered p, q, r …
    pub fn to_formula(&self) -> Formula {
        let mut stack: Vec<Formula> = Vec::new();
        let pop = |stack: &mut Vec<Formula>| stack.pop().expect("operands stand before their operator");
        for node in &self.nodes {
            let built = match *node {
                Node::Atom(atom) => Formula::atom(LETTERS[usize::from(atom)]),
                Node::Not(_) => pop(&mut stack).not(),
                Node::Binary(connective, ..) => {
                    let right = pop(&mut stack);
                    pop(&mut stack).join(connective, &right)
                }
            };
            stack.push(built);
        }
        pop(&mut stack)
    }
}
