//! A tensor's entry in the header.

use crate::GgmlType;

/// Name, shape, type and place of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Name in ggml's words, as `blk.0.attn_q.weight`.
    pub name: String,
    /// Sizes, the fastest-running first: a Linear of shape `(out, in)` has `[in, out]`.
    pub dims: Vec<u64>,
    /// How its numbers lie.
    pub ggml_type: GgmlType,
    /// Bytes from the start of the data section.
    pub offset: u64,
}

impl TensorInfo {
    /// Numbers in a row, the unit that block types cut up.
    pub fn row_len(&self) -> u64 {
        self.dims.first().copied().unwrap_or(0)
    }

    /// How many numbers; `None` on overflow.
    pub fn n_elements(&self) -> Option<u64> {
        self.dims.iter().try_fold(1_u64, |product, &dim| product.checked_mul(dim))
    }

    /// How many bytes; `None` if a row does not fill whole blocks or on overflow.
    pub fn byte_len(&self) -> Option<u64> {
        self.ggml_type.byte_len(self.row_len())?;
        self.ggml_type.byte_len(self.n_elements()?)
    }
}

/// `offset` rounded up to a multiple of `alignment`; `None` on overflow.
pub(crate) fn align_up(offset: u64, alignment: u64) -> Option<u64> {
    offset.checked_next_multiple_of(alignment)
}
