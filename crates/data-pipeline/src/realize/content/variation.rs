//! A clause that shares most of its words with another, as those of one exercise do.

use rand::RngExt;

use super::super::clause::{Clause, Complement, NounPhrase};
use super::super::phrase::push_words;
use super::impersonal::definite;
use super::{Writer, said};
use crate::lexicon::{Adjective, Noun, Predicates, Subject, lexicon};

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

impl Writer<'_> {
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
}
