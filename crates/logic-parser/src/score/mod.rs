//! How right is a model's answer?
//!
//! A model that formalizes a sentence answers with a formula and a glossary, and the letters of both are its own. They
//! are [aligned](align) with the gold letters by what the glossaries say, never freely: free renaming would accept
//! `q → p` for `p → q`. Then [`compare`] asks whether the formulas are equivalent, and if not, how far apart.
//!
//! ```
//! use logic_parser::score::{Glossed, compare};
//! use std::collections::BTreeMap;
//!
//! let gold = "p → q".parse()?;
//! let gold_atoms = BTreeMap::from([("p".into(), "llueve".into()), ("q".into(), "me mojo".into())]);
//! let answer = "¬a → ¬b".parse()?;
//! let answer_atoms = BTreeMap::from([("a".into(), "me mojo".into()), ("b".into(), "llueve".into())]);
//! let score = compare(
//!     &Glossed { formula: &gold, atoms: &gold_atoms },
//!     &Glossed { formula: &answer, atoms: &answer_atoms },
//! );
//! assert!(score.equivalent && score.glossary && !score.exact);
//! # Ok::<(), logic_parser::ParseError>(())
//! ```

mod align;
mod tree_edit;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::budget::Budget;
use crate::canonical::digests;
use crate::formula::{Connective, Formula, Node};
use crate::models::count_models;
use crate::truth::{Class, classify, equivalent};

pub use align::{align, overlap};
pub use tree_edit::tree_edit_distance;

/// A formula and what its atoms say.
#[derive(Clone, Copy, Debug)]
pub struct Glossed<'a> {
    /// The formula.
    pub formula: &'a Formula,
    /// What each atom says; an atom without an entry says nothing.
    pub atoms: &'a BTreeMap<String, String>,
}

/// How an answer compares with the gold formula, the answer's atoms aligned with the gold ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The same formula, node by node.
    pub exact: bool,
    /// True in the same rows. When the gold formula is a tautology or a contradiction, which any other would be
    /// equivalent to, the answer must be the same up to the order of operands.
    pub equivalent: bool,
    /// The same question with the answer's letters as they are, whatever its glossary says.
    pub equivalent_without_glossary: bool,
    /// The aligned atoms say the same: mean [`overlap`] of at least one half. True if the gold glossary is empty.
    pub glossary: bool,
    /// At which level the answer went wrong.
    pub levels: Levels,
    /// 1 for an equivalent answer, else 1 − d/n with d the [`tree_edit_distance`] up to the order of operands and n the
    /// larger number of nodes; 0 for an answer that is always true or always false where gold is neither.
    pub partial_credit: f64,
    /// The fraction of rows, 0 to 1, in which both have the same truth; 0 where it cannot be counted within the default
    /// [`Budget`].
    pub agreement: f64,
}

/// The four levels of composition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// F1 of the sets of atoms, 0 to 1.
    pub atoms: f64,
    /// F1 of the collections of compound subformulas up to the order of operands, 0 to 1.
    pub subformulas: f64,
    /// The same connective at the root.
    pub root: bool,
    /// [`Score::equivalent`].
    pub whole: bool,
}

/// Compares an answer with the gold formula.
pub fn compare(gold: &Glossed<'_>, answer: &Glossed<'_>) -> Score {
    let alignment = align(gold, answer);
    let aligned = rename(answer.formula, &alignment, gold.formula);
    let gold_class = classify(gold.formula);
    let same = |answer: &Formula| match gold_class {
        Class::Tautology | Class::Contradiction => answer.canonical() == gold.formula.canonical(),
        _ => equivalent(gold.formula, answer).is_yes(),
    };
    let whole = same(&aligned);
    Score {
        exact: aligned == *gold.formula,
        equivalent: whole,
        equivalent_without_glossary: same(answer.formula),
        glossary: says_the_same(gold, answer, &alignment),
        levels: Levels {
            atoms: f1(&mut gold.formula.atoms(), &mut aligned.atoms()),
            subformulas: f1(&mut compounds(gold.formula), &mut compounds(&aligned)),
            root: label(gold.formula) == label(&aligned),
            whole,
        },
        partial_credit: if whole { 1.0 } else { partial_credit(gold.formula, &gold_class, &aligned) },
        agreement: agreement(gold.formula, &aligned),
    }
}

/// The answer in gold letters; an atom without a partner gets a name that gold does not use.
fn rename(answer: &Formula, alignment: &BTreeMap<String, String>, gold: &Formula) -> Formula {
    let taken = gold.atoms();
    answer.rename(|atom| match alignment.get(atom) {
        Some(partner) => partner.clone(),
        None => {
            let mut name = String::from("?") + atom;
            while taken.contains(&name.as_str()) {
                name.insert(0, '?');
            }
            name
        }
    })
}

fn says_the_same(gold: &Glossed<'_>, answer: &Glossed<'_>, alignment: &BTreeMap<String, String>) -> bool {
    let says = |glossed: &Glossed<'_>, atom: &str| glossed.atoms.get(atom).cloned().unwrap_or_default();
    if gold.formula.atoms().iter().all(|atom| says(gold, atom).is_empty()) {
        return true;
    }
    let atoms = answer.formula.atoms();
    let total: f64 = atoms
        .iter()
        .filter_map(|atom| Some((atom, alignment.get(*atom)?)))
        .filter(|(_, partner)| gold.formula.atoms().contains(&partner.as_str()))
        .map(|(atom, partner)| overlap(&says(answer, atom), &says(gold, partner)))
        .sum();
    !atoms.is_empty() && total / atoms.len() as f64 >= 0.5
}

fn partial_credit(gold: &Formula, gold_class: &Class, answer: &Formula) -> f64 {
    if *gold_class == Class::Contingent && classify(answer) != Class::Contingent {
        return 0.0;
    }
    let larger = gold.nodes().len().max(answer.nodes().len());
    let distance = tree_edit_distance(&gold.canonical(), &answer.canonical()).unwrap_or(larger);
    1.0 - distance.min(larger) as f64 / larger as f64
}

/// The fraction of rows in which both have the same truth.
fn agreement(gold: &Formula, answer: &Formula) -> f64 {
    let same = gold.clone().join(Connective::Iff, answer);
    // Beyond 127 atoms there is no count either.
    count_models(&same, &Budget::default())
        .map_or(0.0, |models| models as f64 / (1_u128 << same.atom_count()) as f64)
}

fn compounds(formula: &Formula) -> Vec<u64> {
    let digests = digests(formula);
    let compound = |node: &Node| matches!(node, Node::Not | Node::Binary(_));
    formula
        .nodes()
        .iter()
        .zip(digests)
        .filter(|(node, _)| compound(node))
        .map(|(_, digest)| digest.content)
        .collect()
}

/// The root without which atom it is.
fn label(formula: &Formula) -> Option<Node> {
    Some(formula.root()).filter(|root| !matches!(root, Node::Atom(_)))
}

/// 2·common / (left + right), counting repetitions; 1 if both are empty.
fn f1<T: Ord>(left: &mut [T], right: &mut [T]) -> f64 {
    left.sort_unstable();
    right.sort_unstable();
    let (mut common, mut at) = (0, 0);
    for item in left.iter() {
        while right.get(at).is_some_and(|other| other < item) {
            at += 1;
        }
        if right.get(at) == Some(item) {
            common += 1;
            at += 1;
        }
    }
    match left.len() + right.len() {
        0 => 1.0,
        total => 2.0 * f64::from(common) / total as f64,
    }
}
