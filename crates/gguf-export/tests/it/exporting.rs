//! Folders become files that compute the same; whatever would not is refused.

use std::fs;

use gguf_export::{Error, ExportOptions, FileType, GgufFile, Manifest, Tokenized, export};

use crate::checkpoint::{self, Toy};

fn export_toy(toy: &Toy, file_type: FileType) -> (tempfile::TempDir, Manifest) {
    let folder = tempfile::tempdir().unwrap();
    toy.save(&folder.path().join("toy"));
    let options = ExportOptions { file_type, ..Default::default() };
    let manifest =
        export(&folder.path().join("toy"), &folder.path().join("toy.gguf"), &options, toy).unwrap();
    (folder, manifest)
}

#[test]
fn qwen3_and_llama_folders_compute_the_same_in_f32() {
    for toy in [Toy::qwen3(), Toy::llama(), Toy::random(false, true, true, 384)] {
        let (_, manifest) = export_toy(&toy, FileType::F32);
        let logits = manifest.logits;
        assert!(logits.max_logit_difference < 1e-9 * logits.max_logit, "{logits}");
        assert_eq!(logits.top1_agreement, 1.0);
    }
}

#[test]
fn the_same_folder_gives_the_same_bytes() {
    let toy = Toy::qwen3();
    let (one, first) = export_toy(&toy, FileType::Q8_0);
    let (two, second) = export_toy(&toy, FileType::Q8_0);
    assert_eq!(first, second);
    for name in ["toy.gguf", "Modelfile", "toy.gguf.manifest.json"] {
        let read = |folder: &tempfile::TempDir| fs::read(folder.path().join(name)).unwrap();
        assert_eq!(read(&one), read(&two), "{name}");
    }
    let bytes = fs::read(one.path().join("toy.gguf")).unwrap();
    assert_eq!(first.blake3, blake3::hash(&bytes).to_string());
    let left: Vec<_> = fs::read_dir(one.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "{left:?}");
}

#[test]
fn tokens_keep_their_kind_and_place() {
    let (folder, _) = export_toy(&Toy::qwen3(), FileType::F16);
    let file = GgufFile::open(&folder.path().join("toy.gguf")).unwrap();
    let metadata = &file.header().metadata;
    let tokens = metadata.strings("tokenizer.ggml.tokens").unwrap();
    let Some(gguf_export::Value::Array(gguf_export::Array::I32(types))) =
        metadata.get("tokenizer.ggml.token_type")
    else {
        panic!("token types are i32");
    };
    assert_eq!((tokens.len(), types.len()), (480, 480));
    assert_eq!((tokens[1].as_str(), types[1]), ("<|bos|>", 3));
    assert_eq!((tokens[6].as_str(), types[6]), ("∧", 4));
    assert_eq!((tokens[479].as_str(), types[479]), ("[PAD479]", 5));
    assert_eq!(metadata.u64("tokenizer.ggml.eos_token_id"), Some(2));
}

#[test]
fn a_narrow_feed_forward_is_padded_to_whole_blocks() {
    let toy = Toy::random(true, true, false, 344);
    for (file_type, width) in [(FileType::F16, 344), (FileType::Q8_0, 352), (FileType::Q4_K_M, 512)] {
        let (folder, manifest) = export_toy(&toy, file_type);
        let file = GgufFile::open(&folder.path().join("toy.gguf")).unwrap();
        assert_eq!(file.header().metadata.u64("qwen3.feed_forward_length"), Some(width));
        assert_eq!(file.tensor("blk.0.ffn_down.weight").unwrap().dims, [width, 256]);
        assert_eq!(manifest.changes.len(), usize::from(width != 344));
        assert!(
            manifest.tensors.iter().all(|tensor| file_type == FileType::F16 || tensor.ggml_type != "F16")
        );
    }
}

#[test]
fn a_wrong_weight_is_not_handed_over() {
    let mut toy = Toy::llama();
    let folder = tempfile::tempdir().unwrap();
    toy.save(&folder.path().join("toy"));
    toy.weights.get_mut("model.layers.1.input_layernorm.weight").unwrap().1[3] *= 1.05;
    let out = folder.path().join("toy.gguf");
    let error = export(&folder.path().join("toy"), &out, &ExportOptions::default(), &toy).unwrap_err();
    assert!(matches!(error, Error::NotProven(_)), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only the checkpoint is left");
}

#[test]
fn the_modelfile_says_what_ollama_needs() {
    let toy = Toy::qwen3();
    let folder = tempfile::tempdir().unwrap();
    toy.save(folder.path());
    let options = ExportOptions {
        system: Some("Formaliza.".into()),
        license: Some("MIT OR \"Apache-2.0\"".into()),
        ..ExportOptions::default()
    };
    export(folder.path(), &folder.path().join("toy.gguf"), &options, &toy).unwrap();
    let text = fs::read_to_string(folder.path().join("Modelfile")).unwrap();
    expect_test::expect![[r#"
        FROM ./toy.gguf
        TEMPLATE """{{ range .Messages }}{{ .Content }}{{ end }}"""
        SYSTEM """Formaliza."""
        PARAMETER num_ctx 128
        PARAMETER temperature 0
        PARAMETER stop "<|eos|>"
        LICENSE """MIT OR "Apache-2.0""""
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_token_off_by_one_is_not_handed_over() {
    let toy = Toy::qwen3();
    let folder = tempfile::tempdir().unwrap();
    toy.save(folder.path());
    let text = "<|bos|>Si llueve, <0> ¬p → q".to_owned();
    let tokens = checkpoint::tokenizer().encode_fast(text.as_str(), false).unwrap().get_ids().to_vec();
    let mut options = ExportOptions { corpus: vec![Tokenized { text, tokens }], ..ExportOptions::default() };
    let out = folder.path().join("toy.gguf");
    assert_eq!(export(folder.path(), &out, &options, &toy).unwrap().texts, 1);
    options.corpus[0].tokens[3] += 1;
    let error = export(folder.path(), &out, &options, &toy).unwrap_err();
    assert!(matches!(error, Error::TokensDiffer { .. }), "{error}");
}

#[test]
fn what_gguf_cannot_say_is_refused_by_name() {
    for (key, value, named) in [
        ("hidden_act", "gelu".into(), "hidden_act = gelu"),
        ("final_logit_softcapping", 30.0.into(), "final_logit_softcapping = 30"),
        ("rope_scaling", serde_json::json!({"rope_type": "yarn"}), "rope_scaling of type yarn"),
        ("architectures", serde_json::json!(["Gemma2ForCausalLM"]), "architecture Gemma2ForCausalLM"),
    ] {
        let toy = Toy::qwen3();
        let folder = tempfile::tempdir().unwrap();
        toy.save(folder.path());
        let path = folder.path().join("config.json");
        let mut config: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        config[key] = value;
        fs::write(&path, config.to_string()).unwrap();
        let out = folder.path().join("toy.gguf");
        match export(folder.path(), &out, &ExportOptions::default(), &toy) {
            Err(Error::Refused { what, .. }) => assert_eq!(what, named),
            other => panic!("{key}: {other:?}"),
        }
    }
}

#[test]
fn shards_of_bf16_weights_are_read_as_one_model() {
    use safetensors::tensor::{Dtype, TensorView};
    let mut toy = Toy::llama();
    let folder = tempfile::tempdir().unwrap();
    toy.save(folder.path());
    fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    let mut shards = [Vec::new(), Vec::new()];
    let mut index = serde_json::Map::new();
    for (n, (name, (shape, values))) in toy.weights.iter_mut().enumerate() {
        // A BF16 is the upper half of an F32.
        values.iter_mut().for_each(|value| *value = f32::from_bits(value.to_bits() & 0xffff_0000));
        let bytes: Vec<u8> =
            values.iter().flat_map(|value| value.to_bits().to_le_bytes()[2..].to_vec()).collect();
        shards[n % 2].push((name.clone(), shape.clone(), bytes));
        index.insert(name.clone(), format!("model-{}.safetensors", n % 2).into());
    }
    for (n, shard) in shards.iter().enumerate() {
        let views = shard
            .iter()
            .map(|(name, shape, bytes)| (name, TensorView::new(Dtype::BF16, shape.clone(), bytes).unwrap()));
        let path = folder.path().join(format!("model-{n}.safetensors"));
        safetensors::serialize_to_file(views, None, &path).unwrap();
    }
    let index = serde_json::json!({ "weight_map": index });
    fs::write(folder.path().join("model.safetensors.index.json"), index.to_string()).unwrap();
    let options = ExportOptions { file_type: FileType::F32, ..ExportOptions::default() };
    let manifest = export(folder.path(), &folder.path().join("toy.gguf"), &options, &toy).unwrap();
    assert!(manifest.logits.is_exact(), "{}", manifest.logits);
    assert!(manifest.sources.contains_key("model-1.safetensors"));
}
