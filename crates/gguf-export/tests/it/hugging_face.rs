//! Folders that Hugging Face's tools wrote, with what they compute and tokenize; `tests/hugging_face/make.py` makes them.

use std::fs;
use std::path::{Path, PathBuf};

use gguf_export::{Approximation, Error, ExportOptions, FileType, GgufFile, Manifest, Tokenized, export};
use safetensors::SafeTensors;
use serde_json::Value;

/// A folder of the fixtures, and what `transformers` says of it.
pub struct Fixture {
    pub folder: PathBuf,
    pub tokens: Vec<u32>,
    pub logits: Vec<f64>,
    pub texts: Vec<Tokenized>,
    pub expected: Value,
}

impl Fixture {
    pub fn open(name: &str) -> Fixture {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hugging_face").join(name);
        let bytes = fs::read(folder.join("expected.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let data = |name: &str| tensors.tensor(name).unwrap().data().to_vec();
        let expected: Value =
            serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap();
        let texts = expected["texts"].as_array().unwrap().iter().map(|text| Tokenized {
            text: text["text"].as_str().unwrap().to_owned(),
            tokens: text["tokens"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect(),
        });
        Fixture {
            tokens: data("tokens").as_chunks().0.iter().map(|&id| i64::from_le_bytes(id) as u32).collect(),
            logits: data("logits").as_chunks().0.iter().map(|&x| f64::from(f32::from_le_bytes(x))).collect(),
            texts: texts.collect(),
            folder,
            expected,
        }
    }

    /// Qwen's tokenizer brings texts to NFC, llama.cpp does not: the texts that are in it.
    pub fn normal_texts(&self) -> Vec<Tokenized> {
        self.texts.iter().filter(|text| !text.text.contains('\u{301}')).cloned().collect()
    }

    pub fn export(&self, out: &Path, file_type: FileType, corpus: Vec<Tokenized>) -> Result<Manifest, Error> {
        let forward = |tokens: &[u32]| {
            assert_eq!(tokens, self.tokens, "the only tokens whose logits were recorded");
            Ok(self.logits.clone())
        };
        let probes = vec![self.tokens.clone()];
        let allow_approximate = vec![Approximation::Nfc];
        let options = ExportOptions { file_type, corpus, probes, allow_approximate, ..Default::default() };
        export(&self.folder, out, &options, &forward)
    }
}

#[test]
fn a_llama_folder_in_shards_computes_what_transformers_computes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("llama.gguf");
    let fixture = Fixture::open("tiny_llama");
    let manifest = fixture.export(&out, FileType::F32, fixture.texts.clone()).unwrap();
    assert!(manifest.logits.relative_difference() < 1e-6, "{}", manifest.logits);
    assert_eq!(manifest.texts, 6);
    assert_eq!(manifest.approximate, None);
    let file = GgufFile::open(&out).unwrap();
    let metadata = &file.header().metadata;
    assert_eq!(metadata.str("tokenizer.ggml.pre"), Some("gpt-2"));
    assert_eq!(metadata.get("tokenizer.ggml.add_bos_token"), Some(&true.into()));
    assert!(file.tensor("output.weight").is_some() && file.tensor("blk.1.ffn_gate.bias").is_some());
}

#[test]
fn a_qwen3_folder_computes_what_transformers_computes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("qwen3.gguf");
    let fixture = Fixture::open("tiny_qwen3");
    let manifest = fixture.export(&out, FileType::F32, fixture.normal_texts()).unwrap();
    assert!(manifest.logits.relative_difference() < 1e-6, "{}", manifest.logits);
    assert_eq!(manifest.approximate.unwrap().left_out, ["normalizer NFC of tokenizer.json"]);
    let file = GgufFile::open(&out).unwrap();
    assert_eq!(file.header().metadata.str("tokenizer.ggml.pre"), Some("qwen2"));
    assert!(file.tensor("output.weight").is_none());
}

#[test]
fn what_nfc_would_change_is_seen_in_the_corpus() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::open("tiny_qwen3");
    let result = fixture.export(&folder.path().join("qwen3.gguf"), FileType::F32, fixture.texts.clone());
    assert!(matches!(result, Err(Error::TokensDiffer { .. })), "{result:?}");
    let options = ExportOptions::default();
    let forward = |_: &[u32]| -> Result<Vec<f64>, _> { unreachable!("refused before") };
    match export(&fixture.folder, &folder.path().join("qwen3.gguf"), &options, &forward) {
        Err(Error::Refused { what, .. }) => assert_eq!(what, "normalizer NFC of tokenizer.json"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn their_chat_template_is_kept_and_renders_their_prompt() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("llama.gguf");
    let fixture = Fixture::open("tiny_llama");
    fixture.export(&out, FileType::Q8_0, Vec::new()).unwrap();
    let file = GgufFile::open(&out).unwrap();
    let template = file.header().metadata.str("tokenizer.chat_template").unwrap();
    let environment = minijinja::Environment::new();
    let context = minijinja::context! {
        messages => minijinja::Value::from_serialize(&fixture.expected["chat"]),
        add_generation_prompt => true,
    };
    assert_eq!(
        environment.render_str(template, context).unwrap(),
        fixture.expected["prompt"].as_str().unwrap()
    );
}
