//! Which token may come next in an answer of the pointing format: with it, whatever a model says can be read.

use data_pipeline::{Tokenizer, vocabulary};

use crate::error::Error;

/// Most symbols of a formula. Twenty times what a sentence needs, and well under what the format reads.
const MAX_SYMBOLS: usize = 96;
/// Most parts of a broken atom.
const MAX_PARTS: usize = 8;

/// The ids of the tokens that answers are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerTokens {
    binary: Vec<u32>,
    not: u32,
    letters: Vec<u32>,
    atoms: u32,
    indices: Vec<u32>,
    plus: u32,
    semicolon: u32,
    eos: u32,
}

impl AnswerTokens {
    /// Looks the tokens up.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the tokenizer lacks one.
    pub fn new(tokenizer: &Tokenizer) -> Result<AnswerTokens, Error> {
        let id = |token: &str| {
            let missing = || Error::Tokenizer { reason: format!("no token {token:?}") };
            tokenizer.id(token).ok_or_else(missing)
        };
        let all = |tokens: &mut dyn Iterator<Item = String>| {
            tokens.map(|token| id(&token)).collect::<Result<Vec<u32>, Error>>()
        };
        let binary = vocabulary::CONNECTIVES.iter().filter(|&&symbol| symbol != "¬");
        Ok(AnswerTokens {
            binary: all(&mut binary.map(|symbol| symbol.to_string()))?,
            not: id("¬")?,
            // `Ġ` is how byte-level BPE spells a space.
            letters: all(&mut vocabulary::LETTERS.iter().map(|letter| format!("Ġ{letter}")))?,
            atoms: id("<|atoms|>")?,
            indices: all(&mut (0..vocabulary::MAX_WORDS).map(vocabulary::index_token))?,
            plus: id("+")?,
            semicolon: id(";")?,
            eos: id("<|eos|>")?,
        })
    }

    /// The id that ends the formula.
    pub fn atoms(&self) -> u32 {
        self.atoms
    }

    /// The id that ends an answer.
    pub fn eos(&self) -> u32 {
        self.eos
    }

    /// All of them.
    pub fn all(&self) -> Vec<u32> {
        let ends = [self.not, self.atoms, self.plus, self.semicolon, self.eos];
        [&self.binary[..], &self.letters, &self.indices, &ends].concat()
    }
}

/// An answer so far, and what may follow it.
///
/// ```
/// use data_pipeline::Tokenizer;
/// use nanologic_model::{AnswerTokens, PointingGrammar};
///
/// let tokenizer = Tokenizer::train(["<0> Si<1> llueve p q r s t u v w +;"], 400)?;
/// let tokens = AnswerTokens::new(&tokenizer)?;
/// let mut grammar = PointingGrammar::new(&tokens, 2);
/// for id in tokenizer.encode("¬ p<|atoms|><1>") {
///     assert!(grammar.allowed().contains(&id));
///     grammar.accept(id);
/// }
/// assert_eq!(grammar.allowed(), tokenizer.encode("<1>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PointingGrammar<'t> {
    tokens: &'t AnswerTokens,
    words: usize,
    /// Letters met so far; as many atoms must be pointed at.
    letters: usize,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the formula: operands that are missing, and symbols so far.
    Formula { missing: usize, symbols: usize },
    /// Before the first word of a part.
    First { atom: usize, part: usize },
    /// Before the last word of a part, which is not before `first`.
    Last { atom: usize, part: usize, first: usize },
    /// After a part.
    After { atom: usize, part: usize },
    /// After the end.
    End,
}

impl<'t> PointingGrammar<'t> {
    /// The empty answer about a sentence of `words` words.
    pub fn new(tokens: &'t AnswerTokens, words: usize) -> PointingGrammar<'t> {
        let words = words.clamp(1, tokens.indices.len());
        PointingGrammar { tokens, words, letters: 0, place: Place::Formula { missing: 1, symbols: 0 } }
    }

    /// Whether the answer is complete.
    pub fn is_complete(&self) -> bool {
        self.place == Place::End
    }

    /// The ids that may follow; none only after the end.
    pub fn allowed(&self) -> Vec<u32> {
        let tokens = self.tokens;
        match self.place {
            Place::Formula { missing: 0, .. } => vec![tokens.atoms],
            Place::Formula { missing, symbols } => {
                let known = (self.letters + 1).min(tokens.letters.len());
                let mut allowed = tokens.letters[..known].to_vec();
                // Room for the symbol itself and for a letter in every open place after it.
                let room = MAX_SYMBOLS - symbols;
                if room > missing {
                    allowed.push(tokens.not);
                }
                if room > missing + 1 {
                    allowed.extend(&tokens.binary);
                }
                allowed
            }
            Place::First { .. } => tokens.indices[..self.words].to_vec(),
            Place::Last { first, .. } => tokens.indices[first..self.words].to_vec(),
            Place::After { atom, part } => {
                let next = if atom + 1 < self.letters { tokens.semicolon } else { tokens.eos };
                if part + 1 < MAX_PARTS { vec![next, tokens.plus] } else { vec![next] }
            }
            Place::End => Vec::new(),
        }
    }

    /// Moves on by one token; a token that is not allowed ends the answer.
    pub fn accept(&mut self, id: u32) {
        let tokens = self.tokens;
        let word = tokens.indices.iter().position(|&index| index == id);
        self.place = match (self.place, word) {
            (Place::Formula { missing: 0, .. }, _) if id == tokens.atoms => Place::First { atom: 0, part: 0 },
            (Place::Formula { missing, symbols }, _) if missing > 0 => {
                let symbols = symbols + 1;
                if let Some(letter) = tokens.letters.iter().position(|&letter| letter == id) {
                    self.letters = self.letters.max(letter + 1);
                    Place::Formula { missing: missing - 1, symbols }
                } else if id == tokens.not {
                    Place::Formula { missing, symbols }
                } else if tokens.binary.contains(&id) {
                    Place::Formula { missing: missing + 1, symbols }
                } else {
                    Place::End
                }
            }
            (Place::First { atom, part }, Some(first)) => Place::Last { atom, part, first },
            (Place::Last { atom, part, .. }, Some(_)) => Place::After { atom, part },
            (Place::After { atom, part }, _) if id == tokens.plus => Place::First { atom, part: part + 1 },
            (Place::After { atom, .. }, _) if id == tokens.semicolon => {
                Place::First { atom: atom + 1, part: 0 }
            }
            _ => Place::End,
        };
    }
}

#[cfg(test)]
mod tests {
    use data_pipeline::format::Pointing;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn tokenizer() -> Tokenizer {
        Tokenizer::train(["<0> Si<1> llueve p q r s t u v w +;"], 400).unwrap()
    }

    #[test]
    fn every_random_walk_ends_in_an_answer_that_can_be_read() {
        let tokenizer = tokenizer();
        let tokens = AnswerTokens::new(&tokenizer).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for words in 1..200 {
            let input = vec!["ven"; words % 30 + 1].join(" ");
            let mut grammar = PointingGrammar::new(&tokens, words % 30 + 1);
            let mut ids = Vec::new();
            while !grammar.is_complete() {
                let allowed = grammar.allowed();
                let id = allowed[rng.random_range(0..allowed.len())];
                grammar.accept(id);
                ids.push(id);
            }
            let text = tokenizer.decode(&ids);
            Pointing::read(&input, &text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }

    #[test]
    fn what_the_format_writes_is_allowed() {
        let tokenizer = tokenizer();
        let tokens = AnswerTokens::new(&tokenizer).unwrap();
        let json =
            r#"{"input": "Si no llueve, ven", "formula": "¬p → q", "atoms": {"p": "llueve", "q": "ven"}}"#;
        let row: data_pipeline::Row = serde_json::from_str(json).unwrap();
        let mut grammar = PointingGrammar::new(&tokens, 5);
        for id in tokenizer.encode(&Pointing::answer(&row).unwrap()) {
            assert!(grammar.allowed().contains(&id), "{}", tokenizer.decode(&[id]));
            grammar.accept(id);
        }
        assert!(grammar.is_complete());
    }
}
