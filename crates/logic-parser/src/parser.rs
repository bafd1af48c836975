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
        let mut interner = Interner::new();
        let mut parser = Parser::new(text, options, &mut interner);
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
    interner: &'t mut Interner,
    waiting: Vec<Waiting>,
    mistakes: Vec<Diagnostic>,
    gave_up: bool,
}

/// What waits for its right operand, and where it stands in the text: eight bytes, for one goes past in every few.
#[derive(Clone, Copy)]
struct Waiting {
    at: u32,
    /// Up to 255; only connectives of several words can be longer, and those are never missed.
    bytes: u8,
    grip: u8,
    what: Prefix,
}

#[derive(Clone, Copy, PartialEq)]
enum Prefix {
    Open(Bracket),
    If,
    Not,
    Connective(Connective),
}

impl Prefix {
    /// How tightly it holds the operand after it, in even numbers. A connective wrests that operand from whatever holds
    /// it less tightly than its own grip and one less if it associates to the right, one more if to the left.
    fn grip(self) -> u8 {
        match self {
            Prefix::Open(_) | Prefix::If => 0,
            Prefix::Not => u8::MAX,
            Prefix::Connective(connective) => 2 * connective.precedence(),
        }
    }
}

/// What may come next.
#[derive(Clone, Copy, PartialEq)]
enum Expected {
    Operand,
    Connective,
    Nothing,
}

/// What an odd token seems to stand for, so that one mistake is not reported as two.
impl Oddity {
    /// Only for a connective.
    fn joins(self) -> bool {
        matches!(self, Oddity::Equals | Oddity::Caret | Oddity::Plus)
    }

    /// Only for a name.
    fn names(self) -> bool {
        matches!(self, Oddity::Digit | Oddity::Unterminated)
    }
}

impl<'t> Parser<'t> {
    /// The interner is the caller's, because it is too large to be moved for every formula.
    pub(crate) fn new(text: &'t str, options: &'t ParseOptions, interner: &'t mut Interner) -> Parser<'t> {
        let mut parser = Parser {
            text,
            options,
            lexer: Lexer::new(text),
            stop: Token::End,
            nodes: Vec::new(),
            interner,
            waiting: Vec::with_capacity(32),
            mistakes: Vec::new(),
            gave_up: false,
        };
        if text.len() > options.limits.bytes.min(u32::MAX as usize) {
            parser.give_up(Kind::TooLong, parser.lexer.span());
        }
        parser
    }

    /// Reads one formula and stops after it, at the end of the text, a comma or a turnstile.
    pub(crate) fn formula(&mut self) -> Formula {
        self.stop = Token::End;
        self.interner.forget();
        if !self.gave_up {
            self.nodes.reserve(self.lexer.bytes_left() / 4 + 1);
        }
        // A copy, which the compiler keeps in registers.
        let mut lexer = self.lexer;
        while !self.gave_up {
            self.operand(&mut lexer);
            if !self.connective(&mut lexer) {
                break;
            }
        }
        self.lexer = lexer;
        self.waiting.clear();
        let (nodes, names) = (core::mem::take(&mut self.nodes), self.interner.take_names());
        if nodes.is_empty() { Formula::top() } else { Formula::from_parts(nodes, names) }
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
    #[inline(always)]
    fn operand(&mut self, lexer: &mut Lexer<'t>) {
        while !self.gave_up {
            match lexer.textbook_operand() {
                Some(Token::Atom) => return self.atom(lexer.slice(), lexer.span()),
                Some(Token::Open(bracket)) => self.wait(Prefix::Open(bracket), lexer.span()),
                Some(Token::Not) => self.wait(Prefix::Not, lexer.span()),
                _ => {
                    if self.aside(lexer, Parser::unusual_operand) == Expected::Connective {
                        return;
                    }
                }
            }
        }
    }

    /// Everything after an operand up to and including a connective; false at the end of the formula.
    #[inline(always)]
    fn connective(&mut self, lexer: &mut Lexer<'t>) -> bool {
        while !self.gave_up {
            match lexer.textbook_connective() {
                Some(Token::Binary(connective)) => {
                    self.binary(connective, lexer.span());
                    return true;
                }
                Some(Token::Close(bracket)) => {
                    let opened = self.unwind();
                    if opened.is_none_or(|opened| opened.what != Prefix::Open(bracket)) {
                        self.aside(lexer, |parser| parser.report_close(opened));
                    }
                }
                _ => match self.aside(lexer, Parser::unusual_connective) {
                    Expected::Operand => return true,
                    Expected::Connective => {}
                    Expected::Nothing => return false,
                },
            }
        }
        false
    }

    /// Does what the parser's own lexer is needed for.
    #[inline(always)]
    fn aside<T>(&mut self, lexer: &mut Lexer<'t>, work: impl FnOnce(&mut Self) -> T) -> T {
        self.lexer = *lexer;
        let result = work(self);
        *lexer = self.lexer;
        result
    }

    /// One token where an operand may begin, in whatever notation.
    #[inline(never)]
    fn unusual_operand(&mut self) -> Expected {
        let span = |parser: &Parser<'_>| parser.lexer.span();
        match self.next() {
            Token::Atom => self.atom(self.lexer.slice(), span(self)),
            Token::DressedAtom => self.atom(&lexer::undressed(self.lexer.slice()), span(self)),
            Token::Top => self.nodes.push(Node::Top),
            Token::Bottom => self.nodes.push(Node::Bottom),
            token => {
                match token {
                    Token::Open(bracket) => self.wait(Prefix::Open(bracket), span(self)),
                    Token::Not => self.wait(Prefix::Not, span(self)),
                    Token::If => self.wait(Prefix::If, span(self)),
                    Token::Odd(oddity) => {
                        self.report_odd(oddity);
                        if !oddity.joins() {
                            self.nodes.push(Node::Top);
                            return Expected::Connective;
                        }
                    }
                    token => {
                        self.report_missing_operand(token);
                        self.nodes.push(Node::Top);
                        self.lexer.unread();
                        return Expected::Connective;
                    }
                }
                return Expected::Operand;
            }
        }
        Expected::Connective
    }

    /// One token after an operand, in whatever notation.
    #[inline(never)]
    fn unusual_connective(&mut self) -> Expected {
        match self.next() {
            Token::Binary(connective) => self.binary(connective, self.lexer.span()),
            Token::Then => self.then(),
            Token::Close(bracket) => {
                let opened = self.unwind();
                if opened.is_none_or(|opened| opened.what != Prefix::Open(bracket)) {
                    self.report_close(opened);
                }
                return Expected::Connective;
            }
            stop @ (Token::End | Token::Comma | Token::Turnstile) => {
                self.stop = stop;
                self.end();
                return Expected::Nothing;
            }
            Token::Odd(oddity) => {
                self.report_odd(oddity);
                if oddity.names() {
                    return Expected::Connective;
                }
                self.binary(Connective::And, self.lexer.span());
            }
            token => self.letter_or_missing_connective(token),
        }
        Expected::Operand
    }

    #[inline(always)]
    fn atom(&mut self, name: &str, span: Span) {
        let id = self.interner.intern(name);
        self.nodes.push(Node::Atom(AtomId(id)));
        if id as usize >= self.options.limits.atoms {
            self.give_up(Kind::TooManyAtoms, span);
        }
    }

    #[inline(always)]
    fn wait(&mut self, what: Prefix, span: Span) {
        let (at, bytes) = (span.start as u32, (span.end - span.start).min(usize::from(u8::MAX)) as u8);
        self.waiting.push(Waiting { what, grip: what.grip(), at, bytes });
        if self.waiting.len() > self.options.limits.nesting {
            self.give_up(Kind::TooDeep, span);
        }
    }

    /// Sends to the output what binds more tightly, and lets the connective wait.
    #[inline(always)]
    fn binary(&mut self, connective: Connective, span: Span) {
        let grip = match connective {
            Connective::Implies => 2 * connective.precedence() + 1,
            _ => 2 * connective.precedence() - 1,
        };
        while let Some(&Waiting { what, grip: before, .. }) = self.waiting.last() {
            if self.options.chains == Chains::Refuse && what == Prefix::Connective(connective) {
                self.report_chain(connective, span);
            }
            if before < grip {
                break;
            }
            self.nodes.push(match what {
                Prefix::Connective(before) => Node::Binary(before),
                _ => Node::Not,
            });
            self.waiting.pop();
        }
        self.check_size(span);
        self.wait(Prefix::Connective(connective), span);
    }

    #[cold]
    fn report_chain(&mut self, connective: Connective, span: Span) {
        if matches!(connective, Connective::Implies | Connective::Iff) {
            let hint = Some("say with brackets which comes first");
            self.report_at(Kind::AmbiguousChain, span, "brackets", hint);
        }
    }

    /// An operand where a connective should be, unless it is a letter that is one between operands.
    #[cold]
    fn letter_or_missing_connective(&mut self, token: Token) {
        if let Some(connective) = vocabulary::letter_connective(self.lexer.slice()) {
            if self.options.dialect == Dialect::Textbook {
                self.report(Kind::NotTextbook, "textbook notation", Some(WRITE_CONNECTIVE));
            }
            return self.binary(connective, self.lexer.span());
        }
        let hint = (token == Token::If).then_some("write `solo si` or `only if` for →");
        self.report(Kind::ExpectedConnective, "a connective", hint);
        self.binary(Connective::And, self.lexer.span());
        if token != Token::If {
            self.lexer.unread();
        }
    }

    /// A closing bracket met what is not its opening one.
    #[cold]
    fn report_close(&mut self, opened: Option<Waiting>) {
        match opened {
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
                let what = Prefix::Connective(Connective::Implies);
                self.waiting.push(Waiting { what, grip: what.grip(), ..waiting });
            }
            other => {
                self.report(
                    Kind::ThenWithoutIf,
                    "a connective",
                    Some("write `si … entonces` or `if … then`"),
                );
                self.waiting.extend(other);
                self.binary(Connective::Implies, self.lexer.span());
            }
        }
    }

    fn end(&mut self) {
        while let Some(Waiting { what, at, bytes, .. }) = self.unwind() {
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
        self.check_size(self.lexer.span());
    }

    /// Sends to the output all that waits down to the last bracket or `si`, and takes that one away.
    #[inline(always)]
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
            Token::Atom => return,
            Token::DressedAtom => (!slice.starts_with('\\'), "write the name alone"),
            Token::If | Token::Then => (false, "write →"),
            Token::Comma | Token::Turnstile | Token::End | Token::Odd(_) => return,
        };
        let said = self.mistakes.last().is_some_and(|mistake| mistake.span == self.lexer.span());
        if !fine && !said {
            self.report(Kind::NotTextbook, "textbook notation", Some(hint));
        }
    }

    #[inline(always)]
    fn check_size(&mut self, span: Span) {
        if self.nodes.len() + self.waiting.len() > self.options.limits.nodes {
            self.give_up(Kind::TooLarge, span);
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
            Token::End if self.ends_in_a_mistake() => return,
            Token::End => Some("the text ends too early"),
            _ => None,
        };
        self.report(Kind::ExpectedOperand, "an atom, ¬ or a bracket", hint);
    }

    /// Whether nothing follows the mistake found last.
    fn ends_in_a_mistake(&self) -> bool {
        self.mistakes.last().is_some_and(|last| self.text[last.span.end..].trim().is_empty())
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

    #[cold]
    fn give_up(&mut self, kind: Kind, span: Span) {
        let hint = Some("raise the limit in `ParseOptions` if you trust the text");
        self.report_at(kind, span, "less", hint);
        self.gave_up = true;
    }
}

fn span(at: u32, bytes: u8) -> Span {
    Span::new(at as usize, at as usize + usize::from(bytes))
}

fn closing(bracket: Bracket) -> &'static str {
    match bracket {
        Bracket::Round => "`)`",
        Bracket::Square => "`]`",
        Bracket::Curly => "`}`",
    }
}
