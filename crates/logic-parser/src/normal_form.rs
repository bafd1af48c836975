//! Negation, conjunctive and disjunctive normal form.

use alloc::vec;
use alloc::vec::Vec;

use crate::budget::{Budget, Reason, Unknown};
use crate::formula::{AtomId, Connective, Formula, Node};
use crate::satisfy::satisfy;

impl Formula {
    /// The formula in negation normal form: ∧ and ∨ of atoms and negated atoms, with ⊤ and ⊥ only where the formula had
    /// them. `p → q` becomes `¬p ∨ q`; ↔ and ⊕ write each operand twice, so a chain of n of them can grow to 2ⁿ.
    ///
    /// ```
    /// # use logic_parser::{Budget, Formula};
    /// let formula: Formula = "¬(p → q ∧ r)".parse()?;
    /// assert_eq!(formula.negation_normal_form(&Budget::default())?.to_string(), "p ∧ (¬q ∨ ¬r)");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the result would have more than [`Budget::nodes`].
    pub fn negation_normal_form(&self, budget: &Budget<'_>) -> Result<Formula, Unknown> {
        let starts = self.starts();
        let mut result: Vec<Node> = Vec::new();
        let mut tasks = vec![Task::Visit { index: self.nodes().len() - 1, negated: false }];
        while let Some(task) = tasks.pop() {
            if result.len() > budget.nodes {
                return Err(Unknown { reason: Reason::Nodes, spent: result.len() as u64 });
            }
            match task {
                Task::Emit(node) => result.push(node),
                Task::Visit { index, negated } => {
                    self.visit(index, negated, &starts, &mut result, &mut tasks)
                }
            }
        }
        Ok(self.rebuilt(&result))
    }

    fn visit(
        &self,
        index: usize,
        negated: bool,
        starts: &[u32],
        result: &mut Vec<Node>,
        tasks: &mut Vec<Task>,
    ) {
        let connective = match self.nodes()[index] {
            atom @ Node::Atom(_) => {
                result.push(atom);
                result.extend(negated.then_some(Node::Not));
                return;
            }
            Node::Top | Node::Bottom => {
                let truth = (self.nodes()[index] == Node::Top) != negated;
                return result.push(if truth { Node::Top } else { Node::Bottom });
            }
            Node::Not => {
                return tasks.push(Task::Visit { index: index - 1, negated: !negated });
            }
            Node::Binary(connective) => connective,
        };
        let (left, right) = (starts[index - 1] as usize - 1, index - 1);
        // What is pushed last is visited first.
        let mut pair = |both: bool, left_negated: bool, right_negated: bool| {
            tasks.extend([
                Task::Emit(Node::Binary(if both { Connective::And } else { Connective::Or })),
                Task::Visit { index: right, negated: right_negated },
                Task::Visit { index: left, negated: left_negated },
            ]);
        };
        match connective {
            Connective::And => pair(!negated, negated, negated),
            Connective::Or => pair(negated, negated, negated),
            Connective::Implies => pair(negated, !negated, negated),
            Connective::Iff | Connective::Xor => {
                // Both or neither for ↔, one or the other for ⊕.
                let differ = (connective == Connective::Xor) != negated;
                tasks.push(Task::Emit(Node::Binary(Connective::Or)));
                let mut pair = |left_negated: bool, right_negated: bool| {
                    tasks.extend([
                        Task::Emit(Node::Binary(Connective::And)),
                        Task::Visit { index: right, negated: right_negated },
                        Task::Visit { index: left, negated: left_negated },
                    ]);
                };
                pair(true, !differ);
                pair(false, differ);
            }
        }
    }

    /// A disjunction of conjunctions of literals: prime implicants, none of which can be left out. ⊥ if there is no
    /// model.
    ///
    /// # Errors
    /// If the budget runs out.
    pub fn disjunctive_normal_form(&self, budget: &Budget<'_>) -> Result<Formula, Unknown> {
        let cubes = prime_cover(self, budget)?;
        Ok(self.two_levels(&cubes, Connective::Or, Connective::And))
    }

    /// A conjunction of disjunctions of literals: prime implicates, none of which can be left out. ⊤ if there is no
    /// countermodel.
    ///
    /// ```
    /// # use logic_parser::{Budget, Formula};
    /// let formula: Formula = "p ↔ q".parse()?;
    /// let clauses = formula.conjunctive_normal_form(&Budget::default())?;
    /// assert_eq!(clauses.to_string(), "(¬p ∨ q) ∧ (p ∨ ¬q)");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the budget runs out.
    pub fn conjunctive_normal_form(&self, budget: &Budget<'_>) -> Result<Formula, Unknown> {
        let mut clauses = prime_cover(&self.clone().not(), budget)?;
        for literal in clauses.iter_mut().flatten() {
            literal.positive = !literal.positive;
        }
        Ok(self.two_levels(&clauses, Connective::And, Connective::Or))
    }

    /// Groups of literals: `inner` within a group, `outer` between groups.
    fn two_levels(&self, groups: &[Vec<Sign>], outer: Connective, inner: Connective) -> Formula {
        let empty = |connective| {
            if connective == Connective::And { Node::Top } else { Node::Bottom }
        };
        let mut nodes = Vec::new();
        for (index, group) in groups.iter().enumerate() {
            for (place, literal) in group.iter().enumerate() {
                nodes.push(Node::Atom(literal.atom));
                nodes.extend((!literal.positive).then_some(Node::Not));
                nodes.extend((place > 0).then_some(Node::Binary(inner)));
            }
            nodes.extend(group.is_empty().then_some(empty(inner)));
            nodes.extend((index > 0).then_some(Node::Binary(outer)));
        }
        nodes.extend(groups.is_empty().then_some(empty(outer)));
        self.rebuilt(&nodes)
    }
}

enum Task {
    Visit { index: usize, negated: bool },
    Emit(Node),
}

/// An atom or its negation.
#[derive(Clone, Copy)]
pub(crate) struct Sign {
    pub(crate) atom: AtomId,
    pub(crate) positive: bool,
}

impl Sign {
    /// Every atom of the formula.
    pub(crate) fn all(formula: &Formula) -> impl Iterator<Item = Sign> {
        (0..formula.atom_count() as u32).map(|id| Sign { atom: AtomId(id), positive: true })
    }

    pub(crate) fn is(self, positive: bool) -> Sign {
        Sign { positive, ..self }
    }
}

/// The disjunction of these conjunctions.
pub(crate) fn two_levels(formula: &Formula, cubes: &[Vec<Sign>]) -> Formula {
    formula.two_levels(cubes, Connective::Or, Connective::And)
}

/// Conjunctions of literals that together have the formula's models: a model is widened, literal by literal, as far as
/// it implies the formula, then its models are taken away; at last what the others cover is dropped.
pub(crate) fn prime_cover(formula: &Formula, budget: &Budget<'_>) -> Result<Vec<Vec<Sign>>, Unknown> {
    let negation = formula.clone().not();
    let mut cubes: Vec<Vec<Sign>> = Vec::new();
    let mut remaining = formula.clone();
    while let Some(values) = satisfy(&remaining, budget)? {
        let mut cube: Vec<Sign> =
            Sign::all(formula).zip(values).map(|(sign, value)| sign.is(value)).collect();
        let mut place = 0;
        while place < cube.len() {
            let literal = cube.remove(place);
            if satisfy(&conjunction(formula, &cube).and(negation.clone()), budget)?.is_some() {
                cube.insert(place, literal);
                place += 1;
            }
        }
        remaining = remaining.and(conjunction(formula, &cube).not());
        if remaining.nodes().len() > budget.nodes {
            return Err(Unknown { reason: Reason::Nodes, spent: remaining.nodes().len() as u64 });
        }
        cubes.push(cube);
    }
    let mut place = 0;
    while place < cubes.len() {
        let cube = cubes.remove(place);
        let others = two_levels(formula, &cubes).not();
        if satisfy(&others.and(conjunction(formula, &cube)), budget)?.is_some() {
            cubes.insert(place, cube);
            place += 1;
        }
    }
    Ok(cubes)
}

pub(crate) fn conjunction(formula: &Formula, cube: &[Sign]) -> Formula {
    two_levels(formula, &[cube.to_vec()])
}
