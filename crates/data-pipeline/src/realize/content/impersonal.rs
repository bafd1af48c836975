//! Clauses in which nobody acts: the weather, passives, what people do in general, what pleases, and symbols.

use std::borrow::Cow;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::super::clause::{Clause, Complement, NounPhrase, Periphrasis, Time, Word};
use super::super::phrase::push_words;
use super::Writer;
use crate::lexicon::{Agreement, Noun, Person, Simple, Subject, lexicon};

impl Writer<'_> {
    pub(super) fn impersonal(&mut self) -> Clause {
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
    pub(super) fn passive(&mut self) -> Clause {
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
    pub(super) fn anybody(&mut self) -> Clause {
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

    pub(super) fn pleasing(&mut self) -> Clause {
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
}

/// *el cine*: what pleases or hurts is known.
pub fn definite(noun: &'static Noun) -> NounPhrase {
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
