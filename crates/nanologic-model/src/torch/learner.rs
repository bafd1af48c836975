//! The model as `self_learning` knows it: it answers, learns from rows, and can be set back.

use std::fs;
use std::path::Path;

use data_pipeline::{Row, Tokenizer};
use self_learning::{Attempt, Lesson};

use super::formalizer::Formalizer;
use super::sampling;
use super::stream::{Phase, Stream};
use super::trainer::Trainer;
use super::training::Training;
use crate::checkpoint::Checkpoint;
use crate::dataset::Dataset;
use crate::error::Error;

/// A model with its optimizer, that answers in the pointing format.
pub struct Learner {
    checkpoint: Checkpoint,
    tokenizer: Tokenizer,
    training: Training,
    /// Loaded on the first question after a lesson.
    formalizer: Option<Formalizer>,
}

impl Learner {
    /// The model of a checkpoint folder. `training` says how it learns: rates, schedule, tokens a step; steps and seed
    /// come with each lesson.
    ///
    /// # Errors
    /// As [`Checkpoint::load`]; [`Error::Tokenizer`] when the folder has none.
    pub fn load(folder: &Path, training: Training) -> Result<Learner, Error> {
        let tokenizer = load_tokenizer(folder)?;
        Ok(Learner { checkpoint: Checkpoint::load(folder)?, tokenizer, training, formalizer: None })
    }

    /// The model as it stands.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

impl self_learning::Learner for Learner {
    type Error = Error;

    fn attempt(
        &mut self,
        inputs: &[&str],
        sampling: &self_learning::Sampling,
    ) -> Result<Vec<Vec<Attempt>>, Error> {
        let formalizer = match &mut self.formalizer {
            Some(formalizer) => formalizer,
            none => {
                none.insert(Formalizer::new(&self.checkpoint, self.tokenizer.clone(), self.training.threads)?)
            }
        };
        let mut attempts = vec![Vec::new(); inputs.len()];
        for draw in 0..sampling.attempts as u64 {
            let settings = sampling::Sampling {
                temperature: sampling.temperature,
                seed: sampling.seed.wrapping_add(draw),
                ..sampling::Sampling::greedy()
            };
            for (of_input, reading) in attempts.iter_mut().zip(formalizer.read(inputs, &settings)?) {
                of_input.push(match reading {
                    Ok(reading) => Attempt { text: reading.text, confidence: reading.confidence },
                    Err(_) => Attempt { text: String::new(), confidence: 0.0 },
                });
            }
        }
        Ok(attempts)
    }

    fn learn(&mut self, rows: &[Row], lesson: &Lesson) -> Result<(), Error> {
        let training = Training { steps: lesson.steps, seed: lesson.seed, ..self.training.clone() };
        let mut trainer = Trainer::new(&self.checkpoint, training)?;
        let dataset = Dataset::of(rows, &self.tokenizer, self.checkpoint.config.max_seq);
        let phases = Phase::only(&dataset.sequences);
        let batches = Stream::new(&phases, trainer.training(), self.checkpoint.config.max_seq)?;
        for batch in batches.take(usize::try_from(lesson.steps).unwrap_or(usize::MAX)) {
            trainer.step(&batch)?;
        }
        self.checkpoint = trainer.model();
        self.formalizer = None;
        Ok(())
    }

    fn save(&mut self, folder: &Path) -> Result<(), Error> {
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent).map_err(Error::io(parent))?;
        }
        self.checkpoint.save_whole(folder)
    }

    fn restore(&mut self, folder: &Path) -> Result<(), Error> {
        self.tokenizer = load_tokenizer(folder)?;
        self.checkpoint = Checkpoint::load(folder)?;
        self.formalizer = None;
        Ok(())
    }
}

fn load_tokenizer(folder: &Path) -> Result<Tokenizer, Error> {
    Tokenizer::load(folder.join("tokenizer.json"))
        .map_err(|error| Error::Tokenizer { reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use self_learning::{Learner as _, Sampling};

    use super::*;
    use crate::{Config, Provenance, Weights};

    #[test]
    fn it_learns_answers_and_goes_back() {
        let folder = tempfile::tempdir().unwrap();
        let row: Row = serde_json::from_str(
            r#"{"input": "Si llueve, me mojo", "formula": "p → q", "atoms": {"p": "llueve", "q": "me mojo"}}"#,
        )
        .unwrap();
        let tokenizer = Tokenizer::train(["<0> Si<1> llueve<2> me<3> mojo p q r s t u v w +;"], 400).unwrap();
        let config = Config { vocab_size: tokenizer.vocab_size(), max_seq: 1024, ..Config::tiny() };
        let weights = Weights::init(&config, 1);
        let blank = folder.path().join("blank");
        Checkpoint { config, weights, tokenizer: None, training: None, provenance: Provenance::default() }
            .save(&blank)
            .unwrap();
        tokenizer.save(blank.join("tokenizer.json")).unwrap();

        let mut learner =
            Learner::load(&blank, Training { batch_tokens: 128, warmup_steps: 5, ..Training::default() })
                .unwrap();
        let before = learner.attempt(&[&row.input, ""], &Sampling::greedy()).unwrap();
        assert_eq!(before[1][0].text, "", "an empty sentence cannot be asked");
        learner.learn(std::slice::from_ref(&row), &Lesson { steps: 150, seed: 1 }).unwrap();
        let after =
            learner.attempt(&[&row.input], &Sampling { attempts: 2, temperature: 0.1, seed: 1 }).unwrap();
        assert_eq!(after[0].len(), 2);
        assert_eq!(after[0][0].text, "→ p q<|atoms|><1><1>;<3><4>");
        assert!(after[0][0].confidence > before[0][0].confidence);

        let taught = folder.path().join("taught");
        learner.save(&taught).unwrap();
        let model = learner.checkpoint().clone();
        learner.restore(&blank).unwrap();
        assert_ne!(*learner.checkpoint(), model);
        assert_eq!(learner.attempt(&[&row.input, ""], &Sampling::greedy()).unwrap(), before);
        learner.restore(&taught).unwrap();
        assert_eq!(learner.checkpoint().weights, model.weights);
    }
}
