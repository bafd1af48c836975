//! Draws what the atoms say: clauses of one domain that share a subject, a verb or a complement as those of real
//! exercises do.

use std::borrow::Cow;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::clause::{Again, Clause, Complement, Manner, NounPhrase, Periphrasis, SubjectForm, Time, Word};
use super::phrase::push_words;
use crate::lexicon::{
    Adjective, Agreement, Copula, Domain, Noun, Person, Piece, Predicates, Simple, Subject, Verb, lexicon,
};

/// Chance that a content word is an invented one.
pub const PSEUDO: f64 = 0.14;

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
    /// The same subject can, must or is about to do something else.
    Verb,
    /// The same subject does something else to the same object.
    Object,
    /// The same at another time or place.
    Adjunct,
}

impl<'r> Writer<'r> {
    pub fn new(rng: &'r mut ChaCha8Rng, domain: usize) -> Writer<'r> {
        Writer { rng, domain: &lexicon().domains[domain], next_id: 0 }
    }

    pub fn pick<T>(&mut self, of: &'static [T]) -> &'static T {
        &of[self.rng.random_range(0..of.len())]
    }

    pub fn text<S: AsRef<str>>(&mut self, of: &'static [S]) -> &'static str {
        self.pick(of).as_ref()
    }

    pub fn chance(&mut self, p: f64) -> bool {
        self.rng.random_bool(p)
    }

    fn id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    /// Names the three parts anew: nothing is shared with another clause.
    fn fresh(&mut self, clause: Clause) -> Clause {
        Clause { subject_id: self.id(), verb_id: self.id(), complement_id: self.id(), ..clause }
    }

    /// A clause that shares nothing by intent.
    pub fn clause(&mut self) -> Clause {
        let mathematics = self.domain.code == "mat";
        let clause = match self.rng.random_range(0..100) {
            0..8 if !self.domain.impersonal.is_empty() => self.impersonal(),
            _ if self.domain.verbs.is_empty() => self.impersonal(),
            8..14 if !self.domain.passive.is_empty() => self.passive(),
            14..20 if !mathematics => self.pleasing(),
            20..23 if !mathematics => self.anybody(),
            23..48 => self.predicate(None),
            48..76 if mathematics => self.predicate(None),
            _ => self.verbal(None),
        };
        self.with_adjunct(clause)
    }

    fn with_adjunct(&mut self, mut clause: Clause) -> Clause {
        let adverbial = matches!(&clause.complement, Complement::Words(words) if !words.is_empty());
        if clause.verb.is_some() && !adverbial && self.domain.code != "mat" && self.chance(0.1) {
            push_words(&mut clause.adjunct, self.text(&lexicon().adjuncts));
            clause.fronted = self.chance(0.4);
            clause.between = !clause.fronted && self.chance(0.3);
        }
        clause
    }

    /// A clause that differs from `model` in one part only, where that is possible.
    pub fn vary(&mut self, model: &Clause, at: usize, variation: Variation) -> Clause {
        for attempt in 0..10 {
            let other = match (attempt, variation) {
                (0..4, Variation::Complement) => self.other_complement(model),
                (0..4, Variation::Subject) => self.other_subject(model),
                (0..4, Variation::Verb) => self.other_verb(model),
                (0..4, Variation::Object) => self.same_object(model, at),
                (0..4, Variation::Adjunct) => self.other_adjunct(model),
                (4..6, _) => self.other_complement(model),
                (6..7, _) => self.other_subject(model),
                _ => self.same_subject(model),
            };
            if let Some(other) = other.filter(|other| said(other, false) != said(model, false)) {
                return other;
            }
        }
        self.clause()
    }

    fn same_subject(&mut self, model: &Clause) -> Option<Clause> {
        model.subject.as_ref()?;
        if model.dative.is_some() || model.passive {
            return None;
        }
        let clause = if self.chance(0.3) { self.predicate(Some(model)) } else { self.verbal(Some(model)) };
        (clause.subject_id == model.subject_id).then(|| self.with_adjunct(clause))
    }

    /// *puede asistir a clase* → *puede optar por un examen*; *está lloviendo* → *está nevando*.
    fn other_verb(&mut self, model: &Clause) -> Option<Clause> {
        if model.subject.is_none() && !model.passive {
            let mut clause = self.impersonal();
            clause.periphrasis = model.periphrasis;
            let same_kind = model.periphrasis.is_some()
                && matches!(&clause.complement, Complement::Words(w) if w.is_empty());
            return same_kind.then_some(clause);
        }
        let mut clause = self.same_subject(model)?;
        let copula = matches!(clause.complement, Complement::Predicate(_) | Complement::Agreeing(_));
        clause.periphrasis = Some(model.periphrasis?);
        clause.inverted = false;
        clause.fronted = false;
        clause.adjunct.clear();
        (!copula && !clause.reflexive() && clause.pronoun.is_empty()).then_some(clause)
    }

    /// *nada en verano* → *nada en invierno*.
    fn other_adjunct(&mut self, model: &Clause) -> Option<Clause> {
        let adverbial = matches!(&model.complement, Complement::Words(words) if !words.is_empty());
        if model.verb.is_none() || adverbial || self.domain.code == "mat" {
            return None;
        }
        let mut clause = Clause { adjunct: Vec::new(), verb_id: self.id(), ..model.clone() };
        push_words(&mut clause.adjunct, self.text(&lexicon().adjuncts));
        clause.fronted = self.chance(0.3);
        Some(clause)
    }

    /// *cumplió las órdenes* → *las entendió*.
    fn same_object(&mut self, model: &Clause, at: usize) -> Option<Clause> {
        let Complement::Object(..) = model.complement else {
            return None;
        };
        let clause = self.verbal(Some(model));
        if clause.subject_id != model.subject_id {
            return None;
        }
        let transitive = matches!(clause.complement, Complement::Object(..));
        let plain = clause.periphrasis.is_none() && !clause.reflexive() && clause.pronoun.is_empty();
        (transitive && plain).then(|| Clause {
            complement: model.complement.clone(),
            core: model.core,
            complement_id: model.complement_id,
            same_object: Some(at),
            ..clause
        })
    }

    fn other_complement(&mut self, model: &Clause) -> Option<Clause> {
        let verb = model.verb?;
        if model.dative.is_some() {
            return self.other_subject(model);
        }
        if model.passive && model.subject.is_some() {
            return self.other_subject(model);
        }
        let mut clause = model.clone();
        clause.complement_id = self.id();
        clause.same_object = None;
        clause.adjunct.clear();
        match &model.complement {
            Complement::Predicate(_) | Complement::Agreeing(_) => {
                let kind = self.predicates_like(&model.complement)?;
                clause.complement = Complement::Predicate(self.pick(&kind.adjectives));
            }
            Complement::Words(words) if words.is_empty() => return None,
            _ => {
                let domain = self.domain;
                let uses = domain.verbs.iter().filter(|u| std::ptr::eq(u.verb, verb)).map(|u| &u.complements);
                let bare =
                    domain.impersonal.iter().filter(|u| std::ptr::eq(u.verb, verb)).map(|u| &u.complements);
                let complements =
                    if model.subject.is_some() { uses.collect() } else { bare.collect::<Vec<_>>() };
                let filled: Vec<_> = complements.into_iter().flatten().filter(|c| !c.is_empty()).collect();
                let drawn = *filled.get(self.rng.random_range(0..filled.len().max(1)))?;
                // Often only a noun or a number in the same words.
                let pieces = match model.pieces {
                    Some(pieces) if self.chance(0.6) => pieces,
                    _ => drawn,
                };
                clause.pieces = Some(pieces);
                (clause.complement, clause.core) = self.complement(pieces);
                clause.pronoun = "";
            }
        }
        Some(clause)
    }

    /// The line of the tables that a predicate was drawn from.
    fn predicates_like(&mut self, complement: &Complement) -> Option<&'static Predicates> {
        let domain = self.domain;
        let of = |adjective: &Adjective| domain.predicates.iter().find(|p| p.adjectives.contains(adjective));
        match complement {
            Complement::Predicate(adjective) => of(adjective),
            _ => None,
        }
    }

    fn other_subject(&mut self, model: &Clause) -> Option<Clause> {
        let old = model.subject.as_ref()?;
        let domain = self.domain;
        let mut clause = model.clone();
        clause.same_object = None;
        let subject = if model.dative.is_some() {
            let noun = self.noun_near(old)?;
            NounPhrase { kind: old.kind, ..definite(noun) }
        } else if model.passive {
            let noun = self.noun_near(old)?;
            self.phrase(noun)
        } else {
            let verb = model.verb?;
            let kinds: Vec<Subject> = match &model.complement {
                Complement::Predicate(_) => self.predicates_like(&model.complement)?.subjects.clone(),
                Complement::Agreeing(_) => {
                    let noun = self.noun_near(old)?;
                    let subject = self.phrase(noun);
                    let subject_id = self.id();
                    return Some(Clause { subject: Some(subject), subject_id, ..clause });
                }
                _ => domain.verbs.iter().find(|u| std::ptr::eq(u.verb, verb))?.subjects.clone(),
            };
            let third: Vec<_> = kinds.into_iter().filter(|k| *k != Subject::Personal).collect();
            let kind = *third.get(self.rng.random_range(0..third.len().max(1)))?;
            self.subject(kind)
        };
        clause.subject = Some(subject);
        clause.subject_id = self.id();
        Some(clause)
    }

    /// Another noun of the class that a phrase was drawn from.
    fn noun_near(&mut self, phrase: &NounPhrase) -> Option<&'static Noun> {
        let Some(Subject::Class(class)) = phrase.kind else {
            return None;
        };
        Some(self.pick(&lexicon().classes[class]))
    }

    fn verbal(&mut self, like: Option<&Clause>) -> Clause {
        let verbs = &self.domain.verbs;
        let start = self.rng.random_range(0..verbs.len());
        let around = verbs[start..].iter().chain(&verbs[..start]);
        let mut around = around.filter(|one| like.is_none_or(|model| fits(&one.subjects, model)));
        let used = around.next().unwrap_or(&verbs[start]);
        let like = like.filter(|model| fits(&used.subjects, model));
        let kind = *self.pick(&used.subjects);
        let pieces = self.pick(&used.complements);
        let (mut complement, core) = self.complement(pieces);
        let mut pronoun = "";
        if matches!(pieces.as_slice(), [Piece::Word(a), _] if a == "a")
            && used.subjects.contains(&Subject::Name)
            && self.chance(0.3)
        {
            let place = matches!(pieces[1], Piece::Place) || used.verb.infinitive == "ir";
            if !place && !used.verb.reflexive && self.takes_persons(&pieces[1]) {
                pronoun = self.text(&["me", "te", "lo", "la", "nos", "los", "me", "te"]);
                complement = Complement::Words(Vec::new());
            }
        }
        let verb = if self.chance(PSEUDO) { *self.pick(&lexicon().pseudo.verbs) } else { used.verb };
        let human = match like {
            Some(model) => model.human,
            None => {
                matches!(kind, Subject::Personal | Subject::Name) || used.subjects.contains(&Subject::Name)
            }
        };
        let periphrasis = if self.chance(0.16) { self.periphrasis(human) } else { None };
        let bare = matches!(&complement, Complement::Words(w) if w.is_empty());
        let named = matches!(kind, Subject::Class(_));
        let inverted = bare && periphrasis.is_none() && named && self.chance(0.3);
        let clause = Clause {
            periphrasis,
            inverted,
            complement,
            core,
            pieces: Some(pieces),
            pronoun,
            human,
            past: self.past(verb),
            ..Clause::of(Some(verb))
        };
        let clause = self.whose(clause, kind, like);
        // Nobody helps himself with "me ayudo": that would be a reflexive verb.
        let own: &[&str] = match clause.person() {
            Person::Yo | Person::Nosotros => &["me", "nos"],
            Person::Tu | Person::Vos | Person::Vosotros => &["te", "os"],
            _ => &[],
        };
        let pronoun = if own.contains(&clause.pronoun) { "lo" } else { clause.pronoun };
        Clause { pronoun, ..clause }
    }

    fn takes_persons(&self, piece: &Piece) -> bool {
        match piece {
            Piece::Name => true,
            Piece::Phrase(class) => {
                ["vecino", "alumno", "empleado", "juez", "paciente", "jugador", "usuario"]
                    .iter()
                    .any(|person| lexicon().classes[*class].iter().any(|noun| noun.text == *person))
            }
            _ => false,
        }
    }

    /// Gives a clause the model's subject, or one of its own.
    fn whose(&mut self, clause: Clause, kind: Subject, like: Option<&Clause>) -> Clause {
        let clause = self.fresh(clause);
        match like {
            Some(model) => Clause { subject: model.subject.clone(), subject_id: model.subject_id, ..clause },
            None => Clause { subject: Some(self.subject(kind)), ..clause },
        }
    }

    fn predicate(&mut self, like: Option<&Clause>) -> Clause {
        let kinds = &self.domain.predicates;
        if kinds.is_empty() {
            return self.verbal(like);
        }
        let start = self.rng.random_range(0..kinds.len());
        let around = kinds[start..].iter().chain(&kinds[..start]);
        let mut around = around.filter(|one| like.is_none_or(|model| fits(&one.subjects, model)));
        let kind = around.next().unwrap_or(&kinds[start]);
        let like = like.filter(|model| fits(&kind.subjects, model));
        let people = kind.subjects.contains(&Subject::Name);
        let which = if people && self.chance(0.3) { Subject::Personal } else { *self.pick(&kind.subjects) };
        let adjective = self.pick(&kind.adjectives);
        let complement = if self.chance(PSEUDO) {
            Complement::Agreeing(self.text(&lexicon().pseudo.adjectives))
        } else {
            Complement::Predicate(adjective)
        };
        let aux = &lexicon().aux;
        let plain = matches!(adjective, Adjective::Agreeing(_));
        let (verb, verb_id) = match kind.copula {
            Copula::Ser if plain && self.chance(0.06) => (*self.pick(&aux.like_ser), self.id()),
            Copula::Estar if plain && self.chance(0.08) => (*self.pick(&aux.like_estar), self.id()),
            Copula::Ser => (aux.ser, u32::MAX),
            Copula::Estar => (aux.estar, u32::MAX - 1),
        };
        let class = matches!(which, Subject::Class(_)) && like.is_none();
        let clause = Clause {
            inverted: class && plain && self.chance(0.07),
            complement,
            human: like.map_or(people, |model| model.human),
            past: self.past(verb),
            ..Clause::of(Some(verb))
        };
        Clause { verb_id, ..self.whose(clause, which, like) }
    }

    fn impersonal(&mut self) -> Clause {
        let used = self.pick(&self.domain.impersonal);
        let pieces = self.pick(&used.complements);
        let (complement, core) = self.complement(pieces);
        let weather = pieces.is_empty();
        let raining = Periphrasis { verb: lexicon().aux.estar, link: "", gerund: true };
        let periphrasis = (weather && self.chance(0.25)).then_some(raining);
        let clause = Clause {
            periphrasis,
            complement,
            core,
            past: self.past(used.verb),
            ..Clause::of(Some(used.verb))
        };
        Clause { subject_id: u32::MAX, ..self.fresh(clause) }
    }

    /// *se firma el contrato*, *el contrato es firmado*.
    fn passive(&mut self) -> Clause {
        let used = self.pick(&self.domain.passive);
        let class = *self.pick(&used.classes);
        let subject = Some(self.subject(Subject::Class(class)));
        let past = Time::Simple(Simple::Preterite);
        let clause = if self.chance(0.3) {
            let verb = lexicon().aux.ser;
            Clause {
                subject,
                complement: Complement::Agreeing(&used.verb.participle),
                past,
                ..Clause::of(Some(verb))
            }
        } else {
            Clause { subject, passive: true, past, ..Clause::of(Some(used.verb)) }
        };
        self.fresh(clause)
    }

    /// What people do in general: *se puede nadar*, *se trabaja mucho*.
    fn anybody(&mut self) -> Clause {
        let mut clause = self.verbal(None);
        for _ in 0..8 {
            let object = matches!(&clause.complement, Complement::Object(..));
            if clause.human && !clause.reflexive() && !object && clause.pronoun.is_empty() {
                break;
            }
            clause = self.verbal(None);
        }
        if clause.reflexive() || !clause.human {
            return clause;
        }
        let can = Periphrasis { verb: lexicon().aux.poder, link: "", gerund: false };
        clause.periphrasis = self.chance(0.6).then_some(can);
        clause.pronoun = "";
        Clause { subject: None, subject_id: u32::MAX, passive: true, inverted: false, human: false, ..clause }
    }

    fn pleasing(&mut self) -> Clause {
        let used = self.pick(&lexicon().pleasing);
        let infinitive = self.chance(0.3);
        let subject = if infinitive {
            let mut words = Vec::new();
            push_words(&mut words, self.text(&lexicon().pleasing_infinitives));
            NounPhrase {
                person: Person::El,
                agreement: Agreement::MASCULINE,
                core: words.len(),
                words,
                pronoun: "",
                kind: None,
            }
        } else {
            let class = *self.pick(&used.classes);
            NounPhrase { kind: Some(Subject::Class(class)), ..definite(self.pick(&lexicon().classes[class])) }
        };
        let whom = *self.pick(&[
            Person::Yo,
            Person::Yo,
            Person::Tu,
            Person::El,
            Person::El,
            Person::El,
            Person::Nosotros,
            Person::Ellos,
        ]);
        let mut name: Vec<Word> = Vec::new();
        if whom == Person::Ellos && self.chance(0.75) {
            name.push("a".into());
            push_words(
                &mut name,
                self.text(&["los niños", "los vecinos", "las alumnas", "los turistas", "mis padres"]),
            );
        } else if whom == Person::El && self.chance(0.8) {
            name.push("a".into());
            name.extend(self.subject(Subject::Name).words);
        } else if whom == Person::Yo && self.chance(0.12) {
            push_words(&mut name, "a mí");
        }
        let verb = if infinitive { lexicon().pleasing[0].verb } else { used.verb };
        let clause = Clause {
            subject: Some(subject),
            dative: Some((whom, name)),
            past: self.past(verb),
            ..Clause::of(Some(verb))
        };
        self.fresh(clause)
    }

    /// A mathematical clause of symbols: it has no verb and cannot be negated by *no*.
    pub fn symbols(&mut self) -> Clause {
        let mut letters = ["x", "y", "z", "n", "m", "a", "b", "k"].to_vec();
        let mut letter = |rng: &mut ChaCha8Rng| letters.remove(rng.random_range(0..letters.len()));
        let words = self.pick(&lexicon().symbols).iter().map(|word| match word.as_str() {
            "V" => letter(self.rng).into(),
            "V²" => format!("{}²", letter(self.rng)).into(),
            "N" => self.rng.random_range(0..13).to_string().into(),
            other => Cow::Borrowed(other),
        });
        let complement = Complement::Words(words.collect());
        self.fresh(Clause { complement, ..Clause::of(None) })
    }

    fn past(&mut self, verb: &'static Verb) -> Time {
        let aux = &lexicon().aux;
        let state = [aux.ser, aux.estar, aux.tener, aux.haber].iter().any(|v| std::ptr::eq(*v, verb));
        match self.rng.random_range(0..10) {
            0..6 if state => Time::Simple(Simple::Imperfect),
            0..6 => Time::Simple(Simple::Preterite),
            6..9 => Time::Perfect(Simple::Present),
            _ => Time::Simple(Simple::Imperfect),
        }
    }

    fn periphrasis(&mut self, human: bool) -> Option<Periphrasis> {
        let aux = &lexicon().aux;
        let plain = |verb, link| Periphrasis { verb, link, gerund: false };
        Some(match self.rng.random_range(0..if human { 16 } else { 6 }) {
            0..2 => plain(aux.poder, ""),
            2 => Periphrasis { verb: aux.estar, link: "", gerund: true },
            3 => plain(aux.deber, ""),
            4 => plain(aux.empezar, "a"),
            5 => plain(aux.soler, ""),
            6..8 => plain(aux.querer, ""),
            8 => plain(aux.tener, "que"),
            9 => plain(aux.necesitar, ""),
            10 => plain(aux.dejar, "de"),
            11 => plain(aux.pensar, ""),
            12..15 => plain(aux.poder, ""),
            _ => Periphrasis { verb: aux.estar, link: "", gerund: true },
        })
    }
}

/// *el cine*: what pleases or hurts is known.
fn definite(noun: &'static Noun) -> NounPhrase {
    let mut words: Vec<Word> = Vec::new();
    push_words(&mut words, noun.definite(noun.agreement));
    push_words(&mut words, &noun.text);
    NounPhrase {
        person: if noun.agreement.plural { Person::Ellos } else { Person::El },
        agreement: noun.agreement,
        core: words.len(),
        words,
        pronoun: "",
        kind: None,
    }
}

/// Whether a verb or predicate with these subjects may be said of the subject that the model has.
fn fits(subjects: &[Subject], model: &Clause) -> bool {
    model.subject.as_ref().and_then(|subject| subject.kind).is_some_and(|kind| {
        let person = matches!(kind, Subject::Personal | Subject::Name);
        subjects.contains(&kind) || person && subjects.contains(&Subject::Name)
    })
}

/// What tells a clause from any other, whatever the order of its words: *yo* said or not, an adjunct before or after.
pub fn identity(clause: &Clause) -> Vec<Word> {
    let mut words = said(clause, false);
    if clause.is_description() {
        // Being so, seeming so and staying so are one.
        let verb = clause.verb.map(|verb| verb.finite(Simple::Present, clause.person()));
        words.retain(|word| Some(word.as_ref()) != verb);
    }
    if let Some(subject) = clause.subject.as_ref().filter(|subject| subject.kind == Some(Subject::Personal)) {
        words.retain(|word| !subject.words.contains(word));
    }
    words.retain(|word| word != ",");
    words.sort_unstable();
    words
}

/// The words of a clause in the present, to tell two clauses apart.
pub fn said(clause: &Clause, brief: bool) -> Vec<Word> {
    let manner = Manner {
        again: Again { brief, ..Again::default() },
        time: Time::Simple(Simple::Present),
        negation: "",
        subject: SubjectForm::Full,
        clitic: false,
        joint: false,
        generic: false,
        dative_known: false,
    };
    let mut out = Vec::new();
    clause.say(manner, &mut out);
    out.into_iter().map(|(word, _)| word).collect()
}
