//! Learning from what failed, and beside it a control that only goes over what it knows.

use std::path::{Path, PathBuf};

use data_pipeline::Row;

use super::{Cycle, Event, Watch};
use crate::journal::Journal;
use crate::{Error, Judge, Learner, Lesson, Proposer, Result, Round, Start, mix};

/// What sets a candidate and its control apart.
struct Course<'a> {
    name: &'static str,
    new: &'a [Row],
    original_share: f64,
}

impl<L: Learner, P: Proposer, J: Judge> Cycle<L, P, J> {
    /// Trains the candidate and, if wanted, the control, from the same start for the same steps: folders of both.
    pub(super) fn teach(
        &mut self,
        journal: &Journal,
        number: u64,
        watch: &mut Watch<'_>,
    ) -> Result<(PathBuf, Option<PathBuf>)> {
        let new = self.made.clone();
        let candidate = Course { name: "candidate", new: &new, original_share: self.settings.original_share };
        let control = Course { name: "control", new: &[], original_share: 1.0 };
        let candidate = self.learn(journal, number, &candidate, watch)?;
        let control = match self.settings.control {
            true => Some(self.learn(journal, number, &control, watch)?),
            false => None,
        };
        Ok((candidate, control))
    }

    fn learn(
        &mut self,
        journal: &Journal,
        number: u64,
        course: &Course<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<PathBuf> {
        let lesson = Lesson { steps: self.settings.steps, seed: self.seed(number) };
        journal.once_folder(course.name, |folder| {
            watch(Event::Learning { what: course.name, steps: lesson.steps });
            let total = self.settings.lesson_rows;
            let rows = mix(course.new, self.material.original(), total, course.original_share, lesson.seed)?;
            self.restore(&self.start(number))?;
            let learned = self.learner.learn(&rows, &lesson);
            learned.and_then(|()| self.learner.save(folder)).map_err(|error| Error::Learner(error.into()))
        })
    }

    fn start(&self, number: u64) -> PathBuf {
        let previous: PathBuf = self.folder(number.saturating_sub(1)).join("candidate");
        match self.settings.start {
            Start::Base => self.history.base(),
            Start::Candidate if Path::exists(&previous) => previous,
            Start::Candidate | Start::Generator => self.history.current(),
        }
    }

    /// Steps that the candidate of this round trained since its line was last accepted.
    pub(super) fn steps_since_upgrade(&self, earlier: &[Round]) -> u64 {
        let refused = earlier.iter().rev().take_while(|round| !round.decision.accepted);
        match self.settings.start {
            Start::Candidate => refused.map(|round| round.steps).sum::<u64>() + self.settings.steps,
            Start::Generator | Start::Base => self.settings.steps,
        }
    }
}
