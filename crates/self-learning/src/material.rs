//! What a loop works with, and the promise that what examines never trains.

use std::collections::HashSet;

use data_pipeline::Row;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::{Error, Result};

/// Rows by what they are for.
///
/// Its only door is [`Material::new`], so that the gate's patterns are sure to occur nowhere else.
#[derive(Clone, Debug)]
pub struct Material {
    probe: Vec<Row>,
    gate: Vec<Row>,
    original: Vec<Row>,
    forbidden: HashSet<String>,
}

impl Material {
    /// Takes held-out rows to find gaps with (`probe`) and to decide with (`gate`), the original training rows to replay, and
    /// the patterns of every other examination, which no question may have.
    ///
    /// # Errors
    /// [`Error::Leak`] when a pattern of the gate occurs in the probe or the original rows, [`Error::NoRows`] when one of the
    /// three is empty.
    pub fn new(
        probe: Vec<Row>,
        gate: Vec<Row>,
        original: Vec<Row>,
        reserved: impl IntoIterator<Item = String>,
    ) -> Result<Material> {
        for (rows, missing) in [(&probe, "probe"), (&gate, "gate"), (&original, "original")] {
            if rows.is_empty() {
                return Err(Error::NoRows { missing });
            }
        }
        let mut forbidden: HashSet<String> = gate.iter().map(|row| row.pattern.clone()).collect();
        if let Some(row) = probe.iter().chain(&original).find(|row| forbidden.contains(&row.pattern)) {
            return Err(Error::Leak { pattern: row.pattern.clone() });
        }
        forbidden.extend(reserved);
        Ok(Material { probe, gate, original, forbidden })
    }

    /// Cuts held-out rows in two by pattern, the first with about this share of the patterns: a probe and a gate.
    pub fn cut(held_out: Vec<Row>, share: f64, seed: u64) -> (Vec<Row>, Vec<Row>) {
        let mut patterns: Vec<&str> = held_out.iter().map(|row| row.pattern.as_str()).collect();
        patterns.sort_unstable();
        patterns.dedup();
        patterns.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let first = (patterns.len() as f64 * share).round() as usize;
        let first: HashSet<String> =
            patterns[..first.min(patterns.len())].iter().map(|&p| p.to_owned()).collect();
        held_out.into_iter().partition(|row| first.contains(&row.pattern))
    }

    /// The original training rows.
    pub fn original(&self) -> &[Row] {
        &self.original
    }

    /// The patterns that no question may have: those of the gate and of other examinations.
    pub fn forbidden(&self) -> impl Iterator<Item = &str> {
        self.forbidden.iter().map(String::as_str)
    }

    /// `count` probe rows, others for every seed.
    pub(crate) fn draw_probe(&self, count: usize, seed: u64) -> Vec<Row> {
        draw(&self.probe, count, seed)
    }

    /// `count` gate rows, others for every seed: a set that decides again and again is learned from in the end.
    pub(crate) fn draw_gate(&self, count: usize, seed: u64) -> Vec<Row> {
        draw(&self.gate, count, seed)
    }
}

fn draw(rows: &[Row], count: usize, seed: u64) -> Vec<Row> {
    let mut order: Vec<&Row> = rows.iter().collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    order.into_iter().take(count).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(patterns: &[&str]) -> Vec<Row> {
        patterns.iter().map(|&pattern| Row { pattern: pattern.into(), ..Row::default() }).collect()
    }

    #[test]
    fn a_pattern_of_the_gate_may_occur_nowhere_else() {
        let leak = Material::new(rows(&["p"]), rows(&["p → q"]), rows(&["p", "p → q"]), []);
        assert!(matches!(leak, Err(Error::Leak { pattern }) if pattern == "p → q"));
    }

    #[test]
    fn cut_keeps_a_pattern_together() {
        let patterns: Vec<String> = (0..40).map(|i| format!("p{}", i % 10)).collect();
        let held_out = rows(&patterns.iter().map(String::as_str).collect::<Vec<_>>());
        let (probe, gate) = Material::cut(held_out, 0.3, 1);
        assert_eq!((probe.len(), gate.len()), (12, 28));
        Material::new(probe, gate, rows(&["q"]), []).expect("no pattern on both sides");
    }
}
