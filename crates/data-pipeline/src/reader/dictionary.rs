//! What the reader knows of single words: verb forms with their person and mood, function words, nouns.

use std::{collections::HashMap, ops::BitOr};

use crate::{
    lexicon::{IRREGULAR, Simple, Verb, conjugate, lexicon, lines, plural, read_irregular},
    normal,
};

const KNOWN_VERBS: &str = include_str!("../../data/es/known_verbs.tsv");
/// Words by their job.
pub const FUNCTION_WORDS: &str = include_str!("../../data/es/function_words.tsv");

/// The infinitive of a verb, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lemma(pub u32);

/// A set of properties of words, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    pub const DETERMINER: Kinds = Kinds(1);
    pub const PREPOSITION: Kinds = Kinds(1 << 1);
    pub const CLITIC: Kinds = Kinds(1 << 2);
    pub const PRONOUN: Kinds = Kinds(1 << 3);
    pub const RELATIVE: Kinds = Kinds(1 << 4);
    pub const NEGATION: Kinds = Kinds(1 << 5);
    pub const CONJUNCTION: Kinds = Kinds(1 << 6);
    /// Never a verb, whatever it looks like.
    pub const WORD: Kinds = Kinds(1 << 7);
    pub const NOUN: Kinds = Kinds(1 << 8);
    pub const INFINITIVE: Kinds = Kinds(1 << 9);
    pub const GERUND: Kinds = Kinds(1 << 10);
    pub const PARTICIPLE: Kinds = Kinds(1 << 11);
    /// Its verb takes no object.
    pub const INTRANSITIVE: Kinds = Kinds(1 << 12);
    /// A form of *ser*, *estar* and the like.
    pub const COPULA: Kinds = Kinds(1 << 13);
    /// A form of *haber*.
    pub const HABER: Kinds = Kinds(1 << 14);
    /// A name of a person or a place.
    pub const NAME: Kinds = Kinds(1 << 15);

    pub fn any(self, of: Kinds) -> bool {
        self.0 & of.0 != 0
    }
}

impl BitOr for Kinds {
    type Output = Kinds;

    fn bitor(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }
}

/// A set of persons, one bit each in the order of *yo, tú, él, nosotros, vosotros, ellos*.
pub type Persons = u8;
/// The third persons.
pub const THIRD: Persons = 1 << 2 | 1 << 5;
/// The plural persons.
pub const PLURAL: Persons = 1 << 3 | 1 << 4 | 1 << 5;

/// One reading of a word as a finite verb.
#[derive(Clone, Debug)]
pub struct Analysis {
    pub lemma: Lemma,
    pub persons: Persons,
    pub subjunctive: bool,
    /// Past or future: an ending that few nouns have.
    pub marked: bool,
    /// With its accents.
    pub spelled: Box<str>,
}

/// Everything known of the words that are spelled alike but for accents.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    pub kinds: Kinds,
    pub finite: Vec<Analysis>,
    /// The verb of an infinitive, gerund or participle.
    pub verb: Option<Lemma>,
    /// Its number among the words of connective phrases.
    pub phrase_word: Option<u16>,
    /// The number of the form of the same verb that a phrase has: *sea* in *no sea cierto que*.
    pub phrase_verb: Option<u16>,
}

/// All words known, by their normal form.
pub struct Dictionary {
    entries: HashMap<Box<str>, Entry>,
    lemmas: HashMap<Box<str>, Lemma>,
}

impl Dictionary {
    pub fn entry(&self, normal: &str) -> Option<&Entry> {
        self.entries.get(normal)
    }

    /// Reads all tables.
    pub fn build() -> Dictionary {
        let mut dictionary = Dictionary { entries: HashMap::new(), lemmas: HashMap::new() };
        let irregular = read_irregular(IRREGULAR);
        let conjugated =
            |entry: &str| conjugate(entry, &irregular).unwrap_or_else(|| panic!("{entry} is no infinitive"));
        for line in lines(FUNCTION_WORDS) {
            let (kind, words) = line.split_once('\t').expect("a kind, a tab and words");
            let kind = match kind {
                "determiner" => Kinds::DETERMINER,
                "preposition" => Kinds::PREPOSITION,
                "clitic" => Kinds::CLITIC,
                "pronoun" => Kinds::PRONOUN,
                "relative" => Kinds::RELATIVE,
                "negation" => Kinds::NEGATION,
                "conjunction" => Kinds::CONJUNCTION,
                "word" => Kinds::WORD,
                "copula" => Kinds::COPULA,
                // The grammar reads these.
                "fixed" => continue,
                other => panic!("no kind of word is called {other}"),
            };
            for word in words.split(' ') {
                if kind == Kinds::COPULA {
                    dictionary.add_verb(&conjugated(word), kind);
                } else {
                    dictionary.mark(word, kind);
                }
            }
        }
        dictionary.add_verb(&conjugated("haber"), Kinds::HABER);
        for line in lines(KNOWN_VERBS) {
            let (kind, verbs) = match line.split_once('\t') {
                Some((_, verbs)) => (Kinds::INTRANSITIVE, verbs),
                None => (Kinds::default(), line),
            };
            for verb in verbs.split(',') {
                dictionary.add_verb(&conjugated(verb.trim()), kind);
            }
        }
        for verb in &lexicon().verbs {
            dictionary.add_verb(verb, Kinds::default());
        }
        let names = [&lexicon().men, &lexicon().women, &lexicon().places];
        for name in names.into_iter().flatten().filter(|name| !name.contains(' ')) {
            dictionary.mark(name, Kinds::NAME);
        }
        for noun in lexicon().classes.iter().flatten() {
            for form in [noun.text.clone(), plural(&noun.text)] {
                if !form.contains(' ') {
                    dictionary.mark(&form, Kinds::NOUN);
                }
            }
        }
        dictionary
    }

    fn mark(&mut self, word: &str, kind: Kinds) {
        let entry = self.entries.entry(normal::word(word).into()).or_default();
        entry.kinds = entry.kinds | kind;
    }

    /// Gives a word of a connective phrase its number; the other forms of a verb can stand for it.
    pub fn number(&mut self, word: &str, number: u16) {
        let entry = self.entries.entry(normal::word(word).into()).or_default();
        entry.phrase_word = Some(number);
        let is_verb =
            !entry.kinds.any(Kinds::WORD | Kinds::DETERMINER | Kinds::PREPOSITION | Kinds::CONJUNCTION);
        let lemma =
            entry.finite.first().filter(|one| is_verb && one.persons & THIRD != 0).map(|one| one.lemma);
        let Some(lemma) = lemma else { return };
        for entry in self.entries.values_mut() {
            if entry.finite.iter().any(|one| one.lemma == lemma && one.persons & THIRD != 0) {
                entry.phrase_verb.get_or_insert(number);
            }
        }
    }

    fn add_verb(&mut self, verb: &Verb, kind: Kinds) {
        let next = Lemma(u32::try_from(self.lemmas.len()).expect("few verbs"));
        let lemma = *self.lemmas.entry(verb.infinitive.as_str().into()).or_insert(next);
        for tense in Simple::ALL {
            for (person, form) in verb.persons(tense).iter().enumerate() {
                // *vos* acts as *tú* does.
                let bit = 1 << if person == 6 { 1 } else { person };
                self.add_finite(form, lemma, bit, tense, kind);
            }
        }
        if verb.infinitive == "haber" {
            self.add_finite("hay", lemma, THIRD, Simple::Present, kind);
        }
        let mut form = |word: &str, role: Kinds| {
            let entry = self.entries.entry(normal::word(word).into()).or_default();
            entry.kinds = entry.kinds | role;
            entry.verb = Some(lemma);
        };
        form(&verb.infinitive, Kinds::INFINITIVE);
        form(&verb.gerund, Kinds::GERUND);
        let stem = verb.participle.strip_suffix('o').unwrap_or(&verb.participle);
        for ending in ["o", "a", "os", "as"] {
            form(&format!("{stem}{ending}"), Kinds::PARTICIPLE);
        }
    }

    fn add_finite(&mut self, form: &str, lemma: Lemma, person: Persons, tense: Simple, kind: Kinds) {
        let entry = self.entries.entry(normal::word(form).into()).or_default();
        entry.kinds = entry.kinds | kind;
        let subjunctive = matches!(
            tense,
            Simple::PresentSubjunctive | Simple::ImperfectSubjunctive | Simple::ImperfectSubjunctiveSe
        );
        let marked = !matches!(tense, Simple::Present | Simple::PresentSubjunctive);
        let same = entry.finite.iter_mut().find(|known| {
            known.lemma == lemma
                && known.subjunctive == subjunctive
                && known.marked == marked
                && *known.spelled == *form
        });
        match same {
            Some(known) => known.persons |= person,
            None => {
                entry.finite.push(Analysis {
                    lemma,
                    persons: person,
                    subjunctive,
                    marked,
                    spelled: form.into(),
                });
            }
        }
    }
}
