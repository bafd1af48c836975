//! A small decoder in plain loops: RMSNorm, grouped queries, RoPE, optional QK-norm, SwiGLU, tied or not, an
//! optional embedding scale √d and residual scales. Its tensor names are deliberately nobody's.
//!
//! Legend: T tokens, d residual, H query heads, K KV heads, D head dim, F feed-forward, V vocabulary.

use std::{
    collections::BTreeMap,
    iter::Sum,
    ops::{Add, Mul},
};

use proptest::prelude::*;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use thau_growth::{Architecture, Axis, Element, Forward, GrowthError, Precision, Role, Scalars, Tensor};
use thau_growth::{TensorSource, TensorSpec};

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Tiny {
    pub vocab: usize,
    pub d: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv: usize,
    pub head_dim: usize,
    pub ff: usize,
    pub context: usize,
    pub eps: f64,
    pub rope: f64,
    pub qk_norm: bool,
    pub tied: bool,
    /// Embedding times √d, derived at run time.
    pub scaled: bool,
    /// One a sub-layer; empty for 1 everywhere.
    pub alphas: Vec<f64>,
}

impl Tiny {
    pub fn plain() -> Tiny {
        Tiny {
            vocab: 29,
            d: 12,
            layers: 2,
            heads: 4,
            kv: 2,
            head_dim: 4,
            ff: 20,
            context: 32,
            eps: 1e-5,
            rope: 100.0,
            qk_norm: true,
            tied: true,
            scaled: false,
            alphas: Vec::new(),
        }
    }

    /// Weights with nothing at zero; matrices of root mean square 0.3, gains around 1.
    pub fn weights(&self, seed: u64) -> BTreeMap<String, Tensor> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut unit = || f64::from(rng.next_u32()) / 2f64.powi(31) - 1.0;
        let mut draw = |spec: TensorSpec| {
            let gain = spec.axes.len() == 1;
            let value = |u: f64| if gain { 1.0 + 0.4 * u } else { 0.5 * u };
            let values = (0..spec.len()).map(|_| value(unit()) as f32).collect();
            (spec.name.clone(), Tensor { shape: spec.shape(), values })
        };
        self.tensors().into_iter().map(&mut draw).collect()
    }
}

impl Architecture for Tiny {
    fn tensors(&self) -> Vec<TensorSpec> {
        use Axis::*;
        use Role::*;
        let (d, vocab) = (self.d, (Vocabulary, self.vocab, Entry));
        let reads = [(Residual, d, Consumer)];
        let writes = [(Residual, d, Producer)];
        let gain = [(Residual, d, Gain)];
        let bottom = if self.tied { Tied } else { Producer };
        let top = if self.tied { TiedGain } else { Gain };
        let mut all = vec![TensorSpec::new("tok").dim(&[vocab]).dim(&[(Residual, d, bottom)])];
        for n in 0..self.layers {
            let layer = |name: &str| TensorSpec::new(format!("{n}/{name}")).in_layer(n);
            let (h, k, e) = (self.heads, self.kv, self.head_dim);
            all.push(layer("n1").dim(&gain));
            all.push(layer("q").dim(&[(QueryHead, h, Producer), (QkDim, e, Consumer)]).dim(&reads));
            all.push(layer("k").dim(&[(KvHead, k, Producer), (QkDim, e, Producer)]).dim(&reads));
            all.push(layer("v").dim(&[(KvHead, k, Producer), (ValueDim, e, Producer)]).dim(&reads));
            all.push(layer("o").dim(&writes).dim(&[(QueryHead, h, Consumer), (ValueDim, e, Consumer)]));
            if self.qk_norm {
                all.push(layer("gq").dim(&[(QkDim, e, Gain)]));
                all.push(layer("gk").dim(&[(QkDim, e, Gain)]));
            }
            all.push(layer("n2").dim(&gain));
            all.push(layer("gate").dim(&[(FeedForward, self.ff, Producer)]).dim(&reads));
            all.push(layer("up").dim(&[(FeedForward, self.ff, Producer)]).dim(&reads));
            all.push(layer("down").dim(&writes).dim(&[(FeedForward, self.ff, Consumer)]));
        }
        all.push(TensorSpec::new("nf").dim(&[(Residual, d, top)]));
        if !self.tied {
            all.push(TensorSpec::new("head").dim(&[vocab]).dim(&reads));
        }
        all
    }

    fn size(&self, axis: Axis) -> usize {
        match axis {
            Axis::Vocabulary => self.vocab,
            Axis::Residual => self.d,
            Axis::QueryHead => self.heads,
            Axis::KvHead => self.kv,
            Axis::QkDim | Axis::ValueDim => self.head_dim,
            Axis::FeedForward => self.ff,
            Axis::Layer => self.layers,
            Axis::Context => self.context,
            other => panic!("no {other:?} here"),
        }
    }

    fn with_size(&self, axis: Axis, size: usize) -> Tiny {
        let mut grown = self.clone();
        *match axis {
            Axis::Vocabulary => &mut grown.vocab,
            Axis::Residual => &mut grown.d,
            Axis::QueryHead => &mut grown.heads,
            Axis::KvHead => &mut grown.kv,
            Axis::QkDim | Axis::ValueDim => &mut grown.head_dim,
            Axis::FeedForward => &mut grown.ff,
            Axis::Layer => &mut grown.layers,
            Axis::Context => &mut grown.context,
            other => panic!("no {other:?} here"),
        } = size;
        grown
    }

    fn scalars(&self) -> Scalars {
        Scalars {
            embedding_scale: if self.scaled { (self.d as f64).sqrt() } else { 1.0 },
            residual_scales: self.alphas.clone(),
            ..Scalars::plain(self.eps, self.rope, self.head_dim)
        }
    }

    fn with_scalars(&self, scalars: &Scalars) -> Option<Tiny> {
        let grown = Tiny {
            eps: scalars.norm_eps,
            rope: scalars.rope_base,
            alphas: scalars.residual_scales.clone(),
            ..self.clone()
        };
        (grown.scalars() == *scalars).then_some(grown)
    }
}

/// A number to compute in.
pub trait Real: Element + Add<Output = Self> + Mul<Output = Self> + Sum {}
impl Real for f32 {}
impl Real for f64 {}

/// The forward pass of [`Tiny`].
pub struct Loops;

impl Forward<Tiny> for Loops {
    type Error = GrowthError;

    fn logits(
        &self,
        config: &Tiny,
        weights: &dyn TensorSource,
        probes: &[Vec<u32>],
        precision: Precision,
    ) -> Result<Vec<Vec<f64>>, GrowthError> {
        match precision {
            Precision::F32 => Decoder::<f32>::load(config, weights).map(|d| d.run_all(probes)),
            Precision::F64 => Decoder::<f64>::load(config, weights).map(|d| d.run_all(probes)),
        }
    }
}

struct Decoder<'a, R> {
    c: &'a Tiny,
    w: BTreeMap<String, Vec<R>>,
}

impl<'a, R: Real> Decoder<'a, R> {
    fn load(c: &'a Tiny, source: &dyn TensorSource) -> Result<Decoder<'a, R>, GrowthError> {
        let load = |spec: TensorSpec| Ok((spec.name.clone(), R::read(source, &spec.name)?.values));
        Ok(Decoder { c, w: c.tensors().into_iter().map(load).collect::<Result<_, _>>()? })
    }

    fn run_all(&self, probes: &[Vec<u32>]) -> Vec<Vec<f64>> {
        probes.iter().map(|probe| self.run(probe)).collect()
    }

    fn run(&self, tokens: &[u32]) -> Vec<f64> {
        let c = self.c;
        let scalars = c.scalars();
        let alphas = c.residual_scales();
        let scale = R::from_f64(scalars.embedding_scale);
        let embed =
            |&id: &u32| self.w["tok"][id as usize * c.d..][..c.d].iter().map(|&v| v * scale).collect();
        let mut stream: Vec<Vec<R>> = tokens.iter().map(embed).collect();
        for n in 0..c.layers {
            let added = self.attention(n, &stream);
            join(&mut stream, added, alphas[2 * n]);
            let added = stream.iter().map(|x| self.feed_forward(n, x)).collect();
            join(&mut stream, added, alphas[2 * n + 1]);
        }
        let head = &self.w[if c.tied { "tok" } else { "head" }];
        let logits = |x: &Vec<R>| product(head, &rms_norm(x, &self.w["nf"], c.eps));
        stream.iter().flat_map(logits).map(R::to_f64).collect()
    }

    fn of(&self, n: usize, name: &str) -> &[R] {
        &self.w[&format!("{n}/{name}")]
    }

    fn attention(&self, n: usize, stream: &[Vec<R>]) -> Vec<Vec<R>> {
        let c = self.c;
        let normed: Vec<Vec<R>> = stream.iter().map(|x| rms_norm(x, self.of(n, "n1"), c.eps)).collect();
        let heads = |name: &str, gain: &str| -> Vec<Vec<Vec<R>>> {
            let at = |(t, x): (usize, &Vec<R>)| {
                let all = product(self.of(n, name), x);
                let head = |h: &[R]| match gain {
                    "" => h.to_vec(),
                    _ if c.qk_norm => self.turn(&rms_norm(h, self.of(n, gain), c.eps), t),
                    _ => self.turn(h, t),
                };
                all.chunks(c.head_dim).map(head).collect()
            };
            normed.iter().enumerate().map(at).collect()
        };
        let (q, k, v) = (heads("q", "gq"), heads("k", "gk"), heads("v", ""));
        let scale = R::from_f64(c.scalars().softmax_scale);
        let mix = |t: usize| {
            let mut mixed = Vec::with_capacity(c.heads * c.head_dim);
            for (h, query) in q[t].iter().enumerate() {
                let kv = h / (c.heads / c.kv);
                let scores: Vec<R> = (0..=t).map(|s| dot(query, &k[s][kv]) * scale).collect();
                let weights = softmax(&scores);
                mixed.extend((0..c.head_dim).map(|i| (0..=t).map(|s| weights[s] * v[s][kv][i]).sum::<R>()));
            }
            product(self.of(n, "o"), &mixed)
        };
        (0..stream.len()).map(mix).collect()
    }

    fn feed_forward(&self, n: usize, x: &[R]) -> Vec<R> {
        let x = rms_norm(x, self.of(n, "n2"), self.c.eps);
        let silu = |v: R| v * R::from_f64(1.0 / (1.0 + (-v.to_f64()).exp()));
        let gate = product(self.of(n, "gate"), &x).into_iter().map(silu);
        let hidden: Vec<R> = gate.zip(product(self.of(n, "up"), &x)).map(|(g, u)| g * u).collect();
        product(self.of(n, "down"), &hidden)
    }

    /// RoPE, rotate-half.
    fn turn(&self, head: &[R], position: usize) -> Vec<R> {
        let half = head.len() / 2;
        let mut turned = head.to_vec();
        for i in 0..half {
            let angle = position as f64 * self.c.rope.powf(-2.0 * i as f64 / head.len() as f64);
            let (sin, cos) = (R::from_f64(angle.sin()), R::from_f64(angle.cos()));
            let minus = R::from_f64(-1.0);
            turned[i] = head[i] * cos + minus * head[i + half] * sin;
            turned[i + half] = head[i + half] * cos + head[i] * sin;
        }
        turned
    }
}

fn join<R: Real>(stream: &mut [Vec<R>], added: Vec<Vec<R>>, alpha: f64) {
    let alpha = R::from_f64(alpha);
    for (x, y) in stream.iter_mut().zip(added) {
        x.iter_mut().zip(y).for_each(|(x, y)| *x = *x * alpha + y);
    }
}

fn rms_norm<R: Real>(x: &[R], gain: &[R], eps: f64) -> Vec<R> {
    let mean_square = dot(x, x).to_f64() / x.len() as f64;
    let scale = R::from_f64(1.0 / (mean_square + eps).sqrt());
    x.iter().zip(gain).map(|(&x, &g)| x * scale * g).collect()
}

fn product<R: Real>(matrix: &[R], x: &[R]) -> Vec<R> {
    matrix.chunks_exact(x.len()).map(|row| dot(row, x)).collect()
}

fn dot<R: Real>(a: &[R], b: &[R]) -> R {
    a.iter().zip(b).map(|(&a, &b)| a * b).sum()
}

fn softmax<R: Real>(scores: &[R]) -> Vec<R> {
    let most = scores.iter().map(|s| s.to_f64()).fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = scores.iter().map(|s| (s.to_f64() - most).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|w| R::from_f64(w / total)).collect()
}

/// Token sequences for a vocabulary of `vocab`.
pub fn probes(vocab: usize) -> Vec<Vec<u32>> {
    let token = |row: usize, t: usize| ((row * 31 + t * t * 7 + t * 3 + 1) % vocab) as u32;
    (0..3).map(|row| (0..12).map(|t| token(row, t)).collect()).collect()
}

prop_compose! {
    /// A random small model.
    pub fn any_tiny()(
        vocab in 5usize..40, half_d in 2usize..10, layers in 1usize..4, kv in 1usize..4, group in 1usize..4,
        half_head in 1usize..5, ff in 3usize..30, eps in prop_oneof![Just(1e-6), Just(1e-5), Just(1e-3)],
        qk_norm: bool, tied: bool, scaled: bool, alpha in prop_oneof![Just(None), (0.5f64..1.5).prop_map(Some)],
    ) -> Tiny {
        Tiny {
            vocab, d: 2 * half_d, layers, heads: kv * group, kv, head_dim: 2 * half_head, ff, context: 32, eps,
            rope: 100.0, qk_norm, tied, scaled,
            alphas: alpha.map_or(Vec::new(), |a| (0..2 * layers).map(|n| a + 0.1 * n as f64).collect()),
        }
    }
}
