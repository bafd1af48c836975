//! Which gold atom an answer's atom stands for.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::Glossed;

/// The one-to-one assignment of answer atoms to gold atoms whose glossary texts [overlap] most; ties go to the order of
/// appearance. An answer without any glossary keeps its letters. Atoms in excess are left out.
///
/// With more than twelve atoms on a side the order of appearance decides alone.
pub fn align(gold: &Glossed<'_>, answer: &Glossed<'_>) -> BTreeMap<String, String> {
    const MATCHED: usize = 12;
    let (gold_atoms, answer_atoms) = (gold.formula.atoms(), answer.formula.atoms());
    let says =
        |glossed: &Glossed<'_>, atom: &str| glossed.atoms.get(atom).map_or("", String::as_str).to_string();
    let answer_texts: Vec<String> = answer_atoms.iter().map(|atom| says(answer, atom)).collect();
    let pair = |(answer_atom, gold_atom): (&&str, &str)| (answer_atom.to_string(), gold_atom.to_string());
    if answer_texts.iter().all(String::is_empty) {
        return answer_atoms.iter().zip(answer_atoms.iter().copied()).map(pair).collect();
    }
    if gold_atoms.len().max(answer_atoms.len()) > MATCHED {
        return answer_atoms.iter().zip(gold_atoms.iter().copied()).map(pair).collect();
    }
    let gold_texts: Vec<BTreeSet<String>> = gold_atoms.iter().map(|atom| words(&says(gold, atom))).collect();
    let worth: Vec<Vec<f64>> = answer_texts
        .iter()
        .enumerate()
        .map(|(row, text)| {
            let text = words(text);
            gold_texts
                .iter()
                .enumerate()
                .map(|(column, gold)| jaccard(&text, gold) - 1e-3 * row.abs_diff(column) as f64)
                .collect()
        })
        .collect();
    let matching = best_matching(&worth, gold_atoms.len());
    answer_atoms
        .iter()
        .zip(matching)
        .filter_map(|(atom, partner)| Some(pair((atom, gold_atoms[partner?]))))
        .collect()
}

/// How much two glossary texts say the same, 0 to 1: shared words over all words, without accents and articles, each
/// word by its first five letters.
pub fn overlap(left: &str, right: &str) -> f64 {
    jaccard(&words(left), &words(right))
}

fn jaccard(left: &BTreeSet<String>, right: &BTreeSet<String>) -> f64 {
    let common = left.intersection(right).count();
    common as f64 / (left.len() + right.len() - common).max(1) as f64
}

/// Words that carry no content.
const ARTICLES: [&str; 14] =
    ["el", "la", "los", "las", "un", "una", "de", "que", "se", "es", "y", "a", "en", "no"];

fn words(text: &str) -> BTreeSet<String> {
    const STEM: usize = 5;
    let folded: String = text
        .chars()
        .flat_map(char::to_lowercase)
        .map(without_accent)
        .filter(|it| !is_combining(*it))
        .collect();
    folded
        .split(|character: char| !character.is_alphanumeric() && character != '_')
        .map(|word| word.chars().take(STEM).collect::<String>())
        .filter(|word| !word.is_empty() && !ARTICLES.contains(&word.as_str()))
        .collect()
}

fn is_combining(character: char) -> bool {
    ('\u{300}'..='\u{36F}').contains(&character)
}

/// The base letter of an accented Latin letter in lower case.
fn without_accent(character: char) -> char {
    match character {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => 'e',
        'ì'..='ï' | 'ī' => 'i',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò'..='ö' | 'ō' | 'ő' => 'o',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => 'u',
        'ý' | 'ÿ' => 'y',
        'ś' | 'š' | 'ş' => 's',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    }
}

/// Row by row, the column that each takes in the matching of greatest total worth, `None` where there are more rows
/// than columns; among equals the first in the order of columns. By dynamic programming over sets of columns.
fn best_matching(worth: &[Vec<f64>], columns: usize) -> Vec<Option<usize>> {
    const SAME: f64 = 1e-9;
    let rows = worth.len();
    let spare = rows.saturating_sub(columns);
    // best[row][set]: the most that the rows from `row` on can be worth when the columns of `set` are taken. A row may
    // stay without a column only as often as there are too few.
    let sets = 1_usize << columns;
    let mut best = vec![vec![f64::NEG_INFINITY; sets]; rows + 1];
    best[rows].fill(0.0);
    let idle_rows = |row: usize, set: usize| row - (set.count_ones() as usize).min(row);
    for row in (0..rows).rev() {
        for set in 0..sets {
            if idle_rows(row, set) > spare || set.count_ones() as usize > row {
                continue;
            }
            let mut most = if idle_rows(row, set) < spare { best[row + 1][set] } else { f64::NEG_INFINITY };
            for column in (0..columns).filter(|column| set >> column & 1 == 0) {
                most = most.max(worth[row][column] + best[row + 1][set | 1 << column]);
            }
            best[row][set] = most;
        }
    }
    let mut set = 0;
    (0..rows)
        .map(|row| {
            let here = best[row][set];
            let column = (0..columns).find(|&column| {
                set >> column & 1 == 0 && worth[row][column] + best[row + 1][set | 1 << column] >= here - SAME
            });
            set |= column.map_or(0, |column| 1 << column);
            column
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_accents_articles_and_endings() {
        assert_eq!(overlap("La lámpara está encendida", "una lampara ESTA encendido"), 1.0);
        assert_eq!(overlap("llueve", "nieva"), 0.0);
        assert_eq!(overlap("", ""), 0.0);
    }

    #[test]
    fn matching_is_the_best_and_ties_keep_the_order() {
        let worth = |rows: &[&[f64]]| rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>();
        assert_eq!(best_matching(&worth(&[&[0.9, 0.8], &[0.8, 0.1]]), 2), [Some(1), Some(0)]);
        assert_eq!(best_matching(&worth(&[&[0.5, 0.5], &[0.5, 0.5]]), 2), [Some(0), Some(1)]);
        assert_eq!(best_matching(&worth(&[&[0.1], &[0.2]]), 1), [None, Some(0)]);
        assert_eq!(best_matching(&worth(&[&[0.1, 0.7, 0.7]]), 3), [Some(1)]);
    }
}
