//! Q3_K: 256 numbers in 16 sub-blocks of 16, each with a 6-bit scale.
//!
//! Bytes: 32 of upper bits, 64 of lower two bits, 12 of scales, scale of scales (F16).

use half::f16;

use super::importance::weigh;
use super::q2_k::{pack_two_bits, unpack_two_bits};
use super::rounding::nearest;
use super::search::{SMALLEST, side_by_side, symmetric};

pub(super) const LEN: usize = 256;
pub(super) const BYTES: usize = 110;
const SUB: usize = 16;
const HALF: i32 = 4;

#[inline(always)]
pub(super) fn quantize(x: &[f32; LEN], y: &mut [u8; BYTES]) {
    let mut levels = [0_u8; LEN];
    let mut scales = [0_f32; LEN / SUB];
    let mut max = 0_f32;
    for (j, x) in x.as_chunks::<SUB>().0.iter().enumerate() {
        let (scale, sub_levels) = fit(x);
        levels[j * SUB..][..SUB].copy_from_slice(&sub_levels);
        scales[j] = scale;
        max = if scale.abs() > max.abs() { scale } else { max };
    }
    let (mut rounded, mut scale_levels) = (f16::ZERO, [0; LEN / SUB]);
    if max != 0.0 {
        let inverse = -32.0 / max;
        rounded = f16::from_f32(1.0 / inverse);
        scale_levels = scales.map(|scale| {
            let level = i32::from(nearest(inverse * scale) as i8).clamp(-32, 31);
            (level + 32) as u8
        });
    }
    write(x, rounded, &scale_levels, levels, y);
}

/// As [`quantize`], with what each number matters. The scales are searched like the numbers.
pub(super) fn quantize_weighted(x: &[f32; LEN], importance: &[f32; LEN], y: &mut [u8; BYTES]) {
    let w = weigh(x, importance, 2.0);
    let fit = symmetric(&side_by_side::<SUB>(x), &side_by_side::<SUB>(&w), HALF);
    let sums: [f32; LEN / SUB] =
        std::array::from_fn(|j| w[j * SUB..][..SUB].iter().fold(0.0, |sum, w| sum + w));
    // One lane of sixteen numbers.
    let of_scales =
        symmetric(&side_by_side::<{ LEN / SUB }>(&fit.scale), &side_by_side::<{ LEN / SUB }>(&sums), 32);
    let scale_levels = std::array::from_fn(|j| of_scales.level(j, 0) as u8);
    let levels = std::array::from_fn(|i| fit.level(i % SUB, i / SUB) as u8);
    write(x, f16::from_f32(of_scales.scale[0]), &scale_levels, levels, y);
}

/// The block, its levels anew where a scale is left after rounding.
#[inline(always)]
fn write(
    x: &[f32; LEN],
    rounded: f16,
    scale_levels: &[u8; LEN / SUB],
    mut levels: [u8; LEN],
    y: &mut [u8; BYTES],
) {
    y.fill(0);
    let (upper, rest) = y.split_at_mut(32);
    let (lower, rest) = rest.split_at_mut(64);
    let (packed_scales, block_scale) = rest.split_at_mut(12);
    for (j, &level) in scale_levels.iter().enumerate() {
        packed_scales[j % 8] |= (level & 0xf) << (j / 8 * 4);
        packed_scales[8 + j % 4] |= (level >> 4) << (j / 4 * 2);
    }
    block_scale.copy_from_slice(&rounded.to_le_bytes());
    for j in 0..LEN / SUB {
        let scale = rounded.to_f32() * sub_scale(packed_scales, j);
        if scale != 0.0 {
            for i in 0..SUB {
                let level = nearest(x[j * SUB + i] / scale).clamp(-HALF, HALF - 1);
                levels[j * SUB + i] = (level + HALF) as u8;
            }
        }
    }
    for (place, level) in levels.iter_mut().enumerate() {
        upper[place % 32] |= (*level >> 2) << (place / 32);
        *level &= 3;
    }
    pack_two_bits(&levels, lower);
}

/// Least squares weighted by x², improved one number at a time (`make_q3_quants` of the reference).
#[inline(always)]
fn fit(x: &[f32; SUB]) -> (f32, [u8; SUB]) {
    let (mut largest, mut extreme) = (0_f32, 0_f32);
    for &x in x {
        if x.abs() > largest {
            (largest, extreme) = (x.abs(), x);
        }
    }
    if largest < SMALLEST {
        return (0.0, [0; SUB]);
    }
    let slope = -(HALF as f32) / extreme;
    let mut levels = [0_f32; SUB];
    let (mut sum_xl, mut sum_l2) = (0_f32, 0_f32);
    for (level, &x) in levels.iter_mut().zip(x) {
        *level = nearest(slope * x).clamp(-HALF, HALF - 1) as f32;
        let w = x * x;
        sum_xl += w * x * *level;
        sum_l2 += w * *level * *level;
    }
    for _ in 0..5 {
        let mut changed = false;
        for (level, &x) in levels.iter_mut().zip(x) {
            let w = x * x;
            let mut without_xl = sum_xl - w * x * *level;
            if without_xl > 0.0 {
                let mut without_l2 = sum_l2 - w * *level * *level;
                let new = nearest(x * without_l2 / without_xl).clamp(-HALF, HALF - 1) as f32;
                if new != *level {
                    without_xl += w * x * new;
                    without_l2 += w * new * new;
                    if without_l2 > 0.0 && without_xl * without_xl * sum_l2 > sum_xl * sum_xl * without_l2 {
                        (*level, sum_xl, sum_l2) = (new, without_xl, without_l2);
                        changed = true;
                    }
                }
            }
        }
        if !changed {
            break;
        }
    }
    let scale = if sum_l2 > 0.0 { sum_xl / sum_l2 } else { 0.0 };
    (scale, levels.map(|level| (level as i32 + HALF) as u8))
}

/// The scale of sub-block `j`, -32 … 31.
#[inline(always)]
fn sub_scale(packed: &[u8], j: usize) -> f32 {
    let low = packed[j % 8] >> (j / 8 * 4) & 0xf;
    let high = packed[8 + j % 4] >> (j / 4 * 2) & 3;
    (i32::from(low | high << 4) - 32) as f32
}

pub(super) fn dequantize(y: &[u8; BYTES], x: &mut [f32; LEN]) {
    let scale = f16::from_le_bytes([y[108], y[109]]).to_f32();
    for (place, x) in x.iter_mut().enumerate() {
        let upper = y[place % 32] >> (place / 32) & 1;
        let level = i32::from(unpack_two_bits(&y[32..96], place) | upper << 2) - HALF;
        *x = scale * sub_scale(&y[96..108], place / SUB) * level as f32;
    }
}
