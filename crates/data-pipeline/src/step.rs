//! One step of the pipeline: a row goes in and comes out, or is dropped for a reason that is counted.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::Row;

/// Something done to every row in turn.
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
///     fn apply(&mut self, mut row: Row) -> Result<Row, Reason> {
///         row.input = row.input.to_lowercase();
///         Ok(row)
///     }
/// }
///
/// let mut steps = Steps::new(vec![Box::new(NoShouting)]);
/// let quiet = steps.apply(Row { input: "LLUEVE".into(), ..Row::default() });
/// assert_eq!(quiet.unwrap().input, "llueve");
/// ```
pub trait Step: Send {
    /// What the step is called in reports.
    fn name(&self) -> &'static str;

    /// Passes the row on, perhaps changed.
    ///
    /// # Errors
    ///
    /// The reason why the row is dropped.
    fn apply(&mut self, row: Row) -> Result<Row, Reason>;
}

/// Why a row was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The formula does not parse.
    FormulaDoesNotParse,
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
            Reason::FormulaDoesNotParse => "the formula does not parse",
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

    pub(crate) fn drop_for(&mut self, reason: Reason) {
        *self.dropped.entry(reason).or_default() += 1;
    }
}

impl fmt::Display for StepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} of {} rows stay", self.name, self.kept(), self.rows)?;
        self.dropped.iter().try_for_each(|(reason, count)| write!(f, "\n  {count:>8}  {reason}"))
    }
}

/// Steps in a row, each with its report. One row is in flight at a time, so memory is what the steps remember.
pub struct Steps {
    steps: Vec<(Box<dyn Step>, StepReport)>,
}

impl Steps {
    /// The steps in the order in which rows pass them.
    pub fn new(steps: Vec<Box<dyn Step>>) -> Steps {
        let with_report = |step: Box<dyn Step>| {
            let report = StepReport::new(step.name());
            (step, report)
        };
        Steps { steps: steps.into_iter().map(with_report).collect() }
    }

    /// Sends a row through all steps; `None` if one of them dropped it.
    pub fn apply(&mut self, mut row: Row) -> Option<Row> {
        for (step, report) in &mut self.steps {
            report.rows += 1;
            row = step.apply(row).map_err(|reason| report.drop_for(reason)).ok()?;
        }
        Some(row)
    }

    /// What the steps have done so far.
    pub fn reports(&self) -> Vec<StepReport> {
        self.steps.iter().map(|(_, report)| report.clone()).collect()
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
        fn apply(&mut self, row: Row) -> Result<Row, Reason> {
            if row.input.is_empty() { Err(Reason::DoesNotFitFormat) } else { Ok(row) }
        }
    }

    #[test]
    fn what_is_dropped_is_counted_and_later_steps_do_not_see_it() {
        let mut steps = Steps::new(vec![Box::new(DropEmpty), Box::new(DropEmpty)]);
        let full = Row { input: "a".into(), ..Row::default() };
        assert_eq!(steps.apply(full.clone()), Some(full));
        assert_eq!(steps.apply(Row::default()), None);
        let [first, second] = steps.reports().try_into().unwrap();
        assert_eq!((first.rows, first.kept()), (2, 1));
        assert_eq!((second.rows, second.kept()), (1, 1));
        assert!(first.to_string().starts_with("drop empty: 1 of 2 rows stay\n"));
    }
}
