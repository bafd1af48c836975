//! What training draws at random: the numbers (dropout) and whole blocks (stochastic depth) that it leaves out, and the
//! noise that it adds to the gradient.
//!
//! Every draw is a function of the seed, the step, the row of the batch and the sub-layer. So the same seed gives the
//! same bits whatever the number of threads, a resumed step draws what the first attempt drew, and a sub-layer that is
//! computed again for its gradient leaves out what it left out before. LibTorch's own generator is one for the whole
//! process, so it draws nothing here.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// How much training leaves out. Neither changes what the trained model computes: both scale what they keep by
/// 1 / (1 - p), so that its mean stays and inference does nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Regularization {
    /// Share of the numbers that each sub-layer adds to the residual stream, from 0 to below 1 (Srivastava et al.
    /// 2014): `x + f ⊙ m / (1 - p)`. Against learning a small corpus by heart. Costs one draw and one product a number.
    pub dropout: f64,
    /// How often the last block is skipped, from 0 to below 1 (Huang et al. 2016). Block l of N is skipped with
    /// probability `p l / (N - 1)`, the first never. Drawn once a row. Makes blocks rely less on each other.
    pub stochastic_depth: f64,
}

impl Regularization {
    /// The share that is out of range, with its name.
    pub(super) fn out_of_range(&self) -> Option<(&'static str, f64)> {
        let shares = [("dropout", self.dropout), ("stochastic_depth", self.stochastic_depth)];
        shares.into_iter().find(|(_, share)| !(0.0..1.0).contains(share))
    }

    /// Whether nothing is left out.
    fn is_none(&self) -> bool {
        *self == Regularization::default()
    }
}

/// The draws of one step for some rows of its batch.
#[derive(Clone, Debug)]
pub(super) struct Noise {
    regularization: Regularization,
    n_layers: usize,
    rng: ChaCha8Rng,
    first_row: usize,
}

/// Which of a block's two sub-layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubLayer {
    Attention,
    FeedForward,
}

impl Noise {
    /// `None` where nothing is left out.
    pub fn new(
        regularization: Regularization,
        n_layers: usize,
        seed: u64,
        step: u64,
        first_row: usize,
    ) -> Option<Noise> {
        let rng = step_rng(seed, step);
        (!regularization.is_none()).then_some(Noise { regularization, n_layers, rng, first_row })
    }

    /// What sub-layer of block `layer` adds to the stream, (B, T, d), with its share left out.
    pub fn leave_out(&self, layer: usize, sub_layer: SubLayer, added: Tensor) -> Tensor {
        let Regularization { dropout, .. } = self.regularization;
        let mut added = added;
        let (rows, t, d) = added.size3().expect("hidden states have three dimensions");
        let skipped = self.skip_probability(layer);
        if skipped > 0.0 {
            let factor = |row| match self.row(row, 3 * layer).next_u32() {
                draw if f64::from(draw) < skipped * 2f64.powi(32) => 0.0,
                _ => (1.0 / (1.0 - skipped)) as f32,
            };
            let factors: Vec<f32> = (0..rows as usize).map(factor).collect();
            let factors = Tensor::from_slice(&factors).view([rows, 1, 1]).to_kind(added.kind());
            added = &added * factors.to(added.device());
        }
        if dropout > 0.0 {
            let stream = 3 * layer + 1 + (sub_layer == SubLayer::FeedForward) as usize;
            // Sixteen bits a number: the share is exact to 1/65,536, and so is the scale.
            let below = (dropout * 65_536.0).round().min(65_535.0);
            let mut bytes = vec![0u8; (rows * t * d) as usize * 2];
            for (row, bytes) in bytes.chunks_exact_mut((t * d) as usize * 2).enumerate() {
                self.row(row, stream).fill_bytes(bytes);
            }
            let draws: Vec<i16> = bytes.as_chunks().0.iter().map(|&pair| i16::from_le_bytes(pair)).collect();
            let kept = Tensor::from_slice(&draws).ge(below - 32_768.0).view([rows, t, d]);
            let kept = kept.to(added.device()).to_kind(added.kind()) * (65_536.0 / (65_536.0 - below));
            added = &added * kept;
        }
        added
    }

    fn skip_probability(&self, layer: usize) -> f64 {
        self.regularization.stochastic_depth * layer as f64 / (self.n_layers - 1).max(1) as f64
    }

    /// The draws of a row for one purpose.
    fn row(&self, row: usize, purpose: usize) -> ChaCha8Rng {
        let mut rng = self.rng.clone();
        rng.set_stream((purpose as u64) << 32 | (self.first_row + row) as u64);
        rng
    }
}

/// As many draws from the standard normal distribution as `like` holds (Box and Muller, 1958), of its shape.
pub(super) fn standard_normal(seed: u64, step: u64, like: &Tensor) -> Tensor {
    let mut rng = step_rng(seed, step);
    // No sub-layer of any row has this stream.
    rng.set_stream(u64::MAX);
    let mut uniform = || {
        let draws: Vec<f32> = (0..like.numel()).map(|_| 1.0 - rng.random::<f32>()).collect();
        Tensor::from_slice(&draws).to(like.device()).view_as(like)
    };
    let radius = (uniform().log() * -2.0).sqrt();
    radius * (uniform() * std::f64::consts::TAU).cos()
}

/// The generator of a step, whose streams are for its rows and purposes.
fn step_rng(seed: u64, step: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&step.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind as Number};

    use super::*;

    fn noise(dropout: f64, stochastic_depth: f64, first_row: usize) -> Noise {
        Noise::new(Regularization { dropout, stochastic_depth }, 4, 7, 3, first_row).unwrap()
    }

    fn ones(rows: i64) -> Tensor {
        Tensor::ones([rows, 50, 40], (Number::Float, Device::Cpu))
    }

    #[test]
    fn the_share_left_out_is_the_one_asked_for_and_the_mean_stays() {
        let kept = noise(0.25, 0.0, 0).leave_out(2, SubLayer::Attention, ones(32));
        let zeros = kept.eq(0.0).to_kind(Number::Float).mean(Number::Float).double_value(&[]);
        assert!((zeros - 0.25).abs() < 0.01, "{zeros}");
        assert!((kept.mean(Number::Float).double_value(&[]) - 1.0).abs() < 0.01);
        assert!((kept.max().double_value(&[]) - 1.0 / 0.75).abs() < 1e-6);
    }

    #[test]
    fn deeper_blocks_are_skipped_more_often_and_the_first_never() {
        let noise = noise(0.0, 0.6, 0);
        for (layer, expected) in [(0, 0.0), (1, 0.2), (3, 0.6)] {
            let kept = noise.leave_out(layer, SubLayer::Attention, ones(4000).narrow(1, 0, 1));
            let skipped = kept.eq(0.0).to_kind(Number::Float).mean(Number::Float).double_value(&[]);
            assert!((skipped - expected).abs() < 0.03, "block {layer}: {skipped}");
            assert!((kept.mean(Number::Float).double_value(&[]) - 1.0).abs() < 0.1);
        }
        // Both sub-layers of a block are skipped together.
        let of = |sub_layer| noise.leave_out(3, sub_layer, ones(8));
        assert_eq!(of(SubLayer::Attention), of(SubLayer::FeedForward));
    }

    #[test]
    fn draws_belong_to_the_row_wherever_it_is_computed() {
        let whole = noise(0.3, 0.5, 0).leave_out(2, SubLayer::FeedForward, ones(6));
        let second = noise(0.3, 0.5, 4).leave_out(2, SubLayer::FeedForward, ones(2));
        assert_eq!(whole.narrow(0, 4, 2), second);
        let other_step = Noise::new(noise(0.3, 0.5, 0).regularization, 4, 7, 4, 0).unwrap();
        assert_ne!(other_step.leave_out(2, SubLayer::FeedForward, ones(6)), whole);
    }

    #[test]
    fn nothing_to_leave_out_is_no_noise() {
        assert!(Noise::new(Regularization::default(), 4, 7, 3, 0).is_none());
        let half = Regularization { dropout: 0.5, stochastic_depth: 1.0 };
        assert_eq!(half.out_of_range(), Some(("stochastic_depth", 1.0)));
    }
}
