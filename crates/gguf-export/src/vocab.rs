//! A `tokenizer.json` in the words of llama.cpp, so that both give the same ids for the same text.
//!
//! Only what is known to agree is mapped; everything else is refused by name. The pre-tokenizer is compared as JSON,
//! never guessed: a wrong one loads without complaint and mis-tokenizes a third of all strings.

use serde_json::{Value, json};

use crate::{Approximation, Error, Metadata};

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
    for (role, added) in [("bos", &add_bos), ("eos", &add_eos)] {
        let key = format!("tokenizer.ggml.{role}_token_id");
        let own = ids.iter().find(|(name, _)| *name == key).and_then(|(_, id)| tokens.get(*id as usize));
        if added.is_some() && added.as_ref() != own {
            return Err(refused("post_processor", &format!("it adds a token that is not the {role} token")));
        }
    }
    metadata.set("tokenizer.ggml.model", "gpt2");
    metadata.set("tokenizer.ggml.pre", pre);
    metadata.set("tokenizer.ggml.tokens", tokens);
    metadata.set("tokenizer.ggml.token_type", types);
    metadata.set("tokenizer.ggml.merges", merges(tokenizer)?);
    for (key, id) in ids {
        metadata.set(&key, id);
    }
    metadata.set("tokenizer.ggml.add_bos_token", add_bos.is_some());
    metadata.set("tokenizer.ggml.add_eos_token", add_eos.is_some());
    metadata.set("tokenizer.ggml.add_space_prefix", false);
    Ok(())
}

/// What the tokenizer's normalizer does that llama.cpp does not, refused unless it may be left out.
///
/// # Errors
/// [`Error::Refused`].
pub(crate) fn normalization(tokenizer: &Value, allowed: &[Approximation]) -> Result<Option<String>, Error> {
    let normalizer = &tokenizer["normalizer"];
    if normalizer.is_null() {
        return Ok(None);
    }
    let reason = "llama.cpp does not normalize text before BPE";
    if *normalizer != json!({"type": "NFC"}) {
        return Err(refused("normalizer", reason));
    }
    let what = "normalizer NFC of tokenizer.json".to_owned();
    if allowed.contains(&Approximation::Nfc) {
        return Ok(Some(what));
    }
    let remedy = "bring texts to NFC before they are tokenized, and allow the approximation nfc";
    Err(Error::refused(what, reason, remedy))
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

/// Qwen's cut of a text, as its `tokenizer.json` spells it.
const QWEN: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+",
    r"|\s+(?!\S)|\s+"
);

/// llama.cpp's name of a pre-tokenizer.
fn pre_tokenizer(found: &Value) -> Result<&'static str, Error> {
    let byte_level = |value: &Value| {
        value["type"] == "ByteLevel"
            && value["add_prefix_space"] == json!(false)
            && value["use_regex"].as_bool().unwrap_or(true)
    };
    let single_digits =
        |value: &Value| value["type"] == "Digits" && value["individual_digits"] == json!(true);
    let bytes_only = |value: &Value| {
        value["type"] == "ByteLevel"
            && value["add_prefix_space"] == json!(false)
            && value["use_regex"] == json!(false)
    };
    let qwen = json!({"type": "Split", "pattern": {"Regex": QWEN}, "behavior": "Isolated", "invert": false});
    if byte_level(found) {
        return Ok("gpt-2");
    }
    match found["pretokenizers"].as_array().map(Vec::as_slice) {
        Some([only]) if byte_level(only) => Ok("gpt-2"),
        Some([split, bytes]) if *split == qwen && bytes_only(bytes) => Ok("qwen2"),
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

/// The tokens that the tokenizer puts before and after a text.
fn added_around(post_processor: &Value) -> Result<(Option<String>, Option<String>), Error> {
    let unknown = || refused("post_processor", "llama.cpp can add one token before and one after, no more");
    match post_processor["type"].as_str() {
        None | Some("ByteLevel") => Ok((None, None)),
        Some("Sequence") => {
            let mut both = (None, None);
            for part in post_processor["processors"].as_array().into_iter().flatten() {
                let (before, after) = added_around(part)?;
                both = (both.0.or(before), both.1.or(after));
            }
            Ok(both)
        }
        Some("TemplateProcessing") => {
            let single = post_processor["single"].as_array().ok_or_else(unknown)?;
            let is_text = |piece: &Value| piece.get("Sequence").is_some();
            let token =
                |piece: &Value| piece["SpecialToken"]["id"].as_str().map(str::to_owned).ok_or_else(unknown);
            match single.as_slice() {
                [text] if is_text(text) => Ok((None, None)),
                [before, text] if is_text(text) => Ok((Some(token(before)?), None)),
                [text, after] if is_text(text) => Ok((None, Some(token(after)?))),
                [before, text, after] if is_text(text) => Ok((Some(token(before)?), Some(token(after)?))),
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
