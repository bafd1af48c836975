//! The full profile folds into architectures that know nothing of it, or is refused by name.

use gguf_export::{Approximation, Error, ExportOptions, FileType, GgufFile, Manifest, export, probes};
use serde_json::{Value, json};

use crate::checkpoint::{HEAD_DIM, LAYERS, Toy};

/// Every option alone, then what may stand together.
pub fn foldable() -> Vec<(&'static str, Toy)> {
    let alphas = vec![1.7; 2 * LAYERS];
    let frequencies: Vec<f64> = (0..HEAD_DIM / 2).map(|i| 0.9 * 0.8_f64.powi(i as i32)).collect();
    let all = json!({"residual_scales": alphas, "embedding_scale": 16.0, "head_scale": true, "gate_residual": true,
        "differential_attention": true, "rope_frequencies": frequencies});
    let with_qk_norm = json!({"residual_scales": alphas, "embedding_scale": 16.0, "head_scale": true,
        "differential_attention": true});
    vec![
        ("residual scales", Toy::full(true, true, json!({ "residual_scales": alphas }))),
        ("embedding scale", Toy::full(true, true, json!({"embedding_scale": 16.0}))),
        ("head scale", Toy::full(true, false, json!({"head_scale": true}))),
        ("gate residual", Toy::full(false, true, json!({"gate_residual": true}))),
        ("differential attention", Toy::full(true, true, json!({"differential_attention": true}))),
        ("RoPE frequencies", Toy::full(false, true, json!({ "rope_frequencies": frequencies }))),
        ("qwen3 with all it takes", Toy::full(true, true, with_qk_norm.clone())),
        ("qwen3, a head of its own", Toy::full(true, false, with_qk_norm)),
        ("llama with all", Toy::full(false, true, all.clone())),
        ("llama, a head of its own", Toy::full(false, false, all)),
    ]
}

fn export_toy(
    toy: &Toy,
    file_type: FileType,
    allow_approximate: &[Approximation],
) -> (tempfile::TempDir, Result<Manifest, Error>) {
    let folder = tempfile::tempdir().unwrap();
    toy.save(&folder.path().join("toy"));
    let allow_approximate = allow_approximate.to_vec();
    let options = ExportOptions {
        file_type,
        allow_approximate,
        probes: probes(toy.vocab_size, 2, 12),
        ..Default::default()
    };
    let manifest = export(&folder.path().join("toy"), &folder.path().join("toy.gguf"), &options, toy);
    (folder, manifest)
}

#[test]
fn what_folds_computes_the_same() {
    for (name, toy) in foldable() {
        let (_, manifest) = export_toy(&toy, FileType::F32, &[]);
        let manifest = manifest.unwrap_or_else(|error| panic!("{name}: {error}"));
        // Epsilon weighs more beside a smaller stream.
        assert!(manifest.logits.relative_difference() < 2e-5, "{name}: {}", manifest.logits);
        assert!(!manifest.changes.is_empty(), "{name}");
    }
}

#[test]
fn folded_weights_stay_in_the_range_of_half_precision() {
    // DeepNorm's constant at 8 blocks, four times over: the stream grows by a factor of 65536.
    let toy =
        Toy::full(true, true, json!({"residual_scales": [16.0, 16.0, 16.0, 16.0], "embedding_scale": 16.0}));
    let (folder, manifest) = export_toy(&toy, FileType::F16, &[]);
    let manifest = manifest.unwrap();
    assert!(manifest.logits.mean_kl < 1e-5, "{}", manifest.logits);
    let file = GgufFile::open(&folder.path().join("toy.gguf")).unwrap();
    for tensor in file.header().tensors.iter().filter(|tensor| tensor.dims.len() == 2) {
        let mut values = Vec::new();
        gguf_export::dequantize(tensor.ggml_type, file.bytes(tensor), &mut values).unwrap();
        let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        assert!((1e-4..=64.0).contains(&largest), "{}: {largest}", tensor.name);
    }
}

#[test]
fn a_weight_beyond_half_precision_is_refused_by_name() {
    let toy = Toy::full(true, false, json!({"embedding_scale": 1e6}));
    match export_toy(&toy, FileType::F16, &[]).1 {
        Err(Error::OutOfRange { name, .. }) => assert_eq!(name, "token_embd.weight"),
        other => panic!("{other:?}"),
    }
    export_toy(&toy, FileType::BF16, &[]).1.unwrap();
}

#[test]
fn what_no_architecture_has_together_is_refused_by_name() {
    let frequencies = vec![0.5; HEAD_DIM / 2];
    for (full, named) in [
        (json!({"gate_residual": true}), "gate_residual with use_qk_norm"),
        (json!({ "rope_frequencies": frequencies }), "rope_frequencies with use_qk_norm"),
        (json!({"final_logit_softcapping": 30.0}), "final_logit_softcapping = 30"),
        (json!({"attn_logit_softcapping": 20.0}), "attn_logit_softcapping = 20"),
    ] {
        match export_toy(&Toy::full(true, true, full), FileType::F16, &[]).1 {
            Err(Error::Refused { what, .. }) => assert_eq!(what, named),
            other => panic!("{named}: {other:?}"),
        }
    }
}

#[test]
fn a_malformed_profile_is_an_error() {
    for full in [
        json!({"residual_scales": [1.5]}),
        json!({"residual_scales": [1.5, -1.0, 1.5, 1.5]}),
        json!({"embedding_scale": "large"}),
        json!({"head_scale": 1}),
        json!({"final_logit_softcapping": 0.0}),
    ] {
        let toy = Toy::full(true, true, full.clone());
        let folder = tempfile::tempdir().unwrap();
        toy.save(folder.path());
        let result = export(folder.path(), &folder.path().join("toy.gguf"), &ExportOptions::default(), &toy);
        assert!(matches!(result, Err(Error::Field { .. })), "{full}: {result:?}");
    }
}

#[test]
fn caps_are_left_out_only_on_request_and_the_cost_is_measured() {
    let caps: Value = json!({"final_logit_softcapping": 4.0, "attn_logit_softcapping": 2.0});
    let toy = Toy::full(true, true, caps);
    let manifest = export_toy(&toy, FileType::F16, &[Approximation::Softcap]).1.unwrap();
    let approximate = manifest.approximate.unwrap();
    assert_eq!(approximate.left_out, ["attn_logit_softcapping = 2", "final_logit_softcapping = 4"]);
    assert!(manifest.graph.is_exact(), "{}", manifest.graph);
    assert!(approximate.logits.mean_kl > 1e-6, "{}", approximate.logits);
    assert!((manifest.logits.mean_kl / approximate.logits.mean_kl - 1.0).abs() < 0.1);
}

#[test]
fn a_wrong_weight_is_seen_beside_an_approximation() {
    let mut toy = Toy::full(true, true, json!({"final_logit_softcapping": 4.0}));
    let folder = tempfile::tempdir().unwrap();
    toy.save(folder.path());
    toy.weights.get_mut("model.layers.1.input_layernorm.weight").unwrap().1[3] *= 1.05;
    let options = ExportOptions { allow_approximate: vec![Approximation::Softcap], ..Default::default() };
    let result = export(folder.path(), &folder.path().join("toy.gguf"), &options, &toy);
    assert!(matches!(result, Err(Error::NotProven(_))), "{result:?}");
}
