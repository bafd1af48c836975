//! A second opinion on every row: a language model behind an OpenAI-compatible endpoint is asked whether the formula
//! says what the sentence says. Behind the feature `verify`.
//!
//! The model proposes, logic decides: an answer with an equivalent formula verifies the row, another well-formed formula
//! over the same atoms corrects it (and the row keeps what it said before), anything else rejects it. Every reply is kept
//! in a cache file as soon as it comes, so a run that was killed goes on where it stopped and pays for nothing twice.

mod budget;
mod cache;
mod endpoint;
mod question;

use std::{
    io,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use logic_parser::{Formula, equivalent};

pub use budget::Price;
pub use endpoint::{CallError, Client, Endpoint, Reply, Usage};

use crate::{Complexity, Origin, Row};
use budget::Budget;
use cache::Cache;
use question::{Opinion, Question};

/// Asks about rows, several at a time, within a budget.
///
/// ```no_run
/// use std::time::Duration;
///
/// use data_pipeline::{gold, verify::{Endpoint, Price, Verifier}};
///
/// let verifier = Verifier {
///     endpoint: Endpoint::new("http://127.0.0.1:8080/v1", "my-model"),
///     threads: 4,
///     price: Price { input: 0.27, output: 1.10 },
///     cap_usd: 0.50,
/// };
/// let report = verifier.run(&gold::sentences(), "target/replies.jsonl")?;
/// println!("{} verified for {:.4} USD", report.verified(), report.spent_usd);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    /// Where to ask.
    pub endpoint: Endpoint,
    /// How many questions are under way at once; at least one.
    pub threads: usize,
    /// What a question costs.
    pub price: Price,
    /// What all questions together may cost at most, in USD. A question that might exceed it is not asked.
    pub cap_usd: f64,
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The model agrees.
    Verified,
    /// The model says otherwise, and well-formed.
    Corrected {
        /// The formula before.
        before: String,
        /// The row with the model's formula, of origin [`Origin::IndependentModel`].
        after: Box<Row>,
    },
    /// The model disagrees and has no usable formula of its own.
    Rejected,
    /// The model's reply was no answer to the question.
    NoAnswer {
        /// The reply.
        reply: String,
    },
    /// The endpoint did not answer, however often it was asked.
    Failed(CallError),
    /// There was no money left to ask.
    NotAsked,
}

/// What became of all rows.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// One outcome a row, in order.
    pub outcomes: Vec<Outcome>,
    /// What this run spent, in USD; replies from the cache cost nothing.
    pub spent_usd: f64,
}

impl Verification {
    /// How many rows were verified.
    pub fn verified(&self) -> usize {
        self.outcomes.iter().filter(|outcome| **outcome == Outcome::Verified).count()
    }
}

/// Why a run could not begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The cache file cannot be read or written.
    #[error("cannot use the file of replies")]
    Cache(#[from] io::Error),
    /// The endpoint refuses every question: a wrong key, model or address.
    #[error("the endpoint refuses")]
    Refused(#[source] CallError),
}

impl Verifier {
    /// Asks about every row that `cache` has no reply for.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Cache`]; [`VerifyError::Refused`] at the first reply that no repetition can mend (status 400 to
    /// 499 other than 408 and 429). What was learned until then is in the cache.
    pub fn run(&self, rows: &[Row], cache: impl AsRef<Path>) -> Result<Verification, VerifyError> {
        let cache = Mutex::new(Cache::open(cache.as_ref())?);
        let budget = Mutex::new(Budget::new(self.price, self.cap_usd));
        let calls = Client::to(self.endpoint.clone());
        let next = AtomicUsize::new(0);
        let outcomes = Mutex::new(vec![Outcome::NotAsked; rows.len()]);
        let stopped: Mutex<Option<VerifyError>> = Mutex::new(None);
        let work = || {
            while stopped.lock().expect("no thread panics").is_none() {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(row) = rows.get(index) else { break };
                match judge(row, &calls, &cache, &budget) {
                    Ok(outcome) => outcomes.lock().expect("no thread panics")[index] = outcome,
                    Err(error) => *stopped.lock().expect("no thread panics") = Some(error),
                }
            }
        };
        std::thread::scope(|scope| (0..self.threads.max(1)).for_each(|_| drop(scope.spawn(work))));
        if let Some(error) = stopped.into_inner().expect("no thread panics") {
            return Err(error);
        }
        let spent_usd = budget.into_inner().expect("no thread panics").spent();
        Ok(Verification { outcomes: outcomes.into_inner().expect("no thread panics"), spent_usd })
    }
}

fn judge(
    row: &Row,
    calls: &Client,
    cache: &Mutex<Cache>,
    budget: &Mutex<Budget>,
) -> Result<Outcome, VerifyError> {
    let question = Question::about(row, calls.model());
    let known = cache.lock().expect("no thread panics").get(&question.key);
    let reply = match known {
        Some(reply) => reply,
        None => {
            let Some(reserved) = budget.lock().expect("no thread panics").reserve(&question) else {
                return Ok(Outcome::NotAsked);
            };
            let called = calls.ask(&question.body);
            let usage = called.as_ref().map(|reply| reply.usage);
            budget.lock().expect("no thread panics").settle(reserved, usage);
            match called {
                Ok(reply) => {
                    cache.lock().expect("no thread panics").put(&question.key, &reply.text)?;
                    reply.text
                }
                Err(error) if error.is_refusal() => return Err(VerifyError::Refused(error)),
                Err(error) => return Ok(Outcome::Failed(error)),
            }
        }
    };
    Ok(match Opinion::read(&reply) {
        Some(opinion) => outcome(row, &opinion),
        None => Outcome::NoAnswer { reply },
    })
}

/// What an opinion means for the row, by logic.
fn outcome(row: &Row, opinion: &Opinion) -> Outcome {
    let (Ok(ours), theirs) = (Formula::parse(&row.formula), opinion.formula.as_deref().map(Formula::parse))
    else {
        return Outcome::Rejected;
    };
    match theirs {
        _ if opinion.correct => Outcome::Verified,
        Some(Ok(theirs)) if equivalent(&ours, &theirs).is_yes() => Outcome::Verified,
        Some(Ok(theirs)) if same_atoms(&theirs, row) => {
            let after = Row {
                formula: theirs.to_string(),
                pattern: theirs.pattern().to_string(),
                complexity: Complexity::of(&theirs),
                origin: Origin::IndependentModel,
                ..row.clone()
            };
            Outcome::Corrected { before: row.formula.clone(), after: Box::new(after) }
        }
        _ => Outcome::Rejected,
    }
}

fn same_atoms(formula: &Formula, row: &Row) -> bool {
    let atoms = formula.atoms();
    atoms.len() == row.atoms.len() && atoms.iter().all(|&atom| row.atoms.contains_key(atom))
}

#[cfg(test)]
mod tests;
