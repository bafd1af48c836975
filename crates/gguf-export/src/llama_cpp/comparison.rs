//! Does llama.cpp read, compute and write what we do?

use serde::Serialize;

use super::{LlamaCppError, Model};
use crate::proof::argmax;
use crate::{Forward, GgufFile, GgufModel, Proof, Tokenized};

/// How llama.cpp's answers differ from a forward of ours.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Agreement {
    /// The logits after each token of prompt and answer.
    pub logits: Proof,
    /// Share of the prompts that both continue greedily with the same text, to its end.
    pub greedy: f64,
}

/// llama.cpp beside us, on the same prompts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Prompts compared.
    pub prompts: usize,
    /// Prompts for which llama.cpp's ids are not the checkpoint's.
    pub token_mismatches: usize,
    /// What llama.cpp wrote after each prompt.
    pub texts: Vec<String>,
    /// Against [`GgufModel`], which computes in f64 with the very weights of the file.
    pub same_weights: Agreement,
    /// Against the checkpoint's own forward, whose weights have not been rounded to the file's types.
    pub checkpoint: Agreement,
}

/// Lets llama.cpp continue each prompt greedily by up to `limit` tokens, and compares tokens, logits and text.
///
/// Our own greedy text needs no second run: it is llama.cpp's exactly if, fed with llama.cpp's, our likeliest next token
/// is the one llama.cpp wrote at every step and, where it ended, the token that ended it.
///
/// # Errors
/// [`LlamaCppError`], also for the errors of the file and of `checkpoint`.
pub fn compare(
    model: &mut Model,
    file: &GgufFile,
    checkpoint: &dyn Forward,
    prompts: &[Tokenized],
    limit: usize,
) -> Result<Comparison, LlamaCppError> {
    let ours = GgufModel::new(file)?;
    let same_weights = |tokens: &[u32]| Ok(ours.logits(tokens)?);
    let mut comparison = Comparison { prompts: prompts.len(), ..Default::default() };
    for prompt in prompts {
        if model.tokenize(&prompt.text)? != prompt.tokens {
            comparison.token_mismatches += 1;
        }
        let answer = model.generate(&prompt.tokens, limit)?;
        let said: Vec<u32> = answer.tokens.iter().copied().chain(answer.end).collect();
        let tokens = [prompt.tokens.as_slice(), &answer.tokens].concat();
        let found: Vec<f64> = model.logits(&tokens)?.into_iter().map(f64::from).collect();
        comparison.same_weights.take_in(&same_weights, &tokens, &said, answer.end.is_some(), &found)?;
        comparison.checkpoint.take_in(checkpoint, &tokens, &said, answer.end.is_some(), &found)?;
        comparison.texts.push(answer.text);
    }
    let share = 1.0 / prompts.len().max(1) as f64;
    comparison.same_weights.greedy *= share;
    comparison.checkpoint.greedy *= share;
    Ok(comparison)
}

impl Agreement {
    /// `said` are the last tokens of `tokens` that llama.cpp wrote, followed by the one that ended it, if `ended`.
    fn take_in(
        &mut self,
        forward: &dyn Forward,
        tokens: &[u32],
        said: &[u32],
        ended: bool,
        found: &[f64],
    ) -> Result<(), LlamaCppError> {
        let expected = forward.logits(tokens).map_err(crate::Error::Forward)?;
        let vocab_size = found.len() / tokens.len();
        self.logits.compare(vocab_size, &expected, found)?;
        let written = said.len() - usize::from(ended);
        let before_first = tokens.len() - written - 1;
        let likeliest = expected.chunks_exact(vocab_size).skip(before_first).map(argmax);
        let agrees = likeliest.zip(said).all(|(ours, &theirs)| ours == Some(theirs as usize));
        self.greedy += f64::from(u8::from(agrees));
        Ok(())
    }
}
