//! What a model and a program of rules are worth together.

use std::fmt;

use data_pipeline::Row;
use data_pipeline::format::Answer;
use serde::{Deserialize, Serialize};

use super::{Proportion, Report};
use crate::Opinion;

/// Two readers' answers to the same questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Together {
    /// Questions that both answer alike.
    pub agree: Proportion,
    /// Of these, answers equivalent to gold.
    pub right_where_they_agree: Proportion,
    /// Of all, answers equivalent to gold where the rules have the last word: the model's only where they have none. No
    /// bound on the model's confidence did better on sentences held out from training.
    pub combined: Proportion,
}

impl Together {
    /// Judges the answers to one question, the model's and the rules'.
    pub fn add(&mut self, row: &Row, model: Option<&Answer>, rules: Option<&Answer>) {
        let right = |answer: Option<&Answer>| Report::new([(row, answer)]).all.equivalent.right == 1;
        let agree = model.zip(rules).is_some_and(|(model, rules)| Opinion::of(model, rules).agrees());
        self.agree.add(agree);
        if agree {
            self.right_where_they_agree.add(right(model));
        }
        self.combined.add(right(rules.or(model)));
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
    fn the_rules_have_the_last_word() {
        let row: Row = serde_json::from_str(
            r#"{"input": "Si llueve, me mojo", "formula": "p → q", "atoms": {"p": "llueve", "q": "me mojo"}}"#,
        )
        .unwrap();
        let read = |text| Pointing::read("Si llueve, me mojo", text).unwrap();
        let right = read("→ p q<|atoms|><1><1>;<3><4>");
        let wrong = read("→ p q<|atoms|><3><4>;<1><1>");
        let mut together = Together::default();
        together.add(&row, Some(&right), Some(&right));
        together.add(&row, Some(&wrong), Some(&right));
        together.add(&row, Some(&right), Some(&wrong));
        together.add(&row, Some(&right), None);
        together.add(&row, None, None);
        assert_eq!((together.agree.right, together.right_where_they_agree.right), (1, 1));
        assert_eq!((together.combined.right, together.combined.of), (3, 5));
    }
}
