//! Is an argument an instance of a schema?

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::schemas::NON_SEQUITUR;
use super::term::{Term, TermId, Terms};
use super::{Argument, FALLACIES};
use crate::formula::{Formula, Node};

/// A form of argument whose letters stand for any formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The name as an identifier, as `modus_ponens`. Several schemas may share it.
    pub id: &'static str,
    /// The form as text, as `p → q, p ⊢ q`.
    pub argument: &'static str,
    /// The name in Spanish.
    pub es: &'static str,
    /// The name in English.
    pub en: &'static str,
    /// What is wrong with it, if it is a fallacy.
    pub mistake: Option<Mistake>,
}

/// Why a fallacy is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The valid form nearest to it, in the same letters.
    pub nearest: &'static str,
    /// Why the conclusion need not follow, in Spanish; `{p}` stands for what p stands for.
    pub es: &'static str,
    /// The same in English.
    pub en: &'static str,
}

/// A schema with what its letters stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The schema.
    pub schema: &'static Schema,
    /// What each letter stands for, in the argument's own words.
    pub substitution: BTreeMap<String, Formula>,
}

impl Instance {
    /// The argument that the instance is, without the premises it does not use.
    pub fn argument(&self) -> Argument {
        self.instantiate(self.schema.argument)
    }

    /// For a fallacy, the valid argument nearest to it.
    pub fn nearest(&self) -> Option<Argument> {
        self.schema.mistake.map(|mistake| self.instantiate(mistake.nearest))
    }

    fn instantiate(&self, schema: &str) -> Argument {
        let schema = parsed(schema);
        Argument {
            premises: schema.premises.iter().map(|premise| premise.substitute(&self.substitution)).collect(),
            conclusion: schema.conclusion.substitute(&self.substitution),
        }
    }
}

fn parsed(schema: &str) -> Argument {
    Argument::parse(schema).expect("the schemas of this crate are well-formed")
}

/// The first schema that the argument is an instance of: premises in any order, some perhaps unused, operands of
/// ∧ ∨ ↔ ⊕ in any order, double negations undone. Only when no schema fits so, conditionals may be contraposed and a
/// letter under ¬ may stand for a negation.
pub(super) fn find(schemas: &'static [Schema], argument: &Argument) -> Option<Instance> {
    let mut terms = Terms::default();
    let conclusion = terms.add(&argument.conclusion);
    let premises: Vec<TermId> = argument.premises.iter().map(|premise| terms.add(premise)).collect();
    for latitude in [Latitude::AsWritten, Latitude::UpToContraposition] {
        for schema in schemas {
            let form = parsed(schema.argument);
            if latitude == Latitude::UpToContraposition && has_free_letter(&form) {
                continue;
            }
            let mut search = Search { terms: &mut terms, premises: &premises, latitude, patience: PATIENCE };
            if let Some(bindings) = search.argument(&form, conclusion) {
                let substitution =
                    bindings.into_iter().map(|(letter, term)| (letter.into(), terms.formula(term))).collect();
                return Some(Instance { schema, substitution });
            }
        }
    }
    (schemas == FALLACIES && shares_no_atom(argument)).then(|| Instance {
        schema: &NON_SEQUITUR,
        substitution: [
            ("p".into(), Formula::conjunction(&argument.premises)),
            ("q".into(), argument.conclusion.clone()),
        ]
        .into(),
    })
}

/// A letter that occurs once stands for anything; to look through contraposition for it would find it everywhere.
fn has_free_letter(form: &Argument) -> bool {
    let formulas = || form.premises.iter().chain([&form.conclusion]);
    let occurrences = |letter: &str| -> usize {
        let is_letter =
            |formula: &&Formula, node: &Node| matches!(node, Node::Atom(id) if formula.name(*id) == letter);
        formulas()
            .map(|formula| formula.nodes().iter().filter(|node| is_letter(&formula, node)).count())
            .sum()
    };
    formulas().flat_map(|formula| formula.atoms()).any(|letter| occurrences(letter) == 1)
}

fn shares_no_atom(argument: &Argument) -> bool {
    let concluded = argument.conclusion.atoms();
    let mentions = |premise: &Formula| premise.atoms().iter().any(|atom| concluded.contains(atom));
    !argument.premises.is_empty() && !argument.premises.iter().any(mentions)
}

#[derive(Clone, Copy, PartialEq)]
enum Latitude {
    AsWritten,
    UpToContraposition,
}

/// Comparisons that one schema may take; far more than an argument that a person could write needs.
const PATIENCE: u32 = 100_000;

/// What letters stand for so far.
type Bindings<'s> = Vec<(&'s str, TermId)>;

/// What of the schema is not matched yet.
#[derive(Clone)]
struct Remaining<'s> {
    /// Nodes of the schema, each with the term that it must be.
    parts: Vec<(&'s Formula, usize, TermId)>,
    premises: &'s [Formula],
    conclusion: Option<(&'s Formula, TermId)>,
}

struct Search<'t, 'a> {
    terms: &'t mut Terms<'a>,
    premises: &'t [TermId],
    latitude: Latitude,
    patience: u32,
}

/// What remains to be matched: parts of the schema with the terms they must be, then whole premises, and last, when
/// most letters are bound, the conclusion. The recursion below is as deep as a schema of the table is large, whatever
/// the argument.
impl Search<'_, '_> {
    fn argument<'s>(&mut self, form: &'s Argument, conclusion: TermId) -> Option<Bindings<'s>> {
        let remaining = Remaining {
            parts: Vec::new(),
            premises: &form.premises,
            conclusion: Some((&form.conclusion, conclusion)),
        };
        self.all(remaining, &mut alloc::vec![false; self.premises.len()], Vec::new())
    }

    fn all<'s>(
        &mut self,
        mut remaining: Remaining<'s>,
        used: &mut [bool],
        mut bindings: Bindings<'s>,
    ) -> Option<Bindings<'s>> {
        self.patience = self.patience.checked_sub(1)?;
        let Some((form, index, term)) = remaining.parts.pop() else {
            return self.next_whole(remaining, used, bindings);
        };
        match (form.nodes()[index], self.terms.of(term)) {
            (Node::Atom(id), _) => {
                let letter = form.name(id);
                match bindings.iter().find(|(bound, _)| *bound == letter) {
                    Some(&(_, same)) if same != term => return None,
                    Some(_) => {}
                    None => bindings.push((letter, term)),
                }
                self.all(remaining, used, bindings)
            }
            (Node::Not, Term::Not(inside)) => {
                remaining.parts.push((form, index - 1, inside));
                self.all(remaining, used, bindings)
            }
            (Node::Not, _)
                if self.latitude == Latitude::UpToContraposition
                    || self.is_bound(form, index - 1, &bindings) =>
            {
                remaining.parts.push((form, index - 1, self.terms.negation(term)));
                self.all(remaining, used, bindings)
            }
            (Node::Binary(wanted), Term::Binary(connective, left, right)) if wanted == connective => {
                let operands = (form.starts()[index - 1] as usize - 1, index - 1);
                let mut alternatives = alloc::vec![(left, right)];
                if connective.is_commutative() {
                    alternatives.push((right, left));
                } else if self.latitude == Latitude::UpToContraposition {
                    alternatives.push((self.terms.negation(right), self.terms.negation(left)));
                }
                alternatives.into_iter().find_map(|(left, right)| {
                    let mut remaining = remaining.clone();
                    remaining.parts.extend([(form, operands.1, right), (form, operands.0, left)]);
                    self.all(remaining, used, bindings.clone())
                })
            }
            _ => None,
        }
    }

    /// No part is left: the next premise of the schema may be any premise that is not used yet.
    fn next_whole<'s>(
        &mut self,
        mut remaining: Remaining<'s>,
        used: &mut [bool],
        bindings: Bindings<'s>,
    ) -> Option<Bindings<'s>> {
        let Some((premise, others)) = remaining.premises.split_first() else {
            let Some((conclusion, term)) = remaining.conclusion.take() else {
                return Some(bindings);
            };
            remaining.parts.push((conclusion, conclusion.nodes().len() - 1, term));
            return self.all(remaining, used, bindings);
        };
        remaining.premises = others;
        for candidate in 0..self.premises.len() {
            if used[candidate] {
                continue;
            }
            used[candidate] = true;
            let mut remaining = remaining.clone();
            remaining.parts.push((premise, premise.nodes().len() - 1, self.premises[candidate]));
            let found = self.all(remaining, used, bindings.clone());
            used[candidate] = false;
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Whether node `index` is a letter that already stands for something.
    fn is_bound(&self, form: &Formula, index: usize, bindings: &Bindings<'_>) -> bool {
        matches!(form.nodes()[index], Node::Atom(id) if bindings.iter().any(|(bound, _)| *bound == form.name(id)))
    }
}
