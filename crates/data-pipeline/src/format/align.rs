//! Where a sentence says a glossary text, when nobody has told: an alignment of the two word sequences.
//!
//! The glossary's words are looked for in the sentence in their order, as close together as can be; a word counts as
//! found if it is the same, or begins the same (`llueve`, `llueva`). Words left over may then be found anywhere,
//! short ones beside what is found (`la máquina se detiene` in `se detenga la máquina`).

use crate::{WordSpan, normal, vocabulary::MAX_WORDS, words};

/// What jumping over words costs, in matched words.
const JUMP: f32 = 0.4;

/// The words of the sentence that say `glossary`, or `None` if less than half of it is there.
pub(super) fn find(glossary: &str, sentence: &[&str]) -> Option<Vec<WordSpan>> {
    let wanted: Vec<String> = words(glossary).into_iter().take(MAX_WORDS).map(normal::word).collect();
    let said: Vec<String> = sentence.iter().map(|word| normal::word(word)).collect();
    let mut found: Vec<Option<usize>> = in_order(&wanted, &said);
    for short in [false, true] {
        for (index, word) in wanted.iter().enumerate().filter(|(_, word)| is_short(word) == short) {
            if found[index].is_none() {
                let taken = |at: usize| found.contains(&Some(at));
                let beside = |at: usize| taken(at + 1) || at > 0 && taken(at - 1);
                let fits =
                    |&at: &usize| !taken(at) && likeness(word, &said[at]) > 0.0 && (!short || beside(at));
                found[index] = (0..said.len()).find(fits);
            }
        }
    }
    let total: f32 = wanted.iter().map(|word| weight(word)).sum();
    let matched = wanted.iter().zip(&found).filter(|(_, at)| at.is_some()).map(|(word, _)| weight(word));
    let mut at: Vec<usize> = found.iter().flatten().copied().collect();
    at.sort_unstable();
    (!at.is_empty() && matched.sum::<f32>() >= total / 2.0).then(|| runs(&at))
}

/// A wanted word and its place in the sentence.
type Pair = (usize, usize);

/// For each wanted word where it is said: the alignment in order with the most weight, less the jumps.
fn in_order(wanted: &[String], said: &[String]) -> Vec<Option<usize>> {
    // best[w][s]: the weight of the best alignment that ends with wanted word w at place s, and the pair before it.
    let mut best: Vec<Vec<(f32, Option<Pair>)>> = Vec::new();
    for (w, word) in wanted.iter().enumerate() {
        let row = said.iter().enumerate().map(|(s, place)| {
            let gain = likeness(word, place) * weight(word);
            if gain == 0.0 {
                return (f32::NEG_INFINITY, None);
            }
            let pairs = (0..w).flat_map(|w| (0..s).map(move |s| (w, s)));
            pairs.fold((gain, None), |chosen: (f32, _), (before, at)| {
                let jump = if at + 1 == s { 0.0 } else { JUMP };
                let total = best[before][at].0 + gain - jump;
                if total > chosen.0 { (total, Some((before, at))) } else { chosen }
            })
        });
        let row = row.collect();
        best.push(row);
    }
    let mut found = vec![None; wanted.len()];
    let pairs = (0..wanted.len()).flat_map(|w| (0..said.len()).map(move |s| (w, s)));
    let mut step = pairs
        .filter(|&(w, s)| best[w][s].0 > 0.0)
        .reduce(|a, b| if best[b.0][b.1].0 > best[a.0][a.1].0 { b } else { a });
    while let Some((w, s)) = step {
        found[w] = Some(s);
        step = best[w][s].1;
    }
    found
}

/// 1 for the same word, 0.7 for one that begins the same, else 0.
fn likeness(a: &str, b: &str) -> f32 {
    let common = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let longer = a.chars().count().max(b.chars().count());
    match common {
        _ if a == b => 1.0,
        3.. if 2 * common + 1 >= longer => 0.7,
        _ => 0.0,
    }
}

fn weight(word: &str) -> f32 {
    if is_short(word) { 0.4 } else { 1.0 }
}

/// Short words are mostly articles and pronouns, and say little.
fn is_short(word: &str) -> bool {
    word.len() <= 3
}

/// Ascending places as runs.
fn runs(places: &[usize]) -> Vec<WordSpan> {
    let chunks = places.chunk_by(|a, b| a + 1 == *b);
    chunks.map(|run| WordSpan { first: run[0] as u16, last: run[run.len() - 1] as u16 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(glossary: &str, sentence: &str) -> Option<String> {
        let words = words(sentence);
        let spans = find(glossary, &words)?;
        let parts = spans.iter().map(|span| words[span.first.into()..=span.last.into()].join(" "));
        Some(parts.collect::<Vec<_>>().join(" + "))
    }

    #[test]
    fn atoms_are_found_whole_inflected_broken_and_turned_around() {
        let cases = [
            ("llueve", "Si llueve, me mojo", Some("llueve")),
            ("llueve", "No creo que llueva hoy", Some("llueva")),
            ("el perro me mordió", "El perro no me mordió", Some("El perro + me mordió")),
            ("la máquina se detiene", "Para que se detenga la máquina, pulsa", Some("se detenga la máquina")),
            ("Juan baila", "Juan canta y baila", Some("Juan + baila")),
            ("el sol brilla", "Si llueve, me mojo", None),
            ("", "Si llueve, me mojo", None),
        ];
        for (glossary, sentence, expected) in cases {
            assert_eq!(text(glossary, sentence).as_deref(), expected, "{glossary}");
        }
    }

    #[test]
    fn of_two_places_the_compact_one_is_taken() {
        let sentence = "Si el tren llega o el barco se hunde, el tren sale";
        assert_eq!(text("el tren sale", sentence).as_deref(), Some("el tren sale"));
    }
}
