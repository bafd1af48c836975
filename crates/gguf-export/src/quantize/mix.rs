//! Which type each tensor of a file gets, as `llama-quantize` chooses.

use crate::{FileType, GgmlType, TensorInfo};

/// What the choice depends on beside the tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    /// The file type asked for.
    pub file_type: FileType,
    /// Decoder blocks.
    pub n_layers: usize,
    /// Query heads per key head.
    pub n_gqa: usize,
    /// There is no `output.weight`: the embedding is the head.
    pub tied: bool,
    /// The 80-layer Llama with grouped queries, whose small value matrices get more bits.
    pub is_70b: bool,
    /// There is an importance matrix.
    pub importance: bool,
}

impl Mix {
    /// The type for a tensor now stored as `tensor.ggml_type`.
    pub fn tensor_type(&self, tensor: &TensorInfo) -> GgmlType {
        if !is_matrix(tensor) {
            return tensor.ggml_type;
        }
        let base = self.file_type.base_type();
        if base.block_len() == 1 {
            return base;
        }
        fit(self.wanted(base, tensor), tensor.row_len())
    }

    fn wanted(&self, base: GgmlType, tensor: &TensorInfo) -> GgmlType {
        use FileType::*;
        let name = tensor.name.as_str();
        if name == "output.weight" || (self.tied && name == "token_embd.weight") {
            return match base {
                _ if !tensor.row_len().is_multiple_of(base.block_len()) => GgmlType::Q8_0,
                GgmlType::Q8_0 => GgmlType::Q8_0,
                _ => GgmlType::Q6_K,
            };
        }
        let Some((layer, part)) = block_part(name) else {
            return base;
        };
        let n = self.n_layers;
        match (part, self.file_type) {
            ("attn_v.weight", _) => self.value_type(base, layer),
            ("ffn_down.weight", Q2_K) => GgmlType::Q3_K,
            ("ffn_down.weight", Q3_K_M) if layer < n / 16 => GgmlType::Q5_K,
            ("ffn_down.weight", Q3_K_M) => GgmlType::Q4_K,
            ("ffn_down.weight", Q3_K_L) => GgmlType::Q5_K,
            ("ffn_down.weight", Q4_K_S) if layer < n / 8 => GgmlType::Q5_K,
            ("ffn_down.weight", Q4_K_M | Q5_K_M) if deserves_more(layer, n) => GgmlType::Q6_K,
            ("ffn_down.weight", Q4_0) if self.importance && layer < n / 8 => GgmlType::Q4_1,
            ("ffn_down.weight", Q5_0) if self.importance && layer < n / 8 => GgmlType::Q5_1,
            ("attn_output.weight", Q2_K) => GgmlType::Q3_K,
            ("attn_output.weight", Q3_K_M) => GgmlType::Q4_K,
            ("attn_output.weight", Q3_K_L) => GgmlType::Q5_K,
            _ => base,
        }
    }

    fn value_type(&self, base: GgmlType, layer: usize) -> GgmlType {
        use FileType::*;
        let wanted = match self.file_type {
            Q2_K if self.n_gqa >= 4 => GgmlType::Q4_K,
            Q2_K => GgmlType::Q3_K,
            Q3_K_M if layer < 2 => GgmlType::Q5_K,
            Q3_K_M => GgmlType::Q4_K,
            Q3_K_L => GgmlType::Q5_K,
            Q4_K_M | Q5_K_M if deserves_more(layer, self.n_layers) => GgmlType::Q6_K,
            Q4_K_S if layer < 4 => GgmlType::Q5_K,
            _ => base,
        };
        match wanted {
            GgmlType::Q3_K | GgmlType::Q4_K if self.is_70b => GgmlType::Q5_K,
            _ => wanted,
        }
    }
}

/// The first and last eighth of the blocks, and every third between.
fn deserves_more(layer: usize, n_layers: usize) -> bool {
    let eighth = n_layers / 8;
    layer < eighth || layer >= 7 * n_layers / 8 || (layer - eighth) % 3 == 2
}

/// Norms, biases and other vectors keep their type.
fn is_matrix(tensor: &TensorInfo) -> bool {
    let n_dims = tensor.dims.iter().rposition(|&dim| dim > 1).map_or(0, |last| last + 1);
    n_dims >= 2 && tensor.name.ends_with("weight") && !tensor.name.contains("_norm.weight")
}

/// A row that does not fill blocks of 256 takes the nearest type with blocks of 32, else F16.
fn fit(wanted: GgmlType, row_len: u64) -> GgmlType {
    if row_len.is_multiple_of(wanted.block_len()) {
        return wanted;
    }
    let smaller = match wanted {
        GgmlType::Q2_K | GgmlType::Q3_K => GgmlType::Q4_0,
        GgmlType::Q4_K => GgmlType::Q5_0,
        GgmlType::Q5_K => GgmlType::Q5_1,
        GgmlType::Q6_K => GgmlType::Q8_0,
        other => other,
    };
    if row_len.is_multiple_of(smaller.block_len()) { smaller } else { GgmlType::F16 }
}

/// `blk.3.attn_v.weight` -> (3, `attn_v.weight`).
fn block_part(name: &str) -> Option<(usize, &str)> {
    let (layer, part) = name.strip_prefix("blk.")?.split_once('.')?;
    Some((layer.parse().ok()?, part))
}
