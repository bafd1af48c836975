//! Does the file compute what the checkpoint computes?

use std::fmt;

use serde::Serialize;

use crate::forward::GgufModel;
use crate::{Error, GgufFile};

/// What the checkpoint computes, by the caller's own means.
///
/// Any function from tokens to logits is one:
/// ```
/// use gguf_export::Forward;
///
/// let uniform = |tokens: &[u32]| Ok(vec![0.0; tokens.len() * 8]);
/// assert_eq!(uniform.logits(&[1, 2]).unwrap().len(), 16);
/// ```
pub trait Forward {
    /// The logits after each token, row-major `(tokens, vocabulary)`.
    ///
    /// # Errors
    /// Whatever keeps the model from answering.
    fn logits(&self, tokens: &[u32]) -> Result<Vec<f64>, Box<dyn std::error::Error + Send + Sync>>;
}

impl<F> Forward for F
where
    F: Fn(&[u32]) -> Result<Vec<f64>, Box<dyn std::error::Error + Send + Sync>>,
{
    fn logits(&self, tokens: &[u32]) -> Result<Vec<f64>, Box<dyn std::error::Error + Send + Sync>> {
        self(tokens)
    }
}

/// A text, and the ids that the checkpoint's own tokenizer gives it, special tokens spelled out and nothing added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokenized {
    /// The text.
    pub text: String,
    /// Its ids.
    pub tokens: Vec<u32>,
}

/// Largest difference between two logits, relative to the largest logit, that rounding to f32 explains.
pub const ROUNDING: f64 = 1e-4;

/// How far two models' logits are apart on the same tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Proof {
    /// Probe sequences compared.
    pub sequences: usize,
    /// Tokens compared: each is one row of logits.
    pub tokens: usize,
    /// Largest difference of two logits.
    pub max_logit_difference: f64,
    /// Largest logit of the checkpoint, by magnitude.
    pub max_logit: f64,
    /// Share of the tokens after which both say the same next token.
    pub top1_agreement: f64,
    /// Mean Kullback-Leibler divergence of the file's next-token distribution from the checkpoint's, nats per token.
    pub mean_kl: f64,
}

impl Proof {
    /// The largest difference relative to the largest logit.
    pub fn relative_difference(&self) -> f64 {
        if self.max_logit_difference == 0.0 { 0.0 } else { self.max_logit_difference / self.max_logit }
    }

    /// Is the difference no more than rounding?
    pub fn is_exact(&self) -> bool {
        self.tokens > 0 && self.relative_difference() <= ROUNDING
    }

    /// Takes in the logits after some tokens of one sequence, row-major `(tokens, vocabulary)`: those that should be,
    /// and those found.
    ///
    /// # Errors
    /// [`Error::Shape`] if they are not equally many or no whole number of rows.
    pub fn compare(&mut self, vocab_size: usize, expected: &[f64], found: &[f64]) -> Result<(), Error> {
        if expected.len() != found.len() || !expected.len().is_multiple_of(vocab_size.max(1)) {
            let name = "logits".to_owned();
            return Err(Error::Shape { name, expected: vec![expected.len()], found: vec![found.len()] });
        }
        let (mut agreed, mut kl) =
            (self.top1_agreement * self.tokens as f64, self.mean_kl * self.tokens as f64);
        for (expected, found) in expected.chunks_exact(vocab_size).zip(found.chunks_exact(vocab_size)) {
            for (e, f) in expected.iter().zip(found) {
                let difference = (e - f).abs();
                // A NaN is as far off as can be.
                let difference = if difference.is_nan() { f64::INFINITY } else { difference };
                self.max_logit_difference = self.max_logit_difference.max(difference);
                self.max_logit = self.max_logit.max(e.abs());
            }
            agreed += f64::from(u8::from(argmax(expected) == argmax(found)));
            kl += divergence(expected, found);
            self.tokens += 1;
        }
        self.sequences += 1;
        let tokens = self.tokens.max(1) as f64;
        (self.top1_agreement, self.mean_kl) = (agreed / tokens, kl / tokens);
        Ok(())
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} sequences, {} tokens: largest logit difference {:.2e} of {:.3}, same top token {:.2} %, KL {:.2e} nats",
            self.sequences,
            self.tokens,
            self.max_logit_difference,
            self.max_logit,
            100.0 * self.top1_agreement,
            self.mean_kl,
        )
    }
}

/// Runs a file and the checkpoint's forward over the same token sequences.
///
/// # Errors
/// [`Error::Forward`] if the forward fails, and what [`GgufModel`] says of a file that is not whole.
pub fn compare(file: &GgufFile, forward: &dyn Forward, probes: &[Vec<u32>]) -> Result<Proof, Error> {
    compare_model(&GgufModel::new(file)?, forward, probes)
}

/// As [`compare`], with a file's model in hand.
pub(crate) fn compare_model(
    model: &GgufModel<'_>,
    forward: &dyn Forward,
    probes: &[Vec<u32>],
) -> Result<Proof, Error> {
    let mut proof = Proof::default();
    for tokens in probes {
        let expected = forward.logits(tokens).map_err(Error::Forward)?;
        proof.compare(model.vocab_size(), &expected, &model.logits(tokens)?)?;
    }
    Ok(proof)
}

/// Token sequences drawn evenly from the vocabulary, the same ones for the same numbers.
pub fn probes(vocab_size: usize, sequences: usize, tokens: usize) -> Vec<Vec<u32>> {
    // SplitMix64 (Steele, Lea and Flood, 2014).
    let mut state = 0_u64;
    let mut draw = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % vocab_size.max(1) as u64) as u32
    };
    (0..sequences).map(|_| (0..tokens).map(|_| draw()).collect()).collect()
}

/// The place of the largest logit, the first of equals.
pub(crate) fn argmax(logits: &[f64]) -> Option<usize> {
    (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]).then(b.cmp(&a)))
}

/// Σ p ln(p / q) of the two softmaxes, nats.
fn divergence(expected: &[f64], found: &[f64]) -> f64 {
    let (log_p, log_q) = (log_softmax(expected), log_softmax(found));
    log_p.iter().zip(&log_q).map(|(p, q)| p.exp() * (p - q)).sum()
}

fn log_softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = logits.iter().map(|x| (x - largest).exp()).sum();
    logits.iter().map(|x| x - largest - total.ln()).collect()
}
