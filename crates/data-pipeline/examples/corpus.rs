//! Makes a corpus of Spanish sentences and their formulas, and says what was dropped and why.
//!
//! ```text
//! cargo run --release --example corpus -- --rows 60000 --seed 1 --out target/corpus
//! ```

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use data_pipeline::{Corpus, Maker, Recipe, dedup::WordRuns, gold};
use indicatif::{ProgressBar, ProgressIterator as _, ProgressStyle};
use rayon::prelude::*;

/// Makes train.jsonl, val.jsonl, test.jsonl, tokenizer.json and manifest.json.
#[derive(Parser)]
struct Arguments {
    /// How many sentences to make, before any is dropped.
    #[arg(long)]
    rows: u64,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The folder to write.
    #[arg(long)]
    out: PathBuf,
    /// Count the sentences that share five content words in a row with this JSON Lines file.
    #[arg(long, value_name = "FILE")]
    check_against: Vec<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let maker = Maker::new(arguments.seed);
    let style = ProgressStyle::with_template("{msg:24} {wide_bar} {human_pos} of {human_len}, {eta} left")?;
    let bar = ProgressBar::new(arguments.rows).with_style(style).with_message("making and cleaning");
    // Made in parallel, a chunk ahead of the steps.
    let chunks = (0..arguments.rows).step_by(8_192).flat_map(|start| {
        let end = arguments.rows.min(start + 8_192);
        (start..end).into_par_iter().map(|index| maker.row(index)).collect::<Vec<_>>()
    });
    let recipe = Recipe { seed: arguments.seed, ..Recipe::default() };
    let mut corpus = Corpus::build(chunks.progress_with(bar), &recipe)?;
    corpus.write(&arguments.out).with_context(|| format!("writing {}", arguments.out.display()))?;
    print!("{}", corpus.manifest);

    let gold = gold::sentences();
    for file in &arguments.check_against {
        let texts = texts(file).with_context(|| format!("reading {}", file.display()))?;
        let runs = WordRuns::of(texts.iter().map(String::as_str));
        let shared =
            |rows: &[data_pipeline::Row]| rows.iter().filter(|row| runs.share_a_run(&row.input)).count();
        let made =
            [&corpus.train, &corpus.val, &corpus.test].into_iter().map(|side| shared(side)).sum::<usize>();
        println!(
            "{}: {made} rows and {} gold sentences share five content words in a row",
            file.display(),
            shared(&gold)
        );
    }
    Ok(())
}

/// Every sentence of a file of rows or arguments.
fn texts(file: &PathBuf) -> anyhow::Result<Vec<String>> {
    let mut texts = Vec::new();
    for line in std::fs::read_to_string(file)?.lines().filter(|line| !line.trim().is_empty()) {
        let record: serde_json::Value = serde_json::from_str(line)?;
        let fields = ["input", "conclusion_nl"].iter().filter_map(|&field| record.get(field));
        let premises = record.get("premises_nl").and_then(|premises| premises.as_array());
        let all = fields.chain(premises.into_iter().flatten()).filter_map(|text| text.as_str());
        texts.extend(all.map(str::to_owned));
    }
    Ok(texts)
}
