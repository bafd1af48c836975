//! Continuing prompts, many at once, with a KV cache.
//!
//! Prompts of a batch differ in length. They are padded on the right, the padding is never attended to, and each row
//! goes on at its own position; so a prompt's answer does not depend on its neighbours.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind as Number, Tensor, no_grad};

use super::beam;
use super::decoder::{self, Scene};
use super::memory;
use super::parameters::{Layout, Leaves};
use super::sampling::Sampling;
use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::error::Error;

/// Rows that go through the model together.
const BATCH_ROWS: usize = 64;

/// What a generator asks before every token: which may come. [`PointingGrammar`](crate::PointingGrammar) is one.
pub trait Constraint: Send {
    /// The ids that may follow; an empty list ends the answer.
    fn allowed(&self) -> Vec<u32>;
    /// Moves on by one token.
    fn accept(&mut self, id: u32);
}

impl Constraint for crate::PointingGrammar<'_> {
    fn allowed(&self) -> Vec<u32> {
        crate::PointingGrammar::allowed(self)
    }
    fn accept(&mut self, id: u32) {
        crate::PointingGrammar::accept(self, id);
    }
}

/// Any token, until one that ends the text.
#[derive(Clone, Debug)]
pub struct Until {
    vocab_size: usize,
    stop: Vec<u32>,
    ended: bool,
}

impl Until {
    /// Any of `vocab_size` ids, until one of `stop` has come.
    pub fn new(vocab_size: usize, stop: Vec<u32>) -> Until {
        Until { vocab_size, stop, ended: false }
    }
}

impl Constraint for Until {
    fn allowed(&self) -> Vec<u32> {
        if self.ended { Vec::new() } else { (0..self.vocab_size as u32).collect() }
    }
    fn accept(&mut self, id: u32) {
        self.ended = self.stop.contains(&id);
    }
}

/// A prompt and what its answer may be.
pub struct Prompt<C> {
    /// Token ids, at least one.
    pub ids: Vec<u32>,
    /// What may follow.
    pub constraint: C,
}

/// What a model said.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// The ids after the prompt.
    pub ids: Vec<u32>,
    /// For each id the natural logarithm of the probability that the unconstrained model gives it at temperature 1,
    /// after the ids before it.
    pub log_probabilities: Vec<f64>,
}

impl Generated {
    /// Natural logarithm of the probability of all ids.
    pub fn log_probability(&self) -> f64 {
        self.log_probabilities.iter().sum()
    }
}

/// A model that continues prompts, in fp32.
pub struct Generator {
    config: Config,
    /// The weights, for each thread.
    replicas: Vec<Leaves>,
}

impl Generator {
    /// Takes a copy of the weights, for `threads` threads.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Shape`] and the like when the checkpoint is not sound.
    pub fn new(checkpoint: &Checkpoint, threads: usize) -> Result<Generator, Error> {
        memory::keep_freed_pages();
        let config = checkpoint.config.clone();
        config.validate()?;
        checkpoint.weights.check(&config)?;
        let layout = Layout::new(&config);
        let flat = layout.flatten(&checkpoint.weights, str::to_owned)?;
        let leaves = Leaves::new(&config, &layout, &flat, &flat, false).for_answers();
        Ok(Generator { replicas: (0..threads.max(1)).map(|_| leaves.shared()).collect(), config })
    }

    /// Most positions of the model.
    pub fn max_seq(&self) -> usize {
        self.config.max_seq
    }

    /// Continues every prompt until its constraint allows nothing more; answers stand in the order of the prompts.
    ///
    /// # Errors
    /// [`Error::Length`] for a prompt that is empty or leaves no room for `max_tokens`; [`Error::Token`].
    pub fn generate<C: Constraint>(
        &mut self,
        prompts: Vec<Prompt<C>>,
        sampling: &Sampling,
    ) -> Result<Vec<Generated>, Error> {
        self.check(&prompts, sampling.max_tokens)?;
        let rows =
            prompts.into_iter().enumerate().map(|(index, prompt)| Row::new(index, prompt, sampling.seed));
        let mut rows: Vec<Row<C>> = rows.collect();
        // Longest first: a batch wastes little, and the last batches are the quick ones.
        rows.sort_by_key(|row| std::cmp::Reverse(row.prompt.len()));
        let share = rows.len().div_ceil(self.replicas.len()).clamp(1, BATCH_ROWS);
        self.share_out(rows.chunks_mut(share), |config, leaves, batch| {
            continue_batch(config, leaves, batch, sampling);
        });
        rows.sort_by_key(|row| row.index);
        Ok(rows.into_iter().map(|row| row.generated).collect())
    }

    /// The likeliest `n` answers to every prompt, likeliest first, by a search that keeps `n` beginnings at a time.
    /// Fewer where the constraint allows no more, or where `max_tokens` end one before it is complete.
    ///
    /// Probabilities only fall as an answer grows, so nothing is weighed by length: when the search ends, no beginning
    /// it kept can come to more than the answers given.
    ///
    /// # Errors
    /// As [`generate`](Generator::generate).
    pub fn likeliest<C: Constraint + Clone>(
        &mut self,
        prompts: Vec<Prompt<C>>,
        n: usize,
        max_tokens: usize,
    ) -> Result<Vec<Vec<Generated>>, Error> {
        self.check(&prompts, max_tokens)?;
        let mut found: Vec<Vec<Generated>> = vec![Vec::new(); prompts.len()];
        self.share_out(prompts.into_iter().zip(&mut found), |config, leaves, (prompt, found)| {
            *found = beam::search(config, leaves, prompt, n, max_tokens);
        });
        Ok(found)
    }

    fn check<C>(&self, prompts: &[Prompt<C>], max_tokens: usize) -> Result<(), Error> {
        let Config { vocab_size, max_seq, .. } = self.config;
        for Prompt { ids, .. } in prompts {
            if ids.is_empty() || ids.len() + max_tokens > max_seq {
                return Err(Error::Length { length: ids.len() + max_tokens, max_seq });
            }
            if let Some(&id) = ids.iter().find(|id| **id as usize >= vocab_size) {
                return Err(Error::Token { id, vocab_size });
            }
        }
        Ok(())
    }

    /// Does each piece of work on whichever thread is free.
    fn share_out<W: Send>(
        &mut self,
        work: impl Iterator<Item = W> + Send,
        run: impl Fn(&Config, &Leaves, W) + Sync,
    ) {
        let work = std::sync::Mutex::new(work);
        let (config, work, run) = (&self.config, &work, &run);
        std::thread::scope(|scope| {
            for leaves in &mut self.replicas {
                scope.spawn(move || {
                    memory::one_thread();
                    loop {
                        let next = work.lock().expect("no worker panics while it takes work").next();
                        let Some(piece) = next else { break };
                        no_grad(|| run(config, leaves, piece));
                    }
                });
            }
        });
    }
}

/// A prompt on its way.
struct Row<C> {
    index: usize,
    prompt: Vec<i64>,
    constraint: C,
    rng: ChaCha8Rng,
    generated: Generated,
    done: bool,
}

impl<C: Constraint> Row<C> {
    fn new(index: usize, prompt: Prompt<C>, seed: u64) -> Row<C> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(index as u64);
        Row {
            index,
            prompt: prompt.ids.into_iter().map(i64::from).collect(),
            constraint: prompt.constraint,
            rng,
            generated: Generated { ids: Vec::new(), log_probabilities: Vec::new() },
            done: false,
        }
    }

    /// Takes the next token by its log-probabilities, or ends.
    fn choose(&mut self, log_probabilities: &[f32], sampling: &Sampling) {
        let allowed = if self.generated.ids.len() < sampling.max_tokens {
            self.constraint.allowed()
        } else {
            Vec::new()
        };
        let scored: Vec<(u32, f64)> =
            allowed.iter().map(|&id| (id, f64::from(log_probabilities[id as usize]))).collect();
        let Some((id, log_probability)) = sampling.choose(&scored, &mut self.rng) else {
            self.done = true;
            return;
        };
        self.constraint.accept(id);
        self.generated.ids.push(id);
        self.generated.log_probabilities.push(log_probability);
    }

    /// The id to feed next; what a finished row is fed does not matter.
    fn last(&self) -> i64 {
        self.generated.ids.last().map_or(0, |&id| i64::from(id))
    }
}

fn continue_batch<C: Constraint>(config: &Config, leaves: &Leaves, rows: &mut [Row<C>], sampling: &Sampling) {
    let b = rows.len() as i64;
    let lengths: Vec<i64> = rows.iter().map(|row| row.prompt.len() as i64).collect();
    let t = lengths.iter().copied().max().unwrap_or(0);
    let ids: Vec<i64> = rows
        .iter()
        .flat_map(|row| row.prompt.iter().copied().chain(std::iter::repeat(0)).take(t as usize))
        .collect();
    let lengths = Tensor::from_slice(&lengths).view([b, 1]);
    let position = Tensor::arange(t, (Number::Int64, Device::Cpu)).expand([b, t], false).contiguous();
    let real = position.lt_tensor(&lengths); // (B, T)
    // Padding is a document of its own, as in packed rows.
    let scene = Scene::packed(config, &position, &real.to_kind(Number::Int64), Number::Float);
    let mut past = Vec::new();
    let hidden =
        decoder::hidden(config, leaves, &Tensor::from_slice(&ids).view([b, t]), &scene, Some(&mut past));
    let last = (&lengths - 1).unsqueeze(-1).expand([b, 1, config.d_model as i64], false);
    let mut hidden = hidden.gather(1, &last, false).squeeze_dim(1); // (B, d)

    let mut seen = real; // (B, S)
    let mut position = lengths;
    loop {
        let v = config.vocab_size;
        let scores = decoder::logits(config, leaves, &hidden).log_softmax(-1, Number::Float).view([-1]);
        let mut values = vec![0f32; rows.len() * v];
        let n = values.len();
        scores.copy_data(&mut values, n);
        for (row, scores) in rows.iter_mut().zip(values.chunks_exact(v)).filter(|(row, _)| !row.done) {
            row.choose(scores, sampling);
        }
        if rows.iter().all(|row| row.done) {
            return;
        }
        let ids = Tensor::from_slice(&rows.iter().map(Row::last).collect::<Vec<_>>()).view([b, 1]);
        seen = Tensor::cat(&[&seen, &seen.ones_like().narrow(1, 0, 1)], 1);
        let scene = Scene::new(config, &position, &seen.unsqueeze(1), Number::Float);
        hidden = decoder::hidden(config, leaves, &ids, &scene, Some(&mut past)).squeeze_dim(1);
        position += 1;
    }
}
