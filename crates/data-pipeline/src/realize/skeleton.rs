//! Whether the maker has a way of saying a sentence: its connective words in order, with gaps where the atoms stand.

use std::collections::{BTreeMap, HashSet};

use super::clause::Part;
use super::surface::Token;
use super::tree::LETTERS;
use super::{OPENERS, Opener};
use crate::{normal, words};

/// A connective word, or a gap for words of the atoms in it (one bit each; none where an atom is said again).
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Link(String),
    Gap(u8),
}

/// The connective words of something said, with gaps between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skeleton(Vec<Piece>);

/// A sentence that somebody wrote, as far as skeletons look at it.
pub struct Written {
    words: Vec<String>,
    /// For each word, whether an atom may have it.
    free: Vec<bool>,
    /// For each word, whether it has a meaning of its own.
    content: Vec<bool>,
    /// What the glossary says of each atom; empty where there is none.
    glossary: Vec<Vec<String>>,
}

/// Words that belong to a connective unless the glossary has them too.
const BINDING: &str = "si entonces y o ni no pero aunque cuando solo solamente unicamente salvo excepto basta tampoco \
                       ambos implica implican sino mientras porque siempre suficiente necesario necesaria";

fn normal_word(word: &str) -> Option<String> {
    let word = normal::word(word);
    let joined = match word.as_str() {
        "e" => "y",
        "u" => "o",
        "ambas" => "ambos",
        other => other,
    };
    joined.chars().any(char::is_alphanumeric).then(|| joined.to_owned())
}

impl Skeleton {
    pub fn of(tokens: &[Token]) -> Skeleton {
        let mut pieces: Vec<Piece> = Vec::new();
        for token in tokens {
            let Some(word) = normal_word(&token.word) else { continue };
            if matches!(token.part, Part::Link | Part::Negation) {
                pieces.push(Piece::Link(word));
                continue;
            }
            match pieces.last_mut() {
                Some(Piece::Gap(atoms)) if *atoms == 0 || token.atoms == 0 || *atoms & token.atoms != 0 => {
                    *atoms |= token.atoms;
                }
                _ => pieces.push(Piece::Gap(token.atoms)),
            }
        }
        Skeleton(pieces)
    }

    /// Whether the sentence has these connective words in this order, words of the right atoms between them, and no
    /// other word that binds.
    pub fn fits(&self, written: &Written) -> bool {
        // reach[w]: whether the pieces so far may end before word w.
        let n = written.words.len();
        let mut reach = vec![false; n + 1];
        reach[0] = true;
        for piece in &self.0 {
            let mut next = vec![false; n + 1];
            for start in (0..n).filter(|&start| reach[start]) {
                match piece {
                    Piece::Link(word) => next[start + 1] |= written.words[start] == *word,
                    Piece::Gap(atoms) => {
                        let anything = *atoms == 0 || written.glossary.is_empty();
                        let (mut of_atoms, mut of_others) = (anything, false);
                        for end in (start..n).take_while(|&end| written.free[end]) {
                            let says = written.says(&written.words[end], *atoms);
                            of_atoms |= says;
                            of_others |= !says && written.content[end];
                            next[end + 1] |= of_atoms || !of_others;
                        }
                    }
                }
            }
            reach = next;
        }
        reach[n]
    }
}

impl Written {
    pub fn read(input: &str, atoms: &BTreeMap<String, String>) -> Written {
        let all = words(input);
        // A y before a sign, or after e, is a variable.
        let variable = |at: usize| {
            let sign = |word: &&str| !word.chars().any(char::is_alphanumeric) && !",.;:?!()".contains(*word);
            all[at] == "y" && (all.get(at + 1).is_some_and(sign) || at > 0 && all[at - 1] == "e")
        };
        let word = |at: usize| if variable(at) { Some("variable".to_owned()) } else { normal_word(all[at]) };
        let mut normal: Vec<String> = (0..all.len()).filter_map(word).collect();
        // The longest that fits.
        let length = |opener: &Opener| {
            let of_opener: Vec<&str> = opener.normal.split(' ').collect();
            normal
                .iter()
                .map(String::as_str)
                .take(of_opener.len())
                .eq(of_opener.iter().copied())
                .then_some(of_opener.len())
        };
        // *Y* may be a variable.
        let openers = OPENERS.iter().filter(|opener| opener.normal.len() > 1);
        normal.drain(..openers.filter_map(length).max().unwrap_or(0));
        let entry = |letter: &&str| {
            let text = atoms.get(*letter).map_or("", String::as_str);
            words(text).into_iter().filter_map(normal_word).collect::<Vec<_>>()
        };
        let glossary: Vec<Vec<String>> =
            if atoms.is_empty() { Vec::new() } else { LETTERS.iter().map(entry).collect() };
        let binding: HashSet<&str> = BINDING.split_whitespace().collect();
        let free = normal.iter().map(|word| {
            !binding.contains(word.as_str()) || glossary.iter().flatten().any(|known| known == word)
        });
        let content = normal.iter().map(|word| !normal::content_words(word).is_empty());
        Written { free: free.collect(), content: content.collect(), words: normal, glossary }
    }

    /// Whether one of the atoms has this word, in whatever form.
    fn says(&self, word: &str, atoms: u8) -> bool {
        let stem = |word: &str| word.chars().take(3).collect::<String>();
        let of = |entry: &[String]| entry.iter().any(|known| stem(known) == stem(word));
        self.glossary.iter().enumerate().any(|(atom, entry)| atoms & (1 << atom) != 0 && of(entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realize::clause::Part;

    fn skeleton(pieces: &[(&'static str, u8)]) -> Skeleton {
        let token = |&(word, atoms): &(&'static str, u8)| Token {
            word: word.into(),
            atoms,
            part: if atoms == 0 { Part::Link } else { Part::Verb },
        };
        Skeleton::of(&pieces.iter().map(token).collect::<Vec<_>>())
    }

    #[test]
    fn a_sentence_fits_by_its_connectives_and_the_order_of_its_atoms() {
        let glossary = [("p", "llueve"), ("q", "Ana y Luis salen")];
        let glossary = glossary.map(|(letter, text)| (letter.to_owned(), text.to_owned())).into();
        let written = Written::read("Si llueve mucho, entonces Ana y Luis no saldrán.", &glossary);
        let said =
            [("si", 0), ("nieva", 1), (",", 0), ("entonces", 0), ("nadie", 2), ("no", 0), ("viene", 2)];
        assert!(skeleton(&said).fits(&written));
        let swapped = said.map(|(word, atoms)| (word, [0, 2, 1][usize::from(atoms)]));
        assert!(!skeleton(&swapped).fits(&written), "the atoms stand in the other order");
        assert!(!skeleton(&said[..5]).fits(&written), "a negation is left over");
        assert!(!skeleton(&said).fits(&Written::read("Si llueve, Ana no saldrá", &glossary)), "no entonces");
    }
}
