use std::collections::BTreeMap;

use logic_parser::Formula;

use super::letters::{relettered, shifted};
use crate::realize::{OPENERS, Opener};
use crate::{Row, WordSpan, normal, words};

/// How two sentences are joined by *y*; the semicolon keeps either from reaching into the other.
const JOINTS: [&str; 5] = ["; además,", "; y", "; pero", "; asimismo,", "; sin embargo,"];

/// Joins two rows into one that says both: *A; además, B* is `A ∧ B`. An atom that both sentences say in the same
/// words is one atom. `variant` chooses the joining words.
///
/// `None` if the two have more atoms together than there are letters, a sentence of them does not end like a
/// statement, the second opens with a word that may be a name or with a joint of its own, or either formula or
/// glossary is broken.
///
/// ```
/// use data_pipeline::{Row, augment::compose};
///
/// let row = |input: &str, formula: &str, p: &str, q: &str| Row {
///     input: input.into(),
///     formula: formula.into(),
///     atoms: [("p".into(), p.into()), ("q".into(), q.into())].into(),
///     ..Row::default()
/// };
/// let rain = row("Si llueve, me mojo.", "p → q", "llueve", "me mojo");
/// let snow = row("No nieva o no llueve", "¬p ∨ ¬q", "nieva", "llueve");
/// let both = compose(&rain, &snow, 1).unwrap();
/// assert_eq!(both.input, "Si llueve, me mojo; y no nieva o no llueve.");
/// assert_eq!(both.formula, "(p → q) ∧ (¬r ∨ ¬p)");
/// assert_eq!(both.atoms["r"], "nieva");
/// ```
pub fn compose(first: &Row, second: &Row, variant: usize) -> Option<Row> {
    let joint = JOINTS[variant % JOINTS.len()];
    let (head, tail) = (statement(&first.input)?, statement(&second.input)?);
    let input = format!("{head}{joint} {}.", uncapitalised(tail)?);

    // Every atom gets a name of its own for the time being, but where the glossaries agree, the same.
    let shift = words(head).len() + words(joint).len();
    let shared = |text: &String| {
        let same = |(_, said): &(&String, &String)| normal::sentence(said) == normal::sentence(text);
        first.atoms.iter().find(same).map(|(atom, _)| atom)
    };
    let name = |atom: &str| match second.atoms.get(atom).and_then(shared) {
        Some(atom) => format!("a_{atom}"),
        None => format!("b_{atom}"),
    };
    let left = Formula::parse(&first.formula).ok()?.rename(|atom| format!("a_{atom}"));
    let formula = left.and(Formula::parse(&second.formula).ok()?.rename(name));

    // What the first sentence says of an atom comes last and stays.
    let mut atoms: BTreeMap<String, String> = BTreeMap::new();
    let mut spans: BTreeMap<String, Vec<WordSpan>> = BTreeMap::new();
    for (row, name, shift) in
        [(second, &name as &dyn Fn(&str) -> String, shift), (first, &|a| format!("a_{a}"), 0)]
    {
        atoms.extend(row.atoms.iter().map(|(atom, text)| (name(atom), text.clone())));
        for (atom, said) in &row.spans {
            spans.insert(name(atom), said.iter().map(|&span| shifted(span, shift)).collect::<Option<_>>()?);
        }
    }
    let mut connectors = second.connectors.clone();
    connectors.extend(first.connectors.clone());
    connectors.insert("∧".into(), joint.to_owned());
    relettered(Row { input, atoms, spans, connectors, ..first.clone() }, &formula)
}

/// The sentence without its full stop; `None` for questions, exclamations and lists left open.
fn statement(sentence: &str) -> Option<&str> {
    let sentence = sentence.trim().trim_end_matches('.').trim_end();
    (!sentence.ends_with(['?', '!', ':', ';', ',', '…']))
        .then_some(sentence)
        .filter(|sentence| !sentence.is_empty())
}

/// The sentence with a small letter at the beginning; `None` if its first word may be a name or is an opener.
fn uncapitalised(sentence: &str) -> Option<String> {
    let normal = normal::sentence(sentence);
    let opens_with = |opener: &Opener| {
        let rest = normal.strip_prefix(opener.normal.as_str());
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    if !normal::content_words(sentence.split_whitespace().next()?).is_empty()
        || OPENERS.iter().any(opens_with)
    {
        return None;
    }
    let mut chars = sentence.chars();
    Some(chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Pointing;

    fn row(input: &str, formula: &str, atoms: &[(&str, &str, u16, u16)]) -> Row {
        Row {
            input: input.into(),
            formula: formula.into(),
            atoms: atoms.iter().map(|a| (a.0.to_owned(), a.1.to_owned())).collect(),
            spans: atoms.iter().map(|a| (a.0.to_owned(), vec![WordSpan { first: a.2, last: a.3 }])).collect(),
            ..Row::default()
        }
    }

    #[test]
    fn spans_of_the_second_sentence_move_behind_the_joint() {
        let first = row("Llueve.", "p", &[("p", "llueve", 0, 0)]);
        let second = row("Si Ana canta, me voy", "p → q", &[("p", "Ana canta", 1, 2), ("q", "me voy", 4, 5)]);
        for variant in 0..JOINTS.len() {
            let both = compose(&first, &second, variant).unwrap();
            assert_eq!(both.formula, "p ∧ (q → r)");
            let answer = Pointing::read(&both.input, &Pointing::answer(&both).unwrap()).unwrap();
            assert_eq!(answer.atoms["p"].to_lowercase(), "llueve");
            assert_eq!((answer.atoms["q"].as_str(), answer.atoms["r"].as_str()), ("Ana canta", "me voy"));
        }
    }

    #[test]
    fn names_and_openers_do_not_follow_a_joint() {
        assert_eq!(uncapitalised("El IVA sube").as_deref(), Some("el IVA sube"));
        assert_eq!(uncapitalised("Ana canta"), None);
        assert_eq!(uncapitalised("Por lo tanto, llueve"), None);
        assert_eq!(uncapitalised("Ya llueve").as_deref(), Some("ya llueve"));
    }

    #[test]
    fn what_cannot_be_joined_is_not() {
        let statement = row("Llueve", "p", &[("p", "llueve", 0, 0)]);
        let question = row("¿Llueve?", "p", &[("p", "llueve", 1, 1)]);
        assert_eq!(compose(&statement, &question, 0), None);
        assert_eq!(compose(&question, &statement, 0), None);
        let broken = row("Llueve", "p →", &[]);
        assert_eq!(compose(&statement, &broken, 0), None);
        let five = |letter: &str| {
            let atom = |i: usize| (format!("{letter}{i}"), format!("{letter} número {i}"));
            let atoms: BTreeMap<_, _> = (0..5).map(atom).collect();
            let formula = atoms.keys().cloned().collect::<Vec<_>>().join(" ∧ ");
            Row { input: "No llueve".into(), formula, atoms, ..Row::default() }
        };
        assert_eq!(compose(&five("a"), &five("b"), 0), None);
        assert_eq!(compose(&five("a"), &five("a"), 0).unwrap().atoms.len(), 5);
    }
}
