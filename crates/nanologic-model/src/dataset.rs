//! Rows as the token sequences that a model trains on.

use std::path::Path;

use data_pipeline::format::{Format, FormatError, Pointing};
use data_pipeline::{Complexity, ReadRowsError, Row, Sequence, Tokenizer, read_rows};
use rayon::prelude::*;

/// Rows of a file that are in memory at once.
const ROWS_AT_ONCE: usize = 16_384;

/// Rows as token ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    /// One sequence a usable row, in the order of the rows.
    pub sequences: Vec<Sequence>,
    /// How hard the formula of each is.
    pub complexities: Vec<Complexity>,
    /// Rows that the format cannot hold or that are longer than asked: the index of each, and why.
    pub left_out: Vec<(usize, LeftOut)>,
}

/// Why a row takes no part.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LeftOut {
    /// The format cannot hold it.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// It has more tokens than asked for.
    #[error("{tokens} tokens")]
    TooLong {
        /// Its tokens.
        tokens: usize,
    },
}

impl Dataset {
    /// Puts rows into the pointing format; those with more than `longest` tokens are left out.
    pub fn of(rows: &[Row], tokenizer: &Tokenizer, longest: usize) -> Dataset {
        let mut dataset = Dataset::default();
        dataset.add(&Pointing, rows, tokenizer, longest);
        dataset
    }

    /// Reads rows of a JSONL file and puts them into a format. The rows themselves are not kept.
    ///
    /// # Errors
    /// Those of [`read_rows`].
    pub fn read(
        format: &(impl Format + Sync),
        path: &Path,
        tokenizer: &Tokenizer,
        longest: usize,
    ) -> Result<Dataset, ReadRowsError> {
        let mut dataset = Dataset::default();
        let mut rows = read_rows(path)?;
        loop {
            let some = rows.by_ref().take(ROWS_AT_ONCE).collect::<Result<Vec<Row>, _>>()?;
            if some.is_empty() {
                return Ok(dataset);
            }
            dataset.add(format, &some, tokenizer, longest);
        }
    }

    /// The same sequences, those of simple formulas first, so that any degree and all below it are a prefix.
    pub fn easy_first(self) -> Dataset {
        let mut both: Vec<(Complexity, Sequence)> =
            self.complexities.into_iter().zip(self.sequences).collect();
        both.sort_by_key(|(complexity, _)| *complexity);
        let (complexities, sequences) = both.into_iter().unzip();
        Dataset { sequences, complexities, ..self }
    }

    fn add(&mut self, format: &(impl Format + Sync), rows: &[Row], tokenizer: &Tokenizer, longest: usize) {
        let sequence = |row: &Row| {
            let sequence = Sequence::in_format(format, row, tokenizer)?;
            let tokens = sequence.ids.len();
            if tokens <= longest { Ok(sequence) } else { Err(LeftOut::TooLong { tokens }) }
        };
        let all: Vec<Result<Sequence, LeftOut>> = rows.par_iter().map(sequence).collect();
        let before = self.sequences.len() + self.left_out.len();
        for (index, (sequence, row)) in (before..).zip(all.into_iter().zip(rows)) {
            match sequence {
                Ok(sequence) => {
                    self.sequences.push(sequence);
                    self.complexities.push(row.complexity);
                }
                Err(reason) => self.left_out.push((index, reason)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_do_not_fit_are_named() {
        let tokenizer = Tokenizer::train(["<0> Si<1> llueve p q r s t u v w +;"], 400).unwrap();
        let row = |formula: &str| -> Row {
            let json = serde_json::json!({"input": "llueve", "formula": formula, "atoms": {"p": "llueve"}});
            serde_json::from_value(json).unwrap()
        };
        let dataset = Dataset::of(&[row("p"), row("p →"), row("¬¬¬¬¬¬¬¬p")], &tokenizer, 16);
        assert_eq!(dataset.sequences.len(), 1);
        assert!(matches!(dataset.left_out[0], (1, LeftOut::Format(_))));
        assert!(matches!(dataset.left_out[1], (2, LeftOut::TooLong { .. })));
    }

    #[test]
    fn easy_ones_come_first_and_keep_their_order() {
        use Complexity::{Advanced, Intermediate, Simple};
        let complexities = vec![Advanced, Simple, Intermediate, Simple];
        let sequences = (0..4).map(|n| Sequence::new(vec![n], vec![2])).collect();
        let sorted = Dataset { sequences, complexities, left_out: Vec::new() }.easy_first();
        let order: Vec<u32> = sorted.sequences.iter().map(|sequence| sequence.ids[0]).collect();
        assert_eq!(
            (order, sorted.complexities),
            (vec![1, 3, 2, 0], vec![Simple, Simple, Intermediate, Advanced])
        );
    }
}
