//! The loss of scored tokens, with its gradient in closed form.

use data_pipeline::sections;
use tch::{Kind as Number, Tensor, no_grad};

use super::decoder::{capped, linear};
pub(super) use super::training::Loss;

/// Scored tokens of some rows of a batch.
pub(super) struct Scored {
    /// (N): where they stand in the rows, row by row.
    pub at: Tensor,
    /// (N): the ids that should follow.
    pub targets: Tensor,
    /// (N, 1): how much of each target's probability is spread over the vocabulary.
    smoothing: Tensor,
    /// (N, 1): what each token counts, where they differ.
    weight: Option<Tensor>,
}

impl Scored {
    /// `targets`, `document` and `mask` are those of a [`Batch`](data_pipeline::Batch), for whole rows.
    /// Nothing if no token is scored.
    pub fn new(loss: &Loss, targets: &[i64], document: &[i64], mask: &[f32]) -> Option<Scored> {
        let (mut at, mut wanted, mut smoothing) = (Vec::new(), Vec::new(), Vec::new());
        let mut weight: Vec<f32> = Vec::new();
        for (cell, section) in sections(targets, document, mask) {
            if loss.sections.contains(&section) {
                at.push(cell as i64);
                wanted.push(targets[cell]);
                smoothing.push(if loss.smoothed.contains(&section) {
                    loss.label_smoothing as f32
                } else {
                    0.0
                });
            }
        }
        weight.resize(at.len(), 1.0);
        if loss.prompt > 0.0 {
            for cell in prompt(targets, document, mask) {
                at.push(cell as i64);
                wanted.push(targets[cell]);
                smoothing.push(0.0);
                weight.push(loss.prompt as f32);
            }
        }
        let column = |values: &[f32]| Tensor::from_slice(values).unsqueeze(1);
        (!at.is_empty()).then(|| Scored {
            at: Tensor::from_slice(&at),
            targets: Tensor::from_slice(&wanted),
            smoothing: column(&smoothing),
            weight: (loss.prompt > 0.0).then(|| column(&weight)),
        })
    }
}

/// The cells of prompts whose target is part of the prompt too.
fn prompt<'a>(targets: &'a [i64], document: &'a [i64], mask: &'a [f32]) -> impl Iterator<Item = usize> + 'a {
    let same = |cell: usize| document[cell] >= 0 && document.get(cell + 1) == Some(&document[cell]);
    (0..targets.len()).filter(move |&cell| mask[cell] == 0.0 && same(cell))
}

/// How many tokens of a batch are scored.
pub(super) fn count(loss: &Loss, targets: &[i64], document: &[i64], mask: &[f32]) -> usize {
    sections(targets, document, mask).filter(|(_, section)| loss.sections.contains(section)).count()
}

/// What turns hidden states `h` (N, d) into logits (N, V): `u = h Wᵀ`, or `c tanh(u)` under a soft-cap.
pub(super) struct Head<'a> {
    /// W (V, d), in the compute format.
    pub weights: &'a Tensor,
    pub cap: Option<f64>,
}

/// Sums over scored tokens, in nats, and what backpropagation starts from.
pub(super) struct Terms {
    /// `Σ -ln p(target)`: what a model is compared by.
    pub cross_entropy: f64,
    /// The whole of what is minimised.
    pub objective: f64,
    /// A scalar whose gradient for `h` is that of the objective times `scale`. Its value means nothing.
    pub surrogate: Tensor,
    /// (V, d), in the compute format: the same gradient for the head.
    pub head: Tensor,
}

/// So many bytes of logits are worked on at a time, to stay in a core's cache.
const CACHED: i64 = 1 << 18;

/// Loss of the tokens that follow hidden states `h` (N, d).
///
/// With `p` the softmax, `Z` its denominator and ε the smoothing, a token loses
/// `-(1-ε) ln p(target) - ε mean(ln p) + z ln² Z`, so that its logits have the gradient
/// `(1 + 2 z ln Z) p - (1-ε) onehot(target) - ε / V`, and under a soft-cap `u` has that times `c (1 - tanh² u)`. Written
/// out as far as `h` and the head, this needs a fraction of the passes over (N, V) that automatic differentiation makes,
/// and a small model with a large vocabulary spends much of its time on them.
pub(super) fn terms(loss: &Loss, head: &Head<'_>, h: &Tensor, scored: &Scored, scale: f64) -> Terms {
    let (mut cross_entropy, mut objective) = (0.0, 0.0);
    let (of_h, of_head) = no_grad(|| {
        let h = h.to_kind(head.weights.kind());
        let slope = linear(&h, head.weights); // logits at first
        for (from, rows) in parts(&slope) {
            let part = |whole: &Tensor| whole.narrow(0, from, rows);
            let weight = scored.weight.as_ref().map(part);
            let (targets, smoothing) = (part(&scored.targets), part(&scored.smoothing));
            let sums =
                part_slope(loss, head.cap, &part(&slope), &targets, &smoothing, weight.as_ref(), scale);
            part(&slope).copy_(&sums.2);
            cross_entropy += sums.0;
            objective += sums.1;
        }
        (slope.mm(head.weights), slope.tr().mm(&h))
    });
    Terms { cross_entropy, objective, surrogate: (h * of_h).sum(Number::Float), head: of_head }
}

/// `Σ -ln p(target)` alone, in nats.
pub(super) fn cross_entropy(head: &Head<'_>, h: &Tensor, scored: &Scored) -> f64 {
    let u = linear(h, head.weights);
    let of_part = |(from, rows)| {
        let part = |whole: &Tensor| whole.narrow(0, from, rows);
        let log_p = capped(&part(&u), head.cap).log_softmax(-1, Number::Float);
        let lost = -log_p.gather(1, &part(&scored.targets).unsqueeze(1), false);
        reported(&lost, scored.weight.as_ref().map(part).as_ref())
    };
    parts(&u).map(of_part).sum()
}

/// Where the parts of (N, V) begin that a cache holds, and how many rows each has.
fn parts(logits: &Tensor) -> impl Iterator<Item = (i64, i64)> + use<> {
    let (tokens, vocabulary) = logits.size2().expect("logits are a matrix");
    let rows = (CACHED / 4 / vocabulary).max(1);
    (0..tokens).step_by(rows as usize).map(move |from| (from, rows.min(tokens - from)))
}

/// The sum of what tokens (n, 1) lose; those of lesser weight are no part of what is reported.
fn reported(lost: &Tensor, weight: Option<&Tensor>) -> f64 {
    match weight {
        Some(weight) => sum(&(lost * weight.ge(1.0))),
        None => sum(lost),
    }
}

fn sum(of_tokens: &Tensor) -> f64 {
    of_tokens.sum(Number::Double).double_value(&[])
}

/// Cross-entropy and objective of some tokens, and the gradient of `u` (n, V).
fn part_slope(
    loss: &Loss,
    cap: Option<f64>,
    u: &Tensor,
    targets: &Tensor,
    smoothing: &Tensor,
    weight: Option<&Tensor>,
    scale: f64,
) -> (f64, f64, Tensor) {
    let targets = targets.unsqueeze(1);
    let mut logits = capped(u, cap);
    let mut log_p = logits.log_softmax(-1, Number::Float);
    let mut lost = -log_p.gather(1, &targets, false); // (n, 1)
    let cross_entropy = reported(&lost, weight);
    let mut factor = lost.full_like(scale); // of p
    if loss.label_smoothing > 0.0 {
        let even = -log_p.mean_dim([1i64].as_slice(), true, Number::Float);
        lost = lost.lerp_tensor(&even, smoothing);
    }
    if loss.z > 0.0 {
        let log_z = logits.narrow(1, 0, 1).to_kind(Number::Float) - log_p.narrow(1, 0, 1);
        lost += log_z.square() * loss.z;
        factor *= log_z * (2.0 * loss.z) + 1.0;
    }
    let mut share: Tensor = (smoothing - 1.0) * -scale; // of the target
    if let Some(weight) = weight {
        lost *= weight;
        factor *= weight;
        share *= weight;
    }
    let mut slope = log_p.exp_();
    slope *= &factor;
    let _ = slope.scatter_add_(1, &targets, &-share);
    if loss.label_smoothing > 0.0 {
        let mut even = smoothing * (scale / slope.size()[1] as f64);
        if let Some(weight) = weight {
            even *= weight;
        }
        slope -= even;
    }
    if let Some(cap) = cap {
        // c (1 - tanh²), of logits that are c tanh.
        slope *= logits.square_() * (-1.0 / cap) + cap;
    }
    (cross_entropy, sum(&lost), slope)
}

#[cfg(test)]
mod tests {
    use tch::{Device, Reduction};

    use data_pipeline::Section;

    use super::*;

    /// Targets of two answers in one row: the notes' sections, then a pointing answer; -1 stands for padding.
    const TARGETS: [i64; 12] = [50, 7, 20, 9, 21, 2, 60, 30, 7, 31, 2, 0];
    const DOCUMENT: [i64; 12] = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, -1];
    const MASK: [f32; 12] = [0., 1., 1., 1., 1., 1., 0., 1., 1., 1., 1., 0.];

    #[test]
    fn a_token_belongs_to_the_section_that_began_last() {
        use Section::{Atoms, Formula};
        let found: Vec<_> = sections(&TARGETS, &DOCUMENT, &MASK).collect();
        let expected = [
            (1, Atoms),
            (2, Atoms),
            (3, Formula),
            (4, Formula),
            (5, Formula),
            (7, Formula),
            (8, Atoms),
            (9, Atoms),
            (10, Atoms),
        ];
        assert_eq!(found, expected);
        let formulas = Loss { sections: vec![Formula], ..Loss::default() };
        let scored = Scored::new(&formulas, &TARGETS, &DOCUMENT, &MASK).unwrap();
        assert_eq!(Vec::<i64>::try_from(scored.at).unwrap(), [3, 4, 5, 7]);
        assert_eq!(Vec::<i64>::try_from(scored.targets).unwrap(), [9, 21, 2, 30]);
        assert_eq!(count(&formulas, &TARGETS, &DOCUMENT, &MASK), 4);
    }

    fn normal(rows: i64, columns: i64) -> Tensor {
        Tensor::randn([rows, columns], (Number::Float, Device::Cpu))
    }

    #[test]
    fn a_prompt_counts_as_much_as_asked_and_is_not_reported() {
        tch::manual_seed(4);
        let plain = Loss::default();
        let with_prompt = Loss { prompt: 0.5, ..plain.clone() };
        let answer = Scored::new(&plain, &TARGETS, &DOCUMENT, &MASK).unwrap();
        let both = Scored::new(&with_prompt, &TARGETS, &DOCUMENT, &MASK).unwrap();
        assert_eq!(Vec::<i64>::try_from(both.at.narrow(0, 9, 2)).unwrap(), [0, 6]);
        let (h, weights) = (normal(11, 8), normal(70, 8));
        let head = Head { weights: &weights, cap: None };
        let all = terms(&with_prompt, &head, &h, &both, 1.0);
        let answers = terms(&plain, &head, &h.narrow(0, 0, 9), &answer, 1.0);
        assert!((cross_entropy(&head, &h, &both) - all.cross_entropy).abs() < 1e-5);
        let prompt = Scored { targets: both.targets.narrow(0, 9, 2), weight: None, ..both };
        let of_prompt = terms(&plain, &head, &h.narrow(0, 9, 2), &prompt, 1.0);
        assert!((all.cross_entropy - answers.cross_entropy).abs() < 1e-5);
        assert!((all.objective - answers.objective - 0.5 * of_prompt.objective).abs() < 1e-5);
        let head = answers.head + of_prompt.head * 0.5;
        assert!((all.head - &head).norm().double_value(&[]) < 1e-6 * head.norm().double_value(&[]));
    }

    /// The same sum by LibTorch's own functions and automatic differentiation: its value, and its gradients for the
    /// hidden states and the head.
    fn automatic(
        number: Number,
        loss: &Loss,
        head: &Head<'_>,
        h: &Tensor,
        scored: &Scored,
    ) -> (f64, [Tensor; 2]) {
        let leaf = |x: &Tensor| x.to_kind(number).detach().set_requires_grad(true);
        let (h, weights) = (leaf(h), leaf(head.weights));
        let u = h.linear::<&Tensor>(&weights, None);
        let logits = head.cap.map_or(u.shallow_clone(), |cap| u.tanh() * cap);
        let log_z = logits.logsumexp([1i64].as_slice(), true);
        let one = |token: i64| {
            let smoothing = scored.smoothing.double_value(&[token, 0]);
            let target = scored.targets.narrow(0, token, 1);
            logits.narrow(0, token, 1).cross_entropy_loss::<&Tensor>(
                &target,
                None,
                Reduction::Sum,
                -100,
                smoothing,
            )
        };
        let tokens = (0..logits.size()[0]).map(one).reduce(|a, b| a + b).unwrap();
        let total = tokens + log_z.square().sum(number) * loss.z;
        let gradients = Tensor::run_backward(&[&total], &[h, weights], false, false);
        (total.double_value(&[]), gradients.try_into().unwrap())
    }

    #[test]
    fn gradients_are_those_of_automatic_differentiation() {
        tch::manual_seed(3);
        for (cap, loss) in [
            (None, Loss::default()),
            (None, Loss { z: 1e-2, ..Loss::default() }),
            (None, Loss { label_smoothing: 0.1, z: 1e-4, ..Loss::default() }),
            (None, Loss { label_smoothing: 0.3, smoothed: vec![Section::Atoms], ..Loss::default() }),
            (Some(4.0), Loss { label_smoothing: 0.1, z: 1e-2, ..Loss::default() }),
        ] {
            let scored = Scored::new(&loss, &TARGETS, &DOCUMENT, &MASK).unwrap();
            // Each logit is an entry of the head, without rounding.
            let h = Tensor::eye(9, (Number::Float, Device::Cpu)).set_requires_grad(true);
            let weights = normal(20_000, 9) * 3.0;
            let head = Head { weights: &weights, cap };
            let (total, exact) = automatic(Number::Double, &loss, &head, &h, &scored);
            let (_, rounded) = automatic(Number::Float, &loss, &head, &h, &scored);
            let ours = terms(&loss, &head, &h, &scored, 1.0);
            assert!((ours.objective - total).abs() < 1e-5 * total, "{loss:?}: {} {total}", ours.objective);
            let said = no_grad(|| cross_entropy(&head, &h, &scored));
            assert!((said - ours.cross_entropy).abs() < 1e-6 * said, "{cap:?}: {said}");
            let of_h = Tensor::run_backward(&[&ours.surrogate], &[&h], false, false).remove(0);
            for ((ours, rounded), exact) in [of_h, ours.head].iter().zip(rounded).zip(exact) {
                let error = |found: &Tensor| ((found - &exact).norm() / exact.norm()).double_value(&[]);
                let (ours, theirs) = (error(ours), error(&rounded));
                // As good as automatic differentiation in the same format.
                assert!(ours < 1e-6 + 1.5 * theirs, "{cap:?} {loss:?}: {ours} {theirs}");
            }
        }
    }
}
