//! Near repeats by MinHash: a sentence is the set of its runs of five letters, and two sentences that share at least
//! four fifths of them are near.
//!
//! Nearness alone proves nothing here: *… y no hay copia* and *… o no hay copia* are nearer than many a paraphrase. So
//! a near row is dropped only if its formula is equivalent once the atoms are matched by their glossary; otherwise both
//! stay, as a contrast.

use std::collections::{BTreeSet, HashMap, HashSet};

use logic_parser::{Formula, equivalent};

use crate::{Reason, Row, Step, normal};

/// The length of a shingle in characters.
const SHINGLE: usize = 5;
/// The share of common shingles from which two sentences are near (Jaccard similarity).
const NEAR: f64 = 0.8;
/// Eight bands of four hashes: two sentences at 0.8 meet in a band with probability 0.985.
const BANDS: usize = 8;
const ROWS: usize = 4;

/// Keeps the first of nearly equal rows that say the same. Expects rows that
/// [`WellFormed`](crate::clean::WellFormed) has passed.
///
/// Remembers the sentence, formula and glossary of every row it keeps, and 128 bytes of hashes.
#[derive(Clone, Debug, Default)]
pub struct Near {
    kept: Vec<Kept>,
    /// Rows of `kept` by band hash.
    bands: HashMap<u64, Vec<u32>>,
}

#[derive(Clone, Debug)]
struct Kept {
    sentence: String,
    formula: String,
    glossary: Vec<(String, String)>,
}

impl Step for Near {
    fn name(&self) -> &'static str {
        "near repeats"
    }

    fn apply(&mut self, row: Row) -> Result<Row, Reason> {
        let sentence = normal::sentence(&row.input);
        let shingles = shingles(&sentence);
        let bands = band_hashes(&shingles);
        let glossary = row.atoms.iter().map(|(atom, text)| (atom.clone(), normal::sentence(text))).collect();
        let kept = Kept { sentence, formula: row.formula.clone(), glossary };

        let candidates: BTreeSet<u32> =
            bands.iter().filter_map(|band| self.bands.get(band)).flatten().copied().collect();
        let repeats = |&before: &u32| {
            let before = &self.kept[before as usize];
            says_the_same(before, &kept) && jaccard(&self::shingles(&before.sentence), &shingles) >= NEAR
        };
        if candidates.iter().any(repeats) {
            return Err(Reason::NearlyRepeated);
        }
        let index = self.kept.len() as u32;
        for band in bands {
            self.bands.entry(band).or_default().push(index);
        }
        self.kept.push(kept);
        Ok(row)
    }
}

/// Whether the glossaries match one to one and the formulas are then equivalent.
fn says_the_same(a: &Kept, b: &Kept) -> bool {
    let letters: HashMap<&str, &str> =
        b.glossary.iter().map(|(atom, text)| (text.as_str(), atom.as_str())).collect();
    let renamed: Option<HashMap<&str, &str>> =
        a.glossary.iter().map(|(atom, text)| Some((atom.as_str(), *letters.get(text.as_str())?))).collect();
    let Some(renamed) =
        renamed.filter(|_| letters.len() == b.glossary.len() && a.glossary.len() == b.glossary.len())
    else {
        return false;
    };
    let parse = |text| Formula::parse(text).ok();
    let (Some(first), Some(second)) = (parse(&a.formula), parse(&b.formula)) else {
        return false;
    };
    equivalent(&first.rename(|atom| renamed.get(atom).unwrap_or(&atom).to_string()), &second).is_yes()
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

fn band_hashes(shingles: &HashSet<u64>) -> Vec<u64> {
    let min_hash = |salt: usize| shingles.iter().map(|&shingle| mix(shingle ^ mix(salt as u64 + 1))).min();
    let band = |band: usize| {
        let rows = (0..ROWS).map(|row| min_hash(band * ROWS + row).unwrap_or(0));
        rows.fold(band as u64, |hash, value| mix(hash ^ value))
    };
    (0..BANDS).map(band).collect()
}

/// The finalizer of SplitMix64.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
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
        let mut step = Near::default();
        let first = row("El servidor principal se detiene y no hay copia de seguridad", "p ∧ ¬q", atoms);
        let or = row("El servidor principal se detiene o no hay copia de seguridad", "p ∨ ¬q", atoms);
        let comma = row("El servidor principal se detiene, y no hay copia de seguridad.", "¬p ∧ q", turned);
        let far = row("No hay copia de seguridad y el servidor principal se detiene", "¬p ∧ q", turned);
        assert!(step.apply(first).is_ok());
        assert!(step.apply(or).is_ok());
        assert_eq!(step.apply(comma), Err(Reason::NearlyRepeated));
        assert!(step.apply(far).is_ok());
    }

    #[test]
    fn short_and_empty_sentences_have_shingles_too() {
        assert_eq!(shingles("").len(), 0);
        assert_eq!(shingles("no").len(), 1);
        assert_eq!(jaccard(&shingles("no"), &shingles("no")), 1.0);
    }
}
