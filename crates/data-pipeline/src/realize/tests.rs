//! What every row must keep, and what the corpus as a whole must look like.

use std::collections::{BTreeSet, HashMap, HashSet};

use logic_parser::Formula;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::construction::{Classes, Segment, constructions};
use super::plan::Plan;
use super::tree::Tree;
use super::{Maker, contents, draw_domain};
use crate::row::Row;
use crate::words;

fn rows(n: u64) -> impl Iterator<Item = Row> {
    let maker = Maker::new(1);
    (0..n).map(move |index| maker.row(index))
}

#[test]
fn a_row_depends_on_seed_and_index_alone() {
    let maker = Maker::new(5);
    let forward: Vec<Row> = (0..200).map(|index| maker.row(index)).collect();
    let backward: Vec<Row> = (0..200).rev().map(|index| Maker::new(5).row(index)).collect();
    assert!(forward.iter().eq(backward.iter().rev()));
    assert_ne!(forward[0], Maker::new(6).row(0));
}

#[test]
fn a_sentence_after_another_opens_with_a_capital() {
    let texts: Vec<String> = rows(3_000).map(|row| row.input).filter(|text| text.contains(". ")).collect();
    assert!(texts.len() > 100, "{} texts", texts.len());
    for text in texts {
        for sentence in text.split(". ").skip(1) {
            let first = sentence.split(' ').next().unwrap_or_default();
            let variable = first.chars().nth(1).is_none();
            assert!(variable || !first.starts_with(char::is_lowercase), "{text}");
        }
    }
}

#[test]
fn spans_point_at_the_words_of_the_glossary() {
    for row in rows(3000) {
        let words = words(&row.input);
        assert!(words.len() <= super::MAX_WORDS);
        for (letter, spans) in &row.spans {
            let pointed: Vec<&str> = spans
                .iter()
                .flat_map(|span| &words[usize::from(span.first)..=usize::from(span.last)])
                .copied()
                .collect();
            assert!(!pointed.is_empty(), "{letter} is said nowhere: {}", row.input);
            assert_eq!(row.atoms[letter], pointed.join(" "), "{}", row.input);
            assert!(spans.windows(2).all(|pair| pair[0].last + 1 < pair[1].first), "{}", row.input);
        }
    }
}

#[test]
fn two_atoms_never_say_the_same() {
    for row in rows(5000) {
        let texts: HashSet<String> = row.atoms.values().map(|text| text.to_lowercase()).collect();
        assert_eq!(texts.len(), row.atoms.len(), "{}: {:?}", row.input, row.atoms);
    }
}

#[test]
fn the_formula_parses_and_has_the_atoms_of_the_glossary() {
    for row in rows(3000) {
        let formula = Formula::parse(&row.formula).expect("rows hold formulas");
        assert_eq!(formula.to_string(), row.formula);
        assert_eq!(formula.pattern().to_string(), row.formula);
        let atoms: BTreeSet<&str> = formula.atoms().into_iter().collect();
        assert!(atoms.into_iter().eq(row.atoms.keys()), "{}", row.input);
        assert!(row.atoms.keys().eq(row.spans.keys()));
    }
}

#[test]
fn negation_words_belong_to_no_atom() {
    for row in rows(2000) {
        for said in row.atoms.values() {
            let first = said.split(' ').next().unwrap_or_default();
            assert!(!["no", "No", "ni", "Ni", "tampoco"].contains(&first), "{} → {said}", row.input);
        }
    }
}

#[test]
fn a_pattern_is_said_as_given() {
    let maker = Maker::new(2);
    for pattern in [
        "p → q",
        "¬p → (q ∧ r)",
        "(p ∧ ¬q) ∨ r",
        "p ↔ ¬(q ∧ r)",
        "(p → q) ∧ (¬p → r)",
        "p → (q → r)",
        "(p ∨ q) ∧ ¬(p ∧ q)",
        "¬¬p",
        "p ∨ ¬p",
    ] {
        let formula = Formula::parse(pattern).expect("a formula");
        let row = maker.say(&formula, 0).unwrap_or_else(|| panic!("no way to say {pattern}"));
        assert_eq!(row.pattern, formula.to_string());
    }
    assert_eq!(maker.say(&Formula::parse("p ⊕ q").expect("a formula"), 0), None);
}

#[test]
fn every_construction_is_within_reach() {
    let mut reached = HashSet::new();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let all = &constructions().all;
    let argument = Formula::parse("p ∧ q → r").expect("a formula");
    // The class p, sentences side by side.
    let side_by_side = Classes(1 << 14);
    for (at, construction) in all.iter().enumerate() {
        let premises =
            |segment: &Segment| matches!(segment, Segment::Slot(slot) if slot.accepts == side_by_side);
        let pattern = match construction.segments.iter().any(premises) {
            true => &Tree::from_formula(&argument).expect("few atoms"),
            false => &construction.pattern,
        };
        for _ in 0..4000 {
            let (domain, _) = draw_domain(&mut rng);
            let Some(clauses) = contents(pattern, domain, &mut rng) else { continue };
            let plan = Plan::new(pattern, &clauses);
            let root = &plan.choices[pattern.root()];
            if root.iter().any(|choice| std::ptr::eq(choice.construction, construction)) {
                reached.insert(at);
                break;
            }
        }
    }
    let missed: Vec<&str> =
        (0..all.len()).filter(|at| !reached.contains(at)).map(|at| all[at].phrase.as_str()).collect();
    assert!(missed.is_empty(), "out of reach: {missed:?}");
    let phrases: HashSet<&str> = all.iter().map(|construction| construction.phrase.as_str()).collect();
    assert!(phrases.len() >= 120, "only {} phrases", phrases.len());
}

/// The sentence with its content words masked: what stays are the words that a thousand other sentences share.
fn skeleton(row: &Row, frequent: &HashSet<String>) -> String {
    let mask = |word: &&str| {
        let lower = word.to_lowercase();
        if frequent.contains(&lower) { lower } else { "_".to_owned() }
    };
    words(&row.input).iter().map(mask).collect::<Vec<_>>().join(" ")
}

#[test]
fn no_skeleton_makes_up_half_a_percent_and_few_sentences_repeat() {
    let rows: Vec<Row> = rows(20_000).collect();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for word in rows.iter().flat_map(|row| words(&row.input)) {
        *counts.entry(word.to_lowercase()).or_default() += 1;
    }
    let mut by_count: Vec<_> = counts.into_iter().collect();
    by_count.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    let frequent: HashSet<String> = by_count.into_iter().take(150).map(|(word, _)| word).collect();
    let mut skeletons: HashMap<String, usize> = HashMap::new();
    for row in &rows {
        *skeletons.entry(skeleton(row, &frequent)).or_default() += 1;
    }
    let (worst, count) = skeletons.iter().max_by_key(|(_, count)| **count).expect("there are rows");
    assert!(*count <= rows.len() / 200, "{count} of {}: {worst}", rows.len());
    let distinct: HashSet<&str> = rows.iter().map(|row| row.input.as_str()).collect();
    assert!(rows.len() - distinct.len() <= rows.len() / 200, "{} distinct", distinct.len());
}

#[test]
fn formulas_are_distributed_as_in_exercises() {
    let n = 5000;
    let shares = |holds: &dyn Fn(&Formula) -> bool| {
        let count = rows(n).filter(|row| holds(&Formula::parse(&row.formula).expect("a formula"))).count();
        count as f64 / n as f64
    };
    let conditional = shares(&|formula| {
        matches!(formula.root(), logic_parser::Node::Binary(logic_parser::Connective::Implies))
    });
    assert!((0.4..0.65).contains(&conditional), "{conditional} conditionals");
    let several = shares(&|formula| formula.atoms().len() >= 3);
    assert!((0.3..0.6).contains(&several), "{several} with three atoms or more");
}

#[test]
fn words_agree_and_moods_are_governed() {
    let maker = Maker::new(9);
    let conditional = Formula::parse("p → q").expect("a formula");
    for index in 0..4000 {
        let Some(row) = maker.say(&conditional, index) else {
            continue;
        };
        let text = row.input.to_lowercase();
        for wrong in
            [" a el ", " de el ", " los el ", " las la ", " y i", "salvo que es ", "para que es ", " ha ha "]
        {
            assert!(!text.contains(wrong), "{wrong} in {text}");
        }
        // The subjunctive after "a menos que".
        if let Some((_, after)) = text.split_once("a menos que ") {
            for indicative in ["llueve", "hay", "es", "está", "tiene"] {
                assert_ne!(after.split(' ').next(), Some(indicative), "{text}");
            }
        }
    }
}
