//! Which connective was taken for which.

use std::collections::BTreeMap;

use logic_parser::{Formula, Node};
use serde::{Deserialize, Serialize};

use super::symbol;

/// Counts of gold connective against answered connective, at the places where the two formulas can be held against
/// each other: both trees are walked together from the root, as long as they branch alike. An atom shows as `p`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion(pub BTreeMap<String, BTreeMap<String, usize>>);

impl Confusion {
    /// How often `gold` was answered as `answer`.
    pub fn count(&self, gold: char, answer: char) -> usize {
        let row = self.0.get(gold.encode_utf8(&mut [0; 4]) as &str);
        row.and_then(|row| row.get(answer.encode_utf8(&mut [0; 4]) as &str)).copied().unwrap_or(0)
    }

    pub(super) fn add(&mut self, gold: &Formula, answer: &Formula) {
        let (gold_starts, answer_starts) = (gold.starts(), answer.starts());
        let mut pairs = vec![(gold.nodes().len() - 1, answer.nodes().len() - 1)];
        while let Some((g, a)) = pairs.pop() {
            let (gold_node, answer_node) = (gold.nodes()[g], answer.nodes()[a]);
            if let (None, None) = (symbol(gold_node), symbol(answer_node)) {
                continue;
            }
            let row = self.0.entry(name(gold_node)).or_default();
            *row.entry(name(answer_node)).or_default() += 1;
            match (gold_node, answer_node) {
                (Node::Not, Node::Not) => pairs.push((g - 1, a - 1)),
                (Node::Binary(_), Node::Binary(_)) => {
                    pairs.push((g - 1, a - 1));
                    pairs.push((gold_starts[g - 1] as usize - 1, answer_starts[a - 1] as usize - 1));
                }
                _ => {}
            }
        }
    }
}

fn name(node: Node) -> String {
    symbol(node).unwrap_or('p').to_string()
}
