//! What a GGUF file computes, worked out plainly in f64 from nothing but the file.
//!
//! This is the checker: it shares no code with the export that it checks, and it is the definition of the
//! architectures `llama` and `qwen3` as llama.cpp runs them, small enough to be read against its source.
//!
//! T tokens, D width, H query heads, K key heads, F feed-forward, V vocabulary.

use rayon::prelude::*;

use crate::full_profile::Caps;
use crate::{Error, GgufFile, dequantize};

/// A file of architecture `llama` or `qwen3`, ready to compute. Weights stay in the file; a row is in memory while it
/// is used.
pub struct GgufModel<'a> {
    file: &'a GgufFile,
    pairs: RopePairs,
    n_layers: usize,
    d_model: usize,
    n_heads: usize,
    n_kv_heads: usize,
    head_dim: usize,
    rope_base: f64,
    norm_eps: f64,
    vocab_size: usize,
    /// What llama.cpp does not compute, and a checkpoint may.
    caps: Caps,
}

/// Which numbers of a head RoPE turns together.
#[derive(Clone, Copy, PartialEq)]
enum RopePairs {
    /// 2i with 2i+1.
    Neighbours,
    /// i with i + head_dim/2.
    Halves,
}

impl<'a> GgufModel<'a> {
    /// Reads the sizes of a model.
    ///
    /// # Errors
    /// [`Error::Refused`] for another architecture, [`Error::Field`] for a key that is missing or contradicts another.
    pub fn new(file: &'a GgufFile) -> Result<GgufModel<'a>, Error> {
        let metadata = &file.header().metadata;
        let architecture = metadata.str("general.architecture").unwrap_or_default();
        let pairs = match architecture {
            "llama" => RopePairs::Neighbours,
            "qwen3" => RopePairs::Halves,
            other => {
                let reason = "this crate's forward knows llama and qwen3";
                return Err(Error::refused(format!("architecture {other:?}"), reason, "run it in llama.cpp"));
            }
        };
        let size = |key: &str| {
            let key = format!("{architecture}.{key}");
            let size = metadata.u64(&key).filter(|size| (1..1 << 32).contains(size));
            size.map(|size| size as usize).ok_or(Error::Field { field: key, expected: "a size" })
        };
        let number = |key: &str| {
            let key = format!("{architecture}.{key}");
            metadata.f64(&key).ok_or(Error::Field { field: key, expected: "a number" })
        };
        let n_heads = size("attention.head_count")?;
        let d_model = size("embedding_length")?;
        let embedding = tensor(file, "token_embd.weight")?;
        let model = GgufModel {
            file,
            pairs,
            n_layers: size("block_count")?,
            d_model,
            n_heads,
            n_kv_heads: size("attention.head_count_kv").unwrap_or(n_heads),
            head_dim: size("attention.key_length").unwrap_or(d_model / n_heads),
            rope_base: number("rope.freq_base").unwrap_or(10_000.0),
            norm_eps: number("attention.layer_norm_rms_epsilon")?,
            vocab_size: embedding.dims.get(1).copied().unwrap_or(0) as usize,
            caps: Caps::default(),
        };
        let whole_groups = model.n_heads.is_multiple_of(model.n_kv_heads);
        if !whole_groups || model.head_dim == 0 || !model.head_dim.is_multiple_of(2) {
            return Err(Error::Field {
                field: "attention.head_count".into(),
                expected: "made of whole groups",
            });
        }
        Ok(model)
    }

    /// The same model with bounds on its scores and logits, as no file can ask for.
    pub(crate) fn with_caps(self, caps: Caps) -> GgufModel<'a> {
        GgufModel { caps, ..self }
    }

    /// Rows of the embedding.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The logits after each token, row-major `(T, V)`.
    ///
    /// # Errors
    /// [`Error::MissingTensor`], [`Error::Shape`] or [`Error::UnsupportedType`] for a file that does not hold the
    /// model its keys describe; [`Error::Field`] for a token outside the vocabulary.
    pub fn logits(&self, tokens: &[u32]) -> Result<Vec<f64>, Error> {
        let mut x = self.embed(tokens)?;
        for layer in 0..self.n_layers {
            let h = self.norm(&x, &format!("blk.{layer}.attn_norm.weight"), self.d_model)?;
            add(&mut x, &self.attention(&h, layer, tokens.len())?);
            let h = self.norm(&x, &format!("blk.{layer}.ffn_norm.weight"), self.d_model)?;
            add(&mut x, &self.feed_forward(&h, layer)?);
        }
        let x = self.norm(&x, "output_norm.weight", self.d_model)?;
        let head = if self.file.tensor("output.weight").is_some() { "output" } else { "token_embd" };
        let mut logits = self.linear(head, &x, self.d_model, self.vocab_size)?;
        cap(&mut logits, self.caps.output);
        Ok(logits)
    }

    /// `(T)` -> `(T, D)`.
    fn embed(&self, tokens: &[u32]) -> Result<Vec<f64>, Error> {
        let tensor = tensor(self.file, "token_embd.weight")?;
        self.expect_shape("token_embd.weight", &[self.vocab_size, self.d_model])?;
        let row_bytes = self.file.bytes(tensor).len() / self.vocab_size;
        let mut rows = Vec::new();
        for &token in tokens {
            let row = self.file.bytes(tensor).chunks_exact(row_bytes).nth(token as usize);
            let row =
                row.ok_or(Error::Field { field: format!("token {token}"), expected: "in the vocabulary" })?;
            dequantize(tensor.ggml_type, row, &mut rows)?;
        }
        Ok(rows.into_iter().map(f64::from).collect())
    }

    /// softmax(q kᵀ / √head_dim, causal) v, heads side by side, through the output matrix. `(T, D)` -> `(T, D)`.
    fn attention(&self, h: &[f64], layer: usize, n_tokens: usize) -> Result<Vec<f64>, Error> {
        let hd = self.head_dim;
        let (q_width, kv_width) = (self.n_heads * hd, self.n_kv_heads * hd);
        let block = |part: &str| format!("blk.{layer}.{part}");
        let q = self.linear(&block("attn_q"), h, self.d_model, q_width)?; // (T, H·hd)
        let k = self.linear(&block("attn_k"), h, self.d_model, kv_width)?; // (T, K·hd)
        let v = self.linear(&block("attn_v"), h, self.d_model, kv_width)?;
        let q = self.position(q, &block("attn_q_norm.weight"), self.n_heads)?;
        let k = self.position(k, &block("attn_k_norm.weight"), self.n_kv_heads)?;
        let group = self.n_heads / self.n_kv_heads;
        let mut mixed = vec![0.0; n_tokens * q_width];
        mixed.par_chunks_mut(hd).enumerate().for_each(|(place, out)| {
            let (t, head) = (place / self.n_heads, place % self.n_heads);
            let query = &q[place * hd..][..hd];
            let at = |s: usize| s * kv_width + head / group * hd;
            let mut scores: Vec<f64> =
                (0..=t).map(|s| dot(query, &k[at(s)..][..hd]) / (hd as f64).sqrt()).collect();
            cap(&mut scores, self.caps.attention);
            let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
            let total: f64 = weights.iter().sum();
            for (s, weight) in weights.iter().enumerate() {
                for (o, v) in out.iter_mut().zip(&v[at(s)..][..hd]) {
                    *o += weight / total * v;
                }
            }
        });
        self.linear(&block("attn_output"), &mixed, q_width, self.d_model)
    }

    /// Normalizes each head (`qwen3` only) and turns it by its position. `(T, heads·hd)`.
    fn position(&self, x: Vec<f64>, norm: &str, heads: usize) -> Result<Vec<f64>, Error> {
        let hd = self.head_dim;
        let mut x = if self.pairs == RopePairs::Halves { self.norm(&x, norm, hd)? } else { x };
        let factors = self.rope_factors()?;
        for (place, head) in x.chunks_exact_mut(hd).enumerate() {
            let t = (place / heads) as f64;
            for (i, factor) in factors.iter().enumerate() {
                let (a, b) = match self.pairs {
                    RopePairs::Neighbours => (2 * i, 2 * i + 1),
                    RopePairs::Halves => (i, i + hd / 2),
                };
                let angle = t * self.rope_base.powf(-2.0 * i as f64 / hd as f64) / factor;
                let (sin, cos) = angle.sin_cos();
                (head[a], head[b]) = (head[a] * cos - head[b] * sin, head[b] * cos + head[a] * sin);
            }
        }
        Ok(x)
    }

    /// What divides each pair's angle: 1, but for a `llama` with a tensor of its own for it.
    fn rope_factors(&self) -> Result<Vec<f64>, Error> {
        let name = "rope_freqs.weight";
        if self.pairs == RopePairs::Halves || self.file.tensor(name).is_none() {
            return Ok(vec![1.0; self.head_dim / 2]);
        }
        self.expect_shape(name, &[self.head_dim / 2])?;
        self.vector(name)
    }

    /// SwiGLU: down(silu(gate h) · up h). `(T, D)` -> `(T, D)`.
    fn feed_forward(&self, h: &[f64], layer: usize) -> Result<Vec<f64>, Error> {
        let block = |part: &str| format!("blk.{layer}.{part}");
        let width = tensor(self.file, &block("ffn_up.weight"))?.dims.get(1).copied().unwrap_or(0) as usize;
        let gate = self.linear(&block("ffn_gate"), h, self.d_model, width)?; // (T, F)
        let mut hidden = self.linear(&block("ffn_up"), h, self.d_model, width)?;
        for (u, g) in hidden.iter_mut().zip(gate) {
            *u *= g / (1.0 + (-g).exp());
        }
        self.linear(&block("ffn_down"), &hidden, width, self.d_model)
    }

    /// x / √(mean x² + eps) · weight, over runs of `width`.
    fn norm(&self, x: &[f64], name: &str, width: usize) -> Result<Vec<f64>, Error> {
        self.expect_shape(name, &[width])?;
        let weight = self.vector(name)?;
        let mut out = Vec::with_capacity(x.len());
        for run in x.chunks_exact(width) {
            let scale = 1.0 / (dot(run, run) / width as f64 + self.norm_eps).sqrt();
            out.extend(run.iter().zip(&weight).map(|(x, w)| x * scale * w));
        }
        Ok(out)
    }

    /// x Wᵀ + b. `(T, n_in)` -> `(T, n_out)`.
    fn linear(&self, name: &str, x: &[f64], n_in: usize, n_out: usize) -> Result<Vec<f64>, Error> {
        let weight = format!("{name}.weight");
        self.expect_shape(&weight, &[n_out, n_in])?;
        let tensor = tensor(self.file, &weight)?;
        let bytes = self.file.bytes(tensor);
        let n_tokens = x.len() / n_in;
        let columns: Vec<Vec<f64>> = bytes
            .par_chunks_exact(bytes.len() / n_out)
            .map(|bytes| {
                let mut row = Vec::with_capacity(n_in);
                dequantize(tensor.ggml_type, bytes, &mut row)?;
                let row: Vec<f64> = row.into_iter().map(f64::from).collect();
                Ok(x.chunks_exact(n_in).map(|x| dot(x, &row)).collect())
            })
            .collect::<Result<_, Error>>()?; // (n_out, T)
        let mut y: Vec<f64> =
            (0..n_tokens).flat_map(|t| columns.iter().map(move |column| column[t])).collect();
        let bias = format!("{name}.bias");
        if self.file.tensor(&bias).is_some() {
            self.expect_shape(&bias, &[n_out])?;
            let bias = self.vector(&bias)?;
            y.chunks_exact_mut(n_out).for_each(|row| add(row, &bias));
        }
        Ok(y)
    }

    fn vector(&self, name: &str) -> Result<Vec<f64>, Error> {
        let tensor = tensor(self.file, name)?;
        let mut values = Vec::new();
        dequantize(tensor.ggml_type, self.file.bytes(tensor), &mut values)?;
        Ok(values.into_iter().map(f64::from).collect())
    }

    fn expect_shape(&self, name: &str, expected: &[usize]) -> Result<(), Error> {
        let dims = &tensor(self.file, name)?.dims;
        if dims.iter().rev().map(|&dim| dim as usize).eq(expected.iter().copied()) {
            return Ok(());
        }
        let found = dims.iter().rev().map(|&dim| dim as usize).collect();
        Err(Error::Shape { name: name.to_owned(), expected: expected.to_vec(), found })
    }
}

fn tensor<'a>(file: &'a GgufFile, name: &str) -> Result<&'a crate::TensorInfo, Error> {
    file.tensor(name).ok_or_else(|| Error::MissingTensor { name: name.to_owned() })
}

/// c tanh(x / c).
fn cap(values: &mut [f64], cap: Option<f64>) {
    if let Some(cap) = cap {
        values.iter_mut().for_each(|x| *x = cap * (*x / cap).tanh());
    }
}

fn add(x: &mut [f64], y: &[f64]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

/// Eight running sums, so that the compiler may compute them side by side.
fn dot(x: &[f64], y: &[f64]) -> f64 {
    let (x, x_rest) = x.as_chunks::<8>();
    let (y, y_rest) = y.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (x, y) in x.iter().zip(y) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}
