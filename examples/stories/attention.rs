//! What the model crate gives another Rust project: four kinds of attention learn to find the largest of eight numbers.
//!
//! The answer stands somewhere in the prompt, so nothing but attention can find it.
//!
//! ```text
//! $ cargo run --release --features torch --example attention
//! attention                    parameters  training    loss     found
//! one key for each query            84480   14.2 MB  0.0315   100.0 %
//! one key for two queries           76288   13.0 MB  0.0328    99.0 %
//! a second pattern subtracted       88578   17.2 MB  0.0341    99.0 %
//! scores capped at 8                76288   13.0 MB  0.0352    99.0 %
//!
//! asked [20, 23, 10, 16, 9, 14, 24, 21, 33], the last model answers
//!    24  88.5692 %
//!    23   1.4247 %
//!    21   0.9316 %
//! ```

use anyhow::Result;
use data_pipeline::{Sequence, pack};
use nanologic_model::torch::{Compute, Generated, Generator, Prompt, Sampling, Trainer, Training, Until};
use nanologic_model::{Checkpoint, Config, Memory, Options, Provenance, Weights};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

/// Tokens 1 to 32 are numbers, 33 asks for the largest, 0 ends the answer.
const VOCABULARY: usize = 34;
const ASK: u32 = 33;
const END: u32 = 0;
const STEPS: u64 = 150;

fn main() -> Result<()> {
    let plain = Config { vocab_size: VOCABULARY, d_model: 64, head_dim: 16, d_ff: 128, ..Config::tiny() };
    let with = |options| Config { options, ..plain.clone() };
    let kinds = [
        ("one key for each query", Config { n_kv_heads: 4, ..plain.clone() }),
        ("one key for two queries", plain.clone()),
        ("a second pattern subtracted", with(Options { differential: true, ..Options::default() })),
        ("scores capped at 8", with(Options { attention_cap: Some(8.0), ..Options::default() })),
    ];
    println!("{:<28} {:>10} {:>9} {:>7} {:>9}", "attention", "parameters", "training", "loss", "found");
    let mut learned = None;
    for (name, config) in kinds {
        let (parameters, bytes) = (config.parameters(), Memory::training(&config, 64, 16).total());
        let fresh = Weights::init(&config, 1);
        let (model, loss) = teach(Checkpoint {
            config,
            weights: fresh,
            tokenizer: None,
            training: None,
            provenance: Provenance::default(),
        })?;
        let found = 100.0 * found(&model)?;
        println!("{name:<28} {parameters:>10} {:>6.1} MB {loss:>7.4} {found:>7.1} %", bytes as f64 / 1e6);
        learned = Some(model);
    }

    // A folder that this crate reads back; without options, transformers and llama.cpp read it too.
    let model = learned.expect("four models were taught");
    let folder = tempfile::tempdir()?;
    model.save(folder.path())?;
    let question = questions(1, 1 << 41).remove(0);
    let answers =
        Generator::new(&Checkpoint::load(folder.path())?, 1)?.likeliest(vec![ask(&question)], 3, 2)?;
    println!("\nasked {:?}, the last model answers", &question.ids[..question.scored_from]);
    for answer in &answers[0] {
        println!("  {:>3} {:>8.4} %", answer.ids[0], 100.0 * answer.log_probability().exp());
    }
    Ok(())
}

/// The model after its lessons, and its mean loss over the last ten, in nats a token.
fn teach(fresh: Checkpoint) -> Result<(Checkpoint, f64)> {
    let compute = Compute::Fp32;
    let training = Training { steps: STEPS, warmup_steps: 10, compute, ..Training::default() };
    let mut trainer = Trainer::new(&fresh, training)?;
    let mut losses = Vec::new();
    for step in 0..STEPS {
        let lesson = questions(64, step);
        let batch = pack(&lesson, 64, 16, step)?.next().expect("a lesson fills a batch");
        losses.push(trainer.step(&batch)?.loss);
    }
    Ok((trainer.checkpoint(), losses[losses.len() - 10..].iter().sum::<f64>() / 10.0))
}

/// The share of 200 new questions that it answers.
fn found(model: &Checkpoint) -> Result<f64> {
    let questions = questions(200, 1 << 40);
    let sampling = Sampling { max_tokens: 2, ..Sampling::greedy() };
    let answers = Generator::new(model, 2)?.generate(questions.iter().map(ask).collect(), &sampling)?;
    let is_right = |(question, answer): &(&Sequence, Generated)| question.ids.ends_with(&answer.ids);
    Ok(questions.iter().zip(answers).filter(is_right).count() as f64 / 200.0)
}

fn ask(question: &Sequence) -> Prompt<Until> {
    let ids = question.ids[..question.scored_from].to_vec();
    Prompt { ids, constraint: Until::new(VOCABULARY, vec![END]) }
}

/// `n` lists of eight different numbers, each with the largest.
fn questions(n: usize, seed: u64) -> Vec<Sequence> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut numbers: Vec<u32> = (1..ASK).collect();
    let mut question = || {
        numbers.shuffle(&mut rng);
        let listed = &numbers[..8];
        let largest = listed.iter().copied().max().unwrap_or(END);
        Sequence::new([listed, &[ASK]].concat(), vec![largest, END])
    };
    (0..n).map(|_| question()).collect()
}
