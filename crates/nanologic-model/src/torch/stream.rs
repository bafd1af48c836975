//! The batches of a run, epoch after epoch, without end.

use data_pipeline::{Batch, Packed, Sequence, pack};

use super::training::Training;
use crate::error::Error;

/// Rows are at least this long, so that a few short sequences fill one.
pub(super) const SHORTEST_ROW: usize = 128;

/// Packed batches that never run out: every epoch holds all sequences, in an order of its own.
pub(super) struct Stream<'a> {
    sequences: &'a [Sequence],
    rows: usize,
    seq: usize,
    seed: u64,
    epoch: u64,
    current: Packed<'a>,
}

impl<'a> Stream<'a> {
    /// # Errors
    /// [`Error::NoExamples`] if all sequences are empty; [`Error::Length`] if one is longer than `max_seq`.
    pub fn new(sequences: &'a [Sequence], training: &Training, max_seq: usize) -> Result<Stream<'a>, Error> {
        let length = sequences.iter().map(|sequence| sequence.ids.len()).max().unwrap_or(0);
        if length == 0 {
            return Err(Error::NoExamples);
        }
        if length > max_seq {
            return Err(Error::Length { length, max_seq });
        }
        let seq = length.next_multiple_of(16).max(SHORTEST_ROW);
        let rows = (training.batch_tokens / seq).max(1);
        let current = epoch(sequences, rows, seq, training.seed);
        Ok(Stream { sequences, rows, seq, seed: training.seed, epoch: 0, current })
    }

    /// The batches of the first epoch.
    pub fn into_epoch(self) -> Packed<'a> {
        self.current
    }

    /// The same stream without its first `n` batches.
    pub fn after(mut self, mut n: u64) -> Stream<'a> {
        while n > 0 {
            let skipped = n.min(self.current.len() as u64);
            if skipped > 0 {
                self.current.nth(skipped as usize - 1);
            }
            n -= skipped;
            if n > 0 {
                self.turn();
            }
        }
        self
    }

    fn turn(&mut self) {
        self.epoch += 1;
        self.current = epoch(self.sequences, self.rows, self.seq, self.seed.wrapping_add(self.epoch));
    }
}

impl Iterator for Stream<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        if self.current.len() == 0 {
            self.turn();
        }
        self.current.next()
    }
}

fn epoch(sequences: &[Sequence], rows: usize, seq: usize, seed: u64) -> Packed<'_> {
    pack(sequences, rows, seq, seed).expect("rows are as long as the longest sequence")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipping_lands_where_walking_does() {
        let sequences: Vec<Sequence> =
            (1..40).map(|n| Sequence::new(vec![n; 20 + n as usize], vec![n, 2])).collect();
        let training = Training { batch_tokens: 300, ..Training::default() };
        let stream = || Stream::new(&sequences, &training, 128).unwrap();
        let walked: Vec<Batch> = stream().take(40).collect();
        for n in [0, 1, 7, 8, 9, 10, 31] {
            assert_eq!(stream().after(n).next().as_ref(), walked.get(n as usize), "{n}");
        }
        assert!(matches!(Stream::new(&sequences, &training, 50), Err(Error::Length { length: 61, .. })));
        assert!(matches!(Stream::new(&[], &training, 50), Err(Error::NoExamples)));
    }
}
