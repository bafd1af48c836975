//! A clause: one atom of the formula as subject, verb and complement, and the words it takes in any mood and tense.

use std::borrow::Cow;

use crate::lexicon::{Adjective, Agreement, Person, Simple, Verb, inflect, lexicon};

/// A word of the lexicon or an inflected one.
pub type Word = Cow<'static, str>;

/// What a word does in its clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Subject,
    /// The person whom something pleases or hurts: *a María* in *a María le gusta el cine*.
    Dative,
    Negation,
    Verb,
    Complement,
    /// A word of the connective phrase.
    Link,
}

/// A tense or mood, simple or built with *haber*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    Simple(Simple),
    Perfect(Simple),
    /// *va a llover*.
    GoingTo,
    Infinitive,
}

#[derive(Clone, Debug)]
pub struct NounPhrase {
    pub person: Person,
    pub agreement: Agreement,
    /// Empty for a subject that the verb's ending tells: *estudio*.
    pub words: Vec<Word>,
    /// The pronoun that may stand for it.
    pub pronoun: &'static str,
}

#[derive(Clone, Debug)]
pub enum Complement {
    Words(Vec<Word>),
    /// A direct object that a later mention may replace by *lo, la, los, las*.
    Object(Vec<Word>, Agreement),
    /// Agrees with the subject.
    Predicate(&'static Adjective),
    /// An invented adjective, which agrees too.
    Invented(&'static str),
}

/// What stands before the infinitive of the clause's own verb.
#[derive(Clone, Copy, Debug)]
pub struct Periphrasis {
    pub verb: &'static Verb,
    /// *que*, *a*, *de* or nothing.
    pub link: &'static str,
    pub gerund: bool,
}

#[derive(Clone, Debug)]
pub struct Clause {
    pub subject: Option<NounPhrase>,
    /// Person whom the subject pleases, and the phrase naming them, which may be empty.
    pub dative: Option<(Person, Vec<Word>)>,
    pub periphrasis: Option<Periphrasis>,
    /// None for mathematical symbols, whose words are all complement.
    pub verb: Option<&'static Verb>,
    /// Said with *se* of its subject: *se firma el contrato*.
    pub passive: bool,
    /// The subject follows the verb.
    pub inverted: bool,
    pub complement: Complement,
    /// The tense this clause takes in stories about the past.
    pub past: Time,
    pub subject_id: u32,
    pub verb_id: u32,
    pub complement_id: u32,
}

/// How a mention of the clause is to be said.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub time: Time,
    /// *no*, *tampoco*, or empty.
    pub negation: &'static str,
    pub subject: SubjectForm,
    /// Replace the object by a clitic.
    pub clitic: bool,
    /// Agree with two subjects: *Ana y Luis cantan*.
    pub joint: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectForm {
    Full,
    Pronoun,
    Dropped,
}

impl Clause {
    pub fn agreement(&self) -> Agreement {
        self.subject
            .as_ref()
            .map_or(Agreement::MASCULINE, |subject| subject.agreement)
    }

    pub fn person(&self) -> Person {
        self.subject.as_ref().map_or(Person::El, |subject| subject.person)
    }

    /// Whether the clause can be said in the infinitive without losing who acts.
    pub fn has_infinitive(&self) -> bool {
        self.verb.is_some() && self.dative.is_none() && !self.passive && self.subject.is_some()
    }

    pub fn reflexive(&self) -> bool {
        self.verb.is_some_and(|verb| verb.reflexive)
    }

    /// Appends the words of one mention, each with its part.
    pub fn say(&self, manner: Manner, out: &mut Vec<(Word, Part)>) {
        let subject_words = |out: &mut Vec<(Word, Part)>| {
            let Some(subject) = &self.subject else { return };
            match manner.subject {
                SubjectForm::Full => out.extend(subject.words.iter().map(|w| (w.clone(), Part::Subject))),
                SubjectForm::Pronoun => out.push((subject.pronoun.into(), Part::Subject)),
                SubjectForm::Dropped => {}
            }
        };
        if manner.time == Time::Infinitive {
            self.negate(manner, out);
            self.say_infinitive(out);
            self.say_complement(manner, out);
            return;
        }
        let subject_last = self.dative.is_some() || self.passive || self.inverted;
        if let Some((_, name)) = &self.dative {
            out.extend(name.iter().map(|w| (w.clone(), Part::Dative)));
        }
        if !subject_last {
            subject_words(out);
        }
        self.negate(manner, out);
        if let Some(verb) = self.verb {
            self.say_finite(verb, manner, out);
        }
        if subject_last && self.passive {
            subject_words(out);
        }
        if subject_last && !self.passive {
            subject_words(out);
        }
        self.say_complement(manner, out);
    }

    fn negate(&self, manner: Manner, out: &mut Vec<(Word, Part)>) {
        if !manner.negation.is_empty() {
            out.push((manner.negation.into(), Part::Negation));
        }
    }

    fn say_finite(&self, verb: &'static Verb, manner: Manner, out: &mut Vec<(Word, Part)>) {
        let person = match (self.person(), manner.joint) {
            (Person::El, true) => Person::Ellos,
            (person, _) => person,
        };
        let reflexive = verb.reflexive.then(|| reflexive_pronoun(person));
        let modal = self.periphrasis;
        if self.passive {
            out.push(("se".into(), Part::Verb));
        }
        if let Some((whom, _)) = self.dative {
            out.push((dative_pronoun(whom).into(), Part::Verb));
        }
        match (modal, reflexive) {
            (None, Some(clitic)) => out.push((clitic.into(), Part::Verb)),
            (Some(p), Some(clitic)) if p.gerund => out.push((clitic.into(), Part::Verb)),
            _ => {}
        }
        if let (true, Complement::Object(_, agreement)) = (manner.clitic, &self.complement) {
            out.push((
                agreement.pick(["lo", "la", "los", "las"]).into(),
                Part::Complement,
            ));
        }
        let mut push = |text: Word| out.push((text, Part::Verb));
        let head = modal.map_or(verb, |p| p.verb);
        if self.subject.is_none()
            && std::ptr::eq(head, lexicon().aux.haber)
            && manner.time == Time::Simple(Simple::Present)
        {
            push("hay".into());
        } else {
            finite(head, manner.time, person, &mut push);
        }
        if let Some(p) = modal {
            if p.gerund {
                push(Cow::Borrowed(&verb.gerund));
            } else {
                if !p.link.is_empty() {
                    push(p.link.into());
                }
                match reflexive {
                    Some(clitic) => push(format!("{}{clitic}", verb.infinitive).into()),
                    None => push(Cow::Borrowed(&verb.infinitive)),
                }
            }
        }
    }

    fn say_infinitive(&self, out: &mut Vec<(Word, Part)>) {
        let Some(verb) = self.verb else { return };
        if let Some(p) = self.periphrasis {
            out.push((Cow::Borrowed(&p.verb.infinitive), Part::Verb));
            if p.gerund {
                let ending = if verb.reflexive {
                    enclitic_gerund(&verb.gerund, self.person())
                } else {
                    verb.gerund.clone()
                };
                out.push((ending.into(), Part::Verb));
                return;
            }
            if !p.link.is_empty() {
                out.push((p.link.into(), Part::Verb));
            }
        }
        let word = if verb.reflexive {
            format!("{}{}", verb.infinitive, reflexive_pronoun(self.person())).into()
        } else {
            Cow::Borrowed(verb.infinitive.as_str())
        };
        out.push((word, Part::Verb));
    }

    fn say_complement(&self, manner: Manner, out: &mut Vec<(Word, Part)>) {
        let mut agreement = self.agreement();
        if manner.joint {
            agreement.plural = true;
        }
        match &self.complement {
            Complement::Object(..) if manner.clitic && manner.time != Time::Infinitive => {}
            Complement::Words(words) | Complement::Object(words, _) => {
                out.extend(words.iter().map(|w| (w.clone(), Part::Complement)));
            }
            Complement::Predicate(adjective) => {
                let text = match adjective {
                    Adjective::Agreeing(word) => inflect(word, agreement),
                    Adjective::WithArticle(noun) => {
                        let article = agreement.pick(["un ", "una ", "", ""]);
                        format!("{article}{}", inflect(noun, agreement))
                    }
                    Adjective::Fixed(text) => text.clone(),
                };
                out.extend(text.split(' ').map(|w| (w.to_owned().into(), Part::Complement)));
            }
            Complement::Invented(word) => out.push((inflect(word, agreement).into(), Part::Complement)),
        }
    }
}

/// The finite form of a verb, in one word or with *haber* or *ir a*.
pub fn finite(verb: &'static Verb, time: Time, person: Person, push: &mut impl FnMut(Word)) {
    let aux = &lexicon().aux;
    match time {
        Time::Simple(simple) => push(Cow::Borrowed(verb.finite(simple, person))),
        Time::Perfect(simple) => {
            let third_plural_haber = aux.haber.finite(simple, person);
            push(Cow::Borrowed(third_plural_haber));
            push(Cow::Borrowed(&verb.participle));
        }
        Time::GoingTo => {
            push(Cow::Borrowed(aux.ir.finite(Simple::Present, person)));
            push("a".into());
            push(Cow::Borrowed(&verb.infinitive));
        }
        Time::Infinitive => push(Cow::Borrowed(&verb.infinitive)),
    }
}

fn reflexive_pronoun(person: Person) -> &'static str {
    match person {
        Person::Yo => "me",
        Person::Tu | Person::Vos => "te",
        Person::Nosotros => "nos",
        Person::Vosotros => "os",
        Person::El | Person::Ellos => "se",
    }
}

fn dative_pronoun(person: Person) -> &'static str {
    match person {
        Person::El => "le",
        Person::Ellos => "les",
        other => reflexive_pronoun(other),
    }
}

fn enclitic_gerund(gerund: &str, person: Person) -> String {
    let root = &gerund[..gerund.len() - "ando".len()];
    let stressed = if gerund.ends_with("ando") {
        "ándo"
    } else {
        "éndo"
    };
    format!("{root}{stressed}{}", reflexive_pronoun(person))
}
