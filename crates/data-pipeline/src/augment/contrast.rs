use logic_parser::{Connective, Formula, Node};

use super::letters::{relettered, shifted};
use crate::{Row, normal, words};

/// The row's nearest neighbour with another meaning: *y* and *o* exchanged (`p ∧ q`, `p ∨ q`), *si* made *solo si*
/// (`q → p`, `p → q`), or a negation of both halves made one of the first alone (*no es cierto que A y B*, `¬(p ∧ q)`;
/// *no es cierto que A, pero B*, `¬p ∧ q`). A model that sees both learns what the one word does.
///
/// Only where the row says that this word is the connective ([`Row::connectors`]) and which words are atoms
/// ([`Row::spans`]), so that no *y* inside a name is touched; else `None`.
///
/// ```
/// use data_pipeline::{Row, augment::contrast};
///
/// let row: Row = serde_json::from_str(
///     r#"{"input": "Ana canta y Eva ríe", "formula": "p ∧ q", "atoms": {"p": "Ana canta", "q": "Eva ríe"},
///         "spans": {"p": [{"first": 0, "last": 1}], "q": [{"first": 3, "last": 4}]}, "connectors": {"∧": "y"}}"#,
/// )?;
/// let other = contrast(&row).unwrap();
/// assert_eq!((other.input.as_str(), other.formula.as_str()), ("Ana canta o Eva ríe", "p ∨ q"));
/// assert_eq!(contrast(&other).unwrap().input, row.input);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn contrast(row: &Row) -> Option<Row> {
    let formula = Formula::parse(&row.formula).ok()?;
    if let Some(narrowed) = narrowed(row, &formula) {
        return Some(narrowed);
    }
    let count = |connective| formula.nodes().iter().filter(|&&node| node == Node::Binary(connective)).count();
    let said = |connective: &str| row.connectors.get(connective).map(String::as_str);
    match (count(Connective::And), count(Connective::Or)) {
        (1, 0) if said("∧") == Some("y") => {
            return exchange(row, &formula, Connective::And, Connective::Or);
        }
        (0, 1) if said("∨") == Some("o") => {
            return exchange(row, &formula, Connective::Or, Connective::And);
        }
        _ => {}
    }
    let conditional = formula.root() == Node::Binary(Connective::Implies) && count(Connective::Implies) == 1;
    if conditional && said("→") == Some("si") { only_if(row, &formula) } else { None }
}

/// What denies all that follows, up to the end of the sentence.
const DENIALS: [&str; 4] = ["no es cierto que", "no es verdad que", "es falso que", "no es verdadero que"];

/// `¬(p ∧ q)` said as *no es cierto que A y B* becomes `¬p ∧ q`: the second half is said as its glossary has it, in the
/// indicative, so that it cannot be meant to be denied.
fn narrowed(row: &Row, formula: &Formula) -> Option<Row> {
    let [Node::Atom(p), Node::Atom(q), Node::Binary(Connective::And), Node::Not] = formula.nodes() else {
        return None;
    };
    let (p, q) = (formula.name(*p), formula.name(*q));
    let (&[first], &[second]) = (row.spans.get(p)?.as_slice(), row.spans.get(q)?.as_slice()) else {
        return None;
    };
    let words = words(&row.input);
    let normal = |range: std::ops::Range<usize>| {
        let words = words.get(range)?.iter().filter(|word| word.chars().any(char::is_alphanumeric));
        Some(words.map(|word| normal::word(word)).collect::<Vec<_>>().join(" "))
    };
    let (start, end) = (usize::from(first.first), usize::from(first.last) + 1);
    let denial = normal(0..start)?;
    let link = normal(end..second.first.into())?;
    let rest = normal(usize::from(second.last) + 1..words.len())?;
    if !DENIALS.contains(&denial.as_str())
        || !matches!(link.as_str(), "y" | "e" | "y que")
        || !rest.is_empty()
    {
        return None;
    }
    let said = row.atoms.get(q)?;
    let until = words.get(end - 1)?;
    let head = row.input.get(..until.as_ptr() as usize + until.len() - row.input.as_ptr() as usize)?;
    let stop = if row.input.ends_with('.') { "." } else { "" };
    let at = u16::try_from(end + 2).ok()?;
    let length = u16::try_from(self::words(said).len()).ok()?;
    let mut spans = row.spans.clone();
    spans.insert(q.to_owned(), vec![crate::WordSpan { first: at, last: (at + length).checked_sub(1)? }]);
    let mut connectors = row.connectors.clone();
    connectors.insert("∧".into(), "pero".into());
    connectors.insert("¬".into(), denial);
    let input = format!("{head}, pero {said}{stop}");
    relettered(Row { input, connectors, spans, ..row.clone() }, &Formula::atom(p).not().and(Formula::atom(q)))
}

fn exchange(row: &Row, formula: &Formula, from: Connective, to: Connective) -> Option<Row> {
    let words = words(&row.input);
    let spellings: [&str; 2] = if from == Connective::And { ["y", "e"] } else { ["o", "u"] };
    let at = the_only(&words, row, &spellings)?;
    let next = normal::word(words.get(at + 1)?);
    if matches!(next.as_str(), "solo" | "solamente" | "unicamente" | "tambien" | "tampoco" | "si" | "bien") {
        return None;
    }
    let word = match to {
        Connective::And if next.starts_with('i') || next.starts_with("hi") && !next.starts_with("hie") => "e",
        Connective::And => "y",
        _ if next.starts_with('o') || next.starts_with("ho") => "u",
        _ => "o",
    };
    let formula = replaced(formula, from, to)?;
    let mut connectors = row.connectors.clone();
    connectors.remove(from.symbol().encode_utf8(&mut [0; 4]) as &str);
    connectors.insert(to.symbol().to_string(), if to == Connective::And { "y" } else { "o" }.to_owned());
    let input = with_word(&row.input, words[at], word)?;
    relettered(Row { input, connectors, ..row.clone() }, &formula)
}

fn only_if(row: &Row, formula: &Formula) -> Option<Row> {
    let words = words(&row.input);
    let at = the_only(&words, row, &["si"])?;
    let before = normal::word(words.get(at.checked_sub(1)?)?);
    if matches!(before.as_str(), "y" | "o" | "ni" | "no" | "solo" | "que" | "," | ";") {
        return None;
    }
    let [condition, consequence] = formula.operands().try_into().ok()?;
    let mut connectors = row.connectors.clone();
    connectors.insert("→".into(), "solo si".into());
    let mut spans = row.spans.clone();
    for span in spans.values_mut().flatten().filter(|span| usize::from(span.first) >= at) {
        *span = shifted(*span, 1)?;
    }
    let input = with_word(&row.input, words[at], "solo si")?;
    relettered(Row { input, connectors, spans, ..row.clone() }, &consequence.implies(condition))
}

/// The index of the one word outside all atoms that is spelled so; `None` if there are several or the atoms are not
/// known.
fn the_only(words: &[&str], row: &Row, spellings: &[&str]) -> Option<usize> {
    if !row.atoms.keys().all(|atom| row.spans.contains_key(atom)) {
        return None;
    }
    let outside = |index: usize| {
        let within = |span: &&crate::WordSpan| (usize::from(span.first)..=span.last.into()).contains(&index);
        !row.spans.values().flatten().any(|span| within(&span))
    };
    let mut found = (0..words.len()).filter(|&index| spellings.contains(&words[index]) && outside(index));
    found.next().filter(|_| found.next().is_none())
}

/// `sentence` with `old`, a slice of it, replaced.
fn with_word(sentence: &str, old: &str, new: &str) -> Option<String> {
    let at = (old.as_ptr() as usize).checked_sub(sentence.as_ptr() as usize)?;
    Some([sentence.get(..at)?, new, sentence.get(at + old.len()..)?].concat())
}

fn replaced(formula: &Formula, from: Connective, to: Connective) -> Option<Formula> {
    let mut operands: Vec<Formula> = Vec::new();
    for &node in formula.nodes() {
        let made = match node {
            Node::Atom(id) => Formula::atom(formula.name(id)),
            Node::Not => operands.pop()?.not(),
            Node::Binary(connective) => {
                let right = operands.pop()?;
                operands.pop()?.join(if connective == from { to } else { connective }, &right)
            }
            Node::Top | Node::Bottom => return None,
        };
        operands.push(made);
    }
    operands.pop()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WordSpan;

    fn row(input: &str, formula: &str, connector: (&str, &str), spans: &[(&str, u16, u16)]) -> Row {
        let words = words(input);
        let text = |first: u16, last: u16| words[first.into()..=last.into()].join(" ");
        Row {
            input: input.into(),
            formula: formula.into(),
            atoms: spans.iter().map(|s| (s.0.to_owned(), text(s.1, s.2))).collect(),
            spans: spans.iter().map(|s| (s.0.to_owned(), vec![WordSpan { first: s.1, last: s.2 }])).collect(),
            connectors: [(connector.0.to_owned(), connector.1.to_owned())].into(),
            ..Row::default()
        }
    }

    #[test]
    fn si_becomes_solo_si_and_the_arrow_turns() {
        let spans = [("p", 4, 5), ("q", 0, 2)];
        let other = contrast(&row("El perro ladra si Ana llega.", "p → q", ("→", "si"), &spans)).unwrap();
        assert_eq!(other.input, "El perro ladra solo si Ana llega.");
        assert_eq!(other.formula, "p → q");
        assert_eq!((other.atoms["p"].as_str(), other.atoms["q"].as_str()), ("El perro ladra", "Ana llega"));
        assert_eq!(other.spans["q"], [WordSpan { first: 5, last: 6 }]);
    }

    #[test]
    fn what_denied_both_denies_one() {
        let spans = [("p", 4, 5), ("q", 7, 8)];
        let mut both = row("No es cierto que Ana cante y Eva ría.", "¬(p ∧ q)", ("∧", "y"), &spans);
        both.atoms =
            [("p", "Ana canta"), ("q", "Eva ríe")].map(|(p, said)| (p.to_owned(), said.to_owned())).into();
        let one = contrast(&both).unwrap();
        assert_eq!(one.input, "No es cierto que Ana cante, pero Eva ríe.");
        assert_eq!((one.formula.as_str(), one.atoms["q"].as_str()), ("¬p ∧ q", "Eva ríe"));
        let words = words(&one.input);
        let span = one.spans["q"][0];
        assert_eq!(words[span.first.into()..=span.last.into()], ["Eva", "ríe"]);

        let longer = Row { input: "No es cierto que Ana cante y Eva ría a la vez.".into(), ..both.clone() };
        assert!(
            contrast(&longer).is_none_or(|other| other.formula == "¬(p ∨ q)"),
            "a la vez is not said of one"
        );
        let either = Row { formula: "¬(p ∨ q)".into(), input: both.input.replace(" y ", " o "), ..both };
        assert!(contrast(&either).is_none_or(|other| other.formula != "¬p ∧ q"));
    }

    #[test]
    fn spelling_follows_the_next_word() {
        let spans = [("p", 0, 1), ("q", 3, 4)];
        let or = contrast(&row("Ana canta y Olga ríe", "p ∧ q", ("∧", "y"), &spans)).unwrap();
        assert_eq!(or.input, "Ana canta u Olga ríe");
        let and = contrast(&row("Ana canta o Inés ríe", "p ∨ q", ("∨", "o"), &spans)).unwrap();
        assert_eq!(and.input, "Ana canta e Inés ríe");
    }

    #[test]
    fn only_the_connective_is_touched() {
        let inside = [("p", 0, 3), ("q", 5, 6)];
        let other = contrast(&row("Ana y Luis cantan y Eva ríe", "p ∧ q", ("∧", "y"), &inside)).unwrap();
        assert_eq!(other.input, "Ana y Luis cantan o Eva ríe");

        let spans = [("p", 0, 1), ("q", 6, 7)];
        assert_eq!(
            contrast(&row("Ana canta si y solo si Eva ríe", "p ↔ q", ("↔", "si y solo si"), &spans)),
            None
        );
        assert_eq!(
            contrast(&row("Ana canta solo y también si Eva", "p ∧ q", ("∧", "pero"), &spans[..1])),
            None
        );
        let initial = [("p", 1, 2), ("q", 4, 5)];
        assert_eq!(contrast(&row("Si Ana canta , Eva ríe", "p → q", ("→", "si"), &initial)), None);
        let unknown =
            Row { spans: Default::default(), ..row("Ana canta y Eva ríe", "p ∧ q", ("∧", "y"), &[]) };
        assert_eq!(contrast(&unknown), None);
    }
}
