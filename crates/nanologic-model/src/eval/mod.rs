//! How good a model's answers are, judged by truth tables.
//!
//! ```
//! use data_pipeline::{Row, format::Pointing};
//! use nanologic_model::eval::Report;
//!
//! let gold: Row = serde_json::from_str(
//!     r#"{"input": "Si llueve, me mojo", "formula": "p → q", "atoms": {"p": "llueve", "q": "me mojo"}}"#,
//! )?;
//! let answer = Pointing::read(&gold.input, "∨¬ p q<|atoms|><1><1>;<3><4>")?;
//! let report = Report::new([(&gold, Some(&answer))]);
//! assert_eq!(report.all.equivalent.right, 1);
//! assert_eq!(report.all.exact.right, 0);
//! println!("{report}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calibration;
mod confusion;
mod print;
mod proportion;
mod together;

use std::collections::BTreeMap;

use data_pipeline::format::Answer;
use data_pipeline::{Complexity, Row};
use logic_parser::score::{Glossed, compare};
use logic_parser::{Formula, Node};
use serde::{Deserialize, Serialize};

pub use calibration::{Bin, Calibration};
pub use confusion::Confusion;
pub use proportion::Proportion;
pub use together::Together;

/// What a set of answers came to, as a whole and by every side of the questions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// All questions.
    pub all: Scores,
    /// By the complexity that the row states.
    pub complexity: BTreeMap<String, Scores>,
    /// By each connective that the gold formula uses; a question counts once for each.
    pub connective: BTreeMap<String, Scores>,
    /// By the number of different atoms in the gold formula.
    pub atoms: BTreeMap<String, Scores>,
    /// By the number of words in the sentence.
    pub length: BTreeMap<String, Scores>,
    /// By the block that the row states.
    pub block: BTreeMap<String, Scores>,
    /// Which connective was taken for which.
    pub confusion: Confusion,
    /// Equivalent answers by how sure the model was; empty where the answers came without a confidence.
    #[serde(default)]
    pub calibration: Calibration,
    /// Rows whose own formula does not parse; they count nowhere else.
    pub unusable: usize,
}

/// Scores of a group of questions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// The same formula, its atoms aligned by their glossaries.
    pub exact: Proportion,
    /// The same truth table, its atoms aligned by their glossaries.
    pub equivalent: Proportion,
    /// Equivalent, and the glossaries say the same.
    pub with_glossary: Proportion,
    /// The same connective at the root.
    pub root: Proportion,
    /// Answers that could be read.
    pub parsed: Proportion,
    /// Mean partial credit, 0 to 1; what could not be read earns nothing.
    pub partial_credit: f64,
}

impl Report {
    /// Judges answers; `None` is an answer that could not be read.
    pub fn new<'a>(answers: impl IntoIterator<Item = (&'a Row, Option<&'a Answer>)>) -> Report {
        let unsure = answers.into_iter().map(|(row, answer)| (row, answer.map(|answer| (answer, None))));
        Report::judge(unsure)
    }

    /// Judges answers with how sure the model was of each, from 0 to 1.
    pub fn with_confidence<'a>(
        answers: impl IntoIterator<Item = (&'a Row, Option<(&'a Answer, f64)>)>,
    ) -> Report {
        let sure = |(answer, confidence)| (answer, Some(confidence));
        Report::judge(answers.into_iter().map(|(row, answer)| (row, answer.map(sure))))
    }

    fn judge<'a>(answers: impl Iterator<Item = (&'a Row, Option<(&'a Answer, Option<f64>)>)>) -> Report {
        let mut report = Report::default();
        for (row, answer) in answers {
            match row.formula.parse() {
                Ok(gold) => report.add(row, &gold, answer),
                Err(_) => report.unusable += 1,
            }
        }
        report
    }

    fn add(&mut self, row: &Row, gold: &Formula, answer: Option<(&Answer, Option<f64>)>) {
        let confidence = answer.and_then(|(_, confidence)| confidence);
        let answer = answer.map(|(answer, _)| answer);
        let outcome = Outcome::new(row, gold, answer);
        if let Some(confidence) = confidence {
            self.calibration.add(confidence, outcome.equivalent);
        }
        self.all.add(&outcome);
        let group = |groups: &mut BTreeMap<String, Scores>, key: &str| {
            groups.entry(key.to_owned()).or_default().add(&outcome);
        };
        let complexity = match row.complexity {
            Complexity::Simple => "simple",
            Complexity::Intermediate => "intermediate",
            Complexity::Advanced => "advanced",
        };
        group(&mut self.complexity, complexity);
        group(&mut self.atoms, &gold.atom_count().to_string());
        group(&mut self.length, length_class(data_pipeline::words(&row.input).len()));
        if !row.block.is_empty() {
            group(&mut self.block, &row.block);
        }
        let mut used: Vec<char> = gold.nodes().iter().filter_map(|node| symbol(*node)).collect();
        used.sort_unstable();
        used.dedup();
        for symbol in used {
            group(&mut self.connective, &symbol.to_string());
        }
        if let Some(answer) = answer {
            self.confusion.add(gold, &answer.formula);
        }
    }
}

/// One answer, judged.
struct Outcome {
    parsed: bool,
    exact: bool,
    equivalent: bool,
    with_glossary: bool,
    root: bool,
    credit: f64,
}

impl Outcome {
    fn new(row: &Row, gold: &Formula, answer: Option<&Answer>) -> Outcome {
        let Some(answer) = answer else {
            let no = false;
            return Outcome {
                parsed: no,
                exact: no,
                equivalent: no,
                with_glossary: no,
                root: no,
                credit: 0.0,
            };
        };
        let gold = Glossed { formula: gold, atoms: &row.atoms };
        let score = compare(&gold, &Glossed { formula: &answer.formula, atoms: &answer.atoms });
        Outcome {
            parsed: true,
            exact: score.exact,
            equivalent: score.equivalent,
            with_glossary: score.equivalent && score.glossary,
            root: score.levels.root,
            credit: score.partial_credit,
        }
    }
}

impl Scores {
    fn add(&mut self, outcome: &Outcome) {
        let before = self.parsed.of as f64;
        self.partial_credit = (self.partial_credit * before + outcome.credit) / (before + 1.0);
        self.exact.add(outcome.exact);
        self.equivalent.add(outcome.equivalent);
        self.with_glossary.add(outcome.with_glossary);
        self.root.add(outcome.root);
        self.parsed.add(outcome.parsed);
    }
}

fn length_class(words: usize) -> &'static str {
    match words {
        0..=8 => "1-8",
        9..=12 => "9-12",
        13..=20 => "13-20",
        _ => "21 and more",
    }
}

/// The symbol of a node that is a connective.
fn symbol(node: Node) -> Option<char> {
    match node {
        Node::Not => Some('¬'),
        Node::Binary(connective) => Some(connective.symbol()),
        Node::Atom(_) | Node::Top | Node::Bottom => None,
    }
}

#[cfg(test)]
mod tests {
    use data_pipeline::format::Pointing;

    use super::*;

    fn row(formula: &str) -> Row {
        let json = serde_json::json!({
            "input": "Si llueve, me mojo", "formula": formula, "block": "causal",
            "atoms": {"p": "llueve", "q": "me mojo"}
        });
        serde_json::from_value(json).unwrap()
    }

    fn answer(text: &str) -> Answer {
        Pointing::read("Si llueve, me mojo", text).unwrap()
    }

    #[test]
    fn right_wrong_and_unreadable_are_counted_apart() {
        let gold = row("p → q");
        let right = answer("→ p q<|atoms|><1><1>;<3><4>");
        let swapped = answer("→ p q<|atoms|><3><4>;<1><1>");
        let same = answer("→¬ p¬ q<|atoms|><3><4>;<1><1>");
        let answers = [Some(&right), Some(&swapped), Some(&same), None];
        let report = Report::new(answers.into_iter().map(|answer| (&gold, answer)));
        assert_eq!((report.all.exact.right, report.all.equivalent.right), (1, 2));
        assert_eq!((report.all.parsed.right, report.all.parsed.of), (3, 4));
        assert_eq!(report.connective["→"], report.all);
        assert_eq!(report.block["causal"], report.all);
        assert!(report.all.partial_credit > 0.5 && report.all.partial_credit < 0.75);
    }

    #[test]
    fn a_connective_taken_for_another_is_seen() {
        let gold = row("¬(p ∧ q) → q");
        let wrong = answer("→¬∨ p q q<|atoms|><1><1>;<3><4>");
        let report = Report::new([(&gold, Some(&wrong))]);
        assert_eq!(report.confusion.count('∧', '∨'), 1);
        assert_eq!(report.confusion.count('→', '→'), 1);
        assert_eq!(report.confusion.count('¬', '¬'), 1);
        assert_eq!(report.confusion.count('∧', '∧'), 0);
    }

    #[test]
    fn the_report_survives_json_and_prints() {
        let gold = row("p → q");
        let right = answer("→ p q<|atoms|><1><1>;<3><4>");
        let report = Report::new([(&gold, Some(&right))]);
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
        assert!(report.to_string().contains("equivalent"));
    }

    #[test]
    fn confidence_is_held_against_truth() {
        let gold = row("p → q");
        let right = answer("→ p q<|atoms|><1><1>;<3><4>");
        let swapped = answer("→ p q<|atoms|><3><4>;<1><1>");
        let report = Report::with_confidence([
            (&gold, Some((&right, 0.9))),
            (&gold, Some((&swapped, 0.6))),
            (&gold, None),
        ]);
        assert!((report.calibration.expected_error() - 0.35).abs() < 1e-12);
        assert!(report.to_string().contains("calibration error 0.350"), "{report}");
        assert_eq!(
            Report { calibration: Calibration::default(), ..report.clone() },
            Report::new([(&gold, Some(&right)), (&gold, Some(&swapped)), (&gold, None),])
        );
    }

    #[test]
    fn a_broken_gold_row_counts_nowhere() {
        let report = Report::new([(&row("p →"), None)]);
        assert_eq!((report.unusable, report.all.parsed.of), (1, 0));
    }
}
