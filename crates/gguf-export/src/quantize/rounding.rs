//! Float to integer exactly as the reference's compiled C does it.

/// The nearest integer, ties to even, for magnitudes below 2^22; anything else gives the bits that the reference's
/// trick gives. (Adding 1.5·2^23 leaves the integer in the low bits of the mantissa.)
#[inline(always)]
pub(super) fn nearest(x: f32) -> i32 {
    ((x + 12_582_912.0).to_bits() & 0x007f_ffff) as i32 - 0x0040_0000
}

/// Towards zero; what does not fit an i32 becomes `i32::MIN`, as x86 converts it.
#[inline(always)]
pub(super) fn truncate(x: f32) -> i32 {
    if x.abs() < 2_147_483_648.0 { x as i32 } else { i32::MIN }
}

/// 1 / x, or 0 for 0.
#[inline(always)]
pub(super) fn inverse(x: f32) -> f32 {
    if x != 0.0 { 1.0 / x } else { 0.0 }
}
