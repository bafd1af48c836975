//! Arguments: valid, or invalid and why.

mod explain;
mod schema;
mod schemas;
mod term;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::assignment::Assignment;
use crate::budget::{Budget, Unknown};
use crate::error::{ParseError, ParseErrorKind};
use crate::formula::Formula;
use crate::lexer::Token;
use crate::names::Interner;
use crate::options::ParseOptions;
use crate::parser::Parser;
use crate::truth::{Entailment, entails_within};

pub use schema::{Instance, Mistake, Schema};
pub use schemas::{FALLACIES, FORMS, NON_SEQUITUR};

/// Premises and a conclusion.
///
/// ```
/// use logic_parser::{Argument, Verdict};
///
/// let argument: Argument = "llueve → mojo, mojo ⊢ llueve".parse()?;
/// let judgement = argument.judge();
/// assert_eq!(judgement.verdict, Verdict::Invalid);
/// assert_eq!(judgement.fallacy.unwrap().schema.id, "affirming_the_consequent");
/// assert_eq!(judgement.countermodel.unwrap().to_string(), "llueve = false, mojo = true");
/// # Ok::<(), logic_parser::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Argument {
    /// What is taken for granted; may be empty.
    pub premises: Vec<Formula>,
    /// What is said to follow.
    pub conclusion: Formula,
}

/// What [`Argument::judge`] finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Valid, invalid, or undecided within the budget.
    pub verdict: Verdict,
    /// The named form that a valid argument is an instance of, if there is one.
    pub form: Option<Instance>,
    /// The named fallacy that an invalid argument is an instance of, if there is one.
    pub fallacy: Option<Instance>,
    /// Values that make every premise true and the conclusion false, if the argument is invalid.
    pub countermodel: Option<Assignment>,
    /// The judgement in words, in the argument's own atoms.
    pub explanation: Explanation,
}

/// Whether the conclusion follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// True premises make the conclusion true.
    Valid,
    /// They need not.
    Invalid,
    /// The [`Budget`] ran out.
    Unknown(Unknown),
}

/// The same words in two languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Explanation {
    /// In Spanish.
    pub es: String,
    /// In English.
    pub en: String,
}

impl Argument {
    /// Reads `premise, premise ⊢ conclusion` in any notation; `∴`, `|-` and `;` will do too.
    ///
    /// # Errors
    /// Says what is wrong and where, for up to sixteen mistakes.
    pub fn parse(text: &str) -> Result<Argument, ParseError> {
        Argument::parse_with(text, &ParseOptions::default())
    }

    /// Reads an argument as the options say.
    ///
    /// # Errors
    /// Says what is wrong and where, for up to sixteen mistakes.
    pub fn parse_with(text: &str, options: &ParseOptions) -> Result<Argument, ParseError> {
        let mut interner = Interner::new();
        let mut parser = Parser::new(text, options, &mut interner);
        let mut premises = Vec::new();
        if !parser.begins_with_turnstile() {
            loop {
                premises.push(parser.formula());
                if parser.stop != Token::Comma {
                    break;
                }
            }
            if parser.stop != Token::Turnstile {
                parser.report(
                    ParseErrorKind::ExpectedConclusion,
                    "`⊢`",
                    Some("write `premise, premise ⊢ conclusion`"),
                );
                return parser.finish(Argument { premises, conclusion: Formula::top() });
            }
        }
        let conclusion = parser.formula();
        if parser.stop != Token::End {
            parser.report(
                ParseErrorKind::ExpectedConclusion,
                "the end",
                Some("an argument has one conclusion"),
            );
        }
        parser.finish(Argument { premises, conclusion })
    }

    /// Judges the argument within the default [`Budget`].
    pub fn judge(&self) -> Judgement {
        self.judge_within(&Budget::default())
    }

    /// Judges the argument: first whether it is valid, and only then what its form is called, because an instance of
    /// a fallacy can be valid, as `p → p, p ⊢ p` is.
    pub fn judge_within(&self, budget: &Budget<'_>) -> Judgement {
        let mut judgement = Judgement {
            verdict: Verdict::Valid,
            form: None,
            fallacy: None,
            countermodel: None,
            explanation: Explanation::default(),
        };
        match entails_within(&self.premises, &self.conclusion, budget) {
            Entailment::Yes => judgement.form = schema::find(FORMS, self),
            Entailment::No(countermodel) => {
                judgement.verdict = Verdict::Invalid;
                judgement.fallacy = schema::find(FALLACIES, self);
                judgement.countermodel = Some(countermodel);
            }
            Entailment::Unknown(unknown) => judgement.verdict = Verdict::Unknown(unknown),
        }
        judgement.explanation = explain::explain(self, &judgement);
        judgement
    }
}

impl FromStr for Argument {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Argument, ParseError> {
        Argument::parse(text)
    }
}

/// `p → q, p ⊢ q`
impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, premise) in self.premises.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{premise}")?;
        }
        let space = if self.premises.is_empty() { "" } else { " " };
        write!(f, "{space}⊢ {}", self.conclusion)
    }
}
