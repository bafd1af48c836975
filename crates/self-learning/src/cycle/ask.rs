//! Asking about the gap, and making rows for what failed.

use std::collections::HashSet;

use data_pipeline::Row;
use serde::{Deserialize, Serialize};

use super::{Cycle, Watch};
use crate::journal::Journal;
use crate::{Answered, Error, GapMap, Judge, Learner, Proposer, Result, StopReason};

/// Times a proposer is asked again when its questions are known already.
const PATIENCE: u64 = 5;

/// What was asked.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Asked {
    pub questions: Vec<Row>,
    /// Questions proposed that were known or must not be asked.
    pub dropped: usize,
}

impl<L: Learner, P: Proposer, J: Judge> Cycle<L, P, J> {
    /// New questions about the gap, as many as the budget gives.
    pub(super) fn ask(
        &mut self,
        journal: &Journal,
        number: u64,
        gaps: &GapMap,
    ) -> Result<Result<Asked, StopReason>> {
        if let Some(asked) = journal.made("asked")? {
            return Ok(Ok(asked));
        }
        let granted = self.budget.take(self.settings.questions, &format!("round {number}"))?;
        if granted.questions == 0 {
            let stop = granted.wait.map_or(StopReason::BudgetSpent, |wait| StopReason::Limit { wait });
            return Ok(Err(stop));
        }
        let seed = self.seed(number);
        let mut asked = Asked::default();
        for turn in 0..PATIENCE {
            let wanted = granted.questions - asked.questions.len();
            if wanted == 0 {
                break;
            }
            let proposed = self
                .proposer
                .propose(gaps, wanted, seed.wrapping_add(turn))
                .map_err(|error| Error::Proposer(error.into()))?;
            let proposals = proposed.len();
            let room = proposed.into_iter().take(wanted);
            let admitted: Vec<Row> = room.filter(|question| self.novelty.admit(question)).collect();
            asked.dropped += proposals - admitted.len();
            asked.questions.extend(admitted);
        }
        if asked.questions.is_empty() {
            return Ok(Err(StopReason::NothingToAsk));
        }
        journal.once("asked", || Ok(asked)).map(Ok)
    }

    pub(super) fn answer_questions(
        &mut self,
        journal: &Journal,
        number: u64,
        questions: &[Row],
        watch: &mut Watch<'_>,
    ) -> Result<Vec<Answered>> {
        let drawn = self.drawn(self.settings.question_attempts, number);
        journal.once("answered", || {
            self.restore(&self.history.current())?;
            self.answer("questions", questions, drawn.as_ref(), watch)
        })
    }

    /// Rows to learn from: more of every kind of question that failed, most of those within reach.
    pub(super) fn examples(
        &mut self,
        journal: &Journal,
        number: u64,
        answered: &[Answered],
    ) -> Result<Vec<Row>> {
        let (few, many) = self.settings.examples;
        let seed = self.seed(number);
        self.review.add(answered)?;
        journal.once("examples", || {
            let mut rows = Vec::new();
            // Where a person had to decide first, the round that asked made nothing.
            let made: HashSet<&str> = self.made.iter().map(|row| row.input.as_str()).collect();
            rows.extend(self.review.kept().filter(|row| !made.contains(row.input.as_str())).cloned());
            let fails =
                |answered: &Answered| !answered.verdict.right && !self.review.withholds(&answered.question);
            for (n, failed) in (0..).zip(answered).filter(|(_, answered)| fails(answered)) {
                let within_reach = (0.3..=0.7).contains(&failed.pass_rate());
                let count = if within_reach { many } else { few };
                let made = self.proposer.examples(&failed.question, count, seed.wrapping_add(n));
                let made = made.map_err(|error| Error::Proposer(error.into()))?;
                rows.extend(made.into_iter().filter(|row| self.novelty.allows_pattern(&row.pattern)));
            }
            Ok(rows)
        })
    }

    /// Takes over what a round asked and made, before or just now.
    pub(super) fn remember(&mut self, journal: &Journal) -> Result<()> {
        let asked: Asked = journal.made("asked")?.unwrap_or_default();
        for question in &asked.questions {
            self.novelty.admit(question);
        }
        self.made.extend(journal.made::<Vec<Row>>("examples")?.unwrap_or_default());
        Ok(())
    }
}
