//! One training step after another.

use std::ops::Range;

use data_pipeline::Batch;
use tch::{Kind as Number, Tensor, no_grad};

use super::decoder::{self, Scene};
use super::loss;
use super::memory;
use super::optimizer::Optimizer;
use super::parameters::{Layout, Leaves};
use super::training::Training;
use crate::checkpoint::{Checkpoint, Progress, TrainingState};
use crate::config::Config;
use crate::error::Error;

/// A model in training.
///
/// Each thread computes the gradient of its share of a batch's rows with LibTorch on one core, and the gradients are
/// added in order: small models use two cores this way far better than by splitting every operation.
///
/// ```
/// use data_pipeline::{Sequence, pack};
/// use nanologic_model::{Checkpoint, Config, Provenance, Weights};
/// use nanologic_model::torch::{Trainer, Training};
///
/// let config = Config::tiny();
/// let weights = Weights::init(&config, 0);
/// let fresh = Checkpoint { config, weights, tokenizer: None, training: None, provenance: Provenance::default() };
/// let mut trainer = Trainer::new(&fresh, Training { steps: 3, ..Training::default() })?;
///
/// let sequences = vec![Sequence::new(vec![1, 4, 7], vec![5, 9, 2]); 8];
/// for batch in pack(&sequences, 2, 16, 0)? {
///     println!("loss {:.3} nats a token", trainer.step(&batch)?.loss);
/// }
/// let trained = trainer.checkpoint();
/// assert_ne!(trained.weights, fresh.weights);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Trainer {
    config: Config,
    training: Training,
    layout: Layout,
    /// The weights, flat, fp32.
    master: Tensor,
    /// The weights in the compute format; the master itself when that is fp32.
    products: Tensor,
    /// For each thread, views of the two buffers that collect gradients.
    replicas: Vec<Leaves>,
    optimizer: Optimizer,
    progress: Progress,
    /// Tokenizer and provenance of the checkpoint it began with.
    origin: Checkpoint,
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Its number, from 1.
    pub step: u64,
    /// Mean cross-entropy of the scored tokens, in nats a token, before the step.
    pub loss: f64,
    /// Euclidean norm of the gradient, before clipping.
    pub gradient_norm: f64,
    /// The learning rate it took.
    pub learning_rate: f64,
    /// Tokens in its batch, without padding.
    pub tokens: u64,
}

impl Trainer {
    /// Begins a new run from a checkpoint, with its optimizer state if it has one.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Shape`] and the like when the checkpoint is not sound.
    pub fn new(checkpoint: &Checkpoint, training: Training) -> Result<Trainer, Error> {
        let optimizer_step = checkpoint.training.as_ref().map_or(0, |state| state.progress.optimizer_step);
        let progress = Progress {
            total_steps: training.steps,
            optimizer_step,
            seed: training.seed,
            ..Progress::default()
        };
        Trainer::at(checkpoint, training, progress)
    }

    /// Goes on with the run that wrote the checkpoint, at the step after it.
    ///
    /// # Errors
    /// [`Error::Resume`] when the checkpoint has no training state, or its run had another seed or length.
    pub fn resume(checkpoint: &Checkpoint, training: Training) -> Result<Trainer, Error> {
        let refused = |reason: String| Err(Error::Resume { reason });
        let Some(state) = &checkpoint.training else {
            return refused("the checkpoint holds no training state".to_owned());
        };
        let progress = state.progress.clone();
        if progress.seed != training.seed || progress.total_steps != training.steps {
            return refused(format!(
                "the run has seed {} and {} steps, asked are seed {} and {} steps",
                progress.seed, progress.total_steps, training.seed, training.steps
            ));
        }
        Trainer::at(checkpoint, training, progress)
    }

    fn at(checkpoint: &Checkpoint, training: Training, progress: Progress) -> Result<Trainer, Error> {
        memory::keep_freed_pages();
        let config = checkpoint.config.clone();
        config.validate()?;
        checkpoint.weights.check(&config)?;
        let layout = Layout::new(&config);
        let moments = checkpoint.training.as_ref().map(|state| state.moments.clone()).unwrap_or_default();
        let optimizer = Optimizer::new(&layout, &moments, progress.optimizer_step)?;
        let master = layout.flatten(&checkpoint.weights, str::to_owned)?;
        let products = master.to_kind(training.compute.number());
        let leaves = |_| Leaves::new(&config, &layout, &master, &products, true);
        let replicas = (0..training.threads.max(1)).map(leaves).collect();
        let origin = Checkpoint { training: None, ..checkpoint.clone() };
        Ok(Trainer { config, training, layout, master, products, replicas, optimizer, progress, origin })
    }

    /// Where the run stands.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The settings of the run.
    pub fn training(&self) -> &Training {
        &self.training
    }

    /// The shape of the model.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Takes one step.
    ///
    /// # Errors
    /// [`Error::Batch`], [`Error::Token`], [`Error::Length`] for a batch that is not the model's;
    /// [`Error::NotFinite`] when the loss or a gradient is not a number: the weights are then those before the step.
    pub fn step(&mut self, batch: &Batch) -> Result<Step, Error> {
        let (loss, gradient) = self.gradient(batch)?;
        let step = self.progress.step + 1;
        let gradient_norm = gradient.norm().double_value(&[]);
        if !loss.is_finite() {
            return Err(Error::NotFinite { tensor: "loss".to_owned(), step });
        }
        if !gradient_norm.is_finite() {
            let bad =
                gradient.isfinite().logical_not().to_kind(Number::Int).argmax(None, false).int64_value(&[]);
            let tensor = format!("gradient of {}", self.layout.name_at(bad as usize));
            return Err(Error::NotFinite { tensor, step });
        }
        let factor = self.training.rate_factor(self.progress.step);
        no_grad(|| {
            memory::one_thread();
            let gradient = gradient * (self.training.clip / gradient_norm).min(1.0);
            self.optimizer.step(&mut self.master, &gradient, factor, &self.training);
            if self.products.kind() != Number::Float {
                self.products.copy_(&self.master);
            }
        });
        let tokens = batch.real_tokens() as u64;
        self.progress.step = step;
        self.progress.optimizer_step = self.optimizer.steps;
        self.progress.tokens += tokens;
        self.progress.flops += tokens as f64 * self.config.training_flops_per_token(batch.seq);
        Ok(Step { step, loss, gradient_norm, learning_rate: factor * self.training.learning_rate, tokens })
    }

    /// Mean loss over the scored tokens, in nats, and its gradient, flat.
    pub(super) fn gradient(&mut self, batch: &Batch) -> Result<(f64, Tensor), Error> {
        check(&self.config, batch)?;
        let scored: f64 = batch.loss_mask.iter().map(|&mask| f64::from(mask)).sum();
        if scored == 0.0 {
            return Err(Error::NoExamples);
        }
        let (config, number) = (&self.config, self.products.kind());
        let share = batch.rows.div_ceil(self.replicas.len());
        let parts = std::thread::scope(|scope| {
            let workers: Vec<_> = self
                .replicas
                .iter_mut()
                .enumerate()
                .filter(|(n, _)| n * share < batch.rows)
                .map(|(n, leaves)| {
                    let rows = n * share..batch.rows.min((n + 1) * share);
                    scope.spawn(move || part_gradient(config, leaves, number, batch, rows, scored))
                })
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().expect("a worker only computes"))
                .collect::<Vec<_>>()
        });
        let mut parts = parts.into_iter();
        let (mut loss, mut gradient) = parts.next().expect("a batch with scored tokens has rows");
        for (part, more) in parts {
            loss += part;
            gradient += more;
        }
        Ok((loss, gradient))
    }

    /// Mean loss over the scored tokens of a batch, in nats, without learning from it.
    ///
    /// # Errors
    /// As [`step`](Trainer::step).
    pub fn loss(&self, batch: &Batch) -> Result<f64, Error> {
        check(&self.config, batch)?;
        let scored: f64 = batch.loss_mask.iter().map(|&mask| f64::from(mask)).sum();
        let (leaves, number) = (&self.replicas[0], self.products.kind());
        let sum = no_grad(|| part_loss(&self.config, leaves, number, batch, 0..batch.rows).double_value(&[]));
        Ok(sum / scored)
    }

    /// The model and its optimizer as they stand.
    pub fn checkpoint(&self) -> Checkpoint {
        let state =
            TrainingState { moments: self.optimizer.moments(&self.layout), progress: self.progress.clone() };
        Checkpoint {
            weights: self.layout.unflatten(&self.master, |spec| Some(spec.name.clone())),
            training: Some(state),
            ..self.origin.clone()
        }
    }
}

/// Loss and gradient of some rows of a batch, both divided by the scored tokens of the whole batch.
fn part_gradient(
    config: &Config,
    leaves: &Leaves,
    number: Number,
    batch: &Batch,
    rows: Range<usize>,
    scored: f64,
) -> (f64, Tensor) {
    let loss = part_loss(config, leaves, number, batch, rows) / scored;
    let gradients = Tensor::run_backward(&[&loss], &leaves.in_order(), false, false);
    (loss.double_value(&[]), no_grad(|| Leaves::flatten_gradients(gradients, config.tied)))
}

/// Summed loss of some rows of a batch. Only scored positions go through the head.
fn part_loss(config: &Config, leaves: &Leaves, number: Number, batch: &Batch, rows: Range<usize>) -> Tensor {
    memory::one_thread();
    let shape = [rows.len() as i64, batch.seq as i64];
    let cells = rows.start * batch.seq..rows.end * batch.seq;
    let part = |values: &[i64]| Tensor::from_slice(&values[cells.clone()]).view(shape);
    let scene = Scene::packed(config, &part(&batch.position), &part(&batch.document), number);
    let mask = batch.loss_mask[cells.clone()].iter();
    let scored: Vec<i64> = (0i64..).zip(mask).filter(|(_, mask)| **mask > 0.0).map(|(at, _)| at).collect();
    let scored = Tensor::from_slice(&scored);

    let hidden = decoder::hidden(config, leaves, &part(&batch.ids), &scene, None);
    let hidden = hidden.view([-1, config.d_model as i64]).index_select(0, &scored);
    let targets = part(&batch.targets).view([-1]).index_select(0, &scored);
    loss::cross_entropy(config, leaves, &hidden, &targets)
}

/// Whether the arrays of a batch agree with each other and with the model.
fn check(config: &Config, batch: &Batch) -> Result<(), Error> {
    let Batch { rows, seq, .. } = *batch;
    let fields = [
        ("ids", batch.ids.len()),
        ("targets", batch.targets.len()),
        ("document", batch.document.len()),
        ("position", batch.position.len()),
        ("loss_mask", batch.loss_mask.len()),
    ];
    if let Some((field, found)) = fields.into_iter().find(|(_, found)| rows.checked_mul(seq) != Some(*found))
    {
        return Err(Error::Batch { rows, seq, field, found });
    }
    let known = 0..config.vocab_size as i64;
    if let Some(&id) = batch.ids.iter().chain(&batch.targets).find(|id| !known.contains(id)) {
        return Err(Error::Token { id: id as u32, vocab_size: config.vocab_size });
    }
    match batch.position.iter().max() {
        Some(&last) if last >= config.max_seq as i64 => {
            Err(Error::Length { length: last as usize + 1, max_seq: config.max_seq })
        }
        _ => Ok(()),
    }
}
