//! Every check, in the order of what fails fastest; the tests last, so that their closing lines stay in sight.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::command::Command;
use crate::demo;

/// Each crate with the features that must build alone; the empty name is the crate without any.
const FEATURES: &[(&str, &[&str])] = &[
    ("logic-parser", &["", "sat", "serde", "rayon"]),
    ("data-pipeline", &["", "verify"]),
    ("thau-growth", &[""]),
    ("gguf-export", &["", "llama-cpp"]),
    ("self-learning", &["", "memory", "tools", "server"]),
    ("nanologic-model", &["", "torch", "thau-growth", "gguf-export", "self-learning"]),
];

/// Runs them all, and with `long` a million rows and the whole main job.
pub fn run(root: &Path, long: bool) -> Result<()> {
    println!("\n── form");
    Command::new("cargo fmt --all --check").run(root)?;
    Command::new(
        "cargo clippy --release --quiet --workspace --all-targets --features torch,verify,serde,rayon,memory,tools,server -- --deny warnings",
    )
    .run(root)?;
    Command::new("cargo doc --release --quiet --workspace --no-deps")
        .env("RUSTDOCFLAGS", "--deny warnings")
        .run(root)?;
    for (package, features) in FEATURES {
        for feature in *features {
            let command = format!("cargo check --release --quiet --package {package} --no-default-features");
            let command = Command::new(&command);
            let command = if feature.is_empty() { command } else { command.arg("--features").arg(*feature) };
            command.run(root)?;
        }
    }
    println!("\n── the main job, small");
    hold(&demo::run(root, "target/demo-quick", &demo::Size::QUICK)?)?;
    println!("\n── the README's commands");
    Command::new("rm -rf target/readme").run(root)?;
    for command in readme_commands(root)? {
        command.run(root)?;
    }
    println!("\n── tests, without LibTorch and with it");
    Command::new("cargo test --release --quiet --features verify,serde,rayon,memory,tools,server")
        .env("LIBTORCH", "/nonexistent")
        .run(root)?;
    Command::new(
        "cargo test --release --quiet --package nanologic-model --package examples --features torch",
    )
    .run(root)?;
    if long {
        println!("\n── what takes longer");
        Command::new("cargo test --release --quiet --package nanologic-model --package examples --features torch --test it")
            .arg("--")
            .arg("--ignored")
            .run(root)?;
        let corpus =
            "cargo run --release --quiet --example corpus -- --rows 1000000 --seed 1 --out target/million";
        Command::new(corpus).run(root)?;
        hold(&demo::run(root, "target/demo", &demo::Size::FULL)?)?;
    }
    Ok(())
}

/// What must be true of a run however little was learned in it: every figure is there, growing moved no logit, and
/// llama.cpp agrees.
fn hold(metrics: &Value) -> Result<()> {
    for (name, figure) in metrics.as_object().context("the metrics are no object")? {
        ensure!(!figure.is_null(), "metrics.json says nothing of {name}");
    }
    let growth = metrics["growth_max_logit_delta"].as_f64();
    ensure!(growth.is_some_and(|delta| delta < 1e-4), "growing moved a logit: {growth:?}");
    let files = metrics["gguf_files"].as_array().context("no GGUF file was compared")?;
    ensure!(files.len() == 2, "{} GGUF files were compared, not F16 and Q8_0", files.len());
    for file in files {
        let name = &file["file"];
        ensure!(file["gguf_token_mismatches"] == 0, "llama.cpp tokenizes differently with {name}");
        let same = file["gguf_top1_agreement"].as_f64();
        ensure!(
            same.is_some_and(|share| share > 0.9),
            "llama.cpp disagrees on the next token with {name}: {same:?}"
        );
    }
    Ok(())
}

/// The `cargo run` lines of the README's shell blocks, which must all succeed. (Its Rust blocks are doctests.)
fn readme_commands(root: &Path) -> Result<Vec<Command>> {
    let text = fs::read_to_string(root.join("README.md")).context("README.md is missing")?;
    let mut commands = Vec::new();
    let mut in_shell = false;
    for line in text.lines() {
        if line.starts_with("```") {
            in_shell = line.starts_with("```sh");
        } else if in_shell && line.starts_with("cargo run") {
            commands.push(Command::new("sh -c").arg(line));
        }
    }
    ensure!(!commands.is_empty(), "README.md shows no `cargo run` command in a `sh` block");
    Ok(commands)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn metrics() -> Value {
        let file =
            |name: &str| json!({"file": name, "gguf_token_mismatches": 0, "gguf_top1_agreement": 0.99});
        json!({"params": 1, "growth_max_logit_delta": 1e-6, "gguf_files": [file("f16"), file("q8_0")]})
    }

    #[test]
    fn a_sound_run_holds() {
        hold(&metrics()).expect("nothing is wrong");
    }

    #[test]
    fn a_figure_gone_a_logit_moved_or_a_token_off_is_found() {
        for (place, bad) in [
            ("/params", Value::Null),
            ("/growth_max_logit_delta", json!(0.1)),
            ("/gguf_files", json!([])),
            ("/gguf_files/1/gguf_token_mismatches", json!(1)),
            ("/gguf_files/0/gguf_top1_agreement", json!(0.5)),
        ] {
            let mut metrics = metrics();
            *metrics.pointer_mut(place).expect("a place in the metrics") = bad;
            assert!(hold(&metrics).is_err(), "{place}");
        }
    }
}
