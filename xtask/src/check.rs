//! Every check, in the order of what fails fastest; the tests last, so that their closing lines stay in sight.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::command::Command;
use crate::demo;

/// Each crate with the features that must build alone; the empty name is the crate without any.
const FEATURES: &[(&str, &[&str])] = &[
    ("logic-parser", &["", "sat", "serde", "rayon"]),
    ("data-pipeline", &["", "verify"]),
    ("thau-growth", &[""]),
    ("gguf-export", &["", "llama-cpp"]),
    ("self-learning", &[""]),
    (
        "nanologic-model",
        &["", "torch", "thau-growth", "gguf-export", "self-learning"],
    ),
];

/// Runs them all, and with `long` a million rows and the whole main job.
pub fn run(root: &Path, long: bool) -> Result<()> {
    println!("\n── form");
    Command::new("cargo fmt --all --check").run(root)?;
    Command::new(
        "cargo clippy --release --quiet --workspace --all-targets --features torch,verify,serde,rayon -- --deny warnings",
    )
    .run(root)?;
    Command::new("cargo doc --release --quiet --workspace --no-deps")
        .env("RUSTDOCFLAGS", "--deny warnings")
        .run(root)?;
    for (package, features) in FEATURES {
        for feature in *features {
            let command = format!("cargo check --release --quiet --package {package} --no-default-features");
            let command = Command::new(&command);
            let command = if feature.is_empty() {
                command
            } else {
                command.arg("--features").arg(*feature)
            };
            command.run(root)?;
        }
    }
    println!("\n── the main job, small");
    demo::run(root, "target/demo-quick", &demo::Size::QUICK)?;
    println!("\n── the README's commands");
    Command::new("rm -rf target/readme").run(root)?;
    for command in readme_commands(root)? {
        command.run(root)?;
    }
    println!("\n── tests, without LibTorch and with it");
    Command::new("cargo test --release --quiet --features verify,serde,rayon")
        .env("LIBTORCH", "/nonexistent")
        .run(root)?;
    Command::new(
        "cargo test --release --quiet --package nanologic-model --package examples --features torch",
    )
    .run(root)?;
    if long {
        println!("\n── what takes longer");
        let corpus =
            "cargo run --release --quiet --example corpus -- --rows 1000000 --seed 1 --out target/million";
        Command::new(corpus).run(root)?;
        demo::run(root, "target/demo", &demo::Size::FULL)?;
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
    ensure!(
        !commands.is_empty(),
        "README.md shows no `cargo run` command in a `sh` block"
    );
    Ok(commands)
}
