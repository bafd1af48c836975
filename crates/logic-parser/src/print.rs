//! Formulas as text, with the fewest brackets that parse back to the same formula.

use alloc::vec::Vec;
use core::fmt::{self, Write};

use crate::formula::{Connective, Formula, Node};
use crate::vocabulary;

/// How a formula is written. The parser reads all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Notation {
    /// `¬p ∧ q → r`
    #[default]
    Unicode,
    /// `~p & q -> r`
    Ascii,
    /// `\neg p \land q \to r`
    Latex,
    /// `si no p y q entonces r`
    Spanish,
    /// `if not p and q then r`
    English,
}

impl Notation {
    /// Every notation.
    pub const ALL: [Notation; 5] =
        [Notation::Unicode, Notation::Ascii, Notation::Latex, Notation::Spanish, Notation::English];

    fn symbols(self) -> &'static Symbols {
        match self {
            Notation::Unicode => &UNICODE,
            Notation::Ascii => &ASCII,
            Notation::Latex => &LATEX,
            Notation::Spanish => &SPANISH,
            Notation::English => &ENGLISH,
        }
    }
}

struct Symbols {
    not: &'static str,
    and: &'static str,
    or: &'static str,
    if_: &'static str,
    implies: &'static str,
    iff: &'static str,
    xor: &'static str,
    top: &'static str,
    bottom: &'static str,
}

const UNICODE: Symbols = Symbols {
    not: "¬",
    and: " ∧ ",
    or: " ∨ ",
    if_: "",
    implies: " → ",
    iff: " ↔ ",
    xor: " ⊕ ",
    top: "⊤",
    bottom: "⊥",
};

const ASCII: Symbols = Symbols {
    not: "~",
    and: " & ",
    or: " | ",
    if_: "",
    implies: " -> ",
    iff: " <-> ",
    xor: " xor ",
    top: "true",
    bottom: "false",
};

const LATEX: Symbols = Symbols {
    not: "\\neg ",
    and: " \\land ",
    or: " \\lor ",
    if_: "",
    implies: " \\to ",
    iff: " \\leftrightarrow ",
    xor: " \\oplus ",
    top: "\\top",
    bottom: "\\bot",
};

const SPANISH: Symbols = Symbols {
    not: "no ",
    and: " y ",
    or: " o ",
    if_: "si ",
    implies: " entonces ",
    iff: " si y solo si ",
    xor: " xor ",
    top: "verdadero",
    bottom: "falso",
};

const ENGLISH: Symbols = Symbols {
    not: "not ",
    and: " and ",
    or: " or ",
    if_: "if ",
    implies: " then ",
    iff: " if and only if ",
    xor: " xor ",
    top: "true",
    bottom: "false",
};

impl Formula {
    /// The formula in a notation.
    ///
    /// ```
    /// use logic_parser::{Formula, Notation};
    ///
    /// let formula: Formula = "p -> (q | ~r)".parse()?;
    /// assert_eq!(formula.display(Notation::Spanish).to_string(), "si p entonces q o no r");
    /// assert_eq!(formula.display(Notation::Latex).to_string(), r"p \to q \lor \neg r");
    /// # Ok::<(), logic_parser::ParseError>(())
    /// ```
    pub fn display(&self, notation: Notation) -> impl fmt::Display + '_ {
        Written { formula: self, notation }
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.display(Notation::Unicode).fmt(f)
    }
}

impl fmt::Debug for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Formula({self})")
    }
}

struct Written<'f> {
    formula: &'f Formula,
    notation: Notation,
}

/// What is still to be written; the last one first.
enum Piece {
    Text(&'static str),
    Subformula(usize),
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Written { formula, notation } = *self;
        let symbols = notation.symbols();
        let starts = formula.starts();
        let nodes = formula.nodes();
        let mut pieces = [Piece::Subformula(nodes.len() - 1)].into_iter().collect::<Vec<_>>();
        while let Some(piece) = pieces.pop() {
            let index = match piece {
                Piece::Text(text) => {
                    f.write_str(text)?;
                    continue;
                }
                Piece::Subformula(index) => index,
            };
            match nodes[index] {
                Node::Atom(id) => write_name(f, formula.name(id), notation)?,
                Node::Top => f.write_str(symbols.top)?,
                Node::Bottom => f.write_str(symbols.bottom)?,
                Node::Not => {
                    f.write_str(symbols.not)?;
                    let bracketed = matches!(nodes[index - 1], Node::Binary(_));
                    push_operand(&mut pieces, index - 1, bracketed);
                }
                Node::Binary(connective) => {
                    let left = starts[index - 1] as usize - 1;
                    push_operand(
                        &mut pieces,
                        index - 1,
                        needs_brackets(nodes[index - 1], connective, Side::Right),
                    );
                    pieces.push(Piece::Text(symbols.between(connective)));
                    push_operand(&mut pieces, left, needs_brackets(nodes[left], connective, Side::Left));
                    if connective == Connective::Implies {
                        pieces.push(Piece::Text(symbols.if_));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Symbols {
    fn between(&self, connective: Connective) -> &'static str {
        match connective {
            Connective::And => self.and,
            Connective::Or => self.or,
            Connective::Implies => self.implies,
            Connective::Iff => self.iff,
            Connective::Xor => self.xor,
        }
    }
}

#[derive(PartialEq)]
enum Side {
    Left,
    Right,
}

fn needs_brackets(operand: Node, parent: Connective, side: Side) -> bool {
    let Node::Binary(child) = operand else {
        return false;
    };
    let natural = if parent == Connective::Implies { Side::Right } else { Side::Left };
    child.precedence() < parent.precedence() || (child == parent && side != natural)
}

fn push_operand(pieces: &mut Vec<Piece>, index: usize, bracketed: bool) {
    if bracketed {
        pieces.extend([Piece::Text(")"), Piece::Subformula(index), Piece::Text("(")]);
    } else {
        pieces.push(Piece::Subformula(index));
    }
}

/// The name as it stands, or dressed so that the parser reads it back.
fn write_name(f: &mut fmt::Formatter<'_>, name: &str, notation: Notation) -> fmt::Result {
    if !vocabulary::is_plain_name(name) {
        return write_escaped(f, "\"", name, &['"', '\\'], "\"");
    }
    if notation != Notation::Latex || name.chars().count() == 1 {
        return f.write_str(name);
    }
    match name.split_at_checked(1) {
        Some((letter, digits)) if letter != "_" && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            write!(f, "{letter}_{{{digits}}}")
        }
        _ => write_escaped(f, "\\mathit{", name, &['_'], "}"),
    }
}

fn write_escaped(
    f: &mut fmt::Formatter<'_>,
    open: &str,
    name: &str,
    special: &[char],
    close: &str,
) -> fmt::Result {
    f.write_str(open)?;
    for character in name.chars() {
        if special.contains(&character) {
            f.write_char('\\')?;
        }
        f.write_char(character)?;
    }
    f.write_str(close)
}
