//! What each option of the full profile costs, alone and all together, beside the portable profile.
//!
//! ```text
//! cargo run --release -p nanologic-model --example option_costs -- [PRESET] [ROUNDS]
//! ```
//!
//! Tokens a second of training (rows of 128 tokens, four documents each, one thread, fp32) and of answering (64 prompts
//! of 32 tokens, 32 new tokens each, one thread). The best of some rounds that take turns, so that a busy machine slows
//! all alike.

use std::time::Instant;

use data_pipeline::{Batch, Sequence, pack};
use nanologic_model::torch::{Compute, Generator, Prompt, Sampling, Trainer, Training, Until};
use nanologic_model::{Checkpoint, Config, Options, Provenance, Weights};

const ROWS: usize = 16;
const SEQ: usize = 128;
const PROMPTS: usize = 64;
const NEW_TOKENS: usize = 32;

struct Candidate {
    name: &'static str,
    parameters: usize,
    trainer: Trainer,
    generator: Generator,
    training_seconds: f64,
    answering_seconds: f64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let preset = arguments.next().unwrap_or_else(|| "demo".to_owned());
    let rounds: usize = arguments.next().as_deref().unwrap_or("5").parse()?;
    let plain = Config::preset(&preset).ok_or_else(|| format!("no preset {preset}"))?;
    let mut candidates = Vec::new();
    for (name, options) in each_alone(&plain) {
        candidates.push(Candidate::new(name, Config { options, ..plain.clone() })?);
    }
    let batch = batch(&plain);
    for _ in 0..rounds {
        for candidate in &mut candidates {
            candidate.round(&batch)?;
        }
    }
    println!("{:<18} {:>11} {:>20} {:>20}", preset, "parameters", "training", "answering");
    let (training, answering) = (candidates[0].training_seconds, candidates[0].answering_seconds);
    for candidate in &candidates {
        let Candidate { name, parameters, training_seconds, answering_seconds, .. } = candidate;
        println!(
            "{name:<18} {parameters:>11} {:>10.0} t/s {:>4.2}× {:>10.0} t/s {:>4.2}×",
            (ROWS * SEQ) as f64 / training_seconds,
            training / training_seconds,
            (PROMPTS * NEW_TOKENS) as f64 / answering_seconds,
            answering / answering_seconds,
        );
    }
    Ok(())
}

fn each_alone(config: &Config) -> Vec<(&'static str, Options)> {
    let none = Options::default;
    let deep = Options::deep_norm(config.n_layers);
    let embedding_scale = Some((config.d_model as f64).sqrt());
    let frequencies = (0..config.head_dim / 2).map(|i| 0.7f64.powi(i as i32)).collect();
    let all = Options {
        embedding_scale,
        head_scale: true,
        attention_cap: Some(50.0),
        output_cap: Some(30.0),
        gate_residual: true,
        differential: true,
        ..deep.clone()
    };
    vec![
        ("portable", none()),
        ("deep norm", deep),
        ("embedding scale", Options { embedding_scale, ..none() }),
        ("head scale", Options { head_scale: true, ..none() }),
        ("attention cap", Options { attention_cap: Some(50.0), ..none() }),
        ("output cap", Options { output_cap: Some(30.0), ..none() }),
        ("gate residual", Options { gate_residual: true, ..none() }),
        ("differential", Options { differential: true, ..none() }),
        ("RoPE frequencies", Options { rope_frequencies: frequencies, ..none() }),
        ("all of the notes", all),
    ]
}

impl Candidate {
    fn new(name: &'static str, config: Config) -> Result<Candidate, nanologic_model::Error> {
        let (parameters, weights) = (config.parameters(), Weights::init(&config, 1));
        let model = Checkpoint {
            config,
            weights,
            tokenizer: None,
            training: None,
            provenance: Provenance::default(),
        };
        let training = Training { threads: 1, compute: Compute::Fp32, ..Training::default() };
        let (trainer, generator) = (Trainer::new(&model, training)?, Generator::new(&model, 1)?);
        let never = f64::INFINITY;
        Ok(Candidate {
            name,
            parameters,
            trainer,
            generator,
            training_seconds: never,
            answering_seconds: never,
        })
    }

    fn round(&mut self, batch: &Batch) -> Result<(), nanologic_model::Error> {
        let begun = Instant::now();
        self.trainer.step(batch)?;
        self.training_seconds = self.training_seconds.min(begun.elapsed().as_secs_f64());

        let vocab_size = self.trainer.config().vocab_size;
        let prompt = |n| Prompt {
            ids: (0..32).map(|i| (n * 31 + i * 7) % vocab_size as u32).collect(),
            constraint: Until::new(vocab_size, Vec::new()),
        };
        let prompts = (0..PROMPTS as u32).map(prompt).collect();
        let begun = Instant::now();
        self.generator.generate(prompts, &Sampling { max_tokens: NEW_TOKENS, ..Sampling::greedy() })?;
        self.answering_seconds = self.answering_seconds.min(begun.elapsed().as_secs_f64());
        Ok(())
    }
}

fn batch(config: &Config) -> Batch {
    let token = |n: usize| (n * 2_654_435_761 % config.vocab_size) as u32;
    let document = |n: usize| {
        Sequence::new(
            (0..24).map(|i| token(n * 32 + i)).collect(),
            (24..32).map(|i| token(n * 32 + i)).collect(),
        )
    };
    let documents: Vec<Sequence> = (0..ROWS * SEQ / 32).map(document).collect();
    pack(&documents, ROWS, SEQ, 0).expect("documents fit rows").next().expect("there are documents")
}
