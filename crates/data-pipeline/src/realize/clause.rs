//! A clause: one atom of the formula as subject, verb and complement, and the words it takes in any mood and tense.

use std::borrow::Cow;

use crate::lexicon::{Adjective, Agreement, Person, Simple, Subject, Verb, inflect, lexicon, plural};

/// A word of the lexicon or an inflected one.
pub type Word = Cow<'static, str>;

/// What a word does in its clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Subject,
    /// The person whom something pleases or hurts: *a María* in *a María le gusta el cine*.
    Dative,
    Negation,
    /// The finite verb before an infinitive or gerund: *puede* in *puede dormir*.
    Auxiliary,
    Verb,
    Complement,
    /// When, where: what a clause could do without.
    Adjunct,
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
    /// What it was drawn as.
    pub kind: Option<Subject>,
}

#[derive(Clone, Debug)]
pub enum Complement {
    Words(Vec<Word>),
    /// A direct object that a later mention may replace by *lo, la, los, las*.
    Object(Vec<Word>, Agreement),
    /// Agrees with the subject.
    Predicate(&'static Adjective),
    /// A participle or an invented adjective, which agrees too.
    Agreeing(&'static str),
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
    /// A pronoun for whom the verb concerns: *te* in *te ayudo*.
    pub pronoun: &'static str,
    /// The complement names something that this other atom has named: said as *lo, la, los, las* after it.
    pub same_object: Option<usize>,
    pub adjunct: Vec<Word>,
    /// The adjunct opens the clause.
    pub fronted: bool,
    /// The subject is a person, so that the infinitive alone makes sense: *ser feliz*.
    pub human: bool,
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
    /// Of nobody in particular: *cansarse*, *ser rico*.
    pub generic: bool,
    /// Leave out the name of whom it pleases.
    pub dative_known: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectForm {
    Full,
    Pronoun,
    Dropped,
}

impl Clause {
    /// A clause of this verb and nothing else.
    pub fn of(verb: Option<&'static Verb>) -> Clause {
        Clause {
            subject: None,
            dative: None,
            periphrasis: None,
            verb,
            passive: false,
            inverted: false,
            complement: Complement::Words(Vec::new()),
            pronoun: "",
            same_object: None,
            adjunct: Vec::new(),
            fronted: false,
            human: false,
            past: Time::Simple(Simple::Preterite),
            subject_id: 0,
            verb_id: 0,
            complement_id: 0,
        }
    }

    pub fn agreement(&self) -> Agreement {
        self.subject.as_ref().map_or(Agreement::MASCULINE, |subject| subject.agreement)
    }

    pub fn person(&self) -> Person {
        self.subject.as_ref().map_or(Person::El, |subject| subject.person)
    }

    /// Whether the clause can be said in the infinitive without losing who acts.
    pub fn has_infinitive(&self) -> bool {
        self.verb.is_some() && self.dative.is_none() && !self.passive && self.human
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
            self.say_infinitive(manner, out);
            self.say_complement(manner, out);
            self.say_adjunct(out);
            return;
        }
        if self.fronted {
            self.say_adjunct(out);
        }
        if let (Some((_, name)), false) = (&self.dative, manner.dative_known) {
            out.extend(name.iter().map(|w| (w.clone(), Part::Dative)));
        }
        let last = self.subject_last();
        if !last {
            subject_words(out);
        }
        self.negate(manner, out);
        if let Some(verb) = self.verb {
            self.say_finite(verb, manner, out);
        }
        let predicate = matches!(self.complement, Complement::Predicate(_) | Complement::Agreeing(_));
        if last && !predicate {
            subject_words(out);
        }
        self.say_complement(manner, out);
        if last && predicate {
            subject_words(out);
        }
        if !self.fronted {
            self.say_adjunct(out);
        }
    }

    /// Whether it says what somebody is used to: *suele dormir*, which has no future.
    pub fn habitual(&self) -> bool {
        self.periphrasis.is_some_and(|p| std::ptr::eq(p.verb, lexicon().aux.soler))
    }

    /// Whether the subject follows the verb.
    pub fn subject_last(&self) -> bool {
        self.dative.is_some() || self.passive || self.inverted
    }

    fn say_adjunct(&self, out: &mut Vec<(Word, Part)>) {
        out.extend(self.adjunct.iter().map(|w| (w.clone(), Part::Adjunct)));
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
        let modal = self.periphrasis;
        let part = if modal.is_some() { Part::Auxiliary } else { Part::Verb };
        let clitic = if verb.reflexive { reflexive_pronoun(person) } else { self.pronoun };
        if self.passive {
            out.push(("se".into(), part));
        }
        if let Some((whom, _)) = self.dative {
            out.push((dative_pronoun(whom).into(), part));
        }
        if !clitic.is_empty() && modal.is_none_or(|p| p.gerund) {
            out.push((clitic.into(), part));
        }
        if let (true, Complement::Object(_, agreement)) = (manner.clitic, &self.complement) {
            out.push((agreement.pick(["lo", "la", "los", "las"]).into(), Part::Complement));
        }
        let mut push = |text: Word| out.push((text, part));
        let head = modal.map_or(verb, |p| p.verb);
        if self.subject.is_none()
            && std::ptr::eq(head, lexicon().aux.haber)
            && manner.time == Time::Simple(Simple::Present)
        {
            push("hay".into());
        } else {
            finite(head, manner.time, person, &mut push);
        }
        let Some(p) = modal else { return };
        if !p.link.is_empty() {
            push(p.link.into());
        }
        let word = match p.gerund {
            true => Cow::Borrowed(verb.gerund.as_str()),
            false if clitic.is_empty() => Cow::Borrowed(verb.infinitive.as_str()),
            false => format!("{}{clitic}", verb.infinitive).into(),
        };
        out.push((word, Part::Verb));
    }

    fn say_infinitive(&self, manner: Manner, out: &mut Vec<(Word, Part)>) {
        let Some(verb) = self.verb else { return };
        let person = if manner.generic { Person::El } else { self.person() };
        let clitic = if verb.reflexive { reflexive_pronoun(person) } else { self.pronoun };
        if let Some(p) = self.periphrasis {
            out.push((Cow::Borrowed(&p.verb.infinitive), Part::Auxiliary));
            if !p.link.is_empty() {
                out.push((p.link.into(), Part::Auxiliary));
            }
            if p.gerund {
                let word = if clitic.is_empty() {
                    verb.gerund.clone()
                } else {
                    enclitic_gerund(&verb.gerund, clitic)
                };
                out.push((word.into(), Part::Verb));
                return;
            }
        }
        let word = match clitic {
            "" => Cow::Borrowed(verb.infinitive.as_str()),
            clitic => format!("{}{clitic}", verb.infinitive).into(),
        };
        out.push((word, Part::Verb));
    }

    fn say_complement(&self, manner: Manner, out: &mut Vec<(Word, Part)>) {
        let mut agreement = if manner.generic { Agreement::MASCULINE } else { self.agreement() };
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
                    Adjective::Fixed(text) if agreement.plural => several(text),
                    Adjective::Fixed(text) => text.clone(),
                };
                out.extend(text.split(' ').map(|w| (w.to_owned().into(), Part::Complement)));
            }
            Complement::Agreeing(word) => out.push((inflect(word, agreement).into(), Part::Complement)),
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

/// *un número primo* → *números primos*; what has no article stays.
fn several(text: &str) -> String {
    let Some(noun) = text.strip_prefix("un ").or(text.strip_prefix("una ")) else {
        return text.to_owned();
    };
    let mut changing = true;
    let words = noun.split(' ').map(|word| {
        changing &= !matches!(word, "de" | "por" | "que");
        match word {
            "buen" => "buenos".to_owned(),
            word if changing => plural(word),
            word => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
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

fn enclitic_gerund(gerund: &str, clitic: &str) -> String {
    let root = &gerund[..gerund.len() - "ando".len()];
    let stressed = if gerund.ends_with("ando") { "ándo" } else { "éndo" };
    format!("{root}{stressed}{clitic}")
}
