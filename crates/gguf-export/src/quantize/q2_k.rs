//! Q2_K: 256 numbers in 16 sub-blocks of 16, each with a 4-bit scale and a 4-bit minimum.
//!
//! Bytes: 16 of scales (low half) and minima (high half), 64 of levels, scale of scales (F16), scale of minima (F16).

use half::f16;

use super::importance::weigh;
use super::rounding::nearest;
use super::search::{Fit, Grid, LANES, affine, positive, side_by_side, weighted_grid};

pub(super) const LEN: usize = 256;
pub(super) const BYTES: usize = 84;
const SUB: usize = 16;
const TOP: i32 = 3;

const GRID: Grid = Grid { top: TOP, first: -0.5, step: 0.1, steps: 15 };

/// A number weighs its own magnitude, and errors count by theirs.
#[inline(always)]
pub(super) fn quantize(x: &[f32; LEN], y: &mut [u8; BYTES]) {
    let lanes = side_by_side::<SUB>(x);
    let fit = affine::<SUB, true>(&lanes, &lanes.map(|lanes| lanes.map(f32::abs)), &GRID);
    write(x, &fit, four_bits(&fit.scale), four_bits(&fit.min), y);
}

/// As [`quantize`], with what each number matters: least squares, and the scales are searched too.
pub(super) fn quantize_weighted(x: &[f32; LEN], importance: &[f32; LEN], y: &mut [u8; BYTES]) {
    let w = weigh(x, importance, 1.0);
    let fit = affine::<SUB, false>(&side_by_side(x), &side_by_side(&w), &weighted_grid(TOP));
    let sums: [f32; LANES] = std::array::from_fn(|j| w[j * SUB..][..SUB].iter().fold(0.0, |sum, w| sum + w));
    let fitted = |values| {
        let (scale, levels) = positive(values, &sums, 15);
        (f16::from_f32(scale), levels)
    };
    write(x, &fit, fitted(&fit.scale), fitted(&fit.min), y);
}

#[inline(always)]
fn write(
    x: &[f32; LEN],
    fit: &Fit<SUB>,
    (scale, scale_levels): (f16, [u8; LANES]),
    (min, min_levels): (f16, [u8; LANES]),
    y: &mut [u8; BYTES],
) {
    let (scales, rest) = y.split_at_mut(16);
    let (packed, block_scales) = rest.split_at_mut(64);
    block_scales[..2].copy_from_slice(&scale.to_le_bytes());
    block_scales[2..].copy_from_slice(&min.to_le_bytes());
    let mut levels = [0_u8; LEN];
    for j in 0..LEN / SUB {
        scales[j] = scale_levels[j] | min_levels[j] << 4;
        let scale = scale.to_f32() * f32::from(scales[j] & 0xf);
        let min = min.to_f32() * f32::from(scales[j] >> 4);
        for i in 0..SUB {
            levels[j * SUB + i] = if scale == 0.0 {
                fit.level(i, j) as u8
            } else {
                nearest((x[j * SUB + i] + min) / scale).clamp(0, TOP) as u8
            };
        }
    }
    pack_two_bits(&levels, packed);
}

/// Values relative to their largest, and what a level of 1 stands for.
#[inline(always)]
fn four_bits(values: &[f32; LANES]) -> (f16, [u8; LANES]) {
    let max = values.iter().fold(0_f32, |max, &v| if v > max { v } else { max });
    if max <= 0.0 {
        return (f16::ZERO, [0; LANES]);
    }
    let inverse = 15.0 / max;
    (f16::from_f32(max / 15.0), values.map(|value| nearest(inverse * value) as u8))
}

/// Four numbers, 32 apart, share a byte.
#[inline(always)]
pub(super) fn pack_two_bits(levels: &[u8; LEN], packed: &mut [u8]) {
    for (levels, packed) in levels.as_chunks::<128>().0.iter().zip(packed.as_chunks_mut::<32>().0) {
        for i in 0..32 {
            packed[i] = levels[i] | levels[i + 32] << 2 | levels[i + 64] << 4 | levels[i + 96] << 6;
        }
    }
}

/// The level of the number at `place`.
#[inline(always)]
pub(super) fn unpack_two_bits(packed: &[u8], place: usize) -> u8 {
    packed[place / 128 * 32 + place % 32] >> (place % 128 / 32 * 2) & 3
}

pub(super) fn dequantize(y: &[u8; BYTES], x: &mut [f32; LEN]) {
    let half = |at: usize| f16::from_le_bytes([y[at], y[at + 1]]).to_f32();
    let (scale, min) = (half(80), half(82));
    for (place, x) in x.iter_mut().enumerate() {
        let both = y[place / SUB];
        let level = unpack_two_bits(&y[16..80], place);
        *x = scale * f32::from(both & 0xf) * f32::from(level) - min * f32::from(both >> 4);
    }
}
