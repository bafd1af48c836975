//! The tokens that llama.cpp makes of a text, worked out from nothing but the file.
//!
//! Like [`GgufModel`](crate::GgufModel) this is a checker: it reads the vocabulary as written and shares no code with the
//! mapping that wrote it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use fancy_regex::Regex;

use crate::{Array, Error, GgufFile, Value};

/// GPT-2's cut of a text: contractions, words and numbers with the space before them, other marks, white space.
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
/// Qwen 2's cut: a mark may lead a word, digits stand alone, line ends stay with what is before them.
const QWEN2: &str = concat!(
    r"'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);
/// Each digit on its own, as `smollm` cuts before it cuts as GPT-2.
const DIGITS: &str = r"\p{N}|\P{N}+";

/// Byte-level BPE as a file describes it.
///
/// ```no_run
/// use gguf_export::{GgufFile, GgufTokenizer};
///
/// let tokenizer = GgufTokenizer::new(&GgufFile::open("model.gguf".as_ref())?)?;
/// println!("{:?}", tokenizer.encode("<|bos|>Si llueve, me mojo."));
/// # Ok::<(), gguf_export::Error>(())
/// ```
pub struct GgufTokenizer {
    ids: HashMap<String, u32>,
    /// Control and user-defined tokens, the longest first.
    whole: Vec<(String, u32)>,
    ranks: HashMap<(String, String), usize>,
    cuts: Vec<Regex>,
    byte_letters: [char; 256],
}

impl GgufTokenizer {
    /// Reads the `tokenizer.ggml` keys.
    ///
    /// # Errors
    /// [`Error::Field`] for a missing or ill-typed key, [`Error::Refused`] for another kind of tokenizer than byte-level
    /// BPE cut as `gpt-2`, `qwen2` or `smollm` do.
    pub fn new(file: &GgufFile) -> Result<GgufTokenizer, Error> {
        let metadata = &file.header().metadata;
        let key = |name: &str| format!("tokenizer.ggml.{name}");
        let field = |name: &str, expected| Error::Field { field: key(name), expected };
        let cuts: &[&str] = match (metadata.str(&key("model")), metadata.str(&key("pre"))) {
            (Some("gpt2"), Some("gpt-2")) => &[GPT2],
            (Some("gpt2"), Some("qwen2")) => &[QWEN2],
            (Some("gpt2"), Some("smollm")) => &[DIGITS, GPT2],
            (model, pre) => {
                let what = format!("tokenizer {model:?} with pre-tokenizer {pre:?}");
                return Err(Error::refused(
                    what,
                    "this crate's checker knows gpt-2, qwen2 and smollm",
                    "ask llama.cpp",
                ));
            }
        };
        let tokens = metadata.strings(&key("tokens")).ok_or_else(|| field("tokens", "a list of texts"))?;
        let Some(Value::Array(Array::I32(types))) = metadata.get(&key("token_type")) else {
            return Err(field("token_type", "a list of i32"));
        };
        let merges = metadata.strings(&key("merges")).ok_or_else(|| field("merges", "a list of texts"))?;
        let numbered = || tokens.iter().zip(0_u32..);
        let mut whole: Vec<(String, u32)> = numbered()
            .zip(types)
            .filter(|((text, _), kind)| matches!(kind, 3 | 4) && !text.is_empty())
            .map(|((text, id), _)| (text.clone(), id))
            .collect();
        whole.sort_by_key(|(text, _)| Reverse(text.len()));
        let pair =
            |merge: &String| merge.split_once(' ').map(|(left, right)| (left.to_owned(), right.to_owned()));
        let ranks = merges.iter().zip(0..).filter_map(|(merge, rank)| Some((pair(merge)?, rank)));
        Ok(GgufTokenizer {
            ids: numbered().map(|(text, id)| (text.clone(), id)).collect(),
            whole,
            ranks: ranks.collect(),
            cuts: cuts.iter().map(|cut| Regex::new(cut).expect("a constant that compiles")).collect(),
            byte_letters: byte_letters(),
        })
    }

    /// The ids of a text in which control tokens count; nothing is added before or after. Bytes without a token are left
    /// out, as llama.cpp does.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        let (mut start, mut at) = (0, 0);
        while at < text.len() {
            match self.whole.iter().find(|(token, _)| text[at..].starts_with(token.as_str())) {
                Some((token, id)) => {
                    self.encode_plain(&text[start..at], &mut ids);
                    ids.push(*id);
                    at += token.len();
                    start = at;
                }
                None => at += text[at..].chars().next().map_or(1, char::len_utf8),
            }
        }
        self.encode_plain(&text[start..], &mut ids);
        ids
    }

    fn encode_plain(&self, text: &str, ids: &mut Vec<u32>) {
        let mut pieces = vec![text];
        for cut in &self.cuts {
            pieces = pieces
                .into_iter()
                .flat_map(|piece| cut.find_iter(piece).flatten().map(|m| m.as_str()))
                .collect();
        }
        for piece in pieces {
            let letters = piece.bytes().map(|byte| self.byte_letters[usize::from(byte)]);
            let symbols = self.merge(letters.map(String::from).collect());
            ids.extend(symbols.iter().filter_map(|symbol| self.ids.get(symbol)));
        }
    }

    /// Joins neighbours, the pair of lowest rank first, the leftmost of equals, until no pair is in the list.
    fn merge(&self, mut symbols: Vec<String>) -> Vec<String> {
        // A symbol merged into its left neighbour is left empty; `next` and `previous` skip it.
        let mut next: Vec<usize> = (1..=symbols.len()).collect();
        let mut previous: Vec<Option<usize>> = (0..symbols.len()).map(|i| i.checked_sub(1)).collect();
        let rank = |symbols: &[String], left: usize, right: usize| {
            self.ranks.get(&(symbols[left].clone(), symbols.get(right)?.clone())).copied()
        };
        let mut queue = BinaryHeap::new();
        for left in 0..symbols.len() {
            queue.extend(rank(&symbols, left, left + 1).map(|rank| Reverse((rank, left))));
        }
        while let Some(Reverse((expected, left))) = queue.pop() {
            let right = next[left];
            // The pair may have changed since it was queued.
            if symbols[left].is_empty() || rank(&symbols, left, right) != Some(expected) {
                continue;
            }
            let joined = std::mem::take(&mut symbols[right]);
            symbols[left].push_str(&joined);
            next[left] = next[right];
            if let Some(previous) = previous.get_mut(next[left]) {
                *previous = Some(left);
            }
            queue.extend(rank(&symbols, left, next[left]).map(|rank| Reverse((rank, left))));
            if let Some(before) = previous[left] {
                queue.extend(rank(&symbols, before, left).map(|rank| Reverse((rank, before))));
            }
        }
        symbols.retain(|symbol| !symbol.is_empty());
        symbols
    }
}

/// GPT-2's letter for each byte: printable Latin-1 stands for itself, the others for U+0100 and up, in order.
fn byte_letters() -> [char; 256] {
    let mut others = '\u{100}'..;
    std::array::from_fn(|byte| match byte as u8 {
        byte @ (b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff) => char::from(byte),
        _ => others.next().expect("68 of them"),
    })
}
