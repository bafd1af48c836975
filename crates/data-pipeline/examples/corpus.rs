//! Makes a corpus of Spanish sentences and their formulas, and says what was dropped and why.
//!
//! ```text
//! cargo run --release --example corpus -- --rows 60000 --seed 1 --out target/corpus
//! ```
//!
//! Killed, the same command goes on where it stopped. On several machines that share a folder, run it with `--shard 1/4`
//! to `--shard 4/4`, then once with `--join 4`: the files are those of a single run. Rows of your own, as JSON Lines or a
//! JSON array, go through the same steps with `--from FILE`.

use std::{path::PathBuf, sync::Mutex};

use anyhow::Context as _;
use clap::Parser;
use data_pipeline::{Corpus, Maker, Part, Progress, Recipe, Source, dedup::WordRuns, gold, read_rows};
use indicatif::{ProgressBar, ProgressStyle};

/// Makes train.jsonl, val.jsonl, test.jsonl, tokenizer.json, report.md and manifest.json.
#[derive(Parser)]
struct Arguments {
    /// How many sentences to make, before any is dropped.
    #[arg(long, required_unless_present = "from")]
    rows: Option<u64>,
    /// Take the rows of this file instead.
    #[arg(long, value_name = "FILE", conflicts_with = "rows")]
    from: Option<PathBuf>,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The folder to write.
    #[arg(long)]
    out: PathBuf,
    /// Make and clean only part i of n, from 1 to n.
    #[arg(long, value_name = "I/N")]
    shard: Option<Part>,
    /// Join the n parts made before.
    #[arg(long, value_name = "N", conflicts_with = "shard")]
    join: Option<u64>,
    /// Give train sentences up to so many equivalent formulas besides their own.
    #[arg(long, value_name = "K", default_value_t = 0)]
    equivalent_forms: usize,
    /// Tokens of the vocabulary at most, special ones included.
    #[arg(long, default_value_t = Recipe::default().vocab_size)]
    vocab_size: usize,
    /// Count the sentences that share five content words in a row with this JSON Lines file.
    #[arg(long, value_name = "FILE")]
    check_against: Vec<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let source = match (&arguments.from, arguments.rows) {
        (Some(file), _) => Source::File(file.clone()),
        (None, rows) => Source::made(Maker::new(arguments.seed), rows.unwrap_or(0)),
    };
    let Arguments { seed, vocab_size, equivalent_forms: rewritten, .. } = arguments;
    let recipe = Recipe { seed, vocab_size, rewritten, ..Recipe::default() };
    let style = ProgressStyle::with_template("{msg:24} {wide_bar} {human_pos} of {human_len}, {eta} left")?;
    let bar = Mutex::new(ProgressBar::new(1).with_style(style));
    let progress = |Progress { stage, done, of }: Progress| {
        let bar = bar.lock().expect("no thread panics");
        if bar.message() != stage {
            bar.set_message(stage);
            bar.reset_eta();
        }
        bar.set_length(of);
        bar.set_position(done);
    };
    let corpus = Corpus::new(&source, &recipe, &arguments.out).with_progress(&progress);
    let writing = || format!("writing {}", arguments.out.display());
    let manifest = match (arguments.shard, arguments.join) {
        (Some(part), _) => {
            corpus.clean(part).with_context(writing)?;
            println!(
                "part {} of {} is done; when all are, join them with --join {}",
                part.number, part.of, part.of
            );
            return Ok(());
        }
        (None, Some(parts)) => corpus.join(parts).with_context(writing)?,
        (None, None) => corpus.build().with_context(writing)?,
    };
    print!("{manifest}");

    let gold = gold::sentences();
    for file in &arguments.check_against {
        let texts = texts(file).with_context(|| format!("reading {}", file.display()))?;
        let runs = WordRuns::of(texts.iter().map(String::as_str));
        let mut shared = 0;
        for side in ["train.jsonl", "val.jsonl", "test.jsonl"] {
            for row in read_rows(arguments.out.join(side))? {
                shared += usize::from(runs.share_a_run(&row?.input));
            }
        }
        let of_gold = gold.iter().filter(|row| runs.share_a_run(&row.input)).count();
        let file = file.display();
        println!("{file}: {shared} rows and {of_gold} gold sentences share five content words in a row");
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
