//! Near repeats: a sentence is the set of its runs of five letters, and two sentences that share at least four fifths
//! of them are near.
//!
//! Nearness alone proves nothing here: *… y no hay copia* and *… o no hay copia* are nearer than many a paraphrase. So
//! a near row is dropped only if its formula is equivalent once the atoms are matched by their glossary; otherwise both
//! stay, as a contrast. That turns the search around: rows that say the same are found exactly, by the truth table over
//! their glossary, and only among those few is nearness looked at. No hashing of shingles can miss a pair then.

use std::collections::{HashMap, HashSet};

use logic_parser::Formula;

use super::Distinct;
use crate::{
    Reason, Row,
    arena::Texts,
    normal::{self, fingerprint},
    truth_column::truth_column_of,
};

/// The length of a shingle in characters.
const SHINGLE: usize = 5;
/// The share of common shingles from which two sentences are near (Jaccard similarity).
const NEAR: f64 = 0.8;

/// Keeps the first of nearly equal rows that say the same.
///
/// Remembers the sentence of every row it keeps, and 24 bytes.
#[derive(Clone, Debug, Default)]
pub struct Near {
    sentences: Texts,
    /// The last kept row that says this.
    last: HashMap<u64, u32>,
    /// For each kept row, the one before it that says the same; itself if there is none.
    before: Vec<u32>,
}

/// What a row says and how.
#[derive(Clone, Debug)]
pub struct Said {
    /// The truth table over the sorted glossary, as a fingerprint; `None` where the glossary does not tell atoms apart.
    meaning: Option<u64>,
    /// The normal sentence.
    sentence: String,
}

impl Said {
    /// The normal sentence.
    pub(crate) fn sentence(&self) -> &str {
        &self.sentence
    }
}

impl Distinct for Near {
    type Key = Said;

    const NAME: &'static str = "near repeats";

    fn key(row: &Row) -> Said {
        Said { meaning: meaning(row), sentence: normal::sentence(&row.input) }
    }

    fn admit(&mut self, Said { meaning, sentence }: Said) -> Result<(), Reason> {
        let Some(meaning) = meaning else { return Ok(()) };
        let index = self.before.len() as u32;
        let mut at = self.last.get(&meaning).copied();
        let before = at.unwrap_or(index);
        let shingles = at.map(|_| shingles(&sentence)).unwrap_or_default();
        while let Some(kept) = at {
            if jaccard(&self::shingles(self.sentences.get(kept)), &shingles) >= NEAR {
                return Err(Reason::NearlyRepeated);
            }
            at = Some(self.before[kept as usize]).filter(|&earlier| earlier != kept);
        }
        self.sentences.push(&sentence);
        self.before.push(before);
        self.last.insert(meaning, index);
        Ok(())
    }
}

/// Equal for two rows exactly if their glossaries match one to one and their formulas are then equivalent.
fn meaning(row: &Row) -> Option<u64> {
    let mut glossary: Vec<(String, &str)> =
        row.atoms.iter().map(|(atom, text)| (normal::sentence(text), atom.as_str())).collect();
    glossary.sort_unstable();
    if glossary.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return None;
    }
    let formula = Formula::parse(&row.formula).ok()?;
    let column = truth_column_of(&formula, |name| glossary.iter().position(|&(_, atom)| atom == name))?;
    let mut text = String::new();
    for (said, _) in &glossary {
        text.push_str(said);
        text.push('\n');
    }
    column.iter().for_each(|bits| text.push_str(&format!("{bits:x} ")));
    Some(fingerprint(&text))
}

fn shingles(sentence: &str) -> HashSet<u64> {
    let chars: Vec<char> = sentence.chars().collect();
    // FNV-1a: fast, and the same on every machine.
    let hash = |run: &[char]| {
        run.iter()
            .fold(0xCBF2_9CE4_8422_2325, |hash, &c| (hash ^ u64::from(c)).wrapping_mul(0x0100_0000_01B3))
    };
    chars.windows(SHINGLE.min(chars.len()).max(1)).map(hash).collect()
}

fn jaccard(a: &HashSet<u64>, b: &HashSet<u64>) -> f64 {
    let common = a.intersection(b).count();
    common as f64 / (a.len() + b.len() - common).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(input: &str, formula: &str, atoms: [&str; 2]) -> Row {
        let atoms = ["p", "q"].map(str::to_owned).into_iter().zip(atoms.map(str::to_owned)).collect();
        Row { input: input.into(), formula: formula.into(), atoms, ..Row::default() }
    }

    #[test]
    fn near_and_equivalent_is_dropped_near_and_different_is_a_contrast() {
        let atoms = ["el servidor principal se detiene", "hay copia de seguridad"];
        let turned = ["hay copia de seguridad", "el servidor principal se detiene"];
        let mut near = Near::default();
        let mut apply =
            |input: &str, formula: &str, atoms| near.admit(Near::key(&row(input, formula, atoms)));
        let repeated = Err(Reason::NearlyRepeated);
        assert_eq!(
            apply("El servidor principal se detiene y no hay copia de seguridad", "p ∧ ¬q", atoms),
            Ok(())
        );
        assert_eq!(
            apply("El servidor principal se detiene o no hay copia de seguridad", "p ∨ ¬q", atoms),
            Ok(())
        );
        let comma = "El servidor principal se detiene, y no hay copia de seguridad.";
        assert_eq!(apply(comma, "¬p ∧ q", turned), repeated);
        let far = "No hay copia de seguridad y el servidor principal se detiene";
        assert_eq!(apply(far, "¬p ∧ q", turned), Ok(()));
        // The first row is found behind the second that says the same.
        assert_eq!(apply(comma, "p ∧ ¬q", atoms), repeated);
        assert_eq!(apply(comma, "¬(¬p ∨ q)", atoms), repeated);
        assert_eq!(apply(comma, "p ∧ q", atoms), Ok(()));
    }

    #[test]
    fn atoms_that_the_glossary_confuses_are_never_near() {
        let twice = row("Llueve y llueve", "p ∧ q", ["llueve", "llueve"]);
        let mut near = Near::default();
        assert!(near.admit(Near::key(&twice)).is_ok() && near.admit(Near::key(&twice)).is_ok());
    }

    #[test]
    fn short_and_empty_sentences_have_shingles_too() {
        assert_eq!(shingles("").len(), 0);
        assert_eq!(shingles("no").len(), 1);
        assert_eq!(jaccard(&shingles("no"), &shingles("no")), 1.0);
    }
}
