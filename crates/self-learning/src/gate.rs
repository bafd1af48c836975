//! Whether a model that has learned may replace the one that it was.
//!
//! The documents replace the generator when a weighted score of 500 samples rises by 0.05. Simulated, that rule lets a model
//! that is no better through in 38 % of series of 20 gates, and can accept one that is five points less accurate. So the
//! score is reported and accuracy decides: its gain must reach the threshold, its lower confidence bound must lie above
//! zero, no stratum may lose more than a point, and the model must have trained long enough.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::{Stratum, Verdict};

/// The rule. The defaults are the documents' where they name one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Least gain of accuracy against the current generator, a fraction: 0.05 is five points.
    pub threshold: f64,
    /// Steps of training before a replacement is considered.
    pub min_steps: u64,
    /// Chance of accepting a model that is no better in the whole series of gates, one-sided.
    pub alpha: f64,
    /// Gates planned in the series: each gets its share of `alpha` (Bonferroni).
    pub planned_gates: u32,
    /// Largest loss of accuracy that a stratum may suffer, a fraction.
    pub stratum_loss: f64,
    /// Items that a stratum needs before its loss counts: fewer cannot show a point.
    pub stratum_items: u64,
    /// Patterns that the items must be of at least: they are what is independent, and few of them prove nothing.
    pub min_patterns: usize,
}

impl Default for Gate {
    fn default() -> Gate {
        Gate {
            threshold: 0.05,
            min_steps: 10_000,
            alpha: 0.05,
            planned_gates: 20,
            stratum_loss: 0.01,
            stratum_items: 100,
            min_patterns: 30,
        }
    }
}

/// One question of the gate, judged before and after learning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What makes items alike: questions of one pattern succeed and fail together.
    pub pattern: String,
    /// The strata of the question.
    pub strata: Vec<Stratum>,
    /// How the current generator did.
    pub before: Verdict,
    /// How the candidate did.
    pub after: Verdict,
}

/// Mean scores over the items of a gate, each from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Share of answers that mean the same as the label.
    pub accuracy: f64,
    /// Share of answers that can be read and declare the atoms they use.
    pub coherence: f64,
    /// Mean partial credit.
    pub domain: f64,
}

impl Scores {
    /// Means over verdicts; zeros for none.
    pub fn of<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> Scores {
        let mut sum = Scores::default();
        let mut n = 0.0;
        for verdict in verdicts {
            sum.accuracy += f64::from(verdict.right);
            sum.coherence += f64::from(verdict.coherent);
            sum.domain += verdict.credit;
            n += 1.0;
        }
        let mean = |total: f64| if n > 0.0 { total / n } else { 0.0 };
        Scores { accuracy: mean(sum.accuracy), coherence: mean(sum.coherence), domain: mean(sum.domain) }
    }

    /// The documents' score: 40 % accuracy, 30 % coherence, 30 % domain knowledge. Reported, never decisive.
    pub fn weighted(&self) -> f64 {
        0.4 * self.accuracy + 0.3 * self.coherence + 0.3 * self.domain
    }
}

/// How much better one of two models did on the same items.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Gain of accuracy, a fraction.
    pub gain: f64,
    /// Its confidence interval.
    pub interval: (f64, f64),
    /// Patterns that the items are of.
    pub patterns: usize,
}

impl Comparison {
    /// Compares accuracy, with the chance `alpha` that the true gain lies below the interval, and as much above.
    ///
    /// The interval is that of a mean of paired differences with errors clustered by pattern (Miller 2024,
    /// arXiv 2411.00640, equation 4), with Student's t for the number of patterns.
    pub fn of(items: &[Item], alpha: f64) -> Comparison {
        let (gain, standard_error, patterns) = clustered_difference(items);
        let half = student_quantile(1.0 - alpha, patterns.saturating_sub(1)) * standard_error;
        Comparison {
            gain,
            // No accuracy can change by more than everything.
            interval: ((gain - half).max(-1.0), (gain + half).min(1.0)),
            patterns,
        }
    }
}

/// What the gate decided, with all it was decided on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The candidate replaces the generator.
    pub accepted: bool,
    /// Gain of accuracy, a fraction.
    pub gain: f64,
    /// Confidence interval of the gain, at this gate's share of alpha on either side.
    pub interval: (f64, f64),
    /// Scores of the current generator.
    pub before: Scores,
    /// Scores of the candidate.
    pub after: Scores,
    /// Items judged.
    pub items: usize,
    /// Patterns they are of.
    pub patterns: usize,
    /// Every condition that failed; empty when accepted.
    pub refusals: Vec<Refusal>,
}

/// A condition of the gate that a candidate failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The items are of too few patterns to prove anything.
    TooFewPatterns {
        /// Patterns found.
        found: usize,
        /// Patterns needed.
        needed: usize,
    },
    /// The model has not trained long enough.
    TooFewSteps {
        /// Steps taken.
        found: u64,
        /// Steps needed.
        needed: u64,
    },
    /// The gain may be chance: the lower bound of its interval is not above zero.
    NotSure {
        /// The lower bound.
        lower: f64,
    },
    /// The gain is smaller than the threshold.
    TooSmall {
        /// The gain.
        gain: f64,
        /// The threshold.
        threshold: f64,
    },
    /// A stratum got worse by more than it may.
    StratumLost {
        /// The stratum.
        stratum: Stratum,
        /// Its loss of accuracy, positive.
        loss: f64,
        /// Its items.
        items: u64,
    },
}

impl Gate {
    /// Decides whether the candidate, after so many steps of training, may replace the generator.
    pub fn decide(&self, items: &[Item], steps: u64) -> Decision {
        let level = self.alpha / f64::from(self.planned_gates.max(1));
        let Comparison { gain, interval, patterns } = Comparison::of(items, level);
        let mut refusals = Vec::new();
        if patterns < self.min_patterns {
            refusals.push(Refusal::TooFewPatterns { found: patterns, needed: self.min_patterns });
        }
        if steps < self.min_steps {
            refusals.push(Refusal::TooFewSteps { found: steps, needed: self.min_steps });
        }
        // Written so that a bound that is no number refuses.
        if interval.0.is_nan() || interval.0 <= 0.0 {
            refusals.push(Refusal::NotSure { lower: interval.0 });
        }
        if gain < self.threshold {
            refusals.push(Refusal::TooSmall { gain, threshold: self.threshold });
        }
        refusals.extend(self.lost_strata(items));
        Decision {
            accepted: refusals.is_empty(),
            gain,
            interval,
            before: Scores::of(items.iter().map(|item| &item.before)),
            after: Scores::of(items.iter().map(|item| &item.after)),
            items: items.len(),
            patterns,
            refusals,
        }
    }

    fn lost_strata(&self, items: &[Item]) -> Vec<Refusal> {
        let mut change: BTreeMap<&Stratum, (u64, i64)> = BTreeMap::new();
        for item in items {
            for stratum in &item.strata {
                let (asked, gained) = change.entry(stratum).or_default();
                *asked += 1;
                *gained += i64::from(item.after.right) - i64::from(item.before.right);
            }
        }
        change
            .into_iter()
            .map(|(stratum, (items, gained))| (stratum, items, -(gained as f64) / items as f64))
            .filter(|&(_, items, loss)| items >= self.stratum_items && loss > self.stratum_loss)
            .map(|(stratum, items, loss)| Refusal::StratumLost { stratum: stratum.clone(), loss, items })
            .collect()
    }
}

/// Mean paired difference of accuracy, its standard error clustered by pattern, and the number of patterns.
fn clustered_difference(items: &[Item]) -> (f64, f64, usize) {
    let n = items.len() as f64;
    let difference = |item: &Item| f64::from(item.after.right) - f64::from(item.before.right);
    let gain = items.iter().map(difference).sum::<f64>() / n.max(1.0);
    let mut residuals: HashMap<&str, f64> = HashMap::new();
    for item in items {
        *residuals.entry(&item.pattern).or_default() += difference(item) - gain;
    }
    let patterns = residuals.len();
    if patterns < 2 {
        return (gain, f64::INFINITY, patterns);
    }
    // Sorted, because a sum of floats depends on its order and a hash map has none.
    let mut squares: Vec<f64> = residuals.into_values().map(|residual| residual * residual).collect();
    squares.sort_by(f64::total_cmp);
    let small_sample = patterns as f64 / (patterns as f64 - 1.0);
    let variance = small_sample * squares.into_iter().sum::<f64>() / (n * n);
    (gain, variance.sqrt(), patterns)
}

/// Quantile of Student's t, by Cornish and Fisher's expansion of the normal quantile (Abramowitz and Stegun 26.7.5);
/// good to three digits from ten degrees of freedom on.
fn student_quantile(p: f64, degrees: usize) -> f64 {
    let z = normal_quantile(p);
    let v = (degrees.max(1)) as f64;
    let g1 = (z.powi(3) + z) / 4.0;
    let g2 = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let g3 = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + g1 / v + g2 / v.powi(2) + g3 / v.powi(3)
}

/// Quantile of the normal distribution, by bisection of its tail; for p from 0.5 to below 1.
fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 9.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if upper_tail(middle) > 1.0 - p {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Chance that a normal variable exceeds `x` ≥ 0, by the error function's fraction of Abramowitz and Stegun 7.1.26 in the
/// form of Numerical Recipes' `erfc` (relative error below 1.2e-7 everywhere).
fn upper_tail(x: f64) -> f64 {
    let y = x / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * y);
    let coefficients = [
        0.17087277,
        -0.82215223,
        1.48851587,
        -1.13520398,
        0.27886807,
        -0.18628806,
        0.09678418,
        0.37409196,
        1.00002368,
        -1.26551223,
    ];
    let series = coefficients.iter().fold(0.0, |sum, c| sum * t + c);
    0.5 * t * (-y * y + series).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn verdict(right: bool) -> Verdict {
        if right { Verdict::right() } else { Verdict::wrong("not equivalent") }
    }

    /// `n` items of 100 patterns with this many won and lost.
    fn items(n: usize, won: usize, lost: usize) -> Vec<Item> {
        (0..n)
            .map(|i| {
                let (before, after) = match i {
                    i if i < won => (false, true),
                    i if i < won + lost => (true, false),
                    i => (i % 2 == 0, i % 2 == 0),
                };
                Item {
                    pattern: (i % 100).to_string(),
                    strata: vec![Stratum::Atoms(1 + i % 2)],
                    before: verdict(before),
                    after: verdict(after),
                }
            })
            .collect()
    }

    #[test]
    fn quantiles_agree_with_printed_tables() {
        assert!((normal_quantile(0.9975) - 2.80703).abs() < 1e-5);
        assert!((student_quantile(0.975, 10) - 2.22814).abs() < 1e-3);
        assert!((student_quantile(0.9975, 30) - 3.0298).abs() < 1e-3);
    }

    #[test]
    fn a_real_gain_passes() {
        let decision = Gate::default().decide(&items(2000, 180, 60), 10_000);
        assert!(decision.accepted, "{decision:?}");
        assert!((decision.gain - 0.06).abs() < 1e-12);
        assert!(decision.interval.0 > 0.0 && decision.interval.1 > 0.06);
    }

    #[test]
    fn each_condition_refuses_by_name() {
        let gate = Gate::default();
        let only = |decision: Decision| <[Refusal; 1]>::try_from(decision.refusals).expect("one refusal");
        assert!(matches!(only(gate.decide(&items(2000, 180, 60), 9_999)), [Refusal::TooFewSteps { .. }]));
        assert!(matches!(only(gate.decide(&items(4000, 180, 20), 10_000)), [Refusal::TooSmall { .. }]));
        let few = Gate { min_patterns: 101, ..gate.clone() };
        assert!(matches!(
            only(few.decide(&items(2000, 180, 60), 10_000)),
            [Refusal::TooFewPatterns { found: 100, .. }]
        ));
        // 12 of 60 won is +8 points, but of twelve patterns.
        let mut small = items(60, 12, 7);
        small.iter_mut().enumerate().for_each(|(i, item)| item.pattern = (i % 40).to_string());
        assert!(matches!(only(gate.decide(&small, 10_000)), [Refusal::NotSure { .. }]));
        let mut uneven = items(2000, 300, 0);
        for item in uneven.iter_mut().skip(1000).filter(|item| item.before.right).take(10) {
            item.after = verdict(false);
            item.strata = vec![Stratum::Connective('↔')];
        }
        for item in uneven.iter_mut().rev().filter(|item| !item.before.right).take(100) {
            item.strata.push(Stratum::Connective('↔'));
        }
        assert!(matches!(only(gate.decide(&uneven, 10_000)), [Refusal::StratumLost { items: 110, .. }]));
    }

    #[test]
    fn no_items_and_one_pattern_are_refused() {
        for items in [vec![], vec![items(1, 1, 0)[0].clone(); 500]] {
            let decision = Gate::default().decide(&items, 10_000);
            assert!(!decision.accepted && decision.refusals.len() >= 2, "{decision:?}");
        }
    }

    #[test]
    fn the_weighted_score_cannot_buy_a_loss_of_accuracy() {
        let mut bought = items(2000, 0, 100);
        bought.iter_mut().for_each(|item| {
            item.before.coherent = false;
            item.before.credit = 0.0;
            item.after.coherent = true;
            item.after.credit = 1.0;
        });
        let decision = Gate::default().decide(&bought, 10_000);
        assert!(decision.after.weighted() > decision.before.weighted() + 0.05);
        assert!(!decision.accepted);
    }

    #[test]
    fn the_progress_of_the_documents_upgrades_at_10k_and_25k_steps() {
        let gate = Gate::default();
        let (mut current, mut versions) = (0.65, vec![]);
        // Score of the candidate after so many steps, as their example tells it.
        for (score, steps) in [(0.72, 5_000), (0.78, 10_000), (0.81, 20_000), (0.85, 25_000)] {
            let gained = ((score - current) * 500.0_f64).round() as usize;
            if gate.decide(&items(500, gained + 5, 5), steps).accepted {
                current = score;
                versions.push(steps);
            }
        }
        assert_eq!(versions, [10_000, 25_000]);
    }

    #[test]
    fn a_model_that_is_no_better_passes_fewer_than_one_gate_in_a_hundred() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let gate = Gate { threshold: 0.0, ..Gate::default() };
        let accepted = (0..1000)
            .filter(|_| {
                let items: Vec<Item> = (0..1000)
                    .map(|i| Item {
                        pattern: (i % 250).to_string(),
                        strata: vec![],
                        before: verdict(rng.random_bool(0.8)),
                        after: verdict(rng.random_bool(0.8)),
                    })
                    .collect();
                gate.decide(&items, 10_000).accepted
            })
            .count();
        assert!(accepted <= 10, "{accepted} of 1000");
    }
}
