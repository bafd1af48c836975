//! Sentences whose clauses can stand alone, so that one of them can be affirmed, denied or asked about.

use data_pipeline::Maker;
use logic_parser::Formula;

/// Sentences tried for one that will do.
const TRIES: u64 = 200;

/// A sentence of two clauses, and each of them as it stands in it.
pub(crate) struct TwoClauses {
    /// The sentence, with a full stop.
    pub sentence: String,
    /// The first clause, in lower case.
    pub p: String,
    /// The second one.
    pub q: String,
}

impl TwoClauses {
    /// A sentence that says `p → q` as *si p, entonces q*.
    pub fn conditional(maker: &Maker, index: u64) -> Option<TwoClauses> {
        said(maker, "p → q", &[("Si ", " entonces ")], index)
    }

    /// A sentence that says `p ∨ q` as *o p o q*.
    #[cfg(any(test, feature = "tools"))]
    pub fn disjunction(maker: &Maker, index: u64) -> Option<TwoClauses> {
        said(maker, "p ∨ q", &[("O bien ", " o bien "), ("O ", " o ")], index)
    }

    /// *Resulta que p.*
    pub fn affirmed(clause: &str) -> String {
        format!("Resulta que {clause}.")
    }

    /// *No es cierto que p.*
    pub fn denied(clause: &str) -> String {
        format!("No es cierto que {clause}.")
    }
}

fn said(maker: &Maker, pattern: &str, ways: &[(&str, &str)], index: u64) -> Option<TwoClauses> {
    let formula = Formula::parse(pattern).ok()?;
    (0..TRIES).find_map(|n| {
        let row = maker.say(&formula, index.wrapping_mul(TRIES) + n).filter(|row| row.formula == pattern)?;
        let sentence = row.input.trim_end_matches('.');
        let (p, q) = ways.iter().find_map(|(first, second)| {
            let (p, q) = sentence.strip_prefix(first)?.split_once(second)?;
            Some((p.trim_end_matches(','), q))
        })?;
        // The glossary says what was cut out, so that nothing was cut in two; and an unreal conditional does not stand alone.
        let glossed = row.atoms.get("p").is_some_and(|text| text == p)
            && row.atoms.get("q").is_some_and(|text| text == q);
        let unreal =
            q.split(' ').any(|word| ["ría", "rían", "rías", "ríamos"].iter().any(|end| word.ends_with(end)));
        (glossed && !unreal && p != q).then(|| TwoClauses {
            sentence: format!("{sentence}."),
            p: p.to_owned(),
            q: q.to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_those_of_the_sentence() {
        let maker = Maker::new(1);
        for index in 0..40 {
            let two = TwoClauses::conditional(&maker, index).expect("among two hundred sentences");
            let sentence = two.sentence.replace(", entonces", " entonces");
            assert_eq!(sentence, format!("Si {} entonces {}.", two.p, two.q));
        }
        let two = TwoClauses::disjunction(&maker, 1).expect("among two hundred sentences");
        assert!(two.sentence.starts_with("O ") && two.sentence.contains(&two.q), "{}", two.sentence);
    }
}
