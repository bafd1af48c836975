//! Faults planted in a good file: the proof sees each of them.

use std::path::Path;

use gguf_export::{
    ExportOptions, FileType, GgmlType, GgufFile, Metadata, Proof, Writer, compare, dequantize, export,
    probes, quantize,
};

use crate::checkpoint::{HEAD_DIM, Toy};

/// A tensor of a file, its numbers in F32.
struct Tensor {
    name: String,
    dims: Vec<u64>,
    values: Vec<f32>,
}

/// Copies a file with something changed.
fn tamper(from: &Path, to: &Path, fault: impl Fn(&mut Metadata, &mut Vec<Tensor>)) {
    let file = GgufFile::open(from).unwrap();
    let mut metadata = file.header().metadata.clone();
    let mut tensors: Vec<Tensor> = file
        .header()
        .tensors
        .iter()
        .map(|info| {
            let mut values = Vec::new();
            dequantize(info.ggml_type, file.bytes(info), &mut values).unwrap();
            Tensor { name: info.name.clone(), dims: info.dims.clone(), values }
        })
        .collect();
    fault(&mut metadata, &mut tensors);
    let shapes = tensors.iter().map(|t| (t.name.clone(), t.dims.clone(), GgmlType::F32));
    let mut writer = Writer::new(Vec::new(), &metadata, Writer::lay_out(shapes).unwrap()).unwrap();
    for tensor in &tensors {
        let mut bytes = Vec::new();
        quantize(GgmlType::F32, &tensor.values, &mut bytes).unwrap();
        writer.write(&bytes).unwrap();
    }
    std::fs::write(to, writer.finish().unwrap()).unwrap();
}

/// What the proof says of a llama file with biases after `fault`.
fn proof_after(fault: impl Fn(&mut Metadata, &mut Vec<Tensor>)) -> Proof {
    let toy = Toy::random(false, true, true, 384);
    let folder = tempfile::tempdir().unwrap();
    let (checkpoint, good, bad) =
        (folder.path().join("toy"), folder.path().join("good.gguf"), folder.path().join("bad.gguf"));
    toy.save(&checkpoint);
    let options = ExportOptions {
        file_type: FileType::F32,
        probes: probes(toy.vocab_size, 1, 4),
        ..ExportOptions::default()
    };
    export(&checkpoint, &good, &options, &toy).unwrap();
    tamper(&good, &bad, fault);
    compare(&GgufFile::open(&bad).unwrap(), &toy, &probes(toy.vocab_size, 2, 12)).unwrap()
}

fn find<'a>(tensors: &'a mut [Tensor], name: &str) -> &'a mut Tensor {
    tensors.iter_mut().find(|tensor| tensor.name == name).unwrap()
}

#[test]
fn an_untouched_copy_is_exact() {
    assert!(proof_after(|_, _| ()).is_exact());
}

#[test]
fn swapped_query_rows_are_seen() {
    let proof = proof_after(|_, tensors| {
        let query = find(tensors, "blk.1.attn_q.weight");
        let width = query.dims[0] as usize;
        let (one, other) = query.values.split_at_mut(width);
        one.swap_with_slice(&mut other[..width]);
    });
    assert!(!proof.is_exact(), "{proof}");
}

#[test]
fn key_rows_left_in_their_old_order_are_seen() {
    let proof = proof_after(|_, tensors| {
        let key = find(tensors, "blk.0.attn_k.weight");
        let width = key.dims[0] as usize;
        let rows: Vec<Vec<f32>> = key.values.chunks(width).map(<[f32]>::to_vec).collect();
        key.values = (0..rows.len())
            .flat_map(|row| {
                let (head, i) = (row / HEAD_DIM, row % HEAD_DIM);
                rows[head * HEAD_DIM + i % (HEAD_DIM / 2) * 2 + i / (HEAD_DIM / 2)].clone()
            })
            .collect();
    });
    assert!(!proof.is_exact(), "{proof}");
}

#[test]
fn a_wrong_rope_base_is_seen() {
    let proof = proof_after(|metadata, _| metadata.set("llama.rope.freq_base", 10_500.0_f32));
    assert!(!proof.is_exact(), "{proof}");
}

#[test]
fn a_lost_bias_is_seen() {
    let proof = proof_after(|_, tensors| tensors.retain(|tensor| tensor.name != "blk.1.ffn_up.bias"));
    assert!(!proof.is_exact(), "{proof}");
}

#[test]
fn one_scaled_gamma_is_seen() {
    let proof = proof_after(|_, tensors| find(tensors, "blk.1.ffn_norm.weight").values[7] *= 1.02);
    assert!(!proof.is_exact(), "{proof}");
}

#[test]
fn a_wrong_epsilon_is_seen() {
    let proof = proof_after(|metadata, _| metadata.set("llama.attention.layer_norm_rms_epsilon", 1e-2_f32));
    assert!(!proof.is_exact(), "{proof}");
}
