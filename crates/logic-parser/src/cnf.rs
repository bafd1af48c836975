//! Formulas as clauses, in a size that grows with the formula and not with its truth table.

use alloc::vec::Vec;

use crate::formula::{Connective, Formula, Node};

/// A variable, or its negation: as in DIMACS, variable v is the number v, counted from 1, and ¬v is −v.
pub type Literal = i32;

/// A conjunction of clauses, each a disjunction of literals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cnf {
    /// Variables, numbered from 1; the formula's atoms come first, in order.
    pub variables: usize,
    literals: Vec<Literal>,
    ends: Vec<usize>,
}

impl Cnf {
    /// Clauses that are satisfiable exactly if the formula is, and whose models restricted to the atoms are its
    /// models: one new variable and three or four clauses for each connective (Tseitin 1968).
    ///
    /// # Panics
    /// If the formula has more than two thousand million nodes.
    pub fn tseitin(formula: &Formula) -> Cnf {
        let mut cnf = Cnf { variables: formula.atom_count(), ..Cnf::default() };
        let mut truth = None;
        let mut stack: Vec<Literal> = Vec::new();
        for &node in formula.nodes() {
            let value = match node {
                Node::Atom(id) => literal(id.index() + 1),
                Node::Top => *truth.get_or_insert_with(|| cnf.always()),
                Node::Bottom => -*truth.get_or_insert_with(|| cnf.always()),
                Node::Not => -stack.pop().expect("an operand stands before"),
                Node::Binary(connective) => {
                    let right = stack.pop().expect("an operand stands before");
                    let left = stack.pop().expect("an operand stands before");
                    cnf.define(connective, left, right)
                }
            };
            stack.push(value);
        }
        cnf.push(&stack);
        cnf
    }

    /// The clauses.
    pub fn clauses(&self) -> impl ExactSizeIterator<Item = &[Literal]> {
        (0..self.ends.len()).map(|index| {
            let start = if index == 0 { 0 } else { self.ends[index - 1] };
            &self.literals[start..self.ends[index]]
        })
    }

    pub(crate) fn push(&mut self, clause: &[Literal]) {
        self.literals.extend_from_slice(clause);
        self.ends.push(self.literals.len());
    }

    fn fresh(&mut self) -> Literal {
        self.variables += 1;
        literal(self.variables)
    }

    /// A new variable that is true in every model.
    fn always(&mut self) -> Literal {
        let truth = self.fresh();
        self.push(&[truth]);
        truth
    }

    /// A new variable x with clauses that say x ↔ (left connective right).
    fn define(&mut self, connective: Connective, left: Literal, right: Literal) -> Literal {
        let x = self.fresh();
        match connective {
            Connective::And => self.define_and(x, left, right),
            Connective::Or => self.define_and(-x, -left, -right),
            Connective::Implies => self.define_and(-x, left, -right),
            Connective::Iff => self.define_iff(x, left, right),
            Connective::Xor => self.define_iff(-x, left, right),
        }
        x
    }

    fn define_and(&mut self, x: Literal, left: Literal, right: Literal) {
        self.push(&[-x, left]);
        self.push(&[-x, right]);
        self.push(&[x, -left, -right]);
    }

    fn define_iff(&mut self, x: Literal, left: Literal, right: Literal) {
        self.push(&[-x, -left, right]);
        self.push(&[-x, left, -right]);
        self.push(&[x, left, right]);
        self.push(&[x, -left, -right]);
    }
}

fn literal(variable: usize) -> Literal {
    Literal::try_from(variable).expect("a formula in memory has fewer than 2³¹ nodes")
}
