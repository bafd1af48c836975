//! How often the gate accepts a model that is no better.

use std::collections::BTreeMap;

use data_pipeline::Row;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{Gate, Item, Stratum, Tally, Verdict};

/// Gates between models that differ by their seed alone: how many of them accepted.
///
/// `models` holds, for each of the null models, which questions it answered right. Every gate draws two of them, and about `items`
/// questions, whole patterns at a time. They are drawn without replacement: with it, what two models differ in on these questions
/// by chance would count twice. Of two null models one is a little better; an acceptance is false all the same, since the training
/// that made it is no better.
pub fn false_accepts(
    models: &[Vec<bool>],
    questions: &[Row],
    gate: &Gate,
    items: usize,
    gates: u64,
    seed: u64,
) -> Tally {
    let mut tally = Tally::default();
    let mut by_pattern: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, question) in questions.iter().enumerate() {
        by_pattern.entry(&question.pattern).or_default().push(i);
    }
    let mut clusters: Vec<&Vec<usize>> = by_pattern.values().collect();
    if models.len() < 2 || clusters.is_empty() {
        return tally;
    }
    let strata: Vec<Vec<Stratum>> = questions.iter().map(Stratum::of).collect();
    let verdict = |model: &[bool], i: usize| match model.get(i) {
        Some(true) => Verdict::right(),
        _ => Verdict::wrong(""),
    };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..gates {
        let before = rng.random_range(0..models.len());
        let after = (before + rng.random_range(1..models.len())) % models.len();
        clusters.shuffle(&mut rng);
        let mut drawn: Vec<Item> = Vec::with_capacity(items);
        for &i in clusters.iter().copied().flatten() {
            drawn.push(Item {
                pattern: questions[i].pattern.clone(),
                strata: strata[i].clone(),
                before: verdict(&models[before], i),
                after: verdict(&models[after], i),
            });
            if drawn.len() == items {
                break;
            }
        }
        tally.count(gate.decide(&drawn, gate.min_steps).accepted);
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn questions() -> Vec<Row> {
        (0..4000).map(|i| Row { pattern: (i / 5).to_string(), ..Row::default() }).collect()
    }

    fn model(seed: u64, chance: f64) -> Vec<bool> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..4000).map(|_| rng.random_bool(chance)).collect()
    }

    #[test]
    fn null_models_are_refused_and_a_better_one_is_not() {
        let nulls: Vec<Vec<bool>> = (0..20).map(|seed| model(seed, 0.7)).collect();
        let gate = Gate::default();
        let found = false_accepts(&nulls, &questions(), &gate, 1000, 200, 1);
        assert_eq!(found.asked, 200);
        assert!(found.right <= 2, "{found:?}");
        let unequal = [model(1, 0.6), model(2, 0.9)];
        // Half of the draws go upwards.
        let found = false_accepts(&unequal, &questions(), &gate, 1000, 200, 1);
        assert!((70..=130).contains(&found.right), "{found:?}");
        assert_eq!(false_accepts(&nulls[..1], &questions(), &gate, 1000, 9, 1), Tally::default());
    }
}
