//! Numbers into ggml's block types and back, byte for byte as `ggml_quantize_chunk` of a stock x86-64 build does it.
//!
//! Byte identity needs f32 arithmetic in the reference's own order, sums strictly left to right, and no fused
//! multiply-add. Each format is one file.

mod importance;
mod legacy;
mod mix;
mod q2_k;
mod q3_k;
mod q4_k;
mod q6_k;
mod q8_0;
mod rounding;
mod search;

pub use mix::Mix;

use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use half::{bf16, f16};
use rayon::prelude::*;

use crate::{Error, GgmlType};

/// Appends the rows `values`, each a multiple of the block length, in type `ggml_type`.
///
/// ```
/// use gguf_export::{dequantize, quantize, GgmlType};
///
/// let mut bytes = Vec::new();
/// quantize(GgmlType::Q8_0, &[1.0; 32], &mut bytes)?;
/// assert_eq!(bytes.len(), 34);
/// let mut values = Vec::new();
/// dequantize(GgmlType::Q8_0, &bytes, &mut values)?;
/// assert!(values.iter().all(|v| (v - 1.0).abs() < 1e-3));
/// # Ok::<(), gguf_export::Error>(())
/// ```
///
/// # Errors
/// [`Error::UnsupportedType`] for a type that this crate does not write, [`Error::PartialBlock`] if `values` does not
/// fill whole blocks.
pub fn quantize(ggml_type: GgmlType, values: &[f32], out: &mut Vec<u8>) -> Result<(), Error> {
    let partial = || Error::PartialBlock { ggml_type, len: values.len() };
    let len = ggml_type.byte_len(values.len() as u64).ok_or_else(partial)?;
    let start = out.len();
    out.resize(start + len as usize, 0);
    quantize_into(ggml_type, values, None, &mut out[start..])
}

/// As [`quantize`], on all threads of the current rayon pool; the bytes do not depend on how many there are.
pub(crate) fn quantize_rows(
    ggml_type: GgmlType,
    values: &[f32],
    row_len: usize,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let partial = || Error::PartialBlock { ggml_type, len: row_len };
    let row_bytes = ggml_type.byte_len(row_len as u64).ok_or_else(partial)? as usize;
    let rows_at_once = (PARALLEL_CHUNK / row_len).max(1);
    let start = out.len();
    out.resize(start + values.len() / row_len * row_bytes, 0);
    values
        .par_chunks(rows_at_once * row_len)
        .zip(out[start..].par_chunks_mut(rows_at_once * row_bytes))
        .try_for_each(|(values, out)| quantize_into(ggml_type, values, None, out))
}

/// Numbers that one thread takes at a time.
pub(crate) const PARALLEL_CHUNK: usize = 1 << 16;

/// Rows into as many bytes as they take. `importance` says of each number of a row what it matters.
pub(crate) fn quantize_into(
    ggml_type: GgmlType,
    values: &[f32],
    importance: Option<&[f32]>,
    out: &mut [u8],
) -> Result<(), Error> {
    #[cfg(target_arch = "x86_64")]
    {
        if has_avx512() {
            // SAFETY: the processor has these parts of AVX-512, as was just asked.
            #[allow(unsafe_code)]
            return unsafe { quantize_avx512(ggml_type, values, importance, out) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, as was just asked.
            #[allow(unsafe_code)]
            return unsafe { quantize_avx2(ggml_type, values, importance, out) };
        }
    }
    quantize_portably(ggml_type, values, importance, out)
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}

/// The same code, compiled for wider registers. No fused multiply-add: the bytes stay the same.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn quantize_avx2(
    ggml_type: GgmlType,
    values: &[f32],
    importance: Option<&[f32]>,
    out: &mut [u8],
) -> Result<(), Error> {
    quantize_portably(ggml_type, values, importance, out)
}

/// The same code for the widest registers: sixteen lanes in one.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn quantize_avx512(
    ggml_type: GgmlType,
    values: &[f32],
    importance: Option<&[f32]>,
    out: &mut [u8],
) -> Result<(), Error> {
    quantize_portably(ggml_type, values, importance, out)
}

#[inline(always)]
fn quantize_portably(
    ggml_type: GgmlType,
    values: &[f32],
    importance: Option<&[f32]>,
    out: &mut [u8],
) -> Result<(), Error> {
    if let Some(importance) = importance {
        let row_bytes = out.len() / (values.len() / importance.len()).max(1);
        let mut rows = values.chunks_exact(importance.len()).zip(out.chunks_exact_mut(row_bytes.max(1)));
        if rows.all(|(values, out)| importance::quantize_row(ggml_type, values, importance, out)) {
            return Ok(());
        }
    }
    match ggml_type {
        GgmlType::F32 => {
            for (bytes, value) in out.as_chunks_mut().0.iter_mut().zip(values) {
                *bytes = value.to_le_bytes();
            }
        }
        GgmlType::F16 => {
            let mut halves = vec![f16::ZERO; values.len()];
            halves.convert_from_f32_slice(values);
            put_u16(halves.reinterpret_cast(), out);
        }
        GgmlType::BF16 => {
            let mut halves = vec![bf16::ZERO; values.len()];
            halves.convert_from_f32_slice(values);
            put_u16(halves.reinterpret_cast(), out);
        }
        GgmlType::Q4_0 => blocks(values, out, legacy::quantize_symmetric::<4, 18>),
        GgmlType::Q4_1 => blocks(values, out, legacy::quantize_affine::<4, 20>),
        GgmlType::Q5_0 => blocks(values, out, legacy::quantize_symmetric::<5, 22>),
        GgmlType::Q5_1 => blocks(values, out, legacy::quantize_affine::<5, 24>),
        GgmlType::Q8_0 => blocks(values, out, q8_0::quantize),
        GgmlType::Q2_K => blocks(values, out, q2_k::quantize),
        GgmlType::Q3_K => blocks(values, out, q3_k::quantize),
        GgmlType::Q4_K => q4_k::quantize_q4(values, out),
        GgmlType::Q5_K => q4_k::quantize_q5(values, out),
        GgmlType::Q6_K => blocks(values, out, q6_k::quantize),
        other => return Err(Error::UnsupportedType(other)),
    }
    Ok(())
}

/// Appends the numbers that `bytes` of type `ggml_type` stand for.
///
/// # Errors
/// [`Error::UnsupportedType`] for a type that this crate does not read, [`Error::PartialBlock`] if `bytes` is no whole
/// number of blocks.
pub fn dequantize(ggml_type: GgmlType, bytes: &[u8], out: &mut Vec<f32>) -> Result<(), Error> {
    let n_blocks = bytes.len() / ggml_type.block_bytes() as usize;
    if n_blocks * ggml_type.block_bytes() as usize != bytes.len() {
        return Err(Error::PartialBlock { ggml_type, len: bytes.len() });
    }
    let start = out.len();
    out.resize(start + n_blocks * ggml_type.block_len() as usize, 0.0);
    let out = &mut out[start..];
    match ggml_type {
        GgmlType::F32 => {
            for (value, &bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
                *value = f32::from_le_bytes(bytes);
            }
        }
        GgmlType::F16 => get_u16(bytes).reinterpret_cast::<f16>().convert_to_f32_slice(out),
        GgmlType::BF16 => get_u16(bytes).reinterpret_cast::<bf16>().convert_to_f32_slice(out),
        GgmlType::Q4_0 => unblock(bytes, out, legacy::dequantize_symmetric::<4, 18>),
        GgmlType::Q4_1 => unblock(bytes, out, legacy::dequantize_affine::<4, 20>),
        GgmlType::Q5_0 => unblock(bytes, out, legacy::dequantize_symmetric::<5, 22>),
        GgmlType::Q5_1 => unblock(bytes, out, legacy::dequantize_affine::<5, 24>),
        GgmlType::Q8_0 => unblock(bytes, out, q8_0::dequantize),
        GgmlType::Q2_K => unblock(bytes, out, q2_k::dequantize),
        GgmlType::Q3_K => unblock(bytes, out, q3_k::dequantize),
        GgmlType::Q4_K => unblock(bytes, out, q4_k::dequantize_q4),
        GgmlType::Q5_K => unblock(bytes, out, q4_k::dequantize_q5),
        GgmlType::Q6_K => unblock(bytes, out, q6_k::dequantize),
        other => return Err(Error::UnsupportedType(other)),
    }
    Ok(())
}

#[inline(always)]
fn blocks<const L: usize, const B: usize>(
    values: &[f32],
    out: &mut [u8],
    block: impl Fn(&[f32; L], &mut [u8; B]),
) {
    for (x, y) in values.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
        block(x, y);
    }
}

fn unblock<const L: usize, const B: usize>(
    bytes: &[u8],
    out: &mut [f32],
    block: fn(&[u8; B], &mut [f32; L]),
) {
    for (y, x) in bytes.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
        block(y, x);
    }
}

fn put_u16(values: &[u16], out: &mut [u8]) {
    for (bytes, value) in out.as_chunks_mut().0.iter_mut().zip(values) {
        *bytes = value.to_le_bytes();
    }
}

fn get_u16(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks().0.iter().map(|&pair| u16::from_le_bytes(pair)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// The registers' width changes no bit.
    #[cfg(target_arch = "x86_64")]
    #[test]
    #[allow(unsafe_code)]
    fn every_instruction_set_gives_the_same_bytes() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let values: Vec<f32> = (0..96 * 256)
            .map(|i| {
                let bell = (0..6).map(|_| rng.random::<f32>()).sum::<f32>() - 3.0;
                bell * [1.0, 1e-3, 30.0, 1e-20, 0.0, 1e-40][i / 256 % 6]
            })
            .collect();
        for ggml_type in crate::FileType::all().map(crate::FileType::base_type) {
            let len = ggml_type.byte_len(values.len() as u64).unwrap() as usize;
            let run = |quantize: &dyn Fn(&mut [u8]) -> Result<(), Error>| {
                let mut bytes = vec![0; len];
                quantize(&mut bytes).unwrap();
                bytes
            };
            let importance: Vec<f32> = values[..256].iter().map(|x| x.abs()).collect();
            for importance in [None, Some(importance.as_slice())] {
                let portable = run(&|out| quantize_portably(ggml_type, &values, importance, out));
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has AVX2.
                    let bytes = run(&|out| unsafe { quantize_avx2(ggml_type, &values, importance, out) });
                    assert!(bytes == portable, "{ggml_type} with AVX2");
                }
                if has_avx512() {
                    // SAFETY: the processor has AVX-512.
                    let bytes = run(&|out| unsafe { quantize_avx512(ggml_type, &values, importance, out) });
                    assert!(bytes == portable, "{ggml_type} with AVX-512");
                }
            }
        }
    }
}
