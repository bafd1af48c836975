//! Which words of a sentence are verbs: by their form, and where a form is also a noun or unknown, by what stands around.

use super::{
    dictionary::{Analysis, Kinds, PLURAL, Persons, THIRD},
    endings::endings,
    grammar::Grammar,
    sentence::{Mark, Mood, Sentence, Verb, Word},
};

impl Sentence<'_> {
    /// Says of every word whether it is a verb or an infinitive.
    pub(super) fn find_verbs(&mut self) {
        for at in 0..self.len() {
            let (verb, analysis, persons, mood) = self.verb_at(at);
            let word = &self.words[at];
            let infinitive = verb == Verb::No
                && (word.is(Kinds::INFINITIVE) && !word.is(Kinds::NOUN)
                    || endings().is_infinitive_with_pronoun(&word.normal)
                    || self.unknown_infinitive(at));
            let word = &mut self.words[at];
            (word.verb, word.analysis, word.persons, word.subjunctive) = (verb, analysis, persons, mood);
            word.infinitive = infinitive;
        }
    }

    /// An unknown word in the form of an infinitive, where no noun is likely.
    fn unknown_infinitive(&self, at: usize) -> bool {
        let word = &self.words[at];
        let ends = endings().infinitive.end(&word.normal);
        let noun = at.checked_sub(1).is_some_and(|at| {
            let before = &self.words[at];
            before.is(Kinds::DETERMINER)
        });
        word.entry.is_none() && ends && word.normal.len() > 4 && !word.capital && !noun
    }

    fn verb_at(&self, at: usize) -> (Verb, Option<&'static Analysis>, Persons, Mood) {
        let word = &self.words[at];
        let none = (Verb::No, None, 0, Mood::Unknown);
        if word.text.chars().all(|c| "=<>≠≤≥".contains(c))
            || (word.text.contains(['=', '<', '>', '≠', '≤', '≥']) && word.text.len() > 1)
        {
            return (Verb::Sure, None, THIRD, Mood::Indicative);
        }
        if !word.text.starts_with(char::is_alphabetic) {
            return none;
        }
        let previous = at.checked_sub(1).map(|at| &self.words[at]).filter(|_| word.before == Mark::None);
        let next = self.words.get(at + 1).filter(|next| next.before == Mark::None);
        let after_pronoun = previous.is_some_and(|word| word.is(Kinds::PREVERBAL));
        let lower = word.text.to_lowercase();
        let finite = word.entry.map_or(&[][..], |entry| &entry.finite);
        let mut exact = finite.iter().filter(|one| *one.spelled == *lower).peekable();
        let function = word.is(Kinds::DETERMINER | Kinds::PREPOSITION | Kinds::CLITIC)
            || word.is(Kinds::WORD) && !after_pronoun;
        let accented = !lower.is_ascii();
        let candidates: Vec<&'static Analysis> = if exact.peek().is_some() && (!function || accented) {
            let mut all: Vec<_> = exact.collect();
            if !accented {
                // *cocino* for *cocinó*: accents get lost.
                all.extend(finite.iter().filter(|one| *one.spelled != *lower && one.marked));
            }
            all
        } else if function {
            let clause = self.words[..at].iter().rposition(|word| word.before != Mark::None).unwrap_or(0);
            let after_noun = next.is_none_or(|next| !next.is(Kinds::NOUN))
                && previous.is_some_and(|word| {
                    word.is(Kinds::NOUN | Kinds::ADJECTIVE | Kinds::NAME | Kinds::NEGATION)
                        || word.entry.is_none()
                })
                && self.words[clause..at].iter().all(|word| word.verb != Verb::Sure);
            let before_verb = self
                .words
                .get(at + 2)
                .is_some_and(|word| word.is(Kinds::NEGATION | Kinds::CLITIC | Kinds::COPULA | Kinds::HABER));
            // *esta* for *está*
            let auxiliary = word.is(Kinds::COPULA)
                && finite.iter().any(|one| !one.subjunctive)
                && (after_noun
                    || previous.is_none_or(|word| !word.is(Kinds::PREPOSITION))
                        && next.is_some_and(|next| {
                            next.is(Kinds::GERUND | Kinds::PARTICIPLE | Kinds::PREPOSITION)
                        })
                        && !before_verb);
            if auxiliary { finite.iter().collect() } else { Vec::new() }
        } else if accented {
            Vec::new()
        } else {
            finite.iter().filter(|one| one.marked || word.text.len() > 3).collect()
        };
        let Some(&first) = candidates.first() else {
            return self.unknown_verb(at, &lower, previous, after_pronoun);
        };
        let persons = candidates.iter().fold(0, |all, one| all | one.persons);
        let indicative = candidates.iter().any(|one| !one.subjunctive);
        let mood = match (indicative, candidates.iter().any(|one| one.subjunctive && one.marked)) {
            (true, _) if candidates.iter().all(|one| !one.subjunctive) => Mood::Indicative,
            (false, true) => Mood::PastSubjunctive,
            (false, false) => Mood::PresentSubjunctive,
            _ => Mood::Unknown,
        };
        let found = |verb| (verb, Some(first), persons, mood);
        // *Agua caliente*: a subjunctive needs something that governs it, or a clause of its own.
        // *Agua caliente*: after the noun of a clause that has its verb.
        let clause = self.words[..at]
            .iter()
            .rposition(|word| word.before != Mark::None || word.is(Kinds::CONJUNCTION | Kinds::RELATIVE));
        let has_verb = self.words[clause.unwrap_or(0)..at].iter().any(|word| word.verb == Verb::Sure);
        let after_noun =
            previous.is_some_and(|word| word.is(Kinds::NOUN | Kinds::ADJECTIVE) || word.entry.is_none());
        if mood == Mood::PresentSubjunctive && !first.marked && after_noun && has_verb && !after_pronoun {
            return none;
        }
        if mood == Mood::PresentSubjunctive
            && !after_pronoun
            && previous.is_some()
            && !self.begins_phrase(at)
            && !self.words[..at].iter().any(|word| word.is(Kinds::GOVERNOR))
        {
            return none;
        }
        if after_pronoun {
            return found(Verb::Sure);
        }
        if word.capital && (word.is(Kinds::NAME) || previous.is_some() && !self.begins_phrase(at)) {
            return none;
        }
        let copula = word.is(Kinds::COPULA);
        if let Some(previous) = previous {
            if previous.is(Kinds::ACCUSATIVE) && previous.is(Kinds::ARTICLE) {
                let ending = &previous.normal[1..];
                let inner =
                    at.checked_sub(2).map(|at| &self.words[at]).filter(|_| previous.before == Mark::None);
                let clitic =
                    inner.is_some_and(|word| word.is(Kinds::NEGATION | Kinds::CLITIC | Kinds::PRONOUN));
                let article = inner.is_none_or(|word| {
                    word.is(Kinds::CONJUNCTION | Kinds::PREPOSITION) || word.verb != Verb::No
                });
                let nominal = !clitic
                    && (word.is(Kinds::NOUN) || !first.marked && (article || word.normal.ends_with(ending)));
                return if nominal {
                    none
                } else {
                    found(if clitic || first.marked { Verb::Sure } else { Verb::Maybe })
                };
            }
            let nominal =
                previous.is(Kinds::DETERMINER) && (!previous.is(Kinds::PRONOUN) || previous.text.is_ascii());
            if nominal && (!copula || previous.is(Kinds::ARTICLE | Kinds::ADNOMINAL)) {
                let stands = previous.is(Kinds::QUANTITY) && !word.is(Kinds::NOUN);
                return if stands { found(Verb::Sure) } else { none };
            }
            if previous.is(Kinds::PREPOSITION) {
                return none;
            }
            // *era seria*, *decimos mentiras*, *parecen calientes*: two verbs seldom touch.
            if previous.verb == Verb::Sure
                || previous.is(Kinds::PARTICIPLE) && at > 1 && self.words[at - 2].verb == Verb::Sure
            {
                let exact = candidates.iter().any(|one| *one.spelled == *lower);
                let linking = (previous.is(Kinds::COPULA | Kinds::HABER) || previous.verb == Verb::No)
                    && !(first.marked && exact)
                    || !exact;
                let unlikely = candidates.iter().all(|one| one.subjunctive && one.persons == 1 << 1);
                if linking && !copula || unlikely {
                    return none;
                }
                if persons & THIRD != 0 && !copula && !previous.is(Kinds::INTRANSITIVE) && !first.marked {
                    return found(Verb::Maybe);
                }
            }
        }
        // A noun wants an article; at the head of a clause the verb is likelier.
        let noun = word.is(Kinds::NOUN) && !first.marked && !(self.begins_phrase(at) && at > 0);
        found(if noun { Verb::Maybe } else { Verb::Sure })
    }

    /// A word that the dictionary does not know: its ending and its place may tell.
    fn unknown_verb(
        &self,
        at: usize,
        lower: &str,
        previous: Option<&Word<'_>>,
        after_pronoun: bool,
    ) -> (Verb, Option<&'static Analysis>, Persons, Mood) {
        let (word, endings) = (&self.words[at], endings());
        let none = (Verb::No, None, 0, Mood::Unknown);
        let closed = Kinds::WORD
            | Kinds::DETERMINER
            | Kinds::PREPOSITION
            | Kinds::CLITIC
            | Kinds::PRONOUN
            | Kinds::RELATIVE
            | Kinds::NEGATION
            | Kinds::CONJUNCTION
            | Kinds::INFINITIVE
            | Kinds::GERUND;
        let touches = previous.is_some_and(|word| {
            word.is(Kinds::COPULA | Kinds::HABER) && word.verb == Verb::Sure || word.is(Kinds::PARTICIPLE)
        });
        let known = endings.is_infinitive_with_pronoun(&word.normal)
            || word.capital
                && (word.is(Kinds::NAME) || self.words.get(at + 1).is_some_and(|next| next.capital))
            || word.is(closed)
            || ((word.is(Kinds::PARTICIPLE | Kinds::NOUN | Kinds::ADJECTIVE) || touches) && !after_pronoun);
        if known || word.normal.len() < 4 || (word.capital && at > 0 && !self.begins_phrase(at)) {
            return none;
        }
        if previous.is_some_and(|word| {
            word.is(Kinds::PREPOSITION | Kinds::DETERMINER) && !word.is(Kinds::PRONOUN | Kinds::NEUTER)
        }) {
            return none;
        }
        // *Lo correcto* is a thing.
        if previous.is_some_and(|word| word.is(Kinds::NEUTER)) && lower.ends_with('o') {
            return none;
        }
        let plural = endings.plural.end(lower);
        let persons = if plural {
            PLURAL
        } else if endings.second.end(lower) {
            1 << 1
        } else {
            1 | 1 << 2
        };
        let past = endings.subjunctive.end(lower);
        let mood = if past { Mood::PastSubjunctive } else { Mood::Unknown };
        let weak = endings.weak.end(lower);
        match () {
            () if endings.nominal.end(lower) => none,
            () if endings.finite.end(lower) && (!word.capital || at == 0) => {
                (Verb::Sure, None, persons, mood)
            }
            () if after_pronoun && (weak || endings.pronominal.end(lower)) => {
                (Verb::Sure, None, persons, mood)
            }
            () if weak => (Verb::Maybe, None, persons, mood),
            () => none,
        }
    }

    /// Whether the word opens the sentence or follows a connective.
    pub(super) fn begins_phrase(&self, at: usize) -> bool {
        at == 0
            || self.words[at].before == Mark::Strong
            || self.occurrences.iter().any(|one| usize::from(one.end) == at)
    }

    /// Verbs after *que*, *quien*, *donde* belong to a clause inside a clause, unless the word is part of a connective
    /// phrase; so do verbs after an indirect question's word.
    pub(super) fn find_subordinates(&mut self, grammar: &Grammar) {
        let mut owned = vec![false; self.len()];
        for one in &self.occurrences {
            if grammar.is_connective(one.phrase) {
                owned[usize::from(one.start)..usize::from(one.end)].fill(true);
            }
        }
        // An initial *que* opens a clause that is itself an operand.
        let mut open = false;
        for (at, &owned) in owned.iter().enumerate() {
            let word = &self.words[at];
            let fresh = word.before != Mark::None || owned;
            if fresh {
                open = false;
            }
            let question = word.is(Kinds::INTERROGATIVE);
            let relative = word.is(Kinds::RELATIVE) && !owned && !self.begins_phrase(at);
            let modal = word.is(Kinds::THAT)
                && at > 0
                && self.words[at - 1].analysis.is_some()
                && self.words.get(at + 1).is_some_and(|next| next.infinitive || next.is(Kinds::NEGATION));
            let comparison = word.is(Kinds::THAT)
                && self.words[..at].iter().rev().take(4).any(|word| word.is(Kinds::COMPARATIVE));
            if (relative && !modal && !comparison) || (question && at > 0) {
                open = true;
                continue;
            }
            if open && self.words[at].verb != Verb::No {
                self.words[at].subordinate = true;
                if self.words[at].verb == Verb::Sure {
                    open = false;
                }
            }
        }
    }
}
