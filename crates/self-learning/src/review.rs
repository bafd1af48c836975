//! What people should look at: questions whose label the learner contradicts with one voice.
//!
//! A label that is right by construction seldom errs, but a sentence that says something else than its formula does, and teaching
//! it makes the learner worse. Where nearly all attempts agree on one other meaning, a person decides; until then the rows made for
//! the question are not learned from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use data_pipeline::Row;
use serde::{Deserialize, Serialize};

use crate::disk::{create_folder, read_json, write_json};
use crate::{Answered, Error, Result};

/// One question to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// The question with its label; its sentence names it.
    pub question: Row,
    /// What the learner answers instead.
    pub answer: String,
    /// What the judge says of that.
    pub reason: String,
    /// What somebody decided; none yet.
    pub ruling: Option<Ruling>,
}

/// What somebody decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// The label is right: the next round learns from it.
    Keep,
    /// The label is wrong, or the question is bad: never learn from it.
    Drop,
}

/// The questions to look at, in `review_queue.json`.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// use self_learning::{ReviewQueue, Ruling};
/// let mut queue = ReviewQueue::open(&folder.path().join("review_queue.json"))?;
/// assert_eq!(queue.pending().count(), 0);
/// assert!(queue.rule("¿…?", Ruling::Keep).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ReviewQueue {
    path: PathBuf,
    reviews: BTreeMap<String, Review>,
}

impl ReviewQueue {
    /// The queue in this file, empty when there is none.
    ///
    /// # Errors
    /// When the file cannot be read, or its folder not made.
    pub fn open(path: &Path) -> Result<ReviewQueue> {
        create_folder(path.parent().unwrap_or(Path::new(".")))?;
        let reviews: Vec<Review> = read_json(path)?.unwrap_or_default();
        let reviews = reviews.into_iter().map(|review| (review.question.input.clone(), review)).collect();
        Ok(ReviewQueue { path: path.to_owned(), reviews })
    }

    /// Questions that nobody has decided on.
    pub fn pending(&self) -> impl Iterator<Item = &Review> {
        self.reviews.values().filter(|review| review.ruling.is_none())
    }

    /// Decides on a question.
    ///
    /// # Errors
    /// [`Error::NotInReview`] when it is not in the queue, and when the file cannot be written.
    pub fn rule(&mut self, question: &str, ruling: Ruling) -> Result<()> {
        let not_there = || Error::NotInReview { question: question.to_owned() };
        self.reviews.get_mut(question).ok_or_else(not_there)?.ruling = Some(ruling);
        self.write()
    }

    /// Adds what of a round needs a look, once.
    pub(crate) fn add(&mut self, answered: &[Answered]) -> Result<()> {
        let before = self.reviews.len();
        for answered in answered.iter().filter(|answered| contradicted(answered)) {
            let review = Review {
                question: answered.question.clone(),
                answer: answered.answer.clone(),
                reason: answered.verdict.reason.clone(),
                ruling: None,
            };
            self.reviews.entry(review.question.input.clone()).or_insert(review);
        }
        if self.reviews.len() > before { self.write() } else { Ok(()) }
    }

    /// Whether not to learn from a question: undecided, or decided against.
    pub(crate) fn withholds(&self, question: &Row) -> bool {
        self.reviews.get(&question.input).is_some_and(|review| review.ruling != Some(Ruling::Keep))
    }

    /// Questions that somebody decided to keep.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Row> {
        let kept = self.reviews.values().filter(|review| review.ruling == Some(Ruling::Keep));
        kept.map(|review| &review.question)
    }

    fn write(&self) -> Result<()> {
        write_json(&self.path, &self.reviews.values().collect::<Vec<_>>())
    }
}

/// Nearly all of at least eight attempts mean one and the same, and it is not the label.
fn contradicted(answered: &Answered) -> bool {
    /// Bits of entropy when 15 of 16 agree.
    const ONE_VOICE: f64 = 0.34;
    let sure = answered.attempts.len() >= 8 && answered.entropy <= ONE_VOICE;
    sure && !answered.verdict.right && answered.verdict.coherent && answered.pass_rate() == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;

    fn answered(input: &str, entropy: f64, right: bool) -> Answered {
        let verdict =
            if right { Verdict::right() } else { Verdict { coherent: true, ..Verdict::wrong("not it") } };
        Answered {
            question: Row { input: input.into(), formula: "p".into(), ..Row::default() },
            answer: "q".into(),
            confidence: 1.0,
            attempts: vec![verdict.clone(); 16],
            verdict,
            entropy,
        }
    }

    #[test]
    fn only_what_is_contradicted_with_one_voice_waits_and_is_not_learned_from() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue/review_queue.json");
        let mut queue = ReviewQueue::open(&path).unwrap();
        let sure = answered("sure", 0.0, false).question;
        queue
            .add(&[answered("sure", 0.0, false), answered("torn", 2.0, false), answered("right", 0.0, true)])
            .unwrap();
        assert_eq!(
            queue.pending().map(|review| review.question.input.as_str()).collect::<Vec<_>>(),
            ["sure"]
        );
        // A decision survives a restart and is not asked for again.
        let mut queue = ReviewQueue::open(&path).unwrap();
        assert!(queue.withholds(&sure) && queue.kept().next().is_none());
        queue.rule("sure", Ruling::Keep).unwrap();
        queue.add(&[answered("sure", 0.0, false)]).unwrap();
        let mut queue = ReviewQueue::open(&path).unwrap();
        assert!(queue.pending().next().is_none() && !queue.withholds(&sure));
        assert_eq!(queue.kept().collect::<Vec<_>>(), [&sure]);
        queue.rule("sure", Ruling::Drop).unwrap();
        assert!(queue.withholds(&sure));
        assert!(matches!(queue.rule("torn", Ruling::Drop), Err(Error::NotInReview { .. })));
    }

    #[test]
    fn few_attempts_are_no_voice() {
        let few = Answered { attempts: vec![Verdict::wrong(""); 4], ..answered("few", 0.0, false) };
        assert!(!contradicted(&few) && contradicted(&answered("many", 0.0, false)));
    }
}
