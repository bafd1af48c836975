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
    head_scale: Option<R>,
}

struct Layer<R> {
    attention_norm: Vec<R>,
    query: Vec<R>,
    key: Vec<R>,
    value: Vec<R>,
    query_norm: Option<Vec<R>>,
    key_norm: Option<Vec<R>>,
    second: Option<SecondPattern<R>>,
    output: Vec<R>,
    feed_forward_norm: Vec<R>,
    gate: Vec<R>,
    up: Vec<R>,
    gate_residual: R,
    down: Vec<R>,
}

/// The pattern that differential attention subtracts, λ times.
struct SecondPattern<R> {
    query: Vec<R>,
    key: Vec<R>,
    lambda: R,
}

/// Keys and values of the tokens so far, of one layer: `(T, K, D)` each.
#[derive(Default)]
struct Past<R> {
    keys: Vec<R>,
    second_keys: Vec<R>,
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
        let options = &config.options;
        let mut layers = Vec::with_capacity(config.n_layers);
        for n in (0..config.n_layers).map(Some) {
            layers.push(Layer {
                attention_norm: load(Kind::AttentionNorm, n)?,
                query: load(Kind::Query, n)?,
                key: load(Kind::Key, n)?,
                value: load(Kind::Value, n)?,
                query_norm: config.qk_norm.then(|| load(Kind::QueryNorm, n)).transpose()?,
                key_norm: config.qk_norm.then(|| load(Kind::KeyNorm, n)).transpose()?,
                second: match options.differential {
                    true => Some(SecondPattern {
                        query: load(Kind::SecondQuery, n)?,
                        key: load(Kind::SecondKey, n)?,
                        lambda: load(Kind::Lambda, n)?[0],
                    }),
                    false => None,
                },
                output: load(Kind::Output, n)?,
                feed_forward_norm: load(Kind::FeedForwardNorm, n)?,
                gate: load(Kind::Gate, n)?,
                up: load(Kind::Up, n)?,
                gate_residual: match options.gate_residual {
                    true => load(Kind::GateResidual, n)?[0],
                    false => R::default(),
                },
                down: load(Kind::Down, n)?,
            });
        }
        Ok(Reference {
            config: config.clone(),
            embedding: load(Kind::Embedding, None)?,
            layers,
            final_norm: load(Kind::FinalNorm, None)?,
            head: (!config.tied).then(|| load(Kind::Head, None)).transpose()?,
            head_scale: match options.head_scale {
                true => Some(load(Kind::HeadScale, None)?[0]),
                false => None,
            },
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
        let Config { vocab_size, max_seq, d_model, ref options, .. } = self.config;
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
            scale(&mut x, options.embedding_scale.unwrap_or(1.0));
            for (n, (layer, past)) in self.layers.iter().zip(&mut past).enumerate() {
                let attended = self.attention(layer, past, position, &x);
                scale(&mut x, options.residual_scale(2 * n));
                add(&mut x, &attended);
                let fed = self.feed_forward(layer, &x);
                scale(&mut x, options.residual_scale(2 * n + 1));
                add(&mut x, &fed);
            }
            let normed = self.rms_norm(&x, &self.final_norm);
            let mut row = product(self.head.as_ref().unwrap_or(&self.embedding), &normed);
            scale(&mut row, self.head_scale.map_or(1.0, Real::wide));
            logits.extend(row.into_iter().map(|logit| R::of(capped(logit.wide(), options.output_cap))));
        }
        Ok(logits)
    }

    /// `W_o · attention(norm(x))` over the tokens so far and this one.
    fn attention(&self, layer: &Layer<R>, past: &mut Past<R>, position: usize, x: &[R]) -> Vec<R> {
        let normed = self.rms_norm(x, &layer.attention_norm);
        let queries = self.placed(&layer.query, &normed, layer.query_norm.as_deref(), position);
        past.keys.extend(self.placed(&layer.key, &normed, layer.key_norm.as_deref(), position));
        past.values.extend(product(&layer.value, &normed));
        let mut mixed = self.pattern(&queries, &past.keys, &past.values);
        if let Some(second) = &layer.second {
            let queries = self.placed(&second.query, &normed, layer.query_norm.as_deref(), position);
            past.second_keys.extend(self.placed(&second.key, &normed, layer.key_norm.as_deref(), position));
            let mut noise = self.pattern(&queries, &past.second_keys, &past.values);
            scale(&mut noise, -second.lambda.wide());
            add(&mut mixed, &noise);
        }
        product(&layer.output, &mixed)
    }

    /// `softmax(cap(q·k / √D)) v` for every head: queries (H, D), keys and values (T, K, D) to (H, D).
    fn pattern(&self, queries: &[R], keys: &[R], values: &[R]) -> Vec<R> {
        let Config { n_heads, n_kv_heads, head_dim, ref options, .. } = self.config;
        let row = n_kv_heads * head_dim;
        let mut mixed = vec![R::default(); n_heads * head_dim];
        for (head, query) in queries.chunks_exact(head_dim).enumerate() {
            let start = head / (n_heads / n_kv_heads) * head_dim;
            let of_head = |row: &'_ [R]| -> Vec<R> { row[start..start + head_dim].to_vec() };
            let score = |key: &[R]| dot(query, &of_head(key)).wide() / (head_dim as f64).sqrt();
            let scores =
                keys.chunks_exact(row).map(|key| capped(score(key), options.attention_cap)).collect();
            let out = &mut mixed[head * head_dim..(head + 1) * head_dim];
            for (value, weight) in values.chunks_exact(row).zip(softmax(scores)) {
                for (out, value) in out.iter_mut().zip(of_head(value)) {
                    *out += value * R::of(weight);
                }
            }
        }
        mixed
    }

    /// `W_down · ((silu(W_gate · norm(x)) + a) ⊙ W_up · norm(x))`.
    fn feed_forward(&self, layer: &Layer<R>, x: &[R]) -> Vec<R> {
        let normed = self.rms_norm(x, &layer.feed_forward_norm);
        let gate = product(&layer.gate, &normed);
        let up = product(&layer.up, &normed);
        let open = |gate: &R| R::of(silu(gate.wide()) + layer.gate_residual.wide());
        let hidden: Vec<R> = gate.iter().zip(up).map(|(gate, up)| open(gate) * up).collect();
        product(&layer.down, &hidden)
    }

    /// `gain ⊙ x / √(mean(x²) + eps)`.
    fn rms_norm(&self, x: &[R], gain: &[R]) -> Vec<R> {
        let mean_square = x.iter().map(|x| x.wide() * x.wide()).sum::<f64>() / x.len() as f64;
        let scale = R::of(1.0 / (mean_square + self.config.norm_eps).sqrt());
        x.iter().zip(gain).map(|(&x, &gain)| x * scale * gain).collect()
    }

    /// `W x` by heads, with QK-norm if there is one, then RoPE: channels `i` and `i + D/2` of a head turn by
    /// `position · ω_i`.
    fn placed(&self, w: &[R], x: &[R], gain: Option<&[R]>, position: usize) -> Vec<R> {
        let head_dim = self.config.head_dim;
        let half = head_dim / 2;
        let mut heads = product(w, x);
        for head in heads.chunks_exact_mut(head_dim) {
            if let Some(gain) = gain {
                let normed = self.rms_norm(head, gain);
                head.copy_from_slice(&normed);
            }
            for i in 0..half {
                let (sin, cos) = (position as f64 * self.config.rope_frequency(i)).sin_cos();
                let (a, b) = (head[i].wide(), head[i + half].wide());
                head[i] = R::of(a * cos - b * sin);
                head[i + half] = R::of(b * cos + a * sin);
            }
        }
        heads
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

fn scale<R: Real>(x: &mut [R], factor: f64) {
    if factor != 1.0 {
        x.iter_mut().for_each(|x| *x = *x * R::of(factor));
    }
}

/// `c tanh(x / c)`.
fn capped(x: f64, cap: Option<f64>) -> f64 {
    cap.map_or(x, |cap| cap * (x / cap).tanh())
}

fn softmax(scores: Vec<f64>) -> Vec<f64> {
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
    use crate::Options;

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
        let plain = Config { qk_norm: false, tied: false, ..Config::tiny() };
        for (name, config) in crate::config::each_option().into_iter().chain([("llama", plain)]) {
            let tokens: Vec<u32> = (0..40).map(|i| i * 5 % 64).collect();
            let double = Reference::<f64>::new(&config, &noisy(&config)).unwrap().logits(&tokens).unwrap();
            let single = Reference::<f32>::new(&config, &noisy(&config)).unwrap().logits(&tokens).unwrap();
            let most = double.iter().zip(single).map(|(d, s)| (d - f64::from(s)).abs()).fold(0.0, f64::max);
            let largest = double.iter().fold(1.0, |most: f64, logit| most.max(logit.abs()));
            assert!(most < 1e-5 * largest, "{name}: {most}");
        }
    }

    #[test]
    fn every_option_that_is_not_only_how_weights_start_moves_the_logits() {
        let of = |config: &Config| {
            let weights = noisy(&Config { options: Options::default(), ..config.clone() });
            let mut all = noisy(config);
            all.0.extend(weights.0);
            Reference::<f64>::new(config, &all).unwrap().logits(&[3, 1, 4, 1, 5]).unwrap()
        };
        let plain = of(&Config::tiny());
        for (name, config) in crate::config::each_option() {
            assert_eq!(of(&config) == plain, config.options.is_portable(), "{name}");
        }
    }

    /// Options whose number says "none" in the formula give the portable model.
    #[test]
    fn options_at_rest_change_nothing() {
        let options = Options {
            residual_scales: vec![1.0; 4],
            embedding_scale: Some(1.0),
            head_scale: true,
            attention_cap: Some(1e9),
            output_cap: Some(1e9),
            gate_residual: true,
            differential: true,
            ..Options::default()
        };
        let full = Config { options, ..Config::tiny() };
        let plain = noisy(&Config::tiny());
        let mut weights = Weights::init(&full, 3);
        for array in weights.0.iter_mut().filter(|(name, _)| name.ends_with("lambda")).map(|(_, array)| array)
        {
            array.data[0] = 0.0;
        }
        weights.0.extend(plain.0.clone());
        let tokens = [3, 1, 4, 1, 5];
        let rest = Reference::<f64>::new(&full, &weights).unwrap().logits(&tokens).unwrap();
        let plain = Reference::<f64>::new(&Config::tiny(), &plain).unwrap().logits(&tokens).unwrap();
        let most = rest.iter().zip(plain).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(most < 1e-12, "{most}");
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
