//! The bit-parallel truth table: 64 rows in a word.
//!
//! Row `r` gives atom `i` the value of bit `i` of `r`. Up to [`SMALL_ATOMS`] atoms the whole table is four words
//! and is computed on a stack; a larger one goes block by block through a [`Program`](program::Program).

mod kernel;
mod program;

use alloc::vec::Vec;
use core::ops::ControlFlow;

use crate::formula::{Connective, Formula, Leaf};

pub(crate) use program::MAX_ATOMS;

use kernel::BLOCK_ATOMS;
use program::Program;

/// The value of atoms 0 to 5 over the 64 rows of one word.
const PATTERN: [u64; 6] = [
    0xAAAA_AAAA_AAAA_AAAA,
    0xCCCC_CCCC_CCCC_CCCC,
    0xF0F0_F0F0_F0F0_F0F0,
    0xFF00_FF00_FF00_FF00,
    0xFFFF_0000_FFFF_0000,
    0xFFFF_FFFF_0000_0000,
];

/// With so many atoms the table is a handful of words.
pub(crate) const SMALL_ATOMS: usize = 8;

/// Shows `visit` the truth of the formula, up to 4,096 rows at a time, from the first row on; it may break off.
/// With fewer than six atoms the rows repeat to fill a word.
///
/// # Panics
/// If the formula has more than [`MAX_ATOMS`] atoms.
pub(crate) fn scan<B>(formula: &Formula, mut visit: impl FnMut(&[u64]) -> ControlFlow<B>) -> ControlFlow<B> {
    match formula.atom_count() {
        ..=6 => visit(&small::<1>(formula)),
        atoms @ 7..=SMALL_ATOMS => visit(&small::<4>(formula)[..1 << (atoms - 6)]),
        atoms => {
            let words = (1_usize << atoms.min(BLOCK_ATOMS)) / 64;
            let program = Program::compile(formula);
            kernel::run(&program, 0..1 << atoms.saturating_sub(BLOCK_ATOMS), |block| {
                visit(&block.as_flattened()[..words])
            })
        }
    }
}

/// How many rows are true.
pub(crate) fn count(formula: &Formula) -> u64 {
    let mut total = 0;
    let _ = scan(formula, |words| {
        total += words.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        ControlFlow::<()>::Continue(())
    });
    total >> 6_usize.saturating_sub(formula.atom_count())
}

/// The whole table in `W` words.
fn small<const W: usize>(formula: &Formula) -> [u64; W] {
    formula.fold(
        |leaf| match leaf {
            Leaf::Top => [u64::MAX; W],
            Leaf::Bottom => [0; W],
            Leaf::Atom(id) => match PATTERN.get(id.index()) {
                Some(&pattern) => [pattern; W],
                None => {
                    core::array::from_fn(|word| u64::from(word >> (id.index() - 6) & 1 == 1).wrapping_neg())
                }
            },
        },
        |operand| operand.map(|word| !word),
        |connective, left, right| core::array::from_fn(|word| apply(connective, left[word], right[word])),
    )
}

/// A connective on 64 rows at once.
#[inline(always)]
fn apply(connective: Connective, left: u64, right: u64) -> u64 {
    match connective {
        Connective::And => left & right,
        Connective::Or => left | right,
        Connective::Implies => !left | right,
        Connective::Iff => !(left ^ right),
        Connective::Xor => left ^ right,
    }
}

/// The values of the atoms in row `row`.
pub(crate) fn row_values(row: u64, atoms: usize) -> Vec<bool> {
    (0..atoms).map(|atom| row >> atom & 1 == 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    /// Row by row, from the definition.
    fn slowly(formula: &Formula) -> Vec<bool> {
        let atoms = formula.atom_count();
        (0..1 << atoms).map(|row| formula.evaluate(&row_values(row, atoms))).collect()
    }

    #[test]
    fn every_size_of_table_equals_the_definition() {
        for atoms in 0..=14 {
            let formula = (0..3 * atoms + 1).fold(Formula::top(), |formula, index| {
                let atom = Formula::atom(&format!("a{}", index % atoms.max(1)));
                let connective = Connective::ALL[index % 5];
                if index % 3 == 0 {
                    atom.not().join(connective, &formula)
                } else {
                    formula.join(connective, &atom)
                }
            });
            let mut rows = Vec::new();
            let _ = scan(&formula, |words| {
                rows.extend(words.iter().flat_map(|word| (0..64).map(move |bit| word >> bit & 1 == 1)));
                ControlFlow::<()>::Continue(())
            });
            rows.truncate(1 << formula.atom_count());
            let expected = slowly(&formula);
            assert_eq!(count(&formula), expected.iter().filter(|&&row| row).count() as u64, "{formula}");
            assert_eq!(rows, expected, "{formula}");
        }
    }
}
