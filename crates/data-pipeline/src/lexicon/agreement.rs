//! Gender and number, and the endings that show them.

use super::noun::plural;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gender {
    Masculine,
    Feminine,
}

/// What a subject asks of the words that agree with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Agreement {
    pub gender: Gender,
    pub plural: bool,
}

impl Agreement {
    pub const MASCULINE: Agreement = Agreement { gender: Gender::Masculine, plural: false };

    /// Picks among masculine singular, feminine singular, masculine plural, feminine plural.
    pub fn pick<T: Copy>(self, four: [T; 4]) -> T {
        four[usize::from(self.plural) * 2 + usize::from(self.gender == Gender::Feminine)]
    }
}

/// The form of an adjective, given in the masculine singular, that agrees. Only the first word changes (*divisible por
/// 2*), and none if it is a preposition (*en peligro*).
pub fn inflect(adjective: &str, agreement: Agreement) -> String {
    let (head, rest) = adjective.split_once(' ').map_or((adjective, ""), |(head, rest)| (head, rest));
    const FIXED: [&str; 16] = [
        "de",
        "en",
        "sin",
        "a",
        "al",
        "sobre",
        "por",
        "bajo",
        "fuera",
        "cerca",
        "lejos",
        "mal",
        "múltiplo",
        "divisor",
        "ante",
        "demasiado",
    ];
    // A preposition stands before something: bajo sospecha, but precio bajo.
    if FIXED.contains(&head) && !(head == "bajo" && rest.is_empty()) {
        return adjective.to_owned();
    }
    match head {
        "más" => return format!("más {}", inflect(rest, agreement)),
        "buen" => {
            let good = agreement.pick(["buen", "buena", "buenos", "buenas"]);
            return format!("{good} {}", inflect(rest, agreement));
        }
        _ => {}
    }
    let mut form = head.to_owned();
    if agreement.gender == Gender::Feminine {
        form = feminine(head);
    }
    if agreement.plural {
        form = plural(&form);
    }
    if rest.is_empty() { form } else { format!("{form} {rest}") }
}

pub(super) fn feminine(word: &str) -> String {
    let cut = |ending: &str, by: &str| word.strip_suffix(ending).map(|root| format!("{root}{by}"));
    let longer = ["dor", "tor", "sor", "ñol", "luz"].iter().any(|end| word.ends_with(end));
    match () {
        () if longer => format!("{word}a"),
        () => cut("o", "a")
            .or_else(|| cut("ón", "ona"))
            .or_else(|| cut("és", "esa"))
            .or_else(|| cut("án", "ana"))
            .unwrap_or_else(|| word.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjectives_agree() {
        let feminine = Agreement { gender: Gender::Feminine, plural: false };
        let plurals = Agreement { gender: Gender::Feminine, plural: true };
        for (word, one, many) in [
            ("rico", "rica", "ricas"),
            ("feliz", "feliz", "felices"),
            ("joven", "joven", "jóvenes"),
            ("trabajador", "trabajadora", "trabajadoras"),
            ("español", "española", "españolas"),
            ("divisible por 2", "divisible por 2", "divisibles por 2"),
            ("en peligro", "en peligro", "en peligro"),
            ("bajo", "baja", "bajas"),
            ("bajo sospecha", "bajo sospecha", "bajo sospecha"),
        ] {
            assert_eq!((inflect(word, feminine), inflect(word, plurals)), (one.to_owned(), many.to_owned()));
        }
    }
}
