//! The bit-parallel truth table: 64 rows in a word.
//!
//! Row `r` gives atom `i` the value of bit `i` of `r`. Up to [`SMALL_ATOMS`] atoms the whole table is four words
//! and is computed on a stack; a larger one goes block by block through a [`Program`](program::Program).

mod kernel;
mod program;

use alloc::vec::Vec;
use core::ops::ControlFlow;

use crate::formula::{Connective, Formula, Node};

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
        ..=6 => visit(&small::<1>(formula, &IN_ORDER)),
        7 => visit(&small::<2>(formula, &IN_ORDER)),
        SMALL_ATOMS => visit(&small::<4>(formula, &IN_ORDER)),
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

/// Atom `i` of a small table is atom `places[i]` of the rows.
type Places = [usize; SMALL_ATOMS];

const IN_ORDER: Places = [0, 1, 2, 3, 4, 5, 6, 7];

/// The value of every atom of a small table.
const ATOMS: [[u64; 4]; SMALL_ATOMS] = {
    let mut atoms = [[0, 0, u64::MAX, u64::MAX]; SMALL_ATOMS];
    atoms[6] = [0, u64::MAX, 0, u64::MAX];
    let mut atom = 0;
    while atom < PATTERN.len() {
        atoms[atom] = [PATTERN[atom]; 4];
        atom += 1;
    }
    atoms
};

/// The whole table in `W` words.
fn small<const W: usize>(formula: &Formula, places: &Places) -> [u64; W] {
    const POSTORDER: &str = "operands stand before their connective";
    let mut stack: Vec<[u64; W]> = Vec::with_capacity(16);
    for &node in formula.nodes() {
        match node {
            Node::Binary(connective) => {
                let right = stack.pop().expect(POSTORDER);
                let left = stack.last_mut().expect(POSTORDER);
                *left = core::array::from_fn(|word| join(connective, left[word], right[word]));
            }
            Node::Atom(id) => {
                let words = &ATOMS[places[id.index() % SMALL_ATOMS] % SMALL_ATOMS];
                stack.push(core::array::from_fn(|word| words[word]));
            }
            Node::Not => {
                let operand = stack.last_mut().expect(POSTORDER);
                *operand = operand.map(|word| !word);
            }
            Node::Top => stack.push([u64::MAX; W]),
            Node::Bottom => stack.push([0; W]),
        }
    }
    stack.pop().expect(POSTORDER)
}

/// Two formulas with at most [`SMALL_ATOMS`] atoms between them.
pub(crate) struct SmallPair<'f> {
    left: &'f Formula,
    right: &'f Formula,
    /// Where the atoms of the right formula stand among those of both; those of the left one come first, in order.
    pub(crate) places: Places,
    pub(crate) atoms: usize,
}

impl<'f> SmallPair<'f> {
    pub(crate) fn new(left: &'f Formula, right: &'f Formula) -> Option<SmallPair<'f>> {
        if left.atom_count().max(right.atom_count()) > SMALL_ATOMS {
            return None;
        }
        let (mut places, mut atoms) = (IN_ORDER, left.atom_count());
        for (index, name) in right.names().iter().enumerate() {
            places[index] = left.names().position(name, index).unwrap_or(atoms);
            atoms += usize::from(places[index] == atoms);
        }
        (atoms <= SMALL_ATOMS).then_some(SmallPair { left, right, places, atoms })
    }

    /// The first row in which they differ.
    pub(crate) fn differing_row(&self) -> Option<u64> {
        match self.atoms {
            ..=6 => self.differing::<1>(),
            7 => self.differing::<2>(),
            _ => self.differing::<4>(),
        }
    }

    fn differing<const W: usize>(&self) -> Option<u64> {
        let (left, right) = (small::<W>(self.left, &IN_ORDER), small::<W>(self.right, &self.places));
        let word = (0..W).find(|&word| left[word] != right[word])?;
        Some(64 * word as u64 + u64::from((left[word] ^ right[word]).trailing_zeros()))
    }
}

/// A connective on 64 rows at once, for connectives that come in no order: without a branch, which the processor would
/// guess wrongly. Each is an exclusive sum of 1, left, right and left ∧ right (Zhegalkin 1927).
#[inline(always)]
fn join(connective: Connective, left: u64, right: u64) -> u64 {
    const ALL: u64 = u64::MAX;
    let [one, of_left, of_right, of_both] = match connective {
        Connective::And => [0, 0, 0, ALL],
        Connective::Or => [0, ALL, ALL, ALL],
        Connective::Implies => [ALL, ALL, 0, ALL],
        Connective::Iff => [ALL, ALL, ALL, 0],
        Connective::Xor => [0, ALL, ALL, 0],
    };
    one ^ (of_left & left) ^ (of_right & right) ^ (of_both & left & right)
}

/// A connective on 64 rows at once, for connectives known beforehand.
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
