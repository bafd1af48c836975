//! Byte-level BPE, as GPT-2's: trained on the train split, saved as the `tokenizer.json` that Hugging Face tools and
//! llama.cpp read alike.
//!
//! One trap is built into GPT-2's byte alphabet: the character `¬` already stands for the byte 0xAC there, so the
//! connective `¬` and that byte are one entry of the vocabulary. In Spanish text the byte occurs in `€` alone, which
//! therefore always gets a token of its own; and [`Tokenizer::decode`] tells the two apart anywhere else, since 0xAC
//! only ever continues a character that has begun.

use std::{collections::HashSet, io, path::Path};

use tokenizers::{
    AddedToken, Model, OffsetReferential, OffsetType, PreTokenizer, Trainer,
    decoders::{byte_level::ByteLevel, sequence::Sequence},
    models::bpe::{BPE, BpeTrainer},
    normalizers::replace::{Replace, ReplacePattern},
};

use crate::vocabulary::{FIRST_LEARNED, LETTERS, NOT, SPECIAL_TOKENS, fixed_tokens};

/// How often each piece of [`priming`] is counted, so that its merges come before the rare ones.
const PRIMING: usize = 10_000;

/// Text to token ids and back, exactly.
///
/// ```
/// use data_pipeline::Tokenizer;
///
/// let tokenizer = Tokenizer::train(["Si llueve, me mojo.", "Llueve o nieva."], 500)?;
/// let text = "<|bos|><|input|><0> Llueve<|output|>→ p q<|eos|>";
/// let ids = tokenizer.encode(text);
/// assert_eq!(ids[..2], [1, 4]);
/// assert_eq!(tokenizer.decode(&ids), text);
/// # Ok::<(), data_pipeline::TokenizerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// The bytes of each token, by id.
    pieces: Vec<Vec<u8>>,
}

/// Why there is no tokenizer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The vocabulary asked for cannot hold the fixed tokens, all bytes and the letters.
    #[error("a vocabulary of {asked} has no room for the token {missing:?}")]
    VocabularyTooSmall {
        /// The size asked for.
        asked: usize,
        /// The first token that found no room.
        missing: String,
    },
    /// The file is a tokenizer, but not one of this format.
    #[error("the token {token:?} should have the id {expected} and special = {special}")]
    ForeignVocabulary {
        /// The token that is not where it belongs.
        token: String,
        /// The id it has in every tokenizer of this crate.
        expected: u32,
        /// Whether it is one of the special tokens.
        special: bool,
    },
    /// The file could not be read or written.
    #[error("cannot open the tokenizer file")]
    Io(#[from] io::Error),
    /// The tokenizer library refused.
    #[error("{0}")]
    Library(#[source] tokenizers::Error),
}

impl From<tokenizers::Error> for TokenizerError {
    fn from(source: tokenizers::Error) -> TokenizerError {
        TokenizerError::Library(source)
    }
}

impl Tokenizer {
    /// Learns the merges from texts: sentences, or prompts and answers with their fixed tokens (which are left out).
    /// The same texts in the same order give the same tokenizer. Fewer texts than `vocab_size` has room for give a
    /// smaller vocabulary.
    ///
    /// # Errors
    ///
    /// [`TokenizerError::VocabularyTooSmall`] below about 400.
    pub fn train<T>(
        texts: impl IntoIterator<Item = T, IntoIter: Send>,
        vocab_size: usize,
    ) -> Result<Tokenizer, TokenizerError>
    where
        T: Into<String> + Send,
    {
        let texts = texts.into_iter().map(Into::into).chain([priming()]);
        Tokenizer::learn(vocab_size, |trainer, untrained| {
            trainer.feed(texts, |text| learnable_pieces(untrained, text))
        })
    }

    /// The same from words, as the pointing format writes them, and how often each occurs: every word is looked at once.
    ///
    /// # Errors
    ///
    /// [`TokenizerError::VocabularyTooSmall`] below about 400.
    pub fn train_on_words(
        words: impl IntoIterator<Item = (String, usize), IntoIter: Send>,
        vocab_size: usize,
    ) -> Result<Tokenizer, TokenizerError> {
        let texts = words.into_iter().map(|(word, count)| format!("{count}\t {word}"));
        let texts = texts.chain([format!("1\t{}", priming())]);
        Tokenizer::learn(vocab_size, |trainer, untrained| {
            trainer.feed(texts, |text| {
                let (count, text) = text.split_once('\t').unwrap_or(("1", text));
                let pieces = learnable_pieces(untrained, text)?;
                Ok(std::iter::repeat_n(pieces, count.parse().unwrap_or(1)).flatten().collect::<Vec<_>>())
            })
        })
    }

    fn learn(
        vocab_size: usize,
        feed: impl FnOnce(&mut BpeTrainer, &tokenizers::Tokenizer) -> tokenizers::Result<()>,
    ) -> Result<Tokenizer, TokenizerError> {
        let fixed = added_tokens();
        let mut trainer = BpeTrainer::builder()
            .vocab_size(vocab_size)
            .special_tokens(fixed.clone())
            .initial_alphabet(
                tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet()
                    .into_iter()
                    .collect::<HashSet<_>>(),
            )
            .show_progress(false)
            .build();
        feed(&mut trainer, &assemble(BPE::default(), &fixed)?)?;
        let mut bpe = BPE::default();
        trainer.train(&mut bpe)?;

        let missing = fixed_tokens().into_iter().chain(LETTERS.map(|letter| format!("Ġ{letter}")));
        if let Some(missing) = missing.into_iter().find(|token| bpe.token_to_id(token).is_none()) {
            return Err(TokenizerError::VocabularyTooSmall { asked: vocab_size, missing });
        }
        Tokenizer::check(assemble(bpe, &fixed)?)
    }

    /// Reads a `tokenizer.json` written by [`save`](Tokenizer::save).
    ///
    /// # Errors
    ///
    /// [`TokenizerError::ForeignVocabulary`] for a tokenizer whose fixed tokens are missing or elsewhere.
    pub fn load(path: impl AsRef<Path>) -> Result<Tokenizer, TokenizerError> {
        Tokenizer::check(tokenizers::Tokenizer::from_bytes(std::fs::read(path)?)?)
    }

    /// Writes `tokenizer.json`.
    ///
    /// # Errors
    ///
    /// [`TokenizerError::Io`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), TokenizerError> {
        let json = self.inner.to_string(true)?;
        Ok(crate::rows::write_atomically(path.as_ref(), |file| io::Write::write_all(file, json.as_bytes()))?)
    }

    /// The ids of a text, in which the fixed tokens are recognised wherever they stand.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let encoding = self.inner.encode_fast(text, false);
        encoding.expect("byte-level BPE encodes any text").get_ids().to_vec()
    }

    /// The text of the ids, with all fixed tokens spelled out. Ids outside the vocabulary and bytes that are no
    /// UTF-8 become U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut bytes = Vec::new();
        for &id in ids {
            match self.pieces.get(id as usize) {
                Some(_) if id == NOT && ends_inside_a_character(&bytes) => bytes.push(0xAC),
                Some(piece) => bytes.extend_from_slice(piece),
                None => bytes.extend_from_slice("\u{FFFD}".as_bytes()),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The id of a token as the vocabulary spells it (`"<|eos|>"`, `"→"`, `"Ġp"`).
    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The number of tokens; ids run below it.
    pub fn vocab_size(&self) -> usize {
        self.pieces.len()
    }

    /// Holds the fixed tokens of `inner` against [`vocabulary`](crate::vocabulary).
    fn check(inner: tokenizers::Tokenizer) -> Result<Tokenizer, TokenizerError> {
        let added = inner.get_added_tokens_decoder();
        for (expected, token) in (0..).zip(fixed_tokens()) {
            let special = (expected as usize) < SPECIAL_TOKENS.len();
            let found = added.get(&expected);
            if !found.is_some_and(|found| found.content == token && found.special == special) {
                return Err(TokenizerError::ForeignVocabulary { token, expected, special });
            }
        }
        let mut pieces = vec![Vec::new(); inner.get_vocab_size(true)];
        for (token, id) in inner.get_vocab(true) {
            if let Some(piece) = pieces.get_mut(id as usize) {
                *piece = if id < FIRST_LEARNED { token.into_bytes() } else { bytes_of(&token) };
            }
        }
        Ok(Tokenizer { inner, pieces })
    }
}

/// The fixed tokens with their flags; only the ten special ones are `special`.
fn added_tokens() -> Vec<AddedToken> {
    let special = |id| id < SPECIAL_TOKENS.len();
    fixed_tokens()
        .into_iter()
        .enumerate()
        .map(|(id, token)| AddedToken::from(token, special(id)).normalized(false))
        .collect()
}

fn assemble(bpe: BPE, fixed: &[AddedToken]) -> Result<tokenizers::Tokenizer, TokenizerError> {
    let mut tokenizer = tokenizers::Tokenizer::new(bpe);
    let byte_level = ByteLevel::new(false, true, true);
    tokenizer.with_pre_tokenizer(Some(byte_level));
    // A lone `¬` is the connective, spelled by the characters that stand for its two bytes.
    let not = Replace::new(ReplacePattern::Regex("^¬$".to_owned()), "Â¬")?;
    tokenizer.with_decoder(Some(Sequence::new(vec![not.into(), byte_level.into()])));
    tokenizer.add_tokens(fixed.iter().cloned())?;
    Ok(tokenizer)
}

/// What of a text the merges are learned from: its words in GPT-2's cut and alphabet, without the fixed tokens.
fn learnable_pieces(tokenizer: &tokenizers::Tokenizer, text: &str) -> tokenizers::Result<Vec<String>> {
    let mut pieces = tokenizer.get_added_vocabulary().extract_and_normalize(tokenizer.get_normalizer(), text);
    ByteLevel::new(false, true, true).pre_tokenize(&mut pieces)?;
    let splits = pieces.get_splits(OffsetReferential::Normalized, OffsetType::None);
    Ok(splits
        .into_iter()
        .filter(|(_, _, token)| token.is_none())
        .map(|(piece, _, _)| piece.to_owned())
        .collect())
}

/// A text that makes sure of a token for every letter and for the euro sign.
fn priming() -> String {
    let letters: String = LETTERS.iter().map(|letter| format!(" {letter}")).collect();
    format!("{letters} € 5€").repeat(PRIMING)
}

/// The bytes that a learned token stands for in GPT-2's alphabet.
fn bytes_of(token: &str) -> Vec<u8> {
    // Printable Latin-1 stands for itself; the other 68 bytes are numbered from U+0100 in ascending order.
    let stands_for_itself = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let others: Vec<u8> = (0..=u8::MAX).filter(|&byte| !stands_for_itself(byte)).collect();
    token
        .chars()
        .filter_map(|c| match u8::try_from(c as u32) {
            Ok(byte) => Some(byte),
            Err(_) => others.get((c as usize).checked_sub(0x100)?).copied(),
        })
        .collect()
}

/// Whether the last character of `bytes` lacks continuation bytes.
fn ends_inside_a_character(bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(3)..];
    let Some(start) = tail.iter().rposition(|byte| byte & 0xC0 != 0x80) else {
        return false;
    };
    let needed = match tail[start] {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    };
    tail.len() - start < needed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vocabulary::{CONNECTIVES, index_token};

    fn small() -> Tokenizer {
        let texts = ["Si llueve, me mojo.", "Ana estudia o duerme hasta las doce.", "Cuesta 3,50 € y no 4."];
        Tokenizer::train(texts, 600).unwrap()
    }

    #[test]
    fn fixed_tokens_have_their_ids_and_flags_in_the_saved_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        small().save(&path).unwrap();

        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let added = json["added_tokens"].as_array().unwrap();
        assert_eq!(added.len(), 111);
        for (id, token) in fixed_tokens().iter().enumerate() {
            assert_eq!(added[id]["id"], id);
            assert_eq!(added[id]["content"], token.as_str());
            assert_eq!(added[id]["special"], id < 10, "{token}");
            assert_eq!(json["model"]["vocab"][token], id);
        }
        assert_eq!(CONNECTIVES[2], "¬");
        assert_eq!(index_token(95), fixed_tokens()[110]);
        assert_eq!(json["pre_tokenizer"]["add_prefix_space"], false);

        let loaded = Tokenizer::load(&path).unwrap();
        assert_eq!(loaded.pieces, small().pieces);
    }

    #[test]
    fn letters_and_connectives_are_one_token_each() {
        let tokenizer = small();
        for letter in LETTERS {
            assert_eq!(tokenizer.encode(&format!(" {letter}")).len(), 1);
        }
        let ids = tokenizer.encode("→∧ p¬ q r<|atoms|><1>+<3><4>;<95><|eos|>");
        assert_eq!(ids.len(), 14);
        assert_eq!(ids[..2], [13, 10]);
        assert_eq!(ids[3], NOT);
    }

    #[test]
    fn the_library_decodes_a_lone_not_and_a_euro() {
        let tokenizer = small();
        let ids = tokenizer.encode("¬ p 5€");
        assert_eq!(tokenizer.inner.decode(&ids, false).unwrap(), "¬ p 5€");
        assert_eq!(ids.iter().filter(|&&id| id == NOT).count(), 1);
    }

    #[test]
    fn a_vocabulary_without_room_for_the_letters_is_refused() {
        let error = Tokenizer::train(["a"], 366).unwrap_err();
        assert!(matches!(error, TokenizerError::VocabularyTooSmall { asked: 366, .. }), "{error}");
    }

    #[test]
    fn a_foreign_tokenizer_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        tokenizers::Tokenizer::new(BPE::default()).save(&path, false).unwrap();
        let error = Tokenizer::load(&path).unwrap_err();
        assert!(matches!(error, TokenizerError::ForeignVocabulary { expected: 0, .. }), "{error}");
    }

    #[test]
    fn counted_words_teach_what_their_sentences_do() {
        let maker = crate::Maker::new(4);
        let inputs: Vec<String> = (0..300).map(|index| maker.row(index).input).collect();
        let prompts = inputs.iter().map(|input| crate::format::Pointing::prompt(input).unwrap());
        let mut counts = std::collections::HashMap::new();
        for word in inputs.iter().flat_map(|input| crate::words(input)) {
            let written: String = word.chars().map(crate::format::harmless).collect();
            *counts.entry(written).or_default() += 1;
        }
        let [from_prompts, from_words] =
            [Tokenizer::train(prompts, 900).unwrap(), Tokenizer::train_on_words(counts, 900).unwrap()];
        assert!(from_prompts.pieces == from_words.pieces);
    }

    #[test]
    fn training_twice_gives_the_same_bytes() {
        let json = || small().inner.to_string(false).unwrap();
        assert_eq!(json(), json());
    }

    proptest! {
        #[test]
        fn any_text_round_trips(text in "(\\PC|[ \\n¬ì€∧]|<7>|<\\|eos\\|>){0,40}") {
            let tokenizer = small_once();
            prop_assert_eq!(tokenizer.decode(&tokenizer.encode(&text)), text);
        }

        #[test]
        fn any_ids_decode(ids in proptest::collection::vec(any::<u32>(), 0..20)) {
            small_once().decode(&ids);
        }
    }

    fn small_once() -> &'static Tokenizer {
        static SMALL: std::sync::LazyLock<Tokenizer> = std::sync::LazyLock::new(small);
        &SMALL
    }
}
