//! Every operator that says `Exact` is exact, in any order, on random models.

use proptest::prelude::*;
use thau_growth::{
    Architecture, Axis, Forward, GrowthPlan, Precision, Preservation, Recipe, Step, Tensor, TensorSource,
    operator::*,
};

use crate::tiny::{Loops, Tiny, any_tiny, probes};

/// Largest difference of the logits of old tokens, and the largest logit.
pub fn difference(
    from: &Tiny,
    old: &dyn TensorSource,
    to: &Tiny,
    new: &dyn TensorSource,
    p: Precision,
) -> (f64, f64) {
    let probes = probes(from.vocab);
    let old = Loops.logits(from, old, &probes, p).unwrap();
    let new = Loops.logits(to, new, &probes, p).unwrap();
    let (mut most, mut largest) = (0.0f64, 0.0f64);
    for (old, new) in old.iter().zip(&new) {
        for (old, new) in old.chunks(from.vocab).zip(new.chunks(to.vocab)) {
            for (a, b) in old.iter().zip(new) {
                assert!(a.is_finite() && b.is_finite());
                most = most.max((a - b).abs());
                largest = largest.max(a.abs());
            }
        }
    }
    (most, largest)
}

/// One to five operators that every model can take, each at most once, in random order.
pub fn any_steps(from: &Tiny) -> impl Strategy<Value = Vec<Step>> + use<> {
    let from = from.clone();
    let sizes = (0usize..9, 0usize..9, 1usize..4, 1usize..4, 0usize..4, 0usize..9, 0usize..3, any::<bool>());
    let steps = sizes.prop_map(move |(vocab, d, heads, kv, layers, ff, head, eps)| {
        let fold = if eps && !from.qk_norm { Fold::Eps } else { Fold::Writers };
        // Groups as large as before or larger, and no fewer of them.
        let (kv, group) = (from.kv + kv - 1, from.heads / from.kv + heads - 1);
        let mut steps = vec![
            Step::ExtendVocabulary(ExtendVocabulary { to: from.vocab + vocab }),
            Step::WidenResidual(WidenResidual { to: from.d + d, fold }),
            Step::AddHeads(AddHeads { query: kv * group, kv }),
            Step::InsertLayers(InsertLayers { to: from.layers + layers }),
            Step::WidenFeedForward(WidenFeedForward { to: from.ff + ff }),
            Step::ExtendContext(ExtendContext { to: from.context + vocab }),
        ];
        // Under a QK-norm wider heads are bounded, and have a test of their own below.
        if !from.qk_norm {
            steps.push(Step::WidenHeads(WidenHeads { to: from.head_dim + 2 * head }));
        }
        steps
    });
    let shuffled = steps.prop_flat_map(|steps| (Just(steps).prop_shuffle(), 1usize..6));
    shuffled.prop_map(|(steps, count)| steps.into_iter().take(count).collect())
}

/// Steps of any size, sensible or not.
fn any_recipe() -> impl Strategy<Value = Vec<Step>> {
    let size = || prop_oneof![0usize..50, Just(usize::MAX), Just(1 << 16), Just(1 << 28), any::<usize>()];
    let step =
        (0..9, size(), size(), any::<bool>(), any::<f64>()).prop_map(
            |(kind, to, kv, eps, base)| match kind {
                0 => Step::WidenResidual(WidenResidual {
                    to,
                    fold: if eps { Fold::Eps } else { Fold::Writers },
                }),
                1 => Step::WidenFeedForward(WidenFeedForward { to }),
                2 => Step::AddHeads(AddHeads { query: to, kv }),
                3 => Step::WidenHeads(WidenHeads { to }),
                4 => Step::InsertLayers(InsertLayers { to }),
                5 => Step::ExtendVocabulary(ExtendVocabulary { to }),
                6 => Step::ExtendContext(ExtendContext { to }),
                7 => Step::StackLayers(StackLayers { layers: vec![to, kv % 3, 0] }),
                _ => Step::TurnRope(TurnRope { base: if base.is_nan() { 0.0 } else { base } }),
            },
        );
    prop::collection::vec(step, 0..5)
}

pub fn any_growth() -> impl Strategy<Value = (Tiny, Vec<Step>)> {
    any_tiny().prop_flat_map(|tiny| (Just(tiny.clone()), any_steps(&tiny)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn operators_keep_what_they_claim_in_any_order((from, steps) in any_growth(), seed in 0u64..1000) {
        let plan = Recipe { seed, steps }.plan(&from).unwrap();
        let share = match plan.preservation() {
            Preservation::Exact => 0.0,
            Preservation::Bounded(share) => share,
            Preservation::Lossy => panic!("nothing lossy is among them"),
        };
        let old = from.weights(seed);
        let grown = plan.grown(&old);
        let (delta, largest) = difference(&from, &old, plan.to(), &grown, Precision::F64);
        prop_assert!(delta <= (share + 1e-10) * largest, "{} of {}", delta, largest);
        let (delta, largest) = difference(&from, &old, plan.to(), &grown, Precision::F32);
        prop_assert!(delta <= (share + 1e-4) * largest, "{} of {} in f32", delta, largest);
    }

    #[test]
    fn retraction_gives_back_every_bit((from, steps) in any_growth(), seed in 0u64..1000) {
        let plan = Recipe { seed, steps }.plan(&from).unwrap();
        let old = from.weights(seed);
        let grown = plan.grown(&old);
        let back = plan.retracted(&grown).unwrap();
        for tensor in from.tensors() {
            let Tensor { shape, values } = back.read_f64(&tensor.name).unwrap();
            let rounded = Tensor { shape, values: values.into_iter().map(|v| v as f32).collect() };
            prop_assert_eq!(&rounded, &old[&tensor.name]);
        }
    }

    #[test]
    fn two_growths_compute_what_one_does(from in any_tiny(), seed in 0u64..1000) {
        let wider = |c: &Tiny, by: usize| Tiny {
            d: c.d + 3 * by, ff: c.ff + 5 * by, heads: c.heads + c.kv * by, layers: c.layers + by,
            vocab: c.vocab + by, alphas: Vec::new(), ..c.clone()
        };
        let from = Tiny { alphas: Vec::new(), ..from };
        let (middle, to) = (wider(&from, 1), wider(&from, 2));
        let old = from.weights(seed);
        let direct = GrowthPlan::between(&from, &to, 1).unwrap();
        let (first, second) = (GrowthPlan::between(&from, &middle, 2).unwrap(), GrowthPlan::between(&middle, &to, 3).unwrap());
        prop_assert_eq!((direct.preservation(), first.preservation()), (Preservation::Exact, Preservation::Exact));
        let halfway = first.grown(&old);
        let (one, two) = (direct.grown(&old), second.grown(&halfway));
        let probes = probes(from.vocab);
        let old = Loops.logits(&from, &old, &probes, Precision::F64).unwrap();
        for grown in [&one as &dyn TensorSource, &two] {
            let new = Loops.logits(&to, grown, &probes, Precision::F64).unwrap();
            for (old, new) in old.iter().flat_map(|p| p.chunks(from.vocab)).zip(new.iter().flat_map(|p| p.chunks(to.vocab))) {
                for (a, b) in old.iter().zip(new) {
                    prop_assert!((a - b).abs() < 1e-10, "{} {}", a, b);
                }
            }
        }
    }

    #[test]
    fn any_shape_is_reached_exactly_or_refused((from, other) in (any_tiny(), any_tiny()), larger: bool, seed in 0u64..1000) {
        let from = Tiny { alphas: Vec::new(), ..from };
        let size = |from: usize, other: usize| if larger { from.max(other) } else { other };
        let kv = size(from.kv, other.kv);
        let to = Tiny {
            vocab: size(from.vocab, other.vocab), d: size(from.d, other.d), layers: size(from.layers, other.layers), kv,
            heads: kv * size(from.heads / from.kv, other.heads / other.kv), ff: size(from.ff, other.ff),
            head_dim: if from.qk_norm { from.head_dim } else { size(from.head_dim, other.head_dim) }, ..from.clone()
        };
        // The base that keeps the frequencies of wider heads.
        let to = Tiny { rope: from.rope.powf(to.head_dim as f64 / from.head_dim as f64), ..to };
        match GrowthPlan::between(&from, &to, seed) {
            Err(error) => prop_assert!(!larger, "{}", error),
            Ok(plan) => {
                prop_assert_eq!((plan.to(), plan.preservation()), (&to, Preservation::Exact));
                let old = from.weights(seed);
                let (delta, largest) = difference(&from, &old, &to, &plan.grown(&old), Precision::F64);
                prop_assert!(delta <= 1e-10 * largest, "{} of {}", delta, largest);
            }
        }
    }

    #[test]
    fn no_recipe_makes_a_plan_panic(from in any_tiny(), steps in any_recipe(), text in "[ -~\n]{0,200}") {
        let recipe = Recipe { seed: 1, steps };
        if let Ok(toml) = recipe.to_toml() {
            prop_assert_eq!(&Recipe::from_toml(&toml).unwrap(), &recipe);
            // With a character too few it is another recipe or an error.
            let _ = Recipe::from_toml(&toml[..toml.len() - toml.len().min(text.len())]);
        }
        let _ = Recipe::from_toml(&text);
        if let Ok(plan) = recipe.plan(&from) {
            prop_assert!(thau_growth::Cost::of(plan.to()).parameters <= 1 << 46);
        }
    }

    #[test]
    fn wider_heads_under_a_qk_norm_move_logits_within_their_bound(from in any_tiny(), by in 1usize..4, seed in 0u64..1000) {
        // A key of two dimensions may nearly vanish, and then no bound holds.
        let from = Tiny { qk_norm: true, head_dim: 8 + from.head_dim, ..from };
        let plan = GrowthPlan::new(from.clone(), seed).then(WidenHeads { to: from.head_dim + 2 * by }).unwrap();
        let Preservation::Bounded(bound) = plan.preservation() else { panic!("says {:?}", plan.preservation()) };
        let old = from.weights(seed);
        let (delta, largest) = difference(&from, &old, plan.to(), &plan.grown(&old), Precision::F64);
        prop_assert!(delta <= bound * largest, "{} of {}", delta, largest);
    }
}

#[test]
fn a_step_with_a_word_too_much_is_refused() {
    let step = |rest: &str| {
        Recipe::from_toml(&format!("[[steps]]\noperator = \"widen_residual\"\nto = 192\n{rest}"))
    };
    assert!(step("fold = \"eps\"").is_ok());
    assert!(step("folds = \"eps\"").is_err());
}

#[test]
fn growing_twice_by_one_seed_draws_anew() {
    let small = Tiny::plain();
    let (middle, large) =
        (Tiny { ff: small.ff + 3, ..small.clone() }, Tiny { ff: small.ff + 6, ..small.clone() });
    let (first, second) =
        (GrowthPlan::between(&small, &middle, 0).unwrap(), GrowthPlan::between(&middle, &large, 0).unwrap());
    let old = small.weights(1);
    let halfway = first.grown(&old);
    let up = second.grown(&halfway).read("0/up").unwrap();
    let rows: Vec<&[f32]> = up.values.chunks_exact(small.d).skip(small.ff).collect();
    let ratio = |n: usize, at: usize| rows[3 + n][at] / rows[n][at];
    assert!((0..3).all(|n| (ratio(n, 0) - ratio(n, 1)).abs() > 1e-3), "the same row, scaled");
}

#[test]
fn a_plan_knows_what_it_cannot_reach() {
    let from = Tiny::plain();
    let refuse = |to: Tiny| GrowthPlan::between(&from, &to, 0).unwrap_err().to_string();
    same("cannot shrink Residual from 12 to 8", refuse(Tiny { d: 8, ..from.clone() }));
    same(
        "(4, 2) query and KV heads cannot become (4, 3): every old query must keep its key and value",
        refuse(Tiny { kv: 3, ..from.clone() }),
    );
    same(
        "a head of 4 dimensions cannot become one of 5: both must be even and not 0",
        refuse(Tiny { head_dim: 5, ..from.clone() }),
    );
    assert!(refuse(Tiny { rope: 50.0, ..from.clone() }).starts_with("growth reaches"));
    let absurd = [
        Tiny { ff: 1 << 40, ..from.clone() },
        Tiny { ff: 1 << 27, d: 1 << 27, ..from.clone() },
        Tiny { heads: usize::MAX - 1, kv: usize::MAX / 2, ..from.clone() },
        Tiny { layers: usize::MAX, ..from.clone() },
        Tiny { vocab: 1 << 28, d: 1 << 28, ..from.clone() },
    ];
    for to in absurd {
        assert!(refuse(to).contains("beyond"));
    }
    assert_eq!(from.size(Axis::Layer), 2);
}

fn same(expected: &str, found: String) {
    assert_eq!(found, expected);
}
