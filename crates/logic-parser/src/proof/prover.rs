//! From a valid argument to a proof.
//!
//! The goal is taken apart first: → is shown under its antecedent, ¬ by ⊥ under what it denies. In between, everything
//! that follows without a case distinction is derived. A disjunction is split into cases; a goal that withstands is
//! assumed false. When the goal is ⊥ and nothing follows, the first formula that still says something is split on one of
//! its parts. Each step adds a part of the argument, or its negation, to what is known, so the search ends, and it fails
//! only with a countermodel in hand: it proves whatever is valid, short of its limits.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::{Line, NoProof, Proof, Rule, Subproof};
use crate::argument::Argument;
use crate::formula::{AtomId, Connective, Formula, Node};
use crate::truth::{Entailment, entails};

impl Argument {
    /// A proof of the conclusion from the premises by natural deduction.
    ///
    /// # Errors
    /// If the argument is invalid or undecided, or the proof outgrows ten thousand lines or fifty assumptions within
    /// each other.
    pub fn prove(&self) -> Result<Proof, NoProof> {
        match entails(&self.premises, &self.conclusion) {
            Entailment::Yes => {}
            Entailment::No(countermodel) => return Err(NoProof::Invalid(countermodel)),
            Entailment::Unknown(unknown) => return Err(NoProof::Undecided(unknown)),
        }
        let size = |formula: &Formula| formula.nodes().len();
        if self.premises.iter().map(size).sum::<usize>() + size(&self.conclusion) > NODES {
            return Err(NoProof::TooLong);
        }
        let mut prover = Prover::default();
        for premise in &self.premises {
            let premise = prover.ideas.add(premise);
            prover.say(premise, Rule::Premise)?;
        }
        let goal = prover.ideas.add(&self.conclusion);
        let shown = prover.prove(goal)?;
        prover.lines.truncate((shown + 1).max(self.premises.len()));
        if shown + 1 < prover.lines.len() {
            prover.say(goal, Rule::Reiteration(shown))?;
        }
        Ok(prover.into_proof())
    }
}

const NODES: usize = 2_000;
const LINES: usize = 10_000;
const NESTING: usize = 50;

/// A formula's place among the ideas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct IdeaId(u32);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Idea {
    Atom(alloc::string::String),
    Top,
    Bottom,
    Not(IdeaId),
    Binary(Connective, IdeaId, IdeaId),
}

/// Every formula that the proof speaks of, each once.
#[derive(Default)]
struct Ideas {
    ideas: Vec<Idea>,
    known: BTreeMap<Idea, IdeaId>,
}

impl Ideas {
    fn id(&mut self, idea: Idea) -> IdeaId {
        let next = IdeaId(self.ideas.len() as u32);
        let id = *self.known.entry(idea.clone()).or_insert(next);
        if id == next {
            self.ideas.push(idea);
        }
        id
    }

    fn of(&self, id: IdeaId) -> &Idea {
        &self.ideas[id.0 as usize]
    }

    fn add(&mut self, formula: &Formula) -> IdeaId {
        let mut stack: Vec<IdeaId> = Vec::new();
        for &node in formula.nodes() {
            let idea = match node {
                Node::Atom(id) => Idea::Atom(formula.name(id).into()),
                Node::Top => Idea::Top,
                Node::Bottom => Idea::Bottom,
                Node::Not => Idea::Not(stack.pop().expect("an operand stands before")),
                Node::Binary(connective) => {
                    let right = stack.pop().expect("an operand stands before");
                    let left = stack.pop().expect("an operand stands before");
                    Idea::Binary(connective, left, right)
                }
            };
            stack.push(self.id(idea));
        }
        stack.pop().expect("a formula has a root")
    }

    fn formula(&self, id: IdeaId) -> Formula {
        let (mut nodes, mut names) = (Vec::new(), crate::names::Interner::new());
        let mut tasks = vec![(id, false)];
        while let Some((id, operands_done)) = tasks.pop() {
            match self.of(id) {
                Idea::Atom(name) => nodes.push(Node::Atom(AtomId(names.intern(name)))),
                Idea::Top => nodes.push(Node::Top),
                Idea::Bottom => nodes.push(Node::Bottom),
                Idea::Not(_) if operands_done => nodes.push(Node::Not),
                Idea::Binary(connective, ..) if operands_done => nodes.push(Node::Binary(*connective)),
                Idea::Not(operand) => tasks.extend([(id, true), (*operand, false)]),
                Idea::Binary(_, left, right) => tasks.extend([(id, true), (*right, false), (*left, false)]),
            }
        }
        Formula::from_parts(nodes, names.into_names())
    }
}

#[derive(Default)]
struct Prover {
    ideas: Ideas,
    lines: Vec<(usize, IdeaId, Rule)>,
    depth: usize,
    /// Calls of [`Prover::prove`] within each other.
    calls: usize,
    /// What has been said and can be cited, oldest first, with where.
    known: Vec<(IdeaId, usize)>,
}

type Found<T> = Result<T, NoProof>;

impl Prover {
    fn into_proof(self) -> Proof {
        let ideas = &self.ideas;
        let line =
            |&(depth, idea, rule): &(usize, IdeaId, Rule)| Line { depth, formula: ideas.formula(idea), rule };
        without_idle_lines(self.lines.iter().map(line).collect())
    }

    fn say(&mut self, idea: IdeaId, rule: Rule) -> Found<usize> {
        if self.lines.len() >= LINES {
            return Err(NoProof::TooLong);
        }
        self.lines.push((self.depth, idea, rule));
        self.known.push((idea, self.lines.len() - 1));
        Ok(self.lines.len() - 1)
    }

    fn line_of(&self, idea: IdeaId) -> Option<usize> {
        self.known.iter().find(|(known, _)| *known == idea).map(|&(_, line)| line)
    }

    fn not(&mut self, idea: IdeaId) -> IdeaId {
        self.ideas.id(Idea::Not(idea))
    }

    fn bottom(&mut self) -> IdeaId {
        self.ideas.id(Idea::Bottom)
    }

    /// A subproof that begins with the assumption and ends with what `show` shows, and is closed again.
    fn suppose(
        &mut self,
        idea: IdeaId,
        show: impl FnOnce(&mut Self, usize) -> Found<usize>,
    ) -> Found<Subproof> {
        if self.depth >= NESTING {
            return Err(NoProof::TooLong);
        }
        let known_before = self.known.len();
        self.depth += 1;
        let first = self.say(idea, Rule::Assumption)?;
        let mut last = show(self, first)?;
        if last < first {
            last = self.say(self.lines[last].1, Rule::Reiteration(last))?;
        }
        self.depth -= 1;
        self.known.truncate(known_before);
        Ok((first, last))
    }

    /// ¬`idea`, by ⊥ under `idea`.
    fn refute(&mut self, idea: IdeaId, show: impl FnOnce(&mut Self, usize) -> Found<usize>) -> Found<usize> {
        let subproof = self.suppose(idea, show)?;
        let negation = self.not(idea);
        self.say(negation, Rule::NotIntroduction(subproof))
    }

    /// `idea`, by ⊥ under ¬`idea`.
    fn indirectly(
        &mut self,
        idea: IdeaId,
        show: impl FnOnce(&mut Self, usize) -> Found<usize>,
    ) -> Found<usize> {
        let negation = self.not(idea);
        let double = self.refute(negation, show)?;
        self.say(idea, Rule::DoubleNegation(double))
    }

    fn clash(&mut self, line: usize, negation: usize) -> Found<usize> {
        let bottom = self.bottom();
        self.say(bottom, Rule::NotElimination(line, negation))
    }

    /// The line that says the goal.
    fn prove(&mut self, goal: IdeaId) -> Found<usize> {
        self.calls += 1;
        if self.calls > 2 * NESTING {
            return Err(NoProof::TooLong);
        }
        let line = self.prove_within_limits(goal)?;
        self.calls -= 1;
        Ok(line)
    }

    fn prove_within_limits(&mut self, goal: IdeaId) -> Found<usize> {
        self.derive()?;
        if let Some(line) = self.line_of(goal) {
            return Ok(line);
        }
        let bottom = self.bottom();
        if let Some(line) = self.line_of(bottom) {
            return self.say(goal, Rule::Explosion(line));
        }
        match self.ideas.of(goal).clone() {
            Idea::Top => return self.say(goal, Rule::TopIntroduction),
            Idea::Binary(Connective::And, left, right) => {
                let (left, right) = (self.prove(left)?, self.prove(right)?);
                return self.say(goal, Rule::AndIntroduction(left, right));
            }
            Idea::Binary(Connective::Implies, antecedent, consequent) => {
                let subproof = self.suppose(antecedent, |prover, _| prover.prove(consequent))?;
                return self.say(goal, Rule::ImpliesIntroduction(subproof));
            }
            Idea::Binary(Connective::Iff, left, right) => {
                let there = self.suppose(left, |prover, _| prover.prove(right))?;
                let back = self.suppose(right, |prover, _| prover.prove(left))?;
                return self.say(goal, Rule::IffIntroduction(there, back));
            }
            Idea::Binary(Connective::Xor, left, right) => {
                let biconditional = self.ideas.id(Idea::Binary(Connective::Iff, left, right));
                let negation = self.not(biconditional);
                let line = self.prove(negation)?;
                return self.say(goal, Rule::XorDefinition(line));
            }
            Idea::Not(denied) => return self.refute(denied, |prover, _| prover.prove(bottom)),
            Idea::Binary(Connective::Or, left, right) => {
                if let Some(line) = self.line_of(left).or(self.line_of(right)) {
                    return self.say(goal, Rule::OrIntroduction(line));
                }
            }
            Idea::Atom(_) | Idea::Bottom => {}
        }
        if let Some((disjunction, left, right)) = self.open_disjunction() {
            let first = self.suppose(left, |prover, _| prover.prove(goal))?;
            let second = self.suppose(right, |prover, _| prover.prove(goal))?;
            return self.say(goal, Rule::OrElimination(disjunction, first, second));
        }
        if goal != bottom {
            return self.indirectly(goal, |prover, _| prover.prove(bottom));
        }
        let Some(part) = self.open_part() else {
            return Err(NoProof::TooLong);
        };
        self.refute(part, |prover, _| prover.prove(bottom))?;
        self.prove(bottom)
    }

    fn is_settled(&mut self, idea: IdeaId) -> bool {
        let negation = self.not(idea);
        self.line_of(idea).is_some() || self.line_of(negation).is_some()
    }

    /// A known disjunction of which neither side is settled.
    fn open_disjunction(&mut self) -> Option<(usize, IdeaId, IdeaId)> {
        for (idea, line) in self.known.clone() {
            if let Idea::Binary(Connective::Or, left, right) = *self.ideas.of(idea)
                && !self.is_settled(left)
                && !self.is_settled(right)
            {
                return Some((line, left, right));
            }
        }
        None
    }

    /// A part on whose truth it depends what a known formula says.
    fn open_part(&mut self) -> Option<IdeaId> {
        for (idea, _) in self.known.clone() {
            let inside = match *self.ideas.of(idea) {
                Idea::Not(inside) => inside,
                _ => idea,
            };
            let negated = inside != idea;
            let (left, right) = match (self.ideas.of(inside), negated) {
                (&Idea::Binary(Connective::Implies, left, right), false)
                | (&Idea::Binary(Connective::And, left, right), true)
                | (&Idea::Binary(Connective::Iff, left, right), _) => (left, right),
                _ => continue,
            };
            if !self.is_settled(left) && !self.is_settled(right) {
                return Some(left);
            }
        }
        None
    }

    /// Says everything that follows from what is known without a case distinction.
    fn derive(&mut self) -> Found<()> {
        let bottom = self.bottom();
        let mut at = 0;
        while at < self.known.len() {
            if self.line_of(bottom).is_some() {
                return Ok(());
            }
            let before = self.known.len();
            let (idea, line) = self.known[at];
            self.derive_from(idea, line)?;
            // What is new may complete what was looked at before.
            at = if self.known.len() > before { 0 } else { at + 1 };
        }
        Ok(())
    }

    fn derive_from(&mut self, idea: IdeaId, line: usize) -> Found<()> {
        match self.ideas.of(idea).clone() {
            Idea::Atom(_) | Idea::Top | Idea::Bottom => Ok(()),
            Idea::Not(inside) => self.derive_from_negation(inside, line),
            Idea::Binary(Connective::And, left, right) => {
                for part in [left, right] {
                    if self.line_of(part).is_none() {
                        self.say(part, Rule::AndElimination(line))?;
                    }
                }
                Ok(())
            }
            Idea::Binary(Connective::Or, left, right) => {
                self.derive_other_disjunct(line, (left, left, right))?;
                self.derive_other_disjunct(line, (right, left, right))
            }
            Idea::Binary(Connective::Implies, left, right) => {
                self.derive_through(line, left, right, Rule::ImpliesElimination)
            }
            Idea::Binary(Connective::Iff, left, right) => {
                self.derive_through(line, left, right, Rule::IffElimination)?;
                self.derive_through(line, right, left, Rule::IffElimination)
            }
            Idea::Binary(Connective::Xor, left, right) => {
                let biconditional = self.ideas.id(Idea::Binary(Connective::Iff, left, right));
                let negation = self.not(biconditional);
                self.unless_known(negation, |prover| prover.say(negation, Rule::XorDefinition(line)))
            }
        }
    }

    fn unless_known(&mut self, idea: IdeaId, show: impl FnOnce(&mut Self) -> Found<usize>) -> Found<()> {
        if self.line_of(idea).is_none() {
            show(self)?;
        }
        Ok(())
    }

    /// From A → B or A ↔ B at `line`: B if A is known, ¬A if ¬B is.
    fn derive_through(
        &mut self,
        line: usize,
        from: IdeaId,
        to: IdeaId,
        rule: fn(usize, usize) -> Rule,
    ) -> Found<()> {
        if self.line_of(to).is_some() {
            return Ok(());
        }
        if let Some(antecedent) = self.composed(from)? {
            return self.say(to, rule(line, antecedent)).map(|_| ());
        }
        let (not_from, not_to) = (self.not(from), self.not(to));
        let Some(denied) = self.line_of(not_to) else {
            return Ok(());
        };
        self.unless_known(not_from, |prover| {
            prover.refute(from, |prover, assumed| {
                let consequent = prover.say(to, rule(line, assumed))?;
                prover.clash(consequent, denied)
            })
        })
    }

    /// The line that says `idea`, if its operands or one of them say it at once.
    fn composed(&mut self, idea: IdeaId) -> Found<Option<usize>> {
        if let Some(line) = self.line_of(idea) {
            return Ok(Some(line));
        }
        let rule = match *self.ideas.of(idea) {
            Idea::Binary(Connective::And, left, right) => self
                .line_of(left)
                .zip(self.line_of(right))
                .map(|(left, right)| Rule::AndIntroduction(left, right)),
            Idea::Binary(Connective::Or, left, right) => {
                self.line_of(left).or(self.line_of(right)).map(Rule::OrIntroduction)
            }
            _ => None,
        };
        rule.map(|rule| self.say(idea, rule)).transpose()
    }

    /// From A ∨ B at `line` and the negation of one, the other.
    fn derive_other_disjunct(
        &mut self,
        line: usize,
        (denied, left, right): (IdeaId, IdeaId, IdeaId),
    ) -> Found<()> {
        let negation = self.not(denied);
        let Some(negation) = self.line_of(negation) else {
            return Ok(());
        };
        let other = if denied == left { right } else { left };
        self.unless_known(other, |prover| {
            let case = |prover: &mut Prover, side: IdeaId| {
                prover.suppose(side, |prover, assumed| {
                    if side == other {
                        return Ok(assumed);
                    }
                    let bottom = prover.clash(assumed, negation)?;
                    prover.say(other, Rule::Explosion(bottom))
                })
            };
            let (first, second) = (case(prover, left)?, case(prover, right)?);
            prover.say(other, Rule::OrElimination(line, first, second))
        })
    }

    /// From ¬`inside` at `line`.
    fn derive_from_negation(&mut self, inside: IdeaId, line: usize) -> Found<()> {
        if let Some(denied) = self.line_of(inside) {
            self.clash(denied, line)?;
            return Ok(());
        }
        match self.ideas.of(inside).clone() {
            Idea::Atom(_) | Idea::Bottom => Ok(()),
            Idea::Top => {
                let top = self.say(inside, Rule::TopIntroduction)?;
                self.clash(top, line).map(|_| ())
            }
            Idea::Not(affirmed) => {
                self.unless_known(affirmed, |prover| prover.say(affirmed, Rule::DoubleNegation(line)))
            }
            Idea::Binary(Connective::Or, left, right) => {
                for part in [left, right] {
                    let negation = self.not(part);
                    self.unless_known(negation, |prover| {
                        prover.refute(part, |prover, assumed| {
                            let disjunction = prover.say(inside, Rule::OrIntroduction(assumed))?;
                            prover.clash(disjunction, line)
                        })
                    })?;
                }
                Ok(())
            }
            Idea::Binary(Connective::And, left, right) => {
                for (given, other) in [(left, right), (right, left)] {
                    let (Some(given), negation) = (self.line_of(given), self.not(other)) else {
                        continue;
                    };
                    self.unless_known(negation, |prover| {
                        prover.refute(other, |prover, assumed| {
                            let order = if other == right { (given, assumed) } else { (assumed, given) };
                            let conjunction = prover.say(inside, Rule::AndIntroduction(order.0, order.1))?;
                            prover.clash(conjunction, line)
                        })
                    })?;
                }
                Ok(())
            }
            Idea::Binary(Connective::Implies, left, right) => {
                self.derive_from_negated_conditional(inside, left, right, line)
            }
            Idea::Binary(Connective::Iff, left, right) => {
                self.derive_from_negated_biconditional(inside, (left, right), line)?;
                self.derive_from_negated_biconditional(inside, (right, left), line)
            }
            Idea::Binary(Connective::Xor, left, right) => {
                let biconditional = self.ideas.id(Idea::Binary(Connective::Iff, left, right));
                self.unless_known(biconditional, |prover| {
                    prover.indirectly(biconditional, |prover, assumed| {
                        let xor = prover.say(inside, Rule::XorDefinition(assumed))?;
                        prover.clash(xor, line)
                    })
                })
            }
        }
    }

    /// From ¬(A → B): A, and ¬B.
    fn derive_from_negated_conditional(
        &mut self,
        inside: IdeaId,
        left: IdeaId,
        right: IdeaId,
        line: usize,
    ) -> Found<()> {
        self.unless_known(left, |prover| {
            prover.indirectly(left, |prover, denied| {
                let subproof = prover.suppose(left, |prover, assumed| {
                    let bottom = prover.clash(assumed, denied)?;
                    prover.say(right, Rule::Explosion(bottom))
                })?;
                let conditional = prover.say(inside, Rule::ImpliesIntroduction(subproof))?;
                prover.clash(conditional, line)
            })
        })?;
        let negation = self.not(right);
        self.unless_known(negation, |prover| {
            prover.refute(right, |prover, assumed| {
                let subproof = prover.suppose(left, |_, _| Ok(assumed))?;
                let conditional = prover.say(inside, Rule::ImpliesIntroduction(subproof))?;
                prover.clash(conditional, line)
            })
        })
    }

    /// From ¬(A ↔ B): ¬B if A is known, and B if ¬A is. `inside` is A ↔ B or B ↔ A.
    fn derive_from_negated_biconditional(
        &mut self,
        inside: IdeaId,
        (a, b): (IdeaId, IdeaId),
        line: usize,
    ) -> Found<()> {
        let (not_a, not_b) = (self.not(a), self.not(b));
        if let Some(given) = self.line_of(a) {
            return self.unless_known(not_b, |prover| {
                prover.refute(b, |prover, assumed| {
                    let there = prover.suppose(a, |_, _| Ok(assumed))?;
                    let back = prover.suppose(b, |_, _| Ok(given))?;
                    prover.close_biconditional(inside, a, (there, back), line)
                })
            });
        }
        let Some(denied) = self.line_of(not_a) else {
            return Ok(());
        };
        self.unless_known(b, |prover| {
            prover.indirectly(b, |prover, assumed| {
                let explode = |prover: &mut Prover, from: IdeaId, to: IdeaId, negation: usize| {
                    prover.suppose(from, |prover, line| {
                        let bottom = prover.clash(line, negation)?;
                        prover.say(to, Rule::Explosion(bottom))
                    })
                };
                let there = explode(prover, a, b, denied)?;
                let back = explode(prover, b, a, assumed)?;
                prover.close_biconditional(inside, a, (there, back), line)
            })
        })
    }

    /// ⊥ from ¬`inside` at `line` and the subproofs from A to B and back; `inside` may have B on its left.
    fn close_biconditional(
        &mut self,
        inside: IdeaId,
        a: IdeaId,
        (there, back): (Subproof, Subproof),
        line: usize,
    ) -> Found<usize> {
        let in_order = matches!(self.ideas.of(inside), Idea::Binary(_, left, _) if *left == a);
        let (there, back) = if in_order { (there, back) } else { (back, there) };
        let biconditional = self.say(inside, Rule::IffIntroduction(there, back))?;
        self.clash(biconditional, line)
    }
}

/// The proof without the lines that the last one does not rest on; premises stay.
fn without_idle_lines(lines: Vec<Line>) -> Proof {
    let mut needed = vec![false; lines.len()];
    if let Some(last) = needed.last_mut() {
        *last = true;
    }
    for index in (0..lines.len()).rev() {
        needed[index] |= lines[index].rule == Rule::Premise;
        if needed[index] {
            let (cited, subproofs) = lines[index].rule.citations();
            for line in cited.into_iter().chain(subproofs.into_iter().flat_map(|(first, last)| [first, last]))
            {
                needed[line] = true;
            }
        }
    }
    let mut places = Vec::with_capacity(lines.len());
    let mut next = 0;
    for &is_needed in &needed {
        places.push(next);
        next += usize::from(is_needed);
    }
    let kept = lines.into_iter().zip(&needed).filter(|(_, is_needed)| **is_needed);
    Proof {
        lines: kept.map(|(line, _)| Line { rule: line.rule.renumbered(|old| places[old]), ..line }).collect(),
    }
}

impl Rule {
    fn renumbered(self, place: impl Fn(usize) -> usize) -> Rule {
        let both = |(first, last): Subproof| (place(first), place(last));
        match self {
            Rule::Premise | Rule::Assumption | Rule::TopIntroduction => self,
            Rule::Reiteration(line) => Rule::Reiteration(place(line)),
            Rule::AndIntroduction(left, right) => Rule::AndIntroduction(place(left), place(right)),
            Rule::AndElimination(line) => Rule::AndElimination(place(line)),
            Rule::OrIntroduction(line) => Rule::OrIntroduction(place(line)),
            Rule::OrElimination(line, left, right) => {
                Rule::OrElimination(place(line), both(left), both(right))
            }
            Rule::ImpliesIntroduction(subproof) => Rule::ImpliesIntroduction(both(subproof)),
            Rule::ImpliesElimination(line, given) => Rule::ImpliesElimination(place(line), place(given)),
            Rule::NotIntroduction(subproof) => Rule::NotIntroduction(both(subproof)),
            Rule::NotElimination(line, negation) => Rule::NotElimination(place(line), place(negation)),
            Rule::DoubleNegation(line) => Rule::DoubleNegation(place(line)),
            Rule::Explosion(line) => Rule::Explosion(place(line)),
            Rule::IffIntroduction(there, back) => Rule::IffIntroduction(both(there), both(back)),
            Rule::IffElimination(line, given) => Rule::IffElimination(place(line), place(given)),
            Rule::XorDefinition(line) => Rule::XorDefinition(place(line)),
        }
    }
}
