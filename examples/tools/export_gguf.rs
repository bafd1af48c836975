//! A checkpoint folder becomes one GGUF file, with a Modelfile and a manifest beside it, and the proof printed.
//!
//! ```text
//! cargo run --release --example export_gguf -- --checkpoint DIR --quantize Q4_K_M --out model.gguf
//!
//! llama-cli -m model.gguf
//! ollama create NAME -f Modelfile && ollama run NAME
//! ```

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Parser;
use data_pipeline::format::Pointing;
use data_pipeline::{Tokenizer, read_rows};
use gguf_export::{Approximation, ExportOptions, FileType, Tokenized, export};
use nanologic_model::{Checkpoint, Reference};

/// Write a checkpoint folder as GGUF, for llama.cpp and Ollama, once it is proven to compute the same.
#[derive(Parser)]
struct Arguments {
    /// Checkpoint folder: config.json, model.safetensors, tokenizer.json.
    #[arg(long)]
    checkpoint: PathBuf,
    /// Type of the matrices: F32, F16, BF16, Q8_0, Q4_K_M …
    #[arg(long, default_value = "F16")]
    quantize: FileType,
    /// The GGUF file; `Modelfile` and `<out>.manifest.json` are written beside it.
    #[arg(long)]
    out: PathBuf,
    /// Rows whose prompts the file must tokenize as the checkpoint does, one JSON object a line.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Leave out what GGUF cannot say, and print what that costs: `softcap` (bounds on scores and logits), `nfc` (a text
    /// is not brought to Unicode's normal form C).
    #[arg(long, value_name = "NAME")]
    allow_approximate: Vec<Approximation>,
    /// Name of the model in the file; by default the folder's.
    #[arg(long)]
    name: Option<String>,
    /// System message for the Modelfile.
    #[arg(long)]
    system: Option<String>,
    /// File with the licence for the Modelfile.
    #[arg(long)]
    license: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let checkpoint = Checkpoint::load(&arguments.checkpoint)?;
    let reference = Reference::<f64>::new(&checkpoint.config, &checkpoint.weights)?;
    let corpus = arguments.data.as_ref().map(|data| corpus(data, &arguments.checkpoint)).transpose()?;
    let license = arguments.license.as_ref().map(std::fs::read_to_string).transpose();
    let options = ExportOptions {
        file_type: arguments.quantize,
        name: arguments.name,
        system: arguments.system,
        license: license.context("the licence")?,
        allow_approximate: arguments.allow_approximate,
        corpus: corpus.unwrap_or_default(),
        ..ExportOptions::default()
    };
    let forward = |tokens: &[u32]| Ok(reference.logits(tokens)?);
    let manifest = export(&arguments.checkpoint, &arguments.out, &options, &forward)?;

    println!(
        "{}: {} as {}, {} weights, {:.1} MB",
        arguments.out.display(),
        manifest.architecture,
        manifest.file_type,
        manifest.parameters,
        manifest.bytes as f64 / 1e6
    );
    for change in &manifest.changes {
        println!("changed: {change}");
    }
    if let Some(approximate) = &manifest.approximate {
        let left_out = approximate.left_out.join(", ");
        println!("left out: {left_out}; that alone, against the checkpoint: {}", approximate.logits);
    }
    println!("texts tokenized as by the checkpoint: {}", manifest.texts);
    println!("the graph, in F32, against the checkpoint: {}", manifest.graph);
    println!("the file, in {}, against the checkpoint: {}", manifest.file_type, manifest.logits);
    Ok(())
}

/// The prompts of all rows that the format can hold, with the checkpoint's ids.
fn corpus(data: &Path, checkpoint: &Path) -> anyhow::Result<Vec<Tokenized>> {
    let tokenizer = Tokenizer::load(checkpoint.join("tokenizer.json"))?;
    let mut corpus = Vec::new();
    for row in read_rows(data)? {
        if let Ok(text) = Pointing::prompt(&row?.input) {
            corpus.push(Tokenized { tokens: tokenizer.encode(&text), text });
        }
    }
    Ok(corpus)
}
