//! The one record: what the maker writes, the splitter groups, the learner adds and the evaluator reads.

use std::collections::BTreeMap;

use logic_parser::{Formula, Node};
use serde::{Deserialize, Serialize};

/// One Spanish sentence with its formula and everything known about the pair.
///
/// ```
/// let line = r#"{"input": "Si llueve, me mojo.", "formula": "p → q", "atoms": {"p": "llueve", "q": "me mojo"}}"#;
/// let row: data_pipeline::Row = serde_json::from_str(line)?;
/// assert_eq!(row.atoms["q"], "me mojo");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The sentence as a person would write it.
    pub input: String,
    /// The formula, in Unicode notation (`∧ ∨ ¬ → ↔`), atoms lettered p, q, r … by first appearance.
    pub formula: String,
    /// The glossary: what each atom of the formula says.
    #[serde(default)]
    pub atoms: BTreeMap<String, String>,
    /// Where the sentence says each atom, as spans of [`words`](crate::words); empty when nobody has told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spans: BTreeMap<String, Vec<WordSpan>>,
    /// The phrase that expressed each connective, as in `"→": "si … entonces"`.
    #[serde(default)]
    pub connectors: BTreeMap<String, String>,
    /// The reasoning from sentence to formula, for the chain-of-thought phase; may be empty.
    #[serde(default)]
    pub thought: String,
    /// How hard the formula is.
    #[serde(default)]
    pub complexity: Complexity,
    /// The domain the sentence speaks of, as `"causal"`.
    #[serde(default, alias = "domain")]
    pub block: String,
    /// The formula with its atoms renamed p, q, r … by first appearance and no law applied; what the splitter
    /// keeps apart.
    #[serde(default)]
    pub pattern: String,
    /// BCP 47 language tag of `input`.
    #[serde(default = "spanish")]
    pub language: String,
    /// Who vouches for the formula.
    #[serde(default)]
    pub origin: Origin,
}

fn spanish() -> String {
    "es".to_owned()
}

/// A run of words, both ends included, numbered from 0 as [`words`](crate::words) cuts the sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WordSpan {
    /// Index of the first word.
    pub first: u16,
    /// Index of the last word.
    pub last: u16,
}

/// How hard a formula is, by its number of connectives: at most one besides negation, two, or more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Complexity {
    /// At most one binary connective.
    #[default]
    #[serde(alias = "Simple")]
    Simple,
    /// Two binary connectives.
    #[serde(alias = "Intermediate")]
    Intermediate,
    /// Three binary connectives or more.
    #[serde(alias = "Advanced")]
    Advanced,
}

impl Complexity {
    /// The three degrees, easiest first.
    pub const ALL: [Complexity; 3] = [Complexity::Simple, Complexity::Intermediate, Complexity::Advanced];

    /// How hard `formula` is.
    ///
    /// ```
    /// use data_pipeline::Complexity;
    ///
    /// assert_eq!(Complexity::of(&"¬p → ¬q".parse()?), Complexity::Simple);
    /// assert_eq!(Complexity::of(&"p ∧ ¬q → r".parse()?), Complexity::Intermediate);
    /// # Ok::<(), logic_parser::ParseError>(())
    /// ```
    pub fn of(formula: &Formula) -> Complexity {
        match formula.nodes().iter().filter(|node| matches!(node, Node::Binary(_))).count() {
            0 | 1 => Complexity::Simple,
            2 => Complexity::Intermediate,
            _ => Complexity::Advanced,
        }
    }
}

/// Who vouches for a label. Rows of origin `Vote` never train alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The formula came first and the sentence was made from it.
    #[default]
    Constructed,
    /// A person wrote it.
    Human,
    /// A model or program that shares nothing with the learner.
    IndependentModel,
    /// The most frequent answer of several attempts.
    Vote,
}
