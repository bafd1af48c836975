//! What a set of rows is made of, beside what the NanoLogic notes report of theirs.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use logic_parser::{Formula, Node};
use serde::{Deserialize, Serialize};

use crate::{Complexity, Row, words};

/// Counts over a set of rows.
///
/// ```
/// use data_pipeline::{Distribution, gold};
///
/// let gold = Distribution::of(&gold::sentences());
/// assert!(gold.connectives["→"] > gold.connectives["↔"]);
/// println!("{gold}");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// How many rows there are.
    pub rows: usize,
    /// How many different patterns.
    pub patterns: usize,
    /// How many rows use each connective at least once.
    pub connectives: BTreeMap<String, usize>,
    /// How many rows have each number of atoms.
    pub atoms: BTreeMap<usize, usize>,
    /// How many rows there are of each degree.
    pub complexity: BTreeMap<Complexity, usize>,
    /// How many rows there are in each block.
    pub blocks: BTreeMap<String, usize>,
    /// Words of a sentence: median, 90th percentile, most.
    pub words: [usize; 3],
}

/// The notes' own corpus (6,080 rows after augmentation), in per cent of rows: the degrees, then ∧ ¬ → ∨ ↔.
const NOTES: ([f64; 3], [(&str, f64); 5]) =
    ([28.0, 35.0, 37.0], [("∧", 97.8), ("¬", 83.0), ("→", 70.5), ("∨", 66.0), ("↔", 40.8)]);

impl Distribution {
    /// Counts `rows`; formulas that do not parse count only as rows.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Distribution {
        let mut count = Count::default();
        rows.into_iter().for_each(|row| count.add(row));
        count.finish()
    }

    /// The largest share that one block has, from 0 to 1.
    pub fn largest_block(&self) -> f64 {
        let largest = self.blocks.values().max().copied().unwrap_or(0);
        largest as f64 / self.rows.max(1) as f64
    }

    /// Several distributions side by side, in per cent of rows, with what the notes report of theirs.
    pub fn table(columns: &[(&str, &Distribution)]) -> String {
        let mut table = Table::default();
        table.line("", columns.iter().map(|(name, _)| (*name).to_owned()), "notes");
        let count =
            |of: fn(&Distribution) -> usize| columns.iter().map(move |(_, side)| of(side).to_string());
        table.line("rows", count(|side| side.rows), "6080");
        table.line("patterns", count(|side| side.patterns), "");
        table.line("words, median", count(|side| side.words[0]), "");
        table.line("words, 90th percentile", count(|side| side.words[1]), "");
        table.line("words, most", count(|side| side.words[2]), "");
        let share = |of: &dyn Fn(&Distribution) -> Option<usize>| {
            let percent =
                |side: &Distribution| 100.0 * of(side).unwrap_or(0) as f64 / side.rows.max(1) as f64;
            columns.iter().map(|(_, side)| format!("{:.1} %", percent(side))).collect::<Vec<_>>()
        };
        for (degree, notes) in Complexity::ALL.iter().zip(NOTES.0) {
            let name = format!("{degree:?}").to_lowercase();
            table.line(&name, share(&|side| side.complexity.get(degree).copied()), &format!("{notes:.1} %"));
        }
        for (symbol, notes) in NOTES.1 {
            table.line(
                symbol,
                share(&|side| side.connectives.get(symbol).copied()),
                &format!("{notes:.1} %"),
            );
        }
        let atoms: BTreeSet<usize> =
            columns.iter().flat_map(|(_, side)| side.atoms.keys().copied()).collect();
        for atoms in atoms {
            let name = if atoms == 1 { "1 atom".to_owned() } else { format!("{atoms} atoms") };
            table.line(&name, share(&|side| side.atoms.get(&atoms).copied()), "");
        }
        let blocks: BTreeSet<&String> = columns.iter().flat_map(|(_, side)| side.blocks.keys()).collect();
        for block in blocks {
            table.line(block, share(&|side| side.blocks.get(block).copied()), "");
        }
        table.0
    }
}

/// A distribution while rows are still coming.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count {
    /// How many rows there are of each pattern.
    patterns: HashMap<String, usize>,
    complexity: BTreeMap<Complexity, usize>,
    blocks: BTreeMap<String, usize>,
    /// How many sentences have each number of words.
    lengths: Vec<usize>,
}

impl Count {
    pub(crate) fn add(&mut self, row: &Row) {
        count_in(&mut self.patterns, &row.pattern);
        *self.complexity.entry(row.complexity).or_default() += 1;
        match self.blocks.get_mut(&row.block) {
            Some(rows) => *rows += 1,
            None => drop(self.blocks.insert(row.block.clone(), 1)),
        }
        let length = words(&row.input).len();
        if self.lengths.len() <= length {
            self.lengths.resize(length + 1, 0);
        }
        self.lengths[length] += 1;
    }

    pub(crate) fn finish(self) -> Distribution {
        let rows = self.lengths.iter().sum();
        let mut distribution = Distribution {
            rows,
            patterns: self.patterns.len(),
            complexity: self.complexity,
            blocks: self.blocks,
            ..Distribution::default()
        };
        // A pattern is parsed once for all its rows.
        for (pattern, rows) in &self.patterns {
            let Ok(formula) = Formula::parse(pattern) else {
                continue;
            };
            *distribution.atoms.entry(formula.atoms().len()).or_default() += rows;
            let symbols: BTreeSet<&str> = formula.nodes().iter().filter_map(|&node| symbol(node)).collect();
            for symbol in symbols {
                *distribution.connectives.entry(symbol.to_owned()).or_default() += rows;
            }
        }
        let at = |share: f64| {
            let (mut seen, wanted) = (0, ((rows as f64 * share) as usize).min(rows.saturating_sub(1)));
            let reaches = |n: &usize| {
                seen += n;
                seen > wanted
            };
            self.lengths.iter().position(reaches).unwrap_or(0)
        };
        distribution.words = [at(0.5), at(0.9), at(1.0)];
        distribution
    }
}

/// Counts a text without copying it, unless it is new.
pub(crate) fn count_in(counts: &mut HashMap<String, usize>, text: &str) {
    match counts.get_mut(text) {
        Some(count) => *count += 1,
        None => drop(counts.insert(text.to_owned(), 1)),
    }
}

/// Lines of a name and right-aligned columns.
#[derive(Default)]
struct Table(String);

impl Table {
    fn line(&mut self, name: &str, cells: impl IntoIterator<Item = String>, notes: &str) {
        let cells: String = cells.into_iter().map(|cell| format!("{cell:>10}")).collect();
        self.0.push_str(format!("  {name:<24}{cells}{notes:>10}").trim_end());
        self.0.push('\n');
    }
}

fn symbol(node: Node) -> Option<&'static str> {
    use logic_parser::Connective::{And, Iff, Implies, Or, Xor};
    match node {
        Node::Not => Some("¬"),
        Node::Binary(And) => Some("∧"),
        Node::Binary(Or) => Some("∨"),
        Node::Binary(Implies) => Some("→"),
        Node::Binary(Iff) => Some("↔"),
        Node::Binary(Xor) => Some("⊕"),
        Node::Atom(_) | Node::Top | Node::Bottom => None,
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Distribution::table(&[("", self)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connective_counts_once_a_row() {
        let row = |pattern: &str, input: &str| Row {
            pattern: pattern.into(),
            input: input.into(),
            ..Row::default()
        };
        let rows =
            [row("p ∧ q ∧ r", "a b c"), row("p ∧ q ∧ r", "a"), row("¬p", "a b"), row("p →", "a b c d")];
        let counted = Distribution::of(&rows);
        assert_eq!(counted.connectives, [("¬".to_owned(), 1), ("∧".to_owned(), 2)].into());
        assert_eq!(counted.atoms, [(1, 1), (3, 2)].into());
        assert_eq!((counted.rows, counted.patterns, counted.words), (4, 3, [3, 4, 4]));
        assert_eq!(Distribution::of([]).words, [0; 3]);
    }
}
