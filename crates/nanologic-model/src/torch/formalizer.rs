//! Sentences in, formulas out: tokenizer, generator and grammar together.

use std::collections::BTreeMap;
use std::path::Path;

use data_pipeline::Tokenizer;
use data_pipeline::format::{Answer, FormatError, Pointing, ReadError};
use data_pipeline::reader::Spanish;

use super::generate::{Generated, Generator, Prompt};
use super::sampling::Sampling;
use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::grammar::{AnswerTokens, PointingGrammar};

/// A model that reads sentences.
pub struct Formalizer {
    generator: Generator,
    tokenizer: Tokenizer,
    tokens: AnswerTokens,
}

/// What the model made of a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The answer as the model wrote it, without the end mark.
    pub text: String,
    /// The answer read back, with one letter for atoms that say the same.
    pub answer: Answer,
    /// The model's probability of the whole answer, from 0 to 1.
    pub probability: f64,
    /// The model's probability of the formula, whatever words it points at for its atoms, from 0 to 1: the formula is
    /// said first.
    pub formula_probability: f64,
    /// Geometric mean of the probabilities of the answer's tokens, from 0 to 1.
    pub confidence: f64,
}

/// Why a sentence got no reading.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unread {
    /// The sentence cannot be asked.
    #[error(transparent)]
    Question(#[from] FormatError),
    /// The sentence is longer than the model takes.
    #[error("the sentence has {found} tokens, the model takes {max}")]
    TooLong {
        /// Its tokens as a prompt.
        found: usize,
        /// The most that leave room for an answer.
        max: usize,
    },
    /// The answer cannot be read.
    #[error(transparent)]
    Answer(#[from] ReadError),
}

impl Formalizer {
    /// Reads a checkpoint folder with its tokenizer.
    ///
    /// # Errors
    /// As [`Checkpoint::load`]; [`Error::Tokenizer`].
    pub fn load(folder: &Path, threads: usize) -> Result<Formalizer, Error> {
        let tokenizer = Tokenizer::load(folder.join("tokenizer.json"))
            .map_err(|error| Error::Tokenizer { reason: error.to_string() })?;
        Formalizer::new(&Checkpoint::load(folder)?, tokenizer, threads)
    }

    /// The model of a checkpoint with a tokenizer.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] when the two do not belong together; as [`Generator::new`].
    pub fn new(checkpoint: &Checkpoint, tokenizer: Tokenizer, threads: usize) -> Result<Formalizer, Error> {
        if tokenizer.vocab_size() > checkpoint.config.vocab_size {
            let (found, most) = (tokenizer.vocab_size(), checkpoint.config.vocab_size);
            let reason = format!("it has {found} tokens, the model {most}");
            return Err(Error::Tokenizer { reason });
        }
        let tokens = AnswerTokens::new(&tokenizer)?;
        Ok(Formalizer { generator: Generator::new(checkpoint, threads)?, tokenizer, tokens })
    }

    /// Reads every sentence once; answers stand in the order of the sentences, and can always be parsed.
    ///
    /// # Errors
    /// When the model cannot be run. What is wrong with one sentence is in its place.
    pub fn read(
        &mut self,
        inputs: &[&str],
        sampling: &Sampling,
    ) -> Result<Vec<Result<Reading, Unread>>, Error> {
        let Formalizer { generator, tokenizer, tokens } = self;
        let (asked, prompts) = ask(tokenizer, tokens, inputs, room(generator, sampling.max_tokens));
        let mut generated = generator.generate(prompts, sampling)?.into_iter();
        let readings = asked.into_iter().zip(inputs).map(|(asked, input)| {
            asked?;
            let generated = generated.next().expect("one answer a prompt");
            reading(tokenizer, tokens, input, generated)
        });
        Ok(readings.collect())
    }

    /// The formulas of the likeliest `n` answers to every sentence, likeliest first, at least one. Answers that differ
    /// only in the words of their atoms count as one, the likeliest of them; of the others, those that leave words of the
    /// sentence unsaid give way.
    ///
    /// # Errors
    /// As [`read`](Formalizer::read).
    pub fn alternatives(
        &mut self,
        inputs: &[&str],
        n: usize,
    ) -> Result<Vec<Result<Vec<Reading>, Unread>>, Error> {
        let max_tokens = Sampling::greedy().max_tokens;
        let Formalizer { generator, tokenizer, tokens } = self;
        let (asked, prompts) = ask(tokenizer, tokens, inputs, room(generator, max_tokens));
        let mut generated = generator.likeliest(prompts, n.max(1), max_tokens)?.into_iter();
        let readings = asked.into_iter().zip(inputs).map(|(asked, input)| {
            asked?;
            let generated = generated.next().expect("one list of answers a prompt");
            let read = |generated| reading(tokenizer, tokens, input, generated);
            let mut formulas = by_formula(generated.into_iter().map(read).collect::<Result<_, _>>()?);
            prefer_whole(input, &mut formulas);
            Ok(formulas)
        });
        Ok(readings.collect())
    }
}

/// Most tokens of a prompt.
fn room(generator: &Generator, max_tokens: usize) -> usize {
    generator.max_seq().saturating_sub(max_tokens)
}

/// For each sentence whether it can be asked, and the prompts of those that can.
fn ask<'t>(
    tokenizer: &Tokenizer,
    tokens: &'t AnswerTokens,
    inputs: &[&str],
    max: usize,
) -> (Vec<Result<(), Unread>>, Vec<Prompt<PointingGrammar<'t>>>) {
    let mut prompts = Vec::new();
    let ask = |input: &&str| {
        let ids = tokenizer.encode(&Pointing::prompt(input)?);
        let found = ids.len();
        if found > max {
            return Err(Unread::TooLong { found, max });
        }
        let words = data_pipeline::words(input).len();
        prompts.push(Prompt { ids, constraint: PointingGrammar::new(tokens, words) });
        Ok(())
    };
    (inputs.iter().map(ask).collect(), prompts)
}

/// One reading for each formula, likeliest first; given likeliest first. What the model says in one way can mean two
/// formulas, as atoms with the same words are one: each gets its part of the probability, by the answers found.
fn by_formula(readings: Vec<Reading>) -> Vec<Reading> {
    let mut found: BTreeMap<String, f64> = BTreeMap::new();
    let said = |reading: Reading| {
        let formula = reading.text.split("<|atoms|>").next().unwrap_or_default().to_owned();
        *found.entry(formula.clone()).or_default() += reading.probability;
        (formula, reading)
    };
    let readings: Vec<(String, Reading)> = readings.into_iter().map(said).collect();
    let mut formulas: Vec<Reading> = Vec::new();
    for (said, mut reading) in readings {
        reading.formula_probability *= reading.probability / found[&said];
        match formulas.iter_mut().find(|known| known.answer.formula == reading.answer.formula) {
            Some(known) => known.formula_probability += reading.formula_probability,
            None => formulas.push(reading),
        }
    }
    formulas.sort_by(|a, b| b.formula_probability.total_cmp(&a.formula_probability));
    formulas
}

/// Moves probability to answers that leave fewer of the sentence's words unsaid: a factor e for each word. What a model
/// that has met many clauses twice takes for a repetition is often a clause that only looks like another.
fn prefer_whole(input: &str, formulas: &mut [Reading]) {
    let sum = |formulas: &[Reading]| formulas.iter().map(|reading| reading.formula_probability).sum::<f64>();
    let before = sum(formulas);
    for reading in formulas.iter_mut() {
        reading.formula_probability *= (-(reading.answer.words_left(input) as f64)).exp();
    }
    let after = sum(formulas);
    if after > 0.0 {
        formulas.iter_mut().for_each(|reading| reading.formula_probability *= before / after);
    }
    formulas.sort_by(|a, b| b.formula_probability.total_cmp(&a.formula_probability));
}

fn reading(
    tokenizer: &Tokenizer,
    tokens: &AnswerTokens,
    input: &str,
    generated: Generated,
) -> Result<Reading, Unread> {
    let Generated { ids, log_probabilities } = &generated;
    let text = tokenizer.decode(ids.strip_suffix(&[tokens.eos()]).unwrap_or(ids));
    let formula = ids.iter().position(|&id| id == tokens.atoms()).map_or(ids.len(), |at| at + 1);
    Ok(Reading {
        answer: Pointing::read(input, &text)?.merge_atoms(|one, other| Spanish.same(one, other)),
        probability: generated.log_probability().exp(),
        formula_probability: log_probabilities[..formula].iter().sum::<f64>().exp(),
        confidence: (generated.log_probability() / ids.len().max(1) as f64).exp(),
        text,
    })
}
