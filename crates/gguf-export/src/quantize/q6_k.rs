//! Q6_K: 256 numbers in 16 sub-blocks of 16, each with an 8-bit scale.
//!
//! Bytes: 128 of low halves, 64 of upper two bits, 16 scales (i8), scale of scales (F16).

use half::f16;

use super::rounding::nearest;
use super::search::{Fit, SMALLEST, side_by_side, squares, symmetric};

pub(super) const LEN: usize = 256;
pub(super) const BYTES: usize = 210;
const SUB: usize = 16;
const HALF: i32 = 32;

#[inline(always)]
pub(super) fn quantize(x: &[f32; LEN], y: &mut [u8; BYTES]) {
    let lanes = side_by_side::<SUB>(x);
    write(x, &symmetric(&lanes, &squares(&lanes), HALF), y);
}

/// As [`quantize`], each number with a weight.
pub(super) fn quantize_weighted(x: &[f32; LEN], w: &[f32; LEN], y: &mut [u8; BYTES]) {
    write(x, &symmetric(&side_by_side::<SUB>(x), &side_by_side::<SUB>(w), HALF), y);
}

#[inline(always)]
fn write(x: &[f32; LEN], fit: &Fit<SUB>, y: &mut [u8; BYTES]) {
    let mut max = 0_f32;
    for &scale in &fit.scale {
        max = if scale.abs() > max.abs() { scale } else { max };
    }
    y.fill(0);
    if max.abs() < SMALLEST {
        return;
    }
    let inverse = -128.0 / max;
    let (low, rest) = y.split_at_mut(128);
    let (high, rest) = rest.split_at_mut(64);
    let (scales, block_scale) = rest.split_at_mut(16);
    let rounded = f16::from_f32(1.0 / inverse);
    block_scale.copy_from_slice(&rounded.to_le_bytes());
    let mut levels = [0_u8; LEN];
    for j in 0..LEN / SUB {
        let scale = nearest(inverse * fit.scale[j]).min(127) as i8;
        scales[j] = scale as u8;
        let scale = rounded.to_f32() * f32::from(scale);
        for i in 0..SUB {
            levels[j * SUB + i] = if scale == 0.0 {
                fit.level(i, j) as u8
            } else {
                (nearest(x[j * SUB + i] / scale).clamp(-HALF, HALF - 1) + HALF) as u8
            };
        }
    }
    for half in 0..2 {
        let level = |i: usize| levels[half * 128 + i];
        for i in 0..32 {
            low[half * 64 + i] = (level(i) & 0xf) | (level(i + 64) & 0xf) << 4;
            low[half * 64 + 32 + i] = (level(i + 32) & 0xf) | (level(i + 96) & 0xf) << 4;
            high[half * 32 + i] =
                level(i) >> 4 | level(i + 32) >> 4 << 2 | level(i + 64) >> 4 << 4 | level(i + 96) >> 4 << 6;
        }
    }
}

pub(super) fn dequantize(y: &[u8; BYTES], x: &mut [f32; LEN]) {
    let scale = f16::from_le_bytes([y[208], y[209]]).to_f32();
    for (place, x) in x.iter_mut().enumerate() {
        let (half, quarter, i) = (place / 128, place % 128 / 32, place % 32);
        let low = y[half * 64 + quarter % 2 * 32 + i] >> (quarter / 2 * 4) & 0xf;
        let high = y[128 + half * 32 + i] >> (quarter * 2) & 3;
        let level = i32::from(low | high << 4) - HALF;
        *x = scale * f32::from(y[192 + place / SUB] as i8) * level as f32;
    }
}
