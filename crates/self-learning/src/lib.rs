//! A loop that measurably teaches, and cannot fool itself: find a gap, ask, answer, judge, learn, keep only what is better,
//! go back if not.
//!
//! Three traits meet here, and none of them knows the others: a [`Learner`] answers and learns, a [`Proposer`] asks labelled
//! questions about what a [`GapMap`] shows to be weak, and a [`Judge`] says what is right. A [`Cycle`] runs them in rounds on some
//! [`Material`], beside a control that only replays; a [`Gate`] decides, a [`History`] remembers, a [`Budget`] bounds.
//!
//! The parts are useful alone. Does this gain prove anything?
//!
//! ```
//! use self_learning::{Gate, Item, Verdict};
//!
//! // 500 sentences of 125 patterns; the candidate wins 60 and loses 30.
//! let items: Vec<Item> = (0..500)
//!     .map(|n| {
//!         let verdict = |right| if right { Verdict::right() } else { Verdict::wrong("not equivalent") };
//!         let (before, after) = (n >= 60, n < 470);
//!         Item { pattern: (n % 125).to_string(), strata: vec![], before: verdict(before), after: verdict(after) }
//!     })
//!     .collect();
//! let decision = Gate::default().decide(&items, 10_000);
//! assert!((decision.gain - 0.06).abs() < 1e-9);
//! // Six points look like a lot, but not at one twentieth of 5 %.
//! println!("{:?}", decision.interval);
//! assert_eq!(decision.accepted, decision.interval.0 > 0.0);
//! ```
//!
//! The rule reader of formulas is [`Verifier`], the source of questions [`FormulaFirst`]; answers in words are doubted by
//! [`FreeText`]. [`Development`] keeps the ages of the guides, [`School`] teaches and examines each, and [`experiment`] measures what
//! the loop gains and why.
//!
//! # Features
//! None is on by default.
//! - `memory`: the module `memory`, short-term, long-term and episodic, in one SQLite file with full-text search.
//! - `tools`: the module `tools`, a registry of what a grown-up learner may call, the calls it writes, logic and HTTP.
//! - `server`: `ServerProposer`, which has any OpenAI-compatible server say the formulas that are asked about.
//!
//! # What it never does
//! It never lets the learner grade itself, never trains on a pattern that examines, never deletes the base generator, never asks
//! beyond its limits or budget, and prints nothing.

#![forbid(unsafe_code)]

mod ages;
mod attempt;
mod clauses;
mod cycle;
mod difficulty;
mod disk;
mod diversity;
mod error;
pub mod experiment;
mod fold;
mod gap;
mod gate;
mod history;
mod journal;
mod judge;
mod limits;
mod material;
#[cfg(feature = "memory")]
pub mod memory;
mod plot;
mod question;
mod replay;
mod review;
mod round;
mod school;
mod settings;
#[cfg(feature = "tools")]
pub mod tools;
mod uncertainty;
mod yaml;

pub use ages::{Advance, Development, Indicators, Stage};
pub use attempt::{Attempt, Learner, Lesson, Sampling};
pub use cycle::{Cycle, Event};
pub use difficulty::Difficulty;
pub use diversity::{Collapse, Diversity};
pub use error::{Error, Result};
pub use gap::{GapMap, Stratum, Tally};
pub use gate::{Comparison, Decision, Gate, Item, Refusal, Scores};
pub use history::{EpochScore, Generator, History, PipelineState};
pub use judge::{FreeText, Judge, Verdict, Verifier};
pub use limits::{APART, Budget, Experiment, Granted, Limits, PER_DAY, PER_HOUR};
pub use material::Material;
#[cfg(feature = "server")]
pub use question::ServerProposer;
pub use question::{ConceptQuestion, FormulaFirst, Novelty, Proposer};
pub use replay::{ORIGINAL_FLOOR, mix};
pub use review::{Review, ReviewQueue, Ruling};
pub use round::{Answered, Report, Round, Signal, Stats, StopReason};
pub use school::{Exercise, School};
pub use settings::{Settings, Start};
pub use uncertainty::{auroc, semantic_entropy};
