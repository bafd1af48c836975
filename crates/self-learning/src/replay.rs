//! Mixing what is new with what was there: accumulate, never replace.
//!
//! A model that trains on its own rows alone drifts away from its data and in the end collapses; original rows in every
//! batch prevent it (Gerstgrasser et al. 2024, arXiv 2404.01413). The documents ask for 30 to 40 % of real data.

use data_pipeline::{Origin, Row};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{Error, Result};

/// Least share of original rows, from the documents.
pub const ORIGINAL_FLOOR: f64 = 0.3;

/// `total` rows of which the share `original_share` is drawn from `original`, and the rest from `new`, shuffled.
///
/// New rows come around again when there are too few of them, each as often as the others. Original rows are drawn without
/// replacement as long as they last.
///
/// # Errors
/// [`Error::Setting`] when the share lies outside [`ORIGINAL_FLOOR`] to 1, [`Error::NoRows`] when either side is needed and
/// empty, and [`Error::VoteAlone`] when only votes vouch for the new rows and no original row comes with them.
///
/// ```
/// use data_pipeline::Row;
/// let row = |input: &str| Row { input: input.into(), ..Row::default() };
/// let original: Vec<Row> = (0..100).map(|i| row(&format!("old {i}"))).collect();
/// let mixed = self_learning::mix(&[row("new 0"), row("new 1")], &original, 10, 0.6, 7)?;
/// assert_eq!(mixed.iter().filter(|row| row.input.starts_with("old")).count(), 6);
/// # Ok::<(), self_learning::Error>(())
/// ```
pub fn mix(new: &[Row], original: &[Row], total: usize, original_share: f64, seed: u64) -> Result<Vec<Row>> {
    if !(ORIGINAL_FLOOR..=1.0).contains(&original_share) {
        return Err(Error::Setting {
            setting: "share of original rows",
            range: "0.3 to 1",
            found: original_share,
        });
    }
    mix_unguarded(new, original, total, original_share, seed)
}

/// [`mix`] without the floor, for what an experiment compares with.
pub(crate) fn mix_unguarded(
    new: &[Row],
    original: &[Row],
    total: usize,
    original_share: f64,
    seed: u64,
) -> Result<Vec<Row>> {
    let n_original = (total as f64 * original_share).ceil() as usize;
    let n_new = total - n_original.min(total);
    if n_original > 0 && original.is_empty() {
        let votes = !new.is_empty() && new.iter().all(|row| row.origin == Origin::Vote);
        return Err(if votes { Error::VoteAlone } else { Error::NoRows { missing: "original" } });
    }
    if n_new > 0 && new.is_empty() {
        return Err(Error::NoRows { missing: "new" });
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut mixed: Vec<Row> = draw(original, n_original, &mut rng).cloned().collect();
    mixed.extend(draw(new, n_new, &mut rng).cloned());
    mixed.shuffle(&mut rng);
    Ok(mixed)
}

/// `count` rows in random order, all of them once before any comes again.
fn draw<'a>(rows: &'a [Row], count: usize, rng: &mut ChaCha8Rng) -> impl Iterator<Item = &'a Row> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    for i in 0..count.min(order.len()) {
        let j = rng.random_range(i..order.len());
        order.swap(i, j);
    }
    (0..count).map(move |i| &rows[order[i % order.len()]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize, origin: Origin) -> Vec<Row> {
        (0..n).map(|i| Row { input: format!("{origin:?} {i}"), origin, ..Row::default() }).collect()
    }

    #[test]
    fn every_new_row_comes_as_often_as_the_others() {
        let mixed = mix(&rows(4, Origin::Constructed), &rows(50, Origin::Human), 20, 0.6, 1).unwrap();
        assert_eq!(mixed.len(), 20);
        for row in rows(4, Origin::Constructed) {
            assert_eq!(mixed.iter().filter(|mixed| **mixed == row).count(), 2);
        }
    }

    #[test]
    fn the_floor_cannot_be_undercut() {
        let result = mix(&rows(9, Origin::Constructed), &rows(9, Origin::Human), 9, 0.29, 1);
        assert!(matches!(result, Err(Error::Setting { .. })));
    }

    #[test]
    fn votes_never_train_alone() {
        assert!(matches!(mix(&rows(9, Origin::Vote), &[], 9, 0.3, 1), Err(Error::VoteAlone)));
    }

    #[test]
    fn the_control_is_replay_alone() {
        let mixed = mix(&[], &rows(50, Origin::Human), 40, 1.0, 1).unwrap();
        assert!(mixed.len() == 40 && mixed.iter().all(|row| row.origin == Origin::Human));
    }
}
