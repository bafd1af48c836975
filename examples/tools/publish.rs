//! A trained checkpoint becomes the folder that its users get: weights in bf16, without what training goes on from.
//!
//! ```text
//! cargo run --release --example publish -- --checkpoint target/model --out models/formalizer-es
//! ```

use std::path::PathBuf;

use clap::Parser;
use nanologic_model::Checkpoint;

/// Write config, weights in bf16, tokenizer and provenance; other files of the folder stay.
#[derive(Parser)]
struct Arguments {
    /// The checkpoint folder of the training.
    #[arg(long)]
    checkpoint: PathBuf,
    /// The folder to publish.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let checkpoint = Checkpoint::load(&arguments.checkpoint)?;
    checkpoint.publish(&arguments.out)?;
    println!("{}: {} parameters in bf16", arguments.out.display(), checkpoint.weights.parameters());
    Ok(())
}
