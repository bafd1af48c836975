//! The batches of a run, epoch after epoch, without end.

use data_pipeline::{Batch, Packed, Sequence, pack};

use super::training::Training;
use crate::error::Error;

/// Rows are at least this long, so that a few short sequences fill one.
pub(super) const SHORTEST_ROW: usize = 128;

/// What a run learns from, from some epoch on.
#[derive(Clone, Copy, Debug)]
pub struct Phase<'a> {
    /// The first epoch, counted from 0 over the whole run.
    pub from_epoch: u64,
    /// The sequences of every epoch until the next phase.
    pub sequences: &'a [Sequence],
}

impl<'a> Phase<'a> {
    /// The same sequences in every epoch.
    pub fn only(sequences: &'a [Sequence]) -> [Phase<'a>; 1] {
        [Phase { from_epoch: 0, sequences }]
    }
}

/// Packed batches that never run out: every epoch holds all sequences of its phase, in an order of its own.
pub(super) struct Stream<'a> {
    phases: &'a [Phase<'a>],
    rows: usize,
    seq: usize,
    seed: u64,
    epoch: u64,
    current: Packed<'a>,
}

impl<'a> Stream<'a> {
    /// # Errors
    /// [`Error::NoExamples`] if a phase has nothing but empty sequences, or there is no phase of epoch 0;
    /// [`Error::Length`] if a sequence is longer than `max_seq`.
    pub fn new(phases: &'a [Phase<'a>], training: &Training, max_seq: usize) -> Result<Stream<'a>, Error> {
        let longest =
            |phase: &Phase<'_>| phase.sequences.iter().map(|sequence| sequence.ids.len()).max().unwrap_or(0);
        let lengths: Vec<usize> = phases.iter().map(longest).collect();
        let length = lengths.iter().copied().max().unwrap_or(0);
        if lengths.contains(&0) || !phases.iter().any(|phase| phase.from_epoch == 0) {
            return Err(Error::NoExamples);
        }
        if length > max_seq {
            return Err(Error::Length { length, max_seq });
        }
        let seq = length.next_multiple_of(16).max(SHORTEST_ROW);
        let rows = (training.batch_tokens / seq).max(1);
        let current = epoch(phases, 0, rows, seq, training.seed);
        Ok(Stream { phases, rows, seq, seed: training.seed, epoch: 0, current })
    }

    /// Rows of a batch and tokens of a row.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.seq)
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
        self.current = epoch(self.phases, self.epoch, self.rows, self.seq, self.seed);
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

fn epoch<'a>(phases: &[Phase<'a>], epoch: u64, rows: usize, seq: usize, seed: u64) -> Packed<'a> {
    let begun = phases.iter().filter(|phase| phase.from_epoch <= epoch);
    let phase = begun.max_by_key(|phase| phase.from_epoch).expect("a phase begins with epoch 0");
    pack(phase.sequences, rows, seq, seed.wrapping_add(epoch))
        .expect("rows are as long as the longest sequence")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipping_lands_where_walking_does() {
        let sequences: Vec<Sequence> =
            (1..40).map(|n| Sequence::new(vec![n; 20 + n as usize], vec![n, 2])).collect();
        let training = Training { batch_tokens: 300, ..Training::default() };
        let phases = Phase::only(&sequences);
        let stream = || Stream::new(&phases, &training, 128).unwrap();
        let walked: Vec<Batch> = stream().take(40).collect();
        for n in [0, 1, 7, 8, 9, 10, 31] {
            assert_eq!(stream().after(n).next().as_ref(), walked.get(n as usize), "{n}");
        }
        assert!(matches!(Stream::new(&phases, &training, 50), Err(Error::Length { length: 61, .. })));
        assert!(matches!(Stream::new(&Phase::only(&[]), &training, 50), Err(Error::NoExamples)));
        assert!(matches!(Stream::new(&[], &training, 50), Err(Error::NoExamples)));
    }

    #[test]
    fn a_phase_begins_with_its_epoch() {
        let sequences: Vec<Sequence> = (1..10).map(|n| Sequence::new(vec![n; 30], vec![n, 2])).collect();
        let training = Training { batch_tokens: 10_000, ..Training::default() };
        let late = Phase { from_epoch: 2, sequences: &sequences };
        let phases = [late, Phase { from_epoch: 0, sequences: &sequences[..4] }];
        let stream = Stream::new(&phases, &training, 128).unwrap();
        let tokens: Vec<usize> = stream.take(4).map(|batch| batch.real_tokens()).collect();
        assert_eq!(tokens, [4 * 32, 4 * 32, 9 * 32, 9 * 32]);
        assert!(matches!(Stream::new(&[late], &training, 128), Err(Error::NoExamples)));
    }
}
