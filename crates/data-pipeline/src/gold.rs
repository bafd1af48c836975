//! Sentences and arguments written by hand, for evaluation only: no step of the pipeline reads them, and a test
//! freezes them by hash.
//!
//! They are in the manner of exercises, exams and everyday talk: about half without *entonces*, conditions before and
//! after, necessity and sufficiency, *a menos que*, ellipsis, *ni … ni*, moods, law, medicine, mathematics, voseo and a
//! few missing accents. A change to either file is a line in the changelog.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Row;

const SENTENCES: &str = include_str!("../gold/sentences.jsonl");
const ARGUMENTS: &str = include_str!("../gold/arguments.jsonl");

/// An argument in Spanish and in logic, with its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoldArgument {
    /// The premises in Spanish.
    pub premises_nl: Vec<String>,
    /// The conclusion in Spanish.
    pub conclusion_nl: String,
    /// The premises' formulas.
    pub premises: Vec<String>,
    /// The conclusion's formula.
    pub conclusion: String,
    /// What the atoms of all formulas say.
    pub atoms: BTreeMap<String, String>,
    /// Whether the conclusion follows.
    pub verdict: Verdict,
    /// The name of the fallacy, as `"affirming_the_consequent"`, where it has one.
    pub fallacy: Option<String>,
}

/// Whether a conclusion follows from its premises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// True wherever all premises are.
    Valid,
    /// False somewhere where all premises are true.
    Invalid,
}

/// The gold sentences, in the order of the file.
///
/// ```
/// assert!(data_pipeline::gold::sentences().len() >= 400);
/// ```
pub fn sentences() -> Vec<Row> {
    read(SENTENCES)
}

/// The gold arguments, in the order of the file.
///
/// ```
/// assert!(data_pipeline::gold::arguments().iter().any(|argument| argument.fallacy.is_some()));
/// ```
pub fn arguments() -> Vec<GoldArgument> {
    read(ARGUMENTS)
}

fn read<T: for<'a> Deserialize<'a>>(lines: &str) -> Vec<T> {
    lines.lines().map(|line| serde_json::from_str(line).expect("a test reads every line")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use logic_parser::{Formula, entails};

    use super::*;
    use crate::{Complexity, Origin, format::Pointing};

    #[test]
    fn the_files_are_frozen() {
        let hash = |text: &str| blake3::hash(text.as_bytes()).to_hex().to_string();
        assert_eq!(hash(SENTENCES), "2a8cd36624773cece1029e055116f9109b385c636605722eb37a9dd9d37f1f91");
        assert_eq!(hash(ARGUMENTS), "bc91a59b4366562fe45d8769fa5206e610bcce510d5fd725f3a24f90abffaba8");
    }

    #[test]
    fn every_sentence_is_canonical_and_can_be_asked_and_answered() {
        let rows = sentences();
        assert!(rows.len() >= 400);
        let different: BTreeSet<&str> = rows.iter().map(|row| row.input.as_str()).collect();
        assert_eq!(different.len(), rows.len());
        for row in &rows {
            let formula = Formula::parse(&row.formula).unwrap();
            assert_eq!(row.formula, formula.to_string());
            assert_eq!(row.pattern, formula.pattern().to_string(), "{}", row.input);
            assert_eq!(row.complexity, Complexity::of(&formula), "{}", row.input);
            assert_eq!(row.origin, Origin::Human);
            assert!(formula.atoms().into_iter().eq(row.atoms.keys()), "{}", row.input);
            let answer = Pointing::answer(row).unwrap();
            assert_eq!(Pointing::read(&row.input, &answer).unwrap().formula, formula);
        }
    }

    #[test]
    fn every_argument_has_the_verdict_that_logic_gives_it() {
        let arguments = arguments();
        assert!(arguments.len() >= 100);
        for argument in &arguments {
            let parse = |text: &String| Formula::parse(text).unwrap();
            let premises: Vec<Formula> = argument.premises.iter().map(parse).collect();
            let conclusion = parse(&argument.conclusion);
            let used: BTreeSet<&str> =
                premises.iter().chain([&conclusion]).flat_map(|formula| formula.atoms()).collect();
            assert!(used.into_iter().eq(argument.atoms.keys()));
            assert_eq!(premises.len(), argument.premises_nl.len());
            let follows = entails(&premises, &conclusion).is_yes();
            assert_eq!(follows, argument.verdict == Verdict::Valid, "{}", argument.conclusion_nl);
            assert!(argument.fallacy.is_none() || !follows);
        }
    }
}
