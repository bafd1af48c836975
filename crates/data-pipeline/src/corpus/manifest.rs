//! What a corpus says about itself.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::Recipe;
use crate::{Distribution, SplitReport, StepReport};

/// How a corpus was made, and what came out: enough to make it again and to see that it is the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this crate and a fingerprint of its sources and data.
    pub code: String,
    /// What the rows come from.
    pub source: String,
    /// The sum modulo 2¹²⁸, in hexadecimal, of the BLAKE3 hashes (their first 16 bytes) of all rows as they came in,
    /// each with its number before it: equal sums mean the same rows in the same order.
    pub input: String,
    /// The recipe, seed included.
    pub recipe: Option<Recipe>,
    /// What each step did, in order.
    pub steps: Vec<StepReport>,
    /// What was made from train rows: how many were tried, and how many of them stayed.
    pub made: Vec<StepReport>,
    /// How the rows were split.
    pub split: SplitReport,
    /// The number of tokens of the vocabulary.
    pub vocab_size: usize,
    /// What each side is made of.
    pub sides: BTreeMap<String, Distribution>,
    /// The largest share of all sentences that are built alike, content words aside.
    pub largest_skeleton: f64,
    /// The BLAKE3 hash of each file that was written.
    pub files: BTreeMap<String, String>,
}

impl Manifest {
    /// The share of well-formed sentences that said exactly what one before them said.
    pub fn exact_repeats(&self) -> f64 {
        let exact = self.steps.iter().find(|step| step.name == "exact repeats");
        exact.map_or(0.0, |step| 1.0 - step.kept() as f64 / step.rows.max(1) as f64)
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        let SplitReport { components, largest, patterns: [train, val, test], equivalent_in_train } =
            &self.split;
        writeln!(
            f,
            "split: {components} groups that share sentences or patterns, the largest of {largest} rows"
        )?;
        writeln!(f, "  patterns: {train} in train, {val} in validation, {test} in test, none in two;")?;
        writeln!(f, "  {equivalent_in_train} of test are equivalent to one of train")?;
        for made in &self.made {
            writeln!(f, "made from train: {made}")?;
        }
        writeln!(f, "largest share of sentences built alike: {:.2} %", 100.0 * self.largest_skeleton)?;
        writeln!(f, "vocabulary: {} tokens, learned from train", self.vocab_size)?;
        let sides = ["train", "val", "test"].iter().filter_map(|&name| Some((name, self.sides.get(name)?)));
        f.write_str(&Distribution::table(&sides.collect::<Vec<_>>()))
    }
}
