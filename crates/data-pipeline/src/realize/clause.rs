//! A clause: one atom of the formula as subject, verb and complement, and the words it takes in any mood and tense.

use std::borrow::Cow;

use crate::lexicon::{Adjective, Agreement, Person, Piece, Simple, Subject, Verb, inflect, lexicon, plural};

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
    /// How many of the words a later mention needs: *la vecina* of *la vecina de enfrente*.
    pub core: usize,
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
    /// How many words of the complement a later mention needs: *la tarea* of *la tarea a tiempo*.
    pub core: usize,
    /// The line of the tables that the complement was drawn from.
    pub pieces: Option<&'static [Piece]>,
    /// A pronoun for whom the verb concerns: *te* in *te ayudo*.
    pub pronoun: &'static str,
    /// The complement names something that this other atom has named: said as *lo, la, los, las* after it.
    pub same_object: Option<usize>,
    pub adjunct: Vec<Word>,
    /// The adjunct opens the clause.
    pub fronted: bool,
    /// The adjunct stands between commas after a subject that is said: *Ana, en verano, nada*.
    pub between: bool,
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
    /// Replace the object by a clitic, or what a copula says by *lo*: *la compra*, *lo es*.
    pub clitic: bool,
    /// What a later mention may change.
    pub again: Again,
    /// Agree with two subjects: *Ana y Luis cantan*.
    pub joint: bool,
    /// Of nobody in particular: *cansarse*, *ser rico*.
    pub generic: bool,
    /// Leave out the name of whom it pleases.
    pub dative_known: bool,
}

/// How a later mention of a clause differs from the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// Without adjunct and modifiers.
    pub brief: bool,
    /// With the subject or the adjunct on the other side of the verb.
    pub turned: bool,
    /// *lo hace* for any action.
    pub pro_verb: bool,
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
            core: usize::MAX,
            pieces: None,
            pronoun: "",
            same_object: None,
            adjunct: Vec::new(),
            fronted: false,
            between: false,
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
                SubjectForm::Full => {
                    let n = if manner.again.brief { subject.core } else { subject.words.len() };
                    out.extend(subject.words.iter().take(n).map(|w| (w.clone(), Part::Subject)));
                }
                SubjectForm::Pronoun => out.push((subject.pronoun.into(), Part::Subject)),
                SubjectForm::Dropped => {}
            }
        };
        if manner.again.pro_verb {
            return self.say_pro_verb(manner, subject_words, out);
        }
        if manner.time == Time::Infinitive {
            self.negate(manner, out);
            self.say_infinitive(manner, out);
            self.say_complement(manner, out);
            self.say_adjunct(manner, out);
            return;
        }
        let fronted = self.fronted != manner.again.turned;
        if fronted {
            self.say_adjunct(manner, out);
        }
        if let (Some((_, name)), false) = (&self.dative, manner.dative_known) {
            out.extend(name.iter().map(|w| (w.clone(), Part::Dative)));
        }
        let bare = matches!(&self.complement, Complement::Words(words) if words.is_empty());
        let movable = manner.again.turned && bare && !self.passive && self.dative.is_none();
        let last = self.subject_last() != movable;
        let said =
            manner.subject == SubjectForm::Full && self.subject.as_ref().is_some_and(|s| !s.words.is_empty());
        let between =
            self.between && !fronted && !last && said && !self.adjunct.is_empty() && !manner.again.brief;
        if !last {
            subject_words(out);
        }
        if between {
            out.push((",".into(), Part::Adjunct));
            self.say_adjunct(manner, out);
            out.push((",".into(), Part::Adjunct));
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
        if !fronted && !between {
            self.say_adjunct(manner, out);
        }
    }

    /// *lo hace*, *no lo hizo*, *hacerlo*.
    fn say_pro_verb(
        &self,
        manner: Manner,
        subject: impl Fn(&mut Vec<(Word, Part)>),
        out: &mut Vec<(Word, Part)>,
    ) {
        if manner.time == Time::Infinitive {
            self.negate(manner, out);
            out.push(("hacerlo".into(), Part::Verb));
            return;
        }
        subject(out);
        self.negate(manner, out);
        out.push(("lo".into(), Part::Complement));
        finite(lexicon().aux.hacer, manner.time, self.person(), &mut |word| out.push((word, Part::Verb)));
    }

    /// Whether it can be said as a noun: *la subida de los precios*.
    pub fn has_noun(&self) -> bool {
        let third = self.subject.as_ref().is_none_or(|subject| {
            matches!(subject.person, Person::El | Person::Ellos) && !subject.words.is_empty()
        });
        let short = match &self.complement {
            Complement::Words(words) => words.first().is_none_or(|word| {
                matches!(word.as_ref(), "a" | "en" | "con" | "por") && self.subject.is_some()
            }),
            Complement::Object(..) => true,
            Complement::Predicate(_) | Complement::Agreeing(_) => false,
        };
        let plain = self.periphrasis.is_none() && self.dative.is_none() && self.adjunct.is_empty();
        self.verb.is_some_and(|verb| verb.nominal.is_some())
            && third
            && short
            && plain
            && self.pronoun.is_empty()
    }

    /// *la firma del contrato por parte de Ana*.
    pub fn say_noun(&self, out: &mut Vec<(Word, Part)>) {
        let Some(noun) = self.verb.and_then(|verb| verb.nominal.as_ref()) else { return };
        out.push((noun.definite(noun.agreement).into(), Part::Verb));
        out.extend(noun.text.split(' ').map(|word| (Word::from(word), Part::Verb)));
        let subject = self.subject.as_ref().map_or(&[][..], |subject| &subject.words);
        let mut link = "de";
        if let Complement::Object(words, _) = &self.complement {
            out.push(("de".into(), Part::Complement));
            out.extend(words.iter().map(|word| (word.clone(), Part::Complement)));
            link = "por parte de";
        }
        if !subject.is_empty() {
            out.extend(link.split(' ').map(|word| (Word::from(word), Part::Subject)));
            out.extend(subject.iter().map(|word| (word.clone(), Part::Subject)));
        }
        if let Complement::Words(words) = &self.complement {
            out.extend(words.iter().map(|word| (word.clone(), Part::Complement)));
        }
    }

    /// Whether a later mention may say *lo hace* for it: somebody does something.
    pub fn is_action(&self) -> bool {
        let aux = &lexicon().aux;
        let state = [aux.ser, aux.estar, aux.haber, aux.tener, aux.hacer];
        self.human
            && !self.passive
            && self.dative.is_none()
            && self.periphrasis.is_none()
            && !self.is_description()
            && self.verb.is_some_and(|verb| !state.iter().any(|other| std::ptr::eq(*other, verb)))
    }

    /// Whether it says what its subject is like.
    pub fn is_description(&self) -> bool {
        matches!(self.complement, Complement::Predicate(_) | Complement::Agreeing(_))
    }

    /// Whether a later mention may say *lo es*, *lo está* for it.
    pub fn is_predicate(&self) -> bool {
        let aux = &lexicon().aux;
        self.is_description()
            && self.periphrasis.is_none()
            && self.verb.is_some_and(|verb| std::ptr::eq(verb, aux.ser) || std::ptr::eq(verb, aux.estar))
    }

    /// Whether it says what somebody is used to: *suele dormir*, which has no future.
    pub fn habitual(&self) -> bool {
        self.periphrasis.is_some_and(|p| std::ptr::eq(p.verb, lexicon().aux.soler))
    }

    /// Whether the subject follows the verb.
    pub fn subject_last(&self) -> bool {
        self.dative.is_some() || self.passive || self.inverted
    }

    fn say_adjunct(&self, manner: Manner, out: &mut Vec<(Word, Part)>) {
        if manner.again.brief {
            return;
        }
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
        match &self.complement {
            Complement::Object(_, agreement) if manner.clitic => {
                out.push((agreement.pick(["lo", "la", "los", "las"]).into(), Part::Complement));
            }
            Complement::Predicate(_) | Complement::Agreeing(_) if manner.clitic => {
                out.push(("lo".into(), Part::Complement));
            }
            _ => {}
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
            Complement::Object(..) | Complement::Predicate(_) | Complement::Agreeing(_)
                if manner.clitic && manner.time != Time::Infinitive => {}
            Complement::Words(words) | Complement::Object(words, _) => {
                let n = if manner.again.brief { self.core } else { words.len() };
                let known = |word: &str| match word {
                    "un" => Some("el"),
                    "una" => Some("la"),
                    "unos" => Some("los"),
                    "unas" => Some("las"),
                    _ => None,
                };
                let object = matches!(self.complement, Complement::Object(..));
                for (at, word) in words.iter().take(n).enumerate() {
                    let article = if manner.again.brief && object && at == 0 { known(word) } else { None };
                    out.push((article.map_or_else(|| word.clone(), Word::from), Part::Complement));
                }
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
