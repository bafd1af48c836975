//! Draws what the atoms say: clauses of one domain that share a subject, a verb or a complement as those of real
//! exercises do.

mod impersonal;
mod variation;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::clause::{Again, Clause, Complement, Manner, Periphrasis, SubjectForm, Time, Word};
use super::phrase::push_words;
use crate::lexicon::{Adjective, Copula, Domain, Person, Piece, Simple, Subject, Verb, lexicon};
pub use variation::Variation;

/// Chance that a content word is an invented one.
pub const PSEUDO: f64 = 0.14;

/// Draws clauses for one sentence.
pub struct Writer<'r> {
    pub rng: &'r mut ChaCha8Rng,
    domain: &'static Domain,
    next_id: u32,
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
