//! How many tokens a second are trained and generated, and what share of the machine's matrix products is that?
//!
//! ```text
//! cargo bench -p benches --features torch --bench train -- --d 512 --layers 8 --modes train-eager,generate
//! ```
//! One JSON line a mode and profile. Shapes, modes and keys are those of a PyTorch program that trains the same decoder, so
//! that the two stand side by side; `train-padded` names the task, which here is done by packing. The full profile has
//! that program's options: residual scale (2N)^¼, embedding scale √d, head scale, soft-cap 30, smoothing 0.1, z-loss 1e-4.
//! With `--weights` it starts from that program's weights and first batch, and its first loss must be the same.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Parser;
use data_pipeline::{Batch, Sequence, pack};
use nanologic_model::torch::{
    Compute, Constraint, Generator, Loss, Method, Prompt, Sampling, Schedule, Trainer, Training, matmul_roof,
};
use nanologic_model::{Array, Checkpoint, Config, Options, Provenance, Weights};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 512)]
    d: usize,
    #[arg(long, default_value_t = 8)]
    layers: usize,
    #[arg(long, default_value_t = 8)]
    heads: usize,
    #[arg(long, default_value_t = 2)]
    kv: usize,
    #[arg(long, default_value_t = 1408)]
    ff: usize,
    #[arg(long, default_value_t = 8000)]
    vocab: usize,
    #[arg(long, default_value_t = 1024)]
    ctx: usize,
    /// Rows a step; examples a step for train-padded.
    #[arg(long, default_value_t = 4)]
    batch: usize,
    #[arg(long, default_value_t = 256)]
    seq: usize,
    /// Length of each packed document; 0 is one a row.
    #[arg(long, default_value_t = 64)]
    doc: usize,
    #[arg(long, default_value_t = 6)]
    steps: usize,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Of train-eager, train-bf16, train-padded, train-padded-bf16, train-muon, forward, generate, generate-32.
    #[arg(long, default_value = "train-eager,train-bf16,generate")]
    modes: String,
    /// Lengths of the examples of train-padded, one a line.
    #[arg(long)]
    lengths: Option<PathBuf>,
    /// Of full, portable.
    #[arg(long, default_value = "full,portable", value_delimiter = ',')]
    profiles: Vec<String>,
    /// Weights and first batch of the other program (npz), for the full profile.
    #[arg(long)]
    weights: Option<PathBuf>,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Profile {
    Full,
    Portable,
}

fn main() -> anyhow::Result<()> {
    let a = Arguments::parse();
    for mode in a.modes.split(',') {
        for name in &a.profiles {
            let p = match name.as_str() {
                "full" => Profile::Full,
                "portable" => Profile::Portable,
                other => bail!("no profile {other:?}"),
            };
            let mut line = match mode {
                "train-eager" | "train-compile" => train(&a, p, Compute::Fp32, Method::AdamW)?,
                "train-bf16" | "train-compile-bf16" => train(&a, p, Compute::Bf16, Method::AdamW)?,
                "train-muon" => train(&a, p, Compute::Fp32, Method::Muon)?,
                "train-padded" => train_packed(&a, p, Compute::Fp32)?,
                "train-padded-bf16" => train_packed(&a, p, Compute::Bf16)?,
                "forward" => forward(&a, p)?,
                "generate" => generate(&a, p, 1)?,
                "generate-32" => generate(&a, p, 32)?,
                other => bail!("no mode {other:?}"),
            };
            line["mode"] = mode.into();
            line["profile"] = name.as_str().into();
            println!("{line}");
        }
    }
    Ok(())
}

fn config(a: &Arguments, profile: Profile) -> Config {
    let options = match profile {
        Profile::Portable => Options::default(),
        Profile::Full => Options {
            embedding_scale: Some((a.d as f64).sqrt()),
            head_scale: true,
            output_cap: Some(30.0),
            beta: None,
            ..Options::deep_norm(a.layers)
        },
    };
    Config {
        vocab_size: a.vocab,
        d_model: a.d,
        n_layers: a.layers,
        n_heads: a.heads,
        n_kv_heads: a.kv,
        head_dim: a.d / a.heads,
        d_ff: a.ff,
        max_seq: a.ctx,
        options,
        ..Config::notes()
    }
}

fn start(a: &Arguments, profile: Profile) -> anyhow::Result<Checkpoint> {
    let config = config(a, profile);
    let weights = match &a.weights {
        Some(path) if profile == Profile::Full => peer_weights(path)?,
        _ => Weights::init(&config, 0),
    };
    Ok(Checkpoint { config, weights, tokenizer: None, training: None, provenance: Provenance::default() })
}

/// The other program's weights, under our names.
fn peer_weights(path: &Path) -> anyhow::Result<Weights> {
    let parts = [
        ("n1.", "input_layernorm."),
        ("n2.", "post_attention_layernorm."),
        ("attn.qn.", "self_attn.q_norm."),
        ("attn.kn.", "self_attn.k_norm."),
        ("attn.q.", "self_attn.q_proj."),
        ("attn.k.", "self_attn.k_proj."),
        ("attn.v.", "self_attn.v_proj."),
        ("attn.o.", "self_attn.o_proj."),
        ("ff.gate.", "mlp.gate_proj."),
        ("ff.up.", "mlp.up_proj."),
        ("ff.down.", "mlp.down_proj."),
    ];
    let name = |theirs: &str| match theirs {
        "emb.weight" => Some("model.embed_tokens.weight".to_owned()),
        "norm.weight" => Some("model.norm.weight".to_owned()),
        "scale" => Some("lm_head.scale".to_owned()),
        _ => {
            let (layer, rest) = theirs.strip_prefix("blocks.")?.split_once('.')?;
            let (short, long) = parts.iter().find(|(short, _)| rest.starts_with(short))?;
            Some(format!("model.layers.{layer}.{long}{}", &rest[short.len()..]))
        }
    };
    let arrays = Tensor::read_npz(path).with_context(|| path.display().to_string())?;
    let named = arrays.iter().filter_map(|(theirs, tensor)| {
        let data = Vec::try_from(tensor.to_kind(Kind::Float).flatten(0, -1));
        let shape = tensor.size().iter().map(|&n| n as usize).collect();
        let ours = name(theirs)?;
        Some(data.map(|data| (ours, Array { shape, data })))
    });
    Ok(Weights(named.collect::<Result<_, _>>()?))
}

fn trainer(a: &Arguments, profile: Profile, compute: Compute, method: Method) -> anyhow::Result<Trainer> {
    let loss = match profile {
        Profile::Full => Loss { label_smoothing: 0.1, z: 1e-4, ..Loss::default() },
        Profile::Portable => Loss::default(),
    };
    let training = Training {
        steps: 1 << 20,
        method,
        learning_rate: 1e-2,
        adam_share: 0.1,
        adam_betas: (0.9, 0.999),
        warmup_steps: 0,
        schedule: Schedule::Constant,
        loss,
        compute,
        threads: a.threads,
        ..Training::default()
    };
    Ok(Trainer::new(&start(a, profile)?, training)?)
}

/// Rows of random tokens, every one scored, in documents of `doc` tokens.
fn batch(a: &Arguments) -> anyhow::Result<Batch> {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let ids: Vec<i64> = match &a.weights {
        None => (0..a.batch * (a.seq + 1)).map(|_| random.random_range(0..a.vocab as i64)).collect(),
        Some(path) => {
            let arrays = Tensor::read_npz(path).with_context(|| path.display().to_string())?;
            let ids = arrays.into_iter().find(|(name, _)| name == "ids").context("the file holds no ids")?.1;
            if ids.size() != [a.batch as i64, a.seq as i64 + 1] {
                bail!("the file's batch is {:?}, not {} × {}", ids.size(), a.batch, a.seq + 1);
            }
            Vec::try_from(ids.flatten(0, -1))?
        }
    };
    let rows =
        |shift: usize| ids.chunks(a.seq + 1).flat_map(|row| row[shift..a.seq + shift].to_vec()).collect();
    let cells = || (0..a.batch).flat_map(|_| 0..a.seq);
    Ok(Batch {
        rows: a.batch,
        seq: a.seq,
        ids: rows(0),
        targets: rows(1),
        document: cells().map(|t| t.checked_div(a.doc).unwrap_or(0) as i64).collect(),
        position: cells().map(|t| t as i64).collect(),
        loss_mask: vec![1.0; a.batch * a.seq],
    })
}

fn train(
    a: &Arguments,
    profile: Profile,
    compute: Compute,
    method: Method,
) -> anyhow::Result<serde_json::Value> {
    let roof = matmul_roof(compute, a.threads);
    let mut trainer = trainer(a, profile, compute, method)?;
    let batch = batch(a)?;
    let (mut best, mut first, mut last) = (f64::INFINITY, None, 0.0);
    for step in 0..a.steps + 2 {
        let began = Instant::now();
        last = trainer.step(&batch)?.objective;
        first.get_or_insert(last);
        if step >= 2 {
            best = best.min(began.elapsed().as_secs_f64());
        }
    }
    let rate = (a.batch * a.seq) as f64 / best;
    let context = if a.doc == 0 { a.seq } else { a.doc };
    let spent = rate * trainer.config().training_flops_per_token(context);
    Ok(serde_json::json!({
        "params": trainer.config().parameters(), "tokens_per_s": round(rate), "first_loss": first, "loss": last,
        "roof_gflops": round(roof / 1e9), "roof_share": round(spent / roof * 100.0) / 100.0,
    }))
}

/// Examples of the lengths in a file, packed, about `batch` of them a step.
fn train_packed(a: &Arguments, profile: Profile, compute: Compute) -> anyhow::Result<serde_json::Value> {
    let path = a.lengths.as_ref().context("train-padded needs --lengths")?;
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let lengths = text.split_whitespace().map(str::parse).collect::<Result<Vec<usize>, _>>()?;
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut example = |length: &usize| {
        Sequence::new(vec![1], (1..*length).map(|_| random.random_range(0..a.vocab as u32)).collect())
    };
    let sequences: Vec<Sequence> = lengths.iter().map(&mut example).collect();
    let longest = lengths.iter().max().copied().unwrap_or(1);
    let seq = longest.next_multiple_of(16).max(128);
    let tokens: usize = lengths.iter().sum();
    let rows = (a.batch * tokens / lengths.len().max(1)).div_ceil(seq).max(a.threads);
    let mut trainer = trainer(a, profile, compute, Method::AdamW)?;
    let mut batches = pack(&sequences, rows, seq, 0)?.cycle();
    let mut step = |n: usize| -> anyhow::Result<(f64, f64)> {
        let (mut examples, mut tokens) = (0, 0);
        for batch in batches.by_ref().take(n) {
            trainer.step(&batch)?;
            tokens += batch.real_tokens();
            examples +=
                (0..batch.ids.len()).filter(|&at| batch.document[at] >= 0 && batch.position[at] == 0).count();
        }
        Ok((examples as f64, tokens as f64))
    };
    step(2)?;
    let began = Instant::now();
    let (examples, tokens) = step(a.steps)?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(serde_json::json!({
        "examples_per_s": round(examples / seconds), "tokens_per_s": round(tokens / seconds), "rows": rows, "seq": seq,
    }))
}

/// Training's forward alone, with its loss.
fn forward(a: &Arguments, profile: Profile) -> anyhow::Result<serde_json::Value> {
    let trainer = trainer(a, profile, Compute::Fp32, Method::AdamW)?;
    let batch = batch(a)?;
    let seconds = (0..a.steps + 2)
        .map(|_| {
            let began = Instant::now();
            trainer.loss(&batch)?;
            Ok(began.elapsed().as_secs_f64())
        })
        .collect::<anyhow::Result<Vec<f64>>>()?;
    let best = seconds.into_iter().fold(f64::INFINITY, f64::min);
    Ok(serde_json::json!({ "tokens_per_s": round((a.batch * a.seq) as f64 / best), "threads": 1 }))
}

/// Any token, so many times.
struct Free {
    left: usize,
    vocabulary: Vec<u32>,
}

impl Constraint for Free {
    fn allowed(&self) -> Vec<u32> {
        if self.left == 0 { Vec::new() } else { self.vocabulary.clone() }
    }

    fn accept(&mut self, _: u32) {
        self.left -= 1;
    }
}

/// Tokens a second after a prompt of 32, the prompt's own pass taken off.
fn generate(a: &Arguments, profile: Profile, streams: usize) -> anyhow::Result<serde_json::Value> {
    let checkpoint = start(a, profile)?;
    let mut generator = Generator::new(&checkpoint, a.threads)?;
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let prompts: Vec<Vec<u32>> =
        (0..streams).map(|_| (0..32).map(|_| random.random_range(0..a.vocab as u32)).collect()).collect();
    let mut seconds = |tokens: usize| -> anyhow::Result<f64> {
        let vocabulary: Vec<u32> = (0..a.vocab as u32).collect();
        let prompts = prompts.iter().map(|ids| Prompt {
            ids: ids.clone(),
            constraint: Free { left: tokens, vocabulary: vocabulary.clone() },
        });
        let sampling = Sampling { max_tokens: tokens, ..Sampling::greedy() };
        let prompts = prompts.collect();
        let began = Instant::now();
        generator.generate(prompts, &sampling)?;
        Ok(began.elapsed().as_secs_f64())
    };
    let mut best = |tokens: usize| -> anyhow::Result<f64> {
        (0..3).try_fold(f64::INFINITY, |best: f64, _| Ok(best.min(seconds(tokens)?)))
    };
    let (one, many) = (best(1)?, best(97)?);
    let rate = (96 * streams) as f64 / (many - one);
    let read = rate / streams as f64 * (checkpoint.config.parameters() * 4) as f64;
    Ok(serde_json::json!({ "tokens_per_s": round(rate), "weights_read_gb_per_s": round(read / 1e8) / 10.0 }))
}

fn round(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}
