//! Whether the loop teaches, and what in it does: arms at equal compute.
//!
//! Every arm starts from the same base and takes the same number of steps on as many rows; they differ in where the new rows come
//! from. All are asked the same held-out sentences after every cycle, and compared item by item.
//!
//! | arm | new rows |
//! |---|---|
//! | [`None`](Arm::None) | none: it goes over what it was taught |
//! | [`Random`](Arm::Random) | for questions about anything that it got wrong |
//! | [`Vote`](Arm::Vote) | its own most frequent answer, without a judge, to questions about anything |
//! | [`Replace`](Arm::Replace) | as `Full`, but of this cycle only, and nothing of what it was taught |
//! | [`Full`](Arm::Full) | for questions about the gap that it got wrong, kept for good, beside what it was taught |
//! | [`Oracle`](Arm::Oracle) | as many rightly labelled rows as it has steps for, without having to ask |
//!
//! The model that is measured is the last one trained, in all arms alike: the gate is measured on its own ([`false_accepts`]).

mod compare;
mod nulls;
mod trial;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Diversity;

pub use compare::{ArmResult, Table, paired_bootstrap};
pub use nulls::false_accepts;
pub use trial::Laboratory;

/// Where new rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// Nowhere.
    None,
    /// Questions about anything.
    Random,
    /// Its own most frequent answers.
    Vote,
    /// The full loop's, and nothing else.
    Replace,
    /// Questions about the gap.
    Full,
    /// Whoever labels everything rightly.
    Oracle,
}

impl Arm {
    /// The six, in the order of the table.
    pub const ALL: [Arm; 6] = [Arm::None, Arm::Random, Arm::Vote, Arm::Replace, Arm::Full, Arm::Oracle];

    /// Its name in files, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Arm::None => "none",
            Arm::Random => "random",
            Arm::Vote => "vote",
            Arm::Replace => "replace",
            Arm::Full => "full",
            Arm::Oracle => "oracle",
        }
    }
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How large the experiment is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The arms, each with its number of seeds, from 0.
    pub arms: Vec<(Arm, u64)>,
    /// Cycles of each.
    pub cycles: u64,
    /// Optimizer steps a cycle.
    pub steps: u64,
    /// Rows mixed for them.
    pub lesson_rows: usize,
    /// Share of original rows among them, but in `Replace`.
    pub original_share: f64,
    /// Held-out questions that the gap is found with.
    pub probes: usize,
    /// Held-out questions that diversity is measured on, the same in every cycle.
    pub doubt_probes: usize,
    /// Attempts drawn at each of those: the k of pass@k.
    pub doubt_attempts: usize,
    /// New questions a cycle.
    pub questions: usize,
    /// Attempts drawn at each of them: they vote in `Vote`, and tell what is within reach elsewhere.
    pub attempts: usize,
    /// Temperature of drawn attempts.
    pub temperature: f64,
    /// Rows made for a question that failed, and for one within reach.
    pub examples: (usize, usize),
}

impl Default for Plan {
    /// The main experiment: 5 cycles, 5 seeds for `none` and `full`, 3 for the others.
    fn default() -> Plan {
        let seeds = |arm| if matches!(arm, Arm::None | Arm::Full) { 5 } else { 3 };
        Plan {
            arms: Arm::ALL.map(|arm| (arm, seeds(arm))).to_vec(),
            cycles: 5,
            steps: 100,
            lesson_rows: 12_800,
            original_share: 0.5,
            probes: 600,
            doubt_probes: 64,
            doubt_attempts: 16,
            questions: 500,
            attempts: 10,
            temperature: 0.8,
            examples: (5, 10),
        }
    }
}

/// One model, measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Its arm.
    pub arm: Arm,
    /// Its seed.
    pub seed: u64,
    /// After how many cycles; 0 is the base.
    pub cycle: u64,
    /// Which of the held-out sentences it answered right, in their order.
    pub right: Vec<bool>,
    /// How varied its attempts are.
    pub diversity: Diversity,
    /// New rows of this cycle.
    pub new_rows: usize,
}

impl Measured {
    /// Share answered right.
    pub fn accuracy(&self) -> f64 {
        self.right.iter().filter(|right| **right).count() as f64 / self.right.len().max(1) as f64
    }
}
