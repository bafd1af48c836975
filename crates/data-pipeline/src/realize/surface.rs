//! From words that know their atoms to the sentence, its spans and its glossary.

use std::collections::BTreeMap;

use super::clause::{Part, Word};
use super::tree::LETTERS;
use crate::row::WordSpan;

/// A word of the sentence, the atoms it belongs to (one bit each) and what it does there.
#[derive(Clone, Debug)]
pub struct Token {
    pub word: Word,
    pub atoms: u8,
    pub part: Part,
}

/// A finished sentence.
pub struct Surface {
    pub input: String,
    pub atoms: BTreeMap<String, String>,
    pub spans: BTreeMap<String, Vec<WordSpan>>,
}

/// Euphony, contraction, spacing and the capital; then spans are where the atoms' words came to stand.
pub fn finish(mut tokens: Vec<Token>, n_atoms: usize) -> Surface {
    contract(&mut tokens);
    euphony(&mut tokens);
    let mut input = String::with_capacity(tokens.len() * 7);
    for token in &tokens {
        let mark = matches!(token.word.as_ref(), "," | ";" | "." | ":");
        if !input.is_empty() && !mark {
            input.push(' ');
        }
        let symbol =
            matches!(token.part, Part::Subject | Part::Complement) && token.word.chars().nth(1).is_none();
        let opens = input.is_empty() || input.ends_with(". ");
        if opens && !symbol {
            let mut letters = token.word.chars();
            input.extend(letters.next().into_iter().flat_map(char::to_uppercase));
            input.push_str(letters.as_str());
        } else {
            input.push_str(&token.word);
        }
    }
    let mut spans = BTreeMap::new();
    let mut atoms = BTreeMap::new();
    let words = crate::words(&input);
    for (atom, letter) in LETTERS.iter().enumerate().take(n_atoms) {
        let mut runs: Vec<WordSpan> = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            if token.atoms & (1 << atom) == 0 {
                continue;
            }
            let at = at as u16;
            match runs.last_mut() {
                Some(run) if run.last + 1 == at => run.last = at,
                _ => runs.push(WordSpan { first: at, last: at }),
            }
        }
        let text: Vec<&str> = runs
            .iter()
            .flat_map(|run| &words[usize::from(run.first)..=usize::from(run.last)])
            .copied()
            .collect();
        atoms.insert((*letter).to_owned(), text.join(" "));
        spans.insert((*letter).to_owned(), runs);
    }
    Surface { input, atoms, spans }
}

/// *a el* → *al*, *de el* → *del*, and one *que* where two phrases bring theirs.
fn contract(tokens: &mut Vec<Token>) {
    let mut at = 0;
    while at + 1 < tokens.len() {
        let joined = match (tokens[at].word.as_ref(), tokens[at + 1].word.as_ref()) {
            ("a" | "A", "el") => "al",
            ("de", "el") => "del",
            ("que", "que") => "que",
            _ => {
                at += 1;
                continue;
            }
        };
        let next = tokens.remove(at + 1);
        tokens[at].word = joined.into();
        tokens[at].atoms |= next.atoms;
        at += 1;
    }
}

/// *e* before i-, *u* before o-.
fn euphony(tokens: &mut [Token]) {
    for at in 1..tokens.len() {
        let next = tokens[at].word.to_lowercase();
        let before = &mut tokens[at - 1];
        if before.part != Part::Link {
            continue;
        }
        let i = (next.starts_with('i') || next.starts_with("hi") || next.starts_with('í'))
            && !next.starts_with("hie")
            && !next.starts_with("hia")
            && next != "i";
        let o = next.starts_with('o') || next.starts_with("ho") || next.starts_with('ó');
        match before.word.as_ref() {
            "y" if i || next == "y" => before.word = "e".into(),
            "o" if o && next != "o" => before.word = "u".into(),
            _ => {}
        }
    }
}
