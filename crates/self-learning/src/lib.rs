//! A loop that measurably teaches, and cannot fool itself: find a gap, ask, answer, judge, learn, keep only what is better,
//! go back if not.
//!
//! Three traits meet here, and none of them knows the others: a [`Learner`] answers and learns, a [`Proposer`] asks
//! labelled questions about what a [`GapMap`] shows to be weak, and a [`Judge`] says what is right. The learner never
//! grades itself.

#![forbid(unsafe_code)]

mod attempt;
mod gap;
mod judge;
mod question;

pub use attempt::{Attempt, Learner, Lesson, Sampling};
pub use gap::{GapMap, Stratum, Tally};
pub use judge::{Judge, Verdict};
pub use question::Proposer;
