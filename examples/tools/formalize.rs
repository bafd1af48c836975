//! Spanish sentences in, formulas out.
//!
//! ```text
//! cargo run --release --features torch --example formalize -- "Si llueve y no llevo paraguas, entonces me mojo"
//! cargo run --release --features torch --example formalize -- --checkpoint target/model --file -
//! ```
//!
//! Two readers are asked: the model, and the rule reader, which has not learned. `"agree"` says whether they read
//! the same; where they do not, `"model"` and `"rules"` hold what each reads and `"differ"` what makes one true and the
//! other false. The answer is the rules', unless they find the sentence odd and the model is sure; `"confidence"` is the
//! model's probability of its formula, 0 if that is none of the likeliest.
//!
//! One JSON object a line, in the order of the sentences; `"error"` for a sentence that neither can read, and exit
//! status 1 at the end if there was one.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use data_pipeline::format::Answer;
use data_pipeline::reader::Spanish;
use nanologic_model::torch::{Formalizer, Reading, Unread};
use nanologic_model::{Opinion, believe_model, say_back};
use serde_json::{Value, json};

/// Prints {"input", "formula", "atoms", "confidence", "alternatives", "reading", "agree"} for each sentence,
/// and {"model", "rules", "differ"} where the two do not.
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
        let line = line(input, readings);
        failed |= line.get("error").is_some();
        println!("{line}");
    }
    std::process::exit(i32::from(failed));
}

fn line(input: &str, readings: Result<Vec<Reading>, Unread>) -> Value {
    let rules = Spanish.weigh(input).ok();
    let (readings, error) = match readings {
        Ok(readings) => (readings, "no complete answer".to_owned()),
        Err(error) => (Vec::new(), error.to_string()),
    };
    let model = readings.first();
    let taken = match (model, &rules) {
        (Some(model), Some((_, oddness))) if believe_model(*oddness, model.formula_probability) => {
            &model.answer
        }
        (_, Some((rules, _))) => rules,
        (Some(model), None) => &model.answer,
        (None, None) => return json!({ "input": input, "error": error }),
    };
    let alternative = |other: &Reading| json!({ "formula": other.answer.formula.to_string(), "confidence": other.formula_probability });
    let is_taken = |other: &&Reading| Opinion::of(taken, &other.answer).agrees();
    let mut line = json!({ "input": input });
    say(taken, &mut line);
    line["confidence"] = readings.iter().find(is_taken).map_or(0.0, |taken| taken.formula_probability).into();
    line["alternatives"] = readings.iter().filter(|other| !is_taken(other)).map(alternative).collect();
    if let (Some(model), Some((rules, _))) = (model, &rules) {
        let opinion = Opinion::of(&model.answer, rules);
        line["agree"] = opinion.agrees().into();
        if let Opinion::Differs(apart) = opinion {
            for (reader, answer) in [("model", &model.answer), ("rules", rules)] {
                line[reader] = json!({});
                say(answer, &mut line[reader]);
            }
            line["differ"] = json!(apart);
        }
    }
    line
}

/// The formula, what its atoms say, and both said back.
fn say(answer: &Answer, line: &mut Value) {
    line["formula"] = answer.formula.to_string().into();
    line["atoms"] = json!(answer.atoms);
    line["reading"] = say_back(&answer.formula, &answer.atoms).into();
}
