//! Propositional logic from text to truth, and to the reason.
//!
//! A [`Formula`] is read from text in any usual notation, Spanish and English words and LaTeX among them, and printed
//! in any other. [`classify`], [`equivalent`] and [`entails`] say what is true of it; an [`Argument`] is judged valid, or
//! invalid with a countermodel and, where it has one, the name of its fallacy.
//!
//! ```
//! use logic_parser::{Argument, Class, Formula, Notation, Verdict, classify, equivalent};
//!
//! let formula: Formula = "si llueve y hace_frio entonces no salgo".parse()?;
//! assert_eq!(formula.to_string(), "llueve ∧ hace_frio → ¬salgo");
//! assert_eq!(formula.display(Notation::Latex).to_string(), r"\mathit{llueve} \land \mathit{hace\_frio} \to \neg \mathit{salgo}");
//! assert_eq!(formula.pattern().to_string(), "p ∧ q → ¬r");
//!
//! assert_eq!(classify(&"p | ~p".parse()?), Class::Tautology);
//! assert!(equivalent(&"p → q".parse()?, &"¬q → ¬p".parse()?).is_yes());
//!
//! let judgement = "llueve → mojo, mojo ⊢ llueve".parse::<Argument>()?.judge();
//! assert_eq!(judgement.verdict, Verdict::Invalid);
//! assert_eq!(judgement.fallacy.unwrap().schema.en, "affirming the consequent");
//! # Ok::<(), logic_parser::ParseError>(())
//! ```
//!
//! # What else there is
//!
//! - [`TruthTable`]: rows as they are asked for, as text, Markdown, LaTeX, CSV or HTML.
//! - [`models`], [`count_models`], [`Argument::countermodels`], [`Argument::minimal_countermodels`].
//! - [`Argument::prove`]: a [`Proof`] by natural deduction, and [`Proof::check`], which shares no code with the prover.
//! - [`Formula::negation_normal_form`], [`Formula::conjunctive_normal_form`], [`Formula::disjunctive_normal_form`],
//!   [`Formula::minimized`], [`Cnf`];
//!   [`Formula::to_dimacs`], [`Formula::to_smt_lib`], [`Formula::to_tptp`].
//! - [`Formula::simplify`]: rewriting by named laws, each step explained.
//! - [`score`]: how right a model's answer is.
//! - The example `verify` answers files of questions as JSON lines.
//!
//! # Hostile input
//!
//! A text may be a megabyte of brackets: nothing recurses on input, neither reading nor printing, comparing, judging nor
//! dropping, so no text overflows the stack. What bounds time and memory:
//!
//! - Reading: [`Limits`] on bytes (16 MiB unless said otherwise), nodes, nesting and atoms. Time and memory grow with the
//!   bytes alone, and a megabyte takes a few hundredths of a second.
//! - Questions that could take for ever: a [`Budget`], and an interrupt from another thread. What it does not suffice for
//!   is answered with [`Unknown`], which says what ran out. The default is a few seconds at most.
//! - Proofs end at ten thousand lines ([`NoProof::TooLong`]), [`score::tree_edit_distance`] at 2²⁴ pairs of nodes, and
//!   [`Formula::simplify`] after as many steps as it is told.
//! - A [`TruthTable`] has 2ⁿ rows, but is written row by row: take as many as you want.
//!
//! # Features
//!
//! - `sat` (default): formulas too large for a table and a decision diagram go to the SAT solver `batsat`. Brings `std`.
//! - `std`: the table kernel for AVX2, found out at run time. Without it the crate needs only `alloc`.
//! - `serde`: formulas and arguments as text, assignments as maps, judgements as objects.
//! - `rayon`: many questions at once on all cores: `classify_all`, `equivalent_all`, `judge_all`.
//!
//! # What it never does
//!
//! It knows nothing of models of language, never recurses on input, and never hangs.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod argument;
mod assignment;
mod budget;
mod canonical;
mod cnf;
mod diagram;
mod error;
mod export;
mod formula;
mod laws;
mod lexer;
mod minimize;
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
pub use laws::{LAWS, Law, Step};
pub use minimize::Minimized;
pub use models::{Models, count_models, models};
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
