//! Natural deduction: proofs that can be checked line by line.
//!
//! The prover and the [checker](Proof::check) share nothing but these types: a proof is worth what its checker is.

mod checker;
mod prover;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::assignment::Assignment;
use crate::budget::Unknown;
use crate::formula::Formula;

pub use checker::CheckError;

/// A proof in natural deduction, in the style of Fitch (1952).
///
/// ```
/// use logic_parser::Argument;
///
/// let argument: Argument = "p → q, ¬q ⊢ ¬p".parse()?;
/// let proof = argument.prove()?;
/// proof.check(&argument)?;
/// assert_eq!(proof.to_string(), "\
/// 1  p → q   premise
/// 2  ¬q      premise
/// 3  │ p     assumption
/// 4  │ q     →E 1, 3
/// 5  │ ⊥     ¬E 4, 2
/// 6  ¬p      ¬I 3–5
/// ");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The lines; rules cite them by index, counted from 0.
    pub lines: Vec<Line>,
}

/// One line of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How many assumptions are open here.
    pub depth: usize,
    /// What is said.
    pub formula: Formula,
    /// Why it may be said.
    pub rule: Rule,
}

/// A stretch of lines from an assumption to what was shown under it, both included.
pub type Subproof = (usize, usize);

/// What allows a line, with the lines and subproofs it cites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The line is a premise.
    Premise,
    /// The line is assumed, and opens a subproof one deeper.
    Assumption,
    /// The line was said before.
    Reiteration(usize),
    /// ⊤ needs no reason.
    TopIntroduction,
    /// From A and B, A ∧ B.
    AndIntroduction(usize, usize),
    /// From A ∧ B, A, and also B.
    AndElimination(usize),
    /// From A, A ∨ B, and also B ∨ A.
    OrIntroduction(usize),
    /// From A ∨ B, C under A, and C under B: C.
    OrElimination(usize, Subproof, Subproof),
    /// From B under A, A → B.
    ImpliesIntroduction(Subproof),
    /// From A → B and A, B.
    ImpliesElimination(usize, usize),
    /// From ⊥ under A, ¬A.
    NotIntroduction(Subproof),
    /// From A and ¬A, ⊥.
    NotElimination(usize, usize),
    /// From ¬¬A, A.
    DoubleNegation(usize),
    /// From ⊥, anything.
    Explosion(usize),
    /// From B under A and A under B, A ↔ B.
    IffIntroduction(Subproof, Subproof),
    /// From A ↔ B and A, B; from A ↔ B and B, A.
    IffElimination(usize, usize),
    /// From A ⊕ B, ¬(A ↔ B), and back.
    XorDefinition(usize),
}

/// Why there is no proof.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProof {
    /// The argument is invalid.
    #[error("the argument is invalid: {0} makes the premises true and the conclusion false")]
    Invalid(Assignment),
    /// Its validity could not be decided within the budget.
    #[error(transparent)]
    Undecided(#[from] Unknown),
    /// The shortest proof found has too many lines or too many assumptions within each other.
    #[error("the proof is too long")]
    TooLong,
}

impl Rule {
    /// The lines and the subproofs that the rule cites.
    pub fn citations(self) -> (Vec<usize>, Vec<Subproof>) {
        match self {
            Rule::Premise | Rule::Assumption | Rule::TopIntroduction => (Vec::new(), Vec::new()),
            Rule::Reiteration(line)
            | Rule::AndElimination(line)
            | Rule::OrIntroduction(line)
            | Rule::DoubleNegation(line)
            | Rule::Explosion(line)
            | Rule::XorDefinition(line) => ([line].into(), Vec::new()),
            Rule::AndIntroduction(first, second)
            | Rule::ImpliesElimination(first, second)
            | Rule::NotElimination(first, second)
            | Rule::IffElimination(first, second) => ([first, second].into(), Vec::new()),
            Rule::ImpliesIntroduction(subproof) | Rule::NotIntroduction(subproof) => {
                (Vec::new(), [subproof].into())
            }
            Rule::IffIntroduction(left, right) => (Vec::new(), [left, right].into()),
            Rule::OrElimination(line, left, right) => ([line].into(), [left, right].into()),
        }
    }

    /// The rule's short name, as `→E`.
    pub fn symbol(self) -> &'static str {
        match self {
            Rule::Premise => "premise",
            Rule::Assumption => "assumption",
            Rule::Reiteration(_) => "R",
            Rule::TopIntroduction => "⊤I",
            Rule::AndIntroduction(..) => "∧I",
            Rule::AndElimination(_) => "∧E",
            Rule::OrIntroduction(_) => "∨I",
            Rule::OrElimination(..) => "∨E",
            Rule::ImpliesIntroduction(_) => "→I",
            Rule::ImpliesElimination(..) => "→E",
            Rule::NotIntroduction(_) => "¬I",
            Rule::NotElimination(..) => "¬E",
            Rule::DoubleNegation(_) => "¬¬E",
            Rule::Explosion(_) => "⊥E",
            Rule::IffIntroduction(..) => "↔I",
            Rule::IffElimination(..) => "↔E",
            Rule::XorDefinition(_) => "⊕",
        }
    }
}

/// `→E 1, 3`, lines counted from 1.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lines, subproofs) = self.citations();
        f.write_str(self.symbol())?;
        let mut separator = " ";
        for line in lines {
            write!(f, "{separator}{}", line + 1)?;
            separator = ", ";
        }
        for (first, last) in subproofs {
            write!(f, "{separator}{}–{}", first + 1, last + 1)?;
            separator = ", ";
        }
        Ok(())
    }
}

/// Numbered lines, a bar for each open assumption, the rules in a column.
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const GAP: usize = 3;
        let number = alloc::format!("{}", self.lines.len()).len();
        let said: Vec<String> = self
            .lines
            .iter()
            .map(|line| "│ ".repeat(line.depth) + &alloc::format!("{}", line.formula))
            .collect();
        let width = said.iter().map(|text| text.chars().count()).max().unwrap_or_default() + GAP;
        for (index, (line, text)) in self.lines.iter().zip(&said).enumerate() {
            writeln!(f, "{:>number$}  {text:width$}{}", index + 1, line.rule)?;
        }
        Ok(())
    }
}
