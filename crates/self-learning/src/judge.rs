//! Judging an answer: right or wrong, and why.

use data_pipeline::Row;
use serde::{Deserialize, Serialize};

use crate::Attempt;

mod free_text;
mod verifier;

pub use free_text::FreeText;
pub use verifier::Verifier;

/// Something other than the learner that says whether an answer is right.
///
/// ```
/// use data_pipeline::Row;
/// use self_learning::{Attempt, Judge, Verdict};
///
/// /// Accepts the very text of the formula.
/// struct ToTheLetter;
///
/// impl Judge for ToTheLetter {
///     fn judge(&self, question: &Row, attempt: &Attempt) -> Verdict {
///         if attempt.text == question.formula { Verdict::right() } else { Verdict::wrong("another text") }
///     }
/// }
/// # let row: Row = serde_json::from_str(r#"{"input": "Llueve.", "formula": "p"}"#)?;
/// # assert!(!ToTheLetter.judge(&row, &Attempt { text: String::new(), confidence: 1.0 }).right);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Judge {
    /// The verdict on one attempt at one question. An empty attempt is never right.
    fn judge(&self, question: &Row, attempt: &Attempt) -> Verdict;

    /// Whether two attempts at one question mean the same. Unless a judge knows better: when they are the same text.
    fn alike(&self, _question: &Row, one: &Attempt, other: &Attempt) -> bool {
        one.text == other.text
    }

    /// The question with what the attempt says as its label, whether right or wrong; none when it cannot be read. Unless a judge
    /// knows better: none.
    fn label(&self, _question: &Row, _attempt: &Attempt) -> Option<Row> {
        None
    }
}

/// What a judge found. The three scores are the documents' three: accuracy, coherence and domain knowledge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Accuracy: the answer means what the question's label means.
    pub right: bool,
    /// Coherence: the answer can be read, and it declares exactly the atoms that it uses.
    pub coherent: bool,
    /// Domain knowledge: how much of the answer is right, from 0 to 1.
    pub credit: f64,
    /// The kind of thing answered, as the pattern of a formula, whether right or wrong; empty when it cannot be read. Answers that
    /// become ever fewer kinds are a sign of collapse.
    pub kind: String,
    /// Why it is wrong, for people; empty when it is right.
    pub reason: String,
}

impl Verdict {
    /// Right in every respect.
    pub fn right() -> Verdict {
        Verdict { right: true, coherent: true, credit: 1.0, kind: String::new(), reason: String::new() }
    }

    /// Wrong and not even readable.
    pub fn wrong(reason: impl Into<String>) -> Verdict {
        Verdict { right: false, coherent: false, credit: 0.0, kind: String::new(), reason: reason.into() }
    }
}
