//! One row as token ids.

use crate::{
    Row, Tokenizer,
    format::{Format, FormatError, Pointing},
};

/// A prompt and its answer as token ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The prompt's ids, then the answer's, `<|eos|>` last.
    pub ids: Vec<u32>,
    /// Index of the first id whose prediction is scored: where the answer begins.
    pub scored_from: usize,
}

impl Sequence {
    /// The row in the pointing format.
    ///
    /// # Errors
    ///
    /// Those of [`Pointing::prompt`] and [`Pointing::answer`].
    pub fn of(row: &Row, tokenizer: &Tokenizer) -> Result<Sequence, FormatError> {
        Sequence::in_format(&Pointing, row, tokenizer)
    }

    /// The row in any format.
    ///
    /// # Errors
    ///
    /// Those of the format.
    pub fn in_format(
        format: &impl Format,
        row: &Row,
        tokenizer: &Tokenizer,
    ) -> Result<Sequence, FormatError> {
        let (prompt, answer) = (format.prompt(&row.input)?, format.answer(row)?);
        Ok(Sequence::new(tokenizer.encode(&prompt), tokenizer.encode(&answer)))
    }

    /// A prompt followed by an answer.
    pub fn new(prompt: Vec<u32>, answer: Vec<u32>) -> Sequence {
        let scored_from = prompt.len();
        let mut ids = prompt;
        ids.extend(answer);
        Sequence { ids, scored_from }
    }
}
