//! Draws what the atoms say: clauses of one domain that share a subject, a verb or a complement as those of real
//! exercises do.

use std::borrow::Cow;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::clause::{Clause, Complement, NounPhrase, Part, Periphrasis, Time, Word};
use crate::lexicon::{
    Agreement, Copula, Domain, Gender, Noun, Person, Piece, Simple, Subject, Verb, lexicon, plural,
};

/// Chance that a content word is an invented one.
const PSEUDO: f64 = 0.14;

/// Draws clauses for one sentence.
pub struct Writer<'r> {
    pub rng: &'r mut ChaCha8Rng,
    domain: &'static Domain,
    next_id: u32,
}

/// In which part a clause differs from an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variation {
    Complement,
    Subject,
    /// The same subject does something else.
    Predicate,
}

impl<'r> Writer<'r> {
    pub fn new(rng: &'r mut ChaCha8Rng, domain: usize) -> Writer<'r> {
        Writer {
            rng,
            domain: &lexicon().domains[domain],
            next_id: 0,
        }
    }

    fn pick<T>(&mut self, of: &'static [T]) -> &'static T {
        &of[self.rng.random_range(0..of.len())]
    }

    fn chance(&mut self, p: f64) -> bool {
        self.rng.random_bool(p)
    }

    fn id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    /// A clause that shares nothing by intent.
    pub fn clause(&mut self) -> Clause {
        let mathematics = self.domain.code == "mat";
        let roll = self.rng.random_range(0..100);
        match roll {
            0..8 if !self.domain.impersonal.is_empty() => self.impersonal(),
            0..100 if self.domain.verbs.is_empty() => self.impersonal(),
            8..14 if !self.domain.passive.is_empty() => self.passive(),
            14..20 if !mathematics => self.pleasing(),
            20..44 => self.predicate(None),
            44..74 if mathematics => self.predicate(None),
            _ => self.verbal(None),
        }
    }

    /// A clause that differs from `model` in one part only, where that is possible.
    pub fn vary(&mut self, model: &Clause, variation: Variation) -> Clause {
        let mut clause = model.clone();
        for _ in 0..8 {
            let other = match variation {
                Variation::Predicate => self.same_subject(model),
                Variation::Complement => self.other_complement(model),
                Variation::Subject => self.other_subject(model),
            };
            let Some(other) = other else { break };
            if said(&other) != said(model) {
                return other;
            }
            clause = other;
        }
        if said(&clause) == said(model) {
            self.clause()
        } else {
            clause
        }
    }

    fn same_subject(&mut self, model: &Clause) -> Option<Clause> {
        let subject = model.subject.clone()?;
        if model.dative.is_some() || model.passive {
            return None;
        }
        let mut clause = if self.chance(0.3) {
            self.predicate(Some(model))
        } else {
            self.verbal(Some(model))
        };
        if clause.dative.is_some() || clause.subject.is_none() {
            return None;
        }
        if clause.subject_id != model.subject_id {
            clause.subject = Some(subject);
            clause.subject_id = model.subject_id;
        }
        Some(clause)
    }

    fn other_complement(&mut self, model: &Clause) -> Option<Clause> {
        let verb = model.verb?;
        if model.dative.is_some() || model.passive {
            return None;
        }
        let mut clause = model.clone();
        clause.complement_id = self.id();
        match &model.complement {
            Complement::Predicate(_) | Complement::Invented(_) => {
                let domain = self.domain;
                let copula = if std::ptr::eq(verb, lexicon().aux.ser) {
                    Copula::Ser
                } else {
                    Copula::Estar
                };
                let kinds: Vec<_> = domain.predicates.iter().filter(|p| p.copula == copula).collect();
                let with: Vec<_> = kinds
                    .iter()
                    .filter(|p| match &model.complement {
                        Complement::Predicate(a) => p.adjectives.contains(a),
                        _ => true,
                    })
                    .collect();
                let kind = with.get(self.rng.random_range(0..with.len().max(1)))?;
                let adjectives = &kind.adjectives;
                clause.complement =
                    Complement::Predicate(&adjectives[self.rng.random_range(0..adjectives.len())]);
            }
            _ => {
                let domain = self.domain;
                let used = domain.verbs.iter().find(|u| std::ptr::eq(u.verb, verb))?;
                let filled: Vec<_> = used.complements.iter().filter(|c| !c.is_empty()).collect();
                let pieces = *filled.get(self.rng.random_range(0..filled.len().max(1)))?;
                clause.complement = self.complement(pieces);
                if matches!(&model.complement, Complement::Words(w) if w.is_empty()) {
                    return None;
                }
            }
        }
        Some(clause)
    }

    fn other_subject(&mut self, model: &Clause) -> Option<Clause> {
        let old = model.subject.as_ref()?;
        let domain = self.domain;
        let mut clause = model.clone();
        if model.dative.is_some() || model.passive {
            let noun = self.noun_near(old)?;
            let phrase = self.phrase(noun);
            clause.subject = Some(phrase);
        } else {
            let verb = model.verb?;
            let kinds: Vec<Subject> = match &model.complement {
                Complement::Predicate(a) => domain
                    .predicates
                    .iter()
                    .find(|p| p.adjectives.contains(a))?
                    .subjects
                    .clone(),
                Complement::Invented(_) => vec![Subject::Name],
                _ => domain
                    .verbs
                    .iter()
                    .find(|u| std::ptr::eq(u.verb, verb))?
                    .subjects
                    .clone(),
            };
            let third: Vec<_> = kinds.into_iter().filter(|k| *k != Subject::Personal).collect();
            let kind = *third.get(self.rng.random_range(0..third.len().max(1)))?;
            let subject = self.subject(kind);
            clause.subject = Some(subject);
        }
        clause.subject_id = self.id();
        Some(clause)
    }

    /// Another noun of the class that a phrase was drawn from.
    fn noun_near(&mut self, phrase: &NounPhrase) -> Option<&'static Noun> {
        let last = phrase.words.last()?;
        let class = lexicon()
            .classes
            .iter()
            .find(|class| class.iter().any(|noun| noun.text == last.as_ref()))?;
        Some(self.pick(class))
    }

    fn verbal(&mut self, like: Option<&Clause>) -> Clause {
        let verbs = &self.domain.verbs;
        let mut used = &verbs[self.rng.random_range(0..verbs.len())];
        if let Some(model) = like {
            for _ in 0..30 {
                if self.fits(&used.subjects, model) {
                    break;
                }
                used = &verbs[self.rng.random_range(0..verbs.len())];
            }
        }
        let kind = used.subjects[self.rng.random_range(0..used.subjects.len())];
        let (subject, subject_id) = match like {
            Some(model) => (model.subject.clone(), model.subject_id),
            None => (Some(self.subject(kind)), self.id()),
        };
        let pieces = &used.complements[self.rng.random_range(0..used.complements.len())];
        let complement = self.complement(pieces);
        let verb = if self.chance(PSEUDO) {
            *self.pick(&lexicon().pseudo.verbs)
        } else {
            used.verb
        };
        let personal = matches!(kind, Subject::Personal | Subject::Name) || like.is_some();
        let periphrasis = if self.chance(0.16) {
            self.periphrasis(personal)
        } else {
            None
        };
        let bare = matches!(&complement, Complement::Words(w) if w.is_empty());
        let inverted = bare && periphrasis.is_none() && matches!(kind, Subject::Class(_)) && self.chance(0.2);
        Clause {
            subject,
            dative: None,
            periphrasis,
            verb: Some(verb),
            passive: false,
            inverted,
            complement,
            past: self.past(verb),
            subject_id,
            verb_id: self.id(),
            complement_id: self.id(),
        }
    }

    /// Whether the verb takes the subject that the model has.
    fn fits(&self, subjects: &[Subject], model: &Clause) -> bool {
        let Some(subject) = &model.subject else {
            return false;
        };
        let named = subject.words.len() == 1 && subject.words[0].starts_with(char::is_uppercase);
        match subject.person {
            Person::El | Person::Ellos if named => subjects.contains(&Subject::Name),
            Person::El | Person::Ellos => {
                let last = subject.words.last().map_or("", |w| w.as_ref());
                subjects.iter().any(|kind| match kind {
                    Subject::Class(class) => lexicon().classes[*class].iter().any(|noun| noun.text == last),
                    Subject::Variable => last.len() == 1,
                    _ => false,
                })
            }
            _ => subjects.contains(&Subject::Personal),
        }
    }

    fn predicate(&mut self, like: Option<&Clause>) -> Clause {
        let kinds = &self.domain.predicates;
        if kinds.is_empty() {
            return self.verbal(like);
        }
        let mut kind = &kinds[self.rng.random_range(0..kinds.len())];
        if let Some(model) = like {
            for _ in 0..30 {
                if self.fits(&kind.subjects, model) {
                    break;
                }
                kind = &kinds[self.rng.random_range(0..kinds.len())];
            }
        }
        let (subject, subject_id) = match like {
            Some(model) => (model.subject.clone(), model.subject_id),
            None => {
                let people = kind.subjects.contains(&Subject::Name);
                let which = kind.subjects[self.rng.random_range(0..kind.subjects.len())];
                let which = if people && self.chance(0.3) {
                    Subject::Personal
                } else {
                    which
                };
                (Some(self.subject(which)), self.id())
            }
        };
        let adjective = &kind.adjectives[self.rng.random_range(0..kind.adjectives.len())];
        let invented = self.chance(PSEUDO);
        let complement = if invented {
            Complement::Invented(self.pick(&lexicon().pseudo.adjectives).as_str())
        } else {
            Complement::Predicate(adjective)
        };
        let aux = &lexicon().aux;
        let verb = match kind.copula {
            Copula::Ser => aux.ser,
            Copula::Estar => aux.estar,
        };
        Clause {
            subject,
            dative: None,
            periphrasis: None,
            verb: Some(verb),
            passive: false,
            inverted: false,
            complement,
            past: self.past(verb),
            subject_id,
            verb_id: if kind.copula == Copula::Ser {
                1_000_000
            } else {
                1_000_001
            },
            complement_id: self.id(),
        }
    }

    fn impersonal(&mut self) -> Clause {
        let of = &self.domain.impersonal;
        let used = &of[self.rng.random_range(0..of.len())];
        let pieces = &used.complements[self.rng.random_range(0..used.complements.len())];
        let complement = self.complement(pieces);
        let weather = pieces.is_empty();
        let periphrasis = (weather && self.chance(0.2)).then_some(Periphrasis {
            verb: lexicon().aux.estar,
            link: "",
            gerund: true,
        });
        Clause {
            subject: None,
            dative: None,
            periphrasis,
            verb: Some(used.verb),
            passive: false,
            inverted: false,
            complement,
            past: self.past(used.verb),
            subject_id: self.id(),
            verb_id: self.id(),
            complement_id: self.id(),
        }
    }

    fn passive(&mut self) -> Clause {
        let of = &self.domain.passive;
        let used = &of[self.rng.random_range(0..of.len())];
        let class = used.classes[self.rng.random_range(0..used.classes.len())];
        let subject = self.subject(Subject::Class(class));
        Clause {
            subject: Some(subject),
            dative: None,
            periphrasis: None,
            verb: Some(used.verb),
            passive: true,
            inverted: false,
            complement: Complement::Words(Vec::new()),
            past: Time::Simple(Simple::Preterite),
            subject_id: self.id(),
            verb_id: self.id(),
            complement_id: self.id(),
        }
    }

    fn pleasing(&mut self) -> Clause {
        let used = self.pick(&lexicon().pleasing);
        let infinitive = self.chance(0.25);
        let subject = if infinitive {
            let words = self
                .pick(&lexicon().pleasing_infinitives)
                .split(' ')
                .map(Cow::Borrowed)
                .collect();
            NounPhrase {
                person: Person::El,
                agreement: Agreement::MASCULINE,
                words,
                pronoun: "eso",
            }
        } else {
            let class = used.classes[self.rng.random_range(0..used.classes.len())];
            let noun = self.pick(&lexicon().classes[class]);
            let agreement = noun.agreement;
            let mut words: Vec<Word> = Vec::new();
            push_words(&mut words, noun.definite(agreement));
            push_words(&mut words, &noun.text);
            NounPhrase {
                person: if agreement.plural {
                    Person::Ellos
                } else {
                    Person::El
                },
                agreement,
                words,
                pronoun: "eso",
            }
        };
        let whom = [
            Person::Yo,
            Person::Tu,
            Person::El,
            Person::El,
            Person::El,
            Person::Nosotros,
            Person::Ellos,
        ][self.rng.random_range(0..7)];
        let mut name: Vec<Word> = Vec::new();
        if matches!(whom, Person::El | Person::Ellos) && self.chance(0.75) {
            name.push("a".into());
            if whom == Person::Ellos {
                let many = self.pick(&[
                    "los niños",
                    "los vecinos",
                    "las alumnas",
                    "los turistas",
                    "mis padres",
                ]);
                push_words(&mut name, many);
            } else {
                let phrase = self.subject(Subject::Name);
                name.extend(phrase.words);
            }
        }
        let verb = if infinitive { &lexicon().pleasing[0] } else { used };
        Clause {
            subject: Some(subject),
            dative: Some((whom, name)),
            periphrasis: None,
            verb: Some(verb.verb),
            passive: false,
            inverted: false,
            complement: Complement::Words(Vec::new()),
            past: self.past(verb.verb),
            subject_id: self.id(),
            verb_id: self.id(),
            complement_id: self.id(),
        }
    }

    /// A mathematical clause of symbols: it has no verb and cannot be negated by *no*.
    pub fn symbols(&mut self) -> Clause {
        let words = self.pick(&lexicon().symbols);
        let mut letters = ["x", "y", "z", "n", "m", "a", "b", "k"].to_vec();
        let words = words
            .iter()
            .map(|word| match word.as_str() {
                "V" => letters.remove(self.rng.random_range(0..letters.len())).into(),
                "V²" => format!("{}²", letters.remove(self.rng.random_range(0..letters.len()))).into(),
                "N" => self.rng.random_range(0..13).to_string().into(),
                other => Cow::Owned(other.to_owned()),
            })
            .collect();
        Clause {
            subject: None,
            dative: None,
            periphrasis: None,
            verb: None,
            passive: false,
            inverted: false,
            complement: Complement::Words(words),
            past: Time::Simple(Simple::Present),
            subject_id: self.id(),
            verb_id: self.id(),
            complement_id: self.id(),
        }
    }

    fn past(&mut self, verb: &'static Verb) -> Time {
        let aux = &lexicon().aux;
        let state = [aux.ser, aux.estar, aux.tener, aux.haber]
            .iter()
            .any(|v| std::ptr::eq(*v, verb));
        match self.rng.random_range(0..10) {
            0..6 if state => Time::Simple(Simple::Imperfect),
            0..6 => Time::Simple(Simple::Preterite),
            6..=8 => Time::Perfect(Simple::Present),
            _ => Time::Simple(Simple::Imperfect),
        }
    }

    fn periphrasis(&mut self, personal: bool) -> Option<Periphrasis> {
        let aux = &lexicon().aux;
        let plain = |verb, link| Periphrasis {
            verb,
            link,
            gerund: false,
        };
        Some(match self.rng.random_range(0..if personal { 13 } else { 6 }) {
            0..2 => plain(aux.poder, ""),
            2 => Periphrasis {
                verb: aux.estar,
                link: "",
                gerund: true,
            },
            3 => plain(aux.deber, ""),
            4 => plain(aux.empezar, "a"),
            5 => plain(aux.soler, ""),
            6..8 => plain(aux.querer, ""),
            8 => plain(aux.tener, "que"),
            9 => plain(aux.necesitar, ""),
            10 => plain(aux.dejar, "de"),
            11 => plain(aux.pensar, ""),
            _ => Periphrasis {
                verb: aux.estar,
                link: "",
                gerund: true,
            },
        })
    }

    pub fn subject(&mut self, kind: Subject) -> NounPhrase {
        let lex = lexicon();
        match kind {
            Subject::Personal => {
                let (person, pronoun, agreement) = [
                    (Person::Yo, "yo", false),
                    (Person::Yo, "yo", false),
                    (Person::Tu, "tú", false),
                    (Person::Tu, "tú", false),
                    (Person::El, "él", false),
                    (Person::El, "ella", false),
                    (Person::Nosotros, "nosotros", true),
                    (Person::Ellos, "ellos", true),
                    (Person::El, "usted", false),
                    (Person::Vosotros, "vosotros", true),
                    (Person::Vos, "vos", false),
                ][match self.rng.random_range(0..30) {
                    n @ 0..10 => n,
                    10..17 => 0,
                    17..23 => 2,
                    23..28 => 6,
                    28 => 9,
                    _ => 10,
                }];
                let gender = if pronoun == "ella" {
                    Gender::Feminine
                } else {
                    Gender::Masculine
                };
                let shown = self.chance(0.13);
                let words = if shown { vec![pronoun.into()] } else { Vec::new() };
                NounPhrase {
                    person,
                    agreement: Agreement {
                        gender,
                        plural: agreement,
                    },
                    words,
                    pronoun,
                }
            }
            Subject::Name => {
                let feminine = self.chance(0.5);
                let invented = self.chance(PSEUDO);
                let names = match (feminine, invented) {
                    (false, false) => &lex.men,
                    (true, false) => &lex.women,
                    (false, true) => &lex.pseudo.men,
                    (true, true) => &lex.pseudo.women,
                };
                let mut words: Vec<Word> = vec![Cow::Borrowed(self.pick(names).as_str())];
                if self.chance(0.08) {
                    words.push(Cow::Borrowed(self.pick(&lex.surnames).as_str()));
                }
                let gender = if feminine {
                    Gender::Feminine
                } else {
                    Gender::Masculine
                };
                let pronoun = if feminine { "ella" } else { "él" };
                NounPhrase {
                    person: Person::El,
                    agreement: Agreement {
                        gender,
                        plural: false,
                    },
                    words,
                    pronoun,
                }
            }
            Subject::Team => {
                let noun = self.pick(&lex.teams);
                self.phrase(noun)
            }
            Subject::Variable => {
                let letter = *self.pick(&[
                    "x",
                    "y",
                    "z",
                    "n",
                    "m",
                    "a",
                    "b",
                    "2",
                    "3",
                    "x + y",
                    "x · y",
                    "el número n",
                    "el entero k",
                ]);
                let words = letter.split(' ').map(Cow::Borrowed).collect();
                NounPhrase {
                    person: Person::El,
                    agreement: Agreement::MASCULINE,
                    words,
                    pronoun: "",
                }
            }
            Subject::Class(class) => {
                let noun = if self.chance(PSEUDO) {
                    self.pick(&lex.pseudo.nouns)
                } else {
                    self.pick(&lex.classes[class])
                };
                self.phrase(noun)
            }
        }
    }

    /// A noun with a determiner and, now and then, a modifier.
    fn phrase(&mut self, noun: &'static Noun) -> NounPhrase {
        let mut words = Vec::new();
        let agreement = self.determined(noun, &mut words);
        let pronoun = agreement.pick(["él", "ella", "ellos", "ellas"]);
        NounPhrase {
            person: if agreement.plural {
                Person::Ellos
            } else {
                Person::El
            },
            agreement,
            words,
            pronoun,
        }
    }

    fn determined(&mut self, noun: &'static Noun, words: &mut Vec<Word>) -> Agreement {
        let mut agreement = noun.agreement;
        if !noun.fixed_number && self.chance(0.1) {
            agreement.plural = true;
        }
        let determiner = if noun.proper || noun.masculine_article {
            noun.definite(agreement)
        } else {
            match self.rng.random_range(0..100) {
                0..72 => noun.definite(agreement),
                72..78 => agreement.pick(["este", "esta", "estos", "estas"]),
                78..83 => {
                    if agreement.plural {
                        "mis"
                    } else {
                        "mi"
                    }
                }
                83..87 => {
                    if agreement.plural {
                        "sus"
                    } else {
                        "su"
                    }
                }
                87..89 => {
                    if agreement.plural {
                        "tus"
                    } else {
                        "tu"
                    }
                }
                89..92 => agreement.pick(["nuestro", "nuestra", "nuestros", "nuestras"]),
                92..98 => agreement.pick(["un", "una", "unos", "unas"]),
                _ => agreement.pick(["ese", "esa", "esos", "esas"]),
            }
        };
        push_words(words, determiner);
        if agreement.plural && !noun.agreement.plural {
            words.push(plural(&noun.text).into());
        } else {
            push_words(words, &noun.text);
        }
        if !noun.fixed_number && self.chance(0.09) {
            let phrase = self.pick(&lexicon().modifying_phrases);
            push_words(words, phrase);
        }
        agreement
    }

    fn complement(&mut self, pieces: &'static [Piece]) -> Complement {
        let mut words = Vec::new();
        let mut object = None;
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Word(word) => words.push(Cow::Borrowed(word.as_str())),
                Piece::Phrase(class) => {
                    let noun = self.noun(*class);
                    let agreement = self.determined(noun, &mut words);
                    if at == 0 && pieces.len() == 1 {
                        object = Some(agreement);
                    }
                }
                Piece::Definite(class) => {
                    let noun = self.noun(*class);
                    push_words(&mut words, noun.definite(noun.agreement));
                    push_words(&mut words, &noun.text);
                }
                Piece::BarePlural(class) => {
                    let noun = self.noun(*class);
                    if noun.fixed_number {
                        push_words(&mut words, noun.definite(noun.agreement));
                        push_words(&mut words, &noun.text);
                    } else {
                        words.push(plural(&noun.text).into());
                    }
                }
                Piece::Bare(class) => {
                    let noun = self.noun(*class);
                    push_words(&mut words, &noun.text);
                }
                Piece::Name => {
                    let phrase = self.subject(Subject::Name);
                    words.extend(phrase.words);
                }
                Piece::Place => words.extend(self.pick(&lexicon().places).split(' ').map(Cow::Borrowed)),
            }
        }
        match object {
            Some(agreement) => Complement::Object(words, agreement),
            None => Complement::Words(words),
        }
    }

    fn noun(&mut self, class: usize) -> &'static Noun {
        if self.chance(PSEUDO) {
            self.pick(&lexicon().pseudo.nouns)
        } else {
            self.pick(&lexicon().classes[class])
        }
    }
}

/// The words of a clause in the present, to tell two clauses apart.
fn said(clause: &Clause) -> Vec<String> {
    let mut out = Vec::new();
    let manner = super::clause::Manner {
        time: Time::Simple(Simple::Present),
        negation: "",
        subject: super::clause::SubjectForm::Full,
        clitic: false,
        joint: false,
    };
    clause.say(manner, &mut out);
    out.into_iter()
        .filter(|(_, part)| *part != Part::Link)
        .map(|(word, _)| word.into_owned())
        .collect()
}

fn push_words(words: &mut Vec<Word>, text: &'static str) {
    words.extend(text.split_whitespace().map(Cow::Borrowed));
}
