//! The tool `grow` on a checkpoint of the demonstration's size.

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use nanologic_model::{Checkpoint, Config, Progress, Provenance, TrainingState, Weights};

/// The example's binary, which `cargo test` builds beside this test.
fn tool(name: &str) -> Command {
    let test = std::env::current_exe().expect("a running test has a path");
    let profile = test.ancestors().nth(2).expect("tests are in PROFILE/deps");
    let tool: PathBuf = profile.join("examples").join(name);
    assert!(tool.exists(), "{} is built by `cargo test`", tool.display());
    Command::new(tool)
}

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
