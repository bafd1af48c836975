//! Is every line of a proof allowed?

use alloc::vec::Vec;

use super::{Line, Proof, Rule, Subproof};
use crate::argument::Argument;
use crate::formula::{Connective, Formula, Node};

/// What is wrong with a proof. Lines are counted from 0.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The proof has no lines, or the last one is not the conclusion outside all assumptions.
    #[error("the proof does not end in the conclusion")]
    NotTheConclusion,
    /// A line says that it is a premise and is none, or stands under an assumption.
    #[error("line {line} is not a premise")]
    NotAPremise {
        /// The line.
        line: usize,
    },
    /// A line is deeper than the assumptions open there.
    #[error("line {line} stands under an assumption that is not open")]
    WrongDepth {
        /// The line.
        line: usize,
    },
    /// A line cites what comes later, or what was said under an assumption closed since.
    #[error("line {line} cites what is out of reach")]
    OutOfReach {
        /// The line.
        line: usize,
    },
    /// The rule does not give this formula from what it cites.
    #[error("line {line} does not follow by its rule")]
    DoesNotFollow {
        /// The line.
        line: usize,
    },
}

impl Proof {
    /// Checks that the proof proves the argument.
    ///
    /// # Errors
    /// Says which line is not allowed, and why.
    pub fn check(&self, argument: &Argument) -> Result<(), CheckError> {
        let mut scope =
            Scope { lines: &self.lines, open: Vec::new(), owners: Vec::new(), parents: Vec::new() };
        for (index, line) in self.lines.iter().enumerate() {
            scope.enter(index, line)?;
            match line.rule {
                Rule::Premise if line.depth > 0 || !argument.premises.contains(&line.formula) => {
                    return Err(CheckError::NotAPremise { line: index });
                }
                Rule::Premise | Rule::Assumption => {}
                rule => {
                    let (lines, subproofs) = rule.citations();
                    let reachable = lines.iter().all(|&cited| scope.reaches(cited, index))
                        && subproofs.iter().all(|&cited| scope.reaches_subproof(cited, index));
                    if !reachable {
                        return Err(CheckError::OutOfReach { line: index });
                    }
                    if follows(rule, &line.formula, &self.lines) != Some(true) {
                        return Err(CheckError::DoesNotFollow { line: index });
                    }
                }
            }
        }
        match self.lines.last() {
            Some(last) if last.depth == 0 && last.formula == argument.conclusion => Ok(()),
            _ => Err(CheckError::NotTheConclusion),
        }
    }
}

/// Which assumptions are open at the line being checked.
struct Scope<'p> {
    lines: &'p [Line],
    /// The lines of the open assumptions, outermost first.
    open: Vec<usize>,
    /// For each line so far, the innermost assumption it stands under.
    owners: Vec<Option<usize>>,
    /// The same for each assumption as if it had not been made.
    parents: Vec<Option<usize>>,
}

impl Scope<'_> {
    fn enter(&mut self, index: usize, line: &Line) -> Result<(), CheckError> {
        let outside =
            if line.rule == Rule::Assumption { line.depth.checked_sub(1) } else { Some(line.depth) };
        match outside {
            Some(outside) if outside <= self.open.len() => self.open.truncate(outside),
            _ => return Err(CheckError::WrongDepth { line: index }),
        }
        self.parents.push(self.open.last().copied());
        if line.rule == Rule::Assumption {
            self.open.push(index);
        }
        self.owners.push(self.open.last().copied());
        Ok(())
    }

    /// A line can be cited if it came before and every assumption above it is still open.
    fn reaches(&self, cited: usize, from: usize) -> bool {
        cited < from && self.owners[cited].is_none_or(|owner| self.open.contains(&owner))
    }

    /// A closed subproof can be cited as long as every assumption around it is still open.
    fn reaches_subproof(&self, (first, last): Subproof, from: usize) -> bool {
        first <= last
            && last < from
            && self.lines[first].rule == Rule::Assumption
            && self.owners[last] == Some(first)
            && !self.open.contains(&first)
            && self.parents[first].is_none_or(|parent| self.open.contains(&parent))
    }
}

/// Whether the rule gives `said`; `None` if what it cites has the wrong shape.
fn follows(rule: Rule, said: &Formula, lines: &[Line]) -> Option<bool> {
    let formula = |line: usize| &lines[line].formula;
    let under = |(first, last): Subproof| (formula(first), formula(last));
    Some(match rule {
        Rule::Premise | Rule::Assumption => true,
        Rule::Reiteration(line) => said == formula(line),
        Rule::TopIntroduction => *said == Formula::top(),
        Rule::AndIntroduction(left, right) => {
            binary(said, Connective::And)? == [formula(left).clone(), formula(right).clone()]
        }
        Rule::AndElimination(line) => binary(formula(line), Connective::And)?.contains(said),
        Rule::OrIntroduction(line) => binary(said, Connective::Or)?.contains(formula(line)),
        Rule::OrElimination(line, left, right) => {
            let [first, second] = binary(formula(line), Connective::Or)?;
            under(left) == (&first, said) && under(right) == (&second, said)
        }
        Rule::ImpliesIntroduction(subproof) => {
            let [antecedent, consequent] = binary(said, Connective::Implies)?;
            under(subproof) == (&antecedent, &consequent)
        }
        Rule::ImpliesElimination(line, antecedent) => {
            binary(formula(line), Connective::Implies)? == [formula(antecedent).clone(), said.clone()]
        }
        Rule::NotIntroduction(subproof) => under(subproof) == (&negated(said)?, &Formula::bottom()),
        Rule::NotElimination(line, negation) => {
            *said == Formula::bottom() && negated(formula(negation))? == *formula(line)
        }
        Rule::DoubleNegation(line) => negated(&negated(formula(line))?)? == *said,
        Rule::Explosion(line) => *formula(line) == Formula::bottom(),
        Rule::IffIntroduction(there, back) => {
            let [left, right] = binary(said, Connective::Iff)?;
            under(there) == (&left, &right) && under(back) == (&right, &left)
        }
        Rule::IffElimination(line, side) => {
            let [left, right] = binary(formula(line), Connective::Iff)?;
            (left == *formula(side) && right == *said) || (right == *formula(side) && left == *said)
        }
        Rule::XorDefinition(line) => is_definition(formula(line), said) || is_definition(said, formula(line)),
    })
}

/// Whether these are A ⊕ B and ¬(A ↔ B).
fn is_definition(xor: &Formula, negation: &Formula) -> bool {
    let inside = negated(negation).and_then(|biconditional| binary(&biconditional, Connective::Iff));
    inside.is_some() && inside == binary(xor, Connective::Xor)
}

fn binary(formula: &Formula, connective: Connective) -> Option<[Formula; 2]> {
    (formula.root() == Node::Binary(connective)).then(|| formula.operands().try_into().ok())?
}

fn negated(formula: &Formula) -> Option<Formula> {
    (formula.root() == Node::Not).then(|| formula.operands().pop())?
}
