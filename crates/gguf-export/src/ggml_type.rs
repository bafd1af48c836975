//! How numbers lie in a tensor: ggml's types, their block sizes, and the file types that mix them.

use std::fmt;
use std::str::FromStr;

/// A ggml storage type. A tensor row is cut into blocks of [`block_len`](GgmlType::block_len) numbers, each stored in
/// [`block_bytes`](GgmlType::block_bytes) bytes. Names and ids are those of `gguf-py/gguf/constants.py`.
#[allow(non_camel_case_types, missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GgmlType {
    F32,
    F16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q8_1,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    Q8_K,
    IQ2_XXS,
    IQ2_XS,
    IQ3_XXS,
    IQ1_S,
    IQ4_NL,
    IQ3_S,
    IQ2_S,
    IQ4_XS,
    I8,
    I16,
    I32,
    I64,
    F64,
    IQ1_M,
    BF16,
    TQ1_0,
    TQ2_0,
    MXFP4,
}

/// Type, id in the file, name, numbers per block, bytes per block.
type Layout = (GgmlType, u32, &'static str, u64, u64);

#[rustfmt::skip]
const LAYOUTS: [Layout; 32] = {
    use GgmlType::*;
    [
        (F32,      0, "F32",       1,   4),
        (F16,      1, "F16",       1,   2),
        (Q4_0,     2, "Q4_0",     32,  18),
        (Q4_1,     3, "Q4_1",     32,  20),
        (Q5_0,     6, "Q5_0",     32,  22),
        (Q5_1,     7, "Q5_1",     32,  24),
        (Q8_0,     8, "Q8_0",     32,  34),
        (Q8_1,     9, "Q8_1",     32,  36),
        (Q2_K,    10, "Q2_K",    256,  84),
        (Q3_K,    11, "Q3_K",    256, 110),
        (Q4_K,    12, "Q4_K",    256, 144),
        (Q5_K,    13, "Q5_K",    256, 176),
        (Q6_K,    14, "Q6_K",    256, 210),
        (Q8_K,    15, "Q8_K",    256, 292),
        (IQ2_XXS, 16, "IQ2_XXS", 256,  66),
        (IQ2_XS,  17, "IQ2_XS",  256,  74),
        (IQ3_XXS, 18, "IQ3_XXS", 256,  98),
        (IQ1_S,   19, "IQ1_S",   256,  50),
        (IQ4_NL,  20, "IQ4_NL",   32,  18),
        (IQ3_S,   21, "IQ3_S",   256, 110),
        (IQ2_S,   22, "IQ2_S",   256,  82),
        (IQ4_XS,  23, "IQ4_XS",  256, 136),
        (I8,      24, "I8",        1,   1),
        (I16,     25, "I16",       1,   2),
        (I32,     26, "I32",       1,   4),
        (I64,     27, "I64",       1,   8),
        (F64,     28, "F64",       1,   8),
        (IQ1_M,   29, "IQ1_M",   256,  56),
        (BF16,    30, "BF16",      1,   2),
        (TQ1_0,   34, "TQ1_0",   256,  54),
        (TQ2_0,   35, "TQ2_0",   256,  66),
        (MXFP4,   39, "MXFP4",    32,  17),
    ]
};

impl GgmlType {
    /// The type with this id in a file; `None` for ids never given out or given up.
    pub fn from_id(id: u32) -> Option<GgmlType> {
        LAYOUTS.iter().find(|layout| layout.1 == id).map(|layout| layout.0)
    }

    /// The id in a file.
    pub fn id(self) -> u32 {
        self.layout().1
    }

    /// The name as ggml spells it.
    pub fn name(self) -> &'static str {
        self.layout().2
    }

    /// Numbers in a block.
    pub fn block_len(self) -> u64 {
        self.layout().3
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> u64 {
        self.layout().4
    }

    /// Bytes that `n_elements` numbers take; `None` if they do not fill whole blocks or the product overflows.
    pub fn byte_len(self, n_elements: u64) -> Option<u64> {
        if !n_elements.is_multiple_of(self.block_len()) {
            return None;
        }
        (n_elements / self.block_len()).checked_mul(self.block_bytes())
    }

    fn layout(self) -> Layout {
        LAYOUTS[self as usize]
    }
}

impl fmt::Display for GgmlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a whole file is called: one type for all matrices, or a mix that spends more bits where they count.
/// Ids are `general.file_type`.
#[allow(non_camel_case_types, missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileType {
    F32,
    F16,
    Q4_0,
    Q4_1,
    Q8_0,
    Q5_0,
    Q5_1,
    Q2_K,
    Q3_K_S,
    Q3_K_M,
    Q3_K_L,
    Q4_K_S,
    Q4_K_M,
    Q5_K_S,
    Q5_K_M,
    Q6_K,
    BF16,
}

#[rustfmt::skip]
const FILE_TYPES: [(FileType, u32, &str, GgmlType); 17] = {
    use FileType::*;
    [
        (F32,     0, "F32",    GgmlType::F32),
        (F16,     1, "F16",    GgmlType::F16),
        (Q4_0,    2, "Q4_0",   GgmlType::Q4_0),
        (Q4_1,    3, "Q4_1",   GgmlType::Q4_1),
        (Q8_0,    7, "Q8_0",   GgmlType::Q8_0),
        (Q5_0,    8, "Q5_0",   GgmlType::Q5_0),
        (Q5_1,    9, "Q5_1",   GgmlType::Q5_1),
        (Q2_K,   10, "Q2_K",   GgmlType::Q2_K),
        (Q3_K_S, 11, "Q3_K_S", GgmlType::Q3_K),
        (Q3_K_M, 12, "Q3_K_M", GgmlType::Q3_K),
        (Q3_K_L, 13, "Q3_K_L", GgmlType::Q3_K),
        (Q4_K_S, 14, "Q4_K_S", GgmlType::Q4_K),
        (Q4_K_M, 15, "Q4_K_M", GgmlType::Q4_K),
        (Q5_K_S, 16, "Q5_K_S", GgmlType::Q5_K),
        (Q5_K_M, 17, "Q5_K_M", GgmlType::Q5_K),
        (Q6_K,   18, "Q6_K",   GgmlType::Q6_K),
        (BF16,   32, "BF16",   GgmlType::BF16),
    ]
};

impl FileType {
    /// Every file type this crate writes.
    pub fn all() -> impl Iterator<Item = FileType> {
        FILE_TYPES.iter().map(|row| row.0)
    }

    /// The file type with this `general.file_type`.
    pub fn from_id(id: u32) -> Option<FileType> {
        FILE_TYPES.iter().find(|row| row.1 == id).map(|row| row.0)
    }

    /// The value of `general.file_type`.
    pub fn id(self) -> u32 {
        FILE_TYPES[self as usize].1
    }

    /// The name as `llama-quantize` spells it.
    pub fn name(self) -> &'static str {
        FILE_TYPES[self as usize].2
    }

    /// The type of most matrices.
    pub fn base_type(self) -> GgmlType {
        FILE_TYPES[self as usize].3
    }
}

impl fmt::Display for FileType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No file type has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no quantization is called {0:?}; the names are F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K_S/M/L, Q4_K_S/M, Q5_K_S/M, Q6_K"
)]
pub struct UnknownFileType(String);

impl FromStr for FileType {
    type Err = UnknownFileType;

    fn from_str(name: &str) -> Result<FileType, UnknownFileType> {
        FileType::all()
            .find(|file_type| file_type.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownFileType(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stand_in_the_order_of_their_enums() {
        for (place, layout) in LAYOUTS.iter().enumerate() {
            assert_eq!(layout.0 as usize, place);
            assert_eq!(GgmlType::from_id(layout.1), Some(layout.0));
        }
        for (place, row) in FILE_TYPES.iter().enumerate() {
            assert_eq!(row.0 as usize, place);
            assert_eq!(row.2.parse(), Ok(row.0));
        }
    }

    #[test]
    fn removed_and_unknown_ids_are_no_type() {
        for id in [4, 5, 31, 32, 33, 36, 37, 38, 999, u32::MAX] {
            assert_eq!(GgmlType::from_id(id), None, "{id}");
        }
    }

    #[test]
    fn byte_len_wants_whole_blocks() {
        assert_eq!(GgmlType::Q8_0.byte_len(64), Some(68));
        assert_eq!(GgmlType::Q8_0.byte_len(31), None);
        assert_eq!(GgmlType::F32.byte_len(u64::MAX / 2), None);
    }
}
