//! What is wrong with a text that is no formula, where, and what to write instead.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::span::Span;

/// Everything found wrong with a text, first things first. Its `Display` draws the text with a caret below each
/// mistake; [`Diagnostic`]'s is one line.
///
/// ```
/// # use logic_parser::Formula;
/// let error = Formula::parse("p → (q ∧ r").unwrap_err();
/// assert_eq!(error.to_string(), "\
/// unclosed bracket; add `)`
///   p → (q ∧ r
///       ^");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    diagnostics: Vec<Diagnostic>,
    excerpts: Vec<Excerpt>,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// Where, in bytes of the text.
    pub span: Span,
    /// Where, in characters of the text.
    pub characters: Span,
    /// What the text says there, shortened when long; empty at the end of the text.
    pub found: String,
    /// What could stand there instead.
    pub expected: &'static str,
    /// What the writer may have meant.
    pub hint: Option<&'static str>,
}

/// The kinds of mistake.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ParseErrorKind {
    /// There is nothing but spaces.
    #[error("empty formula")]
    Empty,
    /// A connective or bracket stands where a formula should begin.
    #[error("expected a formula")]
    ExpectedOperand,
    /// Two formulas follow each other without a connective.
    #[error("expected a connective")]
    ExpectedConnective,
    /// A bracket is never closed.
    #[error("unclosed bracket")]
    UnclosedBracket,
    /// A bracket is closed that was never opened.
    #[error("unopened bracket")]
    UnopenedBracket,
    /// A bracket is closed by one of another shape.
    #[error("brackets of different shapes")]
    MismatchedBracket,
    /// `entonces` without `si`.
    #[error("`then` without `if`")]
    ThenWithoutIf,
    /// `si` without `entonces`.
    #[error("`if` without `then`")]
    IfWithoutThen,
    /// A symbol that no notation uses.
    #[error("unknown symbol")]
    UnknownSymbol,
    /// A quoted name without its closing quote.
    #[error("unterminated name")]
    UnterminatedName,
    /// A spelling that [`Dialect::Textbook`](crate::Dialect::Textbook) refuses.
    #[error("not in textbook notation")]
    NotTextbook,
    /// A chain that [`Chains::Refuse`](crate::Chains::Refuse) refuses.
    #[error("ambiguous chain")]
    AmbiguousChain,
    /// A comma or turnstile, which belong to an [`Argument`](crate::Argument), within a formula.
    #[error("an argument where a formula should be")]
    ArgumentInFormula,
    /// An argument without `⊢`, or with more than one.
    #[error("expected one conclusion")]
    ExpectedConclusion,
    /// More bytes than [`Limits::bytes`](crate::Limits::bytes).
    #[error("text too long")]
    TooLong,
    /// More nodes than [`Limits::nodes`](crate::Limits::nodes).
    #[error("formula too large")]
    TooLarge,
    /// Deeper nesting than [`Limits::nesting`](crate::Limits::nesting).
    #[error("nesting too deep")]
    TooDeep,
    /// More atoms than [`Limits::atoms`](crate::Limits::atoms).
    #[error("too many atoms")]
    TooManyAtoms,
}

impl ParseErrorKind {
    /// The kind as an identifier, as `unclosed_bracket`.
    pub fn id(self) -> &'static str {
        match self {
            ParseErrorKind::Empty => "empty",
            ParseErrorKind::ExpectedOperand => "expected_operand",
            ParseErrorKind::ExpectedConnective => "expected_connective",
            ParseErrorKind::UnclosedBracket => "unclosed_bracket",
            ParseErrorKind::UnopenedBracket => "unopened_bracket",
            ParseErrorKind::MismatchedBracket => "mismatched_bracket",
            ParseErrorKind::ThenWithoutIf => "then_without_if",
            ParseErrorKind::IfWithoutThen => "if_without_then",
            ParseErrorKind::UnknownSymbol => "unknown_symbol",
            ParseErrorKind::UnterminatedName => "unterminated_name",
            ParseErrorKind::NotTextbook => "not_textbook",
            ParseErrorKind::AmbiguousChain => "ambiguous_chain",
            ParseErrorKind::ArgumentInFormula => "argument_in_formula",
            ParseErrorKind::ExpectedConclusion => "expected_conclusion",
            ParseErrorKind::TooLong => "too_long",
            ParseErrorKind::TooLarge => "too_large",
            ParseErrorKind::TooDeep => "too_deep",
            ParseErrorKind::TooManyAtoms => "too_many_atoms",
        }
    }
}

impl ParseError {
    /// The error for the mistakes found in `text`, of which there is at least one.
    pub(crate) fn new(text: &str, mut diagnostics: Vec<Diagnostic>) -> ParseError {
        debug_assert!(!diagnostics.is_empty());
        diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        let excerpts = diagnostics.iter().map(|diagnostic| Excerpt::around(text, diagnostic.span)).collect();
        ParseError { diagnostics, excerpts }
    }

    /// The first mistake in the text.
    pub fn first(&self) -> &Diagnostic {
        &self.diagnostics[0]
    }

    /// Every mistake, in the order of the text, at most sixteen.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }
}

impl core::error::Error for ParseError {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (diagnostic, excerpt)) in self.diagnostics.iter().zip(&self.excerpts).enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{diagnostic}\n{excerpt}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if !self.found.is_empty() && self.kind != ParseErrorKind::UnclosedBracket {
            write!(f, ", found `{}`", self.found)?;
        }
        match self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// The stretch of the text that a caret is drawn under.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excerpt {
    line: String,
    indent: usize,
    carets: usize,
}

impl Excerpt {
    /// Characters shown before and after the mistake.
    const BEFORE: usize = 40;
    const AFTER: usize = 30;

    fn around(text: &str, span: Span) -> Excerpt {
        let before: Vec<char> = text[..span.start]
            .chars()
            .rev()
            .take(Excerpt::BEFORE + 1)
            .take_while(|&character| character != '\n')
            .collect();
        let cut = before.len() > Excerpt::BEFORE;
        let shown = before.len().min(Excerpt::BEFORE);
        let inside = text[span.range()].chars().take(Excerpt::AFTER).take_while(|&c| c != '\n').count();
        let tail: Vec<char> =
            text[span.start..].chars().take_while(|&c| c != '\n').take(inside + Excerpt::AFTER + 1).collect();
        let more = tail.len() > inside + Excerpt::AFTER;
        let mut line = String::from(if cut { "…" } else { "" });
        line.extend(before[..shown].iter().rev().map(|&c| visible(c)));
        line.extend(tail.iter().take(inside + Excerpt::AFTER).map(|&c| visible(c)));
        if more {
            line.push('…');
        }
        Excerpt { line, indent: shown + usize::from(cut), carets: inside.max(1) }
    }
}

/// Control and direction characters would disturb the drawing.
fn visible(character: char) -> char {
    if character == '\t' || character.is_control() || crate::vocabulary::is_invisible(character) {
        ' '
    } else {
        character
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {}\n  {}{}", self.line, " ".repeat(self.indent), "^".repeat(self.carets))
    }
}

/// At most the first sixteen characters of a token.
pub(crate) fn shorten(found: &str) -> String {
    const SHOWN: usize = 16;
    match found.char_indices().nth(SHOWN) {
        Some((end, _)) => [&found[..end], "…"].concat(),
        None => found.to_string(),
    }
}
