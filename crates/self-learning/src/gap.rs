//! Where the learner is weak: pass rates by stratum, each with its interval.

use std::collections::BTreeMap;
use std::fmt;

use data_pipeline::{Complexity, Row};
use serde::{Deserialize, Serialize};

/// A kind of question. A row belongs to several strata, at least one of every variant that applies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stratum {
    /// The formula holds this connective: `∧ ∨ ¬ → ↔`.
    Connective(char),
    /// The formula is this hard.
    Complexity(Complexity),
    /// The formula has this many atoms.
    Atoms(usize),
    /// A connective is said by this phrase, as in `→: si … entonces`.
    Phrase(String),
}

impl Stratum {
    /// All strata of a row.
    ///
    /// ```
    /// use self_learning::Stratum;
    /// let row: data_pipeline::Row = serde_json::from_str(
    ///     r#"{"input": "Si llueve, me mojo.", "formula": "p → q", "atoms": {"p": "llueve", "q": "me mojo"}}"#)?;
    /// assert!(Stratum::of(&row).contains(&Stratum::Connective('→')));
    /// assert!(Stratum::of(&row).contains(&Stratum::Atoms(2)));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn of(row: &Row) -> Vec<Stratum> {
        let mut strata: Vec<Stratum> = ['¬', '∧', '∨', '→', '↔']
            .into_iter()
            .filter(|&connective| row.formula.contains(connective))
            .map(Stratum::Connective)
            .collect();
        strata.push(Stratum::Complexity(row.complexity));
        strata.push(Stratum::Atoms(row.atoms.len()));
        strata.extend(
            row.connectors
                .iter()
                .map(|(connective, phrase)| Stratum::Phrase(format!("{connective}: {phrase}"))),
        );
        strata
    }
}

impl fmt::Display for Stratum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stratum::Connective(connective) => write!(f, "connective {connective}"),
            Stratum::Complexity(Complexity::Simple) => f.write_str("simple"),
            Stratum::Complexity(Complexity::Intermediate) => f.write_str("intermediate"),
            Stratum::Complexity(Complexity::Advanced) => f.write_str("advanced"),
            Stratum::Atoms(1) => f.write_str("1 atom"),
            Stratum::Atoms(n) => write!(f, "{n} atoms"),
            Stratum::Phrase(phrase) => write!(f, "phrase {phrase}"),
        }
    }
}

/// How many of a number of questions were answered right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Questions asked.
    pub asked: u64,
    /// Questions answered right.
    pub right: u64,
}

impl Tally {
    /// Counts one more answer.
    pub fn count(&mut self, right: bool) {
        self.asked += 1;
        self.right += u64::from(right);
    }

    /// Fraction answered right; 0 when nothing was asked.
    pub fn rate(&self) -> f64 {
        if self.asked == 0 { 0.0 } else { self.right as f64 / self.asked as f64 }
    }

    /// 95 % interval of the true rate after Wilson (1927): `(lower, upper)`, `(0, 1)` when nothing was asked.
    ///
    /// ```
    /// let (lower, upper) = self_learning::Tally { asked: 10, right: 5 }.interval();
    /// assert!((lower - 0.2366).abs() < 1e-4 && (upper - 0.7634).abs() < 1e-4);
    /// ```
    pub fn interval(&self) -> (f64, f64) {
        if self.asked == 0 {
            return (0.0, 1.0);
        }
        let z = 1.959_963_985;
        let n = self.asked as f64;
        let centre = (self.rate() + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half =
            z / (1.0 + z * z / n) * (self.rate() * (1.0 - self.rate()) / n + z * z / (4.0 * n * n)).sqrt();
        ((centre - half).max(0.0), (centre + half).min(1.0))
    }
}

/// Pass rates by stratum, and what they were counted from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GapMap {
    tallies: BTreeMap<Stratum, Tally>,
    overall: Tally,
    judged: Vec<(Vec<Stratum>, bool)>,
}

impl GapMap {
    /// The map of judged questions.
    pub fn of<'a>(judged: impl IntoIterator<Item = (&'a Row, bool)>) -> GapMap {
        let mut gaps = GapMap::default();
        for (question, right) in judged {
            gaps.count(question, right);
        }
        gaps
    }

    /// Counts one judged question in each of its strata.
    pub fn count(&mut self, question: &Row, right: bool) {
        self.overall.count(right);
        let strata = Stratum::of(question);
        for stratum in &strata {
            self.tallies.entry(stratum.clone()).or_default().count(right);
        }
        self.judged.push((strata, right));
    }

    /// Every question's strata, and whether it was answered right.
    pub(crate) fn judged(&self) -> &[(Vec<Stratum>, bool)] {
        &self.judged
    }

    /// All questions together.
    pub fn overall(&self) -> Tally {
        self.overall
    }

    /// Every stratum met, with its tally.
    pub fn strata(&self) -> impl Iterator<Item = (&Stratum, Tally)> {
        self.tallies.iter().map(|(stratum, &tally)| (stratum, tally))
    }

    /// The strata from weakest to strongest by the upper end of their interval, so that a stratum comes first only when
    /// it is surely weak, not when it is merely small.
    pub fn weakest(&self) -> Vec<(&Stratum, Tally)> {
        let mut strata: Vec<_> = self.strata().collect();
        strata.sort_by(|a, b| a.1.interval().1.total_cmp(&b.1.interval().1));
        strata
    }

    /// The stratum to ask about: the weakest of those solved in at least 30 %, since what is out of reach teaches little, that
    /// hold at most half of all questions, since what is nearly everything is no place. If there is none, the weakest.
    pub fn target(&self) -> Option<&Stratum> {
        let order = self.weakest();
        let a_place_within_reach =
            |tally: &Tally| tally.rate() >= 0.3 && 2 * tally.asked <= self.overall.asked;
        let found = order.iter().find(|(_, tally)| a_place_within_reach(tally));
        found.or(order.first()).map(|(stratum, _)| *stratum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_stratum_does_not_pass_for_a_weak_one() {
        let row = |formula: &str| Row { formula: formula.into(), ..Row::default() };
        let mut gaps = GapMap::default();
        gaps.count(&row("p ↔ q"), false);
        for n in 0..40 {
            gaps.count(&row("p ∨ q"), n < 10);
        }
        assert_eq!(gaps.overall(), Tally { asked: 41, right: 10 });
        let order: Vec<_> = gaps.weakest().into_iter().map(|(stratum, _)| stratum).collect();
        let place = |connective| order.iter().position(|s| **s == Stratum::Connective(connective));
        assert!(place('∨') < place('↔'));
    }
}
