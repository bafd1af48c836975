//! Signs of collapse: fewer kinds of answers, and fewer questions that any of many attempts solves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Verdict;

/// How varied a model's attempts are, from several at each question of one set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diversity {
    /// Share of questions that at least one attempt solved: pass@k for k attempts.
    pub pass_at_k: f64,
    /// Entropy of the kinds of answers over all attempts, in bits.
    pub kind_entropy: f64,
}

impl Diversity {
    /// Measures verdicts, one list per question.
    pub fn of<'a>(verdicts: impl IntoIterator<Item = &'a [Verdict]>) -> Diversity {
        let (mut solved, mut asked) = (0u32, 0u32);
        let mut kinds: BTreeMap<&str, f64> = BTreeMap::new();
        for attempts in verdicts {
            asked += 1;
            solved += u32::from(attempts.iter().any(|verdict| verdict.right));
            for verdict in attempts {
                *kinds.entry(&verdict.kind).or_default() += 1.0;
            }
        }
        let total: f64 = kinds.values().sum();
        let entropy: f64 = kinds.values().map(|n| -(n / total) * (n / total).log2()).sum();
        Diversity { pass_at_k: f64::from(solved) / f64::from(asked.max(1)), kind_entropy: entropy.max(0.0) }
    }

    /// What has fallen below nine tenths of what it was at the start, if anything has.
    ///
    /// ```
    /// use self_learning::Diversity;
    /// let start = Diversity { pass_at_k: 0.9, kind_entropy: 5.0 };
    /// assert!(Diversity { pass_at_k: 0.88, kind_entropy: 4.6 }.collapse_since(&start).is_none());
    /// assert_eq!(Diversity { pass_at_k: 0.95, kind_entropy: 4.4 }.collapse_since(&start).unwrap().measure, "kind entropy");
    /// ```
    pub fn collapse_since(&self, start: &Diversity) -> Option<Collapse> {
        let measures = [
            ("pass@k", start.pass_at_k, self.pass_at_k),
            ("kind entropy", start.kind_entropy, self.kind_entropy),
        ];
        measures.into_iter().find(|(_, was, is)| *is < 0.9 * was).map(|(measure, was, is)| Collapse {
            measure: measure.to_owned(),
            was,
            is,
        })
    }
}

/// A measure of diversity that fell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Collapse {
    /// Which: `pass@k` or `kind entropy`.
    pub measure: String,
    /// At the start of the loop.
    pub was: f64,
    /// Now.
    pub is: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_kinds_and_solved_questions() {
        let answer = |kind: &str, right| Verdict { kind: kind.into(), right, ..Verdict::right() };
        let first = [answer("p", true), answer("p ∧ q", false)];
        let second = [answer("p", false), answer("p ∧ q", false)];
        let diversity = Diversity::of([first.as_slice(), second.as_slice()]);
        assert_eq!(diversity, Diversity { pass_at_k: 0.5, kind_entropy: 1.0 });
        assert_eq!(Diversity::of([]).kind_entropy, 0.0);
    }
}
