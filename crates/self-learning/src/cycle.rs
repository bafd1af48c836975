//! The loop, in the manner of egg's `Runner`: rounds, a record of each, and a reason for stopping.

mod ask;
mod decide;
mod find;
mod teach;

use std::path::{Path, PathBuf};

use data_pipeline::Row;

use crate::disk::{create_folder, write_json};
use crate::journal::Journal;
use crate::{
    Answered, Attempt, Budget, Comparison, Error, GapMap, History, Judge, Learner, Material, Novelty,
    Proposer, Report, Result, ReviewQueue, Round, Sampling, Scores, Settings, Signal, StopReason, Stratum,
    semantic_entropy,
};

/// Questions handed to the learner at once, between two reports of progress.
const CHUNK: usize = 250;

/// What is happening, for whoever watches.
#[derive(Debug)]
pub enum Event<'a> {
    /// A round begins.
    Begin {
        /// Its number.
        round: u64,
    },
    /// Questions are being answered.
    Answering {
        /// Which: `probe`, `doubt`, `questions`, `gate before`, `gate after`, `gate control`.
        what: &'static str,
        /// Answered so far.
        done: usize,
        /// Of how many.
        of: usize,
    },
    /// The gaps are known.
    Mapped {
        /// Pass rates by stratum.
        gaps: &'a GapMap,
        /// The stratum to ask about.
        weakest: &'a Stratum,
        /// How well doubt foretells failure.
        signal: &'a Signal,
    },
    /// The questions have been answered and judged.
    Judged {
        /// All of them.
        answered: &'a [Answered],
        /// Rows made for those that failed.
        new_rows: usize,
    },
    /// The learner learns; nothing else is heard until it has.
    Learning {
        /// Which: `candidate` or `control`.
        what: &'static str,
        /// Steps to take.
        steps: u64,
    },
    /// The round is over.
    End(&'a Round),
}

/// Whoever watches.
type Watch<'a> = dyn FnMut(Event<'_>) + 'a;

/// A learner, a proposer and a judge at work on some material, in a folder that remembers everything.
///
/// ```text
/// pipeline_state.json, generators/         see `History`
/// rounds/round_1/                          every finished step of a round, and its record `round.json`
/// datasets/auto_generated/round_1.jsonl    the rows made for what failed
/// self_questioning/activity_log.json       every round, a line each
/// self_questioning/qa_20260131.jsonl       every question of a day with its answer
/// self_questioning/review_queue.json       questions whose label people should look at
/// self_learning_stats.json                 counts
/// ```
/// A loop that was killed and is begun anew with the same arguments goes on where it stopped.
#[derive(Debug)]
pub struct Cycle<L, P, J> {
    learner: L,
    proposer: P,
    judge: J,
    material: Material,
    settings: Settings,
    budget: Budget,
    history: History,
    novelty: Novelty,
    review: ReviewQueue,
    /// Rows made so far, in all rounds: they accumulate.
    made: Vec<Row>,
    root: PathBuf,
}

impl<L: Learner, P: Proposer, J: Judge> Cycle<L, P, J> {
    /// Sets a loop up in a folder. The learner as it stands becomes the base, unless the folder has one already.
    ///
    /// # Errors
    /// When the folder cannot be used or is in use, or the learner cannot be saved.
    pub fn new(
        root: &Path,
        settings: Settings,
        (mut learner, proposer, judge): (L, P, J),
        material: Material,
        budget: Budget,
    ) -> Result<Cycle<L, P, J>> {
        create_folder(root)?;
        let history = History::open(root, settings.keep, |folder| {
            learner.save(folder).map_err(|error| Error::Learner(error.into()))
        })?;
        let mut novelty = Novelty::new(0.7);
        for pattern in material.forbidden() {
            novelty.forbid_pattern(pattern);
        }
        Ok(Cycle {
            learner,
            proposer,
            judge,
            material,
            settings,
            budget,
            history,
            novelty,
            review: ReviewQueue::open(&root.join("self_questioning/review_queue.json"))?,
            made: Vec::new(),
            root: root.to_owned(),
        })
    }

    /// The questions that people should look at. What they decide counts from the next round on.
    pub fn review(&mut self) -> &mut ReviewQueue {
        &mut self.review
    }

    /// The generators so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Runs rounds until the folder holds `rounds` of them or there is a reason to stop.
    ///
    /// # Errors
    /// When the learner or the proposer fails, or a file cannot be used. What was finished stays.
    pub fn run(&mut self, rounds: u64, watch: &mut dyn FnMut(Event<'_>)) -> Result<Report> {
        let mut report = Report { rounds: Vec::new(), stop: StopReason::Done };
        for number in 1..=rounds {
            match self.round(number, &report.rounds, watch)? {
                Ok(round) => {
                    watch(Event::End(&round));
                    report.rounds.push(round);
                }
                Err(stop) => {
                    report.stop = stop;
                    break;
                }
            }
        }
        write_json(&self.root.join("self_learning_stats.json"), &report.stats())?;
        Ok(report)
    }

    /// One round, or why there is none.
    fn round(
        &mut self,
        number: u64,
        earlier: &[Round],
        watch: &mut Watch<'_>,
    ) -> Result<Result<Round, StopReason>> {
        let journal = Journal::open(self.folder(number))?;
        if let Some(round) = journal.made("round")? {
            self.remember(&journal)?;
            return Ok(Ok(round));
        }
        watch(Event::Begin { round: number });
        let generator = journal.once("generator", || Ok(self.history.state().current_generator))?;

        let found = self.find_gap(&journal, number, watch)?;
        if let Some(collapse) =
            earlier.first().and_then(|first| found.diversity.collapse_since(&first.diversity))
        {
            return Ok(Err(StopReason::Collapse(collapse)));
        }
        let asked = match self.ask(&journal, number, &found.gaps)? {
            Ok(asked) => asked,
            Err(stop) => return Ok(Err(stop)),
        };
        let answered = self.answer_questions(&journal, number, &asked.questions, watch)?;
        let new_rows = self.examples(&journal, number, &answered)?;
        watch(Event::Judged { answered: &answered, new_rows: new_rows.len() });
        if new_rows.is_empty() {
            return Ok(Err(StopReason::NothingFailed));
        }
        self.remember(&journal)?;

        let (candidate, control) = self.teach(&journal, number, watch)?;
        let exam = self.examine(&journal, number, &candidate, control.as_deref(), watch)?;
        let steps = self.steps_since_upgrade(earlier);
        let round = Round {
            number,
            generator,
            gaps: found.gaps.strata().map(|(stratum, tally)| (stratum.clone(), tally)).collect(),
            weakest: found.weakest,
            signal: found.signal,
            diversity: found.diversity,
            asked: GapMap::of(answered.iter().map(|a| (&a.question, a.verdict.right))).overall(),
            dropped: asked.dropped,
            new_rows: new_rows.len(),
            steps: self.settings.steps,
            decision: self.settings.gate.decide(&exam.against(&exam.before), steps),
            control: exam.control.as_ref().map(Scores::of),
            over_control: exam.control.as_ref().map(|control| Comparison::of(&exam.against(control), 0.025)),
        };
        self.keep(&round, &candidate)?;
        self.publish(&round, &answered, &new_rows)?;
        self.close(&journal, &round)?;
        Ok(Ok(round))
    }

    /// Answers questions, each once without chance and, where `drawn` says so, several times with it.
    fn answer(
        &mut self,
        what: &'static str,
        questions: &[Row],
        drawn: Option<&Sampling>,
        watch: &mut Watch<'_>,
    ) -> Result<Vec<Answered>> {
        let mut answered = Vec::with_capacity(questions.len());
        for chunk in questions.chunks(CHUNK) {
            let first = self.attempt(chunk, &Sampling::greedy())?;
            let more = match drawn {
                Some(sampling) => self.attempt(chunk, sampling)?,
                None => vec![Vec::new(); chunk.len()],
            };
            for ((question, first), attempts) in chunk.iter().zip(first).zip(more) {
                answered.push(self.judged(question, &first, &attempts));
            }
            watch(Event::Answering { what, done: answered.len(), of: questions.len() });
        }
        Ok(answered)
    }

    fn judged(&self, question: &Row, first: &[Attempt], attempts: &[Attempt]) -> Answered {
        let nothing = Attempt { text: String::new(), confidence: 0.0 };
        let greedy = first.first().unwrap_or(&nothing);
        let readable: Vec<Option<&Attempt>> =
            attempts.iter().map(|attempt| Some(attempt).filter(|attempt| !attempt.text.is_empty())).collect();
        Answered {
            question: question.clone(),
            answer: greedy.text.clone(),
            confidence: greedy.confidence,
            verdict: self.judge.judge(question, greedy),
            attempts: attempts.iter().map(|attempt| self.judge.judge(question, attempt)).collect(),
            entropy: semantic_entropy(&readable, |one, other| self.judge.alike(question, one, other)),
        }
    }

    fn attempt(&mut self, questions: &[Row], sampling: &Sampling) -> Result<Vec<Vec<Attempt>>> {
        let inputs: Vec<&str> = questions.iter().map(|question| question.input.as_str()).collect();
        let attempts =
            self.learner.attempt(&inputs, sampling).map_err(|error| Error::Learner(error.into()))?;
        if attempts.len() != questions.len() {
            return Err(Error::Attempts { expected: questions.len(), found: attempts.len() });
        }
        Ok(attempts)
    }

    /// How drawn attempts are drawn, if any are.
    fn drawn(&self, attempts: usize, number: u64) -> Option<Sampling> {
        (attempts > 0).then(|| Sampling {
            attempts,
            temperature: self.settings.temperature,
            seed: self.seed(number),
        })
    }

    fn restore(&mut self, folder: &Path) -> Result<()> {
        self.learner.restore(folder).map_err(|error| Error::Learner(error.into()))
    }

    fn folder(&self, number: u64) -> PathBuf {
        self.root.join("rounds").join(format!("round_{number}"))
    }

    /// The seed of a round.
    fn seed(&self, number: u64) -> u64 {
        self.settings.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

#[cfg(test)]
mod tests;
