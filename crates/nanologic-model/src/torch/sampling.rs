//! How the next token is drawn from those allowed.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// How tokens are drawn. `top_k` and `top_p` narrow the choice first; both count allowed tokens only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Softmax temperature; 0 takes the likeliest token.
    pub temperature: f64,
    /// Only the likeliest so many tokens.
    pub top_k: Option<usize>,
    /// Only the likeliest tokens that together have this probability at the temperature (Holtzman et al. 2020).
    pub top_p: Option<f64>,
    /// Seed of the draws; each prompt has a stream of its own.
    pub seed: u64,
    /// Most tokens to add.
    pub max_tokens: usize,
}

impl Sampling {
    /// The likeliest token every time.
    pub fn greedy() -> Sampling {
        Sampling { temperature: 0.0, top_k: None, top_p: None, seed: 0, max_tokens: 384 }
    }

    /// A token with its log-probability, out of those allowed; nothing where nothing is.
    pub(super) fn choose(&self, allowed: &[(u32, f64)], rng: &mut ChaCha8Rng) -> Option<(u32, f64)> {
        let best = allowed.iter().copied().reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        if self.temperature <= 0.0 {
            return Some(best);
        }
        let weight = |token: &(u32, f64)| ((token.1 - best.1) / self.temperature).exp();
        let mut tokens = allowed.to_vec();
        if self.top_k.is_some() || self.top_p.is_some() {
            tokens.sort_by(|a, b| b.1.total_cmp(&a.1));
            tokens.truncate(self.top_k.unwrap_or(usize::MAX).max(1));
            let mut left = self.top_p.unwrap_or(1.0) * tokens.iter().map(weight).sum::<f64>();
            let enough = tokens.iter().position(|token| {
                left -= weight(token);
                left <= 0.0
            });
            tokens.truncate(enough.map_or(usize::MAX, |last| last + 1));
        }
        let mut left = rng.random::<f64>() * tokens.iter().map(weight).sum::<f64>();
        let drawn = tokens.iter().find(|token| {
            left -= weight(token);
            left < 0.0
        });
        Some(drawn.copied().unwrap_or(best))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const PROBABILITIES: [f64; 4] = [0.1, 0.5, 0.15, 0.25];

    /// How often each token comes, of 4,000 draws.
    fn shares(sampling: Sampling) -> [f64; 4] {
        let allowed: Vec<(u32, f64)> = (0..).zip(PROBABILITIES.map(f64::ln)).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut shares = [0.0; 4];
        for _ in 0..4000 {
            shares[sampling.choose(&allowed, &mut rng).unwrap().0 as usize] += 1.0 / 4000.0;
        }
        shares
    }

    #[track_caller]
    fn assert_near(shares: [f64; 4], expected: [f64; 4]) {
        let most = shares.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(most < 0.03, "{shares:?}");
        assert!(shares.iter().zip(expected).all(|(share, expected)| (*share == 0.0) == (expected == 0.0)));
    }

    #[test]
    fn draws_follow_the_probabilities_of_what_is_left() {
        let warm = Sampling { temperature: 1.0, ..Sampling::greedy() };
        assert_near(shares(warm), PROBABILITIES);
        assert_near(shares(Sampling::greedy()), [0.0, 1.0, 0.0, 0.0]);
        assert_near(shares(Sampling { top_k: Some(2), ..warm }), [0.0, 2.0 / 3.0, 0.0, 1.0 / 3.0]);
        assert_near(shares(Sampling { top_k: Some(0), ..warm }), [0.0, 1.0, 0.0, 0.0]);
        // 0.5 + 0.25 is not 0.8 yet, with 0.15 it is.
        assert_near(shares(Sampling { top_p: Some(0.8), ..warm }), [0.0, 0.5 / 0.9, 0.15 / 0.9, 0.25 / 0.9]);
        assert_near(shares(Sampling { top_k: Some(3), top_p: Some(0.5), ..warm }), [0.0, 1.0, 0.0, 0.0]);
        // Twice as cold squares the odds.
        let squares = PROBABILITIES.map(|p| p * p / 0.345);
        assert_near(shares(Sampling { temperature: 0.5, ..warm }), squares);
    }

    #[test]
    fn nothing_allowed_is_nothing_drawn() {
        assert_eq!(Sampling::greedy().choose(&[], &mut ChaCha8Rng::seed_from_u64(0)), None);
    }
}
