//! The main job: the public examples in order, each handing a folder to the next, then the report.
//!
//! What is done is marked under the output folder, so a run goes on where it stopped.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::command::Command;
use crate::marks::Marks;
use crate::report;

const GOLD: &str = "crates/data-pipeline/gold/sentences.jsonl";
/// The architecture that the small model grows into: wider in every axis, and deeper.
const GROWN: &str = "examples/configs/demo-grown.json";

/// How much of everything.
pub struct Size {
    rows: u32,
    /// Training steps of the small model.
    steps: u32,
    /// FLOPs that the grown model and its control each train on for.
    flops: &'static str,
    questions: u32,
    self_learning_steps: u32,
    /// Sentences that the gate asks the model before, the candidate and the control.
    gate_items: u32,
    /// How many rows of the test set are evaluated.
    evaluated: u32,
    /// How many token sequences and greedy texts are compared with llama.cpp.
    compared: u32,
}

impl Size {
    /// About a quarter of an hour on two cores.
    pub const FULL: Self = Self {
        rows: 200_000,
        steps: 1500,
        flops: "5.5e13",
        questions: 600,
        self_learning_steps: 150,
        gate_items: 2000,
        evaluated: 2000,
        compared: 100,
    };
    /// Under three minutes on two cores: every part for real, nothing learned well.
    pub const QUICK: Self = Self {
        rows: 4_000,
        steps: 60,
        flops: "2e12",
        questions: 500,
        self_learning_steps: 8,
        gate_items: 400,
        evaluated: 300,
        compared: 50,
    };
}

struct Step {
    title: &'static str,
    commands: Vec<Command>,
}

/// Runs what is not marked as done, writes `metrics.json` and `report.html`, and returns the metrics.
pub fn run(root: &Path, out: &str, size: &Size) -> Result<Value> {
    fs::create_dir_all(root.join(out)).with_context(|| format!("{out} cannot be made"))?;
    Command::new("cargo build --release --examples").run(root)?;
    // With LibTorch only what needs it: the other examples would be built a second time.
    Command::new("cargo build --release --features torch --example train --example evaluate --example formalize --example argue --example self_improve")
        .run(root)?;

    let steps = steps(out, size);
    let mut marks = Marks::open(root.join(out).join("marks.json"));
    for (index, step) in steps.iter().enumerate() {
        println!("\n── {} of {}: {}", index + 1, steps.len(), step.title);
        for command in &step.commands {
            marks.run(command, root)?;
        }
    }
    let metrics = metrics(&root.join(out))?;
    fs::write(root.join(out).join("metrics.json"), serde_json::to_string_pretty(&metrics)? + "\n")?;
    report::write(&root.join(out), &metrics)?;
    println!(
        "\n{}\n\n{out}/report.html shows it all; {out}/model.gguf runs in llama.cpp and Ollama.",
        serde_json::to_string_pretty(&metrics)?
    );
    Ok(metrics)
}

/// The commands, each as a reader can type it.
fn steps(out: &str, size: &Size) -> Vec<Step> {
    let Size { rows, steps, flops, questions, self_learning_steps, gate_items, evaluated, compared } = size;
    let plain = "cargo run --release --quiet --example";
    let torch = "cargo run --release --quiet --features torch --example";
    let evaluate = |checkpoint: &str, data: &str, to: &str| {
        let model = format!("--checkpoint {out}/{checkpoint}");
        format!("{torch} evaluate -- {model} --data {data} --limit {evaluated} --json > {out}/{to}")
    };
    let train_on = |from: &str, to: &str| {
        let folders = format!("--checkpoint {out}/{from} --data {out}/corpus --out {out}/{to}");
        format!("{torch} train -- {folders} --flops {flops} --seed 2 --resume")
    };
    let export = |quantize: &str, file: &str| {
        format!(
            "{plain} export_gguf -- --checkpoint {out}/checkpoint --quantize {quantize} --out {out}/{file}"
        )
    };
    let test = &format!("{out}/corpus/test.jsonl");
    let small = format!("--checkpoint {out}/small");
    let step = |title, lines: &[String]| Step {
        title,
        commands: lines.iter().map(|line| Command::new(line)).collect(),
    };
    vec![
        step(
            "the model that comes with the project, at work",
            &[
                format!("{torch} formalize -- --file examples/texts/sentences.txt"),
                format!("{torch} argue -- --file examples/texts/argument.txt"),
            ],
        ),
        step(
            "a corpus, formula first",
            &[format!("{plain} corpus -- --rows {rows} --seed 1 --out {out}/corpus")],
        ),
        step(
            "a small model learns to read",
            &[format!(
                "{torch} train -- --data {out}/corpus --preset demo --out {out}/small --steps {steps} --seed 1 --resume"
            )],
        ),
        step(
            "what it gets right, on unseen patterns and on sentences written by hand",
            &[evaluate("small", test, "small-test.json"), evaluate("small", GOLD, "small-gold.json")],
        ),
        step(
            "sentences it never saw, and an argument judged",
            &[
                format!(
                    "{torch} formalize -- {small} --file examples/texts/sentences.txt > {out}/sentences.jsonl"
                ),
                format!("{torch} argue -- {small} --file examples/texts/argument.txt > {out}/argument.json"),
            ],
        ),
        step(
            "the model grows, and computes the same",
            &[format!("{plain} grow -- {small} --to {GROWN} --seed 1 --out {out}/grown")],
        ),
        step(
            "grown and small train on, for equally many FLOPs",
            &[
                train_on("grown", "grown-trained"),
                train_on("small", "control"),
                evaluate("grown-trained", test, "grown-test.json"),
                evaluate("control", test, "control-test.json"),
                evaluate("grown-trained", GOLD, "grown-gold.json"),
                evaluate("control", GOLD, "control-gold.json"),
            ],
        ),
        step(
            "one round of self-learning, with its control",
            &[
                format!(
                    "{torch} self_improve -- --checkpoint {out}/grown-trained --data {out}/corpus --cycles 1 \
                     --questions {questions} --steps {self_learning_steps} --gate-items {gate_items} --seed 3 --out {out}/self-learning"
                ),
                format!("cp -rLT {out}/self-learning/generators/current {out}/checkpoint"),
            ],
        ),
        step(
            "one file that llama.cpp runs, and the comparison with llama.cpp",
            &[
                export("F16", "model-f16.gguf"),
                export("Q8_0", "model.gguf"),
                format!(
                    "{plain} compare_llama_cpp -- --checkpoint {out}/checkpoint --gguf {out}/model-f16.gguf \
                     --gguf {out}/model.gguf --data {GOLD} --sequences {compared} --out {out}/comparison.json"
                ),
            ],
        ),
    ]
}

/// The figures of the run, each read from the file that a tool wrote.
fn metrics(out: &Path) -> Result<Value> {
    let read = |name: &str| -> Result<Value> {
        let text = fs::read_to_string(out.join(name)).with_context(|| format!("{name} is missing"))?;
        serde_json::from_str(&text).with_context(|| format!("{name} is not JSON"))
    };
    let (summary, growth, comparison) =
        (read("small/summary.json")?, read("grown/growth.json")?, read("comparison.json")?);
    let round = read("self-learning/self_learning.json")?;
    let told =
        ["before", "after", "control", "accepted", "interval", "weakest", "questions", "new_rows", "seconds"];
    let self_learning: Value = told.map(|key| (key.to_owned(), round[key].clone())).into_iter().collect();
    let equivalence = |name: &str| Ok::<_, anyhow::Error>(read(name)?["all"]["equivalent"]["share"].clone());
    Ok(json!({
        "params": summary["params"],
        "train_seconds": summary["seconds"],
        "train_tokens_per_second": summary["tokens_per_second"],
        "test_equivalence": equivalence("small-test.json")?,
        "gold_equivalence": equivalence("small-gold.json")?,
        "grown_params": growth["after"]["parameters"],
        "growth_max_logit_delta": growth["proof"]["max_logit_delta_f32"],
        "grown_test_equivalence": equivalence("grown-test.json")?,
        "control_test_equivalence": equivalence("control-test.json")?,
        "grown_gold_equivalence": equivalence("grown-gold.json")?,
        "control_gold_equivalence": equivalence("control-gold.json")?,
        "self_learning": self_learning,
        "gguf_token_mismatches": comparison["files"][0]["gguf_token_mismatches"],
        "gguf_top1_agreement": comparison["files"][0]["gguf_top1_agreement"],
        "gguf_files": comparison["files"],
    }))
}
