//! Reads an argument in running Spanish text with a trained model, asks the rule reader beside it, and judges it with
//! the verifier.
//!
//! ```text
//! cargo run --release --features torch --example argue -- "Si llueve, me mojo. Me mojo. Luego llueve."
//! ```
//! Prints one JSON object: premises and conclusion as formulas and said back, the atoms, the verdict, and the
//! countermodel or the name of the fallacy; and where the rule reader reads another argument, that one too.

use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use data_pipeline::argument::{ArgumentText, ReadArgument};
use data_pipeline::reader::Spanish;
use nanologic_model::torch::{Formalizer, Sampling, Unread};
use nanologic_model::{Opinion, say_back};
use serde_json::{Value, json};

/// Read an argument in running Spanish text, and judge it.
#[derive(Parser)]
struct Arguments {
    /// Checkpoint folder of the model that reads.
    #[arg(long, default_value = "models/formalizer-es")]
    checkpoint: PathBuf,
    /// The argument.
    #[arg(required_unless_present = "file")]
    text: Option<String>,
    /// A file that holds the argument, `-` for standard input.
    #[arg(long, conflicts_with = "text")]
    file: Option<PathBuf>,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let text = argument_text(&arguments)?;
    let rules = Spanish.read_argument(&text);
    let model = model_reads(&text, &arguments)?;

    let mut answer = match (&model, &rules) {
        (Some(read), _) => judged(read, "model"),
        (None, Ok(read)) => judged(read, "rules"),
        (None, Err(error)) => anyhow::bail!("neither reader finds an argument: {error}"),
    };
    if let (Some(model), Ok(rules)) = (&model, &rules) {
        let opinion = Opinion::of(&model.answer(), &rules.answer());
        answer["agree"] = opinion.agrees().into();
        if !opinion.agrees() {
            answer["rules"] = judged(rules, "rules");
        }
    }
    println!("{}", serde_json::to_string_pretty(&answer)?);
    Ok(())
}

/// What the model reads, sentence by sentence; nothing where there is no argument or one sentence has no reading.
fn model_reads(text: &str, arguments: &Arguments) -> Result<Option<ReadArgument>> {
    let Ok(ArgumentText { premises, conclusion }) = ArgumentText::read(text) else { return Ok(None) };
    let mut formalizer = Formalizer::load(&arguments.checkpoint, arguments.threads)?;
    let sentences: Vec<&str> = premises.iter().chain([&conclusion]).map(String::as_str).collect();
    let readings = formalizer.read(&sentences, &Sampling::greedy())?.into_iter();
    let Ok(answers) = readings.map(|reading| Ok(reading?.answer)).collect::<Result<Vec<_>, Unread>>() else {
        return Ok(None);
    };
    let (conclusion, premises) = answers.split_last().context("an argument has a conclusion")?;
    Ok(Spanish.unite(premises, conclusion).ok())
}

/// The verifier's judgement, with the formulas that it is about.
fn judged(read: &ReadArgument, reader: &str) -> Value {
    let line =
        |formula: &_| json!({"formula": format!("{formula}"), "reading": say_back(formula, &read.atoms)});
    let mut answer = json!(read.argument.judge());
    answer["read_by"] = reader.into();
    answer["premises"] = read.argument.premises.iter().map(line).collect();
    answer["conclusion"] = line(&read.argument.conclusion);
    answer["atoms"] = json!(read.atoms);
    answer
}

fn argument_text(arguments: &Arguments) -> Result<String> {
    match (&arguments.text, &arguments.file) {
        (Some(text), _) => Ok(text.clone()),
        (None, Some(path)) if path.as_os_str() == "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            Ok(text)
        }
        (None, Some(path)) => std::fs::read_to_string(path).with_context(|| path.display().to_string()),
        (None, None) => Ok(String::new()),
    }
}
