//! Random formulas for the property tests.

use logic_parser::{Connective, Formula};
use proptest::prelude::*;

/// Formulas of at most `atoms` atoms named by `name`, with constants now and then.
pub fn named(
    atoms: usize,
    name: impl Fn(usize) -> String + Clone + 'static,
) -> impl Strategy<Value = Formula> {
    let leaf = prop_oneof![
        12 => (0..atoms).prop_map(move |index| Formula::atom(&name(index))),
        1 => Just(Formula::top()),
        1 => Just(Formula::bottom()),
    ];
    leaf.prop_recursive(8, 48, 2, |inner| {
        prop_oneof![
            1 => inner.clone().prop_map(Formula::not),
            4 => (inner.clone(), inner, 0..Connective::ALL.len())
                .prop_map(|(left, right, which)| left.join(Connective::ALL[which], &right)),
        ]
    })
}

/// Formulas over p, q, r, …
pub fn formula(atoms: usize) -> impl Strategy<Value = Formula> {
    named(atoms, |index| char::from(b'p' + index as u8).to_string())
}
