//! The checkpoints that did best on the validation sequences.

use std::fs;
use std::path::Path;

use super::{numbered, step_name};
use crate::checkpoint::atomic;
use crate::error::Error;
use crate::torch::trainer::Trainer;

/// Forgets checkpoints of steps that were lost with the process.
pub(super) fn forget_after(folder: &Path, step: u64) -> Result<(), Error> {
    let lost = numbered(folder)?.into_iter().filter(|(saved, _)| *saved > step);
    lost.map(|(_, path)| path).try_for_each(|path| atomic::remove(&path))
}

/// Saves the model as it stands if it is among the `keep` best, and forgets those that no longer are. `losses` are
/// all validation losses so far, with their steps; the last is the model's.
pub(super) fn keep(
    folder: &Path,
    losses: &[(u64, f64)],
    keep: usize,
    trainer: &Trainer,
) -> Result<(), Error> {
    let Some(&(now, _)) = losses.last() else { return Ok(()) };
    let best = best(losses, keep);
    if best.contains(&now) {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let mut model = trainer.model();
        model.training = None;
        model.save_whole(&folder.join(step_name(now)))?;
    }
    let worse = numbered(folder)?.into_iter().filter(|(step, _)| !best.contains(step));
    worse.map(|(_, path)| path).try_for_each(|path| atomic::remove(&path))
}

/// Steps of the `keep` lowest losses, the lowest first; of equal ones the earlier.
pub(super) fn best(losses: &[(u64, f64)], keep: usize) -> Vec<u64> {
    let mut sorted = losses.to_vec();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    sorted.truncate(keep);
    sorted.into_iter().map(|(step, _)| step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_losses_are_best() {
        let losses = [(10, 3.0), (20, 1.0), (30, 2.0), (40, 1.0), (50, f64::NAN)];
        assert_eq!(best(&losses, 3), [20, 40, 30]);
        assert_eq!(best(&losses[..1], 3), [10]);
        assert_eq!(best(&losses, 0), [0u64; 0]);
    }
}
