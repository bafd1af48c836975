//! What the trainer eats: many sequences side by side in rows of one length, each shut off from its neighbours.

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::{
    Sequence,
    vocabulary::{ATOMS, CONNECTORS, FORMULA, PAD, THOUGHT},
};

/// `rows × seq` tokens, all arrays row-major `(rows, seq)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The number of rows.
    pub rows: usize,
    /// The number of positions in each row.
    pub seq: usize,
    /// Token ids; `<|pad|>` where a row has no more sequences.
    pub ids: Vec<i64>,
    /// The id that follows within the same sequence; `<|pad|>` where none follows.
    pub targets: Vec<i64>,
    /// Number of the sequence within its row, from 0; -1 is padding. A token attends only to its own sequence.
    pub document: Vec<i64>,
    /// Position within the sequence, from 0; 0 in padding.
    pub position: Vec<i64>,
    /// 1 where the target is scored, that is, belongs to the answer; else 0.
    pub loss_mask: Vec<f32>,
}

impl Batch {
    /// How many tokens are not padding.
    pub fn real_tokens(&self) -> usize {
        self.document.iter().filter(|&&document| document >= 0).count()
    }

    fn of(bins: &[Vec<usize>], sequences: &[Sequence], seq: usize) -> Batch {
        let size = bins.len() * seq;
        let mut batch = Batch {
            rows: bins.len(),
            seq,
            ids: vec![i64::from(PAD); size],
            targets: vec![i64::from(PAD); size],
            document: vec![-1; size],
            position: vec![0; size],
            loss_mask: vec![0.0; size],
        };
        for (row, bin) in bins.iter().enumerate() {
            let mut at = row * seq;
            for (document, &index) in (0..).zip(bin) {
                let sequence = &sequences[index];
                for (position, &id) in sequence.ids.iter().enumerate() {
                    batch.ids[at] = i64::from(id);
                    batch.document[at] = document;
                    batch.position[at] = position as i64;
                    if let Some(&next) = sequence.ids.get(position + 1) {
                        batch.targets[at] = i64::from(next);
                        batch.loss_mask[at] = f32::from(position + 1 >= sequence.scored_from);
                    }
                    at += 1;
                }
            }
        }
        batch
    }
}

/// A section of an answer, in either format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Why the formula is what it is.
    Thought,
    /// What the atoms stand for.
    Atoms,
    /// Which words are connectives.
    Connectors,
    /// The formula; also what comes before any section begins.
    Formula,
}

impl Section {
    /// All of them.
    pub const ALL: [Section; 4] = [Section::Thought, Section::Atoms, Section::Connectors, Section::Formula];
}

/// The scored cells of whole rows of a [`Batch`], each with the section of its target: the one whose token came last, or
/// is the target. So a section's own token (`<|formula|>`) belongs to it, and `<|eos|>` to the last one.
///
/// ```
/// use data_pipeline::{Section, Sequence, Tokenizer, format::Sections, pack, sections};
///
/// let tokenizer = Tokenizer::train(["Si llueve me mojo"], 500)?;
/// let row: data_pipeline::Row = serde_json::from_str(
///     r#"{"input": "Si llueve me mojo", "formula": "p → q", "atoms": {"p": "llueve", "q": "me mojo"}}"#,
/// )?;
/// let sequence = Sequence::in_format(&Sections::WithThought, &row, &tokenizer)?;
/// let batch = pack(&[sequence], 1, 128, 0)?.next().unwrap();
/// let (cell, section) = sections(&batch.targets, &batch.document, &batch.loss_mask).next().unwrap();
/// assert_eq!(batch.targets[cell], i64::from(tokenizer.id("<|thought|>").unwrap()));
/// assert_eq!(section, Section::Thought);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sections<'a>(
    targets: &'a [i64],
    document: &'a [i64],
    loss_mask: &'a [f32],
) -> impl Iterator<Item = (usize, Section)> + 'a {
    let mut section = Section::Formula;
    let mut expected = None;
    (0..targets.len()).filter(|&cell| loss_mask[cell] > 0.0).map(move |cell| {
        // An answer is scored without a gap, so a new sequence or a gap is a new answer.
        if expected != Some((document[cell], cell)) {
            section = Section::Formula;
        }
        expected = Some((document[cell], cell + 1));
        section = match u32::try_from(targets[cell]) {
            Ok(THOUGHT) => Section::Thought,
            Ok(ATOMS) => Section::Atoms,
            Ok(CONNECTORS) => Section::Connectors,
            Ok(FORMULA) => Section::Formula,
            _ => section,
        };
        (cell, section)
    })
}

/// Why sequences cannot be packed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// A sequence does not fit into a row.
    #[error("sequence {index} has {len} tokens, a row only {seq}")]
    TooLong {
        /// Its index.
        index: usize,
        /// Its number of tokens.
        len: usize,
        /// The length of a row.
        seq: usize,
    },
    /// Batches of no rows.
    #[error("a batch needs at least one row")]
    NoRows,
}

/// Puts every sequence into exactly one row of `seq` tokens, `rows` rows a batch (the last batch may have fewer).
///
/// The sequences are shuffled by `seed` (another seed is another epoch) and each goes to the fullest row that still has
/// room for it (best fit), so that rows mix sequences of all lengths and hardly any token is padding. Empty sequences
/// take no part.
///
/// ```
/// use data_pipeline::{Sequence, pack};
///
/// let sequences = vec![Sequence::new(vec![1, 4, 5], vec![9, 2]); 20];
/// let batches: Vec<_> = pack(&sequences, 4, 10, 0)?.collect();
/// assert_eq!(batches.len(), 3);
/// assert_eq!(batches[0].real_tokens(), 4 * 10);
/// assert_eq!(batches[0].loss_mask[..5], [0.0, 0.0, 1.0, 1.0, 0.0]);
/// # Ok::<(), data_pipeline::PackError>(())
/// ```
///
/// # Errors
///
/// [`PackError::TooLong`] if a sequence has more than `seq` tokens, [`PackError::NoRows`] if `rows` is 0.
pub fn pack(sequences: &[Sequence], rows: usize, seq: usize, seed: u64) -> Result<Packed<'_>, PackError> {
    if rows == 0 {
        return Err(PackError::NoRows);
    }
    if let Some((index, long)) = sequences.iter().enumerate().find(|(_, sequence)| sequence.ids.len() > seq) {
        return Err(PackError::TooLong { index, len: long.ids.len(), seq });
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> =
        (0..sequences.len()).filter(|&index| !sequences[index].ids.is_empty()).collect();
    order.shuffle(&mut random);
    let mut bins = best_fit(&order, sequences, seq);
    bins.shuffle(&mut random);
    Ok(Packed { sequences, bins, rows, seq, next: 0 })
}

/// Sequence indices, row by row.
fn best_fit(order: &[usize], sequences: &[Sequence], seq: usize) -> Vec<Vec<usize>> {
    let mut bins: Vec<Vec<usize>> = Vec::new();
    // with_room[n] holds the rows that have room for exactly n more tokens.
    let mut with_room: Vec<Vec<usize>> = vec![Vec::new(); seq + 1];
    for &index in order {
        let len = sequences[index].ids.len();
        let (room, bin) = match (len..=seq).find(|&room| !with_room[room].is_empty()) {
            Some(room) => (room, with_room[room].pop().expect("found non-empty")),
            None => {
                bins.push(Vec::new());
                (seq, bins.len() - 1)
            }
        };
        bins[bin].push(index);
        with_room[room - len].push(bin);
    }
    bins
}

/// One sequence a row, rows of like length together, each batch as long as its longest row: what to use where packing
/// cannot be (a model without document masks).
///
/// As the notes' `BucketBatchSampler`: sorted by length, cut into stretches of ten batches, shuffled within each stretch
/// and cut into batches, whose order is shuffled too. Empty sequences take no part.
///
/// ```
/// use data_pipeline::{Sequence, bucket};
///
/// let sequence = |len| Sequence::new(vec![1; len], vec![2; 3]);
/// let sequences: Vec<_> = (10..50).map(sequence).collect();
/// let longest: Vec<usize> = bucket(&sequences, 4, 0)?.map(|batch| batch.seq).collect();
/// assert_eq!(longest.len(), 10);
/// # Ok::<(), data_pipeline::PackError>(())
/// ```
///
/// # Errors
///
/// [`PackError::NoRows`] if `rows` is 0.
pub fn bucket(
    sequences: &[Sequence],
    rows: usize,
    seed: u64,
) -> Result<impl ExactSizeIterator<Item = Batch>, PackError> {
    if rows == 0 {
        return Err(PackError::NoRows);
    }
    let len = |index: usize| sequences[index].ids.len();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..sequences.len()).filter(|&index| len(index) > 0).collect();
    order.sort_by_key(|&index| len(index));
    order.chunks_mut(rows.saturating_mul(10)).for_each(|stretch| stretch.shuffle(&mut random));
    let mut batches: Vec<Vec<usize>> = order.chunks(rows).map(<[usize]>::to_vec).collect();
    batches.shuffle(&mut random);
    Ok(batches.into_iter().map(move |batch| {
        let longest = batch.iter().map(|&index| len(index)).max().unwrap_or(0);
        let bins: Vec<Vec<usize>> = batch.into_iter().map(|index| vec![index]).collect();
        Batch::of(&bins, sequences, longest)
    }))
}

/// The batches that [`pack`] laid out, built one at a time.
#[derive(Clone, Debug)]
pub struct Packed<'a> {
    sequences: &'a [Sequence],
    bins: Vec<Vec<usize>>,
    rows: usize,
    seq: usize,
    next: usize,
}

impl Packed<'_> {
    /// The share of tokens, of all batches together, that are not padding; 1 if there are none.
    pub fn real_share(&self) -> f64 {
        let real: usize = self.bins.iter().flatten().map(|&index| self.sequences[index].ids.len()).sum();
        if real == 0 { 1.0 } else { real as f64 / (self.bins.len() * self.seq) as f64 }
    }
}

impl Iterator for Packed<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let bins = self.bins.get(self.next..)?;
        let bins = bins.get(..self.rows).unwrap_or(bins);
        self.next += bins.len();
        (!bins.is_empty()).then(|| Batch::of(bins, self.sequences, self.seq))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.bins.len() - self.next).div_ceil(self.rows);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Packed<'_> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::RngExt;

    use super::*;

    /// Sequences as long as real rows are: 20 to 90 tokens.
    fn realistic(n: usize) -> Vec<Sequence> {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut next = 0;
        (0..n)
            .map(|_| {
                let len = random.random_range(20..90);
                next += len;
                Sequence { ids: (next - len..next).collect(), scored_from: len as usize / 2 }
            })
            .collect()
    }

    #[test]
    fn at_least_97_percent_of_512_are_real_tokens() {
        let sequences = realistic(2_000);
        let packed = pack(&sequences, 8, 512, 3).unwrap();
        assert!(packed.real_share() >= 0.97, "{}", packed.real_share());
    }

    #[test]
    fn every_scored_target_has_its_section() {
        use Section::{Atoms, Connectors, Formula, Thought};
        // <|bos|><|input|> a <|output|><|thought|> b <|atoms|> c <|connectors|> d <|formula|> e <|eos|>
        let notes = Sequence::new(vec![1, 4, 200, 5], vec![6, 201, 7, 202, 8, 203, 9, 204, 2]);
        // <|bos|><|input|> a <|output|> → <|atoms|> <1><1> <|eos|>
        let pointing = Sequence::new(vec![1, 4, 200, 5], vec![13, 7, 16, 16, 2]);
        let expected = |answer: &[i64]| -> &[Section] {
            match answer[0] {
                6 => &[Thought, Thought, Atoms, Atoms, Connectors, Connectors, Formula, Formula, Formula],
                _ => &[Formula, Atoms, Atoms, Atoms, Atoms],
            }
        };
        let sequences = [notes.clone(), pointing.clone(), notes, pointing];
        let mut answers = 0;
        for batch in pack(&sequences, 2, 26, 0).unwrap().chain(bucket(&sequences, 3, 1).unwrap()) {
            let scored: Vec<_> = sections(&batch.targets, &batch.document, &batch.loss_mask).collect();
            for answer in scored.chunk_by(|a, b| a.0 + 1 == b.0) {
                let targets: Vec<i64> = answer.iter().map(|&(cell, _)| batch.targets[cell]).collect();
                let found: Vec<Section> = answer.iter().map(|&(_, section)| section).collect();
                assert_eq!(found, expected(&targets));
                answers += 1;
            }
        }
        assert_eq!(answers, 8, "each sequence is packed once and bucketed once");
    }

    #[test]
    fn the_seed_alone_decides_the_order() {
        let sequences = realistic(100);
        let ids = |seed| pack(&sequences, 4, 128, seed).unwrap().map(|batch| batch.ids).collect::<Vec<_>>();
        assert_eq!(ids(5), ids(5));
        assert_ne!(ids(5), ids(6));
    }

    #[test]
    fn a_sequence_longer_than_a_row_is_an_error() {
        let sequences = [Sequence::new(vec![1; 3], vec![2; 3])];
        assert_eq!(pack(&sequences, 1, 5, 0).unwrap_err(), PackError::TooLong { index: 0, len: 6, seq: 5 });
        assert_eq!(pack(&sequences, 0, 6, 0).unwrap_err(), PackError::NoRows);
    }

    #[test]
    fn buckets_hold_every_sequence_once_with_little_padding() {
        let sequences = realistic(1_000);
        let batches: Vec<Batch> = bucket(&sequences, 8, 1).unwrap().collect();
        let real: usize = batches.iter().map(Batch::real_tokens).sum();
        let all: usize = batches.iter().map(|batch| batch.ids.len()).sum();
        assert_eq!(real, sequences.iter().map(|sequence| sequence.ids.len()).sum::<usize>());
        assert!(real as f64 >= 0.9 * all as f64, "{real} of {all}");
        assert!(batches.iter().all(|batch| batch.document.iter().all(|&document| document <= 0)));
        assert_ne!(batches[0], bucket(&sequences, 8, 2).unwrap().next().unwrap());
        assert!(bucket(&sequences, 0, 1).is_err());
    }

    proptest! {
        #[test]
        fn no_token_is_lost_and_none_sees_its_neighbour(
            lengths in proptest::collection::vec((0usize..20, 0usize..20), 0..60),
            rows in 1usize..5,
            seed: u64,
        ) {
            let mut next = 1;
            let mut numbered = |n: usize| (0..n).map(|_| { next += 1; next }).collect::<Vec<u32>>();
            let sequences: Vec<_> = lengths.iter().map(|&(p, a)| Sequence::new(numbered(p), numbered(a))).collect();
            let packed = pack(&sequences, rows, 40, seed).unwrap();
            let announced = packed.len();
            let batches: Vec<_> = packed.collect();
            prop_assert_eq!(batches.len(), announced);

            let mut seen = Vec::new();
            for batch in &batches {
                prop_assert!(batch.rows <= rows && batch.rows > 0);
                for row in 0..batch.rows {
                    let columns = row * 40..(row + 1) * 40;
                    let tokens: Vec<_> = columns.map(|i| {
                        (batch.document[i], batch.position[i], batch.ids[i], batch.targets[i], batch.loss_mask[i])
                    }).collect();
                    for sequence in tokens.chunk_by(|a, b| a.0 == b.0).filter(|chunk| chunk[0].0 >= 0) {
                        let ids: Vec<_> = sequence.iter().map(|token| token.2 as u32).collect();
                        let original = sequences.iter().find(|s| s.ids == ids);
                        prop_assert!(original.is_some());
                        let scored_from = original.unwrap().scored_from;
                        for (at, token) in sequence.iter().enumerate() {
                            prop_assert_eq!(token.1, at as i64);
                            let next = sequence.get(at + 1).map_or(0, |next| next.2);
                            prop_assert_eq!(token.3, next);
                            let scored = at + 1 < ids.len() && at + 1 >= scored_from;
                            prop_assert_eq!(token.4 == 1.0, scored);
                        }
                        seen.extend(ids);
                    }
                }
            }
            seen.sort_unstable();
            let all: Vec<u32> = sequences.iter().flat_map(|s| s.ids.iter().copied()).collect();
            prop_assert_eq!(seen, all);
        }
    }
}
