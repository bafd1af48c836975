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

use anyhow::{Context, Result, bail};
use clap::Parser;
use data_pipeline::argument::{ArgumentText, ReadArgument};
use data_pipeline::format::Answer;
use data_pipeline::reader::Spanish;
use logic_parser::Formula;
use nanologic_model::torch::Formalizer;
use nanologic_model::{Opinion, believe_model, say_back};
use serde_json::{Value, json};

/// Answers searched for a sentence, as `formalize` does.
const BEST: usize = 8;

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
    for (sentence, readings) in sentences.iter().zip(formalizer.alternatives(&sentences, BEST)?) {
        let by_model = readings.ok().and_then(|readings| readings.into_iter().next());
        let by_rules = Spanish.weigh(sentence).ok();
        let answer =
            match (&by_model, &by_rules) {
                (Some(model), Some((rules, oddness))) => {
                    if believe_model(*oddness, model.formula_probability) { &model.answer } else { rules }
                }
                (Some(model), None) => &model.answer,
                (None, Some((rules, _))) => rules,
                (None, None) => bail!("no reading of «{sentence}»"),
            };
        taken.push(answer.clone());
        model.extend(by_model.map(|reading| reading.answer));
        rules.extend(by_rules.map(|(answer, _)| answer));
    }

    let mut answer = judged(&unite(&taken).context("the argument has too many atoms")?);
    // What each reads by itself, if it reads every sentence.
    let alone = |answers: &[Answer]| unite(answers).filter(|_| answers.len() == sentences.len());
    if let (Some(model), Some(rules)) = (alone(&model), alone(&rules)) {
        let agree = Opinion::of(&model.answer(), &rules.answer()).agrees();
        answer["agree"] = agree.into();
        if !agree {
            answer["model"] = judged(&model);
            answer["rules"] = judged(&rules);
        }
    }
    println!("{}", serde_json::to_string_pretty(&answer)?);
    Ok(())
}

/// The last sentence is the conclusion.
fn unite(answers: &[Answer]) -> Option<ReadArgument> {
    let (conclusion, premises) = answers.split_last()?;
    Spanish.unite(premises, conclusion).ok()
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
