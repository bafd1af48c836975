//! The main job: the public examples in order, each handing a folder to the next, then the report.
//!
//! What is done is marked under the output folder with the commands that did it, so a run goes on where it stopped,
//! and a step whose commands changed runs again with all that follow it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::command::Command;
use crate::report;

const GOLD: &str = "crates/data-pipeline/gold/sentences.jsonl";
/// The architecture that the small model grows into: wider in every axis, and deeper.
const GROWN: &str = "examples/configs/demo-grown.json";

/// How much of everything.
pub struct Size {
    rows: u32,
    /// Training steps of the small model; the preset's own number when absent.
    steps: Option<u32>,
    /// FLOPs that the grown model and its control each train on for.
    flops: &'static str,
    questions: u32,
    self_learning_steps: u32,
    /// How many rows of the test set are evaluated.
    evaluated: u32,
    /// How many token sequences and greedy texts are compared with llama.cpp.
    compared: u32,
}

impl Size {
    /// About a quarter of an hour on two cores.
    pub const FULL: Self = Self {
        rows: 300_000,
        steps: None,
        flops: "4e12",
        questions: 600,
        self_learning_steps: 150,
        evaluated: 2000,
        compared: 100,
    };
    /// Under three minutes on two cores: every part for real, nothing learned well.
    pub const QUICK: Self = Self {
        rows: 4_000,
        steps: Some(60),
        flops: "4e11",
        questions: 500,
        self_learning_steps: 8,
        evaluated: 300,
        compared: 50,
    };
}

struct Step {
    title: &'static str,
    commands: Vec<Command>,
}

/// Runs what is not marked as done, then writes `metrics.json` and `report.html`.
pub fn run(root: &Path, out: &str, size: &Size) -> Result<()> {
    fs::create_dir_all(root.join(out)).with_context(|| format!("{out} cannot be made"))?;
    for features in ["", " --features llama-cpp", " --features torch"] {
        Command::new(&format!("cargo build --release --examples{features}")).run(root)?;
    }

    let steps = steps(out, size);
    let marks = root.join(out).join("marks.json");
    let done: Vec<Vec<String>> = fs::read_to_string(&marks)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let mut marked = Vec::new();
    let mut current = true;
    for (index, step) in steps.iter().enumerate() {
        let commands: Vec<String> = step.commands.iter().map(Command::to_string).collect();
        current &= done.get(index) == Some(&commands);
        println!(
            "\n── {} of {}: {}{}",
            index + 1,
            steps.len(),
            step.title,
            if current { " (done before)" } else { "" }
        );
        if !current {
            for command in &step.commands {
                command.run(root)?;
            }
        }
        marked.push(commands);
        if !current {
            fs::write(&marks, serde_json::to_string_pretty(&marked)?)?;
        }
    }
    let metrics = metrics(&root.join(out))?;
    fs::write(
        root.join(out).join("metrics.json"),
        serde_json::to_string_pretty(&metrics)? + "\n",
    )?;
    report::write(&root.join(out), &metrics)?;
    println!(
        "\n{}\n\n{out}/report.html shows it all; {out}/model.gguf runs in llama.cpp and Ollama.",
        serde_json::to_string_pretty(&metrics)?
    );
    Ok(())
}

fn steps(out: &str, size: &Size) -> Vec<Step> {
    let plain = |name: &str| Command::new(&format!("cargo run --release --quiet --example {name} --"));
    let torch = |name: &str| {
        Command::new(&format!(
            "cargo run --release --quiet --features torch --example {name} --"
        ))
    };
    let at = |name: &str| format!("{out}/{name}");
    let words = |command: Command, line: &str| line.split_whitespace().fold(command, Command::arg);
    let evaluate = |checkpoint: &str, data: &str, to: &str| {
        let command = words(
            torch("evaluate"),
            &format!("--checkpoint {} --data {data}", at(checkpoint)),
        );
        words(command, &format!("--limit {} --json", size.evaluated)).output_to(at(to))
    };
    let test = at("corpus/test.jsonl");
    let steps_flag = size
        .steps
        .map_or(String::new(), |steps| format!(" --steps {steps}"));
    let train_on = |from: &str, to: &str| {
        words(
            torch("train"),
            &format!(
                "--checkpoint {} --data {} --out {} --flops {} --seed 2 --resume",
                at(from),
                at("corpus"),
                at(to),
                size.flops
            ),
        )
    };
    vec![
        Step {
            title: "a corpus, formula first",
            commands: vec![words(
                plain("corpus"),
                &format!("--rows {} --seed 1 --out {}", size.rows, at("corpus")),
            )],
        },
        Step {
            title: "a small model learns to read",
            commands: vec![words(
                torch("train"),
                &format!(
                    "--data {} --preset demo --out {} --seed 1{steps_flag} --resume",
                    at("corpus"),
                    at("small")
                ),
            )],
        },
        Step {
            title: "what it gets right on unseen patterns and on sentences written by hand",
            commands: vec![
                evaluate("small", &test, "small-test.json"),
                evaluate("small", GOLD, "small-gold.json"),
            ],
        },
        Step {
            title: "sentences it never saw, and an argument judged",
            commands: vec![
                words(torch("formalize"), &format!("--checkpoint {}", at("small")))
                    .arg("--file")
                    .arg("examples/texts/sentences.txt")
                    .output_to(at("sentences.jsonl")),
                words(
                    torch("argue"),
                    &format!("--checkpoint {} --file examples/texts/argument.txt", at("small")),
                )
                .output_to(at("argument.json")),
            ],
        },
        Step {
            title: "the model grows, and computes the same",
            commands: vec![words(
                plain("grow"),
                &format!(
                    "--checkpoint {} --to {GROWN} --seed 1 --out {}",
                    at("small"),
                    at("grown")
                ),
            )],
        },
        Step {
            title: "grown and small train on, for equally many FLOPs",
            commands: vec![
                train_on("grown", "grown-trained"),
                train_on("small", "control"),
                evaluate("grown-trained", &test, "grown-test.json"),
                evaluate("control", &test, "control-test.json"),
            ],
        },
        Step {
            title: "one round of self-learning, with its control",
            commands: vec![words(
                torch("self_improve"),
                &format!(
                    "--checkpoint {} --data {} --cycles 1 --questions {} --steps {} --seed 3 --out {}",
                    at("grown-trained"),
                    at("corpus"),
                    size.questions,
                    size.self_learning_steps,
                    at("self-learning")
                ),
            )],
        },
        Step {
            title: "one file that llama.cpp runs, and the comparison with llama.cpp",
            commands: vec![
                words(
                    plain("export_gguf"),
                    &format!(
                        "--checkpoint {} --quantize F16 --out {}",
                        at("checkpoint"),
                        at("model-f16.gguf")
                    ),
                ),
                words(
                    plain("export_gguf"),
                    &format!(
                        "--checkpoint {} --quantize Q8_0 --out {}",
                        at("checkpoint"),
                        at("model.gguf")
                    ),
                ),
                words(
                    Command::new(
                        "cargo run --release --quiet --features llama-cpp --example compare_llama_cpp --",
                    ),
                    &format!(
                        "--checkpoint {} --gguf {} --gguf {} --data {GOLD} --sequences {} --out {}",
                        at("checkpoint"),
                        at("model-f16.gguf"),
                        at("model.gguf"),
                        size.compared,
                        at("comparison.json")
                    ),
                ),
            ],
        },
    ]
}

/// The figures of the run, each read from the file that a tool wrote.
fn metrics(out: &Path) -> Result<Value> {
    let read = |name: &str| -> Result<Value> {
        let text = fs::read_to_string(out.join(name)).with_context(|| format!("{name} is missing"))?;
        serde_json::from_str(&text).with_context(|| format!("{name} is not JSON"))
    };
    let (summary, growth, comparison) = (
        read("small/summary.json")?,
        read("grown/growth.json")?,
        read("comparison.json")?,
    );
    let equivalence = |name: &str| Ok::<_, anyhow::Error>(read(name)?["equivalence"]["value"].clone());
    Ok(json!({
        "params": summary["params"],
        "train_seconds": summary["seconds"],
        "train_tokens_per_second": summary["tokens_per_second"],
        "test_equivalence": equivalence("small-test.json")?,
        "gold_equivalence": equivalence("small-gold.json")?,
        "grown_params": growth["params_after"],
        "growth_max_logit_delta": growth["max_logit_delta_f32"],
        "grown_test_equivalence": equivalence("grown-test.json")?,
        "control_test_equivalence": equivalence("control-test.json")?,
        "self_learning": read("self-learning/self_learning.json")?,
        "gguf_token_mismatches": comparison["gguf_token_mismatches"],
        "gguf_top1_agreement": comparison["gguf_top1_agreement"],
    }))
}
