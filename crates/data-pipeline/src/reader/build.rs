//! From the cheapest reading to a formula whose atoms point at words.

use std::collections::BTreeMap;

use logic_parser::{Connective, Formula};

use super::{
    ReadError,
    atoms::{Content, experiencer, lacks_experiencer, lacks_subject, subject},
    chart::{Chart, DerivationId, How},
    dictionary::Kinds,
    ellipsis::{self, Clause},
    grammar::{Grammar, Role, Template},
    sentence::{Sentence, Verb},
};
use crate::{
    WordSpan,
    format::Answer,
    realize::{construction::Mood, tree},
    vocabulary::LETTERS,
};

/// Most nodes of a formula: more come only from sentences that say one clause over and over.
const MAX_NODES: usize = 400;

#[derive(Clone, Copy)]
enum Node {
    /// A clause, by number.
    Leaf(usize),
    Not(usize),
    Binary(Connective, usize, usize),
}

pub struct Builder<'c, 'a, 's> {
    chart: &'c Chart<'a, 's>,
    grammar: &'static Grammar,
    nodes: Vec<Node>,
    leaves: Vec<Clause>,
}

impl<'c, 'a, 's> Builder<'c, 'a, 's> {
    pub fn new(chart: &'c Chart<'a, 's>, grammar: &'static Grammar) -> Builder<'c, 'a, 's> {
        Builder { chart, grammar, nodes: Vec::new(), leaves: Vec::new() }
    }

    fn sentence(&self) -> &'a Sentence<'s> {
        self.chart.sentence
    }

    /// The formula of a reading, and what its atoms say by letter.
    ///
    /// # Errors
    /// [`ReadError::TooManyAtoms`], [`ReadError::TooTangled`].
    pub fn answer(mut self, id: DerivationId) -> Result<Answer, ReadError> {
        let root = self.build(id);
        let used = self.used(root);
        let texts = self.texts(&used);
        let letters = self.letters(&used, &texts)?;
        let mut order = BTreeMap::new();
        let formula = self.formula(root, &letters, &mut order)?;
        let tokens = &self.sentence().tokens;
        let mut spans = BTreeMap::new();
        let mut atoms = BTreeMap::new();
        for (atom, letter) in order {
            let mut parts: Vec<WordSpan> = Vec::new();
            for &at in &texts[atom] {
                let index = self.sentence().words[usize::from(at)].index;
                match parts.last_mut() {
                    Some(last) if last.last + 1 == index => last.last = index,
                    _ => parts.push(WordSpan { first: index, last: index }),
                }
            }
            let said: Vec<&str> = parts
                .iter()
                .flat_map(|span| &tokens[span.first.into()..=span.last.into()])
                .copied()
                .collect();
            atoms.insert(letter.to_owned(), said.join(" "));
            spans.insert(letter.to_owned(), parts);
        }
        Ok(Answer { formula, atoms, spans })
    }

    fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn leaf(&mut self, mut clause: Clause) -> usize {
        let sentence = self.sentence();
        let is = |at: u8, kinds| sentence.words[usize::from(at)].is(kinds);
        if clause.len() > 1 && is(clause[0], Kinds::THAT) {
            clause.remove(0);
        }
        // *Son ambos pares*, *canta también*: words that only say that there is another clause.
        let is_verb = |at: u8| sentence.words[usize::from(at)].verb != Verb::No;
        let idle = |at: usize, clause: &[u8]| {
            is(clause[at], Kinds::ADDITIVE)
                || is(clause[at], Kinds::BOTH) && at > 0 && is_verb(clause[at - 1])
        };
        if let Some(at) = (0..clause.len()).find(|&at| clause.len() > 1 && idle(at, &clause)) {
            clause.remove(at);
        }
        self.leaves.push(clause);
        self.push(Node::Leaf(self.leaves.len() - 1))
    }

    fn build(&mut self, id: DerivationId) -> usize {
        let one = self.chart.derivations[id as usize];
        match one.how {
            How::Clause { negation } => {
                let words: Clause = (one.start..one.end).filter(|&at| Some(at) != negation).collect();
                if words.is_empty() {
                    return self.leaf((one.start..one.end).collect());
                }
                let leaf = self.leaf(words);
                if negation.is_some() { self.push(Node::Not(leaf)) } else { leaf }
            }
            How::Fragment => self.leaf((one.start..one.end).collect()),
            How::Template { template, operands } => {
                let template = &self.grammar.templates[usize::from(template)];
                self.template(template, &operands)
            }
        }
    }

    fn template(&mut self, template: &Template, operands: &[DerivationId]) -> usize {
        let slots = &template.slots;
        let mut built: Vec<Option<usize>> = vec![None; slots.len()];
        for (at, slot) in slots.iter().enumerate() {
            if matches!(slot.role, Role::Clause | Role::Head) {
                let mut node = self.build(operands[at]);
                if slot.negated
                    && let Node::Not(inner) = self.nodes[node]
                {
                    node = inner;
                }
                if matches!(slot.mood, Mood::Obligation(_)) {
                    self.drop_modal(node);
                }
                built[at] = Some(node);
            }
        }
        // *No come pan o queso* denies both together.
        let mut shared_negation = false;
        for (at, slot) in slots.iter().enumerate() {
            let one = self.chart.derivations[operands[at] as usize];
            let fragment: Clause = (one.start..one.end).collect();
            let node = match slot.role {
                Role::Clause | Role::Head | Role::Echo => continue,
                Role::Tail | Role::Subject | Role::OfHead => {
                    let host = (0..at).rev().find_map(|at| {
                        built[at].filter(|_| matches!(slots[at].role, Role::Clause | Role::Head))
                    });
                    match host {
                        Some(host) => {
                            let (leaf, negated) = self.last_leaf(host);
                            let clause = self.leaves[leaf].clone();
                            let filled = match slot.role {
                                Role::Subject => ellipsis::subject(self.sentence(), &clause, &fragment).words,
                                Role::OfHead => [clause, fragment].concat(),
                                _ => ellipsis::tail(self.sentence(), &clause, &fragment).words,
                            };
                            let node = self.leaf(filled);
                            if slot.role == Role::OfHead && negated && !slots.iter().any(|slot| slot.negated)
                            {
                                shared_negation = true;
                            }
                            let direct = matches!(self.nodes[host], Node::Not(_));
                            let plain = template.pattern.nodes.len() == 3;
                            if negated && direct && plain && slot.role == Role::Tail {
                                shared_negation = true;
                                node
                            } else if negated && slot.role == Role::Subject {
                                self.push(Node::Not(node))
                            } else {
                                node
                            }
                        }
                        None => self.leaf(fragment),
                    }
                }
                Role::Before => {
                    let host =
                        (at..slots.len()).find_map(|at| built[at].filter(|_| slots[at].role == Role::Clause));
                    match host {
                        Some(host) => {
                            let (leaf, negated) = self.first_leaf(host);
                            let clause = self.leaves[leaf].clone();
                            let node = self.leaf(ellipsis::before(self.sentence(), &fragment, &clause).words);
                            if negated { self.push(Node::Not(node)) } else { node }
                        }
                        None => self.leaf(fragment),
                    }
                }
            };
            built[at] = Some(node);
        }
        let operand = |letter: u8| {
            let of = |role: &dyn Fn(Role) -> bool| {
                slots
                    .iter()
                    .position(|slot| slot.operand == letter && role(slot.role))
                    .and_then(|at| built[at])
            };
            // A head is only part of its operand.
            of(&|role| role != Role::Head).or_else(|| of(&|_| true))
        };
        let mut made: Vec<usize> = Vec::new();
        for node in &template.pattern.nodes {
            let next = match *node {
                tree::Node::Atom(letter) => {
                    let node = operand(letter).unwrap_or(0);
                    match self.nodes[node] {
                        Node::Not(inner) if shared_negation && letter == 0 => inner,
                        _ => node,
                    }
                }
                tree::Node::Not(inner) => self.push(Node::Not(made[inner])),
                tree::Node::Binary(connective, left, right) => {
                    self.push(Node::Binary(connective, made[left], made[right]))
                }
            };
            made.push(next);
        }
        let root = *made.last().expect("a pattern has nodes");
        if shared_negation { self.push(Node::Not(root)) } else { root }
    }

    /// *Debes estudiar para aprobar*: the atom is *estudiar*.
    fn drop_modal(&mut self, node: usize) {
        let (leaf, _) = self.first_leaf(node);
        let sentence = self.sentence();
        let clause = &mut self.leaves[leaf];
        let infinitive = clause.iter().position(|&at| sentence.words[usize::from(at)].infinitive);
        let verb = clause.iter().position(|&at| sentence.words[usize::from(at)].verb == Verb::Sure);
        if let (Some(infinitive), Some(verb)) = (infinitive, verb)
            && verb < infinitive
        {
            clause.drain(verb..infinitive);
        }
    }

    /// A clause at the end of a tree, and whether it is negated.
    fn last_leaf(&self, node: usize) -> (usize, bool) {
        self.outer_leaf(node, |_, right| right)
    }

    fn first_leaf(&self, node: usize) -> (usize, bool) {
        self.outer_leaf(node, |left, _| left)
    }

    fn outer_leaf(&self, mut node: usize, side: impl Fn(usize, usize) -> usize) -> (usize, bool) {
        let mut negated = false;
        loop {
            match self.nodes[node] {
                Node::Leaf(leaf) => return (leaf, negated),
                Node::Not(inner) => (node, negated) = (inner, !negated),
                Node::Binary(_, left, right) => (node, negated) = (side(left, right), false),
            }
        }
    }

    /// The leaves of a tree, in the order of the sentence.
    fn used(&self, root: usize) -> Vec<usize> {
        let mut used = Vec::new();
        let mut stack = vec![root];
        let mut seen = vec![false; self.nodes.len()];
        while let Some(node) = stack.pop() {
            if std::mem::replace(&mut seen[node], true) {
                continue;
            }
            match self.nodes[node] {
                Node::Leaf(leaf) => used.push(leaf),
                Node::Not(inner) => stack.push(inner),
                Node::Binary(_, left, right) => stack.extend([left, right]),
            }
        }
        used.sort_by(|&a, &b| self.leaves[a].cmp(&self.leaves[b]).then(a.cmp(&b)));
        used
    }

    /// Which leaves are one atom: for each leaf the first one that says the same.
    fn letters(&self, used: &[usize], texts: &[Clause]) -> Result<Vec<usize>, ReadError> {
        let mut found: Vec<(usize, Content)> = Vec::new();
        let mut letters = vec![usize::MAX; self.leaves.len()];
        // The atom of each clause, the last one first.
        let mut order: Vec<usize> = Vec::new();
        for &leaf in used {
            let content = Content::new(self.sentence(), &texts[leaf]);
            let said = Content::new(self.sentence(), &self.leaves[leaf]);
            let same =
                |known: &Content| known.same(&content) || known.echoed_by(&said) || known.same_words(&said);
            let of = |atom: usize| found.iter().find(|(known, _)| *known == atom).map(|(_, content)| content);
            let known = found.iter().find(|(_, known)| same(known)).map(|(atom, _)| *atom).or_else(|| {
                order.iter().copied().find(|&atom| of(atom).is_some_and(|known| known.done_again_by(&said)))
            });
            letters[leaf] = known.unwrap_or(leaf);
            if known.is_none() {
                found.push((leaf, content));
            }
            order.insert(0, letters[leaf]);
        }
        if found.len() > LETTERS.len() {
            return Err(ReadError::TooManyAtoms { found: found.len() });
        }
        Ok(letters)
    }

    /// The words of each atom; a subject that was said before is said again.
    fn texts(&self, used: &[usize]) -> Vec<Clause> {
        let mut texts = self.leaves.clone();
        let mut known: Option<(Clause, u8)> = None;
        let mut dative: Option<Clause> = None;
        for &leaf in used {
            let clause = &self.leaves[leaf];
            match subject(self.sentence(), clause) {
                Some((words, persons)) => known = Some((words.to_vec(), persons)),
                None => {
                    if let Some(words) = experiencer(self.sentence(), clause) {
                        dative = Some(words.to_vec());
                    } else if let Some(words) = &dative
                        && lacks_experiencer(self.sentence(), clause)
                    {
                        texts[leaf] = [&words[..], &clause[..]].concat();
                    } else if let Some((words, persons)) = &known
                        && lacks_subject(self.sentence(), clause, *persons)
                        && !words.iter().any(|at| clause.contains(at))
                    {
                        texts[leaf] = [&words[..], &clause[..]].concat();
                    }
                }
            }
        }
        texts
    }

    fn formula(
        &self,
        root: usize,
        letters: &[usize],
        order: &mut BTreeMap<usize, &str>,
    ) -> Result<Formula, ReadError> {
        let mut sizes = vec![1_usize; self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            sizes[at] = match *node {
                Node::Leaf(_) => 1,
                Node::Not(inner) => sizes[inner].saturating_add(1),
                Node::Binary(_, left, right) => sizes[left].saturating_add(sizes[right]).saturating_add(1),
            };
        }
        if sizes[root] > MAX_NODES {
            return Err(ReadError::TooTangled);
        }
        Ok(self.node_formula(root, letters, order))
    }

    /// Depth is bounded by the size, which [`Builder::formula`] has checked.
    fn node_formula(&self, node: usize, letters: &[usize], order: &mut BTreeMap<usize, &str>) -> Formula {
        match self.nodes[node] {
            Node::Leaf(leaf) => {
                let next = LETTERS[order.len().min(LETTERS.len() - 1)];
                Formula::atom(order.entry(letters[leaf]).or_insert(next))
            }
            Node::Not(inner) => self.node_formula(inner, letters, order).not(),
            Node::Binary(connective, left, right) => {
                let left = self.node_formula(left, letters, order);
                left.join(connective, &self.node_formula(right, letters, order))
            }
        }
    }
}
