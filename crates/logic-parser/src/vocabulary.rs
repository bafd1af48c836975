//! Every spelling of every token, as tables.

use crate::formula::Connective::{And, Iff, Implies, Or, Xor};
use crate::lexer::{Bracket, Oddity, Token};

use Token::{Binary, Bottom, Close, Comma, Not, Open, Top, Turnstile};

/// Spellings in ASCII, the longest first where one begins another.
pub(crate) const ASCII: &[(&str, Token)] = &[
    ("<-->", Binary(Iff)),
    ("<==>", Binary(Iff)),
    ("<->", Binary(Iff)),
    ("<=>", Binary(Iff)),
    ("-->", Binary(Implies)),
    ("==>", Binary(Implies)),
    ("->", Binary(Implies)),
    ("=>", Binary(Implies)),
    ("|-", Turnstile),
    ("|=", Turnstile),
    (":.", Turnstile),
    ("/\\", Binary(And)),
    ("&&", Binary(And)),
    ("&", Binary(And)),
    (".", Binary(And)),
    ("*", Binary(And)),
    ("\\/", Binary(Or)),
    ("||", Binary(Or)),
    ("|", Binary(Or)),
    ("~", Not),
    ("!", Not),
    ("-", Not),
    ("(", Open(Bracket::Round)),
    (")", Close(Bracket::Round)),
    ("[", Open(Bracket::Square)),
    ("]", Close(Bracket::Square)),
    ("{", Open(Bracket::Curly)),
    ("}", Close(Bracket::Curly)),
    (",", Comma),
    (";", Comma),
];

/// Names of LaTeX commands, without the backslash.
pub(crate) const LATEX: &[(&str, Token)] = &[
    ("land", Binary(And)),
    ("wedge", Binary(And)),
    ("cdot", Binary(And)),
    ("lor", Binary(Or)),
    ("vee", Binary(Or)),
    ("lnot", Not),
    ("neg", Not),
    ("sim", Not),
    ("to", Binary(Implies)),
    ("rightarrow", Binary(Implies)),
    ("Rightarrow", Binary(Implies)),
    ("longrightarrow", Binary(Implies)),
    ("Longrightarrow", Binary(Implies)),
    ("implies", Binary(Implies)),
    ("supset", Binary(Implies)),
    ("leftrightarrow", Binary(Iff)),
    ("Leftrightarrow", Binary(Iff)),
    ("longleftrightarrow", Binary(Iff)),
    ("Longleftrightarrow", Binary(Iff)),
    ("iff", Binary(Iff)),
    ("equiv", Binary(Iff)),
    ("oplus", Binary(Xor)),
    ("veebar", Binary(Xor)),
    ("top", Top),
    ("bot", Bottom),
    ("vdash", Turnstile),
    ("models", Turnstile),
    ("therefore", Turnstile),
];

/// LaTeX commands that only space or size what follows.
pub(crate) const LATEX_SPACING: &[&str] = &["left", "right", "big", "bigl", "bigr", "Big", "quad", "qquad"];

/// LaTeX commands whose argument in braces is the name of an atom.
pub(crate) const LATEX_FONTS: &[&str] = &["mathit", "mathrm", "mathsf", "mathbf", "text"];

/// A character beyond ASCII that is neither a letter nor invisible.
pub(crate) fn symbol(character: char) -> Token {
    match character {
        '∧' | '⋀' | '·' | '⋅' | '＆' => Binary(And),
        '∨' | '⋁' => Binary(Or),
        '→' | '⇒' | '⟶' | '⟹' | '⊃' => Binary(Implies),
        '↔' | '⇔' | '⟷' | '⟺' | '≡' => Binary(Iff),
        '⊕' | '⊻' => Binary(Xor),
        '¬' | '∼' | '～' | '￢' | '−' | '–' => Not,
        '⊤' => Top,
        '⊥' => Bottom,
        '⊢' | '⊨' | '∴' => Turnstile,
        '（' => Open(Bracket::Round),
        '）' => Close(Bracket::Round),
        _ => Token::Odd(Oddity::Symbol),
    }
}

/// Words that are never the name of an atom, in lower case. What spans several words is in [`PHRASES`].
pub(crate) const WORDS: &[(&str, Token)] = &[
    ("and", Binary(And)),
    ("or", Binary(Or)),
    ("not", Not),
    ("no", Not),
    ("implica", Binary(Implies)),
    ("implies", Binary(Implies)),
    ("si", Token::If),
    ("if", Token::If),
    ("entonces", Token::Then),
    ("then", Token::Then),
    ("sii", Binary(Iff)),
    ("iff", Binary(Iff)),
    ("xor", Binary(Xor)),
    ("true", Top),
    ("verdadero", Top),
    ("false", Bottom),
    ("falso", Bottom),
];

/// Connectives of several words: the token of the phrase that begins with the first word given.
pub(crate) const PHRASES: &[(&[&str], Token)] = &[
    (&["si", "y", "solo", "si"], Binary(Iff)),
    (&["si", "y", "sólo", "si"], Binary(Iff)),
    (&["if", "and", "only", "if"], Binary(Iff)),
    (&["solo", "si"], Binary(Implies)),
    (&["sólo", "si"], Binary(Implies)),
    (&["only", "if"], Binary(Implies)),
];

/// Single letters that are connectives between two operands and atoms everywhere else.
pub(crate) fn letter_connective(word: &str) -> Option<crate::Connective> {
    match word {
        "y" | "Y" => Some(And),
        "o" | "O" | "v" => Some(Or),
        _ => None,
    }
}

/// Characters that leave no mark: variation selectors, zero-width and direction marks, odd spaces.
pub(crate) fn is_invisible(character: char) -> bool {
    character.is_whitespace()
        || matches!(character,
            '\u{AD}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0100}'..='\u{E01EF}')
}

/// Whether a character may continue a name: letters, digits, `_`, primes, combining accents.
pub(crate) fn continues_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '\'' | '′' | '\u{300}'..='\u{36F}')
}

/// Whether a name can stand in a formula as it is, without quotes.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(continues_name)
        && reserved(name).is_none()
        && !PHRASES.iter().any(|(phrase, _)| phrase[0].eq_ignore_ascii_case(name))
}

/// The token of a reserved word, in any case.
pub(crate) fn reserved(word: &str) -> Option<Token> {
    const LONGEST: usize = 9;
    if word.len() < 2 || word.len() > LONGEST {
        return None;
    }
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|&(_, token)| token)
}
