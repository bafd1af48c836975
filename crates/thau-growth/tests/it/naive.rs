//! The mistakes that destroy a model, each built and refused.

use std::collections::BTreeMap;

use thau_growth::{
    AffineMap, Architecture, Draft, Fill, Forward, GrowthError, GrowthOperator, GrowthPlan, Idle, Options,
    Place, Precision, Preservation, Proof, Role, TensorSource, TensorSpec, Tolerance, idle_channels,
    operator::*,
};
use thau_growth::{Axis, Tensor};

use crate::folder::checkpoint;
use crate::tiny::{Loops, Tiny, probes};

/// A right operator with one thing done wrong, which still claims to be exact.
#[derive(Debug)]
struct Spoiled<O> {
    right: O,
    config: fn(&Tiny, Tiny) -> Tiny,
    map: fn(&TensorSpec, AffineMap) -> AffineMap,
}

impl<O: GrowthOperator<Tiny>> GrowthOperator<Tiny> for Spoiled<O> {
    fn preservation(&self, _: &Tiny) -> Preservation {
        Preservation::Exact
    }
    fn grow_config(&self, from: &Tiny) -> Result<Tiny, GrowthError> {
        Ok((self.config)(from, self.right.grow_config(from)?))
    }
    fn map(&self, from: &Tiny, to: &Tiny, tensor: &TensorSpec) -> Result<AffineMap, GrowthError> {
        Ok((self.map)(tensor, self.right.map(from, to, tensor)?))
    }
}

fn keep_config(_: &Tiny, to: Tiny) -> Tiny {
    to
}

fn keep_map(_: &TensorSpec, map: AffineMap) -> AffineMap {
    map
}

fn role(tensor: &TensorSpec, axis: Axis) -> Option<Role> {
    tensor.find(axis).map(|(_, role)| role)
}

fn prove(from: &Tiny, operator: impl GrowthOperator<Tiny> + 'static) -> Result<Proof, GrowthError> {
    let plan = GrowthPlan::new(from.clone(), 5).then(operator)?;
    let old = from.weights(1);
    let mut stored = BTreeMap::new();
    plan.apply(&old, &mut stored)?;
    let proof = Proof::measure(&plan, &old, &stored, &Loops, &probes(from.vocab))?;
    proof.check(plan.preservation(), Tolerance::default()).map(|()| proof)
}

fn refused<O: GrowthOperator<Tiny> + Clone + 'static>(
    from: Tiny,
    right: O,
    config: fn(&Tiny, Tiny) -> Tiny,
    map: fn(&TensorSpec, AffineMap) -> AffineMap,
) {
    prove(&from, right.clone()).expect("the operator itself is exact");
    let error = prove(&from, Spoiled { right, config, map }).unwrap_err();
    assert!(matches!(error, GrowthError::LogitsMoved { .. }), "{error}");
}

const WIDER: WidenResidual = WidenResidual { to: 18, fold: Fold::Writers };

#[test]
fn a_gain_that_is_not_folded() {
    refused(Tiny::plain(), WIDER, keep_config, |tensor, map| match role(tensor, Axis::Residual) {
        Some(Role::Gain | Role::TiedGain) => map.scaled(1.0),
        _ => map,
    });
}

#[test]
fn a_tied_gain_folded_like_the_others() {
    refused(Tiny::plain(), WIDER, keep_config, |tensor, map| match role(tensor, Axis::Residual) {
        Some(Role::TiedGain) => {
            let once = map.scale.sqrt();
            map.scaled(once)
        }
        _ => map,
    });
}

#[test]
fn a_forgotten_eps() {
    let from = Tiny { qk_norm: false, eps: 1e-3, ..Tiny::plain() };
    refused(
        from,
        WidenResidual { fold: Fold::Eps, ..WIDER },
        |from, to| Tiny { eps: from.eps, ..to },
        keep_map,
    );
}

#[test]
fn an_embedding_scale_that_moved() {
    let from = Tiny { scaled: true, ..Tiny::plain() };
    refused(from, WIDER, keep_config, |tensor, map| match role(tensor, Axis::Residual) {
        Some(Role::Tied) => map.scaled(1.5f64.sqrt()),
        _ => map,
    });
}

#[test]
fn clones_that_wrap_around() {
    refused(Tiny::plain(), WIDER, keep_config, |tensor, mut map| {
        if tensor.find(Axis::Residual).is_some() {
            for (n, place) in map.places.iter_mut().enumerate() {
                *place = Place::Old { index: n % 12, copies: 1 };
            }
        }
        map
    });
}

#[test]
fn random_writers() {
    let random = |tensor: &TensorSpec, map: AffineMap| match role(tensor, Axis::QueryHead) {
        Some(Role::Consumer) => AffineMap { fill: Fill::Random { rms: 1.0 }, ..map },
        _ => map,
    };
    refused(Tiny::plain(), AddHeads { query: 6, kv: 2 }, keep_config, random);
    refused(Tiny::plain(), WidenFeedForward { to: 30 }, keep_config, |tensor, map| {
        match role(tensor, Axis::FeedForward) {
            Some(Role::Consumer) => AffineMap { fill: Fill::Random { rms: 1.0 }, ..map },
            _ => map,
        }
    });
}

#[test]
fn heads_parted_from_their_keys() {
    refused(Tiny::plain(), AddHeads { query: 6, kv: 3 }, keep_config, |tensor, mut map| {
        if tensor.find(Axis::KvHead).is_some() {
            map.places.rotate_right(1);
        }
        map
    });
}

#[test]
fn the_same_rope_base_for_wider_heads() {
    let from = Tiny { qk_norm: false, ..Tiny::plain() };
    refused(from, WidenHeads { to: 6 }, |from, to| Tiny { rope: from.rope, ..to }, keep_map);
}

#[test]
fn a_softmax_scale_that_is_not_folded() {
    let from = Tiny { qk_norm: false, ..Tiny::plain() };
    refused(from, WidenHeads { to: 6 }, keep_config, |tensor, map| match role(tensor, Axis::QkDim) {
        Some(Role::Consumer) => map.scaled(1.0),
        _ => map,
    });
}

#[test]
fn residual_scales_recomputed_from_the_depth() {
    let from = Tiny { alphas: vec![4f64.powf(0.25); 4], ..Tiny::plain() };
    let recomputed = |_: &Tiny, to: Tiny| Tiny { alphas: vec![8f64.powf(0.25); 8], ..to };
    refused(from, InsertLayers { to: 4 }, recomputed, keep_map);
}

#[test]
fn copies_of_whole_blocks() {
    refused(Tiny::plain(), InsertLayers { to: 3 }, keep_config, |tensor, map| match tensor.layer {
        Some(_) if map.places == [Place::New] || map.places.contains(&Place::New) => {
            AffineMap { source: map.source, ..AffineMap::identity(tensor) }
        }
        _ => map,
    });
}

#[test]
fn stacking_moves_logits_and_says_so() {
    let from = Tiny::plain();
    let plan = GrowthPlan::new(from.clone(), 0).then(StackLayers { layers: vec![0, 1, 0, 1] }).unwrap();
    assert_eq!(plan.preservation(), Preservation::Lossy);
    let old = from.weights(1);
    let (a, b) = (
        Loops.logits(&from, &old, &probes(29), Precision::F64).unwrap(),
        Loops.logits(plan.to(), &plan.grown(&old), &probes(29), Precision::F64).unwrap(),
    );
    assert_ne!(a, b);
}

#[test]
fn a_stacked_block_keeps_its_residual_scales() {
    let from = Tiny { alphas: vec![1.0, 1.1, 1.2, 1.3], ..Tiny::plain() };
    let plan = GrowthPlan::new(from, 0).then(StackLayers { layers: vec![0, 1, 1] }).unwrap();
    assert_eq!(plan.to().residual_scales(), [1.0, 1.1, 1.2, 1.3, 1.2, 1.3]);
}

#[test]
fn a_run_without_logits_proves_nothing() {
    /// Says nothing in f32.
    struct Mute;
    impl Forward<Tiny> for Mute {
        type Error = GrowthError;
        fn logits(
            &self,
            config: &Tiny,
            weights: &dyn TensorSource,
            probes: &[Vec<u32>],
            precision: Precision,
        ) -> Result<Vec<Vec<f64>>, GrowthError> {
            match precision {
                Precision::F32 => Ok(Vec::new()),
                _ => Loops.logits(config, weights, probes, precision),
            }
        }
    }
    let from = Tiny::plain();
    let plan = GrowthPlan::new(from.clone(), 5).then(WIDER).unwrap();
    let old = from.weights(1);
    let proof = Proof::measure(&plan, &old, &plan.grown(&old), &Mute, &probes(from.vocab));
    assert!(matches!(proof, Err(GrowthError::NoProbes)));
}

#[test]
fn an_unproven_draft_is_searched_for_idle_channels() {
    let home = tempfile::tempdir().unwrap();
    let (small, large) = (home.path().join("small"), home.path().join("large"));
    let config = Tiny::plain();
    checkpoint(&small, &config);
    let right = WidenFeedForward { to: 23 };
    let both = |_: &TensorSpec, map: AffineMap| AffineMap { fill: Fill::Zero, ..map };
    let spoiled = Spoiled { right, config: keep_config, map: both };
    let plan = GrowthPlan::new(config, 5).then(spoiled).unwrap();
    let draft = Draft::write(&plan, &small, &large, Options::default()).unwrap();
    assert!(matches!(draft.hand_over(), Err(GrowthError::Idle { .. })));
    assert!(!large.exists());
}

#[test]
fn a_channel_with_zeros_on_both_sides_is_found() {
    let from = Tiny::plain();
    let right = WidenFeedForward { to: 23 };
    let both = |_: &TensorSpec, map: AffineMap| AffineMap { fill: Fill::Zero, ..map };
    assert_eq!(idle_after(&from, right), Idle::default());
    let trapped = idle_after(&from, Spoiled { right, config: keep_config, map: both });
    assert_eq!(trapped, Idle { trapped: 3 * from.layers, twins: 0 });
}

#[test]
fn even_clones_are_found() {
    let from = Tiny::plain();
    let right = WidenFeedForward { to: 23 };
    let clones = |_: &TensorSpec, mut map: AffineMap| {
        for (n, place) in map.places.iter_mut().enumerate().filter(|(_, place)| **place == Place::New) {
            *place = Place::Old { index: n - 20, copies: 2 };
        }
        map
    };
    let twins = idle_after(&from, Spoiled { right, config: keep_config, map: clones });
    assert_eq!(twins, Idle { trapped: 0, twins: 3 * from.layers });
}

#[test]
fn no_exact_operator_leaves_idle_channels() {
    for from in [Tiny::plain(), Tiny { tied: false, qk_norm: false, ..Tiny::plain() }] {
        assert_eq!(idle_after(&from, WIDER), Idle::default());
        assert_eq!(idle_after(&from, AddHeads { query: 9, kv: 3 }), Idle::default());
        assert_eq!(idle_after(&from, AddHeads { query: 4, kv: 4 }), Idle::default());
        assert_eq!(idle_after(&from, WidenHeads { to: 10 }), Idle::default());
        assert_eq!(idle_after(&from, InsertLayers { to: 7 }), Idle::default());
    }
}

fn idle_after(from: &Tiny, operator: impl GrowthOperator<Tiny> + 'static) -> Idle {
    let plan = GrowthPlan::new(from.clone(), 5).then(operator).unwrap();
    let old: BTreeMap<String, Tensor> = from.weights(1);
    idle_channels(plan.to(), &plan.grown(&old)).unwrap()
}
