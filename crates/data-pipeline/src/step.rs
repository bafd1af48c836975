//! What is done to every row on its own: it goes in and comes out, or is dropped for a reason that is counted.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::Row;

/// Something done to a row that looks at nothing but the row, so that all cores can do it at once. What compares rows
/// with one another is [`Distinct`](crate::dedup::Distinct).
///
/// ```
/// use data_pipeline::{Reason, Row, Step, Steps};
///
/// struct NoShouting;
///
/// impl Step for NoShouting {
///     fn name(&self) -> &'static str {
///         "no shouting"
///     }
///     fn apply(&self, mut row: Row) -> Result<Row, Reason> {
///         row.input = row.input.to_lowercase();
///         Ok(row)
///     }
/// }
///
/// let steps = Steps::new(vec![Box::new(NoShouting)]);
/// let quiet = steps.apply(Row { input: "LLUEVE".into(), ..Row::default() });
/// assert_eq!(quiet.unwrap().input, "llueve");
/// ```
pub trait Step: Send + Sync {
    /// What the step is called in reports.
    fn name(&self) -> &'static str;

    /// Passes the row on, perhaps changed.
    ///
    /// # Errors
    ///
    /// The reason why the row is dropped.
    fn apply(&self, row: Row) -> Result<Row, Reason>;
}

/// Why a row was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The record is no row: broken JSON, or no sentence or formula in it.
    Unreadable,
    /// The formula does not parse.
    FormulaDoesNotParse,
    /// A bracket of the formula has no partner.
    BracketsUnbalanced,
    /// There is no sentence.
    NoSentence,
    /// The glossary explains other atoms than the formula uses.
    AtomsDiffer,
    /// The pointing format has no room or no words for it.
    DoesNotFitFormat,
    /// The same sentence with the same formula came before.
    Repeated,
    /// The same sentence came before with another formula; the first one stays.
    SentenceHasAnotherFormula,
    /// Nearly the same sentence with an equivalent formula came before.
    NearlyRepeated,
    /// Shares the sentence, or five content words in a row, with the gold set.
    OverlapsGold,
    /// One of the too many rows with a trivial formula.
    TrivialFormula,
    /// Its degree of complexity has more than its share.
    ComplexityHasTooMany,
    /// Its block has more than its share.
    BlockHasTooMany,
    /// Its pattern or sentence belongs to another side of the split.
    BelongsToAnotherSide,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Unreadable => "the record is no row",
            Reason::FormulaDoesNotParse => "the formula does not parse",
            Reason::BracketsUnbalanced => "a bracket of the formula has no partner",
            Reason::NoSentence => "there is no sentence",
            Reason::AtomsDiffer => "the glossary and the formula have different atoms",
            Reason::DoesNotFitFormat => "too long for the format, or an atom is not in the sentence",
            Reason::Repeated => "the same sentence and formula came before",
            Reason::SentenceHasAnotherFormula => "the same sentence came before with another formula",
            Reason::NearlyRepeated => "nearly the same sentence came before, saying the same",
            Reason::OverlapsGold => "shares words with the gold set",
            Reason::TrivialFormula => "one trivial formula too many",
            Reason::ComplexityHasTooMany => "too many rows of its complexity",
            Reason::BlockHasTooMany => "too many rows of its block",
            Reason::BelongsToAnotherSide => "its pattern or sentence is kept for validation or test",
        })
    }
}

/// What a step did with the rows it saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    /// The step.
    pub name: String,
    /// How many rows came in.
    pub rows: usize,
    /// How many were dropped, by reason.
    pub dropped: BTreeMap<Reason, usize>,
}

impl StepReport {
    /// A report of no rows yet.
    pub fn new(name: &str) -> StepReport {
        StepReport { name: name.to_owned(), ..StepReport::default() }
    }

    /// How many rows came out.
    pub fn kept(&self) -> usize {
        self.rows - self.dropped.values().sum::<usize>()
    }

    pub(crate) fn count(&mut self, outcome: Result<(), Reason>) {
        self.rows += 1;
        if let Err(reason) = outcome {
            self.drop_for(reason);
        }
    }

    pub(crate) fn merge(&mut self, other: &StepReport) {
        self.rows += other.rows;
        for (reason, count) in &other.dropped {
            *self.dropped.entry(*reason).or_default() += count;
        }
    }

    fn drop_for(&mut self, reason: Reason) {
        *self.dropped.entry(reason).or_default() += 1;
    }
}

impl fmt::Display for StepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} of {} rows stay", self.name, self.kept(), self.rows)?;
        self.dropped.iter().try_for_each(|(reason, count)| write!(f, "\n  {count:>8}  {reason}"))
    }
}

/// Steps in a row.
pub struct Steps(Vec<Box<dyn Step>>);

/// Which step dropped a row, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The index of the step.
    pub step: usize,
    /// Its reason.
    pub reason: Reason,
}

impl Steps {
    /// The steps in the order in which rows pass them.
    pub fn new(steps: Vec<Box<dyn Step>>) -> Steps {
        Steps(steps)
    }

    /// Sends a row through all steps.
    ///
    /// # Errors
    ///
    /// The first step that drops it.
    pub fn apply(&self, mut row: Row) -> Result<Row, Dropped> {
        for (step, action) in self.0.iter().enumerate() {
            row = action.apply(row).map_err(|reason| Dropped { step, reason })?;
        }
        Ok(row)
    }

    /// A report a step, of no rows yet.
    pub fn reports(&self) -> StepReports {
        StepReports(self.0.iter().map(|step| StepReport::new(step.name())).collect())
    }
}

/// The reports of [`Steps`], to be counted up row by row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReports(pub Vec<StepReport>);

impl StepReports {
    /// Counts a row that all steps passed, or one that was dropped on the way.
    pub fn count(&mut self, dropped: Option<Dropped>) {
        let reached = dropped.map_or(self.0.len(), |dropped| dropped.step + 1);
        self.0.iter_mut().take(reached).for_each(|report| report.rows += 1);
        if let Some(Dropped { step, reason }) = dropped
            && let Some(report) = self.0.get_mut(step)
        {
            report.drop_for(reason);
        }
    }

    /// Adds what other rows came to in the same steps.
    pub fn merge(&mut self, others: &StepReports) {
        for (report, other) in self.0.iter_mut().zip(&others.0) {
            report.merge(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct DropEmpty;

    impl Step for DropEmpty {
        fn name(&self) -> &'static str {
            "drop empty"
        }
        fn apply(&self, row: Row) -> Result<Row, Reason> {
            if row.input.is_empty() { Err(Reason::DoesNotFitFormat) } else { Ok(row) }
        }
    }

    #[test]
    fn what_is_dropped_is_counted_and_later_steps_do_not_see_it() {
        let steps = Steps::new(vec![Box::new(DropEmpty), Box::new(DropEmpty)]);
        let mut reports = steps.reports();
        for input in ["a", ""] {
            reports.count(steps.apply(Row { input: input.into(), ..Row::default() }).err());
        }
        let [first, second] = reports.0.try_into().unwrap();
        assert_eq!((first.rows, first.kept()), (2, 1));
        assert_eq!((second.rows, second.kept()), (1, 1));
        assert!(first.to_string().starts_with("drop empty: 1 of 2 rows stay\n"));
    }
}
