//! Quantizing by what each number matters: the paths that ggml takes when it is given an importance matrix.

use super::{legacy, q2_k, q3_k, q4_k, q6_k};
use crate::GgmlType;

/// One row whose numbers matter as `importance` says. `false` for types that make no use of it; nothing is written then.
#[inline(always)]
pub(super) fn quantize_row(ggml_type: GgmlType, x: &[f32], importance: &[f32], out: &mut [u8]) -> bool {
    match ggml_type {
        GgmlType::Q4_0 => {
            blocks(x, &weigh_row(x, importance), out, legacy::quantize_symmetric_weighted::<4, 18>)
        }
        GgmlType::Q4_1 => {
            blocks(x, &weigh_row(x, importance), out, legacy::quantize_affine_weighted::<4, 20>)
        }
        GgmlType::Q5_0 => {
            blocks(x, &weigh_row(x, importance), out, legacy::quantize_symmetric_weighted::<5, 22>)
        }
        GgmlType::Q5_1 => {
            blocks(x, &weigh_row(x, importance), out, legacy::quantize_affine_weighted::<5, 24>)
        }
        GgmlType::Q2_K => blocks(x, importance, out, q2_k::quantize_weighted),
        GgmlType::Q3_K => blocks(x, importance, out, q3_k::quantize_weighted),
        GgmlType::Q4_K => blocks(x, importance, out, q4_k::quantize_q4_weighted),
        GgmlType::Q5_K => blocks(x, importance, out, q4_k::quantize_q5_weighted),
        GgmlType::Q6_K => blocks(x, importance, out, q6_k::quantize_weighted),
        _ => return false,
    }
    true
}

#[inline(always)]
fn blocks<const L: usize, const B: usize>(
    x: &[f32],
    w: &[f32],
    out: &mut [u8],
    block: impl Fn(&[f32; L], &[f32; L], &mut [u8; B]),
) {
    let numbers = x.as_chunks().0.iter().zip(w.as_chunks().0);
    for ((x, w), y) in numbers.zip(out.as_chunks_mut().0) {
        block(x, w, y);
    }
}

/// A number weighs its importance times √(`factor` · mean square of the block + its own square).
#[inline(always)]
pub(super) fn weigh<const N: usize>(x: &[f32; N], importance: &[f32; N], factor: f32) -> [f32; N] {
    let mean = factor * x.iter().fold(0.0, |sum, x| sum + x * x) / N as f32;
    std::array::from_fn(|i| importance[i] * (mean + x[i] * x[i]).sqrt())
}

/// As [`weigh`], with the mean over a whole row.
#[inline(always)]
fn weigh_row(x: &[f32], importance: &[f32]) -> Vec<f32> {
    let mean = x.iter().fold(0.0, |sum, x| sum + x * x) / x.len() as f32;
    x.iter().zip(importance).map(|(x, importance)| importance * (mean + x * x).sqrt()).collect()
}
