//! The real llama.cpp judges our files. Without it these tests fail: `cargo xtask setup` installs it.

use std::io::Write;
use std::process::{Command, Stdio};

use gguf_export::llama_cpp::{FOLDER_VARIABLE, LlamaCpp, LlamaCppError, Model, compare};
use gguf_export::{
    ChatTemplate, ExportOptions, FileType, Forward, GgmlType, GgufFile, GgufModel, GgufTokenizer, Proof,
    RequantizeOptions, Role, Tokenized, Turn, dequantize, export, probes, quantize, requantize,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::checkpoint::{self, Toy};
use crate::folding;
use crate::hugging_face::Fixture;

/// Exports a toy and opens it in llama.cpp.
fn open(toy: &Toy, file_type: FileType) -> (tempfile::TempDir, Model) {
    let folder = tempfile::tempdir().unwrap();
    toy.save(&folder.path().join("toy"));
    let options = ExportOptions { file_type, probes: probes(toy.vocab_size, 1, 4), ..Default::default() };
    let out = folder.path().join("toy.gguf");
    export(&folder.path().join("toy"), &out, &options, toy).unwrap();
    let model = LlamaCpp::start().unwrap().open(&out, 128).unwrap();
    (folder, model)
}

#[test]
fn f32_logits_are_those_of_the_checkpoint() {
    for toy in [Toy::qwen3(), Toy::llama(), Toy::random(false, true, true, 384)] {
        let (_folder, mut model) = open(&toy, FileType::F32);
        let mut proof = Proof::default();
        for tokens in probes(toy.vocab_size, 6, 48) {
            let found: Vec<f64> = model.logits(&tokens).unwrap().into_iter().map(f64::from).collect();
            proof.compare(toy.vocab_size, &toy.logits(&tokens).unwrap(), &found).unwrap();
        }
        assert!(proof.relative_difference() <= 2e-5, "{proof}");
    }
}

#[test]
fn what_was_folded_has_the_logits_of_the_checkpoint() {
    for (name, toy) in folding::foldable() {
        let (_folder, mut model) = open(&toy, FileType::F32);
        let mut proof = Proof::default();
        for tokens in probes(toy.vocab_size, 2, 32) {
            let found: Vec<f64> = model.logits(&tokens).unwrap().into_iter().map(f64::from).collect();
            proof.compare(toy.vocab_size, &toy.logits(&tokens).unwrap(), &found).unwrap();
        }
        assert!(proof.relative_difference() <= 2e-5, "{name}: {proof}");
    }
}

#[test]
fn folders_of_hugging_face_have_the_logits_and_tokens_of_transformers() {
    for name in ["tiny_llama", "tiny_qwen3"] {
        let fixture = Fixture::open(name);
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("model.gguf");
        let texts = fixture.normal_texts();
        fixture.export(&out, FileType::F32, texts.clone()).unwrap();
        let mut model = LlamaCpp::start().unwrap().open(&out, 64).unwrap();
        let found: Vec<f64> = model.logits(&fixture.tokens).unwrap().into_iter().map(f64::from).collect();
        let mut proof = Proof::default();
        proof.compare(found.len() / fixture.tokens.len(), &fixture.logits, &found).unwrap();
        assert!(proof.relative_difference() <= 2e-5, "{name}: {proof}");
        for Tokenized { text, tokens } in texts {
            assert_eq!(model.tokenize(&text).unwrap(), tokens, "{name}: {text:?}");
        }
    }
}

/// Every type loads. Its tensors are the reference's byte for byte, so its perplexity is too; both read the same numbers
/// from them; and with these numbers in F32, where llama.cpp does not round activations to 8 bits, it computes what our
/// forward computes from the file itself.
#[test]
fn every_type_is_the_reference_s_and_computes_what_we_read() {
    let toy = Toy::qwen3();
    let mut reference = LlamaCpp::start().unwrap();
    for file_type in FileType::all() {
        let (folder, mut model) = open(&toy, file_type);
        let path = |name: &str| folder.path().join(name);
        let file = GgufFile::open(&path("toy.gguf")).unwrap();
        let options = ExportOptions {
            file_type: FileType::F32,
            probes: probes(toy.vocab_size, 1, 2),
            ..ExportOptions::default()
        };
        export(&path("toy"), &path("exact.gguf"), &options, &toy).unwrap();
        let exact = GgufFile::open(&path("exact.gguf")).unwrap();
        for tensor in &file.header().tensors {
            let truth = exact.tensor(&tensor.name).unwrap();
            let (mut values, mut read) = (Vec::new(), Vec::new());
            dequantize(truth.ggml_type, exact.bytes(truth), &mut values).unwrap();
            let bytes = file.bytes(tensor);
            if tensor.ggml_type != GgmlType::F32 {
                let stored =
                    reference.quantize(tensor.ggml_type, &values, tensor.row_len() as usize).unwrap();
                assert!(stored == bytes, "{file_type}: {} as {}", tensor.name, tensor.ggml_type);
                dequantize(tensor.ggml_type, bytes, &mut read).unwrap();
                let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
                let theirs = reference.dequantize(tensor.ggml_type, bytes).unwrap();
                assert!(bits(read) == bits(theirs), "{file_type}: {} read", tensor.name);
            }
        }
        let probe = &probes(toy.vocab_size, 1, 32)[0];
        assert!(model.logits(probe).unwrap().iter().all(|logit| logit.is_finite()), "{file_type}");
        let options = RequantizeOptions {
            file_type: Some(FileType::F32),
            allow_requantize: true,
            ..RequantizeOptions::default()
        };
        requantize(&path("toy.gguf"), &path("numbers.gguf"), &options).unwrap();
        let mut numbers = LlamaCpp::start().unwrap().open(&path("numbers.gguf"), 64).unwrap();
        let found: Vec<f64> = numbers.logits(probe).unwrap().into_iter().map(f64::from).collect();
        let expected = GgufModel::new(&file).unwrap().logits(probe).unwrap();
        let mut proof = Proof::default();
        proof.compare(toy.vocab_size, &expected, &found).unwrap();
        assert!(proof.relative_difference() <= 2e-5, "{file_type}: {proof}");
    }
}

/// Spanish, logic, digits, controls, emoji, combining marks and pieces of special tokens, thrown together.
fn strings(count: usize) -> Vec<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let letters: Vec<char> =
        "abcñáéí óúü¿¡.,;:'\"()[]{}<>|-_=+*/\\ \t\n\r0123456789∧∨¬→↔∀ABC  ßİ١Ⅳⓐ़\u{2003}\u{85}😀中e\u{301}€"
            .chars()
            .collect();
    let pieces =
        ["<|input|>", "<0>", "<13>", " <1>", "'s", "'LL", "  ", "\n\n", "Si llueve", "<|no|>", "<14>"];
    let mut piece = || match rng.random_range(0..8) {
        0 => pieces[rng.random_range(0..pieces.len())].to_owned(),
        _ => letters[rng.random_range(0..letters.len())].to_string(),
    };
    (0..count).map(|n| (0..n % 40 + 1).map(|_| piece()).collect()).collect()
}

#[test]
fn the_same_ids_for_three_thousand_strings() {
    let (folder, mut model) = open(&Toy::qwen3(), FileType::F16);
    let ours = GgufTokenizer::new(&GgufFile::open(&folder.path().join("toy.gguf")).unwrap()).unwrap();
    let tokenizer = checkpoint::tokenizer();
    for text in strings(3000) {
        let expected = tokenizer.encode_fast(text.as_str(), false).unwrap().get_ids().to_vec();
        assert_eq!(model.tokenize(&text).unwrap(), expected, "{text:?}");
        assert_eq!(ours.encode(&text), expected, "{text:?}");
        // `¬`, a token of its own here, is also GPT-2's letter for byte 0xAC, the last of `€`.
        if !text.contains('€') {
            assert_eq!(model.detokenize(&expected).unwrap(), text.as_bytes(), "{text:?}");
        }
    }
}

#[test]
fn digits_cut_one_by_one_are_cut_so_by_llama_cpp() {
    let folder = tempfile::tempdir().unwrap();
    let toy = Toy::qwen3();
    toy.save(folder.path());
    let path = folder.path().join("tokenizer.json");
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let digits = serde_json::json!({"type": "Digits", "individual_digits": true});
    json["pre_tokenizer"] =
        serde_json::json!({"type": "Sequence", "pretokenizers": [digits, json["pre_tokenizer"]]});
    std::fs::write(&path, json.to_string()).unwrap();
    let tokenizer = tokenizers::Tokenizer::from_file(&path).unwrap();
    let out = folder.path().join("toy.gguf");
    export(folder.path(), &out, &ExportOptions::default(), &toy).unwrap();
    let mut model = LlamaCpp::start().unwrap().open(&out, 64).unwrap();
    let ours = GgufTokenizer::new(&GgufFile::open(&out).unwrap()).unwrap();
    for text in strings(300) {
        let expected = tokenizer.encode_fast(text.as_str(), false).unwrap().get_ids().to_vec();
        assert_eq!(model.tokenize(&text).unwrap(), expected, "{text:?}");
        assert_eq!(ours.encode(&text), expected, "{text:?}");
    }
}

#[test]
fn a_hundred_prompts_are_continued_with_the_same_text() {
    let toy = Toy::llama();
    let (folder, mut model) = open(&toy, FileType::F32);
    let file = GgufFile::open(&folder.path().join("toy.gguf")).unwrap();
    let tokenizer = checkpoint::tokenizer();
    let prompts: Vec<Tokenized> = strings(200)
        .into_iter()
        .filter(|text| !text.contains('€'))
        .map(|text| {
            let tokens = tokenizer.encode_fast(text.as_str(), false).unwrap().get_ids().to_vec();
            Tokenized { text, tokens }
        })
        .filter(|prompt| prompt.tokens.len() <= 60)
        .take(100)
        .collect();
    let comparison = compare(&mut model, &file, &toy, &prompts, 6).unwrap();
    assert_eq!((comparison.prompts, comparison.token_mismatches), (100, 0));
    assert_eq!(comparison.same_weights.greedy, 1.0);
    assert_eq!(comparison.checkpoint.greedy, 1.0);
}

/// The template is in the file, and llama.cpp's server renders it with a Jinja engine of its own.
#[test]
fn llama_cpp_renders_the_chat_template_of_the_file() {
    let turn = |before: &str, after: &str| Turn { before: before.into(), after: after.into() };
    let chat = ChatTemplate {
        begin: "<|bos|>".into(),
        system: turn("<|system|>\n", "\\ \"fin\"\n"),
        user: turn("<|user|> ¿", "?\t{% raw %}"),
        assistant: turn("<|assistant|>", "<|eos|>"),
    };
    let said = [(Role::System, "Sé breve."), (Role::User, "¿Llueve {{ hoy }}?"), (Role::User, "p → q")];
    let toy = Toy::qwen3();
    let folder = tempfile::tempdir().unwrap();
    toy.save(folder.path());
    let out = folder.path().join("toy.gguf");
    let options = ExportOptions {
        chat: Some(chat.clone()),
        probes: probes(toy.vocab_size, 1, 4),
        ..ExportOptions::default()
    };
    export(folder.path(), &out, &options, &toy).unwrap();

    let mut child = Command::new("python3")
        .args(["-c", include_str!("apply_template.py")])
        .arg(std::env::var_os(FOLDER_VARIABLE).expect("cargo sets it"))
        .arg(&out)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let role = |by| if by == Role::System { "system" } else { "user" };
    let messages: serde_json::Value =
        said.iter().map(|(by, content)| serde_json::json!({"role": role(*by), "content": content})).collect();
    child.stdin.take().unwrap().write_all(messages.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let prompt = text.lines().find_map(|line| line.strip_prefix("prompt ")).expect("the server answers");
    assert_eq!(serde_json::from_str::<String>(prompt).unwrap(), chat.render(&said));
}

const TYPES: [GgmlType; 12] = [
    GgmlType::F16,
    GgmlType::BF16,
    GgmlType::Q4_0,
    GgmlType::Q4_1,
    GgmlType::Q5_0,
    GgmlType::Q5_1,
    GgmlType::Q8_0,
    GgmlType::Q2_K,
    GgmlType::Q3_K,
    GgmlType::Q4_K,
    GgmlType::Q5_K,
    GgmlType::Q6_K,
];

/// Rows of many kinds: bell-shaped, flat, sparse, one-sided, tiny, with outliers, and all zero.
fn rows(rng: &mut ChaCha8Rng) -> Vec<f32> {
    const WIDTH: usize = 768;
    let mut rows = Vec::new();
    for kind in 0..120 {
        let scale = [1.0, 1e-3, 200.0, 1e-20, 1e-39, 0.02][kind % 6];
        for i in 0..WIDTH {
            let bell = (0..6).map(|_| rng.random::<f32>()).sum::<f32>() - 3.0;
            rows.push(match kind / 6 % 10 {
                0 => scale * (rng.random::<f32>() * 2.0 - 1.0),
                1 => scale * rng.random::<f32>(),
                2 => -scale * rng.random::<f32>(),
                3 if rng.random_range(0..8) > 0 => 0.0,
                4 => scale,
                5 => -scale * (i / 32 % 2) as f32,
                6 => scale * bell * if rng.random_range(0..100) == 0 { 50.0 } else { 1.0 },
                7 => scale * (rng.random_range(-4..5) as f32) / 4.0,
                8 if i / 256 % 2 == 1 => 0.0,
                _ => scale * bell,
            });
        }
    }
    rows
}

#[test]
fn every_type_has_the_bytes_of_the_reference() {
    let mut llama_cpp = LlamaCpp::start().unwrap();
    let values = rows(&mut ChaCha8Rng::seed_from_u64(8));
    for ggml_type in TYPES {
        let mut bytes = Vec::new();
        quantize(ggml_type, &values, &mut bytes).unwrap();
        let reference = llama_cpp.quantize(ggml_type, &values, 768).unwrap();
        let row_bytes = ggml_type.byte_len(768).unwrap() as usize;
        let wrong: Vec<usize> = bytes
            .chunks(row_bytes)
            .zip(reference.chunks(row_bytes))
            .enumerate()
            .filter(|(_, (ours, theirs))| ours != theirs)
            .map(|(row, _)| row)
            .collect();
        assert!(bytes.len() == reference.len() && wrong.is_empty(), "{ggml_type}: rows {wrong:?} differ");
    }
}

#[test]
fn an_absent_library_and_a_bad_file_are_errors() {
    assert!(matches!(LlamaCpp::start_in("nowhere".as_ref()), Err(LlamaCppError::Absent { .. })));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.gguf");
    std::fs::write(&path, b"GGUF").unwrap();
    let opened = LlamaCpp::start().unwrap().open(&path, 64);
    assert!(matches!(opened, Err(LlamaCppError::Refused(_))));
}
