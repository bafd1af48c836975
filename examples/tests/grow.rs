//! The tool `grow` on a checkpoint of the demonstration's size.

mod tool;

use std::{collections::BTreeMap, path::PathBuf};

use nanologic_model::{Checkpoint, Config, Progress, Provenance, Reference, TrainingState, Weights};
use tool::tool;

/// A model with nothing at zero, and moments beside it.
fn checkpoint(config: Config) -> Checkpoint {
    let mut weights = Weights::init(&config, 1);
    for (n, array) in weights.0.values_mut().enumerate() {
        for (i, x) in array.data.iter_mut().enumerate() {
            *x += ((i * 31 + n * 7) % 17) as f32 / 400.0 - 0.02;
        }
    }
    let moments = weights.0.iter().map(|(name, array)| (format!("momentum.{name}"), array.clone()));
    let training = TrainingState {
        moments: Weights(moments.collect::<BTreeMap<_, _>>()),
        progress: Progress { step: 5, optimizer_step: 5, ..Progress::default() },
    };
    Checkpoint {
        config,
        weights,
        tokenizer: None,
        training: Some(training),
        provenance: Provenance::default(),
    }
}

#[test]
fn the_demonstration_grows_wider_and_deeper_with_its_state() {
    let home = tempfile::tempdir().unwrap();
    let (small, large) = (home.path().join("small"), home.path().join("large"));
    let config = Config { vocab_size: 500, ..Config::demo() };
    checkpoint(config.clone()).save(&small).unwrap();
    let changes = home.path().join("larger.json");
    std::fs::write(
        &changes,
        r#"{"hidden_size": 192, "num_hidden_layers": 6, "num_attention_heads": 6, "intermediate_size": 768}"#,
    )
    .unwrap();
    let mut grow = tool("grow");
    grow.arg("--checkpoint").arg(&small).arg("--to").arg(&changes).arg("--out").arg(&large);
    let output = grow.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(report.contains("InsertLayers { to: 6 }") && report.contains("Exact"), "{report}");

    let grown = Checkpoint::load(&large).unwrap();
    let target = Config { d_model: 192, n_layers: 6, n_heads: 6, d_ff: 768, ..config };
    assert_eq!(grown.config, target);
    let state = grown.training.unwrap();
    assert_eq!(state.progress.optimizer_step, 5);
    assert_eq!(state.moments.0["momentum.model.layers.5.mlp.up_proj.weight"].shape, [768, 192]);
    let proof: serde_json::Value =
        serde_json::from_slice(&std::fs::read(large.join("growth.json")).unwrap()).unwrap();
    let delta = proof["proof"]["max_logit_delta_f32"].as_f64().unwrap();
    assert!(delta < 1e-4, "{delta}");

    let again = grow.output().unwrap();
    assert!(!again.status.success(), "nothing is overwritten");
}

/// Folders that `transformers` wrote, grown by the tool, still compute what `transformers` computed with the small ones;
/// `crates/thau-growth/tests/compare_transformers.py` asks `transformers` itself about the grown ones.
#[test]
fn folders_of_transformers_grow_and_compute_what_it_computed() {
    let fixtures =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/gguf-export/tests/hugging_face"));
    let wider = r#"{"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 6, "num_key_value_heads": 3,
        "intermediate_size": 100, "vocab_size": 320, "max_position_embeddings": 128"#;
    // Wider heads move RoPE's base, which newer folders say in another place; with a QK-norm they are not exact.
    let with_heads = r#", "head_dim": 12}"#;
    for (name, end, layer_types) in [("tiny_llama_plain", with_heads, 0), ("tiny_qwen3", "}", 3)] {
        let home = tempfile::tempdir().unwrap();
        let (changes, grown) = (home.path().join("larger.json"), home.path().join("grown"));
        std::fs::write(&changes, format!("{wider}{end}")).unwrap();
        let mut grow = tool("grow");
        grow.arg("--checkpoint").arg(fixtures.join(name)).arg("--to").arg(&changes).arg("--out").arg(&grown);
        let output = grow.output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));

        let (tokens, logits) = read_logits(&fixtures.join(name).join("expected.safetensors"));
        let Checkpoint { config, weights, .. } = Checkpoint::load(&grown).unwrap();
        let found = Reference::<f64>::new(&config, &weights).unwrap().logits(&tokens).unwrap();
        let largest = logits.iter().fold(0f64, |most, logit| most.max(logit.abs()));
        for (old, new) in logits.chunks(312).zip(found.chunks(320)) {
            for (old, new) in old.iter().zip(new) {
                assert!((old - new).abs() < 1e-6 * largest, "{name}: {old} {new}");
            }
        }

        // What is said in two places is said the same.
        let json: serde_json::Value =
            serde_json::from_slice(&std::fs::read(grown.join("config.json")).unwrap()).unwrap();
        assert_eq!(json["rope_parameters"]["rope_theta"], json["rope_theta"], "{name}");
        assert_eq!(json["layer_types"].as_array().map_or(0, Vec::len), layer_types, "{name}");
        assert_eq!((&json["dtype"], &json["eos_token_id"]), (&"float32".into(), &2.into()), "{name}");
    }
}

/// Tokens, and the logits that `transformers` computed for them in float64.
fn read_logits(path: &std::path::Path) -> (Vec<u32>, Vec<f64>) {
    let bytes = std::fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let data = |name: &str| file.tensor(name).unwrap().data().to_vec();
    let tokens = data("tokens").as_chunks().0.iter().map(|&id| i64::from_le_bytes(id) as u32).collect();
    let logits: Vec<f64> =
        data("logits").as_chunks().0.iter().map(|&x| f64::from(f32::from_le_bytes(x))).collect();
    (tokens, logits)
}
