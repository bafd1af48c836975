//! How many sentences that people wrote the maker has a way of saying, and which it has not.
//!
//! A sentence counts as covered if the maker, given its formula, draws its connective skeleton within 1,000 draws: the
//! same connective words in the same order, and between them words of the atoms that the glossary gives for that place.
//! Punctuation, accents and the discourse word before a sentence do not count.
//!
//! ```text
//! cargo run --release --example coverage -- crates/data-pipeline/gold/sentences.jsonl
//! ```

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Context as _;
use clap::Parser;
use data_pipeline::{Lemmas, Maker, lemmas};
use rayon::prelude::*;

/// Reads JSON Lines with `input`, `formula` and, where there is one, the glossary `atoms`.
#[derive(Parser)]
struct Arguments {
    file: PathBuf,
    /// How often the maker may try.
    #[arg(long, default_value_t = 1_000)]
    draws: u64,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let maker = Maker::new(arguments.seed);
    let text = std::fs::read_to_string(&arguments.file)
        .with_context(|| format!("reading {}", arguments.file.display()))?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let uncovered = |line: &&str| -> anyhow::Result<Option<String>> {
        let record: serde_json::Value = serde_json::from_str(line)?;
        let field = |name: &str| record.get(name).and_then(|value| value.as_str()).unwrap_or_default();
        let formula = field("formula").parse().with_context(|| format!("in {line}"))?;
        let atoms: BTreeMap<String, String> = match record.get("atoms") {
            Some(atoms) => serde_json::from_value(atoms.clone())?,
            None => BTreeMap::new(),
        };
        let covered = maker.covers(field("input"), &formula, &atoms, arguments.draws).is_some();
        Ok((!covered).then(|| format!("{}\t{}", field("formula"), field("input"))))
    };
    let uncovered: Vec<Option<String>> = lines.par_iter().map(uncovered).collect::<Result<_, _>>()?;
    for sentence in uncovered.iter().flatten() {
        println!("{sentence}");
    }
    let covered = uncovered.iter().filter(|sentence| sentence.is_none()).count();
    let share = 100.0 * covered as f64 / lines.len().max(1) as f64;
    let Lemmas { verbs, nouns, adjectives, names } = lemmas();
    println!(
        "the maker knows {} words: {verbs} verbs, {nouns} nouns, {adjectives} adjectives; and {names} names",
        lemmas().total()
    );
    println!("{covered} of {} sentences covered ({share:.1} %)", lines.len());
    Ok(())
}
