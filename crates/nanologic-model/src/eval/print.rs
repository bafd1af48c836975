//! The report as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Calibration, Confusion, Report, Scores};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<16}{:>6}  equivalent (95 %)     exact  glossary  root  credit  parsed", "", "n")?;
        line(f, "all", &self.all)?;
        let groups: [(&str, &BTreeMap<String, Scores>); 5] = [
            ("complexity", &self.complexity),
            ("connective", &self.connective),
            ("atoms", &self.atoms),
            ("words", &self.length),
            ("block", &self.block),
        ];
        for (title, group) in groups.into_iter().filter(|(_, group)| !group.is_empty()) {
            writeln!(f, "{title}")?;
            group.iter().try_for_each(|(name, scores)| line(f, &format!("  {name}"), scores))?;
        }
        if self.unusable > 0 {
            writeln!(f, "{} rows have a formula that does not parse and were left out", self.unusable)?;
        }
        self.confusion.fmt(f)?;
        self.calibration.fmt(f)
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, scores: &Scores) -> fmt::Result {
    let (low, high) = scores.equivalent.interval();
    writeln!(
        f,
        "{name:<16}{:>6}  {:>5.1} % ({:>5.1}–{:>5.1})  {:>5.1}     {:>5.1} {:>5.1}   {:>5.1}   {:>5.1}",
        scores.parsed.of,
        100.0 * scores.equivalent.share(),
        100.0 * low,
        100.0 * high,
        100.0 * scores.exact.share(),
        100.0 * scores.with_glossary.share(),
        100.0 * scores.root.share(),
        100.0 * scores.partial_credit,
        100.0 * scores.parsed.share(),
    )
}

impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers: BTreeSet<&String> = self.0.values().flat_map(BTreeMap::keys).collect();
        write!(f, "gold \\ answer")?;
        answers.iter().try_for_each(|answer| write!(f, "{answer:>7}"))?;
        writeln!(f)?;
        for (gold, row) in &self.0 {
            write!(f, "  {gold:<11}")?;
            answers.iter().try_for_each(|answer| write!(f, "{:>7}", row.get(*answer).unwrap_or(&0)))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Calibration {
    /// Nothing where there is no answer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bins.is_empty() {
            return Ok(());
        }
        writeln!(f, "expected calibration error {:.3}", self.expected_error())?;
        for bin in self.bins.iter().filter(|bin| bin.right.of > 0) {
            let (sure, right) = (100.0 * bin.confidence, 100.0 * bin.right.share());
            writeln!(f, "  {:>6} answers {sure:>5.1} % sure, {right:>5.1} % right", bin.right.of)?;
        }
        Ok(())
    }
}
