//! Comparing arms: paired by item and seed, resampled by pattern and seed.

use std::collections::BTreeMap;
use std::fmt;

use data_pipeline::Row;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::{Arm, Measured};
use crate::{Comparison, Diversity};

/// How often an interval is resampled.
const RESAMPLES: usize = 2000;

/// How much more of the same items the models `after` answered right than `before`, seed by seed, with a 95 % interval.
///
/// Items of one pattern succeed and fail together, and so do all items of one training: patterns and seeds are both drawn anew,
/// each with replacement (the pigeonhole bootstrap, Owen 2007), and the interval is that of percentiles. With few seeds it is wide,
/// as it should be. Lists of different length are compared as far as the shorter goes.
///
/// ```
/// use self_learning::experiment::paired_bootstrap;
/// let patterns: Vec<String> = (0..200).map(|n| (n % 50).to_string()).collect();
/// let before = vec![(0..200).map(|n| n % 2 == 0).collect::<Vec<bool>>()];
/// let after = vec![(0..200).map(|n| n % 2 == 0 || n % 10 == 1).collect::<Vec<bool>>()];
/// let gain = paired_bootstrap(&before, &after, &patterns, 0);
/// assert!((gain.gain - 0.1).abs() < 1e-9 && gain.interval.0 > 0.0);
/// ```
pub fn paired_bootstrap(
    before: &[Vec<bool>],
    after: &[Vec<bool>],
    patterns: &[String],
    seed: u64,
) -> Comparison {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for pattern in patterns {
        let next = numbers.len();
        numbers.entry(pattern).or_insert(next);
    }
    let (n_patterns, n_seeds) = (numbers.len(), before.len().min(after.len()));
    // Sum of differences by seed and pattern, and items by pattern.
    let mut sums = vec![vec![0.0; n_patterns]; n_seeds];
    let mut items = vec![0.0; n_patterns];
    for (i, pattern) in patterns.iter().enumerate() {
        let pattern = numbers[pattern.as_str()];
        items[pattern] += 1.0;
        for (s, sums) in sums.iter_mut().enumerate() {
            let right = |models: &[Vec<bool>]| f64::from(models[s].get(i).copied().unwrap_or(false));
            sums[pattern] += right(after) - right(before);
        }
    }
    let total: f64 = items.iter().sum::<f64>() * n_seeds as f64;
    let gain = sums.iter().flatten().sum::<f64>() / total.max(1.0);
    if n_patterns < 2 || n_seeds == 0 {
        return Comparison { gain, interval: (-1.0, 1.0), patterns: n_patterns };
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draws: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let mut times = vec![0.0; n_patterns];
            (0..n_patterns).for_each(|_| times[rng.random_range(0..n_patterns)] += 1.0);
            let drawn: f64 = times.iter().zip(&items).map(|(times, items)| times * items).sum();
            let difference: f64 = (0..n_seeds)
                .map(|_| {
                    let sums = &sums[rng.random_range(0..n_seeds)];
                    times.iter().zip(sums).map(|(times, sum)| times * sum).sum::<f64>()
                })
                .sum();
            difference / (drawn * n_seeds as f64)
        })
        .collect();
    draws.sort_by(f64::total_cmp);
    let quantile = |p: f64| draws[((RESAMPLES - 1) as f64 * p).round() as usize];
    Comparison { gain, interval: (quantile(0.025), quantile(0.975)), patterns: n_patterns }
}

/// What came of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// Sentences that all were asked.
    pub items: usize,
    /// Share that the base answered right.
    pub base: f64,
    /// Diversity of the base.
    pub base_diversity: Diversity,
    /// The arms after their last cycle.
    pub arms: Vec<ArmResult>,
    /// Share of the way from `none` to `oracle` that `full` went; none when one of the three is missing or `oracle` is no better
    /// than `none`.
    pub of_the_way: Option<f64>,
}

/// One arm after its last cycle.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ArmResult {
    /// Which.
    pub arm: Arm,
    /// Cycles done.
    pub cycles: u64,
    /// Seeds that did them.
    pub seeds: usize,
    /// Mean share answered right after each cycle, from the first.
    pub accuracy: Vec<f64>,
    /// Against `none` after as many cycles, over the seeds that both have; none for `none` itself.
    pub over_none: Option<Comparison>,
    /// Of `full` against this arm.
    pub full_over: Option<Comparison>,
    /// Mean diversity after the last cycle.
    pub diversity: Diversity,
}

impl Table {
    /// The table of all measurements of a [`Laboratory`](super::Laboratory). `test` are the sentences that all were asked.
    pub fn of(measured: &[Measured], test: &[Row]) -> Table {
        let patterns: Vec<String> = test.iter().map(|row| row.pattern.clone()).collect();
        let base = measured.iter().find(|measured| measured.cycle == 0);
        let right = |arm: Arm, cycle: u64| -> Vec<Vec<bool>> {
            let here = measured.iter().filter(|m| m.arm == arm && m.cycle == cycle && cycle > 0);
            here.map(|m| m.right.clone()).collect()
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let arms: Vec<ArmResult> = Arm::ALL
            .into_iter()
            .filter_map(|arm| {
                let of_arm: Vec<&Measured> =
                    measured.iter().filter(|m| m.arm == arm && m.cycle > 0).collect();
                let cycles = of_arm.iter().map(|m| m.cycle).max()?;
                let last: Vec<&&Measured> = of_arm.iter().filter(|m| m.cycle == cycles).collect();
                let over = |before: Arm, after: Arm| {
                    let (before, after) = (right(before, cycles), right(after, cycles));
                    (!before.is_empty() && !after.is_empty())
                        .then(|| paired_bootstrap(&before, &after, &patterns, 0))
                };
                let average = |of: fn(&Diversity) -> f64| {
                    mean(&last.iter().map(|m| of(&m.diversity)).collect::<Vec<_>>())
                };
                Some(ArmResult {
                    arm,
                    cycles,
                    seeds: last.len(),
                    accuracy: (1..=cycles)
                        .map(|cycle| {
                            let here = of_arm.iter().filter(|m| m.cycle == cycle);
                            mean(&here.map(|m| m.accuracy()).collect::<Vec<_>>())
                        })
                        .collect(),
                    over_none: (arm != Arm::None).then(|| over(Arm::None, arm)).flatten(),
                    full_over: (arm != Arm::Full).then(|| over(arm, Arm::Full)).flatten(),
                    diversity: Diversity {
                        pass_at_k: average(|diversity| diversity.pass_at_k),
                        kind_entropy: average(|diversity| diversity.kind_entropy),
                    },
                })
            })
            .collect();
        let gain = |arm: Arm| arms.iter().find(|result| result.arm == arm)?.over_none.map(|over| over.gain);
        let way = gain(Arm::Full).zip(gain(Arm::Oracle)).filter(|(_, oracle)| *oracle > 0.0);
        Table {
            items: test.len(),
            base: base.map_or(0.0, Measured::accuracy),
            base_diversity: base.map_or(Diversity::of([]), |base| base.diversity),
            of_the_way: way.map(|(full, oracle)| full / oracle),
            arms,
        }
    }
}

/// As Markdown.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| arm | cycles | seeds | right | over none | full over it | pass@k | kinds, bits |")?;
        writeln!(f, "|---|---|---|---|---|---|---|---|")?;
        let Diversity { pass_at_k, kind_entropy } = self.base_diversity;
        writeln!(
            f,
            "| base | 0 | | {} | | | {} | {kind_entropy:.2} |",
            percent(self.base),
            percent(pass_at_k)
        )?;
        for result in &self.arms {
            let ArmResult { arm, cycles, seeds, accuracy, over_none, full_over, diversity } = result;
            writeln!(
                f,
                "| {arm} | {cycles} | {seeds} | {} | {} | {} | {} | {:.2} |",
                percent(accuracy.last().copied().unwrap_or_default()),
                over_none.map_or_else(String::new, points),
                full_over.map_or_else(String::new, points),
                percent(diversity.pass_at_k),
                diversity.kind_entropy
            )?;
        }
        if let Some(share) = self.of_the_way {
            writeln!(f, "\nfull goes {} of the way from none to oracle.", percent(share))?;
        }
        write!(f, "\n{} sentences; intervals of 95 %, paired, over patterns and seeds.", self.items)
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn points(Comparison { gain, interval, .. }: Comparison) -> String {
    let (lower, upper) = interval;
    format!("{:+.1} ({:+.1} to {:+.1})", 100.0 * gain, 100.0 * lower, 100.0 * upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Models of three trainings on 60 patterns of 5 items, right with a chance that patterns and trainings share.
    fn models(seed: u64, chance: f64, seeds: usize) -> Vec<Vec<bool>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let hard: Vec<f64> = (0..60).map(|_| rng.random_range(-0.2..0.2)).collect();
        (0..seeds)
            .map(|_| {
                let luck = rng.random_range(-0.02..0.02);
                (0..300).map(|i| rng.random_bool(chance + luck + hard[i / 5])).collect()
            })
            .collect()
    }

    fn patterns() -> Vec<String> {
        (0..300).map(|i| (i / 5).to_string()).collect()
    }

    #[test]
    fn intervals_of_no_difference_hold_zero_about_as_often_as_they_say() {
        let holds = |seed| {
            let interval =
                paired_bootstrap(&models(seed, 0.6, 5), &models(seed + 5000, 0.6, 5), &patterns(), 1)
                    .interval;
            interval.0 <= 0.0 && interval.1 >= 0.0
        };
        let held = (0..200).filter(|&seed| holds(seed)).count();
        assert!(held >= 184, "{held} of 200");
    }

    #[test]
    fn a_difference_in_one_pattern_alone_proves_nothing() {
        let before = vec![vec![false; 300]];
        let one: Vec<bool> = (0..300).map(|i| i < 30).collect();
        let coarse: Vec<String> = (0..300).map(|i| (i / 30).to_string()).collect();
        assert_eq!(paired_bootstrap(&before, std::slice::from_ref(&one), &coarse, 0).interval.0, 0.0);
        let spread: Vec<bool> = (0..300).map(|i| i % 10 == 0).collect();
        assert!(paired_bootstrap(&before, &[spread], &coarse, 0).interval.0 > 0.05);
        // Nothing to compare, or one pattern: everything is possible.
        assert_eq!(paired_bootstrap(&[], &[], &coarse, 0).interval, (-1.0, 1.0));
        let alone = vec!["p".to_owned(); 300];
        assert_eq!(paired_bootstrap(&before, &[one], &alone, 0).interval, (-1.0, 1.0));
    }
}
