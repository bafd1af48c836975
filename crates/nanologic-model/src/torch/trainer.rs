//! One training step after another.

use std::any::Any;
use std::ops::Range;
use std::time::Instant;

use data_pipeline::Batch;
use tch::{Kind as Number, Tensor, no_grad};

use super::decoder::{self, Recompute, Scene};
use super::loss::{self, Head, Scored};
use super::memory;
use super::noise::{Noise, standard_normal};
use super::optimizer::Optimizer;
use super::parameters::{Layout, Leaves};
use super::training::Training;
use crate::checkpoint::{Checkpoint, Progress, TrainingState, Weights};
use crate::config::{Config, Memory};
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
    /// Where their sum goes, flat, fp32: the gradient of the last step.
    gradient: Tensor,
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
    /// What the step minimised: the same with label smoothing and z-loss.
    pub objective: f64,
    /// Euclidean norm of the gradient, before clipping.
    pub gradient_norm: f64,
    /// The learning rate it took.
    pub learning_rate: f64,
    /// Tokens in its batch, without padding.
    pub tokens: u64,
    /// Floating-point operations it spent, by the usual count of six per parameter and token.
    pub flops: f64,
    /// Seconds it took.
    pub seconds: f64,
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
            settings: training.as_json(),
            ..Progress::default()
        };
        Trainer::at(checkpoint, training, progress)
    }

    /// Goes on with the run that wrote the checkpoint, at the step after it.
    ///
    /// # Errors
    /// [`Error::Resume`] when the checkpoint has no training state, or its run had other settings than these; threads
    /// and the steps between checkpoints may change.
    pub fn resume(checkpoint: &Checkpoint, training: Training) -> Result<Trainer, Error> {
        let refused = |reason: String| Err(Error::Resume { reason });
        let Some(state) = &checkpoint.training else {
            return refused("the checkpoint holds no training state".to_owned());
        };
        let progress = state.progress.clone();
        let differing = training.differing(&progress.settings);
        if !differing.is_empty() {
            return refused(format!("the run began with another {}", differing.join(", ")));
        }
        Trainer::at(checkpoint, training, progress)
    }

    fn at(checkpoint: &Checkpoint, training: Training, progress: Progress) -> Result<Trainer, Error> {
        memory::keep_freed_pages();
        let config = checkpoint.config.clone();
        config.validate()?;
        training.validate()?;
        checkpoint.weights.check(&config)?;
        let layout = Layout::new(&config);
        let moments = checkpoint.training.as_ref().map(|state| state.moments.clone()).unwrap_or_default();
        let mut master = layout.flatten(&checkpoint.weights, str::to_owned)?;
        let (seen, taken) = (progress.optimizer_step, progress.step);
        let optimizer = Optimizer::new(&layout, &training, &mut master, &moments, seen, taken)?;
        let products = master.to_kind(training.compute.number());
        let leaves = |_| Leaves::new(&config, &layout, &master, &products, true);
        let replicas = (0..training.threads.max(1)).map(leaves).collect();
        let gradient = master.zeros_like();
        let origin = Checkpoint { training: None, ..checkpoint.clone() };
        Ok(Trainer {
            config,
            training,
            layout,
            master,
            products,
            replicas,
            gradient,
            optimizer,
            progress,
            origin,
        })
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
        let began = Instant::now();
        let (loss, gradient) = self.gradient(batch)?;
        let step = self.progress.step + 1;
        if !loss.objective.is_finite() {
            let weights = first_not_finite(&self.layout, &self.master).map(str::to_owned);
            let tensor = weights.or_else(|| self.activation_not_finite(batch));
            return Err(Error::NotFinite { tensor: tensor.unwrap_or_else(|| "loss".to_owned()), step });
        }
        let gradient_norm = gradient.norm().double_value(&[]);
        if !gradient_norm.is_finite() {
            // What is too large where no token is scored shows in the gradient only.
            let tensor = self.activation_not_finite(batch).unwrap_or_else(|| {
                let name = first_not_finite(&self.layout, &gradient).unwrap_or("its norm");
                format!("gradient of {name}")
            });
            return Err(Error::NotFinite { tensor, step });
        }
        let factor = self.training.rate_factor(self.progress.step);
        no_grad(|| {
            let scale = (self.training.clip / gradient_norm).min(1.0);
            let (gradient, scale) = match self.training.gradient_noise {
                None => (gradient, scale),
                Some(noise) => {
                    let drawn = standard_normal(self.training.seed, self.progress.step, &gradient);
                    let noise = drawn * noise.deviation(self.progress.step);
                    (gradient * scale + noise, 1.0)
                }
            };
            self.optimizer.step(&mut self.master, &gradient, scale, factor, &self.training);
            if self.products.kind() != Number::Float {
                self.products.copy_(&self.master);
            }
        });
        let tokens = batch.real_tokens() as u64;
        self.progress.step = step;
        self.progress.optimizer_step = self.optimizer.steps;
        self.progress.tokens += tokens;
        let flops = tokens as f64 * self.config.training_flops_per_token(batch.seq);
        self.progress.flops += flops;
        if self.training.debug {
            self.check_finite()?;
        }
        Ok(Step {
            step,
            loss: loss.cross_entropy,
            objective: loss.objective,
            gradient_norm,
            learning_rate: factor * self.training.learning_rate,
            tokens,
            flops,
            seconds: began.elapsed().as_secs_f64(),
        })
    }

    /// Where the forward pass over a batch stops being finite.
    fn activation_not_finite(&self, batch: &Batch) -> Option<String> {
        let part = Part {
            config: &self.config,
            training: &self.training,
            number: self.products.kind(),
            step: self.progress.step,
            batch,
            scored: 1.0,
        };
        no_grad(|| {
            (0..batch.rows).find_map(|row| {
                let (ids, scene) = part.scene(&(row..row + 1));
                decoder::first_not_finite(&self.config, &self.replicas[0], &ids, &scene)
            })
        })
    }

    /// Looks for a number that is none in the weights and the optimizer's state.
    fn check_finite(&self) -> Result<(), Error> {
        let named = |(what, flat): (&str, &Tensor)| {
            first_not_finite(&self.layout, flat).map(|name| format!("{what}{name}"))
        };
        let all = std::iter::once(("", &self.master)).chain(self.optimizer.state());
        match all.into_iter().find_map(named) {
            Some(tensor) => Err(Error::NotFinite { tensor, step: self.progress.step }),
            None => Ok(()),
        }
    }

    /// Mean losses over the scored tokens, and the flat gradient of the objective, until the next call.
    pub(super) fn gradient(&mut self, batch: &Batch) -> Result<(Losses, Tensor), Error> {
        let scored = self.check(batch)?;
        let share = self.rows_at_once(batch.rows);
        let part = Part {
            config: &self.config,
            training: &self.training,
            number: self.products.kind(),
            step: self.progress.step,
            batch,
            scored,
        };
        let workers = self.replicas.len();
        let mut sum = Losses::default();
        for first in (0..batch.rows).step_by(share * workers) {
            let rows = |n: usize| first + n * share..batch.rows.min(first + (n + 1) * share);
            let parts = std::thread::scope(|scope| {
                let replicas = self.replicas.iter_mut().enumerate().map(|(n, leaves)| (rows(n), leaves));
                let workers: Vec<_> = replicas
                    .filter(|(rows, _)| !rows.is_empty())
                    .map(|(rows, leaves)| scope.spawn(move || part.gradient(leaves, rows)))
                    .collect();
                workers.into_iter().map(|worker| worker.join()).collect::<Result<Vec<_>, _>>()
            });
            let parts = parts.map_err(|panic| self.ran_out(panic, batch))?;
            let (losses, gradients): (Vec<Losses>, Vec<_>) = parts.into_iter().unzip();
            for losses in losses {
                sum.cross_entropy += losses.cross_entropy;
                sum.objective += losses.objective;
            }
            Leaves::sum_gradients(&self.gradient, gradients, first > 0)
                .map_err(|panic| self.ran_out(panic, batch))?;
        }
        Ok((sum, self.gradient.shallow_clone()))
    }

    /// Mean cross-entropy over the scored tokens of a batch, in nats, without learning from it; by the averaged weights
    /// where the run keeps some.
    ///
    /// # Errors
    /// As [`step`](Trainer::step).
    pub fn loss(&self, batch: &Batch) -> Result<f64, Error> {
        let scored = self.check(batch)?;
        let number = self.products.kind();
        let averaged = self
            .optimizer
            .averaged()
            .map(|average| Leaves::new(&self.config, &self.layout, average, &average.to_kind(number), false));
        let leaves = averaged.as_ref().unwrap_or(&self.replicas[0]);
        let part = Part {
            config: &self.config,
            training: &self.training,
            number,
            step: self.progress.step,
            batch,
            scored,
        };
        Ok(no_grad(|| part.loss(leaves)) / scored)
    }

    /// Rows that a thread computes at once.
    fn rows_at_once(&self, rows: usize) -> usize {
        rows.div_ceil(self.replicas.len() * self.training.accumulation.max(1)).max(1)
    }

    /// Whether batches of so many rows of `seq` tokens fit into the memory that is free now, by estimate.
    ///
    /// # Errors
    /// [`Error::Memory`] with the numbers that fit, when they do not.
    pub fn check_memory(&self, rows: usize, seq: usize) -> Result<(), Error> {
        let needed = self.bytes_for(self.rows_at_once(rows) * self.replicas.len(), seq);
        match memory::free() {
            Some(free) if needed > free => Err(self.shortage(rows, seq)),
            _ => Ok(()),
        }
    }

    /// Bytes that a step takes beyond what the trainer holds already.
    fn bytes_for(&self, rows: usize, seq: usize) -> usize {
        let needed = Memory::training(&self.config, rows, seq);
        let kept = match self.training.recompute {
            Recompute::Nothing => needed.activations,
            Recompute::Blocks => needed.activations / self.config.n_layers.max(1),
        };
        needed.gradients * self.replicas.len() + kept
    }

    /// What a panic of LibTorch means, if it means that memory ran out.
    fn ran_out(&self, panic: Box<dyn Any + Send>, batch: &Batch) -> Error {
        if !memory::is_shortage(&*panic) {
            std::panic::resume_unwind(panic);
        }
        self.shortage(batch.rows, batch.seq)
    }

    fn shortage(&self, rows: usize, seq: usize) -> Error {
        let free = memory::free().unwrap_or(0);
        let at_once = self.rows_at_once(rows) * self.replicas.len();
        let (mut fitting, mut too_many) = (0, at_once);
        while too_many - fitting > 1 {
            let rows = fitting.midpoint(too_many);
            if self.bytes_for(rows, seq) <= free {
                fitting = rows;
            } else {
                too_many = rows;
            }
        }
        Error::Memory {
            tokens: at_once * seq,
            needed: self.bytes_for(at_once, seq),
            free,
            fitting_tokens: fitting * seq,
        }
    }

    /// The run as it stands, to go on from.
    pub fn checkpoint(&self) -> Checkpoint {
        let state =
            TrainingState { moments: self.optimizer.moments(&self.layout), progress: self.progress.clone() };
        Checkpoint {
            weights: self.named(self.optimizer.kept(&self.master)),
            training: Some(state),
            ..self.origin.clone()
        }
    }

    /// The model to use: its weights are the average where the run keeps one. With its optimizer state, so that
    /// another run can go on from it.
    pub fn model(&self) -> Checkpoint {
        let mut checkpoint = self.checkpoint();
        if let Some(average) = self.optimizer.averaged() {
            checkpoint.weights = self.named(average);
        }
        if let Some(state) = &mut checkpoint.training {
            state.moments.0.retain(|name, _| !name.starts_with("ema."));
        }
        checkpoint
    }

    fn named(&self, flat: &Tensor) -> Weights {
        self.layout.unflatten(flat, |spec| Some(spec.name.clone()))
    }

    /// Whether the arrays of a batch agree with each other and with the model; then how many tokens are scored.
    fn check(&self, batch: &Batch) -> Result<f64, Error> {
        check(&self.config, batch)?;
        match loss::count(&self.training.loss, &batch.targets, &batch.document, &batch.loss_mask) {
            0 => Err(Error::NoExamples),
            scored => Ok(scored as f64),
        }
    }
}

/// Losses of some tokens, in nats.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Losses {
    pub cross_entropy: f64,
    pub objective: f64,
}

/// The tensor that the first entry which is not a number belongs to.
fn first_not_finite<'a>(layout: &'a Layout, flat: &Tensor) -> Option<&'a str> {
    let bad = flat.isfinite().logical_not();
    let first = bad.to_kind(Number::Int8).argmax(None, false).int64_value(&[]);
    bad.any().int64_value(&[]).eq(&1).then(|| layout.name_at(first as usize))
}

/// What every worker of a step needs.
#[derive(Clone, Copy)]
struct Part<'a> {
    config: &'a Config,
    training: &'a Training,
    number: Number,
    /// Steps taken before this one.
    step: u64,
    batch: &'a Batch,
    /// Scored tokens of the whole batch.
    scored: f64,
}

impl Part<'_> {
    /// Losses and gradients of some rows, both divided by the scored tokens of the whole batch.
    fn gradient(self, leaves: &Leaves, rows: Range<usize>) -> (Losses, Vec<Tensor>) {
        memory::one_thread();
        let mut losses = Losses::default();
        let Some(scored) = self.scored(&rows) else {
            return (
                losses,
                no_grad(|| {
                    let zeros = leaves.in_order().into_iter().map(Tensor::zeros_like).collect();
                    leaves.with_head(zeros, leaves.head.zeros_like())
                }),
            );
        };
        let noise = Noise::new(
            self.training.regularization,
            self.config.n_layers,
            self.training.seed,
            self.step,
            rows.start,
        );
        let (ids, scene) = self.scene(&rows);
        let mut of_head = None;
        let objective = |hidden: &Tensor| {
            let terms = loss::terms(
                &self.training.loss,
                &self.head(leaves),
                &self.before_head(leaves, hidden, &scored),
                &scored,
                1.0 / self.scored,
            );
            losses.cross_entropy = terms.cross_entropy / self.scored;
            losses.objective = terms.objective / self.scored;
            of_head = Some(terms.head);
            terms.surrogate
        };
        let scene = scene.with_noise(noise);
        let gradients =
            decoder::gradients(self.config, leaves, &ids, &scene, self.training.recompute, objective);
        (losses, leaves.with_head(gradients, of_head.expect("the objective was asked for")))
    }

    /// Summed cross-entropy of the whole batch, a share of the rows at a time.
    fn loss(self, leaves: &Leaves) -> f64 {
        memory::one_thread();
        let share =
            self.batch.rows.div_ceil(self.training.threads.max(1) * self.training.accumulation.max(1));
        let rows = (0..self.batch.rows).step_by(share.max(1));
        let of_rows = |first: usize| {
            let rows = first..self.batch.rows.min(first + share);
            let Some(scored) = self.scored(&rows) else { return 0.0 };
            let (ids, scene) = self.scene(&rows);
            let hidden = decoder::hidden(self.config, leaves, &ids, &scene, None);
            let h = self.before_head(leaves, &hidden, &scored);
            loss::cross_entropy(&self.head(leaves), &h, &scored)
        };
        rows.map(of_rows).sum()
    }

    fn cells(&self, rows: &Range<usize>) -> Range<usize> {
        rows.start * self.batch.seq..rows.end * self.batch.seq
    }

    fn scored(&self, rows: &Range<usize>) -> Option<Scored> {
        let (batch, cells) = (self.batch, self.cells(rows));
        let (targets, document) = (&batch.targets[cells.clone()], &batch.document[cells.clone()]);
        Scored::new(&self.training.loss, targets, document, &batch.loss_mask[cells])
    }

    fn scene(&self, rows: &Range<usize>) -> (Tensor, Scene) {
        let shape = [rows.len() as i64, self.batch.seq as i64];
        let part = |values: &[i64]| Tensor::from_slice(&values[self.cells(rows)]).view(shape);
        let (position, document) = (part(&self.batch.position), part(&self.batch.document));
        (part(&self.batch.ids), Scene::packed(self.config, &position, &document, self.number))
    }

    /// Only scored positions go through the head.
    fn before_head(&self, leaves: &Leaves, hidden: &Tensor, scored: &Scored) -> Tensor {
        let hidden = hidden.view([-1, self.config.d_model as i64]).index_select(0, &scored.at);
        decoder::before_head(self.config, leaves, &hidden)
    }

    fn head<'a>(&self, leaves: &'a Leaves) -> Head<'a> {
        Head { weights: &leaves.head, cap: self.config.options.output_cap }
    }
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
