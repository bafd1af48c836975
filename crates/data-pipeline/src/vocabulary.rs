//! The tokens whose ids never change, whatever the tokenizer was trained on.
//!
//! | ids | tokens | in a GGUF file |
//! |---|---|---|
//! | 0–9 | the ten special tokens of the NanoLogic notes | CONTROL |
//! | 10–14 | `∧ ∨ ¬ → ↔` | USER_DEFINED |
//! | 15–110 | `<0>` … `<95>`, which number the words of a sentence | USER_DEFINED |

/// The ten special tokens, at ids 0 to 9.
pub const SPECIAL_TOKENS: [&str; 10] = [
    "<|pad|>",
    "<|bos|>",
    "<|eos|>",
    "<|unk|>",
    "<|input|>",
    "<|output|>",
    "<|thought|>",
    "<|atoms|>",
    "<|connectors|>",
    "<|formula|>",
];

/// Id of `<|pad|>`.
pub const PAD: u32 = 0;
/// Id of `<|bos|>`.
pub const BOS: u32 = 1;
/// Id of `<|eos|>`, where an answer ends.
pub const EOS: u32 = 2;

/// Id of `<|input|>`, where the question begins.
pub const INPUT: u32 = 4;
/// Id of `<|output|>`, where the answer begins.
pub const OUTPUT: u32 = 5;
/// Id of `<|thought|>`.
pub const THOUGHT: u32 = 6;
/// Id of `<|atoms|>`.
pub const ATOMS: u32 = 7;
/// Id of `<|connectors|>`.
pub const CONNECTORS: u32 = 8;
/// Id of `<|formula|>`.
pub const FORMULA: u32 = 9;
/// The connectives, one token each, at ids 10 to 14.
pub const CONNECTIVES: [&str; 5] = ["∧", "∨", "¬", "→", "↔"];

/// Id of `¬`.
pub const NOT: u32 = 12;

/// How many words a sentence may have: as many as there are index tokens `<0>` … `<95>`.
pub const MAX_WORDS: usize = 96;

/// The letters that atoms are renamed to, in order of first mention in the formula.
pub const LETTERS: [&str; 8] = ["p", "q", "r", "s", "t", "u", "v", "w"];

/// Id of the first learned token.
pub const FIRST_LEARNED: u32 = (SPECIAL_TOKENS.len() + CONNECTIVES.len() + MAX_WORDS) as u32;

/// The token that numbers word `index` of a sentence.
///
/// ```
/// assert_eq!(data_pipeline::vocabulary::index_token(7), "<7>");
/// ```
pub fn index_token(index: usize) -> String {
    format!("<{index}>")
}

/// All fixed tokens in the order of their ids.
pub fn fixed_tokens() -> Vec<String> {
    let named = SPECIAL_TOKENS.iter().chain(&CONNECTIVES).map(|&token| token.to_owned());
    named.chain((0..MAX_WORDS).map(index_token)).collect()
}
