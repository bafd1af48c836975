//! Truth values for atoms.

use alloc::vec::Vec;
use core::fmt;

use crate::formula::Formula;
use crate::names::Names;

/// A truth value for each atom of a formula, in order of first appearance: a model, a countermodel, a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Assignment {
    names: Names,
    values: Vec<bool>,
}

impl Assignment {
    pub(crate) fn new(formula: &Formula, values: &[bool]) -> Assignment {
        Assignment { names: formula.names().clone(), values: values.to_vec() }
    }

    /// The value of an atom, if it has one.
    pub fn get(&self, name: &str) -> Option<bool> {
        self.iter().find(|&(known, _)| known == name).map(|(_, value)| value)
    }

    /// The atoms with their values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, bool)> {
        self.names.iter().zip(self.values.iter().copied())
    }

    /// The truth of a formula; an atom that has no value counts as false.
    pub fn satisfies(&self, formula: &Formula) -> bool {
        let values: Vec<bool> =
            formula.atoms().into_iter().map(|name| self.get(name).unwrap_or_default()).collect();
        formula.evaluate(&values)
    }
}

impl<N: AsRef<str>> FromIterator<(N, bool)> for Assignment {
    fn from_iter<I: IntoIterator<Item = (N, bool)>>(values: I) -> Assignment {
        let mut assignment = Assignment::default();
        for (name, value) in values {
            assignment.names.push(name.as_ref());
            assignment.values.push(value);
        }
        assignment
    }
}

/// `p = true, q = false`
impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{name} = {value}")?;
        }
        Ok(())
    }
}
