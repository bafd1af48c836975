//! The real llama.cpp judges our files. Without it these tests fail: `cargo xtask setup` installs it.

use gguf_export::llama_cpp::{LlamaCpp, LlamaCppError, Model};
use gguf_export::{
    ExportOptions, FileType, Forward, GgmlType, GgufFile, GgufModel, GgufTokenizer, Proof, export, probes,
    quantize,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::checkpoint::{self, Toy};

/// Exports a toy and opens it in llama.cpp.
fn open(toy: &Toy, file_type: FileType) -> (tempfile::TempDir, Model) {
    let folder = tempfile::tempdir().unwrap();
    toy.save(&folder.path().join("toy"));
    let options = ExportOptions { file_type, probe_sequences: 2, probe_tokens: 8, ..Default::default() };
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
fn llama_cpp_and_our_forward_read_every_type_alike() {
    // llama.cpp rounds activations to 8 bits beside quantized weights, as we do not; the sums stay near.
    for file_type in FileType::all().filter(|&file_type| file_type != FileType::F32) {
        let toy = Toy::random(true, true, false, 344);
        let (folder, mut model) = open(&toy, file_type);
        let file = GgufFile::open(&folder.path().join("toy.gguf")).unwrap();
        let ours = GgufModel::new(&file).unwrap();
        let mut proof = Proof::default();
        for tokens in probes(toy.vocab_size, 2, 24) {
            let found: Vec<f64> = model.logits(&tokens).unwrap().into_iter().map(f64::from).collect();
            proof.compare(toy.vocab_size, &ours.logits(&tokens).unwrap(), &found).unwrap();
        }
        assert!(proof.relative_difference() <= 5e-2 && proof.mean_kl < 1e-2, "{file_type}: {proof}");
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
fn greedy_text_is_that_of_our_forward() {
    let toy = Toy::llama();
    let (folder, mut model) = open(&toy, FileType::F32);
    let file = GgufFile::open(&folder.path().join("toy.gguf")).unwrap();
    let ours = GgufModel::new(&file).unwrap();
    for prompt in probes(toy.vocab_size, 5, 4) {
        let found = model.generate(&prompt, 6).unwrap();
        let mut tokens = prompt.clone();
        for _ in 0..6 {
            let logits = ours.logits(&tokens).unwrap();
            let last = &logits[logits.len() - toy.vocab_size..];
            let best = (0..last.len()).max_by(|&a, &b| last[a].total_cmp(&last[b])).unwrap() as u32;
            if best == 2 {
                break;
            }
            tokens.push(best);
        }
        assert_eq!(found.tokens, tokens[prompt.len()..]);
    }
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
