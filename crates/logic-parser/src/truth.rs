//! Classification, equivalence, entailment.

use core::ops::ControlFlow;

use crate::assignment::Assignment;
use crate::budget::{Budget, Unknown};
use crate::formula::{Connective, Formula};
use crate::satisfy::{fits_table, satisfy};
use crate::table::{self, SmallPair};

/// How the truth of a formula depends on its atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// True whatever the atoms say.
    Tautology,
    /// False whatever the atoms say.
    Contradiction,
    /// It depends.
    Contingent,
    /// The [`Budget`] ran out.
    Unknown(Unknown),
}

/// Whether a statement about formulas holds, with an assignment that refutes it when it does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It holds.
    Yes,
    /// It does not: this assignment tells the two formulas apart, or makes the premises true and the conclusion
    /// false.
    No(Assignment),
    /// The [`Budget`] ran out.
    Unknown(Unknown),
}

/// The answer of [`equivalent`]; `No` holds an assignment that tells the two apart.
pub type Equivalence = Answer;

/// The answer of [`entails`]; `No` holds a countermodel.
pub type Entailment = Answer;

impl Answer {
    /// Whether it surely holds.
    pub fn is_yes(&self) -> bool {
        matches!(self, Answer::Yes)
    }

    /// Whether it surely does not.
    pub fn is_no(&self) -> bool {
        matches!(self, Answer::No(_))
    }

    fn unless(formula: &Formula, budget: &Budget<'_>) -> Answer {
        match satisfy(formula, budget) {
            Ok(None) => Answer::Yes,
            Ok(Some(values)) => Answer::No(Assignment::new(formula, &values)),
            Err(unknown) => Answer::Unknown(unknown),
        }
    }
}

/// Tautology, contradiction or contingent, within the default [`Budget`].
///
/// ```
/// use logic_parser::{Class, Formula, classify};
///
/// let peirce: Formula = "((p → q) → p) → p".parse()?;
/// assert_eq!(classify(&peirce), Class::Tautology);
/// # Ok::<(), logic_parser::ParseError>(())
/// ```
pub fn classify(formula: &Formula) -> Class {
    classify_within(formula, &Budget::default())
}

/// Tautology, contradiction or contingent, within a budget.
pub fn classify_within(formula: &Formula, budget: &Budget<'_>) -> Class {
    if fits_table(formula, budget) {
        return classify_by_table(formula, budget);
    }
    match satisfy(formula, budget) {
        Ok(None) => Class::Contradiction,
        Err(unknown) => Class::Unknown(unknown),
        Ok(Some(_)) => match satisfy(&formula.clone().not(), budget) {
            Ok(None) => Class::Tautology,
            Ok(Some(_)) => Class::Contingent,
            Err(unknown) => Class::Unknown(unknown),
        },
    }
}

/// One pass over the table, left as soon as both truth values have been seen.
fn classify_by_table(formula: &Formula, budget: &Budget<'_>) -> Class {
    let (mut all, mut any) = (true, false);
    let mut rows = 0;
    let stopped = table::scan(formula, |words| {
        all &= words.iter().all(|&word| word == u64::MAX);
        any |= words.iter().any(|&word| word != 0);
        rows += 64 * words.len() as u64;
        if let Err(unknown) = budget.check(rows * formula.nodes().len() as u64) {
            return ControlFlow::Break(Some(unknown));
        }
        if any && !all { ControlFlow::Break(None) } else { ControlFlow::Continue(()) }
    });
    match (stopped, any, all) {
        (ControlFlow::Break(Some(unknown)), ..) => Class::Unknown(unknown),
        (_, _, true) => Class::Tautology,
        (_, false, _) => Class::Contradiction,
        _ => Class::Contingent,
    }
}

/// Whether two formulas are true under the same assignments, within the default [`Budget`]. Atoms are the same if
/// their names are.
///
/// ```
/// use logic_parser::{Formula, equivalent};
///
/// let (implication, contrapositive): (Formula, Formula) = ("p → q".parse()?, "¬q → ¬p".parse()?);
/// assert!(equivalent(&implication, &contrapositive).is_yes());
/// # Ok::<(), logic_parser::ParseError>(())
/// ```
pub fn equivalent(left: &Formula, right: &Formula) -> Equivalence {
    equivalent_within(left, right, &Budget::default())
}

/// Whether two formulas are true under the same assignments, within a budget.
pub fn equivalent_within(left: &Formula, right: &Formula, budget: &Budget<'_>) -> Equivalence {
    let Some(pair) = SmallPair::new(left, right) else {
        return Answer::unless(&left.clone().join(Connective::Xor, right), budget);
    };
    match pair.differing_row() {
        None => Answer::Yes,
        Some(row) => {
            let only_right =
                right.names().iter().zip(pair.places).filter(|(_, place)| *place >= left.atom_count());
            let names = left.names().iter().chain(only_right.map(|(name, _)| name));
            Answer::No(names.zip(table::row_values(row, pair.atoms)).collect())
        }
    }
}

/// Whether the conclusion is true wherever all premises are, within the default [`Budget`].
///
/// ```
/// use logic_parser::{Entailment, Formula, entails};
///
/// let premises = ["p → q".parse::<Formula>()?, "q".parse()?];
/// let Entailment::No(countermodel) = entails(&premises, &"p".parse()?) else { panic!("a fallacy") };
/// assert_eq!(countermodel.to_string(), "p = false, q = true");
/// # Ok::<(), logic_parser::ParseError>(())
/// ```
pub fn entails(premises: &[Formula], conclusion: &Formula) -> Entailment {
    entails_within(premises, conclusion, &Budget::default())
}

/// Whether the conclusion is true wherever all premises are, within a budget.
pub fn entails_within(premises: &[Formula], conclusion: &Formula, budget: &Budget<'_>) -> Entailment {
    Answer::unless(&counterexample(premises, conclusion), budget)
}

/// The formula whose models are the countermodels: every premise, and not the conclusion.
pub(crate) fn counterexample(premises: &[Formula], conclusion: &Formula) -> Formula {
    Formula::conjunction(premises.iter().chain([&conclusion.clone().not()]))
}
