//! Spanish sentences in, formulas out, by grammar alone: the rule reader.
//!
//! ```text
//! cargo run --release --example read -- "Si llueve, me mojo."
//! cargo run --release --example read -- --file sentences.txt
//! ```
//!
//! One JSON object a line, in the order of the sentences; `"error"` for a sentence that has no reading, and exit status
//! 1 at the end if there was one. A line that is a JSON object is read for its `"input"`.

use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use data_pipeline::reader::{Reader, Spanish};
use serde_json::{Value, json};

/// Prints {"input", "formula", "atoms"} for each sentence.
#[derive(Parser)]
struct Arguments {
    /// The sentence.
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    sentence: Option<String>,
    /// A file with one sentence a line; `-` is standard input.
    #[arg(long)]
    file: Option<PathBuf>,
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
        let answer = match Spanish.read(input) {
            Ok(answer) => {
                json!({ "input": input, "formula": answer.formula.to_string(), "atoms": answer.atoms })
            }
            Err(error) => {
                failed = true;
                json!({ "input": input, "error": error.to_string() })
            }
        };
        writeln!(out, "{answer}")?;
    }
    out.flush()?;
    std::process::exit(i32::from(failed));
}
