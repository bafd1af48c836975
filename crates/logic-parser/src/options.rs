//! What the parser accepts.

/// How to read a text. The default takes every notation and associates chains.
///
/// ```
/// use logic_parser::{Chains, Formula, ParseOptions};
///
/// let strict = ParseOptions { chains: Chains::Refuse, ..ParseOptions::default() };
/// assert!(Formula::parse_with("p → q → r", &strict).is_err());
/// assert!(Formula::parse_with("p → (q → r)", &strict).is_ok());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParseOptions {
    /// Which spellings are accepted.
    pub dialect: Dialect,
    /// What `p → q → r` and `p ↔ q ↔ r` mean.
    pub chains: Chains,
    /// How much a text may ask for.
    pub limits: Limits,
}

impl ParseOptions {
    /// Textbook symbols only, and no chain that leaves the reader guessing.
    pub fn strict() -> ParseOptions {
        ParseOptions { dialect: Dialect::Textbook, chains: Chains::Refuse, limits: Limits::default() }
    }
}

/// Which spellings are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Unicode, ASCII, programming languages, LaTeX, Spanish and English words, all at once.
    #[default]
    Any,
    /// Only `¬ ∧ ∨ → ↔ ⊕ ⊤ ⊥`, round brackets and names.
    Textbook,
}

/// What a chain of → or of ↔ without brackets means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Chains {
    /// `p → q → r` is `p → (q → r)`, and `p ↔ q ↔ r` is `(p ↔ q) ↔ r`.
    #[default]
    Associate,
    /// A chain is an error: let the writer say which.
    Refuse,
}

/// How much a text may ask for before the parser refuses. Nothing here guards the stack, which the parser does not
/// use; these bound time and memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Nodes of the formula.
    pub nodes: usize,
    /// Brackets, negations and connectives that wait for their right operand at once.
    pub nesting: usize,
    /// Different atoms.
    pub atoms: usize,
}

impl Default for Limits {
    /// 16 MiB of text, and whatever nodes, nesting and atoms fit in it.
    fn default() -> Limits {
        Limits { bytes: 16 << 20, nodes: usize::MAX, nesting: usize::MAX, atoms: usize::MAX }
    }
}
