//! Spanish sentences in, formulas out.
//!
//! ```text
//! cargo run --release --features torch --example formalize -- --checkpoint target/model "Si llueve, me mojo."
//! cargo run --release --features torch --example formalize -- --checkpoint target/model --file -
//! ```
//!
//! One JSON object a line, in the order of the sentences; `"error"` for a sentence that cannot be asked, and exit
//! status 1 at the end if there was one.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use nanologic_model::say_back;
use nanologic_model::torch::{Formalizer, Reading, Unread};
use serde_json::{Value, json};

/// Prints {"input", "formula", "atoms", "confidence", "alternatives", "reading"} for each sentence.
#[derive(Parser)]
struct Arguments {
    /// The model's checkpoint folder.
    #[arg(long, default_value = "models/formalizer-es")]
    checkpoint: PathBuf,
    /// The sentence.
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    sentence: Option<String>,
    /// A file with one sentence a line; `-` is standard input.
    #[arg(long)]
    file: Option<PathBuf>,
    /// How many answers to search for, the best and its alternatives.
    #[arg(long, default_value_t = 8)]
    best: usize,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let text = match (&arguments.sentence, &arguments.file) {
        (Some(sentence), _) => sentence.clone(),
        (None, Some(file)) if file.as_os_str() != "-" => {
            std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?
        }
        _ => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            text
        }
    };
    let inputs: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let mut formalizer = Formalizer::load(&arguments.checkpoint, arguments.threads)?;
    let mut failed = false;
    for (input, readings) in inputs.iter().zip(formalizer.alternatives(&inputs, arguments.best)?) {
        failed |= readings.is_err();
        println!("{}", line(input, readings));
    }
    std::process::exit(i32::from(failed));
}

fn line(input: &str, readings: Result<Vec<Reading>, Unread>) -> Value {
    let best = match readings.as_deref() {
        Ok([best, ..]) => best,
        Ok([]) => return json!({ "input": input, "error": "no complete answer" }),
        Err(error) => return json!({ "input": input, "error": error.to_string() }),
    };
    // A formula's confidence adds up the wordings of its atoms.
    let mut formulas: Vec<(String, f64)> = Vec::new();
    for reading in readings.iter().flatten() {
        let formula = reading.answer.formula.to_string();
        match formulas.iter_mut().find(|(known, _)| *known == formula) {
            Some((_, confidence)) => *confidence += reading.probability,
            None => formulas.push((formula, reading.probability)),
        }
    }
    let formula = best.answer.formula.to_string();
    formulas.sort_by(|a, b| b.1.total_cmp(&a.1));
    let others = formulas.iter().filter(|(other, _)| *other != formula);
    let alternatives: Vec<Value> =
        others.map(|(formula, confidence)| json!({ "formula": formula, "confidence": confidence })).collect();
    json!({
        "input": input,
        "formula": formula,
        "atoms": best.answer.atoms,
        "confidence": best.probability,
        "alternatives": alternatives,
        "reading": say_back(&best.answer.formula, &best.answer.atoms),
    })
}
