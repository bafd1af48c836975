//! One row as token ids.

/// A prompt and its answer as token ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The prompt's ids, then the answer's, `<|eos|>` last.
    pub ids: Vec<u32>,
    /// Index of the first id whose prediction is scored: where the answer begins.
    pub scored_from: usize,
}

impl Sequence {
    /// A prompt followed by an answer.
    pub fn new(prompt: Vec<u32>, answer: Vec<u32>) -> Sequence {
        let scored_from = prompt.len();
        let mut ids = prompt;
        ids.extend(answer);
        Sequence { ids, scored_from }
    }
}
