//! Reads an argument in running Spanish text, sentence by sentence, with a trained model and with the rule reader, and
//! judges it with the verifier.
//!
//! ```text
//! cargo run --release --features torch --example argue -- "Si llueve, me mojo. Me mojo. Luego llueve."
//! ```
//! Prints one JSON object: premises and conclusion as formulas and said back, the atoms that they share, the verdict, and
//! the countermodel or the name of the fallacy. Of each sentence it takes the reader that `formalize` would; `"agree"` says
//! whether the two read the same argument, and `"model"` and `"rules"` what each reads where they do not.

use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use data_pipeline::argument::{ArgumentText, ReadArgument};
use data_pipeline::format::Answer;
use data_pipeline::reader::Spanish;
use logic_parser::Formula;
use nanologic_model::torch::{Formalizer, Sampling};
use nanologic_model::{Opinion, believe_model, say_back};
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
    let ArgumentText { premises, conclusion } = ArgumentText::read(&argument_text(&arguments)?)?;
    let sentences: Vec<&str> = premises.iter().chain([&conclusion]).map(String::as_str).collect();
    let mut formalizer = Formalizer::load(&arguments.checkpoint, arguments.threads)?;
    let (mut taken, mut model, mut rules) = (Vec::new(), Vec::new(), Vec::new());
    for (sentence, reading) in sentences.iter().zip(formalizer.read(&sentences, &Sampling::greedy())?) {
        let reading = reading.with_context(|| format!("no reading of «{sentence}»"))?;
        // What the rules cannot read is left to the model.
        let (by_rules, oddness) =
            Spanish.weigh(sentence).unwrap_or_else(|_| (reading.answer.clone(), f32::INFINITY));
        let believed = believe_model(oddness, reading.formula_probability);
        taken.push(if believed { reading.answer.clone() } else { by_rules.clone() });
        model.push(reading.answer);
        rules.push(by_rules);
    }

    let unite = |answers: &[Answer]| -> Result<ReadArgument> {
        let (conclusion, premises) = answers.split_last().context("an argument has a conclusion")?;
        Ok(Spanish.unite(premises, conclusion)?)
    };
    let mut answer = judged(&unite(&taken)?);
    let (model, rules) = (unite(&model)?, unite(&rules)?);
    let agree = Opinion::of(&model.answer(), &rules.answer()).agrees();
    answer["agree"] = agree.into();
    if !agree {
        answer["model"] = judged(&model);
        answer["rules"] = judged(&rules);
    }
    println!("{}", serde_json::to_string_pretty(&answer)?);
    Ok(())
}

/// The verifier's judgement, with the formulas that it is about.
fn judged(read: &ReadArgument) -> Value {
    let line = |formula: &Formula| json!({"formula": formula.to_string(), "reading": say_back(formula, &read.atoms)});
    let mut answer = json!(read.argument.judge());
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
