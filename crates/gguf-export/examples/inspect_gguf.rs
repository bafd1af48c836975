//! What a GGUF file says of itself. A file that is not sound, or not the one its manifest describes, gets one line and exit
//! status 1.
//!
//! ```text
//! cargo run --release --example inspect_gguf -- model.gguf [--json]
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use gguf_export::{Array, Error, GgufFile, Header, Value, check_against_manifest};
use serde_json::{Map, json};

/// Check a GGUF file and list its keys and tensors.
#[derive(Parser)]
struct Arguments {
    /// The file.
    file: PathBuf,
    /// As one JSON object, lists in full.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match inspect(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn inspect(arguments: &Arguments) -> Result<(), Error> {
    let file = GgufFile::open(&arguments.file)?;
    let has_manifest = check_against_manifest(&arguments.file)?;
    if arguments.json {
        println!("{}", as_json(file.header()));
        return Ok(());
    }
    print(file.header());
    if has_manifest {
        println!("every byte is as the manifest says");
    }
    Ok(())
}

fn print(header: &Header) {
    for (key, value) in header.metadata.iter() {
        match value {
            Value::Array(array) => println!("{key} = {} values", list(array).len()),
            // A template of many lines stays on one.
            value => println!("{key} = {}", json_value(value)),
        }
    }
    for tensor in &header.tensors {
        let dims = tensor.dims.iter().map(u64::to_string).collect::<Vec<_>>().join(" x ");
        println!("{:40} {:6} {dims}", tensor.name, tensor.ggml_type);
    }
    let bytes: u64 = header.tensors.iter().filter_map(|tensor| tensor.byte_len()).sum();
    let weights: u64 = header.tensors.iter().filter_map(|tensor| tensor.n_elements()).sum();
    let bits = 8.0 * bytes as f64 / weights.max(1) as f64;
    let (tensors, megabytes) = (header.tensors.len(), bytes as f64 / 1e6);
    println!("{tensors} tensors, {weights} weights, {megabytes:.1} MB, {bits:.2} bits per weight");
}

fn as_json(header: &Header) -> serde_json::Value {
    let metadata: Map<_, _> =
        header.metadata.iter().map(|(key, value)| (key.to_owned(), json_value(value))).collect();
    let tensors: Vec<_> = header
        .tensors
        .iter()
        .map(|tensor| json!({"name": tensor.name, "type": tensor.ggml_type.name(), "dims": tensor.dims}))
        .collect();
    json!({ "metadata": metadata, "tensors": tensors })
}

fn json_value(value: &Value) -> serde_json::Value {
    match value {
        Value::U8(x) => json!(x),
        Value::I8(x) => json!(x),
        Value::U16(x) => json!(x),
        Value::I16(x) => json!(x),
        Value::U32(x) => json!(x),
        Value::I32(x) => json!(x),
        Value::F32(x) => json!(x),
        Value::Bool(x) => json!(x),
        Value::String(x) => json!(x),
        Value::U64(x) => json!(x),
        Value::I64(x) => json!(x),
        Value::F64(x) => json!(x),
        Value::Array(array) => list(array).into(),
    }
}

fn list(array: &Array) -> Vec<serde_json::Value> {
    fn all<T: serde::Serialize>(values: &[T]) -> Vec<serde_json::Value> {
        values.iter().map(|value| json!(value)).collect()
    }
    match array {
        Array::U8(xs) => all(xs),
        Array::I8(xs) => all(xs),
        Array::U16(xs) => all(xs),
        Array::I16(xs) => all(xs),
        Array::U32(xs) => all(xs),
        Array::I32(xs) => all(xs),
        Array::F32(xs) => all(xs),
        Array::Bool(xs) => all(xs),
        Array::String(xs) => all(xs),
        Array::U64(xs) => all(xs),
        Array::I64(xs) => all(xs),
        Array::F64(xs) => all(xs),
    }
}
