//! Where a clause begins that no mark and no connective announces: *si llueve | me mojo*.

use super::{
    dictionary::{Kinds, THIRD},
    sentence::{Mark, Sentence, Verb},
};

impl Sentence<'_> {
    /// The place where the words that belong to the verb begin: its pronouns and its negation.
    pub fn verb_group(&self, verb: usize) -> usize {
        let mut start = verb;
        while start > 0 && self.words[start].before == Mark::None {
            let word = &self.words[start - 1];
            let joins = word.is(Kinds::NEGATION | Kinds::CLITIC | Kinds::ADVERBIAL);
            let phrase = self.occurrences.iter().any(|one| {
                usize::from(one.end) == start && one.end - one.start > 1 && usize::from(one.start) < start
            });
            if !joins || phrase && !word.is(Kinds::NEGATION | Kinds::CLITIC) {
                break;
            }
            start -= 1;
        }
        start
    }

    /// Whether a noun phrase begins at the word.
    pub fn begins_noun_phrase(&self, at: usize) -> bool {
        let word = &self.words[at];
        let previous = at.checked_sub(1).map(|at| &self.words[at]).filter(|_| word.before == Mark::None);
        if previous.is_some_and(|word| word.is(Kinds::PREPOSITION | Kinds::DETERMINER | Kinds::RELATIVE)) {
            return false;
        }
        (word.is(Kinds::DETERMINER) && !word.is(Kinds::MEASURE))
            || word.is(Kinds::PRONOUN)
            || (word.capital && at > 0 && !previous.is_some_and(|word| word.capital))
    }

    /// Offers, between two verbs, the places where the clause of the second may begin.
    pub(super) fn find_clause_starts(&mut self) {
        let verbs: Vec<usize> = (0..self.len())
            .filter(|&at| self.words[at].verb != Verb::No && !self.words[at].subordinate)
            .collect();
        for pair in verbs.windows(2) {
            let (left, right) = (pair[0], pair[1]);
            let group = self.verb_group(right);
            if group <= left {
                continue;
            }
            let unknown = self.words[right].verb == Verb::Maybe && self.words[right].analysis.is_none();
            if unknown && !(left + 1..group).any(|at| self.begins_noun_phrase(at)) {
                continue;
            }
            let doubt =
                if self.words[left].verb.min(self.words[right].verb) == Verb::Maybe { 0.4 } else { 0.0 };
            let (mut best, other) = self.subject_of(left, right, group);
            // *… a Julio le gusta viajar*
            if self.words[group].is(Kinds::DATIVE)
                && let Some(to) = (left + 1..group).rev().find(|&at| self.words[at].is(Kinds::TO))
            {
                best = to;
            }
            let mut offer = |at: usize, cost: f32| {
                let known = &mut self.clause_start[at];
                *known = Some(known.map_or(cost, |known: f32| known.min(cost)));
            };
            offer(best, doubt);
            if let Some(other) = other {
                offer(other, doubt + 0.5);
            }
        }
    }

    /// Where the clause of the verb at `right` begins, between the verb at `left` and its own group: the likelier and
    /// the other place.
    fn subject_of(&self, left: usize, right: usize, group: usize) -> (usize, Option<usize>) {
        let heads: Vec<usize> = (left + 1..group).filter(|&at| self.begins_noun_phrase(at)).collect();
        let Some(&last) = heads.last() else { return (group, None) };
        let person = self.words[right].persons;
        if person & THIRD == 0 && person != 0 {
            let own = self.words[group - 1].is(Kinds::SUBJECT);
            return (if own { group - 1 } else { group }, None);
        }
        if last > left + 1 || self.words[last].capital {
            return (last, Some(group));
        }
        // One noun phrase right after the first verb: its object or subject, or the subject of the second.
        let verb = &self.words[left];
        let has_subject = self.has_subject(left);
        let personal = verb.persons & THIRD == 0 && verb.persons != 0;
        let reflexive = left > 0 && self.words[left - 1].is(Kinds::REFLEXIVE);
        let intransitive = verb.is(Kinds::INTRANSITIVE) || reflexive;
        if intransitive && (has_subject || personal || verb.is(Kinds::WEATHER)) {
            (last, Some(group))
        } else {
            (group, Some(last))
        }
    }

    /// Whether something that can be a subject stands before the verb in its clause.
    pub fn has_subject(&self, verb: usize) -> bool {
        let group = self.verb_group(verb);
        group > 0
            && self.words[group].before == Mark::None
            && !self.occurrences.iter().any(|one| usize::from(one.end) == group)
    }
}
