//! Examining before and after, and keeping only what is better.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use data_pipeline::{Row, write_rows};
use serde::Serialize;

use super::{Cycle, Watch};
use crate::disk::{append_json, at, create_folder, files};
use crate::journal::Journal;
use crate::{Answered, Item, Judge, Learner, Proposer, Result, Round, Start, Stratum, Verdict};

/// The same questions to the generator, the candidate and the control.
pub(super) struct Exam {
    questions: Vec<Row>,
    pub before: Vec<Verdict>,
    pub after: Vec<Verdict>,
    pub control: Option<Vec<Verdict>>,
}

impl Exam {
    /// The candidate beside another.
    pub(super) fn against(&self, other: &[Verdict]) -> Vec<Item> {
        let pairs = self.questions.iter().zip(other).zip(&self.after);
        pairs
            .map(|((question, before), after)| Item {
                pattern: question.pattern.clone(),
                strata: Stratum::of(question),
                before: before.clone(),
                after: after.clone(),
            })
            .collect()
    }
}

/// A question as the daily file has it.
#[derive(Serialize)]
struct QuestionAndAnswer<'a> {
    round: u64,
    question: &'a str,
    expected: &'a str,
    answer: &'a str,
    confidence: f64,
    right: bool,
    reason: &'a str,
}

impl<L: Learner, P: Proposer, J: Judge> Cycle<L, P, J> {
    pub(super) fn examine(
        &mut self,
        journal: &Journal,
        number: u64,
        candidate: &Path,
        control: Option<&Path>,
        watch: &mut Watch<'_>,
    ) -> Result<Exam> {
        let questions = self.material.draw_gate(self.settings.gate_items, self.seed(number));
        let mut sit = |what: &'static str, folder: &Path| {
            journal.once(&what.replace(' ', "_"), || {
                self.restore(folder)?;
                let answered = self.answer(what, &questions, None, watch)?;
                Ok(answered.into_iter().map(|answered| answered.verdict).collect())
            })
        };
        let after = sit("gate after", candidate)?;
        let control = control.map(|folder| sit("gate control", folder)).transpose()?;
        let current = self.history.current();
        let before = journal.once("gate_before", || {
            self.restore(&current)?;
            let answered = self.answer("gate before", &questions, None, watch)?;
            Ok(answered.into_iter().map(|answered| answered.verdict).collect())
        })?;
        Ok(Exam { questions, before, after, control })
    }

    /// Upgrades or refuses. A history that has seen this round already is left alone.
    pub(super) fn keep(&mut self, round: &Round, candidate: &Path) -> Result<()> {
        if self.history.state().current_epoch >= round.number {
            return Ok(());
        }
        if round.decision.accepted {
            self.history.upgrade(&round.decision, |folder| copy_files(candidate, folder)).map(|_| ())
        } else {
            self.history.refuse(&round.decision)
        }
    }

    /// Files for people, under the documents' names. After a kill in here a log may hold a round twice.
    pub(super) fn publish(&self, round: &Round, answered: &[Answered], new_rows: &[Row]) -> Result<()> {
        let datasets = self.root.join("datasets/auto_generated");
        let log = self.root.join("self_questioning");
        create_folder(&datasets)?;
        create_folder(&log)?;
        let dataset = datasets.join(format!("round_{}.jsonl", round.number));
        write_rows(&dataset, new_rows).map_err(at(&dataset))?;
        let today = log.join(format!("qa_{}.jsonl", date()));
        for answered in answered {
            append_json(
                &today,
                &QuestionAndAnswer {
                    round: round.number,
                    question: &answered.question.input,
                    expected: &answered.question.formula,
                    answer: &answered.answer,
                    confidence: answered.confidence,
                    right: answered.verdict.right,
                    reason: &answered.verdict.reason,
                },
            )?;
        }
        append_json(&log.join("activity_log.json"), round)
    }

    /// The round is over: its record is written, and weights that nothing goes on from are removed.
    pub(super) fn close(&self, journal: &Journal, round: &Round) -> Result<()> {
        journal.once("round", || Ok(round.clone()))?;
        journal.drop_folder("control")?;
        let outdated = match self.settings.start {
            Start::Candidate if round.number == 1 => return Ok(()),
            Start::Candidate => round.number - 1,
            Start::Generator | Start::Base => round.number,
        };
        Journal::open(self.folder(outdated))?.drop_folder("candidate")
    }
}

/// Copies the files of a folder into another, which exists.
fn copy_files(from: &Path, to: &Path) -> Result<()> {
    for file in files(from)? {
        let copy = to.join(file.strip_prefix(from).unwrap_or(&file));
        create_folder(copy.parent().unwrap_or(to))?;
        fs::copy(&file, &copy).map_err(at(&copy))?;
    }
    Ok(())
}

/// Today in UTC as `YYYYMMDD`.
fn date() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let days = since.unwrap_or(Duration::ZERO).as_secs() / 86_400;
    let (year, month, day) = civil(days as i64);
    format!("{year:04}{month:02}{day:02}")
}

/// Year, month and day of a day counted from 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = year_of_era + era * 400 + i64::from(month >= 10);
    (year, if month < 10 { month + 3 } else { month - 9 }, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_777), (2026, 11, 20));
    }
}
