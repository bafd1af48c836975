//! Subformulas with an identity: two that are the same up to the order of operands and double negation are one term.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::formula::{Connective, Formula, Node};

/// A term's place among all terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TermId(u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Term<'a> {
    Atom(&'a str),
    Top,
    Bottom,
    Not(TermId),
    Binary(Connective, TermId, TermId),
}

/// Every subformula of some formulas, and the negation of whatever was asked for.
#[derive(Default)]
pub(super) struct Terms<'a> {
    terms: Vec<Term<'a>>,
    /// Where a term was first met, as a formula and the index of its root; the negation of a term may be nowhere.
    origins: Vec<Option<(&'a Formula, usize)>>,
    known: BTreeMap<Term<'a>, TermId>,
}

impl<'a> Terms<'a> {
    pub(super) fn of(&self, id: TermId) -> Term<'a> {
        self.terms[id.0 as usize]
    }

    /// The term of a whole formula, all its subformulas included.
    pub(super) fn add(&mut self, formula: &'a Formula) -> TermId {
        const POSTORDER: &str = "operands stand before their connective";
        let mut stack: Vec<TermId> = Vec::new();
        for (index, &node) in formula.nodes().iter().enumerate() {
            let term = match node {
                Node::Atom(id) => Term::Atom(formula.name(id)),
                Node::Top => Term::Top,
                Node::Bottom => Term::Bottom,
                Node::Not => {
                    let operand = stack.pop().expect(POSTORDER);
                    match self.of(operand) {
                        Term::Not(inside) => {
                            stack.push(inside);
                            continue;
                        }
                        _ => Term::Not(operand),
                    }
                }
                Node::Binary(connective) => {
                    let right = stack.pop().expect(POSTORDER);
                    let left = stack.pop().expect(POSTORDER);
                    if connective.is_commutative() && right < left {
                        Term::Binary(connective, right, left)
                    } else {
                        Term::Binary(connective, left, right)
                    }
                }
            };
            stack.push(self.intern(term, Some((formula, index))));
        }
        stack.pop().expect(POSTORDER)
    }

    /// The term of ¬`id`.
    pub(super) fn negation(&mut self, id: TermId) -> TermId {
        match self.of(id) {
            Term::Not(inside) => inside,
            _ => self.intern(Term::Not(id), None),
        }
    }

    /// The term as it was first written.
    pub(super) fn formula(&self, id: TermId) -> Formula {
        match (self.origins[id.0 as usize], self.of(id)) {
            (Some((formula, root)), _) => formula.subformula(root),
            (None, Term::Not(inside)) => match self.origins[inside.0 as usize] {
                Some((formula, root)) => formula.subformula(root).not(),
                None => unreachable!("only negations are made, and a double one is undone"),
            },
            (None, _) => unreachable!("only negations are made"),
        }
    }

    fn intern(&mut self, term: Term<'a>, origin: Option<(&'a Formula, usize)>) -> TermId {
        let next = TermId(self.terms.len() as u32);
        let id = *self.known.entry(term).or_insert(next);
        if id == next {
            self.terms.push(term);
            self.origins.push(origin);
        } else if self.origins[id.0 as usize].is_none() {
            self.origins[id.0 as usize] = origin;
        }
        id
    }
}
