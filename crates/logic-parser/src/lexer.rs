//! Text into tokens: every notation at once.

use alloc::borrow::Cow;
use alloc::string::String;

use crate::formula::Connective;
use crate::span::Span;
use crate::vocabulary::{self, ASCII, LATEX, LATEX_FONTS, LATEX_SPACING, PHRASES};

/// What the parser sees. Names stay in the text; [`name`] reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Atom,
    Top,
    Bottom,
    Not,
    Binary(Connective),
    Open(Bracket),
    Close(Bracket),
    If,
    Then,
    Comma,
    Turnstile,
    End,
    Odd(Oddity),
}

/// Brackets may be round, square or curly, but must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bracket {
    Round,
    Square,
    Curly,
}

/// Why a stretch of text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oddity {
    Symbol,
    Equals,
    Caret,
    Plus,
    Digit,
    Command,
    Unterminated,
}

pub(crate) struct Lexer<'t> {
    text: &'t str,
    start: usize,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str) -> Lexer<'t> {
        Lexer { text, start: 0, at: 0 }
    }

    /// Where the token read last stands.
    pub(crate) fn span(&self) -> Span {
        Span::new(self.start, self.at)
    }

    /// The token read last, as written.
    pub(crate) fn slice(&self) -> &'t str {
        &self.text[self.start..self.at]
    }

    /// Makes the token read last the next one again.
    pub(crate) fn unread(&mut self) {
        self.at = self.start;
    }

    #[inline(always)]
    pub(crate) fn next(&mut self) -> Token {
        let bytes = self.text.as_bytes();
        loop {
            self.start = self.at;
            let token = match bytes[self.at..] {
                [] => return Token::End,
                [b' ', ..] => self.skip(1),
                [b'(', ..] => self.take(1, Token::Open(Bracket::Round)),
                [b')', ..] => self.take(1, Token::Close(Bracket::Round)),
                [b'a'..=b'z' | b'A'..=b'Z', ..] => self.word(),
                [0xE2, 0x88, 0xA7, ..] => self.take(3, Token::Binary(Connective::And)),
                [0xE2, 0x88, 0xA8, ..] => self.take(3, Token::Binary(Connective::Or)),
                [0xE2, 0x86, 0x92, ..] => self.take(3, Token::Binary(Connective::Implies)),
                [0xE2, 0x86, 0x94, ..] => self.take(3, Token::Binary(Connective::Iff)),
                [0xC2, 0xAC, ..] => self.take(2, Token::Not),
                _ => self.unusual(),
            };
            if let Some(token) = token {
                return token;
            }
        }
    }

    /// Everything that a textbook formula in plain names has not.
    #[inline(never)]
    fn unusual(&mut self) -> Option<Token> {
        match self.text.as_bytes()[self.at] {
            b'\t'..=b'\r' => self.skip(1),
            b'_' => self.unusual_word(),
            0x80.. => self.beyond_ascii(),
            _ => self.ascii_symbol(),
        }
    }

    fn take(&mut self, bytes: usize, token: Token) -> Option<Token> {
        self.at += bytes;
        Some(token)
    }

    fn skip(&mut self, bytes: usize) -> Option<Token> {
        self.at += bytes;
        None
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn beyond_ascii(&mut self) -> Option<Token> {
        let character = self.rest().chars().next()?;
        if vocabulary::is_invisible(character) {
            self.skip(character.len_utf8())
        } else if character.is_alphabetic() {
            self.unusual_word()
        } else {
            self.take(character.len_utf8(), vocabulary::symbol(character))
        }
    }

    fn ascii_symbol(&mut self) -> Option<Token> {
        let rest = self.rest();
        if rest.starts_with(',') && begins_with_then(&rest[1..]) {
            return self.skip(1);
        }
        if let Some((spelling, token)) = ASCII.iter().find(|(spelling, _)| rest.starts_with(spelling)) {
            return self.take(spelling.len(), *token);
        }
        match rest.as_bytes()[0] {
            b'\\' => self.latex(),
            b'$' => self.skip(1),
            b'"' => self.quoted(),
            b'=' => self.take(1, Token::Odd(Oddity::Equals)),
            b'^' => self.take(1, Token::Odd(Oddity::Caret)),
            b'+' => self.take(1, Token::Odd(Oddity::Plus)),
            b'0'..=b'9' => {
                let digits = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
                self.take(digits, Token::Odd(Oddity::Digit))
            }
            _ => self.take(1, Token::Odd(Oddity::Symbol)),
        }
    }

    fn latex(&mut self) -> Option<Token> {
        let rest = &self.rest()[1..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (command, argument) = rest.split_at(letters);
        if let Some(&(_, token)) = LATEX.iter().find(|(known, _)| *known == command) {
            return self.take(1 + letters, token);
        }
        if LATEX_SPACING.contains(&command) {
            return self.skip(1 + letters);
        }
        if LATEX_FONTS.contains(&command) && argument.starts_with('{') {
            return match argument.find('}') {
                Some(close) => self.take(1 + letters + close + 1, Token::Atom),
                None => self.take(1 + rest.len(), Token::Odd(Oddity::Unterminated)),
            };
        }
        match argument.as_bytes().first() {
            _ if letters > 0 => self.take(1 + letters, Token::Odd(Oddity::Command)),
            Some(b'{') => self.take(2, Token::Open(Bracket::Curly)),
            Some(b'}') => self.take(2, Token::Close(Bracket::Curly)),
            Some(b',' | b';' | b':' | b'!' | b' ' | b'(' | b')' | b'[' | b']') => self.skip(2),
            _ => self.take(1, Token::Odd(Oddity::Symbol)),
        }
    }

    /// `"any text"`, with `\"` and `\\` for a quote and a backslash inside.
    fn quoted(&mut self) -> Option<Token> {
        let mut escaped = false;
        for (offset, byte) in self.rest().bytes().enumerate().skip(1) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => return self.take(offset + 1, Token::Atom),
                _ => {}
            }
        }
        self.take(self.rest().len(), Token::Odd(Oddity::Unterminated))
    }

    /// At once what can only be a name: a single letter, or letters and digits that end in a digit.
    #[inline(always)]
    fn word(&mut self) -> Option<Token> {
        let bytes = self.text.as_bytes();
        let mut end = self.at + 1;
        while let Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9') = bytes.get(end) {
            end += 1;
        }
        let plain_end = match bytes[end..] {
            [0xE2, 0x88, 0xA7 | 0xA8, ..] | [0xE2, 0x86, 0x92 | 0x94, ..] => true,
            [b'_' | b'\'' | 0x80.., ..] => false,
            _ => true,
        };
        if plain_end && (end == self.at + 1 || bytes[end - 1].is_ascii_digit()) {
            self.at = end;
            return Some(Token::Atom);
        }
        self.unusual_word()
    }

    #[inline(never)]
    fn unusual_word(&mut self) -> Option<Token> {
        let length = name_length(self.rest());
        let word = &self.rest()[..length];
        if let Some(subscript) = braced_subscript(word, &self.rest()[length..]) {
            return self.take(length + subscript, Token::Atom);
        }
        for (phrase, token) in PHRASES {
            if let Some(end) = phrase_length(phrase, self.rest()) {
                return self.take(end, *token);
            }
        }
        self.take(length, vocabulary::reserved(word).unwrap_or(Token::Atom))
    }
}

/// The name that an atom's token spells: `p_{12}` is p12, `\mathit{rain\_now}` is rain_now, quotes are taken off.
pub(crate) fn name(slice: &str) -> Cow<'_, str> {
    let plain = match (slice.as_bytes()[0], slice.as_bytes()[slice.len() - 1]) {
        (b'"', _) => &slice[1..slice.len() - 1],
        (b'\\', _) => slice.split_once('{').map_or(slice, |(_, argument)| &argument[..argument.len() - 1]),
        (_, b'}') => {
            let (letters, digits) =
                slice.split_once("_{").expect("the lexer reads `}` only after a subscript");
            return Cow::Owned([letters, &digits[..digits.len() - 1]].concat());
        }
        _ => return Cow::Borrowed(slice),
    };
    if !plain.contains('\\') {
        return Cow::Borrowed(plain);
    }
    let mut name = String::with_capacity(plain.len());
    let mut characters = plain.chars();
    while let Some(character) = characters.next() {
        name.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    Cow::Owned(name)
}

fn name_length(text: &str) -> usize {
    let ascii = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    match text.as_bytes().get(ascii) {
        Some(b'\'' | 0x80..) => {
            text.find(|character| !vocabulary::continues_name(character)).unwrap_or(text.len())
        }
        _ => ascii,
    }
}

/// The bytes of `{12}` after a word that ends in `_`.
fn braced_subscript(word: &str, after: &str) -> Option<usize> {
    let inside = after.strip_prefix('{').filter(|_| word.ends_with('_') && word.len() > 1)?;
    let digits = inside.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0 && inside.as_bytes().get(digits) == Some(&b'}')).then_some(digits + 2)
}

/// A comma before `entonces` or `then` is punctuation.
fn begins_with_then(text: &str) -> bool {
    let text = text.trim_start();
    vocabulary::reserved(&text[..name_length(text)]) == Some(Token::Then)
}

/// How many bytes of `text` the phrase takes, if `text` begins with it.
fn phrase_length(phrase: &[&str], text: &str) -> Option<usize> {
    let mut at = 0;
    for (position, expected) in phrase.iter().enumerate() {
        if position > 0 {
            at += text[at..].len() - text[at..].trim_start().len();
        }
        let length = name_length(&text[at..]);
        if !text[at..at + length].eq_ignore_ascii_case(expected) {
            return None;
        }
        at += length;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn tokens(text: &str) -> Vec<Token> {
        let mut lexer = Lexer::new(text);
        core::iter::from_fn(|| Some(lexer.next()).filter(|token| *token != Token::End)).collect()
    }

    #[test]
    fn every_spelling_of_a_connective_is_the_same_token() {
        for (connective, spellings) in [
            (Connective::And, r"∧ & && /\ . and \land \wedge"),
            (Connective::Or, r"∨ | || \/ or \lor \vee"),
            (Connective::Implies, r"→ -> => ⊃ ⇒ --> ==> implica implies \to \implies \supset"),
            (Connective::Iff, r"↔ <-> ≡ <=> ⇔ sii iff \iff \equiv"),
            (Connective::Xor, r"⊕ xor \oplus"),
        ] {
            for spelling in spellings.split(' ') {
                assert_eq!(tokens(spelling), [Token::Binary(connective)], "{spelling}");
            }
        }
        for spelling in r"¬ ~ ! - no not \neg \lnot".split(' ') {
            assert_eq!(tokens(spelling), [Token::Not], "{spelling}");
        }
    }

    #[test]
    fn phrases_of_several_words_are_one_connective() {
        for phrase in ["si y solo si", "Si y  sólo si", "if and only if"] {
            assert_eq!(tokens(phrase), [Token::Binary(Connective::Iff)], "{phrase}");
        }
        assert_eq!(tokens("solo si"), [Token::Binary(Connective::Implies)]);
        assert_eq!(tokens("si y entonces"), [Token::If, Token::Atom, Token::Then]);
    }

    #[test]
    fn invisible_characters_and_latex_spacing_leave_no_token() {
        let text = "p\u{A0}↔\u{FE0E}\u{200B}\\left(\\, q $ \\right)";
        let expected = [
            Token::Atom,
            Token::Binary(Connective::Iff),
            Token::Open(Bracket::Round),
            Token::Atom,
            Token::Close(Bracket::Round),
        ];
        assert_eq!(tokens(text), expected);
    }

    #[test]
    fn names_lose_their_dress() {
        for (slice, expected) in
            [("p_{12}", "p12"), (r"\mathit{rain\_now}", "rain_now"), (r#""say \"hi\"""#, r#"say "hi""#)]
        {
            assert_eq!(tokens(slice), [Token::Atom], "{slice}");
            assert_eq!(name(slice), expected);
        }
    }
}
