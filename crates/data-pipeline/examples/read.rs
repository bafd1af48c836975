//! Spanish sentences in, formulas out, by grammar alone: the rule reader.
//!
//! ```text
//! cargo run --release --example read -- "Si llueve, me mojo."
//! cargo run --release --example read -- --file sentences.txt
//! cargo run --release --example read -- --argument "Si llueve, me mojo. Llueve. Por tanto, me mojo."
//! ```
//!
//! One JSON object a line, in the order of the sentences; `"error"` for a sentence that has no reading, and exit status
//! 1 at the end if there was one. A line that is a JSON object is read for its `"input"`. With `--argument` each line is an
//! argument, and the verifier's judgement is added.

use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use data_pipeline::argument::ReadArgument;
use data_pipeline::format::Answer;
use data_pipeline::reader::Spanish;
use serde_json::{Value, json};

/// Prints {"input", "formula", "atoms", "oddness"} for each sentence.
#[derive(Parser)]
struct Arguments {
    /// The sentence.
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    sentence: Option<String>,
    /// A file with one sentence a line; `-` is standard input.
    #[arg(long)]
    file: Option<PathBuf>,
    /// Read premises and a conclusion, and say whether it follows.
    #[arg(long)]
    argument: bool,
}

fn sentence((answer, oddness): (Answer, f32)) -> Value {
    json!({ "formula": answer.formula.to_string(), "atoms": answer.atoms, "oddness": oddness })
}

fn argument(read: ReadArgument) -> Value {
    let mut answer = json!(read.argument.judge());
    answer["premises"] = read.argument.premises.iter().map(ToString::to_string).collect();
    answer["conclusion"] = read.argument.conclusion.to_string().into();
    answer["atoms"] = json!(read.atoms);
    answer
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let lines: Box<dyn BufRead> = match (arguments.sentence, &arguments.file) {
        (Some(sentence), _) => Box::new(std::io::Cursor::new(sentence)),
        (None, Some(file)) if file.as_os_str() != "-" => Box::new(BufReader::new(
            std::fs::File::open(file).with_context(|| format!("reading {}", file.display()))?,
        )),
        _ => Box::new(std::io::stdin().lock()),
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut failed = false;
    for line in lines.lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let row = serde_json::from_str::<Value>(&line).ok();
        let input = row.as_ref().and_then(|row| row["input"].as_str()).unwrap_or(&line);
        let answer = if arguments.argument {
            Spanish.read_argument(input).map(argument).map_err(|error| error.to_string())
        } else {
            Spanish.weigh(input).map(sentence).map_err(|error| error.to_string())
        };
        failed |= answer.is_err();
        let mut answer = answer.unwrap_or_else(|error| json!({ "error": error }));
        answer["input"] = input.into();
        writeln!(out, "{answer}")?;
    }
    out.flush()?;
    std::process::exit(i32::from(failed));
}
