//! Propositional logic from text to truth.
//!
//! A [`Formula`] is read from text in any usual notation and printed back in any other:
//!
//! ```
//! use logic_parser::{Formula, Notation};
//!
//! let formula: Formula = "si llueve y hace_frio entonces no salgo".parse()?;
//! assert_eq!(formula.to_string(), "llueve ∧ hace_frio → ¬salgo");
//! assert_eq!(formula.display(Notation::Ascii).to_string(), "llueve & hace_frio -> ~salgo");
//! assert_eq!(formula.pattern().to_string(), "p ∧ q → ¬r");
//! # Ok::<(), logic_parser::ParseError>(())
//! ```
//!
//! # What it never does
//!
//! It never recurses on its input, so no text can overflow the stack, however deep; it never panics on text; it
//! knows nothing of models.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod argument;
mod assignment;
mod budget;
mod canonical;
mod cnf;
mod diagram;
mod error;
mod formula;
mod lexer;
mod models;
mod names;
mod normal_form;
mod options;
#[cfg(feature = "rayon")]
mod parallel;
mod parser;
mod print;
mod proof;
#[cfg(feature = "sat")]
mod sat;
mod satisfy;
pub mod score;
#[cfg(feature = "serde")]
mod serde;
mod span;
mod substitute;
mod table;
mod truth;
mod truth_table;
mod vocabulary;

pub use argument::{
    Argument, Explanation, FALLACIES, FORMS, Instance, Judgement, Mistake, NON_SEQUITUR, Schema, Verdict,
};
pub use assignment::Assignment;
pub use budget::{Budget, Reason, Unknown};
pub use cnf::{Cnf, Literal};
pub use error::{Diagnostic, ParseError, ParseErrorKind};
pub use formula::{AtomId, Connective, Formula, Leaf, Node};
pub use models::count_models;
pub use options::{Chains, Dialect, Limits, ParseOptions};
#[cfg(feature = "rayon")]
pub use parallel::{classify_all, equivalent_all, judge_all};
pub use print::Notation;
pub use proof::{CheckError, Line, NoProof, Proof, Rule, Subproof};
pub use span::Span;
pub use truth::{
    Answer, Class, Entailment, Equivalence, classify, classify_within, entails, entails_within, equivalent,
    equivalent_within,
};
pub use truth_table::{Columns, Marks, RowOrder, TableFormat, TruthTable};
