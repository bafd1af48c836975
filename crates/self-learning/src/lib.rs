//! A loop that measurably teaches, and cannot fool itself: find a gap, ask, answer, judge, learn, keep only what is better,
//! go back if not.
//!
//! Three traits meet here, and none of them knows the others: a [`Learner`] answers and learns, a [`Proposer`] asks
//! labelled questions about what a [`GapMap`] shows to be weak, and a [`Judge`] says what is right. The learner never
//! grades itself.

#![forbid(unsafe_code)]

mod attempt;
mod cycle;
mod disk;
mod diversity;
mod error;
mod gap;
mod gate;
mod history;
mod journal;
mod judge;
mod limits;
mod material;
mod question;
mod replay;
mod round;
mod settings;
mod uncertainty;

pub use attempt::{Attempt, Learner, Lesson, Sampling};
pub use cycle::{Cycle, Event};
pub use diversity::{Collapse, Diversity};
pub use error::{Error, Result};
pub use gap::{GapMap, Stratum, Tally};
pub use gate::{Comparison, Decision, Gate, Item, Refusal, Scores};
pub use history::{EpochScore, Generator, History, PipelineState};
pub use judge::{FreeText, Judge, Verdict, Verifier};
pub use limits::{APART, Budget, Experiment, Granted, Limits, PER_DAY, PER_HOUR};
pub use material::Material;
pub use question::{FormulaFirst, Novelty, Proposer};
pub use replay::{ORIGINAL_FLOOR, mix};
pub use round::{Answered, Report, Round, Signal, Stats, StopReason};
pub use settings::{Settings, Start};
pub use uncertainty::{auroc, semantic_entropy};
