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
    Reason, Row, StepReport,
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

/// The three sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// What models learn from.
    pub train: Vec<Row>,
    /// What decisions during training may look at.
    pub val: Vec<Row>,
    /// What is looked at once.
    pub test: Vec<Row>,
    /// How it went.
    pub report: SplitReport,
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

/// Puts whole components on the test and validation sides, chosen by `seed`, until these have their share; the rest is
/// train. No component larger than a tenth of what a side may hold goes there, so that at least ten make up each
/// (of a large corpus, hundreds) and the patterns that most sentences have stay in train: a model that has never seen
/// `p ↔ q` would only show that. Within a side rows keep their order.
///
/// ```
/// use data_pipeline::{Row, Shares, split};
///
/// let row = |i: usize| Row { input: format!("frase {i}"), pattern: format!("patrón {}", i % 500), ..Row::default() };
/// let split = split((0..1_000).map(row).collect(), Shares::default(), 1);
/// assert_eq!((split.train.len(), split.val.len(), split.test.len()), (850, 50, 100));
/// ```
pub fn split(rows: Vec<Row>, shares: Shares, seed: u64) -> Split {
    let components = components(&rows);
    let mut report = SplitReport { components: components.len(), ..SplitReport::default() };
    report.largest = components.iter().map(|(_, members)| members.len()).max().unwrap_or(0);

    let mut order: Vec<&(&str, Vec<usize>)> = components.iter().collect();
    order.sort_by(|a, b| draw(seed, "split", a.0).total_cmp(&draw(seed, "split", b.0)));
    let room = |share: f64| shares.at_most.min((rows.len() as f64 * share) as usize);
    let mut side_of = vec![Side::Train; rows.len()];
    for (side, room) in [(Side::Test, room(shares.test)), (Side::Val, room(shares.val))] {
        let mut taken = 0;
        order.retain(|(_, members)| {
            let fits = members.len() <= room.div_ceil(10) && taken + members.len() <= room;
            if fits {
                taken += members.len();
                members.iter().for_each(|&row| side_of[row] = side);
            }
            !fits
        });
    }

    let mut split = Split { report, ..Split::default() };
    for (row, side) in rows.into_iter().zip(side_of) {
        match side {
            Side::Train => split.train.push(row),
            Side::Val => split.val.push(row),
            Side::Test => split.test.push(row),
        }
    }
    let [train, val, test] = [&split.train, &split.val, &split.test].map(|side| patterns(side));
    let column = |pattern: &&str| Formula::parse(pattern).ok().and_then(|formula| truth_column(&formula));
    let known: HashSet<[u64; 4]> = train.iter().filter_map(column).collect();
    let equivalent = test.iter().filter_map(column).filter(|column| known.contains(column)).count();
    split.report.patterns = [train.len(), val.len(), test.len()];
    split.report.equivalent_in_train = equivalent;
    split
}

fn patterns(rows: &[Row]) -> BTreeSet<&str> {
    rows.iter().map(|row| row.pattern.as_str()).collect()
}

#[derive(Clone, Copy)]
enum Side {
    Train,
    Val,
    Test,
}

impl Split {
    /// Drops from `rows`, made from train rows later on, what train must not see: patterns and sentences of the other
    /// two sides.
    pub fn guard(&self, rows: Vec<Row>) -> (Vec<Row>, StepReport) {
        let held_out = || self.val.iter().chain(&self.test);
        let patterns: BTreeSet<&str> = held_out().map(|row| row.pattern.as_str()).collect();
        let sentences: BTreeSet<u128> = held_out().map(sentence).collect();
        let mut report = StepReport {
            name: "keep test patterns unseen".into(),
            rows: rows.len(),
            ..StepReport::default()
        };
        let kept = rows.into_iter().filter(|row| {
            let seen = patterns.contains(row.pattern.as_str()) || sentences.contains(&sentence(row));
            if seen {
                report.drop_for(Reason::BelongsToAnotherSide);
            }
            !seen
        });
        (kept.collect(), report)
    }
}

fn sentence(row: &Row) -> u128 {
    fingerprint(&normal::sentence(&row.input))
}

/// The rows of each connected component in ascending order, named by the alphabetically first pattern in it.
fn components(rows: &[Row]) -> Vec<(&str, Vec<usize>)> {
    let mut parent: Vec<usize> = (0..rows.len()).collect();
    join_equal(rows.iter().map(|row| row.pattern.as_str()), &mut parent);
    join_equal(rows.iter().map(sentence), &mut parent);
    let mut components: BTreeMap<usize, (&str, Vec<usize>)> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let (name, members) =
            components.entry(find(&mut parent, index)).or_insert((&row.pattern, Vec::new()));
        *name = (*name).min(&row.pattern);
        members.push(index);
    }
    components.into_values().collect()
}

fn join_equal<K: Hash + Eq>(keys: impl Iterator<Item = K>, parent: &mut [usize]) {
    let mut first = HashMap::new();
    for (index, key) in keys.enumerate() {
        let before = *first.entry(key).or_insert(index);
        let (a, b) = (find(parent, before), find(parent, index));
        parent[a.max(b)] = a.min(b);
    }
}

/// The representative of a row's component, halving the path on the way.
fn find(parent: &mut [usize], mut index: usize) -> usize {
    while parent[index] != index {
        parent[index] = parent[parent[index]];
        index = parent[index];
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

    #[test]
    fn rows_joined_by_a_sentence_share_a_component() {
        let rows = [row(1, 1), row(2, 2), row(3, 3), row(1, 2)];
        let components = components(&rows);
        assert_eq!(components, [("p1", vec![0, 1, 3]), ("p3", vec![2])]);
    }

    #[test]
    fn what_is_made_later_does_not_leak() {
        let split = Split { test: vec![row(1, 1)], val: vec![row(2, 2)], ..Split::default() };
        let mut same_words = row(1, 5);
        same_words.input = "frase 1".into();
        let (kept, report) = split.guard(vec![row(3, 1), row(4, 2), same_words, row(5, 5)]);
        assert_eq!(kept, [row(5, 5)]);
        assert_eq!(report.dropped[&Reason::BelongsToAnotherSide], 3);
    }

    #[test]
    fn equivalent_patterns_across_sides_are_counted() {
        let row = |input: usize, pattern: &str| Row {
            input: input.to_string(),
            pattern: pattern.into(),
            ..Row::default()
        };
        let rows = vec![row(1, "p → q"), row(2, "¬q → ¬p"), row(3, "p ∧ q"), row(4, "p ∨ q")];
        let shares = Shares { val: 0.0, test: 0.25, at_most: 1 };
        let splits = (0..40).map(|seed| split(rows.clone(), shares, seed));
        let held_out: BTreeSet<(String, usize)> =
            splits.map(|split| (split.test[0].pattern.clone(), split.report.equivalent_in_train)).collect();
        let expected = [("p → q", 1), ("¬q → ¬p", 1), ("p ∧ q", 0), ("p ∨ q", 0)];
        assert_eq!(held_out, expected.map(|(pattern, count)| (pattern.to_owned(), count)).into());
    }

    #[test]
    fn another_seed_chooses_other_patterns() {
        let rows: Vec<Row> = (0..500).map(|i| row(i, i % 250)).collect();
        let test = |seed| split(rows.clone(), Shares::default(), seed).test;
        assert_eq!(test(1), test(1));
        assert_ne!(test(1), test(2));
    }

    proptest! {
        #[test]
        fn no_sentence_and_no_pattern_is_on_two_sides(
            keys in proptest::collection::vec((0usize..60, 0usize..40), 0..200),
            seed: u64,
        ) {
            let rows: Vec<Row> = keys.iter().map(|&(sentence, pattern)| row(sentence, pattern)).collect();
            let shares = Shares { val: 0.2, test: 0.3, at_most: 50 };
            let split = split(rows.clone(), shares, seed);
            prop_assert_eq!(split.train.len() + split.val.len() + split.test.len(), rows.len());
            prop_assert!(split.test.len() <= 50 && split.test.len() as f64 <= 0.3 * rows.len() as f64);
            let sides = [&split.train, &split.val, &split.test];
            for (a, b) in [(0, 1), (0, 2), (1, 2)] {
                let sentences = |side: usize| sides[side].iter().map(sentence).collect::<BTreeSet<_>>();
                let patterns = |side: usize| sides[side].iter().map(|row| &row.pattern).collect::<BTreeSet<_>>();
                prop_assert!(sentences(a).is_disjoint(&sentences(b)));
                prop_assert!(patterns(a).is_disjoint(&patterns(b)));
            }
        }
    }
}
