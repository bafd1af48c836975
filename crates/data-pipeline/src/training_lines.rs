//! The shortest way from somebody's rows to lines that a trainer reads: parse, clean, drop repeats, format.

use std::{fmt, io::Write as _, path::Path};

use crate::{
    CorpusError, NotesRecord, Reason, Record, StepReport,
    clean::WellFormed,
    dedup::{Distinct, Exact},
    format::Sections,
    records,
    rows::write_atomically,
    step::Step as _,
    stream::in_order,
};

/// What became of the rows, step by step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingLines {
    /// What each step did, in order.
    pub steps: Vec<StepReport>,
}

impl TrainingLines {
    /// How many lines were written.
    pub fn written(&self) -> usize {
        self.steps.last().map_or(0, StepReport::kept)
    }
}

impl fmt::Display for TrainingLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

/// Reads rows in any form that [`read_rows`](crate::read_rows) knows, cleans them, keeps the first of all rows with the
/// same sentence, and writes each as a record with its training line (`{"sequence": …}`). Memory is two chunks of rows
/// and 16 bytes for every line written.
///
/// ```
/// use data_pipeline::{format::Sections, training_lines};
///
/// let folder = tempfile::tempdir()?;
/// let (from, to) = (folder.path().join("dataset.json"), folder.path().join("train.jsonl"));
/// std::fs::write(&from, r#"[{"input": "Si llueve  me mojo", "formula": "(p) -> q", "atoms": {"p": "llueve", "q": "me mojo"}},
///                           {"input": "Llueve", "formula": "(p", "atoms": {"p": "llueve"}}]"#)?;
/// let done = training_lines(&from, &to, Sections::WithoutThought)?;
/// assert_eq!(done.written(), 1);
/// assert!(std::fs::read_to_string(&to)?.contains("<|formula|> p → q <|eos|>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`CorpusError::Read`], [`CorpusError::Io`]; the file then stays as it was.
pub fn training_lines(from: &Path, to: &Path, sections: Sections) -> Result<TrainingLines, CorpusError> {
    let [mut read, mut clean, mut format, mut repeats] =
        ["read", WellFormed.name(), "format", Exact::NAME].map(StepReport::new);
    let mut exact = Exact::default();
    type Line = (Vec<u8>, <Exact as Distinct>::Key);
    /// How far a record came, and why no further.
    struct Stopped(usize, Reason);
    let line = |record: Record| -> Result<Line, Stopped> {
        let row = record.into_row(from).map_err(|_| Stopped(0, Reason::Unreadable))?;
        let (row, formula) = WellFormed.read(row).map_err(|reason| Stopped(1, reason))?;
        let sequence = sections.sequence_of(&row, &formula);
        let record = NotesRecord::of(&row, sequence.map_err(|_| Stopped(2, Reason::DoesNotFitFormat))?);
        let mut line = Vec::with_capacity(512);
        serde_json::to_writer(&mut line, &record).map_err(|_| Stopped(2, Reason::DoesNotFitFormat))?;
        line.push(b'\n');
        Ok((line, Exact::key(&row)))
    };
    let records = records(from)?.map(|record| Ok::<_, CorpusError>(record?));
    write_atomically(to, |file| {
        let take = |chunk: Vec<Result<Line, Stopped>>| -> Result<(), CorpusError> {
            for line in chunk {
                let (reached, outcome) = match &line {
                    Ok(_) => (3, Ok(())),
                    Err(Stopped(step, reason)) => (*step, Err(*reason)),
                };
                for (step, report) in [&mut read, &mut clean, &mut format].into_iter().enumerate() {
                    if step <= reached {
                        report.count(if step == reached { outcome } else { Ok(()) });
                    }
                }
                if let Ok((line, key)) = line {
                    let admitted = exact.admit(key);
                    repeats.count(admitted);
                    if admitted.is_ok() {
                        file.write_all(&line)?;
                    }
                }
            }
            Ok(())
        };
        in_order(records, line, take)
    })?;
    Ok(TrainingLines { steps: vec![read, clean, format, repeats] })
}
