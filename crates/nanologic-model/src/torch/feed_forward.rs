//! What a block computes on each token by itself.
//!
//! Legend of the shapes: B rows, T tokens a row, d `d_model`, F `d_ff`.

use tch::Tensor;

use super::decoder::linear;

/// The second sub-layer of a block. A mixture of experts would be another implementer.
pub(super) trait FeedForward: Send {
    /// Normalised hidden states (B, T, d) to what is added to the stream, in the compute format.
    fn forward(&self, h: &Tensor) -> Tensor;

    /// The tensors that it learns, in the order of the flat buffer.
    fn leaves(&self) -> Vec<&Tensor>;

    /// The same computation with other tensors in the place of these.
    fn map(&self, f: &dyn Fn(&Tensor) -> Tensor) -> Box<dyn FeedForward>;
}

/// `W_down ((silu(W_gate h) + a) ⊙ W_up h)`.
pub(super) struct SwiGlu {
    /// Gate above up: (2F, d).
    pub gate_up: Tensor,
    /// The number `a`, where there is one.
    pub residual: Option<Tensor>,
    /// (d, F).
    pub down: Tensor,
}

impl FeedForward for SwiGlu {
    fn forward(&self, h: &Tensor) -> Tensor {
        let both = linear(h, &self.gate_up).chunk(2, -1); // 2 × (B, T, F)
        let open = match &self.residual {
            Some(residual) => both[0].silu() + residual.to_kind(both[0].kind()),
            None => both[0].silu(),
        };
        linear(&(open * &both[1]), &self.down)
    }

    fn leaves(&self) -> Vec<&Tensor> {
        [Some(&self.gate_up), self.residual.as_ref(), Some(&self.down)].into_iter().flatten().collect()
    }

    fn map(&self, f: &dyn Fn(&Tensor) -> Tensor) -> Box<dyn FeedForward> {
        Box::new(SwiGlu {
            gate_up: f(&self.gate_up),
            residual: self.residual.as_ref().map(f),
            down: f(&self.down),
        })
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind as Number};

    use super::*;

    /// Each token goes to the expert that its router likes best, as much as it likes it.
    struct TopOne {
        router: Tensor,
        experts: Vec<Box<dyn FeedForward>>,
    }

    impl FeedForward for TopOne {
        fn forward(&self, h: &Tensor) -> Tensor {
            let (share, chosen) = linear(h, &self.router).softmax(-1, None).max_dim(-1, true);
            let experts = self.experts.iter().enumerate();
            let chosen: Tensor = experts
                .map(|(n, expert)| expert.forward(h) * chosen.eq(n as i64).to_kind(share.kind()))
                .sum();
            chosen * share
        }

        fn leaves(&self) -> Vec<&Tensor> {
            std::iter::once(&self.router).chain(self.experts.iter().flat_map(|e| e.leaves())).collect()
        }

        fn map(&self, f: &dyn Fn(&Tensor) -> Tensor) -> Box<dyn FeedForward> {
            let experts = self.experts.iter().map(|expert| expert.map(f)).collect();
            Box::new(TopOne { router: f(&self.router), experts })
        }
    }

    fn normal(shape: [i64; 2]) -> Tensor {
        Tensor::randn(shape, (Number::Float, Device::Cpu))
    }

    fn expert() -> SwiGlu {
        SwiGlu { gate_up: normal([24, 8]), residual: None, down: normal([8, 12]) }
    }

    #[test]
    fn a_mixture_of_experts_takes_the_place() {
        tch::manual_seed(1);
        let mixture =
            TopOne { router: normal([2, 8]), experts: vec![Box::new(expert()), Box::new(expert())] };
        let h = normal([10, 8]).unsqueeze(0);
        let mixed = mixture.map(&Tensor::shallow_clone).forward(&h);
        let (share, chosen) = linear(&h, &mixture.router).softmax(-1, None).max_dim(-1, true);
        let mut used = [false; 2];
        for token in 0..10 {
            let at = chosen.int64_value(&[0, token, 0]) as usize;
            used[at] = true;
            let alone =
                mixture.experts[at].forward(&h.narrow(1, token, 1)) * share.double_value(&[0, token, 0]);
            let distance = (alone - mixed.narrow(1, token, 1)).norm().double_value(&[]);
            assert!(distance < 1e-4, "token {token}: {distance}");
        }
        assert_eq!((used, mixture.leaves().len()), ([true; 2], 5));
    }

    #[test]
    fn the_residual_lets_its_share_past_the_gate() {
        tch::manual_seed(2);
        let plain = expert();
        let a = 0.3;
        let open = SwiGlu {
            gate_up: plain.gate_up.shallow_clone(),
            residual: Some(Tensor::from(a as f32)),
            down: plain.down.shallow_clone(),
        };
        let h = normal([5, 8]);
        let up = h.linear::<&Tensor>(&plain.gate_up.narrow(0, 12, 12), None);
        let expected = plain.forward(&h) + (up * a).linear::<&Tensor>(&plain.down, None);
        assert!((open.forward(&h) - expected).norm().double_value(&[]) < 1e-4);
    }
}
