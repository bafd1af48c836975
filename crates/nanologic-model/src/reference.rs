//! The decoder once more, written to be read: plain loops, no LibTorch, in f32 or f64. LibTorch must equal it, and
//! growth is proven with it.
//!
//! Legend of the shapes: T tokens, d `d_model`, H query heads, K key/value heads, D `head_dim`, F `d_ff`, V vocabulary.

use std::ops::{AddAssign, Mul};

use crate::axes::Kind;
use crate::checkpoint::Weights;
use crate::config::Config;
use crate::error::Error;

/// A number the reference computes with: `f32` or `f64`.
pub trait Real: Copy + Default + AddAssign + Mul<Output = Self> + Send + Sync + 'static {
    /// Rounded from f64.
    fn of(x: f64) -> Self;
    /// Widened to f64.
    fn wide(self) -> f64;
}

impl Real for f32 {
    fn of(x: f64) -> f32 {
        x as f32
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    fn of(x: f64) -> f64 {
        x
    }
    fn wide(self) -> f64 {
        self
    }
}

/// A decoder that computes logits by the textbook, one token after the other.
///
/// ```
/// use nanologic_model::{Config, Reference, Weights};
///
/// let config = Config::tiny();
/// let model = Reference::<f64>::new(&config, &Weights::init(&config, 0))?;
/// let logits = model.logits(&[1, 5, 9])?;
/// assert_eq!(logits.len(), 3 * config.vocab_size);
/// # Ok::<(), nanologic_model::Error>(())
/// ```
pub struct Reference<R> {
    config: Config,
    embedding: Vec<R>,
    layers: Vec<Layer<R>>,
    final_norm: Vec<R>,
    head: Option<Vec<R>>,
}

struct Layer<R> {
    attention_norm: Vec<R>,
    query: Vec<R>,
    key: Vec<R>,
    value: Vec<R>,
    query_norm: Option<Vec<R>>,
    key_norm: Option<Vec<R>>,
    output: Vec<R>,
    feed_forward_norm: Vec<R>,
    gate: Vec<R>,
    up: Vec<R>,
    down: Vec<R>,
}

/// Keys and values of the tokens so far, of one layer: `(T, K, D)` each.
#[derive(Default)]
struct Past<R> {
    keys: Vec<R>,
    values: Vec<R>,
}

impl<R: Real> Reference<R> {
    /// Takes a copy of the weights, in `R`.
    ///
    /// # Errors
    /// [`Error::Config`], and what [`Weights::check`] finds.
    pub fn new(config: &Config, weights: &Weights) -> Result<Reference<R>, Error> {
        config.validate()?;
        weights.check(config)?;
        Reference::from_tensors(config, |name| {
            Ok(weights.get(name)?.data.iter().map(|&x| R::of(f64::from(x))).collect())
        })
    }

    /// Takes every tensor by name from `read`, which vouches for its length.
    pub(crate) fn from_tensors<E>(
        config: &Config,
        mut read: impl FnMut(&str) -> Result<Vec<R>, E>,
    ) -> Result<Reference<R>, E> {
        let mut load = |kind: Kind, layer| read(&kind.name(layer));
        let mut layers = Vec::with_capacity(config.n_layers);
        for n in (0..config.n_layers).map(Some) {
            layers.push(Layer {
                attention_norm: load(Kind::AttentionNorm, n)?,
                query: load(Kind::Query, n)?,
                key: load(Kind::Key, n)?,
                value: load(Kind::Value, n)?,
                query_norm: config.qk_norm.then(|| load(Kind::QueryNorm, n)).transpose()?,
                key_norm: config.qk_norm.then(|| load(Kind::KeyNorm, n)).transpose()?,
                output: load(Kind::Output, n)?,
                feed_forward_norm: load(Kind::FeedForwardNorm, n)?,
                gate: load(Kind::Gate, n)?,
                up: load(Kind::Up, n)?,
                down: load(Kind::Down, n)?,
            });
        }
        Ok(Reference {
            config: config.clone(),
            embedding: load(Kind::Embedding, None)?,
            layers,
            final_norm: load(Kind::FinalNorm, None)?,
            head: (!config.tied).then(|| load(Kind::Head, None)).transpose()?,
        })
    }

    /// Its shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Logits `(T, V)`, row-major, after each of the tokens.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Token`].
    pub fn logits(&self, tokens: &[u32]) -> Result<Vec<R>, Error> {
        let Config { vocab_size, max_seq, d_model, .. } = self.config;
        if tokens.is_empty() || tokens.len() > max_seq {
            return Err(Error::Length { length: tokens.len(), max_seq });
        }
        let mut past: Vec<Past<R>> = self.layers.iter().map(|_| Past::default()).collect();
        let mut logits = Vec::with_capacity(tokens.len() * vocab_size);
        for (position, &id) in tokens.iter().enumerate() {
            let row = id as usize * d_model;
            let mut x = match self.embedding.get(row..row + d_model) {
                Some(x) => x.to_vec(),
                None => return Err(Error::Token { id, vocab_size }),
            };
            for (layer, past) in self.layers.iter().zip(&mut past) {
                self.attention(layer, past, position, &mut x);
                self.feed_forward(layer, &mut x);
            }
            self.rms_norm(&mut x, &self.final_norm);
            logits.extend(product(self.head.as_ref().unwrap_or(&self.embedding), &x));
        }
        Ok(logits)
    }

    /// `x += W_o · attention(norm(x))` over the tokens so far and this one.
    fn attention(&self, layer: &Layer<R>, past: &mut Past<R>, position: usize, x: &mut [R]) {
        let Config { n_heads, n_kv_heads, head_dim, .. } = self.config;
        let mut normed = x.to_vec();
        self.rms_norm(&mut normed, &layer.attention_norm);
        let mut queries = product(&layer.query, &normed);
        let mut keys = product(&layer.key, &normed);
        self.place_heads(&mut queries, layer.query_norm.as_deref(), position);
        self.place_heads(&mut keys, layer.key_norm.as_deref(), position);
        past.keys.append(&mut keys);
        past.values.append(&mut product(&layer.value, &normed));

        let scale = 1.0 / (head_dim as f64).sqrt();
        let mut mixed = vec![R::default(); n_heads * head_dim];
        for (head, query) in queries.chunks_exact(head_dim).enumerate() {
            let kv = head / (n_heads / n_kv_heads);
            let of_head = |all: &[R], t: usize| -> Vec<R> {
                let start = (t * n_kv_heads + kv) * head_dim;
                all[start..start + head_dim].to_vec()
            };
            let scores: Vec<f64> =
                (0..=position).map(|t| dot(query, &of_head(&past.keys, t)).wide() * scale).collect();
            let out = &mut mixed[head * head_dim..(head + 1) * head_dim];
            for (t, weight) in softmax(&scores).into_iter().enumerate() {
                for (out, value) in out.iter_mut().zip(of_head(&past.values, t)) {
                    *out += value * R::of(weight);
                }
            }
        }
        add(x, &product(&layer.output, &mixed));
    }

    /// `x += W_down · (silu(W_gate · norm(x)) ⊙ W_up · norm(x))`.
    fn feed_forward(&self, layer: &Layer<R>, x: &mut [R]) {
        let mut normed = x.to_vec();
        self.rms_norm(&mut normed, &layer.feed_forward_norm);
        let gate = product(&layer.gate, &normed);
        let up = product(&layer.up, &normed);
        let hidden: Vec<R> = gate.iter().zip(up).map(|(g, up)| R::of(silu(g.wide())) * up).collect();
        add(x, &product(&layer.down, &hidden));
    }

    /// `x ← gain ⊙ x / √(mean(x²) + eps)`.
    fn rms_norm(&self, x: &mut [R], gain: &[R]) {
        let mean_square = x.iter().map(|x| x.wide() * x.wide()).sum::<f64>() / x.len() as f64;
        let scale = R::of(1.0 / (mean_square + self.config.norm_eps).sqrt());
        for (x, &gain) in x.iter_mut().zip(gain) {
            *x = *x * scale * gain;
        }
    }

    /// QK-norm if there is one, then RoPE: channels `i` and `i + D/2` of a head turn by `position · base^(-2i/D)`.
    fn place_heads(&self, heads: &mut [R], gain: Option<&[R]>, position: usize) {
        let Config { head_dim, rope_base, .. } = self.config;
        let half = head_dim / 2;
        for head in heads.chunks_exact_mut(head_dim) {
            if let Some(gain) = gain {
                self.rms_norm(head, gain);
            }
            for i in 0..half {
                let angle = position as f64 * rope_base.powf(-2.0 * i as f64 / head_dim as f64);
                let (sin, cos) = angle.sin_cos();
                let (a, b) = (head[i].wide(), head[i + half].wide());
                head[i] = R::of(a * cos - b * sin);
                head[i + half] = R::of(b * cos + a * sin);
            }
        }
    }
}

/// `W x` for a row-major `W` of `(rows, x.len())`.
fn product<R: Real>(w: &[R], x: &[R]) -> Vec<R> {
    w.chunks_exact(x.len()).map(|row| dot(row, x)).collect()
}

/// Eight partial sums, so that the compiler may use vector registers.
fn dot<R: Real>(a: &[R], b: &[R]) -> R {
    let mut lanes = [R::default(); 8];
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    for (a, b) in a.iter().zip(b) {
        for (lane, (&a, &b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    let mut sum = R::default();
    for lane in lanes {
        sum += lane;
    }
    for (&a, &b) in a_rest.iter().zip(b_rest) {
        sum += a * b;
    }
    sum
}

fn add<R: Real>(x: &mut [R], y: &[R]) {
    for (x, &y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = scores.iter().map(|s| (s - most).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / total).collect()
}

fn silu(x: f64) -> f64 {
    x / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights with nothing at zero, so that every term counts.
    fn noisy(config: &Config) -> Weights {
        let mut weights = Weights::init(config, 3);
        for (n, array) in weights.0.values_mut().enumerate() {
            for (i, x) in array.data.iter_mut().enumerate() {
                *x += ((i * 31 + n * 7) % 17) as f32 / 170.0 - 0.05;
            }
        }
        weights
    }

    #[test]
    fn later_tokens_do_not_change_earlier_logits() {
        let config = Config::tiny();
        let model = Reference::<f64>::new(&config, &noisy(&config)).unwrap();
        let long = model.logits(&[1, 2, 3, 4]).unwrap();
        assert_eq!(long[..2 * config.vocab_size], model.logits(&[1, 2]).unwrap());
    }

    #[test]
    fn single_precision_is_near_double() {
        for (qk_norm, tied) in [(true, true), (false, false)] {
            let config = Config { qk_norm, tied, ..Config::tiny() };
            let tokens: Vec<u32> = (0..40).map(|i| i * 5 % 64).collect();
            let double = Reference::<f64>::new(&config, &noisy(&config)).unwrap().logits(&tokens).unwrap();
            let single = Reference::<f32>::new(&config, &noisy(&config)).unwrap().logits(&tokens).unwrap();
            let most = double.iter().zip(single).map(|(d, s)| (d - f64::from(s)).abs()).fold(0.0, f64::max);
            assert!(most < 1e-4, "{most}");
        }
    }

    #[test]
    fn bad_tokens_are_refused() {
        let config = Config::tiny();
        let model = Reference::<f32>::new(&config, &noisy(&config)).unwrap();
        assert!(matches!(model.logits(&[]), Err(Error::Length { .. })));
        assert!(matches!(model.logits(&[64]), Err(Error::Token { id: 64, .. })));
        assert!(matches!(model.logits(&[1; 200]), Err(Error::Length { .. })));
    }
}
