//! GGUF files of a checkpoint in the real llama.cpp, beside our own forward: tokens, logits, greedy text, and how many of
//! llama.cpp's answers are right.
//!
//! ```text
//! cargo run --release --example compare_llama_cpp -- \
//!     --checkpoint DIR --gguf f16.gguf --gguf q8_0.gguf --data ROWS.jsonl --out comparison.json
//! ```

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Parser;
use data_pipeline::format::{Answer, Pointing};
use data_pipeline::reader::Spanish;
use data_pipeline::{Row, Tokenizer, read_rows};
use gguf_export::llama_cpp::{Agreement, Comparison, LlamaCpp, compare};
use gguf_export::{GgufFile, Tokenized};
use nanologic_model::eval::{Proportion, Report};
use nanologic_model::{Checkpoint, Reference};
use serde_json::{Value, json};

/// Ask the real llama.cpp what it makes of GGUF files of a checkpoint.
#[derive(Parser)]
struct Arguments {
    /// Checkpoint folder that the files were exported from.
    #[arg(long)]
    checkpoint: PathBuf,
    /// A GGUF file of it; may be given several times.
    #[arg(long, required = true)]
    gguf: Vec<PathBuf>,
    /// Rows whose sentences are the prompts, one JSON object a line.
    #[arg(long)]
    data: PathBuf,
    /// How many of them to take.
    #[arg(long, default_value_t = 60)]
    sequences: usize,
    /// Most tokens of an answer.
    #[arg(long, default_value_t = 64)]
    limit: usize,
    /// File for the figures as JSON.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let checkpoint = Checkpoint::load(&arguments.checkpoint)?;
    let reference = Reference::<f32>::new(&checkpoint.config, &checkpoint.weights)?;
    let forward = |tokens: &[u32]| Ok(reference.logits(tokens)?.into_iter().map(f64::from).collect());
    let (rows, prompts) = questions(&arguments)?;

    let mut files = Vec::new();
    for path in &arguments.gguf {
        let mut model = LlamaCpp::start()?.open(path, checkpoint.config.max_seq)?;
        let file = GgufFile::open(path)?;
        let comparison = compare(&mut model, &file, &forward, &prompts, arguments.limit)?;
        let right = right(&rows, &comparison.texts);
        report(path, &comparison, right);
        files.push(figures(path, &comparison, right));
    }
    if let Some(out) = &arguments.out {
        let text = serde_json::to_string_pretty(&json!({ "files": files }))?;
        std::fs::write(out, text + "\n").with_context(|| out.display().to_string())?;
    }
    Ok(())
}

/// The rows with their sentences as prompts, in the checkpoint's ids; those that the format cannot hold are left out.
fn questions(arguments: &Arguments) -> anyhow::Result<(Vec<Row>, Vec<Tokenized>)> {
    let tokenizer = Tokenizer::load(arguments.checkpoint.join("tokenizer.json"))?;
    let (mut rows, mut prompts) = (Vec::new(), Vec::new());
    for row in read_rows(&arguments.data)? {
        if prompts.len() == arguments.sequences {
            break;
        }
        let row = row?;
        if let Ok(text) = Pointing::prompt(&row.input) {
            prompts.push(Tokenized { tokens: tokenizer.encode(&text), text });
            rows.push(row);
        }
    }
    anyhow::ensure!(!prompts.is_empty(), "{} holds no sentence", arguments.data.display());
    Ok((rows, prompts))
}

/// How many of llama.cpp's answers, the likeliest token at every step, are equivalent to gold.
fn right(rows: &[Row], texts: &[String]) -> Proportion {
    let merge = |answer: Answer| answer.merge_atoms(|one, other| Spanish.same(one, other));
    let read = |(row, text): (&Row, &String)| Pointing::read(&row.input, text).ok().map(merge);
    let answers: Vec<Option<Answer>> = rows.iter().zip(texts).map(read).collect();
    Report::new(rows.iter().zip(answers.iter().map(Option::as_ref))).all.equivalent
}

fn report(path: &Path, comparison: &Comparison, right: Proportion) {
    println!("{}: {} prompts in llama.cpp", path.display(), comparison.prompts);
    println!("  tokenized differently: {}", comparison.token_mismatches);
    println!("  answers equivalent to gold: {} of {}", right.right, right.of);
    let line = |against: &str, Agreement { logits, greedy }: &Agreement| {
        println!("  against {against}: {logits}; same greedy text {:.1} %", 100.0 * greedy);
    };
    line("our forward of the file", &comparison.same_weights);
    line("the checkpoint", &comparison.checkpoint);
}

fn figures(path: &Path, comparison: &Comparison, right: Proportion) -> Value {
    let Comparison { prompts, token_mismatches, texts: _, same_weights, checkpoint } = comparison;
    json!({
        "file": path.file_name().unwrap_or_default().to_string_lossy(),
        "prompts": prompts,
        "answers_equivalent": right,
        "gguf_token_mismatches": token_mismatches,
        "gguf_top1_agreement": same_weights.logits.top1_agreement,
        "max_logit_difference": same_weights.logits.max_logit_difference,
        "max_logit": same_weights.logits.max_logit,
        "greedy_text_agreement": same_weights.greedy,
        "checkpoint_top1_agreement": checkpoint.logits.top1_agreement,
        "checkpoint_max_logit_difference": checkpoint.logits.max_logit_difference,
        "checkpoint_greedy_text_agreement": checkpoint.greedy,
    })
}
