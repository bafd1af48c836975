//! One GGUF file into another of other types, byte for byte as `llama-quantize` writes it.
//!
//! ```text
//! cargo run --release --example quantize_gguf -- IN.gguf OUT.gguf Q4_K_M [--threads N] [--dry-run] [--imatrix FILE]
//! cargo run --release --example quantize_gguf -- IN.gguf OUT.gguf COPY --set general.name=str:THAU --remove KEY
//! ```

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Parser;
use gguf_export::{
    FileType, GgufFile, ImportanceMatrix, RequantizeOptions, Requantized, Value, plan, requantize,
};

/// Rewrite a GGUF file with other types or other keys.
#[derive(Parser)]
struct Arguments {
    /// The file to read.
    input: PathBuf,
    /// The file to write.
    out: PathBuf,
    /// F32, F16, BF16, Q8_0, Q4_0 …, Q2_K, Q3_K_M …, or COPY to keep all types.
    file_type: String,
    /// Threads; by default one per core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Say what each tensor would become, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Also from types that have lost precision already.
    #[arg(long)]
    allow_requantize: bool,
    /// What each input of each matrix matters: a GGUF file of `llama-imatrix`.
    #[arg(long, value_name = "FILE")]
    imatrix: Option<PathBuf>,
    /// Give a key a value, as `general.name=str:THAU`; the types are str, bool, u32, i32, u64, f32 and f64.
    #[arg(long, value_name = "KEY=TYPE:VALUE", value_parser = key_value)]
    set: Vec<(String, Value)>,
    /// Take a key out.
    #[arg(long, value_name = "KEY")]
    remove: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let copy = arguments.file_type.eq_ignore_ascii_case("copy");
    let file_type = if copy { None } else { Some(arguments.file_type.parse::<FileType>()?) };
    let options = RequantizeOptions {
        file_type,
        allow_requantize: arguments.allow_requantize,
        importance: arguments.imatrix.as_deref().map(ImportanceMatrix::open).transpose()?,
        set: arguments.set,
        remove: arguments.remove,
    };
    let changes = if arguments.dry_run {
        plan(&GgufFile::open(&arguments.input)?, &options)?
    } else {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build()?;
        pool.install(|| requantize(&arguments.input, &arguments.out, &options))?
    };
    report(&changes);
    Ok(())
}

fn report(changes: &[Requantized]) {
    for Requantized { before, after } in changes.iter().filter(|c| c.before.ggml_type != c.after.ggml_type) {
        println!(
            "{:32} {:>16} {} -> {}",
            before.name,
            shape(&before.dims),
            before.ggml_type,
            after.ggml_type
        );
    }
    let bytes: u64 = changes.iter().filter_map(|change| change.after.byte_len()).sum();
    let weights: u64 = changes.iter().filter_map(|change| change.after.n_elements()).sum();
    let bits = 8.0 * bytes as f64 / weights.max(1) as f64;
    println!("{} tensors, {:.1} MB, {bits:.2} bits per weight", changes.len(), bytes as f64 / 1e6);
}

fn shape(dims: &[u64]) -> String {
    dims.iter().map(u64::to_string).collect::<Vec<_>>().join(" x ")
}

fn key_value(text: &str) -> Result<(String, Value), String> {
    let parts = text.split_once('=').and_then(|(key, value)| Some((key, value.split_once(':')?)));
    let (key, (kind, value)) = parts.ok_or("expected KEY=TYPE:VALUE")?;
    let value = match kind {
        "str" => value.into(),
        "bool" => number::<bool>(value)?,
        "u32" => number::<u32>(value)?,
        "i32" => number::<i32>(value)?,
        "u64" => number::<u64>(value)?,
        "f32" => number::<f32>(value)?,
        "f64" => number::<f64>(value)?,
        _ => return Err(format!("{kind} is none of str, bool, u32, i32, u64, f32, f64")),
    };
    Ok((key.to_owned(), value))
}

fn number<T>(text: &str) -> Result<Value, String>
where
    T: FromStr<Err: Display> + Into<Value>,
{
    text.parse::<T>().map(Into::into).map_err(|error| format!("{text}: {error}"))
}
