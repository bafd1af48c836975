//! Reads an argument in running Spanish text with a trained model, and judges it with the verifier.
//!
//! ```text
//! cargo run --release --features torch --example argue -- "Si llueve, me mojo. Me mojo. Luego llueve."
//! ```
//! Prints one JSON object: each sentence with its formula, the atoms they share, the verdict, and the countermodel or
//! the name of the fallacy.

use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use data_pipeline::argument::{ArgumentText, Glossary};
use logic_parser::Argument;
use nanologic_model::torch::{Formalizer, Sampling};
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
    let text = ArgumentText::read(&argument_text(&arguments)?)?;
    let mut formalizer = Formalizer::load(&arguments.checkpoint, arguments.threads)?;

    let sentences: Vec<&str> = text.premises.iter().chain([&text.conclusion]).map(String::as_str).collect();
    let readings = formalizer.read(&sentences, &Sampling::greedy())?;
    let mut glossary = Glossary::default();
    let mut formulas = Vec::new();
    for (sentence, reading) in sentences.iter().zip(readings) {
        let reading = reading.with_context(|| format!("no reading of «{sentence}»"))?;
        formulas.push(glossary.adopt(&reading.answer)?);
    }
    let lines: Vec<Value> = sentences
        .iter()
        .zip(&formulas)
        .map(|(sentence, formula)| json!({"input": sentence, "formula": formula.to_string()}))
        .collect();
    let conclusion = formulas.pop().context("an argument has a conclusion")?;
    let judgement = Argument { premises: formulas, conclusion }.judge();

    let (conclusion, premises) = lines.split_last().context("an argument has a conclusion")?;
    let mut answer = serde_json::to_value(&judgement)?;
    answer["premises"] = json!(premises);
    answer["conclusion"] = conclusion.clone();
    answer["atoms"] = json!(glossary.atoms());
    println!("{}", serde_json::to_string_pretty(&answer)?);
    Ok(())
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
