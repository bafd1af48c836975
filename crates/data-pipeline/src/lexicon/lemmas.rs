use std::collections::BTreeSet;

use super::agreement::{Agreement, Gender, feminine, inflect};
use super::table::{Adjective, Lexicon};

/// How many words the tables hold, as a dictionary would list them: a feminine counts with its masculine, a word of two
/// classes once. Invented words do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lemmas {
    /// Infinitives.
    pub verbs: usize,
    /// Nouns, by the first word where there are several: *base de datos* is *base*.
    pub nouns: usize,
    /// What agrees with its subject and is no noun too.
    pub adjectives: usize,
    /// Names of persons, places and teams.
    pub names: usize,
}

impl Lemmas {
    pub(super) fn of(lexicon: &Lexicon) -> Lemmas {
        let verbs: BTreeSet<&str> = lexicon
            .domains
            .iter()
            .flat_map(|domain| {
                let personal = domain.verbs.iter().map(|one| one.verb);
                let impersonal = domain.impersonal.iter().map(|one| one.verb);
                personal.chain(impersonal).chain(domain.passive.iter().map(|one| one.verb))
            })
            .chain(lexicon.pleasing.iter().map(|one| one.verb))
            .map(|verb| verb.infinitive.as_str())
            .collect();
        let head = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
        let common = |noun: &String| !noun.starts_with(char::is_uppercase);
        let words = lexicon.classes.iter().flatten().map(|noun| head(&noun.text));
        let actions = lexicon.nominal.iter().map(|noun| head(&noun.text));
        let mut nouns: BTreeSet<String> = words.chain(actions).filter(common).collect();
        let feminines: BTreeSet<String> =
            nouns.iter().filter(|noun| feminine(noun) != **noun).map(|noun| feminine(noun)).collect();
        nouns.retain(|noun| !feminines.contains(noun));
        let many = Agreement { gender: Gender::Feminine, plural: true };
        let adjectives: BTreeSet<String> = lexicon
            .domains
            .iter()
            .flat_map(|domain| &domain.predicates)
            .flat_map(|predicates| &predicates.adjectives)
            .filter_map(|adjective| match adjective {
                Adjective::Agreeing(text) | Adjective::WithArticle(text) => Some(text),
                Adjective::Fixed(_) => None,
            })
            .filter(|text| inflect(text, many) != **text)
            .map(|text| head(text))
            .collect();
        let persons = [&lexicon.men, &lexicon.women, &lexicon.surnames, &lexicon.places];
        let names: BTreeSet<&str> = persons
            .into_iter()
            .flatten()
            .map(String::as_str)
            .chain(lexicon.teams.iter().map(|team| team.text.as_str()))
            .collect();
        Lemmas {
            verbs: verbs.len(),
            nouns: nouns.len(),
            adjectives: adjectives.difference(&nouns).count(),
            names: names.len(),
        }
    }

    /// All but names.
    pub fn total(&self) -> usize {
        self.verbs + self.nouns + self.adjectives
    }
}

/// How many words the maker knows.
///
/// ```
/// assert!(data_pipeline::lemmas().total() >= 3_000);
/// ```
pub fn lemmas() -> Lemmas {
    Lemmas::of(super::lexicon())
}
