//! Growing up: seven stages, each with what must be shown before the next.
//!
//! The stages are data (`data/stages.json`), to be edited or replaced. The guides disagree on ages 2 and 15; here every age lies
//! in one stage. A learner advances by examples *and* accuracy, one stage at a time; that it then grows is the caller's
//! affair, and the reason why an advance is returned and not just noted.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk::{create_folder, read_json, write_json};
use crate::{Error, Result};

/// One stage, and what must be shown to leave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// First age in years.
    pub from_age: u8,
    /// Last age in years; none for the last stage.
    pub to_age: Option<u8>,
    /// Its name.
    pub name: String,
    /// What the learner can do.
    pub description: String,
    /// What it learns.
    pub learns: Vec<String>,
    /// Tokens of context.
    pub context: usize,
    /// Examples to learn in this stage.
    pub min_examples: usize,
    /// Accuracy to reach, a fraction.
    pub min_accuracy: f64,
    /// How long answers are.
    pub answers: String,
    /// File of its examples.
    pub dataset: String,
}

impl Stage {
    /// The guide's seven stages.
    pub fn all() -> Vec<Stage> {
        serde_json::from_str(include_str!("../data/stages.json"))
            .expect("a file of this crate, read by its tests")
    }
}

/// How far a learner has come, kept in `cognitive_progress.json`.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// use self_learning::{Development, Stage};
/// let mut development = Development::open(&folder.path().join("cognitive_progress.json"), "1.5b", Stage::all())?;
/// assert!(development.trained(60, 0.9, 0)?.is_none());
/// let advance = development.trained(60, 0.72, 3600)?.unwrap();
/// assert_eq!((advance.from.as_str(), advance.to.as_str()), ("Recién Nacido", "Infante"));
/// assert_eq!(development.model_name(), "thau-1.5b-v3");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Development {
    path: PathBuf,
    stages: Vec<Stage>,
    progress: Progress,
}

/// What the file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Progress {
    size: String,
    stage: usize,
    sessions: Vec<Session>,
}

/// One training, examined after it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Session {
    stage: usize,
    examples: usize,
    accuracy: f64,
    unix_seconds: u64,
    advanced: bool,
}

/// A stage left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advance {
    /// The stage left.
    pub from: String,
    /// The stage entered.
    pub to: String,
    /// Its first age: what to grow to.
    pub age: u8,
}

/// The figures that the guide watches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Indicators {
    /// First age of the stage.
    pub current_age: u8,
    /// Examples of this stage as a percentage of those needed, at most 100.
    pub progress_pct: f64,
    /// Change of accuracy from the first to the last session of this stage; none before two.
    pub accuracy_trend: Option<f64>,
    /// Examples a day, over all sessions; none before two.
    pub examples_per_day: Option<f64>,
    /// Mean time between advances in seconds; none before two.
    pub seconds_between_advances: Option<f64>,
}

impl Development {
    /// Goes on with what the file holds, or begins at the first stage with a model of this size.
    ///
    /// # Errors
    /// When the file cannot be used, or there is no stage.
    pub fn open(path: &Path, size: &str, stages: Vec<Stage>) -> Result<Development> {
        create_folder(path.parent().unwrap_or(Path::new(".")))?;
        let fresh = Progress { size: size.to_owned(), stage: 0, sessions: Vec::new() };
        let progress: Progress = read_json(path)?.unwrap_or(fresh);
        if progress.stage >= stages.len() {
            return Err(Error::Setting {
                setting: "stage",
                range: "the stages given",
                found: progress.stage as f64,
            });
        }
        Ok(Development { path: path.to_owned(), stages, progress })
    }

    /// The stage it is in.
    pub fn stage(&self) -> &Stage {
        &self.stages[self.progress.stage]
    }

    /// Notes a training on so many examples, with the accuracy examined after it; advances when both suffice, by one stage.
    /// The last stage is kept up, never left.
    ///
    /// # Errors
    /// When the file cannot be written; then nothing is noted.
    pub fn trained(&mut self, examples: usize, accuracy: f64, unix_seconds: u64) -> Result<Option<Advance>> {
        let mut progress = self.progress.clone();
        let stage = progress.stage;
        let enough =
            self.examples() + examples >= self.stage().min_examples && accuracy >= self.stage().min_accuracy;
        let advanced = enough && stage + 1 < self.stages.len();
        progress.sessions.push(Session { stage, examples, accuracy, unix_seconds, advanced });
        progress.stage += usize::from(advanced);
        write_json(&self.path, &progress)?;
        self.progress = progress;
        Ok(advanced.then(|| Advance {
            from: self.stages[stage].name.clone(),
            to: self.stage().name.clone(),
            age: self.stage().from_age,
        }))
    }

    /// Back to age 0, with nothing noted.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn reset(&mut self) -> Result<()> {
        let progress = Progress { size: self.progress.size.clone(), stage: 0, sessions: Vec::new() };
        write_json(&self.path, &progress)?;
        self.progress = progress;
        Ok(())
    }

    /// `thau-SIZE-vN`, one version a training after the first.
    pub fn model_name(&self) -> String {
        format!("thau-{}-v{}", self.progress.size, self.progress.sessions.len() + 1)
    }

    /// Examples learned in this stage.
    pub fn examples(&self) -> usize {
        let here = self.sessions_here();
        here.map(|session| session.examples).sum()
    }

    /// Accuracy of the last session in this stage.
    pub fn accuracy(&self) -> Option<f64> {
        self.sessions_here().last().map(|session| session.accuracy)
    }

    fn sessions_here(&self) -> impl Iterator<Item = &Session> {
        self.progress.sessions.iter().filter(|session| session.stage == self.progress.stage)
    }

    /// The figures that the guide watches.
    pub fn indicators(&self) -> Indicators {
        let sessions = &self.progress.sessions;
        let accuracies: Vec<f64> = self.sessions_here().map(|session| session.accuracy).collect();
        let trend = |values: &[f64]| Some(values.last()? - values.first()?).filter(|_| values.len() > 1);
        let advances: Vec<f64> = sessions
            .iter()
            .filter(|session| session.advanced)
            .map(|session| session.unix_seconds as f64)
            .collect();
        let span = sessions
            .last()
            .zip(sessions.first())
            .map_or(0.0, |(last, first)| last.unix_seconds.saturating_sub(first.unix_seconds) as f64);
        let examples: usize = sessions.iter().map(|session| session.examples).sum();
        Indicators {
            current_age: self.stage().from_age,
            progress_pct: (100.0 * self.examples() as f64 / self.stage().min_examples.max(1) as f64)
                .min(100.0),
            accuracy_trend: trend(&accuracies),
            examples_per_day: (span > 0.0).then(|| examples as f64 * 86_400.0 / span),
            seconds_between_advances: trend(&advances).map(|span| span / (advances.len() - 1) as f64),
        }
    }
}

/// The status as the guide prints it.
impl fmt::Display for Development {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = self.stage();
        let examples = self.examples();
        let missing = stage.min_examples.saturating_sub(examples);
        let accuracy = self.accuracy().unwrap_or(0.0);
        let verdict = if self.progress.stage + 1 == self.stages.len() {
            "No (es la última edad)".to_owned()
        } else if missing > 0 {
            format!("No (faltan {missing} ejemplos)")
        } else if accuracy < stage.min_accuracy {
            format!("No (falta {:.0}% de accuracy)", (100.0 * (stage.min_accuracy - accuracy)).ceil())
        } else {
            "Sí".to_owned()
        };
        let total: usize = self.progress.sessions.iter().map(|session| session.examples).sum();
        writeln!(f, "Modelo: {}", self.model_name())?;
        writeln!(f, "Tamaño: {}", self.progress.size)?;
        writeln!(f, "Versión: v{}", self.progress.sessions.len() + 1)?;
        writeln!(f, "\nDesarrollo Cognitivo:")?;
        writeln!(f, "  Edad: {} años ({})", stage.from_age, stage.name)?;
        writeln!(f, "  Descripción: {}", stage.description)?;
        writeln!(f, "\nProgreso:")?;
        let percent = self.indicators().progress_pct;
        writeln!(f, "  Ejemplos en esta edad: {examples} / {} ({percent:.0}%)", stage.min_examples)?;
        writeln!(f, "  Accuracy actual: {:.0}%", 100.0 * accuracy)?;
        writeln!(f, "  Accuracy requerida: {:.0}%", 100.0 * stage.min_accuracy)?;
        writeln!(f, "  Puede avanzar: {verdict}")?;
        writeln!(f, "\nTotal ejemplos: {total}")?;
        writeln!(f, "Entrenamientos completados: {}", self.progress.sessions.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn open(folder: &Path) -> Development {
        Development::open(&folder.join("cognitive_progress.json"), "1.5b", Stage::all()).unwrap()
    }

    #[test]
    fn every_age_lies_in_one_stage() {
        let stages = Stage::all();
        let ends: Vec<_> = stages.iter().map(|stage| (stage.from_age, stage.to_age)).collect();
        assert_eq!(
            ends,
            [
                (0, Some(0)),
                (1, Some(2)),
                (3, Some(5)),
                (6, Some(10)),
                (11, Some(12)),
                (13, Some(14)),
                (15, None)
            ]
        );
        assert!(stages.windows(2).all(|pair| pair[0].min_accuracy < pair[1].min_accuracy));
    }

    #[test]
    fn examples_alone_or_accuracy_alone_do_not_advance() {
        let folder = tempfile::tempdir().unwrap();
        let mut development = open(folder.path());
        assert!(development.trained(500, 0.69, 0).unwrap().is_none());
        let advance = development.trained(0, 0.7, 1).unwrap().unwrap();
        assert_eq!(advance.age, 1);
        assert!(development.trained(199, 1.0, 2).unwrap().is_none());
        // Reopened, it goes on; many examples advance by one stage, not by two.
        let mut development = open(folder.path());
        assert_eq!(development.trained(9000, 1.0, 3).unwrap().unwrap().to, "Niño Pequeño");
    }

    #[test]
    fn the_status_reads_as_in_the_guide() {
        let folder = tempfile::tempdir().unwrap();
        let mut development = open(folder.path());
        for (examples, accuracy) in [(100, 0.7), (200, 0.75), (350, 0.82)] {
            development.trained(examples, accuracy, 0).unwrap();
        }
        expect![[r#"
            Modelo: thau-1.5b-v4
            Tamaño: 1.5b
            Versión: v4

            Desarrollo Cognitivo:
              Edad: 3 años (Niño Pequeño)
              Descripción: Razonamiento simple. Puede explicar conceptos básicos con ejemplos.

            Progreso:
              Ejemplos en esta edad: 350 / 500 (70%)
              Accuracy actual: 82%
              Accuracy requerida: 80%
              Puede avanzar: No (faltan 150 ejemplos)

            Total ejemplos: 650
            Entrenamientos completados: 3
        "#]]
        .assert_eq(&development.to_string());
    }

    #[test]
    fn the_last_stage_is_never_left_and_reset_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut development = open(folder.path());
        for day in 0..9 {
            development.trained(5000, 1.0, day * 86_400).unwrap();
        }
        assert_eq!(development.stage().name, "Adulto");
        let indicators = development.indicators();
        assert_eq!(indicators.examples_per_day, Some(45_000.0 / 8.0));
        assert_eq!(indicators.seconds_between_advances, Some(86_400.0));
        assert_eq!((indicators.current_age, indicators.progress_pct), (15, 100.0));
        development.reset().unwrap();
        assert_eq!(open(folder.path()).stage().name, "Recién Nacido");
    }
}
