//! Tokens into a formula, by operator precedence with an explicit stack.
//!
//! The parser is always in one of two states: it expects an operand or a connective. Connectives wait on the stack
//! until one that binds less tightly, or a closing bracket, sends them to the output, which is thereby in postorder.
//! After a mistake it supplies what was missing and reads on, to report the next one too.
//!
//! Each state reads its own token, so that the processor predicts the two apart.

use alloc::vec::Vec;
use core::str::FromStr;

use crate::error::{Diagnostic, ParseError, ParseErrorKind, shorten};
use crate::formula::{AtomId, Connective, Formula, Node};
use crate::lexer::{self, Bracket, Lexer, Oddity, Token};
use crate::names::Interner;
use crate::options::{Chains, Dialect, ParseOptions};
use crate::span::Span;
use crate::vocabulary;

use ParseErrorKind as Kind;

impl Formula {
    /// Reads a formula in any notation; see [`ParseOptions`] to accept less.
    ///
    /// # Errors
    /// Says what is wrong and where, for up to sixteen mistakes.
    pub fn parse(text: &str) -> Result<Formula, ParseError> {
        Formula::parse_with(text, &ParseOptions::default())
    }

    /// Reads a formula as the options say.
    ///
    /// # Errors
    /// Says what is wrong and where, for up to sixteen mistakes.
    pub fn parse_with(text: &str, options: &ParseOptions) -> Result<Formula, ParseError> {
        let mut parser = Parser::new(text, options)?;
        parser.nodes.reserve(text.len() / 4 + 1);
        parser.waiting.reserve(32);
        let formula = parser.formula();
        if matches!(parser.stop, Token::Comma | Token::Turnstile) {
            parser.report(Kind::ArgumentInFormula, "a connective", Some("parse an `Argument` instead"));
        }
        parser.finish(formula)
    }
}

impl FromStr for Formula {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Formula, ParseError> {
        Formula::parse(text)
    }
}

const WRITE_CONNECTIVE: &str = "write ∧ ∨ → ↔ or ⊕";

/// After so many mistakes the rest of the text is not worth reading.
const MISTAKES: usize = 16;

pub(crate) struct Parser<'t> {
    text: &'t str,
    options: &'t ParseOptions,
    lexer: Lexer<'t>,
    /// What ended the formula read last: a comma, a turnstile or the end of the text.
    pub(crate) stop: Token,
    nodes: Vec<Node>,
    interner: Interner,
    waiting: Vec<Waiting>,
    mistakes: Vec<Diagnostic>,
    gave_up: bool,
}

/// What waits for its right operand, and where it stands in the text.
#[derive(Clone, Copy)]
struct Waiting {
    what: Prefix,
    at: u32,
    bytes: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Prefix {
    Open(Bracket),
    If,
    Not,
    Connective(Connective),
}

impl<'t> Parser<'t> {
    pub(crate) fn new(text: &'t str, options: &'t ParseOptions) -> Result<Parser<'t>, ParseError> {
        let mut parser = Parser {
            text,
            options,
            lexer: Lexer::new(text),
            stop: Token::End,
            nodes: Vec::new(),
            interner: Interner::new(),
            waiting: Vec::new(),
            mistakes: Vec::new(),
            gave_up: false,
        };
        if text.len() > options.limits.bytes.min(u32::MAX as usize) {
            parser.give_up(Kind::TooLong);
            return Err(ParseError::new(text, parser.mistakes));
        }
        Ok(parser)
    }

    /// Reads one formula and stops after it, at the end of the text, a comma or a turnstile.
    pub(crate) fn formula(&mut self) -> Formula {
        self.stop = Token::End;
        loop {
            self.operand();
            if !self.connective() || self.gave_up {
                break;
            }
        }
        let nodes = core::mem::take(&mut self.nodes);
        let interner = core::mem::replace(&mut self.interner, Interner::new());
        self.waiting.clear();
        if nodes.is_empty() { Formula::top() } else { Formula::from_parts(nodes, interner.into_names()) }
    }

    /// Whether an argument begins with its turnstile, which is then read.
    pub(crate) fn begins_with_turnstile(&mut self) -> bool {
        let found = self.next() == Token::Turnstile;
        if !found {
            self.lexer.unread();
        }
        found
    }

    /// `formula` if no mistake was made.
    pub(crate) fn finish<T>(self, formula: T) -> Result<T, ParseError> {
        if self.mistakes.is_empty() { Ok(formula) } else { Err(ParseError::new(self.text, self.mistakes)) }
    }

    /// Everything up to and including one atom or constant.
    #[inline]
    fn operand(&mut self) {
        loop {
            match self.next() {
                Token::Atom => return self.atom(),
                Token::Open(bracket) => self.wait(Prefix::Open(bracket)),
                Token::Not => self.wait(Prefix::Not),
                Token::Top => return self.nodes.push(Node::Top),
                Token::Bottom => return self.nodes.push(Node::Bottom),
                Token::If => self.wait(Prefix::If),
                Token::Odd(oddity) => self.report_odd(oddity),
                token => {
                    self.report_missing_operand(token);
                    self.nodes.push(Node::Top);
                    return self.lexer.unread();
                }
            }
            if self.gave_up {
                return;
            }
        }
    }

    /// Everything after an operand up to and including a connective; false at the end of the formula.
    #[inline]
    fn connective(&mut self) -> bool {
        while !self.gave_up {
            match self.next() {
                Token::Binary(connective) => {
                    self.binary(connective);
                    return true;
                }
                Token::Close(bracket) => self.close(bracket),
                Token::Then => {
                    self.then();
                    return true;
                }
                stop @ (Token::End | Token::Comma | Token::Turnstile) => {
                    self.stop = stop;
                    self.end();
                    return false;
                }
                Token::Odd(oddity) => self.report_odd(oddity),
                token => {
                    self.letter_or_missing_connective(token);
                    return true;
                }
            }
        }
        false
    }

    fn atom(&mut self) {
        let slice = self.lexer.slice();
        let name = lexer::name(slice);
        let id = self.interner.intern(&name);
        self.nodes.push(Node::Atom(AtomId(id)));
        if self.interner.len() > self.options.limits.atoms {
            self.give_up(Kind::TooManyAtoms);
        }
    }

    fn wait(&mut self, what: Prefix) {
        let span = self.lexer.span();
        self.waiting.push(Waiting { what, at: span.start as u32, bytes: (span.end - span.start) as u32 });
        if self.waiting.len() > self.options.limits.nesting {
            self.give_up(Kind::TooDeep);
        }
    }

    /// Sends to the output what binds more tightly, and lets the connective wait.
    #[inline]
    fn binary(&mut self, connective: Connective) {
        let precedence = connective.precedence();
        while let Some(&Waiting { what, .. }) = self.waiting.last() {
            match what {
                Prefix::Not => self.nodes.push(Node::Not),
                Prefix::Connective(before) if before == connective => {
                    if connective.refuses_chains() && self.options.chains == Chains::Refuse {
                        self.report(
                            Kind::AmbiguousChain,
                            "brackets",
                            Some("say with brackets which comes first"),
                        );
                    }
                    if connective == Connective::Implies {
                        break;
                    }
                    self.nodes.push(Node::Binary(before));
                }
                Prefix::Connective(before) if before.precedence() > precedence => {
                    self.nodes.push(Node::Binary(before));
                }
                _ => break,
            }
            self.waiting.pop();
        }
        self.check_size();
        self.wait(Prefix::Connective(connective));
    }

    /// An operand where a connective should be, unless it is a letter that is one between operands.
    #[cold]
    fn letter_or_missing_connective(&mut self, token: Token) {
        if let Some(connective) = vocabulary::letter_connective(self.lexer.slice()) {
            if self.options.dialect == Dialect::Textbook {
                self.report(Kind::NotTextbook, "textbook notation", Some(WRITE_CONNECTIVE));
            }
            return self.binary(connective);
        }
        let hint = (token == Token::If).then_some("write `solo si` or `only if` for →");
        self.report(Kind::ExpectedConnective, "a connective", hint);
        self.binary(Connective::And);
        if token != Token::If {
            self.lexer.unread();
        }
    }

    fn close(&mut self, bracket: Bracket) {
        match self.unwind() {
            Some(Waiting { what: Prefix::Open(opened), .. }) if opened == bracket => {}
            Some(Waiting { what: Prefix::Open(opened), .. }) => {
                self.report(Kind::MismatchedBracket, closing(opened), None);
            }
            Some(Waiting { at, bytes, .. }) => {
                self.report_at(
                    Kind::IfWithoutThen,
                    span(at, bytes),
                    "`then`",
                    Some("add `entonces` or `then`"),
                );
                self.lexer.unread();
            }
            None => self.report(Kind::UnopenedBracket, "a connective", Some("remove it, or open it before")),
        }
    }

    fn then(&mut self) {
        match self.unwind() {
            Some(waiting @ Waiting { what: Prefix::If, .. }) => {
                self.waiting.push(Waiting { what: Prefix::Connective(Connective::Implies), ..waiting });
            }
            other => {
                self.report(
                    Kind::ThenWithoutIf,
                    "a connective",
                    Some("write `si … entonces` or `if … then`"),
                );
                self.waiting.extend(other);
                self.binary(Connective::Implies);
            }
        }
    }

    fn end(&mut self) {
        while let Some(Waiting { what, at, bytes }) = self.unwind() {
            if self.mistakes.len() >= MISTAKES {
                break;
            }
            match what {
                Prefix::Open(bracket) => self.report_at(
                    Kind::UnclosedBracket,
                    span(at, bytes),
                    closing(bracket),
                    Some(match bracket {
                        Bracket::Round => "add `)`",
                        Bracket::Square => "add `]`",
                        Bracket::Curly => "add `}`",
                    }),
                ),
                _ => {
                    self.report_at(
                        Kind::IfWithoutThen,
                        span(at, bytes),
                        "`then`",
                        Some("add `entonces` or `then`"),
                    );
                }
            }
        }
        self.check_size();
    }

    /// Sends to the output all that waits down to the last bracket or `si`, and takes that one away.
    fn unwind(&mut self) -> Option<Waiting> {
        while let Some(waiting) = self.waiting.pop() {
            match waiting.what {
                Prefix::Not => self.nodes.push(Node::Not),
                Prefix::Connective(connective) => self.nodes.push(Node::Binary(connective)),
                Prefix::Open(_) | Prefix::If => return Some(waiting),
            }
        }
        None
    }

    #[inline(always)]
    fn next(&mut self) -> Token {
        let token = self.lexer.next();
        if self.options.dialect == Dialect::Textbook {
            self.insist_on_textbook(token);
        }
        token
    }

    /// In the textbook dialect, reports a spelling that is not the textbook's.
    #[cold]
    fn insist_on_textbook(&mut self, token: Token) {
        let slice = self.lexer.slice();
        let (fine, hint) = match token {
            Token::Binary(connective) => (slice.chars().eq([connective.symbol()]), WRITE_CONNECTIVE),
            Token::Not => (slice == "¬", "write ¬"),
            Token::Top => (slice == "⊤", "write ⊤"),
            Token::Bottom => (slice == "⊥", "write ⊥"),
            Token::Open(bracket) | Token::Close(bracket) => {
                (bracket == Bracket::Round, "write round brackets")
            }
            Token::Atom => (!slice.starts_with('\\'), "write the name alone"),
            Token::If | Token::Then => (false, "write →"),
            Token::Comma | Token::Turnstile | Token::End | Token::Odd(_) => return,
        };
        let said = self.mistakes.last().is_some_and(|mistake| mistake.span == self.lexer.span());
        if !fine && !said {
            self.report(Kind::NotTextbook, "textbook notation", Some(hint));
        }
    }

    fn check_size(&mut self) {
        if self.nodes.len() + self.waiting.len() > self.options.limits.nodes {
            self.give_up(Kind::TooLarge);
        }
    }

    #[cold]
    fn report_missing_operand(&mut self, token: Token) {
        let hint = match token {
            Token::Binary(_) => Some("something is missing before this connective"),
            Token::Close(_) if matches!(self.waiting.last(), Some(Waiting { what: Prefix::Open(_), .. })) => {
                Some("the brackets are empty")
            }
            Token::End if self.nodes.is_empty() && self.waiting.is_empty() => {
                if self.mistakes.is_empty() {
                    self.report(Kind::Empty, "a formula", None);
                }
                return;
            }
            Token::End if self.text.trim_end().ends_with('.') => {
                Some("a formula has no full stop; `.` is read as ∧")
            }
            Token::End => Some("the text ends too early"),
            _ => None,
        };
        self.report(Kind::ExpectedOperand, "an atom, ¬ or a bracket", hint);
    }

    #[cold]
    fn report_odd(&mut self, oddity: Oddity) {
        let (kind, hint) = match oddity {
            Oddity::Symbol => (Kind::UnknownSymbol, None),
            Oddity::Equals => (Kind::UnknownSymbol, Some("`=` is not ↔; did you mean `<->`?")),
            Oddity::Caret => (Kind::UnknownSymbol, Some("`^` may mean ∧ or ⊕; write `&` or `xor`")),
            Oddity::Plus => (Kind::UnknownSymbol, Some("`+` may mean ∨ or ⊕; write `|` or `xor`")),
            Oddity::Digit => {
                (Kind::UnknownSymbol, Some("a name begins with a letter; for constants write ⊤ or ⊥"))
            }
            Oddity::Command => (Kind::UnknownSymbol, Some("this LaTeX command is no connective")),
            Oddity::Unterminated => (Kind::UnterminatedName, Some("close the name")),
        };
        self.report(kind, "an atom or a connective", hint);
    }

    pub(crate) fn report(&mut self, kind: Kind, expected: &'static str, hint: Option<&'static str>) {
        self.report_at(kind, self.lexer.span(), expected, hint);
    }

    #[cold]
    fn report_at(&mut self, kind: Kind, span: Span, expected: &'static str, hint: Option<&'static str>) {
        if self.gave_up {
            return;
        }
        self.mistakes.push(Diagnostic {
            kind,
            span,
            characters: span.in_characters(self.text),
            found: shorten(&self.text[span.range()]),
            expected,
            hint,
        });
        self.gave_up = self.mistakes.len() >= MISTAKES;
    }

    fn give_up(&mut self, kind: Kind) {
        self.report(kind, "less", Some("raise the limit in `ParseOptions` if you trust the text"));
        self.gave_up = true;
    }
}

impl Connective {
    fn refuses_chains(self) -> bool {
        matches!(self, Connective::Implies | Connective::Iff)
    }
}

fn span(at: u32, bytes: u32) -> Span {
    Span::new(at as usize, at as usize + bytes as usize)
}

fn closing(bracket: Bracket) -> &'static str {
    match bracket {
        Bracket::Round => "`)`",
        Bracket::Square => "`]`",
        Bracket::Curly => "`}`",
    }
}
