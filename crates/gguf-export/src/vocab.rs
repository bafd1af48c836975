//! A `tokenizer.json` in the words of llama.cpp, so that both give the same ids for the same text.
//!
//! Only what is known to agree is mapped; everything else is refused by name. The pre-tokenizer is compared as JSON,
//! never guessed: a wrong one loads without complaint and mis-tokenizes a third of all strings.

use serde_json::{Value, json};

use crate::{Error, Metadata};

/// `tokenizer.ggml.token_type`.
mod token_type {
    pub const NORMAL: i32 = 1;
    pub const CONTROL: i32 = 3;
    pub const USER_DEFINED: i32 = 4;
    pub const UNUSED: i32 = 5;
}

/// A token list padded to this many rows needs an embedding of as many.
pub(crate) fn write_vocab(
    tokenizer: &Value,
    tokenizer_config: &Value,
    config: &Value,
    vocab_size: usize,
    metadata: &mut Metadata,
) -> Result<(), Error> {
    refuse_inexpressible(tokenizer)?;
    let pre = pre_tokenizer(&tokenizer["pre_tokenizer"])?;
    let (tokens, types) = tokens(tokenizer, vocab_size)?;
    let id_of = |text: &str| tokens.iter().position(|token| token == text);
    let mut ids = Vec::new();
    for (token, key) in [("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")] {
        if let Some(id) = special_id(token, tokenizer_config, config, id_of)? {
            ids.push((format!("tokenizer.ggml.{key}_token_id"), id));
        }
    }
    let (add_bos, add_eos) = added_around(&tokenizer["post_processor"])?;
    metadata.set("tokenizer.ggml.model", "gpt2");
    metadata.set("tokenizer.ggml.pre", pre);
    metadata.set("tokenizer.ggml.tokens", tokens);
    metadata.set("tokenizer.ggml.token_type", types);
    metadata.set("tokenizer.ggml.merges", merges(tokenizer)?);
    for (key, id) in ids {
        metadata.set(&key, id);
    }
    metadata.set("tokenizer.ggml.add_bos_token", add_bos);
    metadata.set("tokenizer.ggml.add_eos_token", add_eos);
    metadata.set("tokenizer.ggml.add_space_prefix", false);
    Ok(())
}

fn refuse_inexpressible(tokenizer: &Value) -> Result<(), Error> {
    let refuse = |what: &str, reason: &str| Err(refused(what, reason));
    let model = &tokenizer["model"];
    if model["type"].as_str().unwrap_or("BPE") != "BPE" {
        return refuse("model", "only byte-level BPE is mapped");
    }
    if model["byte_fallback"].as_bool() == Some(true) {
        return refuse("byte_fallback", "byte-level BPE has a token for every byte already");
    }
    if model["ignore_merges"].as_bool() == Some(true) {
        return refuse(
            "ignore_merges",
            "llama.cpp ties it to the pre-tokenizer, and none mapped here has it",
        );
    }
    if !model["dropout"].is_null() {
        return refuse("dropout", "llama.cpp always takes the best merge");
    }
    for affix in ["continuing_subword_prefix", "end_of_word_suffix"] {
        if model[affix].as_str().is_some_and(|text| !text.is_empty()) {
            return refuse(affix, "llama.cpp's BPE has no affixes");
        }
    }
    if !tokenizer["normalizer"].is_null() {
        return refuse("normalizer", "llama.cpp does not normalize text before BPE");
    }
    for added in tokenizer["added_tokens"].as_array().into_iter().flatten() {
        for flag in ["lstrip", "rstrip", "single_word"] {
            if added[flag].as_bool() == Some(true) {
                return refuse(
                    &format!("{flag} of {}", added["content"]),
                    "llama.cpp matches added tokens as they are",
                );
            }
        }
    }
    Ok(())
}

/// llama.cpp's name of a pre-tokenizer.
fn pre_tokenizer(found: &Value) -> Result<&'static str, Error> {
    let byte_level = |value: &Value| {
        value["type"] == "ByteLevel"
            && value["add_prefix_space"] == json!(false)
            && value["use_regex"].as_bool().unwrap_or(true)
    };
    let single_digits =
        |value: &Value| value["type"] == "Digits" && value["individual_digits"] == json!(true);
    if byte_level(found) {
        return Ok("gpt-2");
    }
    match found["pretokenizers"].as_array().map(Vec::as_slice) {
        Some([only]) if byte_level(only) => Ok("gpt-2"),
        Some([digits, bytes]) if single_digits(digits) && byte_level(bytes) => Ok("smollm"),
        _ => Err(refused("pre_tokenizer", "none of llama.cpp's is known to cut text the same way")),
    }
}

/// Tokens in id order with their types; ids that nobody uses become `[PADn]`.
fn tokens(tokenizer: &Value, vocab_size: usize) -> Result<(Vec<String>, Vec<i32>), Error> {
    let mut tokens: Vec<Option<(String, i32)>> = vec![None; vocab_size];
    let mut put = |text: &str, id: &Value, kind: i32| {
        let id = id.as_u64().and_then(|id| usize::try_from(id).ok()).filter(|&id| id < vocab_size);
        let id = id.ok_or_else(|| field(format!("the id of {text:?}"), "below vocab_size"))?;
        match &tokens[id] {
            Some((other, _)) if other != text => Err(field(format!("the id of {text:?}"), "its own")),
            _ => {
                tokens[id] = Some((text.to_owned(), kind));
                Ok(())
            }
        }
    };
    let vocab = tokenizer["model"]["vocab"].as_object().ok_or_else(|| field("model.vocab", "an object"))?;
    for (text, id) in vocab {
        put(text, id, token_type::NORMAL)?;
    }
    for added in tokenizer["added_tokens"].as_array().into_iter().flatten() {
        let text = added["content"].as_str().ok_or_else(|| field("added_tokens.content", "a text"))?;
        let special = added["special"].as_bool().unwrap_or(false);
        put(text, &added["id"], if special { token_type::CONTROL } else { token_type::USER_DEFINED })?;
    }
    let padded =
        |(id, token): (usize, Option<_>)| token.unwrap_or((format!("[PAD{id}]"), token_type::UNUSED));
    Ok(tokens.into_iter().enumerate().map(padded).unzip())
}

/// Merges as `left right`; newer files hold them as pairs.
fn merges(tokenizer: &Value) -> Result<Vec<String>, Error> {
    let merges = tokenizer["model"]["merges"].as_array().ok_or_else(|| field("model.merges", "a list"))?;
    let text = |merge: &Value| match merge {
        Value::String(text) => Some(text.clone()),
        Value::Array(pair) => match pair.as_slice() {
            [Value::String(left), Value::String(right)] => Some(format!("{left} {right}")),
            _ => None,
        },
        _ => None,
    };
    let merges = merges.iter().map(text).collect::<Option<Vec<_>>>();
    merges.ok_or_else(|| field("model.merges", "a list of pairs"))
}

/// The id of a role (`bos`, `eos` …): by its text in `tokenizer_config.json`, else by its number in `config.json`.
fn special_id(
    role: &str,
    tokenizer_config: &Value,
    config: &Value,
    id_of: impl Fn(&str) -> Option<usize>,
) -> Result<Option<u32>, Error> {
    let token = &tokenizer_config[format!("{role}_token")];
    if let Some(text) = token.as_str().or_else(|| token["content"].as_str()) {
        let id = id_of(text).ok_or_else(|| field(format!("{role}_token {text:?}"), "a token"))?;
        return Ok(Some(id as u32));
    }
    let id = &config[format!("{role}_token_id")];
    let id = if id.is_array() { &id[0] } else { id };
    Ok(id.as_u64().and_then(|id| u32::try_from(id).ok()))
}

/// Does the tokenizer put a bos before, an eos after?
fn added_around(post_processor: &Value) -> Result<(bool, bool), Error> {
    let unknown = || refused("post_processor", "llama.cpp can add one token before and one after, no more");
    match post_processor["type"].as_str() {
        None | Some("ByteLevel") => Ok((false, false)),
        Some("Sequence") => {
            let mut both = (false, false);
            for part in post_processor["processors"].as_array().into_iter().flatten() {
                let (bos, eos) = added_around(part)?;
                both = (both.0 | bos, both.1 | eos);
            }
            Ok(both)
        }
        Some("TemplateProcessing") => {
            let single = post_processor["single"].as_array().ok_or_else(unknown)?;
            let is_text = |piece: &Value| piece.get("Sequence").is_some();
            match single.as_slice() {
                [text] if is_text(text) => Ok((false, false)),
                [_, text] if is_text(text) => Ok((true, false)),
                [text, _] if is_text(text) => Ok((false, true)),
                [_, text, _] if is_text(text) => Ok((true, true)),
                _ => Err(unknown()),
            }
        }
        Some(_) => Err(unknown()),
    }
}

fn refused(what: &str, reason: &str) -> Error {
    let remedy = "train a byte-level BPE with add_prefix_space=false and no normalizer";
    Error::refused(format!("{what} of tokenizer.json"), reason, remedy)
}

fn field(field: impl Into<String>, expected: &'static str) -> Error {
    Error::Field { field: format!("{} of tokenizer.json", field.into()), expected }
}
