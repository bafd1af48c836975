//! A model leaves home: one checkpoint, four GGUF files, each proven, and one that is not handed over.
//!
//! The weights are random, so every token is nearly as likely as the next: what a type costs shows at its worst.
//!
//! ```text
//! $ cargo run --release --example export
//! F16     3425 kB  8 sequences, 192 tokens: largest logit difference 1.65e-3 of 2.262, same top token 100.00 %, …
//! Q8_0    1827 kB  8 sequences, 192 tokens: largest logit difference 6.32e-2 of 2.262, same top token 98.44 %, …
//! Q6_K    1415 kB  8 sequences, 192 tokens: largest logit difference 1.71e-1 of 2.262, same top token 93.23 %, …
//! Q4_K_M  1068 kB  8 sequences, 192 tokens: largest logit difference 1.38e0 of 2.262, same top token 86.98 %, …
//!
//! with one weight changed by 1 %: the file does not compute what the checkpoint computes: …
//! ```

use data_pipeline::Tokenizer;
use gguf_export::{ExportOptions, FileType, Tokenized, export};
use nanologic_model::{Checkpoint, Config, Provenance, Reference, Weights};

const SENTENCES: [&str; 3] =
    ["Si llueve, me mojo.", "Llueve o nieva, pero no ambos.", "¿Estudia Juan? No: descansa."];

fn main() -> anyhow::Result<()> {
    // A small random decoder with a tokenizer of its own, saved as Hugging Face tools would save it.
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("checkpoint");
    let tokenizer = Tokenizer::train(SENTENCES, 500)?;
    tokenizer.save(folder.path().join("tokenizer.json"))?;
    let config =
        Config { vocab_size: 512, d_model: 256, n_heads: 4, head_dim: 64, d_ff: 768, ..Config::tiny() };
    let mut weights = Weights::init(&config, 7);
    // Initialisation leaves the blocks silent; a trained model's are not.
    for (i, x) in weights.0.values_mut().flat_map(|tensor| &mut tensor.data).enumerate() {
        *x += 0.04 * (i as f32 * 1.7).sin();
    }
    let tokenizer_json = Some(std::fs::read(folder.path().join("tokenizer.json"))?);
    let checkpoint = Checkpoint {
        config,
        weights,
        tokenizer: tokenizer_json,
        training: None,
        provenance: Provenance::default(),
    };
    checkpoint.save(&home)?;

    // The proof compares with the model's own plain forward and the ids of its own tokenizer.
    let reference = Reference::<f64>::new(&checkpoint.config, &checkpoint.weights)?;
    let forward = |tokens: &[u32]| Ok(reference.logits(tokens)?);
    let corpus =
        SENTENCES.map(|text| Tokenized { text: text.to_owned(), tokens: tokenizer.encode(text) }).to_vec();
    for file_type in [FileType::F16, FileType::Q8_0, FileType::Q6_K, FileType::Q4_K_M] {
        let options = ExportOptions { file_type, corpus: corpus.clone(), ..Default::default() };
        let manifest = export(&home, &folder.path().join("model.gguf"), &options, &forward)?;
        println!("{file_type:7} {:4} kB  {}", manifest.bytes / 1000, manifest.logits);
    }

    // The same folder beside a forward that differs in one weight.
    let mut other = checkpoint.clone();
    let gamma = other.weights.0.get_mut("model.norm.weight").expect("every decoder has one");
    gamma.data[0] *= 1.01;
    let wrong = Reference::<f64>::new(&other.config, &other.weights)?;
    let forward = |tokens: &[u32]| Ok(wrong.logits(tokens)?);
    let refused = export(&home, &folder.path().join("wrong.gguf"), &ExportOptions::default(), &forward);
    println!("\nwith one weight changed by 1 %: {}", refused.expect_err("the proof sees it"));
    Ok(())
}
