//! Spanish sentences in, formulas out.
//!
//! ```text
//! cargo run --release --features torch --example formalize -- --checkpoint target/model "Si llueve, me mojo."
//! cargo run --release --features torch --example formalize -- --checkpoint target/model --file -
//! ```
//!
//! Two readers are asked: the model, and the rule reader, which shares nothing with it. `"agree"` says whether they read
//! the same; where they do not, `"rules"` holds the second reading and `"differ"` what makes one true and the other
//! false.
//!
//! One JSON object a line, in the order of the sentences; `"error"` for a sentence that cannot be asked, and exit
//! status 1 at the end if there was one.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use data_pipeline::argument::Glossary;
use data_pipeline::format::Answer;
use data_pipeline::reader::{Reader as _, Spanish};
use logic_parser::equivalent;
use nanologic_model::say_back;
use nanologic_model::torch::{Formalizer, Reading, Unread};
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
    let (said, others): (Vec<_>, Vec<_>) = formulas.into_iter().partition(|(other, _)| *other == formula);
    let alternative = |(formula, confidence)| json!({ "formula": formula, "confidence": confidence });
    let alternatives: Vec<Value> = others.into_iter().map(alternative).collect();
    let mut line = json!({
        "input": input,
        "formula": formula,
        "atoms": best.answer.atoms,
        "confidence": said.iter().map(|(_, confidence)| confidence).sum::<f64>(),
        "alternatives": alternatives,
        "reading": say_back(&best.answer.formula, &best.answer.atoms),
    });
    if let Ok(rules) = Spanish.read(input) {
        compare(&best.answer, &rules, &mut line);
    }
    line
}

/// Says whether the two readers agree, their atoms brought together by what they say; if not, what the second one reads
/// and when one reading is true and the other false.
fn compare(model: &Answer, rules: &Answer, line: &mut Value) {
    let mut glossary = Glossary::default();
    let (Ok(first), Ok(second)) = (glossary.adopt(model), glossary.adopt(rules)) else { return };
    let answer = equivalent(&first, &second);
    line["agree"] = answer.is_yes().into();
    if let logic_parser::Answer::No(assignment) = answer {
        let atoms = glossary.atoms();
        let said = |(letter, value): (&str, bool)| {
            let text = atoms.get(letter).map_or(letter, String::as_str);
            (text.to_owned(), Value::from(value))
        };
        line["rules"] = json!({
            "formula": rules.formula.to_string(),
            "atoms": rules.atoms,
            "reading": say_back(&rules.formula, &rules.atoms),
        });
        line["differ"] = Value::Object(assignment.iter().map(said).collect());
    }
}
