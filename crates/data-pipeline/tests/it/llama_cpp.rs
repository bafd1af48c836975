//! The real llama.cpp, on a file with our vocabulary. Without it these tests fail: `cargo xtask setup` installs it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use data_pipeline::{
    Maker, Tokenizer,
    format::{Format, Pointing, Sections},
};
use gguf_export::{Array, GgmlType, Metadata, Value, Writer, llama_cpp::LlamaCpp};
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

/// Width of the model and of its only head.
const D: u64 = 32;

fn tokenizer() -> Tokenizer {
    let maker = Maker::new(1);
    let texts = (0..2_000).map(|index| Pointing::prompt(&maker.row(index).input).unwrap());
    Tokenizer::train(texts, 2_000).unwrap()
}

/// A model that thinks nothing: whatever it is asked, each token has a score of its own.
fn write_model(path: &Path, tokenizer: &Tokenizer, score: impl Fn(&str) -> f32) {
    let json = path.with_extension("json");
    tokenizer.save(&json).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let ids: BTreeMap<u64, &String> = json["model"]["vocab"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(token, id)| (id.as_u64().unwrap(), token))
        .collect();
    let tokens: Vec<String> = ids.into_values().cloned().collect();
    let part = |merge: &serde_json::Value, side: usize| merge[side].as_str().unwrap().to_owned();
    let merges = json["model"]["merges"].as_array().unwrap();
    let merges = merges.iter().map(|merge| format!("{} {}", part(merge, 0), part(merge, 1))).collect();
    // CONTROL, USER_DEFINED, NORMAL.
    let kinds = (0..tokens.len())
        .map(|id| {
            if id < 10 {
                3
            } else if id < 111 {
                4
            } else {
                1
            }
        })
        .collect();

    let mut metadata = Metadata::default();
    metadata.set("general.architecture", "llama");
    for (key, value) in [
        ("llama.block_count", 1),
        ("llama.context_length", 4_096),
        ("llama.embedding_length", D as u32),
        ("llama.feed_forward_length", D as u32),
        ("llama.attention.head_count", 1),
        ("llama.attention.head_count_kv", 1),
        ("llama.rope.dimension_count", D as u32),
        ("llama.vocab_size", tokens.len() as u32),
        ("tokenizer.ggml.bos_token_id", 1),
        ("tokenizer.ggml.eos_token_id", 2),
    ] {
        metadata.set(key, Value::U32(value));
    }
    metadata.set("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-6));
    metadata.set("tokenizer.ggml.model", "gpt2");
    metadata.set("tokenizer.ggml.pre", "gpt-2");
    metadata.set("tokenizer.ggml.tokens", Value::Array(Array::String(tokens.clone())));
    metadata.set("tokenizer.ggml.token_type", Value::Array(Array::I32(kinds)));
    metadata.set("tokenizer.ggml.merges", Value::Array(Array::String(merges)));
    metadata.set("tokenizer.ggml.add_bos_token", Value::Bool(false));
    metadata.set("tokenizer.chat_template", "{% for m in messages %}{{ m['content'] }}\n{% endfor %}");

    let n = tokens.len() as u64;
    let square = vec![D, D];
    let mut tensors = vec![
        ("token_embd.weight".to_owned(), vec![D, n]),
        ("output_norm.weight".to_owned(), vec![D]),
        ("output.weight".to_owned(), vec![D, n]),
        ("blk.0.attn_norm.weight".to_owned(), vec![D]),
        ("blk.0.ffn_norm.weight".to_owned(), vec![D]),
    ];
    for name in ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"] {
        tensors.push((format!("blk.0.{name}.weight"), square.clone()));
    }
    let infos = tensors.iter().map(|(name, dims)| (name.clone(), dims.clone(), GgmlType::F32));
    let out = BufWriter::new(File::create(path).unwrap());
    let mut writer = Writer::new(out, &metadata, Writer::lay_out(infos).unwrap()).unwrap();
    for (name, dims) in &tensors {
        for index in 0..dims.iter().product::<u64>() {
            let value = match name.as_str() {
                "output.weight" => score(&tokens[(index / D) as usize]) / D as f32,
                "token_embd.weight" => 1.0,
                name if name.ends_with("norm.weight") => 1.0,
                _ => 0.0,
            };
            writer.write(&value.to_le_bytes()).unwrap();
        }
    }
    writer.finish().unwrap().flush().unwrap();
}

/// Text that a tokenizer may stumble over: what the formats write, and characters thrown together.
fn strings() -> Vec<String> {
    let maker = Maker::new(9);
    let mut strings: Vec<String> = Vec::new();
    for row in (0..300).map(|index| maker.row(index)) {
        strings.push(Pointing::prompt(&row.input).unwrap() + &Pointing::answer(&row).unwrap());
        strings.push(Sections::WithThought.prompt(&row.input).unwrap());
        strings.push(Sections::WithThought.answer(&row).unwrap());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let characters: Vec<char> =
        "aeiouñáü ¿?¡!.,;:'\"()<>|{}-_\\/\t\n\r 0123456789∧∨¬→↔⊕SLD  e\u{301}\u{200b}€ßΩ漢😀²½\u{a0}\u{2003}"
            .chars()
            .collect();
    let pieces = [
        "<|eos|>",
        "<|pad|>",
        "<|formula|>",
        "<7>",
        "<96>",
        "<|fin|>",
        " si",
        "'s",
        "'LL",
        "   ",
        "\n\n",
        "¬¬",
    ];
    for n in 0..3_000 {
        let piece = |rng: &mut ChaCha8Rng| match rng.random_range(0..7) {
            0 => pieces.choose(rng).unwrap().to_string(),
            _ => characters.choose(rng).unwrap().to_string(),
        };
        strings.push((0..n % 50 + 1).map(|_| piece(&mut rng)).collect());
    }
    strings
}

#[test]
fn llama_cpp_cuts_text_into_the_same_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let tokenizer = tokenizer();
    write_model(&path, &tokenizer, |_| 0.0);
    let mut model = LlamaCpp::start().unwrap().open(&path, 64).unwrap();
    for text in strings() {
        assert_eq!(model.tokenize(&text).unwrap(), tokenizer.encode(&text), "{text:?}");
    }
}

/// llama.cpp's own OpenAI-compatible server, ended with this value.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const SERVE: &str = r#"
import sys
sys.path.insert(0, sys.argv[1])
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[2]
params.n_ctx, params.n_parallel, params.port = 4096, 2, 0
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.warmup = False
server = xllamacpp.Server(params)
print("listening " + server.listening_address, flush=True)
sys.stdin.read()
"#;

/// Starts it and says at what address it listens.
fn serve(model: &Path) -> (Server, String) {
    let folder = std::env::var_os(gguf_export::llama_cpp::FOLDER_VARIABLE).expect("cargo sets it");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    assert!(
        folder.join("xllamacpp").exists(),
        "llama.cpp is not in {}: run `cargo xtask setup`",
        folder.display()
    );
    let mut child = Command::new("python3")
        .args(["-c", SERVE])
        .arg(folder)
        .arg(model)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let server = Server(child);
    let address =
        lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("listening ")?.to_owned()));
    (server, address.expect("the server starts"))
}

#[cfg(feature = "verify")]
#[test]
fn a_real_server_answers_within_our_schema_and_is_asked_once() {
    use data_pipeline::verify::{Endpoint, Outcome, Price, Verifier};

    let folder = tempfile::tempdir().unwrap();
    let maker = Maker::new(2);
    let rows: Vec<_> = (0..4).map(|index| maker.row(index)).collect();
    // Nothing but the schema makes this model write JSON. It likes short words, and one of the two verdicts.
    for (verdict, outcome) in [("true", Outcome::Verified), ("false", Outcome::Rejected)] {
        let path = folder.path().join(format!("{verdict}.gguf"));
        write_model(&path, &tokenizer(), |token| match token {
            "\"" => 9.0,
            "}" => 8.0,
            _ if verdict.starts_with(token) => 7.0,
            _ if token.starts_with('Ġ') || token == "Ċ" => -5.0,
            _ => 0.0,
        });
        let (server, address) = serve(&path);
        let verifier = Verifier {
            endpoint: Endpoint::new(&format!("{}/v1", address.trim_end_matches('/')), verdict),
            threads: 2,
            price: Price { input: 1.0, output: 1.0 },
            cap_usd: 1.0,
        };
        let cache = folder.path().join(format!("{verdict}.jsonl"));
        let report = verifier.run(&rows, &cache).unwrap();
        assert_eq!(report.outcomes, vec![outcome; 4]);
        assert!(report.spent_usd > 0.0, "the server counts its tokens");
        drop(server);
        let again = verifier.run(&rows, &cache).unwrap();
        assert_eq!((again.outcomes, again.spent_usd), (report.outcomes, 0.0));
    }
}
