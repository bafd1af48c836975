//! Q4_0, Q4_1, Q5_0, Q5_1: 32 numbers share a scale; `_0` is symmetric around zero, `_1` has a minimum too.
//!
//! Bytes: scale (F16), minimum (F16, `_1` only), the fifth bits (u32, Q5 only), then 16 bytes of low halves: number i
//! below, number 16 + i above.

use half::f16;

use super::rounding::{inverse, truncate};
use super::search::{affine, side_by_side, symmetric, weighted_grid};

pub(super) const LEN: usize = 32;
const HALF: usize = LEN / 2;

/// x ≈ scale · (q - 2^(BITS-1)), the scale such that the number of largest magnitude is at the bottom.
#[inline(always)]
pub(super) fn quantize_symmetric<const BITS: u32, const BYTES: usize>(x: &[f32; LEN], y: &mut [u8; BYTES]) {
    let middle = 1 << (BITS - 1);
    let (mut largest, mut extreme) = (0_f32, 0_f32);
    for &v in x {
        if v.abs() > largest {
            (largest, extreme) = (v.abs(), v);
        }
    }
    let scale = extreme / -(middle as f32);
    let inverse = inverse(scale);
    let mut q = [0; LEN];
    for (q, v) in q.iter_mut().zip(x) {
        let level = truncate(v * inverse + (middle as f32 + 0.5)) as i8;
        *q = level.min((2 * middle - 1) as i8) as u8;
    }
    y[..2].copy_from_slice(&f16::from_f32(scale).to_le_bytes());
    pack::<BITS>(&q, &mut y[2..]);
}

/// x ≈ scale · q + minimum.
#[inline(always)]
pub(super) fn quantize_affine<const BITS: u32, const BYTES: usize>(x: &[f32; LEN], y: &mut [u8; BYTES]) {
    let top = (1 << BITS) - 1;
    let (mut min, mut max) = (f32::MAX, -f32::MAX);
    for &v in x {
        min = if v < min { v } else { min };
        max = if v > max { v } else { max };
    }
    let scale = (max - min) / top as f32;
    let inverse = inverse(scale);
    let mut q = [0; LEN];
    for (q, v) in q.iter_mut().zip(x) {
        let level = truncate((v - min) * inverse + 0.5) as i8;
        *q = level.min(top as i8) as u8;
    }
    y[..2].copy_from_slice(&f16::from_f32(scale).to_le_bytes());
    y[2..4].copy_from_slice(&f16::from_f32(min).to_le_bytes());
    pack::<BITS>(&q, &mut y[4..]);
}

/// As [`quantize_symmetric`], by least squares with a weight for each number.
pub(super) fn quantize_symmetric_weighted<const BITS: u32, const BYTES: usize>(
    x: &[f32; LEN],
    w: &[f32; LEN],
    y: &mut [u8; BYTES],
) {
    let fit = symmetric::<LEN>(&side_by_side(x), &side_by_side(w), 1 << (BITS - 1));
    y[..2].copy_from_slice(&f16::from_f32(fit.scale[0]).to_le_bytes());
    pack::<BITS>(&std::array::from_fn(|i| fit.level(i, 0) as u8), &mut y[2..]);
}

/// As [`quantize_affine`], by least squares with a weight for each number.
pub(super) fn quantize_affine_weighted<const BITS: u32, const BYTES: usize>(
    x: &[f32; LEN],
    w: &[f32; LEN],
    y: &mut [u8; BYTES],
) {
    let grid = weighted_grid((1 << BITS) - 1);
    let fit = affine::<LEN, false>(&side_by_side(x), &side_by_side(w), &grid);
    y[..2].copy_from_slice(&f16::from_f32(fit.scale[0]).to_le_bytes());
    y[2..4].copy_from_slice(&f16::from_f32(-fit.min[0]).to_le_bytes());
    pack::<BITS>(&std::array::from_fn(|i| fit.level(i, 0) as u8), &mut y[4..]);
}

pub(super) fn dequantize_symmetric<const BITS: u32, const BYTES: usize>(y: &[u8; BYTES], x: &mut [f32; LEN]) {
    let scale = f16::from_le_bytes([y[0], y[1]]).to_f32();
    for (x, q) in x.iter_mut().zip(unpack::<BITS>(&y[2..])) {
        *x = (i32::from(q) - (1 << (BITS - 1))) as f32 * scale;
    }
}

pub(super) fn dequantize_affine<const BITS: u32, const BYTES: usize>(y: &[u8; BYTES], x: &mut [f32; LEN]) {
    let scale = f16::from_le_bytes([y[0], y[1]]).to_f32();
    let min = f16::from_le_bytes([y[2], y[3]]).to_f32();
    for (x, q) in x.iter_mut().zip(unpack::<BITS>(&y[4..])) {
        *x = f32::from(q) * scale + min;
    }
}

#[inline(always)]
fn pack<const BITS: u32>(q: &[u8; LEN], y: &mut [u8]) {
    let mut low = y;
    if BITS == 5 {
        let (fifth, rest) = low.split_at_mut(4);
        let bits = q.iter().enumerate().fold(0_u32, |bits, (i, q)| bits | u32::from(q >> 4 & 1) << i);
        fifth.copy_from_slice(&bits.to_le_bytes());
        low = rest;
    }
    for i in 0..HALF {
        low[i] = (q[i] & 0xf) | (q[i + HALF] & 0xf) << 4;
    }
}

fn unpack<const BITS: u32>(y: &[u8]) -> [u8; LEN] {
    let (fifth, low) = if BITS == 5 { y.split_at(4) } else { y.split_at(0) };
    let fifth = fifth.iter().rev().fold(0_u32, |bits, &byte| (bits << 8) | u32::from(byte));
    std::array::from_fn(|i| {
        let low = if i < HALF { low[i] & 0xf } else { low[i - HALF] >> 4 };
        low | ((fifth >> i) as u8 & 1) << 4
    })
}
