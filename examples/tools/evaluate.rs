//! Answers the sentences of a file and judges the answers by truth tables.
//!
//! ```text
//! cargo run --release --features torch --example evaluate -- --checkpoint target/model --data crates/data-pipeline/gold/sentences.jsonl
//! ```

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use data_pipeline::{Row, read_rows};
use nanologic_model::eval::Report;
use nanologic_model::torch::{Formalizer, Sampling};

/// Prints a table, or with --json everything the table is made of.
#[derive(Parser)]
struct Arguments {
    /// The model's checkpoint folder.
    #[arg(long)]
    checkpoint: PathBuf,
    /// Rows with their gold formulas, as JSON Lines.
    #[arg(long)]
    data: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Only the first so many rows.
    #[arg(long)]
    limit: Option<usize>,
    /// Print what was answered wrongly, to standard error.
    #[arg(long)]
    errors: bool,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let rows = read_rows(&arguments.data)
        .and_then(|rows| rows.take(arguments.limit.unwrap_or(usize::MAX)).collect::<Result<Vec<Row>, _>>())
        .with_context(|| format!("reading {}", arguments.data.display()))?;
    let mut formalizer = Formalizer::load(&arguments.checkpoint, arguments.threads)?;
    let inputs: Vec<&str> = rows.iter().map(|row| row.input.as_str()).collect();
    let readings = formalizer.read(&inputs, &Sampling::greedy())?;
    let answers = || rows.iter().zip(readings.iter().map(|reading| reading.as_ref().ok().map(|r| &r.answer)));
    if arguments.errors {
        for (row, answer) in answers() {
            if Report::new([(row, answer)]).all.equivalent.right == 0 {
                let answered = answer.map(|answer| format!("{} {:?}", answer.formula, answer.atoms));
                eprintln!("{}\n  gold   {} {:?}", row.input, row.formula, row.atoms);
                eprintln!("  answer {}", answered.unwrap_or_default());
            }
        }
    }
    let sure = readings.iter().map(|reading| reading.as_ref().ok().map(|r| (&r.answer, r.probability)));
    let report = Report::with_confidence(rows.iter().zip(sure));
    let text =
        if arguments.json { serde_json::to_string_pretty(&report)? + "\n" } else { report.to_string() };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
