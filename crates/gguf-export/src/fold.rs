//! A checkpoint of NanoLogic's full profile as the portable one that computes the same.
//!
//! llama.cpp has no keys for what the full profile adds, but most of it is linear and can go into the weights:
//!
//! - **Residual scales** `x ← αₖ x + fₖ(norm x)`: with Aₖ = α₀ … αₖ₋₁ and yₖ = g xₖ / Aₖ the stream is plain,
//!   yₖ₊₁ = yₖ + (g / Aₖ₊₁) fₖ(norm yₖ), because the norm does not see the scale but for its epsilon. The factor g / Aₖ₊₁
//!   goes into the matrices of sub-layer k, shared between the two so that their largest entries match.
//! - **Embedding scale** s: the embedding becomes g s E. A tied head is the same matrix, so the last norm divides by g s.
//! - **Head scale** c: into the last norm too.
//! - **Differential attention** softmax(q₁k₁)v − λ softmax(q₂k₂)v: twice the heads, each key-value group followed by its
//!   second pattern with the same values, whose columns of the output matrix are multiplied by −λ.
//! - **Gate residual** (silu(g) + a) ⊙ u: the linear branch a W_down W_up, as D hidden units whose gate is a constant b:
//!   gate row 0 and bias b, up a W_down W_up, down 1 / silu(b).
//! - **RoPE frequencies** ω: what the plain ones must be divided by to become them.
//!
//! g is as large as it may be, since epsilon counts for less beside a large stream, up to the middle of the factors' range
//! and as long as the embedding stays far from the largest half-precision number.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::full_profile::{FullProfile, expect_length};
use crate::{Error, Hyperparameters, TensorSource};

/// The checkpoint as a portable one: the tensors of `LlamaForCausalLM` or `Qwen3ForCausalLM`, made when they are read.
pub(crate) struct Folded<'a> {
    source: &'a dyn TensorSource,
    profile: FullProfile,
    /// The model as it is stored.
    stored: Hyperparameters,
    stream: Stream,
    blocks: Vec<Block>,
    /// Shapes of the portable model's tensors.
    shapes: BTreeMap<String, Vec<usize>>,
}

/// Factors outside the blocks.
struct Stream {
    embedding: f64,
    last_norm: f64,
}

/// Factors of one block's matrices.
#[derive(Clone, Copy)]
struct Block {
    value: f64,
    output: f64,
    up: f64,
    down: f64,
    /// λ of the second pattern.
    lambda: f64,
    /// a of the gate residual.
    gate_residual: f64,
}

/// Largest entry that the embedding may have after folding: half precision ends at 65504, and sums need room.
const LARGEST_EMBEDDING: f64 = 64.0;
/// The gate bias of units that are always open; any number will do whose SiLU is not small.
const OPEN: f64 = 4.0;
/// The name under which the divisors of the RoPE frequencies are read.
pub(crate) const ROPE_FACTORS: &str = "model.rotary_emb.factors";

impl<'a> Folded<'a> {
    /// Measures the matrices and works out the factors.
    ///
    /// # Errors
    /// [`Error::MissingTensor`] for a tensor that the profile needs, [`Error::Field`] for residual scales or frequencies
    /// that are not as many as they must be.
    pub fn new(
        source: &'a dyn TensorSource,
        profile: FullProfile,
        stored: Hyperparameters,
    ) -> Result<Folded<'a>, Error> {
        let alphas = &profile.residual_scales;
        expect_length(alphas, 2 * stored.n_layers, "residual_scales", "two for each block, or none")?;
        let half = stored.head_dim / 2;
        expect_length(&profile.rope_frequencies, half, "rope_frequencies", "one for each pair of a head")?;
        let alpha = |k: usize| alphas.get(k).copied().unwrap_or(1.0);

        let all: f64 = (0..2 * stored.n_layers).map(alpha).product();
        let s = profile.embedding_scale;
        let g = if alphas.iter().all(|&alpha| alpha == 1.0) {
            1.0
        } else {
            let room = LARGEST_EMBEDDING / (s * largest(source, EMBEDDING)?);
            all.sqrt().min(room).max(1.0)
        };
        let mut before = 1.0;
        let mut blocks = Vec::new();
        for layer in 0..stored.n_layers {
            let mut shared = |k: usize, first: &str, second: &str| {
                before *= alpha(k);
                share(source, &name(layer, first), &name(layer, second), g / before)
            };
            let (value, output) = shared(2 * layer, VALUE, OUTPUT)?;
            let (up, down) = shared(2 * layer + 1, UP, DOWN)?;
            let number = |set: bool, part: &str| {
                if set { scalar(source, &name(layer, part)) } else { Ok(0.0) }
            };
            let lambda = number(profile.differential, LAMBDA)?;
            let gate_residual = number(profile.gate_residual, GATE_RESIDUAL)?;
            blocks.push(Block { value, output, up, down, lambda, gate_residual });
        }
        let head_scale = if profile.head_scale { scalar(source, HEAD_SCALE)? } else { 1.0 };
        let stream = Stream {
            embedding: g * s,
            last_norm: if stored.tied { head_scale / (g * s) } else { head_scale },
        };
        let mut folded = Folded { source, profile, stored, stream, blocks, shapes: BTreeMap::new() };
        folded.shapes = folded.portable_shapes()?;
        Ok(folded)
    }

    /// What was folded, in words.
    pub fn changes(&self) -> Vec<String> {
        let mut changes = Vec::new();
        let profile = &self.profile;
        if profile.residual_scales.iter().any(|&alpha| alpha != 1.0) {
            let g = self.stream.embedding / profile.embedding_scale;
            changes.push(format!("residual scales folded into the matrices, with {g:.3} on the stream"));
        }
        if profile.embedding_scale != 1.0 {
            changes.push(format!("embedding scale {} folded into the embedding", profile.embedding_scale));
        }
        if profile.head_scale {
            changes.push("head scale folded into the last norm".to_owned());
        }
        if profile.differential {
            changes.push("differential attention as twice the heads; the key-value cache doubles".to_owned());
        }
        if profile.gate_residual {
            let units = self.stored.d_model;
            changes.push(format!("gate residual as {units} hidden units with a constant gate"));
        }
        if !profile.rope_frequencies.is_empty() {
            changes.push("RoPE frequencies as factors of the plain ones".to_owned());
        }
        changes
    }

    /// The portable model's.
    pub fn hyperparameters(&self) -> Hyperparameters {
        let patterns = if self.profile.differential { 2 } else { 1 };
        let linear_units = if self.profile.gate_residual { self.stored.d_model } else { 0 };
        Hyperparameters {
            n_heads: patterns * self.stored.n_heads,
            n_kv_heads: patterns * self.stored.n_kv_heads,
            d_ff: self.stored.d_ff + linear_units,
            ..self.stored.clone()
        }
    }

    /// The rows `rows` of one tensor of the portable model; a vector is one row.
    fn rows(&self, tensor: &str, rows: Range<usize>, out: &mut Vec<f32>) -> Result<(), Error> {
        let Some((layer, part)) = split_name(tensor) else {
            let factor = match tensor {
                EMBEDDING => self.stream.embedding,
                LAST_NORM => self.stream.last_norm,
                ROPE_FACTORS => {
                    out.extend(self.rope_factors());
                    return Ok(());
                }
                _ => 1.0,
            };
            let width = self.stored.d_model;
            return self.scaled(tensor, rows.start * width..rows.end * width, factor, out);
        };
        let missing = || Error::MissingTensor { name: tensor.to_owned() };
        let block = *self.blocks.get(layer).ok_or_else(missing)?;
        let Hyperparameters { d_model, head_dim, n_heads, n_kv_heads, d_ff, .. } = self.stored;
        let group = n_heads / n_kv_heads * head_dim;
        let plain = |name: &str, row: usize, width: usize, factor: f64, out: &mut Vec<f32>| {
            self.scaled(name, row * width..(row + 1) * width, factor, out)
        };
        for row in rows {
            match part {
                QUERY | KEY if self.profile.differential => {
                    let (run, second) =
                        if part == QUERY { (group, SECOND_QUERY) } else { (head_dim, SECOND_KEY) };
                    let (pattern, row) = unpaired(row, run);
                    let part = if pattern == 0 { part } else { second };
                    plain(&name(layer, part), row, d_model, 1.0, out)?;
                }
                VALUE if self.profile.differential => {
                    plain(tensor, unpaired(row, head_dim).1, d_model, block.value, out)?;
                }
                VALUE => plain(tensor, row, d_model, block.value, out)?,
                OUTPUT if self.profile.differential => {
                    let mut stored = Vec::new();
                    plain(tensor, row, n_heads * head_dim, block.output, &mut stored)?;
                    for columns in stored.chunks_exact(group) {
                        out.extend(columns);
                        out.extend(columns.iter().map(|&w| (f64::from(w) * -block.lambda) as f32));
                    }
                }
                OUTPUT => plain(tensor, row, n_heads * head_dim, block.output, out)?,
                GATE if row >= d_ff => out.resize(out.len() + d_model, 0.0),
                GATE_BIAS => {
                    out.resize(out.len() + d_ff, 0.0);
                    out.resize(out.len() + d_model, OPEN as f32);
                }
                UP if row >= d_ff => self.linear_branch(layer, row - d_ff, block, out)?,
                UP => plain(tensor, row, d_model, block.up, out)?,
                DOWN => {
                    plain(tensor, row, d_ff, block.down, out)?;
                    if self.profile.gate_residual {
                        let open = OPEN / (1.0 + (-OPEN).exp());
                        let start = out.len();
                        out.resize(start + d_model, 0.0);
                        out[start + row] = (block.down / open) as f32;
                    }
                }
                _ => {
                    let width = if part.contains("_norm") { head_dim } else { d_model };
                    plain(tensor, row, width, 1.0, out)?;
                }
            }
        }
        Ok(())
    }

    /// Row `row` of a W_down W_up, as the up-projection of the units that are always open.
    fn linear_branch(&self, layer: usize, row: usize, block: Block, out: &mut Vec<f32>) -> Result<(), Error> {
        let Hyperparameters { d_model, d_ff, .. } = self.stored;
        let mut down = Vec::new();
        self.source.read(&name(layer, DOWN), row * d_ff..(row + 1) * d_ff, &mut down)?;
        let mut sum = vec![0.0; d_model];
        let mut up = Vec::new();
        for (unit, weight) in down.into_iter().enumerate() {
            up.clear();
            self.source.read(&name(layer, UP), unit * d_model..(unit + 1) * d_model, &mut up)?;
            sum.iter_mut().zip(&up).for_each(|(sum, &up)| *sum += f64::from(weight) * f64::from(up));
        }
        out.extend(sum.iter().map(|&sum| (block.gate_residual * block.up * sum) as f32));
        Ok(())
    }
}

impl Folded<'_> {
    /// The stored shapes, larger by what the folding adds.
    fn portable_shapes(&self) -> Result<BTreeMap<String, Vec<usize>>, Error> {
        let stored: BTreeMap<String, Vec<usize>> = self.source.tensors().into_iter().collect();
        let patterns = if self.profile.differential { 2 } else { 1 };
        let linear_units = if self.profile.gate_residual { self.stored.d_model } else { 0 };
        let mut shapes = BTreeMap::new();
        for (tensor, shape) in &stored {
            let mut shape = shape.clone();
            let part = split_name(tensor);
            match (part.map_or(tensor.as_str(), |(_, part)| part), shape.as_mut_slice()) {
                (HEAD_SCALE, _) if self.profile.head_scale => continue,
                (GATE_RESIDUAL, _) if self.profile.gate_residual => continue,
                (LAMBDA, _) if self.profile.differential => continue,
                (second @ (SECOND_QUERY | SECOND_KEY), _) if self.profile.differential => {
                    let first = if second == SECOND_QUERY { QUERY } else { KEY };
                    let first = stored.get(&tensor.replace(second, first));
                    let expected = first.ok_or_else(|| Error::MissingTensor { name: tensor.clone() })?;
                    if *expected != shape {
                        let (name, expected) = (tensor.clone(), expected.clone());
                        return Err(Error::Shape { name, expected, found: shape });
                    }
                    continue;
                }
                (QUERY | KEY | VALUE, [rows, _]) => *rows *= patterns,
                (OUTPUT, [_, columns]) => *columns *= patterns,
                (GATE | UP, [units, _]) | (DOWN, [_, units]) => *units += linear_units,
                _ => {}
            }
            shapes.insert(tensor.clone(), shape);
        }
        let Hyperparameters { d_ff, head_dim, n_layers, .. } = self.hyperparameters();
        if self.profile.gate_residual {
            shapes.extend((0..n_layers).map(|layer| (name(layer, GATE_BIAS), vec![d_ff])));
        }
        if !self.profile.rope_frequencies.is_empty() {
            shapes.insert(ROPE_FACTORS.to_owned(), vec![head_dim / 2]);
        }
        Ok(shapes)
    }

    /// Stored numbers times a factor.
    fn scaled(&self, name: &str, range: Range<usize>, factor: f64, out: &mut Vec<f32>) -> Result<(), Error> {
        let start = out.len();
        self.source.read(name, range, out)?;
        if factor != 1.0 {
            out[start..].iter_mut().for_each(|w| *w = (f64::from(*w) * factor) as f32);
        }
        Ok(())
    }

    fn rope_factors(&self) -> impl Iterator<Item = f32> + '_ {
        let Hyperparameters { head_dim, rope_base, .. } = self.stored;
        let plain = move |i: usize| rope_base.powf(-2.0 * i as f64 / head_dim as f64);
        let frequencies = self.profile.rope_frequencies.iter().enumerate();
        frequencies.map(move |(i, frequency)| (plain(i) / frequency) as f32)
    }
}

impl TensorSource for Folded<'_> {
    fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        self.shapes.iter().map(|(name, shape)| (name.clone(), shape.clone())).collect()
    }

    fn read(&self, tensor: &str, range: Range<usize>, out: &mut Vec<f32>) -> Result<(), Error> {
        let missing = || Error::MissingTensor { name: tensor.to_owned() };
        let shape = self.shapes.get(tensor).ok_or_else(missing)?;
        let width = shape.last().copied().unwrap_or(1).max(1);
        let rows = range.start / width..range.end.div_ceil(width);
        let mut values = Vec::new();
        let skip = range.start - rows.start * width;
        self.rows(tensor, rows, &mut values)?;
        out.extend(values.get(skip..skip + range.len()).ok_or_else(missing)?);
        Ok(())
    }
}

const EMBEDDING: &str = "model.embed_tokens.weight";
const LAST_NORM: &str = "model.norm.weight";
const HEAD_SCALE: &str = "lm_head.scale";
const QUERY: &str = "self_attn.q_proj.weight";
const SECOND_QUERY: &str = "self_attn.q2_proj.weight";
const KEY: &str = "self_attn.k_proj.weight";
const SECOND_KEY: &str = "self_attn.k2_proj.weight";
const VALUE: &str = "self_attn.v_proj.weight";
const OUTPUT: &str = "self_attn.o_proj.weight";
const LAMBDA: &str = "self_attn.lambda";
const GATE: &str = "mlp.gate_proj.weight";
const GATE_BIAS: &str = "mlp.gate_proj.bias";
const UP: &str = "mlp.up_proj.weight";
const DOWN: &str = "mlp.down_proj.weight";
const GATE_RESIDUAL: &str = "mlp.gate_residual";

fn name(layer: usize, part: &str) -> String {
    format!("model.layers.{layer}.{part}")
}

/// `model.layers.3.mlp.up_proj.weight` -> (3, `mlp.up_proj.weight`).
fn split_name(name: &str) -> Option<(usize, &str)> {
    let (layer, part) = name.strip_prefix("model.layers.")?.split_once('.')?;
    Some((layer.parse().ok()?, part))
}

/// Rows in runs of `run`, of the two patterns in turn: which pattern, and which row of it.
fn unpaired(row: usize, run: usize) -> (usize, usize) {
    let (pair, place) = (row / (2 * run), row % (2 * run));
    (place / run, pair * run + place % run)
}

/// A factor shared between two matrices in a row, so that their largest entries come near each other. The first gets a
/// power of two, which rounds nothing.
fn share(source: &dyn TensorSource, first: &str, second: &str, factor: f64) -> Result<(f64, f64), Error> {
    if factor == 1.0 {
        return Ok((1.0, 1.0));
    }
    let ratio = factor * largest(source, second)? / largest(source, first)?;
    let share = if ratio.is_normal() { ratio.sqrt().log2().round().exp2() } else { 1.0 };
    Ok((share, factor / share))
}

/// The largest magnitude in a tensor, read in pieces.
fn largest(source: &dyn TensorSource, tensor: &str) -> Result<f64, Error> {
    const PIECE: usize = 1 << 20;
    let len = len(source, tensor)?;
    let (mut largest, mut values) = (0.0_f32, Vec::new());
    for start in (0..len).step_by(PIECE) {
        values.clear();
        source.read(tensor, start..len.min(start + PIECE), &mut values)?;
        largest = values.iter().fold(largest, |largest, w| largest.max(w.abs()));
    }
    Ok(largest.into())
}

/// The number that a tensor of one entry holds.
fn scalar(source: &dyn TensorSource, tensor: &str) -> Result<f64, Error> {
    let mut values = Vec::new();
    if len(source, tensor)? == 1 {
        source.read(tensor, 0..1, &mut values)?;
    }
    let value = values.first().copied().filter(|value| value.is_finite());
    value.map(f64::from).ok_or_else(|| Error::Field { field: tensor.to_owned(), expected: "one number" })
}

fn len(source: &dyn TensorSource, tensor: &str) -> Result<usize, Error> {
    let found = source.tensors().into_iter().find(|(name, _)| name == tensor);
    let (_, shape) = found.ok_or_else(|| Error::MissingTensor { name: tensor.to_owned() })?;
    Ok(shape.iter().product())
}
