//! Text into tokens: every notation at once.

use alloc::borrow::Cow;
use alloc::string::String;

use crate::formula::Connective;
use crate::span::Span;
use crate::vocabulary::{self, ASCII, LATEX, LATEX_FONTS, LATEX_SPACING, PHRASES};

/// What the parser sees. Names stay in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// An atom, as written its name.
    Atom,
    /// An atom in quotes or LaTeX; [`undressed`] reads its name.
    DressedAtom,
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

/// The textbook's connectives by the last bits of their third byte, which tell them apart.
const SYMBOLS: [Option<([u8; 3], Connective)>; 32] = {
    let mut symbols = [None; 32];
    let mut index = 0;
    while index < Connective::ALL.len() {
        let mut bytes = [0; 3];
        Connective::ALL[index].symbol().encode_utf8(&mut bytes);
        symbols[bytes[2] as usize % 32] = Some((bytes, Connective::ALL[index]));
        index += 1;
    }
    symbols
};

#[derive(Clone, Copy)]
pub(crate) struct Lexer<'t> {
    text: &'t str,
    start: usize,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str) -> Lexer<'t> {
        Lexer { text, start: 0, at: 0 }
    }

    pub(crate) fn bytes_left(&self) -> usize {
        self.text.len() - self.at
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

    /// The next token if it is what textbooks write where an operand begins.
    #[inline(always)]
    pub(crate) fn textbook_operand(&mut self) -> Option<Token> {
        self.skip_a_space();
        match self.text.as_bytes()[self.at..] {
            [b'(', ..] => self.take(1, Token::Open(Bracket::Round)),
            [b'a'..=b'z' | b'A'..=b'Z', ..] => self.plain_name(),
            [0xC2, 0xAC, ..] => self.take(2, Token::Not),
            _ => None,
        }
    }

    /// The next token if it is what textbooks write after an operand.
    #[inline(always)]
    pub(crate) fn textbook_connective(&mut self) -> Option<Token> {
        self.skip_a_space();
        let rest = &self.text.as_bytes()[self.at..];
        if let [b')', ..] = rest {
            return self.take(1, Token::Close(Bracket::Round));
        }
        let connective = connective_at(rest)?;
        self.take(3, Token::Binary(connective))
    }

    /// The next token, whatever the notation.
    pub(crate) fn next(&mut self) -> Token {
        loop {
            self.start = self.at;
            let token = match self.text.as_bytes().get(self.at) {
                None => return Token::End,
                Some(b'\t'..=b'\r' | b' ') => self.skip(1),
                Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => self.word(),
                Some(0x80..) => self.beyond_ascii(),
                Some(_) => self.ascii_symbol(),
            };
            if let Some(token) = token {
                return token;
            }
        }
    }

    #[inline(always)]
    fn skip_a_space(&mut self) {
        self.at += usize::from(self.text.as_bytes().get(self.at) == Some(&b' '));
        self.start = self.at;
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
            self.word()
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
                Some(close) => self.take(1 + letters + close + 1, Token::DressedAtom),
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
                b'"' => return self.take(offset + 1, Token::DressedAtom),
                _ => {}
            }
        }
        self.take(self.rest().len(), Token::Odd(Oddity::Unterminated))
    }

    /// At once what can only be a name: a single letter, or letters and digits that end in a digit.
    #[inline(always)]
    fn plain_name(&mut self) -> Option<Token> {
        let bytes = &self.text.as_bytes()[self.at..];
        let length = plain_length(bytes);
        let ends_here = match bytes[length..] {
            [b'_' | b'\'', ..] => false,
            [0x80..=0xFF, ..] => connective_at(&bytes[length..]).is_some(),
            _ => true,
        };
        if ends_here && (length == 1 || bytes[length - 1].is_ascii_digit()) {
            return self.take(length, Token::Atom);
        }
        None
    }

    fn word(&mut self) -> Option<Token> {
        let length = name_length(self.rest());
        let word = &self.rest()[..length];
        if let Some(subscript) = braced_subscript(word, &self.rest()[length..]) {
            return self.take(length + subscript, Token::DressedAtom);
        }
        for (phrase, token) in PHRASES {
            if let Some(end) = phrase_length(phrase, self.rest()) {
                return self.take(end, *token);
            }
        }
        self.take(length, vocabulary::reserved(word).unwrap_or(Token::Atom))
    }
}

/// The name that a dressed atom spells: `p_{12}` is p12, `\mathit{rain\_now}` is rain_now, quotes are taken off.
pub(crate) fn undressed(slice: &str) -> Cow<'_, str> {
    let plain = match slice.as_bytes()[0] {
        b'"' => &slice[1..slice.len() - 1],
        b'\\' => slice.split_once('{').map_or(slice, |(_, argument)| &argument[..argument.len() - 1]),
        _ => return Cow::Owned(slice.replace("_{", "").replace('}', "")),
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

/// The textbook's connective that the text begins with.
#[inline(always)]
fn connective_at(bytes: &[u8]) -> Option<Connective> {
    let first = bytes.first_chunk()?;
    let (symbol, connective) = SYMBOLS[first[2] as usize % SYMBOLS.len()]?;
    (symbol == *first).then_some(connective)
}

/// How many ASCII letters and digits the text begins with.
#[inline(always)]
fn plain_length(bytes: &[u8]) -> usize {
    let Some(eight) = bytes.first_chunk() else {
        return bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    };
    // Eight bytes at once, because the processor would guess wrongly where a loop ends. Bytes beyond ASCII are none of
    // the letters, and adding to what is left of the others carries nothing into the next byte.
    const EACH: u64 = 0x0101_0101_0101_0101;
    let text = u64::from_le_bytes(*eight);
    let ascii = text & (0x7F * EACH);
    let at_least = |bytes: u64, least: u8| bytes + u64::from(0x80 - least) * EACH;
    let between = |bytes: u64, first: u8, last: u8| at_least(bytes, first) & !at_least(bytes, last + 1);
    let named = between(ascii, b'0', b'9') | between(ascii | (0x20 * EACH), b'a', b'z');
    let others = (!named | text) & (0x80 * EACH);
    match others.trailing_zeros() as usize / 8 {
        8 => 8 + bytes[8..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count(),
        length => length,
    }
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
            assert_eq!(tokens(slice), [Token::DressedAtom], "{slice}");
            assert_eq!(undressed(slice), expected);
        }
    }
}
