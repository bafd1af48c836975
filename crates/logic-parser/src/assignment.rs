//! Truth values for atoms.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::formula::Formula;

/// A truth value for each atom of a formula, in order of first appearance: a model, a countermodel, a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Assignment {
    values: Vec<(String, bool)>,
}

impl Assignment {
    pub(crate) fn new(formula: &Formula, values: &[bool]) -> Assignment {
        formula.atoms().into_iter().zip(values).map(|(name, &value)| (String::from(name), value)).collect()
    }

    /// The value of an atom, if it has one.
    pub fn get(&self, name: &str) -> Option<bool> {
        self.values.iter().find(|(known, _)| known == name).map(|&(_, value)| value)
    }

    /// The atoms with their values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, bool)> {
        self.values.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// The truth of a formula; an atom that has no value counts as false.
    pub fn satisfies(&self, formula: &Formula) -> bool {
        let values: Vec<bool> =
            formula.atoms().into_iter().map(|name| self.get(name).unwrap_or_default()).collect();
        formula.evaluate(&values)
    }
}

impl FromIterator<(String, bool)> for Assignment {
    fn from_iter<I: IntoIterator<Item = (String, bool)>>(values: I) -> Assignment {
        Assignment { values: values.into_iter().collect() }
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
