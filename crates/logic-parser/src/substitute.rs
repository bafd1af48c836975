//! Formulas in place of atoms.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::formula::{Formula, Node};
use crate::names::Interner;

impl Formula {
    /// The formula with some atoms replaced by formulas, all at once; the others stay.
    ///
    /// ```
    /// # use logic_parser::Formula;
    /// # use std::collections::BTreeMap;
    /// let formula: Formula = "p → q".parse()?;
    /// let instead = BTreeMap::from([("p".to_string(), "q ∧ r".parse()?)]);
    /// assert_eq!(formula.substitute(&instead).to_string(), "q ∧ r → q");
    /// # Ok::<(), logic_parser::ParseError>(())
    /// ```
    pub fn substitute(&self, instead: &BTreeMap<String, Formula>) -> Formula {
        let (mut nodes, mut interner) = (Vec::new(), Interner::new());
        for &node in self.nodes() {
            match node {
                Node::Atom(id) => match instead.get(self.name(id)) {
                    Some(formula) => formula.append_to(&mut nodes, &mut interner),
                    None => Formula::atom(self.name(id)).append_to(&mut nodes, &mut interner),
                },
                other => nodes.push(other),
            }
        }
        Formula::from_parts(nodes, interner.into_names())
    }
}
