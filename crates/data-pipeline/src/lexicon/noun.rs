//! Nouns: read with their article, put into the plural by rule.

use super::agreement::{Agreement, Gender};
use super::verb::accent_last_vowel;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noun {
    pub text: String,
    pub agreement: Agreement,
    /// *el agua*, *un alma*: feminine, but with the masculine article in the singular.
    pub masculine_article: bool,
    /// Plural by nature or of several words: never put into another number.
    pub fixed_number: bool,
    /// *Marte*, *los Tigres* said without choosing a determiner.
    pub proper: bool,
    /// Stands without an article: *Marte*, *mis padres*.
    pub bare: bool,
}

impl Noun {
    /// Reads `el libro`, `la mesa`, `el agua/f`, `las gafas`, `mis padres`, `Marte`.
    pub fn read(entry: &str) -> Noun {
        let entry = entry.trim();
        let (text, marked) = entry.strip_suffix("/f").map_or((entry, false), |text| (text, true));
        let (article, rest) = text.split_once(' ').unwrap_or(("", text));
        let (gender, plural) = match article {
            "el" => (Gender::Masculine, false),
            "la" => (Gender::Feminine, false),
            "los" => (Gender::Masculine, true),
            "las" => (Gender::Feminine, true),
            "mis" | "sus" => {
                return Noun::whole(text, Agreement { gender: Gender::Masculine, plural: true });
            }
            _ => return Noun::whole(text, Agreement::MASCULINE),
        };
        let gender = if marked { Gender::Feminine } else { gender };
        Noun {
            text: rest.to_owned(),
            agreement: Agreement { gender, plural },
            masculine_article: marked,
            fixed_number: plural || rest.contains([' ', '²']) || rest.starts_with(char::is_uppercase),
            proper: rest.starts_with(char::is_uppercase),
            bare: false,
        }
    }

    fn whole(text: &str, agreement: Agreement) -> Noun {
        Noun {
            text: text.to_owned(),
            agreement,
            masculine_article: false,
            fixed_number: true,
            proper: true,
            bare: true,
        }
    }

    /// The definite article, empty where the noun stands without one.
    pub fn definite(&self, agreement: Agreement) -> &'static str {
        match agreement.plural {
            _ if self.bare => "",
            false if self.masculine_article => "el",
            _ => agreement.pick(["el", "la", "los", "las"]),
        }
    }
}

/// The plural of a word.
pub fn plural(word: &str) -> String {
    if word.ends_with(['a', 'e', 'i', 'o', 'u', 'á', 'é', 'ó']) {
        return format!("{word}s");
    }
    if let Some(root) = word.strip_suffix('z') {
        return format!("{root}ces");
    }
    for (stressed, plain) in [("ón", "ones"), ("és", "eses"), ("án", "anes"), ("ín", "ines"), ("ús", "uses")]
    {
        if let Some(root) = word.strip_suffix(stressed) {
            return format!("{root}{plain}");
        }
    }
    if let Some(stem) = ["an", "en", "in", "on"].iter().find_map(|end| word.strip_suffix(end)) {
        // examen → exámenes: the stress stays where it was, and now needs its mark.
        return format!("{}{}es", accent_last_vowel(stem), &word[stem.len()..]);
    }
    if word.ends_with(['s', 'x']) {
        return word.to_owned();
    }
    format!("{word}es")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_by_rule() {
        for (one, many) in [
            ("libro", "libros"),
            ("pared", "paredes"),
            ("lápiz", "lápices"),
            ("camión", "camiones"),
            ("crisis", "crisis"),
            ("inglés", "ingleses"),
            ("café", "cafés"),
            ("examen", "exámenes"),
            ("joven", "jóvenes"),
        ] {
            assert_eq!(plural(one), many);
        }
    }

    #[test]
    fn article_of_stressed_a() {
        let water = Noun::read("el agua/f");
        assert_eq!((water.definite(water.agreement), water.agreement.gender), ("el", Gender::Feminine));
    }
}
