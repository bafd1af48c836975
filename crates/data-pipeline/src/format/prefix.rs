//! Formulas in prefix (Polish) notation, one token a symbol: `→∧ p¬ q r` is `(p ∧ ¬q) → r`.

use logic_parser::{Connective, Formula, Node};

use super::{FormatError, ReadError};
use crate::vocabulary::LETTERS;

/// The most symbols that are read.
const MAX_SYMBOLS: usize = 256;

/// The formula with its atoms lettered by first mention.
pub(super) fn write(formula: &Formula) -> Result<String, FormatError> {
    let found = formula.atoms().len();
    if found > LETTERS.len() {
        return Err(FormatError::TooManyAtoms { found });
    }
    let (nodes, starts) = (formula.nodes(), formula.starts());
    let mut text = String::new();
    let mut ahead = vec![nodes.len() - 1];
    while let Some(index) = ahead.pop() {
        match nodes[index] {
            Node::Atom(id) => {
                text.push(' ');
                text.push_str(LETTERS[id.index()]);
            }
            Node::Not => {
                text.push('¬');
                ahead.push(index - 1);
            }
            Node::Binary(connective) if connective != Connective::Xor => {
                text.push(connective.symbol());
                let left = starts[index - 1] as usize - 1;
                ahead.extend([index - 1, left]);
            }
            Node::Binary(connective) => {
                return Err(FormatError::NoToken { symbol: connective.symbol() });
            }
            Node::Top => return Err(FormatError::NoToken { symbol: '⊤' }),
            Node::Bottom => return Err(FormatError::NoToken { symbol: '⊥' }),
        }
    }
    Ok(text)
}

#[derive(Clone, Copy)]
enum Symbol {
    Letter(usize),
    Not,
    Binary(Connective),
}

/// Reads what [`write`] writes, and nothing else.
pub(super) fn read(text: &str) -> Result<Formula, ReadError> {
    let symbols = symbols(text)?;
    let mut operands: Vec<Formula> = Vec::new();
    for symbol in symbols.into_iter().rev() {
        let mut operand = || operands.pop().expect("symbols() counted the operands");
        let formula = match symbol {
            Symbol::Letter(letter) => Formula::atom(LETTERS[letter]),
            Symbol::Not => operand().not(),
            Symbol::Binary(connective) => {
                let left = operand();
                left.join(connective, &operand())
            }
        };
        operands.push(formula);
    }
    Ok(operands.pop().expect("symbols() returns one whole formula"))
}

/// The symbols of exactly one formula, its letters in order of first mention.
fn symbols(text: &str) -> Result<Vec<Symbol>, ReadError> {
    let mut symbols = Vec::new();
    let mut missing = 1;
    let mut letters = 0;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        let symbol = match c {
            '¬' => Symbol::Not,
            ' ' => {
                let letter = chars.next().and_then(|(_, c)| LETTERS.iter().position(|l| l.starts_with(c)));
                Symbol::Letter(letter.ok_or(ReadError::UnknownSymbol { at })?)
            }
            _ => {
                let known = [Connective::And, Connective::Or, Connective::Implies, Connective::Iff];
                let connective = known.into_iter().find(|connective| connective.symbol() == c);
                Symbol::Binary(connective.ok_or(ReadError::UnknownSymbol { at })?)
            }
        };
        if missing == 0 {
            return Err(ReadError::AfterFormula { at });
        }
        if symbols.len() == MAX_SYMBOLS {
            return Err(ReadError::FormulaTooLong { max: MAX_SYMBOLS });
        }
        match symbol {
            Symbol::Not => {}
            Symbol::Binary(_) => missing += 1,
            Symbol::Letter(letter) => {
                missing -= 1;
                if letter > letters {
                    return Err(ReadError::LetterOutOfOrder {
                        found: LETTERS[letter],
                        expected: LETTERS[letters],
                    });
                }
                letters = letters.max(letter + 1);
            }
        }
        symbols.push(symbol);
    }
    if missing > 0 { Err(ReadError::IncompleteFormula { missing }) } else { Ok(symbols) }
}
