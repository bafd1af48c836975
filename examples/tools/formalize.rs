//! Spanish sentences in, formulas out.
//!
//! ```text
//! cargo run --release --features torch --example formalize -- --checkpoint target/model "Si llueve, me mojo."
//! cargo run --release --features torch --example formalize -- --checkpoint target/model --file -
//! ```
//!
//! One JSON object a line, in the order of the sentences; `"error"` for a sentence that cannot be asked, and exit
//! status 1 at the end if there was one.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use nanologic_model::say_back;
use nanologic_model::torch::{Formalizer, Reading, Sampling, Unread};
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
    /// How many answers to draw in search of alternatives.
    #[arg(long, default_value_t = 8)]
    draws: u64,
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
    let best = formalizer.read(&inputs, &Sampling::greedy())?;
    let mut draws = Vec::new();
    for seed in 0..arguments.draws {
        draws.push(formalizer.read(&inputs, &Sampling { temperature: 1.0, seed, ..Sampling::greedy() })?);
    }
    let mut failed = false;
    for (index, (input, best)) in inputs.iter().zip(best).enumerate() {
        failed |= best.is_err();
        println!("{}", line(input, best, draws.iter().map(|draw| &draw[index])));
    }
    std::process::exit(i32::from(failed));
}

fn line<'a>(
    input: &str,
    best: Result<Reading, Unread>,
    draws: impl Iterator<Item = &'a Result<Reading, Unread>>,
) -> Value {
    let best = match best {
        Ok(best) => best,
        Err(error) => return json!({ "input": input, "error": error.to_string() }),
    };
    // Other formulas that the model gives some chance, each by its likeliest wording.
    let mut others: BTreeMap<String, f64> = BTreeMap::new();
    for reading in draws.flatten() {
        let chance = others.entry(reading.answer.formula.to_string()).or_default();
        *chance = chance.max(reading.probability);
    }
    let formula = best.answer.formula.to_string();
    others.remove(&formula);
    let mut others: Vec<(String, f64)> = others.into_iter().collect();
    others.sort_by(|a, b| b.1.total_cmp(&a.1));
    let alternatives: Vec<Value> = others
        .into_iter()
        .map(|(formula, confidence)| json!({ "formula": formula, "confidence": confidence }))
        .collect();
    json!({
        "input": input,
        "formula": formula,
        "atoms": best.answer.atoms,
        "confidence": best.probability,
        "alternatives": alternatives,
        "reading": say_back(&best.answer.formula, &best.answer.atoms),
    })
}
