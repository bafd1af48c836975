//! Q4_K and Q5_K: 256 numbers in 8 sub-blocks of 32, each with a 6-bit scale and a 6-bit minimum.
//!
//! Bytes: scale of scales (F16), scale of minima (F16), 12 bytes of scales and minima, then for Q5_K 32 bytes of fifth
//! bits, then 128 bytes of low halves.

use half::f16;

use super::importance::weigh;
use super::rounding::nearest;
use super::search::{Fit, Grid, LANES, Lanes, affine, positive, side_by_side, weighted_grid};

pub(super) const LEN: usize = 256;
const SUB: usize = 32;
const HEAD: usize = 16;
/// Blocks searched together.
const PAIR: usize = LANES * SUB / LEN;

const Q4: Grid = Grid { top: 15, first: -1.0, step: 0.1, steps: 20 };
const Q5: Grid = Grid { top: 31, first: -0.5, step: 0.1, steps: 15 };

#[inline(always)]
pub(super) fn quantize_q4(x: &[f32], y: &mut [u8]) {
    quantize::<144>(x, y, &Q4, pack_low);
}

#[inline(always)]
pub(super) fn quantize_q5(x: &[f32], y: &mut [u8]) {
    quantize::<176>(x, y, &Q5, pack_five);
}

/// As [`quantize_q4`], with what each number matters.
pub(super) fn quantize_q4_weighted(x: &[f32; LEN], importance: &[f32; LEN], y: &mut [u8; 144]) {
    quantize_weighted(x, importance, y, Q4.top, pack_low);
}

/// As [`quantize_q5`], with what each number matters.
pub(super) fn quantize_q5_weighted(x: &[f32; LEN], importance: &[f32; LEN], y: &mut [u8; 176]) {
    quantize_weighted(x, importance, y, Q5.top, pack_five);
}

/// The scales and minima are searched like the numbers.
fn quantize_weighted(
    x: &[f32; LEN],
    importance: &[f32; LEN],
    y: &mut [u8],
    top: i32,
    pack: impl Fn(&[u8; LEN], &mut [u8]),
) {
    let w = weigh(x, importance, 2.0);
    let fit = affine::<SUB, false>(&side_by_side(x), &side_by_side(&w), &weighted_grid(top));
    let sums: [f32; 8] = std::array::from_fn(|j| w[j * SUB..][..SUB].iter().fold(0.0, |sum, w| sum + w));
    let fitted = |values: &Lanes| positive(&std::array::from_fn(|j| values[j]), &sums, 63);
    let (head, rest) = y.split_at_mut(HEAD);
    write_head(fitted(&fit.scale), fitted(&fit.min), head);
    pack(&levels(x, head, &fit, 0, top), rest);
}

#[inline(always)]
fn quantize<const BYTES: usize>(x: &[f32], y: &mut [u8], grid: &Grid, pack: impl Fn(&[u8; LEN], &mut [u8])) {
    for (x, y) in x.chunks(PAIR * LEN).zip(y.chunks_mut(PAIR * BYTES)) {
        let lanes = side_by_side::<SUB>(x);
        let fit = affine::<SUB, false>(&lanes, &weights(&lanes), grid);
        let blocks = x.as_chunks::<LEN>().0.iter().zip(y.as_chunks_mut::<BYTES>().0);
        for (block, (x, y)) in blocks.enumerate() {
            let (head, rest) = y.split_at_mut(HEAD);
            let first = block * LEN / SUB;
            write_head(six_bits(&fit.scale[first..][..8]), six_bits(&fit.min[first..][..8]), head);
            pack(&levels(x, head, &fit, first, grid.top), rest);
        }
    }
}

/// A number weighs its sub-block's root mean square plus its own magnitude.
#[inline(always)]
fn weights(x: &[Lanes; SUB]) -> [Lanes; SUB] {
    let mut sum = [0.0; LANES];
    for x in x {
        for l in 0..LANES {
            sum[l] += x[l] * x[l];
        }
    }
    let mut weights = [[0.0; LANES]; SUB];
    for i in 0..SUB {
        for l in 0..LANES {
            weights[i][l] = (sum[l] / SUB as f32).sqrt() + x[i][l].abs();
        }
    }
    weights
}

/// Scales or minima in 6 bits relative to the largest of them, and what a level of 1 stands for.
#[inline(always)]
fn six_bits(values: &[f32]) -> (f32, [u8; 8]) {
    let max = values.iter().fold(0_f32, |max, &v| if v > max { v } else { max });
    let inverse = if max > 0.0 { 63.0 / max } else { 0.0 };
    (max / 63.0, std::array::from_fn(|j| (nearest(inverse * values[j]) as u8).min(63)))
}

/// The levels of scales and minima, and what a level of 1 stands for.
#[inline(always)]
fn write_head((scale, scales): (f32, [u8; 8]), (min, mins): (f32, [u8; 8]), head: &mut [u8]) {
    head[..2].copy_from_slice(&f16::from_f32(scale).to_le_bytes());
    head[2..4].copy_from_slice(&f16::from_f32(min).to_le_bytes());
    let packed = &mut head[4..];
    for j in 0..8 {
        let (scale, min) = (scales[j], mins[j]);
        if j < 4 {
            packed[j] = scale;
            packed[j + 4] = min;
        } else {
            packed[j + 4] = (scale & 0xf) | (min & 0xf) << 4;
            packed[j - 4] |= (scale >> 4) << 6;
            packed[j] |= (min >> 4) << 6;
        }
    }
}

/// The scale and the minimum of sub-block `j`, as a reader of the file has them.
#[inline(always)]
fn read_head(head: &[u8], j: usize) -> (f32, f32) {
    let packed = &head[4..HEAD];
    let (scale, min) = if j < 4 {
        (packed[j] & 63, packed[j + 4] & 63)
    } else {
        ((packed[j + 4] & 0xf) | (packed[j - 4] >> 6) << 4, (packed[j + 4] >> 4) | (packed[j] >> 6) << 4)
    };
    let half = |at: usize| f16::from_le_bytes([head[at], head[at + 1]]).to_f32();
    (half(0) * f32::from(scale), half(2) * f32::from(min))
}

/// Levels anew, now that the scales are rounded; a sub-block whose scale became 0 keeps the search's.
#[inline(always)]
fn levels(x: &[f32; LEN], head: &[u8], fit: &Fit<SUB>, first: usize, top: i32) -> [u8; LEN] {
    let mut levels = [0; LEN];
    for j in 0..LEN / SUB {
        let (scale, min) = read_head(head, j);
        for i in 0..SUB {
            levels[j * SUB + i] = if scale == 0.0 {
                fit.level(i, first + j) as u8
            } else {
                nearest((x[j * SUB + i] + min) / scale).clamp(0, top) as u8
            };
        }
    }
    levels
}

/// Fifth bits of all sub-blocks, then the rest.
#[inline(always)]
fn pack_five(levels: &[u8; LEN], rest: &mut [u8]) {
    let (fifth, low) = rest.split_at_mut(SUB);
    for (i, byte) in fifth.iter_mut().enumerate() {
        *byte = (0..8).fold(0, |bits, s| bits | (levels[s * SUB + i] >> 4) << s);
    }
    pack_low(levels, low);
}

/// Two sub-blocks share 32 bytes.
#[inline(always)]
fn pack_low(levels: &[u8; LEN], low: &mut [u8]) {
    for (pair, low) in levels.as_chunks::<{ 2 * SUB }>().0.iter().zip(low.as_chunks_mut::<SUB>().0) {
        for i in 0..SUB {
            low[i] = (pair[i] & 0xf) | (pair[i + SUB] & 0xf) << 4;
        }
    }
}

pub(super) fn dequantize_q4(y: &[u8; 144], x: &mut [f32; LEN]) {
    dequantize(y, &[0; SUB], &y[HEAD..], x);
}

pub(super) fn dequantize_q5(y: &[u8; 176], x: &mut [f32; LEN]) {
    dequantize(y, &y[HEAD..HEAD + SUB], &y[HEAD + SUB..], x);
}

fn dequantize(head: &[u8], fifth: &[u8], low: &[u8], x: &mut [f32; LEN]) {
    for (j, x) in x.as_chunks_mut::<SUB>().0.iter_mut().enumerate() {
        let (scale, min) = read_head(head, j);
        for (i, x) in x.iter_mut().enumerate() {
            let level = (low[j / 2 * SUB + i] >> (j % 2 * 4) & 0xf) | (fifth[i] >> j & 1) << 4;
            *x = scale * f32::from(level) - min;
        }
    }
}
