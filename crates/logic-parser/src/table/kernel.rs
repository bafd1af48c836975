//! The loop that computes a table, 4,096 rows a block.

use alloc::boxed::Box;
use core::ops::{ControlFlow, Range};

use super::program::{BOTTOM, Operator, Program, SLOTS, Step, TOP};
use super::{PATTERN, apply};

/// 64 words of 64 rows, in eights so that the compiler keeps each eight in registers.
pub(crate) type Block = [[u64; 8]; 8];

/// A block spans all values of so many atoms.
pub(crate) const BLOCK_ATOMS: usize = 12;

#[repr(align(64))]
struct Slots([Block; SLOTS]);

/// Computes the given blocks and shows each to `visit`, which may break off.
pub(super) fn run<B>(
    program: &Program,
    blocks: Range<usize>,
    mut visit: impl FnMut(&Block) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let mut slots: Box<Slots> = first_slots(program);
    for block in blocks {
        for atom in BLOCK_ATOMS..program.atoms {
            let value = u64::from(block >> (atom - BLOCK_ATOMS) & 1 == 1).wrapping_neg();
            if slots.0[atom][0][0] != value {
                slots.0[atom] = [[value; 8]; 8];
            }
        }
        compute(&program.steps, &mut slots);
        visit(&slots.0[program.result as usize])?;
    }
    ControlFlow::Continue(())
}

fn first_slots(program: &Program) -> Box<Slots> {
    let mut slots: Box<Slots> = Box::new(Slots([[[0; 8]; 8]; SLOTS]));
    slots.0[TOP as usize] = [[u64::MAX; 8]; 8];
    slots.0[BOTTOM as usize] = [[0; 8]; 8];
    for atom in 0..program.atoms.min(BLOCK_ATOMS) {
        for (index, word) in slots.0[atom].as_flattened_mut().iter_mut().enumerate() {
            *word = match PATTERN.get(atom) {
                Some(&pattern) => pattern,
                None => u64::from(index >> (atom - 6) & 1 == 1).wrapping_neg(),
            };
        }
    }
    slots
}

/// The steps on what the processor can do, found out at run time.
fn compute(steps: &[Step], slots: &mut Slots) {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "the call into code compiled for AVX2")]
        // SAFETY: the processor has AVX2.
        return unsafe { compute_avx2(steps, slots) };
    }
    compute_portable(steps, slots);
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[target_feature(enable = "avx2")]
fn compute_avx2(steps: &[Step], slots: &mut Slots) {
    compute_portable(steps, slots);
}

#[inline(always)]
fn compute_portable(steps: &[Step], slots: &mut Slots) {
    for &Step { operator, target, left, right } in steps {
        let (target, left, right) = (target as usize % SLOTS, left as usize % SLOTS, right as usize % SLOTS);
        macro_rules! each {
            ($combine:expr) => {
                for eight in 0..8 {
                    let (left, right) = (slots.0[left][eight], slots.0[right][eight]);
                    slots.0[target][eight] = core::array::from_fn(|word| $combine(left[word], right[word]));
                }
            };
        }
        use crate::formula::Connective::{And, Iff, Implies, Or, Xor};
        match operator {
            Operator::Not => each!(|operand: u64, _| !operand),
            Operator::Binary(And) => each!(|left, right| apply(And, left, right)),
            Operator::Binary(Or) => each!(|left, right| apply(Or, left, right)),
            Operator::Binary(Implies) => each!(|left, right| apply(Implies, left, right)),
            Operator::Binary(Iff) => each!(|left, right| apply(Iff, left, right)),
            Operator::Binary(Xor) => each!(|left, right| apply(Xor, left, right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula::{Connective, Formula};
    use alloc::format;
    use alloc::vec::Vec;

    #[test]
    fn the_kernel_of_this_machine_equals_the_portable_one() {
        let formula = (0..40).fold(Formula::atom("a0"), |formula, index| {
            let atom = Formula::atom(&format!("a{}", index % 13));
            let next = formula.join(Connective::ALL[index % 5], &atom);
            if index % 4 == 0 { next.not() } else { next }
        });
        let program = Program::compile(&formula);
        let mut seen: Vec<Block> = Vec::new();
        let _ = run(&program, 0..2, |block| {
            seen.push(*block);
            ControlFlow::<()>::Continue(())
        });
        for (block, fast) in seen.iter().enumerate() {
            let mut slots = first_slots(&program);
            slots.0[12] = [[(block as u64).wrapping_neg(); 8]; 8];
            compute_portable(&program.steps, &mut slots);
            assert!(slots.0[program.result as usize] == *fast, "block {block}");
        }
    }
}
