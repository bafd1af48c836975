//! What one round of the loop did, and why the loop ended.

use std::time::Duration;

use data_pipeline::Row;
use serde::{Deserialize, Serialize};

use crate::{Collapse, Comparison, Decision, Diversity, Scores, Stratum, Tally, Verdict};

/// One question with the learner's answer to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// The question, with its label.
    pub question: Row,
    /// The likeliest answer, as text.
    pub answer: String,
    /// Its confidence, from 0 to 1.
    pub confidence: f64,
    /// What the judge says of it.
    pub verdict: Verdict,
    /// What the judge says of attempts drawn at a temperature; empty when none were drawn.
    pub attempts: Vec<Verdict>,
    /// Semantic entropy of those attempts, in bits.
    pub entropy: f64,
}

impl Answered {
    /// Share of the drawn attempts that are right.
    pub fn pass_rate(&self) -> f64 {
        let right = self.attempts.iter().filter(|verdict| verdict.right).count();
        right as f64 / self.attempts.len().max(1) as f64
    }
}

/// How well a signal that needs no label foretells a wrong answer, on held-out questions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// AUROC of exact semantic entropy; none when all were right or all wrong.
    pub entropy: Option<f64>,
    /// AUROC of the documents' rules for free text on the same answers.
    pub rules: Option<f64>,
    /// Questions it was measured on.
    pub asked: usize,
    /// Those answered wrong.
    pub failed: usize,
}

/// One round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Its number, from 1.
    pub number: u64,
    /// The generator it began with.
    pub generator: u32,
    /// Held-out questions answered by it, by stratum.
    pub gaps: Vec<(Stratum, Tally)>,
    /// The stratum that the questions aimed at.
    pub weakest: Stratum,
    /// How well doubt foretold failure.
    pub signal: Signal,
    /// How varied its attempts were.
    pub diversity: Diversity,
    /// Questions asked, and those answered right.
    pub asked: Tally,
    /// Questions dropped because they were known or had a pattern that examines.
    pub dropped: usize,
    /// Rows made for the questions that failed.
    pub new_rows: usize,
    /// Optimizer steps taken.
    pub steps: u64,
    /// What the gate decided.
    pub decision: Decision,
    /// Scores of the control: the same steps from the same start on replayed rows only.
    pub control: Option<Scores>,
    /// The candidate against the control, with a 95 % interval.
    pub over_control: Option<Comparison>,
}

/// Why a loop ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// All rounds asked for are done.
    Done,
    /// The proposer has no new question.
    NothingToAsk,
    /// Every question was answered right: nothing to learn from.
    NothingFailed,
    /// The limits of self-questioning say to wait.
    Limit {
        /// Until the next question.
        wait: Duration,
    },
    /// The experiment's questions are used up.
    BudgetSpent,
    /// The generator shows a sign of collapse.
    Collapse(Collapse),
}

/// All rounds of a loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// In order.
    pub rounds: Vec<Round>,
    /// Why there are no more.
    pub stop: StopReason,
}

/// Counts over all rounds, under the documents' names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Questions answered wrong.
    pub total_gaps_detected: usize,
    /// Rounds that made rows.
    pub total_datasets_generated: usize,
    /// Rows made.
    pub total_examples_generated: usize,
}

impl Report {
    /// The documents' counts.
    pub fn stats(&self) -> Stats {
        self.rounds.iter().fold(Stats::default(), |sum, round| Stats {
            total_gaps_detected: sum.total_gaps_detected + (round.asked.asked - round.asked.right) as usize,
            total_datasets_generated: sum.total_datasets_generated + usize::from(round.new_rows > 0),
            total_examples_generated: sum.total_examples_generated + round.new_rows,
        })
    }
}
