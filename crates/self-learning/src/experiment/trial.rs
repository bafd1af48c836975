//! Running the arms.

use std::path::{Path, PathBuf};

use data_pipeline::{Origin, Row};
use serde::{Deserialize, Serialize};

use super::{Arm, Measured, Plan};
use crate::disk::{create_folder, write_json};
use crate::journal::Journal;
use crate::replay::mix_unguarded;
use crate::{
    Attempt, Diversity, Error, GapMap, Judge, Learner, Lesson, Material, Novelty, Proposer, Result, Sampling,
};

/// A learner, a source of questions about the gap and one of questions about anything, and a judge.
///
/// Everything finished is kept below its folder: an experiment that was killed goes on where it stopped.
/// ```text
/// plan.json                            a folder is one experiment
/// base/                                the model that all begin as
/// trials/full_0/cycle_1/rows.json      new rows
/// trials/full_0/cycle_1/measured.json  what came of them
/// ```
#[derive(Debug)]
pub struct Laboratory<'a, L, A, R, J> {
    root: PathBuf,
    plan: Plan,
    material: &'a Material,
    test: &'a [Row],
    learner: L,
    aimed: A,
    anything: R,
    judge: J,
}

impl<'a, L: Learner, A: Proposer, R: Proposer, J: Judge> Laboratory<'a, L, A, R, J> {
    /// Sets an experiment up in a folder. The learner as it stands is the base, unless the folder has one already. `test` are the
    /// sentences that all are asked; no question has a pattern of theirs.
    ///
    /// # Errors
    /// [`Error::OtherPlan`] when the folder holds an experiment of another plan, and when it cannot be used.
    pub fn new(
        root: &Path,
        plan: Plan,
        (mut learner, aimed, anything, judge): (L, A, R, J),
        material: &'a Material,
        test: &'a [Row],
    ) -> Result<Laboratory<'a, L, A, R, J>> {
        create_folder(root)?;
        let journal = Journal::open(root.to_owned())?;
        // More seeds and cycles go on with what there is; all else must be the same.
        let size = |plan: &Plan| Plan { arms: Vec::new(), cycles: 0, ..plan.clone() };
        let known: Option<Plan> = journal.made("plan")?;
        if known.is_some_and(|known| size(&known) != size(&plan)) {
            return Err(Error::OtherPlan { path: root.to_owned() });
        }
        write_json(&root.join("plan.json"), &plan)?;
        journal.once_folder("base", |folder| {
            learner.save(folder).map_err(|error| Error::Learner(error.into()))
        })?;
        Ok(Laboratory { root: root.to_owned(), plan, material, test, learner, aimed, anything, judge })
    }

    /// Runs what is not yet done, and gives all measurements: first the base, then each arm's, seed by seed.
    ///
    /// # Errors
    /// When the learner or a source of questions fails, or a file cannot be used. What was finished stays.
    pub fn run(&mut self, watch: &mut dyn FnMut(&Measured)) -> Result<Vec<Measured>> {
        let base = Journal::open(self.root.clone())?.once("measured", || {
            self.restore(&self.root.join("base"))?;
            self.measure(Arm::None, 0, 0, 0)
        })?;
        watch(&base);
        let mut all = vec![base];
        for (arm, seeds) in self.plan.arms.clone() {
            for seed in 0..seeds {
                self.trial(arm, seed, &mut |measured| {
                    watch(&measured);
                    all.push(measured);
                })?;
            }
        }
        Ok(all)
    }

    fn trial(&mut self, arm: Arm, seed: u64, done: &mut dyn FnMut(Measured)) -> Result<()> {
        let folder = |cycle| self.root.join(format!("trials/{arm}_{seed}/cycle_{cycle}"));
        let folders: Vec<PathBuf> = (0..=self.plan.cycles).map(folder).collect();
        let mut novelty = Novelty::new(0.7);
        let test = self.test.iter().map(|row| row.pattern.as_str());
        self.material.forbidden().chain(test).for_each(|pattern| novelty.forbid_pattern(pattern));
        let mut made: Vec<Row> = Vec::new();
        for cycle in 1..=self.plan.cycles {
            let journal = Journal::open(folders[cycle as usize].clone())?;
            let start = match cycle {
                1 => self.root.join("base"),
                _ => folders[cycle as usize - 1].join("model"),
            };
            let seed_here = draw_seed(seed, cycle);
            let New { asked, rows } = journal.once("rows", || {
                self.restore(&start)?;
                self.new_rows(arm, seed_here, &mut novelty)
            })?;
            for question in &asked {
                novelty.admit(question);
            }
            if arm == Arm::Replace {
                made.clear();
            }
            let new_rows = rows.len();
            made.extend(rows);
            if let Some(measured) = journal.made("measured")? {
                done(measured);
                continue;
            }
            let model = journal.once_folder("model", |folder| {
                self.restore(&start)?;
                let lesson = Lesson { steps: self.plan.steps, seed: seed_here };
                let rows = self.lesson(arm, &made, lesson.seed)?;
                let learned = self.learner.learn(&rows, &lesson);
                learned.and_then(|()| self.learner.save(folder)).map_err(|error| Error::Learner(error.into()))
            })?;
            let measured = journal.once("measured", || {
                self.restore(&model)?;
                self.measure(arm, seed, cycle, new_rows)
            })?;
            done(measured);
            Journal::open(folders[cycle as usize - 1].clone())?.drop_folder("model")?;
        }
        Ok(())
    }

    /// The rows of one lesson, as many in every arm.
    fn lesson(&self, arm: Arm, made: &[Row], seed: u64) -> Result<Vec<Row>> {
        let share = match arm {
            _ if made.is_empty() => 1.0,
            Arm::Replace => 0.0,
            _ => self.plan.original_share,
        };
        mix_unguarded(made, self.material.original(), self.plan.lesson_rows, share, seed)
    }

    fn new_rows(&mut self, arm: Arm, seed: u64, novelty: &mut Novelty) -> Result<New> {
        match arm {
            Arm::None => Ok(New::default()),
            Arm::Oracle => {
                let share = 1.0 - self.plan.original_share;
                let count = (self.plan.lesson_rows as f64 * share).ceil() as usize;
                let mut rows = ask(&mut self.anything, &GapMap::default(), count, seed)?;
                rows.retain(|row| novelty.allows_pattern(&row.pattern));
                Ok(New { asked: Vec::new(), rows })
            }
            Arm::Random | Arm::Vote => {
                let proposed = ask(&mut self.anything, &GapMap::default(), self.plan.questions, seed)?;
                let questions = admitted(proposed, novelty);
                let rows = match arm {
                    Arm::Vote => self.voted(&questions, seed)?,
                    _ => self.taught(&questions, seed, novelty)?,
                };
                Ok(New { asked: questions, rows })
            }
            Arm::Replace | Arm::Full => {
                let probes = self.material.draw_probe(self.plan.probes, seed);
                let answers = self.attempt(&probes, &Sampling::greedy())?;
                let right = |(probe, attempts): (&Row, &Vec<Attempt>)| {
                    attempts.first().is_some_and(|attempt| self.judge.judge(probe, attempt).right)
                };
                let judged = probes.iter().zip(probes.iter().zip(&answers).map(right));
                let gaps = GapMap::of(judged);
                let questions = admitted(ask(&mut self.aimed, &gaps, self.plan.questions, seed)?, novelty);
                let rows = self.taught(&questions, seed, novelty)?;
                Ok(New { asked: questions, rows })
            }
        }
    }

    /// Rows for what failed, most for what is within reach.
    fn taught(&mut self, questions: &[Row], seed: u64, novelty: &Novelty) -> Result<Vec<Row>> {
        let greedy = self.attempt(questions, &Sampling::greedy())?;
        let drawn = self.attempt(questions, &self.drawn(self.plan.attempts, seed))?;
        let mut rows = Vec::new();
        for (n, question) in questions.iter().enumerate() {
            let right = |attempt: &Attempt| self.judge.judge(question, attempt).right;
            if greedy[n].first().is_some_and(right) {
                continue;
            }
            let share = drawn[n].iter().filter(|attempt| right(attempt)).count() as f64
                / drawn[n].len().max(1) as f64;
            let within_reach = (0.3..=0.7).contains(&share);
            let count = if within_reach { self.plan.examples.1 } else { self.plan.examples.0 };
            let examples = self.aimed.examples(question, count, seed.wrapping_add(n as u64));
            rows.extend(examples.map_err(|error| Error::Proposer(error.into()))?);
        }
        rows.retain(|row| novelty.allows_pattern(&row.pattern));
        Ok(rows)
    }

    /// Questions with the learner's own most frequent answer as their label, where 30 to 70 % of the attempts agree on it
    /// (R-Zero, arXiv 2508.05004): what all agree on teaches nothing, and what few do is noise.
    fn voted(&mut self, questions: &[Row], seed: u64) -> Result<Vec<Row>> {
        let drawn = self.attempt(questions, &self.drawn(self.plan.attempts, seed))?;
        let label = |(question, attempts): (&Row, &Vec<Attempt>)| {
            let mut classes: Vec<(&Attempt, usize)> = Vec::new();
            for attempt in attempts.iter().filter(|attempt| !attempt.text.is_empty()) {
                match classes.iter_mut().find(|(first, _)| self.judge.alike(question, first, attempt)) {
                    Some((_, votes)) => *votes += 1,
                    None => classes.push((attempt, 1)),
                }
            }
            let (winner, votes) = classes.into_iter().rev().max_by_key(|(_, votes)| *votes)?;
            let share = votes as f64 / attempts.len().max(1) as f64;
            let row = (0.3..=0.7).contains(&share).then(|| self.judge.label(question, winner))?;
            Some(Row { origin: Origin::Vote, ..row? })
        };
        Ok(questions.iter().zip(&drawn).filter_map(label).collect())
    }

    fn measure(&mut self, arm: Arm, seed: u64, cycle: u64, new_rows: usize) -> Result<Measured> {
        let answers = self.attempt(self.test, &Sampling::greedy())?;
        let right = self.test.iter().zip(&answers).map(|(question, attempts)| {
            attempts.first().is_some_and(|attempt| self.judge.judge(question, attempt).right)
        });
        let right = right.collect();
        let probes = self.material.draw_probe(self.plan.doubt_probes, 0);
        let drawn = self.attempt(&probes, &self.drawn(self.plan.doubt_attempts, 0))?;
        let verdicts: Vec<Vec<_>> = probes
            .iter()
            .zip(&drawn)
            .map(|(probe, attempts)| {
                attempts.iter().map(|attempt| self.judge.judge(probe, attempt)).collect()
            })
            .collect();
        let diversity = Diversity::of(verdicts.iter().map(Vec::as_slice));
        Ok(Measured { arm, seed, cycle, right, diversity, new_rows })
    }

    fn drawn(&self, attempts: usize, seed: u64) -> Sampling {
        Sampling { attempts, temperature: self.plan.temperature, seed }
    }

    fn attempt(&mut self, questions: &[Row], sampling: &Sampling) -> Result<Vec<Vec<Attempt>>> {
        let inputs: Vec<&str> = questions.iter().map(|question| question.input.as_str()).collect();
        let attempts =
            self.learner.attempt(&inputs, sampling).map_err(|error| Error::Learner(error.into()))?;
        match attempts.len() {
            found if found == questions.len() => Ok(attempts),
            found => Err(Error::Attempts { expected: questions.len(), found }),
        }
    }

    fn restore(&mut self, folder: &Path) -> Result<()> {
        self.learner.restore(folder).map_err(|error| Error::Learner(error.into()))
    }
}

/// What one cycle asked, and the rows that it learns from.
#[derive(Default, Serialize, Deserialize)]
struct New {
    asked: Vec<Row>,
    rows: Vec<Row>,
}

fn ask<P: Proposer>(proposer: &mut P, gaps: &GapMap, count: usize, seed: u64) -> Result<Vec<Row>> {
    proposer.propose(gaps, count, seed).map_err(|error| Error::Proposer(error.into()))
}

fn admitted(mut proposed: Vec<Row>, novelty: &mut Novelty) -> Vec<Row> {
    proposed.retain(|question| novelty.admit(question));
    proposed
}

/// A seed for every seed and cycle, of no other experiment's.
fn draw_seed(seed: u64, cycle: u64) -> u64 {
    (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ cycle.wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[cfg(test)]
mod tests;
