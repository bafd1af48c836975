//! A checkpoint folder becomes one GGUF file, with a Modelfile and a manifest beside it, and the proof printed.
//!
//! ```text
//! cargo run --release --example export_gguf -- --checkpoint DIR --quantize Q4_K_M --out model.gguf
//! ```

use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use gguf_export::{ExportOptions, FileType, export};
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
    let license = arguments
        .license
        .as_ref()
        .map(std::fs::read_to_string)
        .transpose();
    let options = ExportOptions {
        file_type: arguments.quantize,
        name: arguments.name,
        system: arguments.system,
        license: license.context("the licence")?,
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
    println!("the graph, in F32, against the checkpoint: {}", manifest.graph);
    println!(
        "the file, in {}, against the checkpoint: {}",
        manifest.file_type, manifest.logits
    );
    Ok(())
}
