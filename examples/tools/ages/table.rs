//! The ages side by side.

use serde::{Deserialize, Serialize};
use thau_growth::{Record, Trigger};

use crate::schooling::Examination;

/// What one age came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AgeReport {
    pub years: u8,
    pub name: String,
    pub parameters: usize,
    pub steps: u64,
    /// Tokens seen at this age, without padding.
    pub tokens: u64,
    /// Sequences seen at this age, by their mean length.
    pub examples: u64,
    /// Floating-point operations of its training.
    pub flops: f64,
    /// Over all sittings.
    pub seconds: f64,
    /// Mean training loss of the last hundred steps, in nats a scored token.
    pub loss: f64,
    /// Right after it was born or grown.
    pub first: Examination,
    /// The highest validation loss of any examination, in nats a scored token.
    pub worst_loss: f64,
    pub last: Examination,
    /// What its cognitive stage asks for, and whether it got there.
    pub criteria: Trigger,
    pub ripe: bool,
    /// What ended it.
    pub ended: Trigger,
    /// The growth that it began with.
    pub growth: Option<Record>,
}

pub fn print(reports: &[AgeReport]) -> String {
    let mut text = format!(
        "{:<16}{:>8}{:>6}{:>7}{:>8}{:>7}{:>10}{:>7}{:>8}{:>17}{:>10}{:>19}{:>6}  {:<22}{:>9}{:>9}\n",
        "age",
        "M par.",
        "×",
        "steps",
        "M tok.",
        "tok/p",
        "FLOPs",
        "min",
        "train",
        "validation",
        "perpl.",
        "right % (95 %)",
        "ripe",
        "ended by",
        "Δ f64",
        "Δ f32"
    );
    let mut before: Option<usize> = None;
    for report in reports {
        let factor =
            before.map_or(String::new(), |before| format!("{:.2}", report.parameters as f64 / before as f64));
        before = Some(report.parameters);
        let right = report.last.right;
        let right = match right.of {
            0 => "-".to_owned(),
            _ => {
                let (low, high) = right.interval();
                format!("{:.1} ({:.1}-{:.1})", 100.0 * right.share(), 100.0 * low, 100.0 * high)
            }
        };
        let delta = |f: fn(&thau_growth::Proof) -> f64| match &report.growth {
            None => String::new(),
            Some(record) => record.proof.as_ref().map_or("-".to_owned(), |proof| format!("{:.0e}", f(proof))),
        };
        text += &format!(
            "{:<16}{:>8.2}{factor:>6}{:>7}{:>8.2}{:>7.2}{:>10.1e}{:>7.1}{:>8.4}{:>17}{:>10.2}{right:>19}{:>6}  {:<22}{:>9}{:>9}\n",
            format!("{} {}", report.years, report.name),
            report.parameters as f64 / 1e6,
            report.steps,
            report.tokens as f64 / 1e6,
            report.tokens as f64 / report.parameters as f64,
            report.flops,
            report.seconds / 60.0,
            report.loss,
            format!("{:.4} → {:.4}", report.first.loss, report.last.loss),
            report.last.perplexity,
            if report.ripe { "yes" } else { "no" },
            why(&report.ended),
            delta(|proof| proof.max_logit_delta_f64),
            delta(|proof| proof.max_logit_delta_f32),
        );
    }
    text + "validation: nats a scored token, right after birth or growth → at the end of the age\n"
}

fn why(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Steps(_) => "steps".to_owned(),
        Trigger::TokensPerParameter(ratio) => format!("{ratio} tokens a parameter"),
        Trigger::Flat { window, .. } => format!("flat over {window} steps"),
        Trigger::Criteria { accuracy, .. } => format!("{:.0} % right", 100.0 * accuracy),
    }
}
