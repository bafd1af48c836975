//! Spanish sentences in, formulas out.
//!
//! ```text
//! cargo run --release --features torch --example formalize -- "Si llueve y no llevo paraguas, entonces me mojo"
//! cargo run --release --features torch --example formalize -- --checkpoint target/model --file -
//! ```
//!
//! Two readers are asked: the model, and the rule reader, which has not learned. `"agree"` says whether they read
//! the same; where they do not, `"rules"` holds the second reading and `"differ"` what makes one true and the other
//! false.
//!
//! One JSON object a line, in the order of the sentences; `"error"` for a sentence that cannot be asked, and exit
//! status 1 at the end if there was one.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use data_pipeline::format::Answer;
use data_pipeline::reader::{Reader as _, Spanish};
use nanologic_model::torch::{Formalizer, Reading, Unread};
use nanologic_model::{Opinion, say_back};
use serde_json::{Value, json};

/// Prints {"input", "formula", "atoms", "confidence", "alternatives", "reading", "agree"} for each sentence.
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
    let (best, others) = match readings.as_deref() {
        Ok([best, others @ ..]) => (best, others),
        Ok([]) => return json!({ "input": input, "error": "no complete answer" }),
        Err(error) => return json!({ "input": input, "error": error.to_string() }),
    };
    let alternative = |other: &Reading| json!({ "formula": other.answer.formula.to_string(), "confidence": other.formula_probability });
    let mut line = json!({
        "input": input,
        "formula": best.answer.formula.to_string(),
        "atoms": best.answer.atoms,
        "confidence": best.formula_probability,
        "alternatives": others.iter().map(alternative).collect::<Vec<_>>(),
        "reading": say_back(&best.answer.formula, &best.answer.atoms),
    });
    if let Ok(rules) = Spanish.read(input) {
        compare(&best.answer, &rules, &mut line);
    }
    line
}

/// Says whether the two readers agree; if not, what the second one reads and when one reading is true and the other
/// false.
fn compare(model: &Answer, rules: &Answer, line: &mut Value) {
    let opinion = Opinion::of(model, rules);
    line["agree"] = opinion.agrees().into();
    if let Opinion::Differs(apart) = opinion {
        line["rules"] = json!({
            "formula": rules.formula.to_string(),
            "atoms": rules.atoms,
            "reading": say_back(&rules.formula, &rules.atoms),
        });
        line["differ"] = json!(apart);
    }
}
