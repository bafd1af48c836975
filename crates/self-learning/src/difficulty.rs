//! How hard a question is before it is asked, from the strata that it belongs to.

use std::collections::HashMap;

use data_pipeline::Row;

use crate::{GapMap, Stratum};

/// Steps of a fit.
const STEPS: usize = 500;

/// Precision of the prior of a weight: a question for and one against have the curvature ½.
const PRIOR: f64 = 2.0;

/// The chance that the learner solves a question: a logistic regression of what it solved on the strata.
///
/// Weights are drawn towards zero as by four questions for and four against, so that a stratum met twice says little. A question of
/// strata never met has the chance of all questions.
///
/// ```
/// use self_learning::{Difficulty, GapMap};
/// let row = |formula: &str| data_pipeline::Row { formula: formula.into(), ..Default::default() };
/// let judged: Vec<_> = (0..200).map(|n| (row(if n % 2 == 0 { "p ↔ q" } else { "p ∧ q" }), n % 2 == 1 || n % 10 == 0)).collect();
/// let difficulty = Difficulty::of(&GapMap::of(judged.iter().map(|(row, right)| (row, *right))));
/// assert!(difficulty.expect(&row("p ↔ q")) < 0.3 && difficulty.expect(&row("p ∧ q")) > 0.9);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Difficulty {
    weights: HashMap<Stratum, f64>,
    bias: f64,
}

impl Difficulty {
    /// Fits what was judged.
    pub fn of(gaps: &GapMap) -> Difficulty {
        let judged = gaps.judged();
        let mut numbers: HashMap<&Stratum, usize> = HashMap::new();
        let rows: Vec<(Vec<usize>, f64)> = judged
            .iter()
            .map(|(strata, right)| {
                let mut row: Vec<usize> = Vec::with_capacity(strata.len());
                for stratum in strata {
                    let next = numbers.len();
                    row.push(*numbers.entry(stratum).or_insert(next));
                }
                (row, f64::from(*right))
            })
            .collect();
        let mut weights = vec![0.0; numbers.len()];
        let overall = gaps.overall();
        let share = (overall.right as f64 + 0.5) / (overall.asked as f64 + 1.0);
        let mut bias = (share / (1.0 - share)).ln();
        for _ in 0..STEPS {
            // All weights at once, with a bound of the curvature that the strata of a row share (De Pierro 1995): no step overshoots.
            let mut slope = vec![0.0; weights.len()];
            let mut met = vec![0.0; weights.len()];
            let mut slope_of_bias = 0.0;
            for (row, right) in &rows {
                let score = bias + row.iter().map(|&k| weights[k]).sum::<f64>();
                let miss = right - logistic(score);
                slope_of_bias += miss;
                for &k in row {
                    slope[k] += miss;
                    met[k] += row.len() as f64 + 1.0;
                }
            }
            for k in 0..weights.len() {
                weights[k] += (slope[k] - PRIOR * weights[k]) / (0.25 * met[k] + PRIOR);
            }
            let most = rows.iter().map(|(row, _)| row.len() as f64 + 1.0).sum::<f64>();
            bias += slope_of_bias / (0.25 * most).max(1.0);
        }
        let weights = numbers.into_iter().map(|(stratum, k)| (stratum.clone(), weights[k])).collect();
        Difficulty { weights, bias }
    }

    /// Chance that the learner solves this question.
    pub fn expect(&self, question: &Row) -> f64 {
        let strata = Stratum::of(question);
        let known = strata.iter().filter_map(|stratum| self.weights.get(stratum));
        logistic(self.bias + known.sum::<f64>())
    }

    /// How much asking this question is expected to teach: four times the variance of the answer, 1 where half of such questions
    /// are solved, 0.84 at 30 and 70 %, next to nothing for what is known and for what is out of reach (learnability, Rutherford et
    /// al. 2024, arXiv 2408.15099).
    pub fn learnability(&self, question: &Row) -> f64 {
        let chance = self.expect(question);
        4.0 * chance * (1.0 - chance)
    }
}

fn logistic(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_pipeline::Maker;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// A pupil whose chance falls with every connective, and most with ↔.
    fn chance(row: &Row) -> f64 {
        let count = |c: char| row.formula.matches(c).count() as f64;
        logistic(3.0 - 0.7 * row.atoms.len() as f64 - 2.0 * count('↔') - 0.5 * count('¬'))
    }

    #[test]
    fn what_is_expected_of_new_questions_is_what_comes() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let maker = Maker::new(1);
        let rows: Vec<Row> = (0..2000).map(|n| maker.row(n)).collect();
        let right: Vec<bool> = rows.iter().map(|row| rng.random_bool(chance(row))).collect();
        let difficulty = Difficulty::of(&GapMap::of(rows.iter().zip(right).take(1000)));
        let mut groups: [(f64, f64, f64); 5] = Default::default();
        let mut error = 0.0;
        for row in &rows[1000..] {
            let expected = difficulty.expect(row);
            error += (expected - chance(row)).abs() / 1000.0;
            let group = &mut groups[((expected * 5.0) as usize).min(4)];
            *group = (group.0 + 1.0, group.1 + expected, group.2 + chance(row));
        }
        assert!(error < 0.1, "{error}");
        for (n, expected, true_share) in groups.into_iter().filter(|(n, ..)| *n > 50.0) {
            assert!((expected - true_share).abs() / n < 0.1, "{groups:?}");
        }
    }

    #[test]
    fn nothing_judged_expects_a_half_and_all_right_no_certainty() {
        let row = Maker::new(1).row(0);
        assert!((Difficulty::of(&GapMap::default()).expect(&row) - 0.5).abs() < 1e-9);
        let all = GapMap::of((0..50).map(|_| (&row, true)));
        let chance = Difficulty::of(&all).expect(&row);
        assert!(chance > 0.9 && chance < 1.0, "{chance}");
    }
}
