//! Whole files against llama.cpp's own quantizer: every byte, by SHA-256. `tests/golden/reference.py` says how the hashes
//! are made anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gguf_export::{
    FileType, GgmlType, ImportanceMatrix, Metadata, RequantizeOptions, Writer, quantize, requantize,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// A small decoder; rows of `narrow` do not fill blocks of 256, so that types fall back.
struct Shape {
    name: &'static str,
    architecture: &'static str,
    d: u64,
    heads: u64,
    kv_heads: u64,
    ff: u64,
    layers: u64,
    tied: bool,
}

const SHAPES: [Shape; 3] = [
    Shape {
        name: "llama",
        architecture: "llama",
        d: 256,
        heads: 4,
        kv_heads: 1,
        ff: 512,
        layers: 9,
        tied: false,
    },
    Shape {
        name: "qwen3",
        architecture: "qwen3",
        d: 512,
        heads: 4,
        kv_heads: 2,
        ff: 256,
        layers: 4,
        tied: true,
    },
    Shape {
        name: "narrow",
        architecture: "llama",
        d: 320,
        heads: 5,
        kv_heads: 5,
        ff: 415,
        layers: 2,
        tied: false,
    },
];
const VOCABULARY: u64 = 64;
const HEAD_DIM: u64 = 64;

impl Shape {
    fn tensors(&self) -> Vec<(String, Vec<u64>)> {
        let Shape { d, ff, .. } = *self;
        let (q, kv) = (self.heads * HEAD_DIM, self.kv_heads * HEAD_DIM);
        let mut tensors = vec![("token_embd.weight".to_owned(), vec![d, VOCABULARY])];
        for layer in 0..self.layers {
            let mut add = |name: &str, dims: &[u64]| {
                tensors.push((format!("blk.{layer}.{name}.weight"), dims.to_vec()));
            };
            add("attn_norm", &[d]);
            add("attn_q", &[d, q]);
            add("attn_k", &[d, kv]);
            add("attn_v", &[d, kv]);
            if self.architecture == "qwen3" {
                add("attn_q_norm", &[HEAD_DIM]);
                add("attn_k_norm", &[HEAD_DIM]);
            }
            add("attn_output", &[q, d]);
            add("ffn_norm", &[d]);
            add("ffn_gate", &[d, ff]);
            add("ffn_up", &[d, ff]);
            add("ffn_down", &[ff, d]);
        }
        tensors.push(("output_norm.weight".to_owned(), vec![d]));
        if !self.tied {
            tensors.push(("output.weight".to_owned(), vec![d, VOCABULARY]));
        }
        tensors
    }

    fn metadata(&self, file_type: FileType) -> Metadata {
        let mut metadata = Metadata::default();
        metadata.set("general.architecture", self.architecture);
        metadata.set("general.file_type", file_type.id());
        metadata.set("general.name", self.name);
        let sizes = [
            ("block_count", self.layers),
            ("context_length", 128),
            ("embedding_length", self.d),
            ("feed_forward_length", self.ff),
            ("attention.head_count", self.heads),
            ("attention.head_count_kv", self.kv_heads),
            ("attention.key_length", HEAD_DIM),
            ("attention.value_length", HEAD_DIM),
            ("rope.dimension_count", HEAD_DIM),
        ];
        for (key, size) in sizes {
            metadata.set(&format!("{}.{key}", self.architecture), size as u32);
        }
        metadata.set(&format!("{}.attention.layer_norm_rms_epsilon", self.architecture), 1e-5_f32);
        metadata.set("tokenizer.ggml.model", "none");
        metadata
    }

    /// Seeded weights, with rows that take the odd branches: zero, constant, tiny, and with outliers.
    fn file(&self, file_type: FileType) -> Vec<u8> {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let typed = self.tensors().into_iter().map(|(name, dims)| {
            let ggml_type = if dims.len() == 1 { GgmlType::F32 } else { file_type.base_type() };
            (name, dims, ggml_type)
        });
        let tensors = Writer::lay_out(typed).unwrap();
        let mut writer = Writer::new(Vec::new(), &self.metadata(file_type), tensors.clone()).unwrap();
        for tensor in tensors {
            let mut values = Vec::new();
            for row in 0..tensor.n_elements().unwrap() / tensor.row_len() {
                for column in 0..tensor.row_len() {
                    let bell: f32 = (0..6).map(|_| rng.random::<f32>()).sum::<f32>() - 3.0;
                    values.push(match row {
                        3 => bell,
                        7 => 0.0,
                        11 => 0.01,
                        17 => bell * 1e-6,
                        _ if column == 5 => bell * 0.5,
                        _ => bell * 0.05,
                    });
                }
            }
            let mut bytes = Vec::new();
            quantize(tensor.ggml_type, &values, &mut bytes).unwrap();
            writer.write(&bytes).unwrap();
        }
        writer.finish().unwrap()
    }
}

/// Seeded importance of every input of every matrix of the blocks and of the head; some inputs were never seen.
fn importance(shape: &Shape) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let matrices =
        shape.tensors().into_iter().filter(|(name, dims)| dims.len() == 2 && name != "token_embd.weight");
    let pair = |(name, dims): (String, Vec<u64>)| {
        [(format!("{name}.in_sum2"), vec![dims[0], 1]), (format!("{name}.counts"), vec![1, 1])]
    };
    let typed = matrices.flat_map(pair).map(|(name, dims)| (name, dims, GgmlType::F32));
    let tensors = Writer::lay_out(typed).unwrap();
    let mut metadata = Metadata::default();
    metadata.set("general.type", "imatrix");
    metadata.set("imatrix.datasets", vec!["seeded.txt".to_owned()]);
    metadata.set("imatrix.chunk_count", 3_u32);
    metadata.set("imatrix.chunk_size", 512_u32);
    let mut writer = Writer::new(Vec::new(), &metadata, tensors.clone()).unwrap();
    for tensor in tensors {
        let mut draw = |i: u64| if i % 37 == 5 { 0.0 } else { rng.random::<f32>().powi(4) * 900.0 };
        let counts = tensor.name.ends_with(".counts");
        let values: Vec<f32> = match counts {
            // A matrix that no text reached.
            true => vec![if tensor.name.starts_with("blk.1.ffn_up") { 0.0 } else { 1536.0 }],
            false => (0..tensor.row_len()).map(&mut draw).collect(),
        };
        let mut bytes = Vec::new();
        quantize(GgmlType::F32, &values, &mut bytes).unwrap();
        writer.write(&bytes).unwrap();
    }
    writer.finish().unwrap()
}

fn inputs(folder: &Path) -> BTreeMap<String, std::path::PathBuf> {
    let mut inputs = BTreeMap::new();
    for shape in &SHAPES {
        // Every type from F16; from the others, the shape in which the types fall back.
        for file_type in [FileType::F16, FileType::F32, FileType::BF16] {
            if file_type != FileType::F16 && shape.name != "narrow" {
                continue;
            }
            let name = format!("{}-{file_type}", shape.name);
            let path = folder.join(format!("{name}.gguf"));
            fs::write(&path, shape.file(file_type)).unwrap();
            if shape.architecture == "llama" && file_type == FileType::F16 {
                fs::write(folder.join(format!("{name}.imatrix")), importance(shape)).unwrap();
            }
            inputs.insert(name, path);
        }
    }
    inputs
}

#[test]
fn whole_files_are_those_of_llama_quantize() {
    let temporary = tempfile::tempdir().unwrap();
    if let Some(folder) = std::env::var_os("GOLDEN_INPUTS") {
        inputs(folder.as_ref());
    }
    let inputs = inputs(temporary.path());
    let golden = include_str!("../golden/llama_quantize.txt");
    // Each input as every type and copied; two of them as every type by what the numbers matter, too.
    let n_types = FileType::all().count();
    assert_eq!(golden.lines().count(), inputs.len() * (n_types + 1) + 2 * n_types);
    golden.lines().collect::<Vec<_>>().par_iter().enumerate().for_each(|(number, line)| {
        let [input, file_type, expected] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("three words a line, not {line:?}");
        };
        let out = temporary.path().join(format!("out-{number}"));
        let file_type = (file_type != "COPY").then(|| file_type.parse().unwrap());
        let (input, importance) = match input.strip_suffix("+imatrix") {
            None => (input, None),
            Some(input) => {
                let file = format!("{input}.imatrix");
                let mut matrix = ImportanceMatrix::open(&temporary.path().join(&file)).unwrap();
                matrix.file = file;
                (input, Some(matrix))
            }
        };
        let options = RequantizeOptions { file_type, importance, ..Default::default() };
        requantize(&inputs[input], &out, &options).unwrap();
        let found: String =
            Sha256::digest(fs::read(&out).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, expected, "{line}");
    });
}
