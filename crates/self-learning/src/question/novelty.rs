//! Asking nothing twice.

use std::collections::{BTreeSet, HashMap, HashSet};

use data_pipeline::{Row, words};

/// Refuses a question that is nearly one that was asked, or that was set aside.
///
/// Two sentences are near when their pairs of neighbouring words overlap by more than a limit (Jaccard). A near sentence with
/// another pattern stays: *no hay luz y no hay agua* against *no hay luz o no hay agua* is a contrast worth asking.
///
/// ```
/// use data_pipeline::Row;
/// let row = |input: &str, pattern: &str| Row { input: input.into(), pattern: pattern.into(), ..Row::default() };
/// let mut novelty = self_learning::Novelty::new(0.7);
/// assert!(novelty.admit(&row("Si llueve, me mojo.", "p → q")));
/// assert!(!novelty.admit(&row("si llueve me mojo", "p → q")));
/// assert!(novelty.admit(&row("Si nieva, voy en tren.", "p → q")));
/// ```
#[derive(Clone, Debug)]
pub struct Novelty {
    limit: f64,
    sets: Vec<BTreeSet<u64>>,
    holding: HashMap<u64, Vec<usize>>,
    patterns: HashSet<String>,
}

impl Novelty {
    /// Refuses what overlaps by more than `limit`, from 0 to 1.
    pub fn new(limit: f64) -> Novelty {
        Novelty { limit, sets: Vec::new(), holding: HashMap::new(), patterns: HashSet::new() }
    }

    /// Sets a pattern aside: no question of it is admitted, so that what examines never trains.
    pub fn forbid_pattern(&mut self, pattern: &str) {
        self.patterns.insert(pattern.to_owned());
    }

    /// Whether the pattern was not set aside.
    pub fn allows_pattern(&self, pattern: &str) -> bool {
        !self.patterns.contains(pattern)
    }

    /// Whether the question is new; then it is remembered.
    pub fn admit(&mut self, question: &Row) -> bool {
        if !self.allows_pattern(&question.pattern) {
            return false;
        }
        let pairs = pairs(question);
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for pair in &pairs {
            for &other in self.holding.get(pair).into_iter().flatten() {
                *shared.entry(other).or_default() += 1;
            }
        }
        let near = shared.into_iter().any(|(other, shared)| {
            let union = pairs.len() + self.sets[other].len() - shared;
            shared as f64 > self.limit * union as f64
        });
        if near || pairs.is_empty() {
            return false;
        }
        for &pair in &pairs {
            self.holding.entry(pair).or_default().push(self.sets.len());
        }
        self.sets.push(pairs);
        true
    }
}

/// Hashes of the pairs of neighbouring words, case and marks aside, each with the pattern.
fn pairs(question: &Row) -> BTreeSet<u64> {
    let lower = question.input.to_lowercase();
    let words: Vec<&str> =
        words(&lower).into_iter().filter(|word| word.contains(char::is_alphanumeric)).collect();
    let hash = |pair: &[&str]| {
        let text = format!("{}\n{}", question.pattern, pair.join(" "));
        let bytes = blake3::hash(text.as_bytes());
        u64::from_le_bytes(*bytes.as_bytes().first_chunk().expect("a hash has 32 bytes"))
    };
    match words.as_slice() {
        [] => BTreeSet::new(),
        [word] => [hash(&[word])].into(),
        words => words.windows(2).map(hash).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(input: &str, pattern: &str) -> Row {
        Row { input: input.into(), pattern: pattern.into(), ..Row::default() }
    }

    #[test]
    fn a_contrast_is_new_and_a_repetition_is_not() {
        let mut novelty = Novelty::new(0.7);
        assert!(novelty.admit(&row("No hay luz y no hay agua.", "¬p ∧ ¬q")));
        assert!(novelty.admit(&row("No hay luz o no hay agua.", "¬p ∨ ¬q")));
        assert!(!novelty.admit(&row("¡No hay luz y no hay agua!", "¬p ∧ ¬q")));
    }

    #[test]
    fn a_pattern_set_aside_is_never_asked() {
        let mut novelty = Novelty::new(0.7);
        novelty.forbid_pattern("p → q");
        assert!(!novelty.admit(&row("Si llueve, me mojo.", "p → q")));
    }

    #[test]
    fn nothing_is_no_question() {
        assert!(!Novelty::new(0.7).admit(&row(" … ", "p")));
    }
}
