//! What the reader knows of single words: verb forms with their person and mood, function words, nouns.

use std::{collections::HashMap, ops::BitOr};

use crate::{
    lexicon::{
        Adjective, Agreement, Gender, IRREGULAR, Simple, Verb, conjugate, inflect, lexicon, lines, plural,
        read_irregular,
    },
    normal,
};

const KNOWN_VERBS: &str = include_str!("../../data/es/known_verbs.tsv");
/// Words by their job.
pub const FUNCTION_WORDS: &str = include_str!("../../data/es/function_words.tsv");

/// All forms that an adjective has.
const AGREEMENTS: [Agreement; 4] = [
    Agreement { gender: Gender::Masculine, plural: false },
    Agreement { gender: Gender::Feminine, plural: false },
    Agreement { gender: Gender::Masculine, plural: true },
    Agreement { gender: Gender::Feminine, plural: true },
];

/// The infinitive of a verb, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lemma(pub u32);

/// A set of properties of words, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u64);

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
    pub const ARTICLE: Kinds = Kinds(1 << 8);
    pub const DEMONSTRATIVE: Kinds = Kinds(1 << 9);
    /// A noun must follow, articles apart: *mi*, *cada*.
    pub const ADNOMINAL: Kinds = Kinds(1 << 10);
    /// A determiner that can stand for its noun: *todos*, *otra*.
    pub const QUANTITY: Kinds = Kinds(1 << 11);
    /// Numbers up to five.
    pub const NUMBER: Kinds = Kinds(1 << 12);
    /// What *y* and a number may follow: *treinta*.
    pub const TENS: Kinds = Kinds(1 << 13);
    pub const BOTH: Kinds = Kinds(1 << 14);
    /// A determiner that begins no subject: *más*, *del*.
    pub const MEASURE: Kinds = Kinds(1 << 15);
    pub const COMPARATIVE: Kinds = Kinds(1 << 16);
    /// What may follow *mayor o*: *igual*, *más*.
    pub const COMPARED: Kinds = Kinds(1 << 17);
    /// Stands before an adjective: *muy*.
    pub const DEGREE: Kinds = Kinds(1 << 18);
    /// Says something of two together, so that *Ana y Luis son primos* is one clause.
    pub const RECIPROCAL: Kinds = Kinds(1 << 19);
    /// Pronouns that are only subjects, of the first and second person.
    pub const SUBJECT: Kinds = Kinds(1 << 20);
    /// A verb follows.
    pub const PREVERBAL: Kinds = Kinds(1 << 21);
    /// May stand between a subject and its verb: *ya*, *siempre*.
    pub const ADVERBIAL: Kinds = Kinds(1 << 22);
    pub const DATIVE: Kinds = Kinds(1 << 23);
    pub const REFLEXIVE: Kinds = Kinds(1 << 24);
    pub const ACCUSATIVE: Kinds = Kinds(1 << 25);
    /// *lo*
    pub const NEUTER: Kinds = Kinds(1 << 26);
    /// *a*
    pub const TO: Kinds = Kinds(1 << 27);
    /// *entre*: the *y* after it joins no clauses.
    pub const BETWEEN: Kinds = Kinds(1 << 28);
    /// A pronoun for somebody named before: *ella*.
    pub const ANAPHOR: Kinds = Kinds(1 << 29);
    /// What *lo hace* says of somebody: a form of *hacer*, or a word made of one.
    pub const DOING: Kinds = Kinds(1 << 30);
    pub const DONE: Kinds = Kinds(1 << 31);
    /// *y*
    pub const AND: Kinds = Kinds(1 << 32);
    /// *que*
    pub const THAT: Kinds = Kinds(1 << 33);
    /// A subjunctive may follow.
    pub const GOVERNOR: Kinds = Kinds(1 << 34);
    /// After it *y* is the name of a variable: *si y es par*.
    pub const OPENER: Kinds = Kinds(1 << 35);
    pub const INTERROGATIVE: Kinds = Kinds(1 << 36);
    /// Its accent makes it another word: *sí*, *él*.
    pub const DISTINCT: Kinds = Kinds(1 << 37);
    /// Can end a clause, though words like it lead on.
    pub const COMPLETE: Kinds = Kinds(1 << 38);
    /// Says only that there is another clause: *también*.
    pub const ADDITIVE: Kinds = Kinds(1 << 39);
    /// Adds nothing to what a clause says.
    pub const SILENT: Kinds = Kinds(1 << 40);
    /// Belongs to the *o* before it: *o bien*.
    pub const EITHER: Kinds = Kinds(1 << 41);
    // What the tables of nouns, names and verbs tell.
    pub const ADJECTIVE: Kinds = Kinds(1 << 42);
    pub const NOUN: Kinds = Kinds(1 << 43);
    pub const INFINITIVE: Kinds = Kinds(1 << 44);
    pub const GERUND: Kinds = Kinds(1 << 45);
    pub const PARTICIPLE: Kinds = Kinds(1 << 46);
    /// A name of a person or a place.
    pub const NAME: Kinds = Kinds(1 << 47);
    /// Its verb takes no object.
    pub const INTRANSITIVE: Kinds = Kinds(1 << 48);
    /// A form of *ser*, *estar* and the like.
    pub const COPULA: Kinds = Kinds(1 << 49);
    /// A form of *haber*.
    pub const HABER: Kinds = Kinds(1 << 50);
    /// A form of *ir*: *va a llover*.
    pub const GOING: Kinds = Kinds(1 << 51);
    /// A form of *deber*, *tener*, *haber*.
    pub const OBLIGING: Kinds = Kinds(1 << 52);
    /// Its verb has no subject.
    pub const WEATHER: Kinds = Kinds(1 << 53);

    /// What `function_words.tsv` calls them.
    const OF_WORDS: [(&str, Kinds); 41] = [
        ("determiner", Kinds::DETERMINER),
        ("preposition", Kinds::PREPOSITION),
        ("clitic", Kinds::CLITIC),
        ("pronoun", Kinds::PRONOUN),
        ("relative", Kinds::RELATIVE),
        ("negation", Kinds::NEGATION),
        ("conjunction", Kinds::CONJUNCTION),
        ("word", Kinds::WORD),
        ("article", Kinds::ARTICLE),
        ("demonstrative", Kinds::DEMONSTRATIVE),
        ("adnominal", Kinds::ADNOMINAL),
        ("quantity", Kinds::QUANTITY),
        ("number", Kinds::NUMBER),
        ("tens", Kinds::TENS),
        ("both", Kinds::BOTH),
        ("measure", Kinds::MEASURE),
        ("comparative", Kinds::COMPARATIVE),
        ("compared", Kinds::COMPARED),
        ("degree", Kinds::DEGREE),
        ("reciprocal", Kinds::RECIPROCAL),
        ("subject", Kinds::SUBJECT),
        ("preverbal", Kinds::PREVERBAL),
        ("adverbial", Kinds::ADVERBIAL),
        ("dative", Kinds::DATIVE),
        ("reflexive", Kinds::REFLEXIVE),
        ("accusative", Kinds::ACCUSATIVE),
        ("neuter", Kinds::NEUTER),
        ("to", Kinds::TO),
        ("between", Kinds::BETWEEN),
        ("anaphor", Kinds::ANAPHOR),
        ("done", Kinds::DONE),
        ("and", Kinds::AND),
        ("that", Kinds::THAT),
        ("governor", Kinds::GOVERNOR),
        ("opener", Kinds::OPENER),
        ("interrogative", Kinds::INTERROGATIVE),
        ("distinct", Kinds::DISTINCT),
        ("complete", Kinds::COMPLETE),
        ("additive", Kinds::ADDITIVE),
        ("silent", Kinds::SILENT),
        ("either", Kinds::EITHER),
    ];
    /// The same of verbs, which it gives by their infinitives.
    const OF_VERBS: [(&str, Kinds); 6] = [
        ("copula", Kinds::COPULA),
        ("haber", Kinds::HABER),
        ("going", Kinds::GOING),
        ("obliging", Kinds::OBLIGING),
        ("weather", Kinds::WEATHER),
        ("doing", Kinds::DOING),
    ];

    pub const fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// Whether one of these is among them.
    pub const fn any(self, of: Kinds) -> bool {
        self.0 & of.0 != 0
    }
}

impl BitOr for Kinds {
    type Output = Kinds;

    fn bitor(self, other: Kinds) -> Kinds {
        self.or(other)
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
    /// What it is besides where it is written with its accent: *él*, not *el*.
    pub accented: Kinds,
    pub finite: Vec<Analysis>,
    /// The verb of an infinitive, gerund or participle.
    pub verb: Option<Lemma>,
    /// Its number among the words of connective phrases.
    pub phrase_word: Option<u16>,
    /// The same of the word with its accent, where that is another word.
    pub accented_word: Option<u16>,
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

    /// The word as phrases are told apart by it: without accents, unless they make it another word.
    pub fn phrase_word(&self, word: &str) -> Box<str> {
        let normal = normal::word(word);
        let is_distinct = self.entry(&normal).is_some_and(|entry| entry.accented.any(Kinds::DISTINCT));
        if is_distinct && !word.is_ascii() { word.into() } else { normal.into() }
    }

    /// Reads all tables.
    pub fn build() -> Dictionary {
        let mut dictionary = Dictionary { entries: HashMap::new(), lemmas: HashMap::new() };
        let irregular = read_irregular(IRREGULAR);
        let conjugated =
            |entry: &str| conjugate(entry, &irregular).unwrap_or_else(|| panic!("{entry} is no infinitive"));
        for line in lines(FUNCTION_WORDS) {
            let (name, words) = line.split_once('\t').expect("a kind, a tab and words");
            let named = |(known, _): &&(&str, Kinds)| *known == name;
            if let Some((_, kind)) = Kinds::OF_WORDS.iter().find(named) {
                words.split(' ').for_each(|word| dictionary.mark_function_word(word, *kind));
            } else if let Some((_, kind)) = Kinds::OF_VERBS.iter().find(named) {
                words.split(' ').for_each(|verb| dictionary.add_verb(&conjugated(verb), *kind));
            } else {
                // The grammar reads the phrases.
                assert!(name == "fixed", "no kind of word is called {name}");
            }
        }
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
        let predicates = lexicon().domains.iter().flat_map(|domain| &domain.predicates);
        for adjective in predicates.flat_map(|predicates| &predicates.adjectives) {
            let (Adjective::Agreeing(text) | Adjective::WithArticle(text)) = adjective else { continue };
            for form in AGREEMENTS.map(|agreement| inflect(text, agreement)) {
                if !form.contains(' ') {
                    dictionary.mark(&form, Kinds::ADJECTIVE);
                }
            }
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

    /// A word that is written with an accent is meant with it.
    fn mark_function_word(&mut self, word: &str, kind: Kinds) {
        if word.is_ascii() {
            return self.mark(word, kind);
        }
        let entry = self.entries.entry(normal::word(word).into()).or_default();
        entry.accented = entry.accented | kind;
    }

    fn mark(&mut self, word: &str, kind: Kinds) {
        let entry = self.entries.entry(normal::word(word).into()).or_default();
        entry.kinds = entry.kinds | kind;
    }

    /// Gives a word of a connective phrase its number; the other forms of a verb can stand for it.
    pub fn number(&mut self, word: &str, number: u16) {
        let entry = self.entries.entry(normal::word(word).into()).or_default();
        if !word.is_ascii() {
            entry.accented_word = Some(number);
            return;
        }
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
