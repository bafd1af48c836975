//! What a model and a program of rules are worth together.

use std::fmt;

use data_pipeline::Row;
use data_pipeline::format::Answer;
use serde::{Deserialize, Serialize};

use super::{Proportion, Report};
use crate::{Opinion, believe_model};

/// Two readers' answers to the same questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Together {
    /// Questions that both answer alike.
    pub agree: Proportion,
    /// Of these, answers equivalent to gold.
    pub right_where_they_agree: Proportion,
    /// Of all, answers equivalent to gold when [`believe_model`] says whose to take.
    pub combined: Proportion,
}

impl Together {
    /// Judges the answers to one question: the model's with the probability of its formula, and the rules' with how odd
    /// they find the sentence.
    pub fn add(&mut self, row: &Row, model: Option<(&Answer, f64)>, rules: Option<(&Answer, f32)>) {
        let right = |answer| Report::new([(row, Some(answer))]).all.equivalent.right == 1;
        let (agree, taken) = match (model, rules) {
            (Some((model, probability)), Some((rules, oddness))) => {
                let taken = if believe_model(oddness, probability) { model } else { rules };
                (Opinion::of(model, rules).agrees(), Some(taken))
            }
            (model, rules) => (false, model.map(|read| read.0).or(rules.map(|read| read.0))),
        };
        self.agree.add(agree);
        let right = taken.is_some_and(right);
        if agree {
            self.right_where_they_agree.add(right);
        }
        self.combined.add(right);
    }
}

impl fmt::Display for Together {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Together { agree, right_where_they_agree, combined } = self;
        for (name, share) in [
            ("they agree", agree),
            ("right where they agree", right_where_they_agree),
            ("combined", combined),
        ] {
            let (low, high) = share.interval();
            let [at, low, high] = [share.share(), low, high].map(|x| 100.0 * x);
            writeln!(
                f,
                "{name:<24}{:>5} of {:<5}{at:>6.1} % ({low:>5.1}–{high:>5.1})",
                share.right, share.of
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use data_pipeline::format::Pointing;

    use super::*;

    #[test]
    fn the_rules_are_believed_unless_they_find_the_sentence_odd() {
        let row: Row = serde_json::from_str(
            r#"{"input": "Si llueve, me mojo", "formula": "p → q", "atoms": {"p": "llueve", "q": "me mojo"}}"#,
        )
        .unwrap();
        let read = |text| Pointing::read("Si llueve, me mojo", text).unwrap();
        let right = read("→ p q<|atoms|><1><1>;<3><4>");
        let wrong = read("→ p q<|atoms|><3><4>;<1><1>");
        let mut together = Together::default();
        together.add(&row, Some((&right, 0.9)), Some((&right, 0.0)));
        together.add(&row, Some((&wrong, 0.9)), Some((&right, 0.0)));
        together.add(&row, Some((&right, 0.9)), Some((&wrong, 0.0)));
        together.add(&row, Some((&right, 0.9)), Some((&wrong, 3.0)));
        together.add(&row, Some((&right, 0.2)), Some((&wrong, 3.0)));
        together.add(&row, Some((&right, 0.2)), None);
        together.add(&row, None, None);
        assert_eq!((together.agree.right, together.right_where_they_agree.right), (1, 1));
        assert_eq!((together.combined.right, together.combined.of), (4, 7));
    }
}
