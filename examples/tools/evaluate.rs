//! Answers the sentences of a file and judges the answers by truth tables.
//!
//! ```text
//! cargo run --release --features torch --example evaluate -- --checkpoint target/model --data crates/data-pipeline/gold/sentences.jsonl
//! ```

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use data_pipeline::format::Answer;
use data_pipeline::reader::Spanish;
use data_pipeline::{Row, read_rows};
use nanologic_model::eval::{Report, Together};
use nanologic_model::torch::{Formalizer, Reading, Sampling};

/// Prints a table for the model, one for the rule reader and what both are worth together, or with --json everything
/// the tables are made of.
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
    /// How many answers to search for, as `formalize` does; 1 takes the likeliest token at every step.
    #[arg(long, default_value_t = 1)]
    best: usize,
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
    let readings = match arguments.best {
        0 | 1 => formalizer.read(&inputs, &Sampling::greedy())?,
        best => {
            let likeliest = |readings: Vec<Reading>| readings.into_iter().next().expect("at least one");
            let found = formalizer.alternatives(&inputs, best)?;
            found.into_iter().map(|readings| readings.map(likeliest)).collect()
        }
    };
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
    let sure =
        || readings.iter().map(|reading| reading.as_ref().ok().map(|r| (&r.answer, r.formula_probability)));
    let report = Report::with_confidence(rows.iter().zip(sure()));
    let read: Vec<Option<(Answer, f32)>> = rows.iter().map(|row| Spanish.weigh(&row.input).ok()).collect();
    let rules = Report::new(rows.iter().zip(read.iter().map(|read| read.as_ref().map(|(answer, _)| answer))));
    let mut together = Together::default();
    for ((row, model), rules) in rows.iter().zip(sure()).zip(&read) {
        together.add(row, model, rules.as_ref().map(|(answer, oddness)| (answer, *oddness)));
    }
    let text = if arguments.json {
        let mut all = serde_json::to_value(&report)?;
        all["rule_reader"] = serde_json::to_value(&rules)?;
        all["together"] = serde_json::to_value(together)?;
        serde_json::to_string_pretty(&all)? + "\n"
    } else {
        format!("{report}\nthe rule reader on the same sentences\n\n{rules}\nthe two together\n\n{together}")
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
