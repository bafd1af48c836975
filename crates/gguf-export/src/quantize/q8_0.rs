//! Q8_0: 32 numbers share one F16 scale, each an i8.

use half::f16;

use super::rounding::{inverse, truncate};

pub(super) const LEN: usize = 32;
pub(super) const BYTES: usize = 2 + LEN;

/// Scale = largest magnitude / 127; halves round away from zero.
#[inline(always)]
pub(super) fn quantize(x: &[f32; LEN], y: &mut [u8; BYTES]) {
    let largest = x.iter().fold(0_f32, |max, v| if v.abs() > max { v.abs() } else { max });
    let scale = largest / 127.0;
    let inverse = inverse(scale);
    y[..2].copy_from_slice(&f16::from_f32(scale).to_le_bytes());
    for (q, v) in y[2..].iter_mut().zip(x) {
        *q = truncate((v * inverse).round()) as u8;
    }
}

pub(super) fn dequantize(y: &[u8; BYTES], x: &mut [f32; LEN]) {
    let scale = f16::from_le_bytes([y[0], y[1]]).to_f32();
    for (v, &q) in x.iter_mut().zip(&y[2..]) {
        *v = f32::from(q as i8) * scale;
    }
}
