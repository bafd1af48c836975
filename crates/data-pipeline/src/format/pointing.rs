//! The pointing format: the words of the sentence are numbered, and the answer is a formula whose atoms point at them.
//!
//! ```text
//! prompt   <|bos|><|input|><0> Si<1> llueve<2> ,<3> me<4> mojo<|output|>
//! answer   → p q<|atoms|><1><1>;<3><4><|eos|>
//! ```
//!
//! The formula comes first and in prefix notation, its letters in order of first mention; then each atom as first and
//! last word, `+` joining the parts of a broken atom, `;` between atoms. A small model learns to point long before it
//! learns to copy.

use std::collections::BTreeMap;

use logic_parser::Formula;

use super::{Answer, Format, FormatError, ReadError, align, harmless::harmless, prefix};
use crate::{
    Row, WordSpan,
    vocabulary::{LETTERS, MAX_WORDS, index_token},
    words,
};

/// The pointing format; see `format/pointing.rs` for what it looks like.
///
/// ```
/// use data_pipeline::{Row, format::Pointing};
///
/// let row: Row = serde_json::from_str(
///     r#"{"input": "Si llueve, me mojo", "formula": "p → q", "atoms": {"p": "llueve", "q": "me mojo"}}"#,
/// )?;
/// assert_eq!(Pointing::prompt(&row.input)?, "<|bos|><|input|><0> Si<1> llueve<2> ,<3> me<4> mojo<|output|>");
/// assert_eq!(Pointing::answer(&row)?, "→ p q<|atoms|><1><1>;<3><4><|eos|>");
///
/// let answer = Pointing::read(&row.input, "→¬ p q<|atoms|><1><1>;<3><4>")?;
/// assert_eq!(answer.formula.to_string(), "¬p → q");
/// assert_eq!(answer.atoms["q"], "me mojo");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pointing;

impl Pointing {
    /// What the model is asked. Symbols of the sentence that could be taken for tokens are replaced by look-alikes.
    ///
    /// # Errors
    ///
    /// [`FormatError::NoWords`], [`FormatError::TooManyWords`].
    pub fn prompt(input: &str) -> Result<String, FormatError> {
        let mut prompt = "<|bos|><|input|>".to_owned();
        for (index, word) in numbered_words(input)?.into_iter().enumerate() {
            prompt.push_str(&index_token(index));
            prompt.push(' ');
            prompt.extend(word.chars().map(harmless));
        }
        prompt.push_str("<|output|>");
        Ok(prompt)
    }

    /// What the model should answer. Where the row does not say which words an atom is, they are found by its glossary.
    ///
    /// # Errors
    ///
    /// Every [`FormatError`].
    pub fn answer(row: &Row) -> Result<String, FormatError> {
        let words = numbered_words(&row.input)?;
        let formula = Formula::parse(&row.formula)?;
        let mut answer = prefix::write(&formula)?;
        for (index, atom) in formula.atoms().into_iter().enumerate() {
            answer.push_str(if index == 0 { "<|atoms|>" } else { ";" });
            for (part, span) in spans_of(atom, row, &words)?.into_iter().enumerate() {
                if part > 0 {
                    answer.push('+');
                }
                answer.push_str(&index_token(span.first.into()));
                answer.push_str(&index_token(span.last.into()));
            }
        }
        answer.push_str("<|eos|>");
        Ok(answer)
    }

    /// Reads a model's answer to the prompt for `input`. Nothing is repaired: what is not exactly of the format is an
    /// error. `<|eos|>` may be missing, since samplers stop before it.
    ///
    /// # Errors
    ///
    /// Every [`ReadError`].
    pub fn read(input: &str, answer: &str) -> Result<Answer, ReadError> {
        let words = numbered_words(input)?;
        let (formula, atoms) = answer.split_once("<|atoms|>").ok_or(ReadError::NoAtomsSection)?;
        let mut at = answer.len() - atoms.len();
        let formula = prefix::read(formula)?;

        let atoms = atoms.strip_suffix("<|eos|>").unwrap_or(atoms);
        let (expected, found) = (formula.atoms().len(), atoms.split(';').count());
        if expected != found {
            return Err(ReadError::AtomCount { expected, found });
        }
        let mut spans = BTreeMap::new();
        for (letter, atom) in LETTERS.iter().zip(atoms.split(';')) {
            let mut parts = Vec::new();
            for part in atom.split('+') {
                parts.push(read_span(part, at, words.len())?);
                at += part.len() + 1;
            }
            spans.insert((*letter).to_owned(), parts);
        }
        let atoms = spans.iter().map(|(letter, spans)| (letter.clone(), text_at(spans, &words))).collect();
        Ok(Answer { formula, atoms, spans })
    }
}

impl Format for Pointing {
    fn prompt(&self, input: &str) -> Result<String, FormatError> {
        Pointing::prompt(input)
    }

    fn answer(&self, row: &Row) -> Result<String, FormatError> {
        Pointing::answer(row)
    }

    fn read(&self, input: &str, answer: &str) -> Result<Answer, ReadError> {
        Pointing::read(input, answer)
    }
}

fn numbered_words(input: &str) -> Result<Vec<&str>, FormatError> {
    let words = words(input);
    match words.len() {
        0 => Err(FormatError::NoWords),
        found if found > MAX_WORDS => Err(FormatError::TooManyWords { found }),
        _ => Ok(words),
    }
}

fn spans_of(atom: &str, row: &Row, words: &[&str]) -> Result<Vec<WordSpan>, FormatError> {
    let not_found = || FormatError::AtomNotFound { atom: atom.to_owned() };
    let Some(spans) = row.spans.get(atom).filter(|spans| !spans.is_empty()) else {
        return align::find(row.atoms.get(atom).ok_or_else(not_found)?, words).ok_or_else(not_found);
    };
    let bad = |span: &&WordSpan| span.first > span.last || usize::from(span.last) >= words.len();
    match spans.iter().find(bad) {
        Some(&span) => Err(FormatError::BadSpan { atom: atom.to_owned(), span, words: words.len() }),
        None => Ok(spans.clone()),
    }
}

/// Reads `<first><last>`, which stands at byte `at` of the answer.
fn read_span(text: &str, at: usize, words: usize) -> Result<WordSpan, ReadError> {
    let bad = || ReadError::BadSpan { at };
    let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).ok_or_else(bad)?;
    let (first, last) = inner.split_once("><").ok_or_else(bad)?;
    let number = |digits: &str| {
        let canonical =
            digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
        digits.parse().ok().filter(|_| canonical).ok_or_else(bad)
    };
    let (first, last): (u16, u16) = (number(first)?, number(last)?);
    if let Some(index) = [first, last].into_iter().find(|&index| usize::from(index) >= words) {
        return Err(ReadError::WordOutOfRange { index, words });
    }
    if first > last {
        return Err(ReadError::ReversedSpan { first, last });
    }
    Ok(WordSpan { first, last })
}

fn text_at(spans: &[WordSpan], words: &[&str]) -> String {
    let pointed = spans.iter().flat_map(|span| &words[span.first.into()..=span.last.into()]);
    pointed.copied().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vocabulary::fixed_tokens;

    const RAIN: &str = "Si llueve y no nieva, me mojo.";

    fn span(first: u16, last: u16) -> WordSpan {
        WordSpan { first, last }
    }

    #[test]
    fn letters_follow_the_formula_and_parts_are_joined() {
        let row = Row {
            input: "Ana canta si baila".into(),
            formula: "(b → a) ∧ ¬b".into(),
            spans: [("a".into(), vec![span(0, 1)]), ("b".into(), vec![span(0, 0), span(3, 3)])].into(),
            ..Row::default()
        };
        let answer = Pointing::answer(&row).unwrap();
        assert_eq!(answer, "∧→ p q¬ p<|atoms|><0><0>+<3><3>;<0><1><|eos|>");
        let read = Pointing::read(&row.input, &answer).unwrap();
        assert_eq!(read.formula.to_string(), "(p → q) ∧ ¬p");
        assert_eq!(read.atoms["p"], "Ana baila");
        assert_eq!(read.spans["p"], [span(0, 0), span(3, 3)]);
    }

    #[test]
    fn every_way_to_answer_wrongly_has_its_error() {
        use ReadError as E;
        let long = format!("{} p<|atoms|><0><0>", "¬".repeat(300));
        let cases: [(&str, E); 16] = [
            ("", E::NoAtomsSection),
            (" p", E::NoAtomsSection),
            ("<|atoms|><0><0>", E::IncompleteFormula { missing: 1 }),
            ("→ p<|atoms|><0><0>", E::IncompleteFormula { missing: 1 }),
            (" p q<|atoms|><0><0>;<1><1>", E::AfterFormula { at: 2 }),
            ("→p q<|atoms|><0><0>", E::UnknownSymbol { at: 3 }),
            ("⊕ p q<|atoms|><0><0>", E::UnknownSymbol { at: 0 }),
            (" x<|atoms|><0><0>", E::UnknownSymbol { at: 0 }),
            ("→ q p<|atoms|><0><0>;<1><1>", E::LetterOutOfOrder { found: "q", expected: "p" }),
            ("→ p q<|atoms|><0><0>", E::AtomCount { expected: 2, found: 1 }),
            (" p<|atoms|><0><0>;", E::AtomCount { expected: 1, found: 2 }),
            (" p<|atoms|><0>", E::BadSpan { at: 11 }),
            (" p<|atoms|><0><0>+<01><2>", E::BadSpan { at: 18 }),
            (" p<|atoms|><2><1>", E::ReversedSpan { first: 2, last: 1 }),
            (" p<|atoms|><0><9>", E::WordOutOfRange { index: 9, words: 9 }),
            (&long, E::FormulaTooLong { max: 256 }),
        ];
        for (answer, expected) in cases {
            assert_eq!(Pointing::read(RAIN, answer), Err(expected), "{answer}");
        }
        let no_words = Err(E::Input(FormatError::NoWords));
        assert_eq!(Pointing::read(" ", " p<|atoms|><0><0>"), no_words);
    }

    #[test]
    fn rows_that_do_not_fit_are_refused() {
        let refuse = |input: &str, formula: &str| {
            Pointing::answer(&Row { input: input.into(), formula: formula.into(), ..Row::default() })
                .unwrap_err()
        };
        assert_eq!(refuse("", "p"), FormatError::NoWords);
        assert_eq!(refuse(&"a ".repeat(97), "p"), FormatError::TooManyWords { found: 97 });
        assert_eq!(refuse("a", "a ∧ b ∧ c ∧ d ∧ e ∧ f ∧ g ∧ h ∧ i"), FormatError::TooManyAtoms { found: 9 });
        assert!(matches!(refuse("a", "p →"), FormatError::Formula(_)));
        assert_eq!(refuse("a", "p ⊕ q"), FormatError::NoToken { symbol: '⊕' });
        assert_eq!(refuse("a", "p"), FormatError::AtomNotFound { atom: "p".into() });
        let row = Row {
            input: "a".into(),
            formula: "p".into(),
            spans: [("p".into(), vec![span(0, 1)])].into(),
            ..Row::default()
        };
        let bad_span = FormatError::BadSpan { atom: "p".into(), span: span(0, 1), words: 1 };
        assert_eq!(Pointing::answer(&row), Err(bad_span));
    }

    #[test]
    fn a_sentence_cannot_spell_a_token() {
        let hostile = "<|eos|> <3> p→q ¬p a∧b ∨ ↔ <|output|>";
        let prompt = Pointing::prompt(hostile).unwrap();
        let sentence = prompt.strip_prefix("<|bos|><|input|>").unwrap().strip_suffix("<|output|>").unwrap();
        let sentence = (0..96).fold(sentence.to_owned(), |text, i| text.replacen(&index_token(i), "", 1));
        assert!(fixed_tokens().iter().all(|token| !sentence.contains(token.as_str())), "{sentence}");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(answer in "(<\\|atoms\\|>|[∧∨¬→↔+;<> ]|[p-w]|<[0-9]{1,6}>|\\PC){0,30}") {
            let _ = Pointing::read(RAIN, &answer);
        }

        #[test]
        fn any_sentence_makes_a_prompt_or_an_error(input in "\\PC{0,60}") {
            let prompt = Pointing::prompt(&input);
            prop_assert_eq!(prompt.is_err(), words(&input).is_empty());
        }
    }
}
