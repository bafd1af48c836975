//! Answering and learning: what the loop asks of a model.

use std::error::Error;
use std::path::Path;

use data_pipeline::Row;

/// A model that answers, learns from rows, and can be set back to what it was.
///
/// The loop never sees weights. It hands over sentences and gets text; it hands over rows and a number of steps; and it
/// names folders. Two learners restored from the same folder and given the same calls must behave the same.
///
/// ```
/// use std::{collections::BTreeMap, convert::Infallible, fs, io, path::Path};
/// use data_pipeline::Row;
/// use self_learning::{Attempt, Learner, Lesson, Sampling};
///
/// /// Learns by heart.
/// #[derive(Default)]
/// struct Parrot(BTreeMap<String, String>);
///
/// impl Learner for Parrot {
///     type Error = io::Error;
///     fn attempt(&mut self, inputs: &[&str], sampling: &Sampling) -> io::Result<Vec<Vec<Attempt>>> {
///         let answer = |input: &&str| match self.0.get(*input) {
///             Some(text) => Attempt { text: text.clone(), confidence: 1.0 },
///             None => Attempt { text: String::new(), confidence: 0.0 },
///         };
///         Ok(inputs.iter().map(|input| vec![answer(input); sampling.attempts]).collect())
///     }
///     fn learn(&mut self, rows: &[Row], lesson: &Lesson) -> io::Result<()> {
///         let seen = rows.iter().cycle().take(lesson.steps as usize);
///         self.0.extend(seen.map(|row| (row.input.clone(), row.formula.clone())));
///         Ok(())
///     }
///     fn save(&mut self, folder: &Path) -> io::Result<()> {
///         fs::create_dir_all(folder)?;
///         fs::write(folder.join("parrot.json"), serde_json::to_vec(&self.0)?)
///     }
///     fn restore(&mut self, folder: &Path) -> io::Result<()> {
///         self.0 = serde_json::from_slice(&fs::read(folder.join("parrot.json"))?)?;
///         Ok(())
///     }
/// }
/// # let mut parrot = Parrot::default();
/// # let row: Row = serde_json::from_str(r#"{"input": "Llueve.", "formula": "p"}"#)?;
/// # parrot.learn(&[row], &Lesson { steps: 1, seed: 0 })?;
/// # assert_eq!(parrot.attempt(&["Llueve."], &Sampling::greedy())?[0][0].text, "p");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Learner {
    /// What can go wrong in the model.
    type Error: Error + Send + Sync + 'static;

    /// Answers every input `sampling.attempts` times: one list of attempts per input, in the order of the inputs.
    ///
    /// An input that the model cannot take (too long, say) gets attempts with empty text, which no judge accepts; an
    /// error is for what stops the run.
    ///
    /// # Errors
    /// When the model cannot be run.
    fn attempt(&mut self, inputs: &[&str], sampling: &Sampling) -> Result<Vec<Vec<Attempt>>, Self::Error>;

    /// Takes `lesson.steps` optimizer steps on batches drawn from `rows`, from wherever the optimizer stands.
    ///
    /// The rows are already mixed and may hold fewer or more tokens than the steps consume: the learner goes through
    /// them again, shuffled by the seed, or stops early in them.
    ///
    /// # Errors
    /// When training fails or no row can be used.
    fn learn(&mut self, rows: &[Row], lesson: &Lesson) -> Result<(), Self::Error>;

    /// Writes all that [`restore`](Learner::restore) needs into the folder, which need not exist.
    ///
    /// # Errors
    /// When the folder cannot be written.
    fn save(&mut self, folder: &Path) -> Result<(), Self::Error>;

    /// Becomes the model that was saved in the folder, optimizer included.
    ///
    /// # Errors
    /// When the folder cannot be read or holds another kind of model.
    fn restore(&mut self, folder: &Path) -> Result<(), Self::Error>;
}

/// One answer of a model, as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// What the model wrote after the prompt, with its special tokens and without the end mark; empty when it could not
    /// answer.
    pub text: String,
    /// Probability of the answer's tokens: their geometric mean, from 0 to 1.
    pub confidence: f64,
}

/// How to draw attempts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Answers per input.
    pub attempts: usize,
    /// Softmax temperature; 0 takes the likeliest token every time.
    pub temperature: f64,
    /// Seed of the draws.
    pub seed: u64,
}

impl Sampling {
    /// The one likeliest answer.
    pub fn greedy() -> Sampling {
        Sampling { attempts: 1, temperature: 0.0, seed: 0 }
    }
}

/// How much to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// Optimizer steps to take; their size in tokens is the learner's own setting.
    pub steps: u64,
    /// Seed of the order of the rows.
    pub seed: u64,
}
