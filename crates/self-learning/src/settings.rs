//! How large everything in a round is.

use serde::{Deserialize, Serialize};

use crate::Gate;

/// The size of everything in a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Held-out questions to find gaps with, others in every round.
    pub probes: usize,
    /// Held-out questions that get drawn attempts, to measure doubt and diversity; the same in every round.
    pub doubt_probes: usize,
    /// Attempts drawn at each of those.
    pub doubt_attempts: usize,
    /// New questions a round.
    pub questions: usize,
    /// Attempts drawn at each of those, to know how hard it is.
    pub question_attempts: usize,
    /// Temperature of drawn attempts.
    pub temperature: f64,
    /// Rows made for a question that failed, and for one that failed but was solved in 30 to 70 % of the attempts: what is
    /// neither out of reach nor known teaches most (R-Zero, arXiv 2508.05004).
    pub examples: (usize, usize),
    /// Optimizer steps a round.
    pub steps: u64,
    /// Rows mixed for them.
    pub lesson_rows: usize,
    /// Share of original rows among them, at least [`ORIGINAL_FLOOR`](crate::ORIGINAL_FLOOR).
    pub original_share: f64,
    /// Held-out questions of the gate.
    pub gate_items: usize,
    /// Also train a control: the same steps from the same start, on replayed rows only.
    pub control: bool,
    /// What each round starts from.
    pub start: Start,
    /// The rule of replacement.
    pub gate: Gate,
    /// Generators whose weights are kept, besides the base and the current one.
    pub keep: usize,
    /// Seed of every draw.
    pub seed: u64,
}

impl Default for Settings {
    /// Steps, start and gate are the documents': an evaluation every 5000 steps of one long training.
    fn default() -> Settings {
        Settings {
            probes: 1000,
            doubt_probes: 100,
            doubt_attempts: 16,
            questions: 500,
            question_attempts: 8,
            temperature: 0.8,
            examples: (5, 10),
            steps: 5000,
            lesson_rows: 100_000,
            original_share: 0.5,
            gate_items: 2000,
            control: true,
            start: Start::Candidate,
            gate: Gate::default(),
            keep: 3,
            seed: 0,
        }
    }
}

/// What a round trains on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The current generator: a refused candidate is forgotten, its rows are not.
    Generator,
    /// The candidate of the round before, refused or not: train on until the gate opens, as the documents do.
    Candidate,
    /// The base, on all rows made so far: nothing is trained twice (ReST-EM, arXiv 2312.06585).
    Base,
}
