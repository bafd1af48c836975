//! Train, validation and test without leaks.
//!
//! Rows that share their sentence or their pattern belong together, and so do rows that share with those: connected
//! components, each of which goes to one side whole. Splitting row by row, or by pattern after augmenting, puts half of
//! the test sentences into train.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::Hash,
};

use logic_parser::Formula;
use serde::{Deserialize, Serialize};

use crate::{
    Reason, Row,
    normal::{self, draw, fingerprint},
    truth_column::truth_column,
};

/// How much of the corpus is held out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// The share of rows for validation, from 0 to 1.
    pub val: f64,
    /// The share of rows for test, from 0 to 1.
    pub test: f64,
    /// No more rows than this on either of the two sides.
    pub at_most: usize,
}

impl Default for Shares {
    fn default() -> Shares {
        Shares { val: 0.05, test: 0.1, at_most: 2_000 }
    }
}

/// What a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// What models learn from.
    Train,
    /// What decisions during training may look at.
    Val,
    /// What is looked at once.
    Test,
}

/// Which row goes where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// The side of each row, in order.
    pub sides: Vec<Side>,
    /// How it went.
    pub report: SplitReport,
    /// The patterns of validation and test.
    held_patterns: HashSet<String>,
    /// The sentences of validation and test, as fingerprints.
    held_sentences: HashSet<u64>,
}

/// How a corpus was split.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitReport {
    /// How many groups of rows that share sentences or patterns there were.
    pub components: usize,
    /// How many rows the largest has.
    pub largest: usize,
    /// How many patterns are on each side: train, validation, test.
    pub patterns: [usize; 3],
    /// How many test patterns train has in an equivalent form (`¬q → ¬p` for `p → q`). They are not forbidden: another
    /// sentence says them, and the model has to read that one.
    pub equivalent_in_train: usize,
}

/// What the split needs to know of rows: 12 bytes each, and every pattern once.
#[derive(Clone, Debug, Default)]
pub struct SplitKeys {
    patterns: Vec<String>,
    number: HashMap<String, u32>,
    pattern_of: Vec<u32>,
    sentence_of: Vec<u64>,
}

impl SplitKeys {
    /// Adds the next row.
    pub fn push(&mut self, row: &Row) {
        self.push_key(&row.pattern, sentence(row));
    }

    pub(crate) fn push_key(&mut self, pattern: &str, sentence: u64) {
        let number = match self.number.get(pattern) {
            Some(&number) => number,
            None => {
                let number = self.patterns.len() as u32;
                self.patterns.push(pattern.to_owned());
                self.number.insert(pattern.to_owned(), number);
                number
            }
        };
        self.pattern_of.push(number);
        self.sentence_of.push(sentence);
    }

    /// Puts whole components on the test and validation sides, chosen by `seed`, until these have their share; the
    /// rest is train. No component larger than a tenth of what a side may hold goes there, so that at least ten make up
    /// each (of a large corpus, hundreds) and the patterns that most sentences have stay in train: a model that has
    /// never seen `p ↔ q` would only show that.
    ///
    /// ```
    /// use data_pipeline::{Row, Shares, Side, SplitKeys};
    ///
    /// let mut keys = SplitKeys::default();
    /// for i in 0..1_000 {
    ///     keys.push(&Row { input: format!("frase {i}"), pattern: format!("patrón {}", i % 500), ..Row::default() });
    /// }
    /// let sides = keys.split(Shares::default(), 1).sides;
    /// let count = |wanted| sides.iter().filter(|&&side| side == wanted).count();
    /// assert_eq!([Side::Train, Side::Val, Side::Test].map(count), [850, 50, 100]);
    /// assert_eq!(sides[7], sides[507]);
    /// ```
    pub fn split(self, shares: Shares, seed: u64) -> Split {
        let rows = self.pattern_of.len();
        let mut components = self.components();
        let mut report = SplitReport {
            components: components.len(),
            largest: components.iter().map(|(_, members)| members.len()).max().unwrap_or(0),
            ..SplitReport::default()
        };
        components.sort_by_cached_key(|(name, _)| {
            let name = &self.patterns[*name as usize];
            // Draws are positive, so that their bits are in their order.
            draw(seed, "split", name).to_bits()
        });
        let room = |share: f64| shares.at_most.min((rows as f64 * share) as usize);
        let mut sides = vec![Side::Train; rows];
        for (side, room) in [(Side::Test, room(shares.test)), (Side::Val, room(shares.val))] {
            let mut taken = 0;
            components.retain(|(_, members)| {
                let fits = members.len() <= room.div_ceil(10) && taken + members.len() <= room;
                if fits {
                    taken += members.len();
                    members.iter().for_each(|&row| sides[row as usize] = side);
                }
                !fits
            });
        }

        let patterns_of = |wanted: Side| -> BTreeSet<&str> {
            let of = sides.iter().zip(&self.pattern_of).filter(|(side, _)| **side == wanted);
            of.map(|(_, &number)| self.patterns[number as usize].as_str()).collect()
        };
        let [train, val, test] = [Side::Train, Side::Val, Side::Test].map(patterns_of);
        let column = |pattern: &&str| Formula::parse(pattern).ok().and_then(|formula| truth_column(&formula));
        let known: HashSet<[u64; 4]> = train.iter().filter_map(column).collect();
        report.patterns = [train.len(), val.len(), test.len()];
        report.equivalent_in_train =
            test.iter().filter_map(column).filter(|column| known.contains(column)).count();
        let held_patterns = val.iter().chain(&test).map(|&pattern| pattern.to_owned()).collect();
        let held = sides.iter().zip(&self.sentence_of).filter(|(side, _)| **side != Side::Train);
        let held_sentences = held.map(|(_, &sentence)| sentence).collect();
        Split { sides, report, held_patterns, held_sentences }
    }

    /// The rows of each connected component in ascending order, named by the alphabetically first pattern in it.
    fn components(&self) -> Vec<(u32, Vec<u32>)> {
        let mut parent: Vec<u32> = (0..self.pattern_of.len() as u32).collect();
        join_equal(&self.pattern_of, &mut parent);
        join_equal(&self.sentence_of, &mut parent);
        let mut components: BTreeMap<u32, (u32, Vec<u32>)> = BTreeMap::new();
        for (index, &pattern) in (0..).zip(&self.pattern_of) {
            let (name, members) = components.entry(find(&mut parent, index)).or_insert((pattern, Vec::new()));
            if self.patterns[pattern as usize] < self.patterns[*name as usize] {
                *name = pattern;
            }
            members.push(index);
        }
        components.into_values().collect()
    }
}

impl Split {
    /// Whether train may have a row that was made from train rows later on.
    ///
    /// # Errors
    ///
    /// [`Reason::BelongsToAnotherSide`] for a pattern or sentence of the other two sides.
    pub fn guard(&self, row: &Row) -> Result<(), Reason> {
        let held = self.held_patterns.contains(&row.pattern) || self.held_sentences.contains(&sentence(row));
        if held { Err(Reason::BelongsToAnotherSide) } else { Ok(()) }
    }
}

/// The normal sentence as a fingerprint.
pub(crate) fn sentence(row: &Row) -> u64 {
    fingerprint(&normal::sentence(&row.input))
}

fn join_equal<K: Hash + Eq + Copy>(keys: &[K], parent: &mut [u32]) {
    let mut first = HashMap::new();
    for (index, &key) in (0..).zip(keys) {
        let before = *first.entry(key).or_insert(index);
        let (a, b) = (find(parent, before), find(parent, index));
        parent[a.max(b) as usize] = a.min(b);
    }
}

/// The representative of a row's component, halving the path on the way.
fn find(parent: &mut [u32], mut index: u32) -> u32 {
    while parent[index as usize] != index {
        parent[index as usize] = parent[parent[index as usize] as usize];
        index = parent[index as usize];
    }
    index
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(sentence: usize, pattern: usize) -> Row {
        Row { input: format!("Frase {sentence}."), pattern: format!("p{pattern}"), ..Row::default() }
    }

    fn keys(rows: &[Row]) -> SplitKeys {
        let mut keys = SplitKeys::default();
        rows.iter().for_each(|row| keys.push(row));
        keys
    }

    fn side<'a>(rows: &'a [Row], split: &Split, wanted: Side) -> Vec<&'a Row> {
        rows.iter().zip(&split.sides).filter(|(_, side)| **side == wanted).map(|(row, _)| row).collect()
    }

    #[test]
    fn rows_joined_by_a_sentence_share_a_component() {
        let keys = keys(&[row(1, 1), row(2, 2), row(3, 3), row(1, 2)]);
        let components = keys.components();
        assert_eq!(components, [(0, vec![0, 1, 3]), (2, vec![2])]);
        assert_eq!(keys.patterns, ["p1", "p2", "p3"]);
    }

    #[test]
    fn what_is_made_later_does_not_leak() {
        let rows = [row(1, 1), row(2, 2), row(3, 3), row(4, 4)];
        let everything = Shares { val: 0.5, test: 0.5, at_most: 2 };
        let split = keys(&rows).split(everything, 1);
        assert!(!split.sides.contains(&Side::Train));
        let same_words = Row { input: "frase 1".into(), ..row(9, 9) };
        for leaking in [row(8, 1), row(8, 2), row(8, 3), row(8, 4), same_words] {
            assert_eq!(split.guard(&leaking), Err(Reason::BelongsToAnotherSide), "{leaking:?}");
        }
        assert_eq!(split.guard(&row(5, 5)), Ok(()));
    }

    #[test]
    fn equivalent_patterns_across_sides_are_counted() {
        let row = |input: usize, pattern: &str| Row {
            input: input.to_string(),
            pattern: pattern.into(),
            ..Row::default()
        };
        let rows = [row(1, "p → q"), row(2, "¬q → ¬p"), row(3, "p ∧ q"), row(4, "p ∨ q")];
        let shares = Shares { val: 0.0, test: 0.25, at_most: 1 };
        let splits = (0..40).map(|seed| keys(&rows).split(shares, seed));
        let held_out: BTreeSet<(String, usize)> = splits
            .map(|split| {
                (side(&rows, &split, Side::Test)[0].pattern.clone(), split.report.equivalent_in_train)
            })
            .collect();
        let expected = [("p → q", 1), ("¬q → ¬p", 1), ("p ∧ q", 0), ("p ∨ q", 0)];
        assert_eq!(held_out, expected.map(|(pattern, count)| (pattern.to_owned(), count)).into());
    }

    #[test]
    fn another_seed_chooses_other_patterns() {
        let rows: Vec<Row> = (0..500).map(|i| row(i, i % 250)).collect();
        let sides = |seed| keys(&rows).split(Shares::default(), seed).sides;
        assert_eq!(sides(1), sides(1));
        assert_ne!(sides(1), sides(2));
    }

    proptest! {
        #[test]
        fn no_sentence_and_no_pattern_is_on_two_sides(
            numbers in proptest::collection::vec((0usize..60, 0usize..40), 0..200),
            seed: u64,
        ) {
            let rows: Vec<Row> = numbers.iter().map(|&(sentence, pattern)| row(sentence, pattern)).collect();
            let shares = Shares { val: 0.2, test: 0.3, at_most: 50 };
            let split = keys(&rows).split(shares, seed);
            prop_assert_eq!(split.sides.len(), rows.len());
            let sides = [Side::Train, Side::Val, Side::Test].map(|wanted| side(&rows, &split, wanted));
            prop_assert!(sides[2].len() <= 50 && sides[2].len() as f64 <= 0.3 * rows.len() as f64);
            for (a, b) in [(0, 1), (0, 2), (1, 2)] {
                let sentences = |side: usize| sides[side].iter().map(|row| sentence(row)).collect::<BTreeSet<_>>();
                let patterns = |side: usize| sides[side].iter().map(|row| &row.pattern).collect::<BTreeSet<_>>();
                prop_assert!(sentences(a).is_disjoint(&sentences(b)));
                prop_assert!(patterns(a).is_disjoint(&patterns(b)));
            }
        }
    }
}
