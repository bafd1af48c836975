//! Somebody's rows as training lines: parsed, cleaned, without repeats, in the format of the NanoLogic notes.
//!
//! ```text
//! cargo run --release --example clean -- dataset.json train.jsonl
//! ```

use std::{path::PathBuf, time::Instant};

use clap::Parser;
use data_pipeline::{format::Sections, training_lines};

/// Reads JSON Lines or a JSON array of rows, writes one training line a row.
#[derive(Parser)]
struct Arguments {
    /// The rows.
    from: PathBuf,
    /// The file to write.
    to: PathBuf,
    /// Begin answers with a thought, as in the first phase of training.
    #[arg(long)]
    with_thought: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let sections = if arguments.with_thought { Sections::WithThought } else { Sections::WithoutThought };
    let start = Instant::now();
    let done = training_lines(&arguments.from, &arguments.to, sections)?;
    let seconds = start.elapsed().as_secs_f64();
    let rows = done.steps[0].rows;
    print!("{done}");
    println!("{rows} rows in {seconds:.2} s, {:.0} rows/s", rows as f64 / seconds);
    Ok(())
}
