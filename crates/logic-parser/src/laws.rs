//! Rewriting by named laws, one explained step at a time.
//!
//! Laws explain, they never decide: what is equivalent is for [`equivalent`](crate::equivalent) to say. Every law of the
//! table makes the formula smaller, so rewriting ends.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use crate::argument::Explanation;
use crate::formula::{Formula, Node};

/// An equivalence whose letters stand for any formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Law {
    /// The name as an identifier; several laws may share it.
    pub id: &'static str,
    /// The longer side.
    pub from: &'static str,
    /// The shorter side.
    pub to: &'static str,
    /// The name in Spanish.
    pub es: &'static str,
    /// The name in English.
    pub en: &'static str,
}

/// One application of a law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The law.
    pub law: &'static Law,
    /// The part it was applied to.
    pub before: Formula,
    /// What that part became.
    pub after: Formula,
    /// The whole formula then.
    pub result: Formula,
}

impl Step {
    /// `Doble negación: «¬¬p» es «p»`, in both languages.
    pub fn explanation(&self) -> Explanation {
        let Step { law, before, after, .. } = self;
        Explanation {
            es: format!("{}: «{before}» equivale a «{after}».", law.es),
            en: format!("{}: «{before}» is equivalent to «{after}».", law.en),
        }
    }
}

/// The laws, in the order in which they are tried. Operands of ∧ ∨ ↔ ⊕ may come in any order.
#[rustfmt::skip]
pub const LAWS: &[Law] = &[
    law("double_negation", "¬¬p", "p", "Doble negación", "Double negation"),
    law("negated_constant", "¬⊤", "⊥", "Negación de una constante", "Negated constant"),
    law("negated_constant", "¬⊥", "⊤", "Negación de una constante", "Negated constant"),
    law("identity", "p ∧ ⊤", "p", "Elemento neutro", "Identity"),
    law("identity", "p ∨ ⊥", "p", "Elemento neutro", "Identity"),
    law("domination", "p ∧ ⊥", "⊥", "Elemento absorbente", "Domination"),
    law("domination", "p ∨ ⊤", "⊤", "Elemento absorbente", "Domination"),
    law("idempotence", "p ∧ p", "p", "Idempotencia", "Idempotence"),
    law("idempotence", "p ∨ p", "p", "Idempotencia", "Idempotence"),
    law("contradiction", "p ∧ ¬p", "⊥", "Contradicción", "Contradiction"),
    law("excluded_middle", "p ∨ ¬p", "⊤", "Tercero excluido", "Excluded middle"),
    law("absorption", "p ∧ (p ∨ q)", "p", "Absorción", "Absorption"),
    law("absorption", "p ∨ p ∧ q", "p", "Absorción", "Absorption"),
    law("absorption", "p ∧ (¬p ∨ q)", "p ∧ q", "Absorción", "Absorption"),
    law("absorption", "p ∨ ¬p ∧ q", "p ∨ q", "Absorción", "Absorption"),
    law("conditional", "p → p", "⊤", "Condicional trivial", "Trivial conditional"),
    law("conditional", "p → ⊤", "⊤", "Condicional trivial", "Trivial conditional"),
    law("conditional", "⊥ → p", "⊤", "Condicional trivial", "Trivial conditional"),
    law("conditional", "⊤ → p", "p", "Condicional trivial", "Trivial conditional"),
    law("conditional", "p → ⊥", "¬p", "Condicional trivial", "Trivial conditional"),
    law("clavius", "¬p → p", "p", "Ley de Clavius", "Clavius's law"),
    law("clavius", "p → ¬p", "¬p", "Ley de Clavius", "Clavius's law"),
    law("biconditional", "p ↔ p", "⊤", "Bicondicional trivial", "Trivial biconditional"),
    law("biconditional", "p ↔ ¬p", "⊥", "Bicondicional trivial", "Trivial biconditional"),
    law("biconditional", "p ↔ ⊤", "p", "Bicondicional trivial", "Trivial biconditional"),
    law("biconditional", "p ↔ ⊥", "¬p", "Bicondicional trivial", "Trivial biconditional"),
    law("exclusive", "p ⊕ p", "⊥", "Disyunción exclusiva trivial", "Trivial exclusive disjunction"),
    law("exclusive", "p ⊕ ¬p", "⊤", "Disyunción exclusiva trivial", "Trivial exclusive disjunction"),
    law("exclusive", "p ⊕ ⊥", "p", "Disyunción exclusiva trivial", "Trivial exclusive disjunction"),
    law("exclusive", "p ⊕ ⊤", "¬p", "Disyunción exclusiva trivial", "Trivial exclusive disjunction"),
    law("distribution", "p ∧ q ∨ p ∧ r", "p ∧ (q ∨ r)", "Distributiva", "Distribution"),
    law("distribution", "(p ∨ q) ∧ (p ∨ r)", "p ∨ q ∧ r", "Distributiva", "Distribution"),
    law("contraposition", "¬p → ¬q", "q → p", "Contraposición", "Contraposition"),
    law("de_morgan", "¬p ∧ ¬q", "¬(p ∨ q)", "De Morgan", "De Morgan"),
    law("de_morgan", "¬p ∨ ¬q", "¬(p ∧ q)", "De Morgan", "De Morgan"),
];

const fn law(
    id: &'static str,
    from: &'static str,
    to: &'static str,
    es: &'static str,
    en: &'static str,
) -> Law {
    Law { id, from, to, es, en }
}

impl Formula {
    /// Simplifies by [`LAWS`], innermost parts first, at most so many `steps`.
    ///
    /// ```
    /// # use logic_parser::Formula;
    /// let formula: Formula = "¬¬p ∧ (q ∨ p)".parse()?;
    /// let steps = formula.simplify(10);
    /// let shown: Vec<String> = steps.iter().map(|step| step.explanation().en).collect();
    /// assert_eq!(shown, [
    ///     "Double negation: «¬¬p» is equivalent to «p».",
    ///     "Absorption: «p ∧ (q ∨ p)» is equivalent to «p».",
    /// ]);
    /// # Ok::<(), logic_parser::ParseError>(())
    /// ```
    pub fn simplify(&self, steps: usize) -> Vec<Step> {
        let patterns: Vec<Pattern> = LAWS.iter().flat_map(Pattern::of).collect();
        let mut taken: Vec<Step> = Vec::new();
        let mut index = 0;
        while taken.len() < steps {
            let formula = taken.last().map_or(self, |step| &step.result);
            let Some((at, step)) = formula.first_step(index, &patterns) else {
                break;
            };
            taken.push(step);
            index = at;
        }
        taken
    }

    /// The first law that applies at node `from` or later, and where to look on.
    fn first_step(&self, from: usize, patterns: &[Pattern]) -> Option<(usize, Step)> {
        let starts = self.starts();
        for index in from..self.nodes().len() {
            let Some((pattern, bindings)) =
                patterns.iter().find_map(|pattern| Some((pattern, pattern.bindings(self, &starts, index)?)))
            else {
                continue;
            };
            let start = starts[index] as usize;
            let replacement = pattern.replacement(self, &starts, &bindings);
            let nodes = [&self.nodes()[..start], &replacement, &self.nodes()[index + 1..]].concat();
            let step = Step {
                law: pattern.law,
                before: self.subformula(index),
                after: self.rebuilt(&replacement),
                result: self.rebuilt(&nodes),
            };
            return Some((start, step));
        }
        None
    }
}

/// One order of a law's operands.
struct Pattern {
    law: &'static Law,
    from: Formula,
    to: Formula,
}

impl Pattern {
    /// The law with the operands of each commutative connective both ways round.
    fn of(law: &'static Law) -> Vec<Pattern> {
        let parse = |text| Formula::parse(text).expect("the laws of this crate are well-formed");
        let (from, to) = (parse(law.from), parse(law.to));
        let orders = from.fold(
            |leaf| match leaf {
                crate::Leaf::Atom(id) => vec![Formula::atom(from.name(id))],
                crate::Leaf::Top => vec![Formula::top()],
                crate::Leaf::Bottom => vec![Formula::bottom()],
            },
            |operands| operands.into_iter().map(Formula::not).collect(),
            |connective, lefts, rights| {
                let pairs = lefts.iter().flat_map(|left| rights.iter().map(move |right| (left, right)));
                let both_ways = |(left, right): (&Formula, &Formula)| {
                    let turned = connective.is_commutative().then(|| right.clone().join(connective, left));
                    [Some(left.clone().join(connective, right)), turned].into_iter().flatten()
                };
                pairs.flat_map(both_ways).collect::<Vec<_>>()
            },
        );
        orders.into_iter().map(|from| Pattern { law, from, to: to.clone() }).collect()
    }

    /// The node of `formula` that each letter of the pattern stands for, if the pattern fits at node `index`.
    fn bindings(&self, formula: &Formula, starts: &[u32], index: usize) -> Option<Vec<Option<usize>>> {
        let part = |index: usize| &formula.nodes()[starts[index] as usize..=index];
        let own_starts = self.from.starts();
        let mut bindings = vec![None; self.from.atom_count()];
        let mut open = vec![(self.from.nodes().len() - 1, index)];
        while let Some((own, other)) = open.pop() {
            match (self.from.nodes()[own], formula.nodes()[other]) {
                (Node::Atom(letter), _) => match bindings[letter.index()] {
                    Some(bound) if part(bound) != part(other) => return None,
                    _ => bindings[letter.index()] = Some(other),
                },
                (Node::Not, Node::Not) => open.push((own - 1, other - 1)),
                (Node::Binary(wanted), Node::Binary(connective)) if wanted == connective => open.extend([
                    (own - 1, other - 1),
                    (own_starts[own - 1] as usize - 1, starts[other - 1] as usize - 1),
                ]),
                (wanted, found) if wanted == found && matches!(wanted, Node::Top | Node::Bottom) => {}
                _ => return None,
            }
        }
        Some(bindings)
    }

    fn replacement(&self, formula: &Formula, starts: &[u32], bindings: &[Option<usize>]) -> Vec<Node> {
        let names = self.from.atoms();
        let mut nodes = Vec::new();
        for &node in self.to.nodes() {
            match node {
                Node::Atom(id) => {
                    let letter = names.iter().position(|name| *name == self.to.name(id));
                    let bound = letter.and_then(|letter| bindings[letter]).expect("a law invents no letter");
                    nodes.extend_from_slice(&formula.nodes()[starts[bound] as usize..=bound]);
                }
                other => nodes.push(other),
            }
        }
        nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::equivalent;

    #[test]
    fn every_law_is_an_equivalence_and_shortens() {
        for law in LAWS {
            let (from, to) = (
                Formula::parse(law.from).expect("well-formed"),
                Formula::parse(law.to).expect("well-formed"),
            );
            assert!(equivalent(&from, &to).is_yes(), "{}", law.from);
            assert!(to.nodes().len() < from.nodes().len(), "{}", law.from);
        }
    }

    #[test]
    fn every_step_keeps_the_truth_and_joins_the_next() {
        for text in ["¬¬(p ∧ ¬⊥) → p ∨ ¬p", "(q ∧ ¬¬p) ∨ (p ∧ r)", "(¬p ∧ ¬q) ⊕ ¬(p ∨ q)", "p → q"]
        {
            let mut formula = Formula::parse(text).expect("well-formed");
            for step in formula.simplify(100) {
                assert!(equivalent(&formula, &step.result).is_yes(), "{text}: {step:?}");
                assert!(equivalent(&step.before, &step.after).is_yes());
                formula = step.result;
            }
            assert!(formula.simplify(1).is_empty(), "{formula}");
        }
    }
}
