//! Clauses that leave out what another has said: *Ana come pan y* queso, Ana *y Luis cantan*, *canta y Luis también*.
//!
//! A clause is the list of the places of its words; a fragment takes the place of some of them.

use super::{
    dictionary::Kinds,
    sentence::{Mark, Sentence, Verb, Word},
};

/// The words of a clause, by place.
pub type Clause = Vec<u8>;

/// A fragment put into a clause, and how unlikely that it belongs there.
pub struct Filled {
    pub words: Clause,
    pub cost: f32,
}

/// Nothing in the clause is like the fragment.
const UNLIKE: f32 = 1.6;

fn main_verb(sentence: &Sentence<'_>, clause: &[u8]) -> Option<usize> {
    let of = |verb| {
        clause.iter().position(|&at| {
            let word = &sentence.words[usize::from(at)];
            word.verb == verb && !word.subordinate
        })
    };
    of(Verb::Sure).or_else(|| of(Verb::Maybe))
}

/// The fragment in place of the end of the clause that is most like it.
pub fn tail(sentence: &Sentence<'_>, clause: &[u8], fragment: &[u8]) -> Filled {
    let word = |at: u8| -> &Word<'_> { &sentence.words[usize::from(at)] };
    let Some(&first) = fragment.first() else { return Filled { words: clause.to_vec(), cost: UNLIKE } };
    let verb = main_verb(sentence, clause);
    // A verbless clause (*ser rico y famoso*) ends after its first word.
    let from = verb.map_or(1, |verb| verb + 1).min(clause.len());
    let rest = &clause[from..];
    let replace = |at: usize, cost: f32| Filled { words: [&clause[..from + at], fragment].concat(), cost };
    let find = |like: &dyn Fn(usize) -> bool| (0..rest.len()).rev().find(|&at| like(at));
    let head = word(first);
    let phrase_start = |at: usize| !(at > 0 && word(rest[at - 1]).is(Kinds::PREPOSITION | Kinds::DETERMINER));
    if fragment.iter().any(|&at| word(at).verb == Verb::Sure && !word(at).subordinate) {
        return replace(0, 3.0);
    }
    let plain = |at: usize| {
        !word(rest[at]).is(Kinds::PREPOSITION | Kinds::DETERMINER | Kinds::CLITIC | Kinds::NEGATION)
    };
    if head.is(Kinds::PREPOSITION) && !head.infinitive {
        if let Some(at) = find(&|at| word(rest[at]).normal == head.normal) {
            return replace(at, 0.1);
        }
        if let Some(at) = find(&|at| word(rest[at]).is(Kinds::PREPOSITION) && phrase_start(at)) {
            return replace(at, 0.4);
        }
        return replace(if rest.is_empty() { 0 } else { rest.len() }, 0.9);
    }
    if head.infinitive {
        return match find(&|at| word(rest[at]).infinitive) {
            Some(at) => replace(at, 0.1),
            None => replace(0, UNLIKE),
        };
    }
    if head.is(Kinds::DETERMINER) || (head.is(Kinds::PRONOUN) && fragment.len() == 1) {
        let nominal = |at: usize| word(rest[at]).is(Kinds::DETERMINER) || word(rest[at]).capital;
        if let Some(at) = find(&|at| nominal(at) && phrase_start(at)) {
            return replace(at, 0.1);
        }
        if let Some(at) = find(&nominal) {
            return replace(at, 0.3);
        }
        return replace(0, if rest.is_empty() { UNLIKE } else { 0.8 });
    }
    if head.is(Kinds::GERUND) {
        return match find(&|at| word(rest[at]).is(Kinds::GERUND)) {
            Some(at) => replace(at, 0.1),
            None => replace(0, UNLIKE),
        };
    }
    if head.capital || head.text.starts_with(|c: char| c.is_ascii_digit()) || head.normal.chars().count() == 1
    {
        let alike = |at: usize| {
            let other = word(rest[at]);
            (other.capital && head.capital)
                || other.text.starts_with(|c: char| c.is_ascii_digit())
                || other.normal.chars().count() == 1 && head.normal.chars().count() == 1
        };
        if let Some(at) = find(&alike) {
            let mut at = at;
            while at > 0 && head.capital && word(rest[at - 1]).capital {
                at -= 1;
            }
            // *Lógica y Representación 1*: one title.
            let numbered =
                fragment.last().is_some_and(|&at| word(at).text.starts_with(|c: char| c.is_ascii_digit()));
            let titles = head.capital && numbered && fragment.len() > 1;
            return replace(at, if titles { 1.3 } else { 0.2 });
        }
        return replace(0, if rest.is_empty() { UNLIKE } else { 1.0 });
    }
    // A bare noun, adjective, participle or adverb.
    let copula = verb.is_some_and(|at| word(clause[at]).is(Kinds::COPULA | Kinds::HABER));
    if head.is(Kinds::PARTICIPLE)
        && let Some(at) = find(&|at| word(rest[at]).is(Kinds::PARTICIPLE))
    {
        return replace(at, 0.1);
    }
    match rest.first() {
        None => replace(0, UNLIKE),
        Some(&next) if word(next).is(Kinds::DETERMINER) => match find(&plain) {
            // *es un hombre alto y* guapo
            Some(at) if copula && at > 1 => replace(at, 0.4),
            _ => replace(0, 1.1),
        },
        Some(_) => {
            let mut at = 0;
            while at + 1 < rest.len() && word(rest[at]).is(Kinds::DEGREE) {
                at += 1;
            }
            if head.is(Kinds::DEGREE) {
                at = 0
            }
            let adverb = head.normal.ends_with("mente");
            if adverb && let Some(at) = find(&|at| word(rest[at]).normal.ends_with("mente")) {
                return replace(at, 0.1);
            }
            if word(rest[at]).is(Kinds::PREPOSITION) {
                return match find(&plain) {
                    Some(at) if at > 0 => replace(at, 0.5),
                    _ => replace(0, 1.1),
                };
            }
            if copula
                && word(rest[at]).is(Kinds::PARTICIPLE)
                && at + 1 < rest.len()
                && verb.is_some_and(|at| word(clause[at]).is(Kinds::HABER))
            {
                at += 1;
            }
            replace(at, 0.3)
        }
    }
}

/// The fragment in place of the clause's subject.
pub fn subject(sentence: &Sentence<'_>, clause: &[u8], fragment: &[u8]) -> Filled {
    let word = |at: u8| -> &Word<'_> { &sentence.words[usize::from(at)] };
    let prepositional = fragment.first().is_some_and(|&at| word(at).is(Kinds::PREPOSITION));
    if prepositional {
        // *A Ana le gusta el té y* a Luis *también*
        let rest = clause.iter().position(|&at| word(at).is(Kinds::PREPOSITION));
        let Some(from) = rest else { return tail(sentence, clause, fragment) };
        let verb = main_verb(sentence, clause).unwrap_or(clause.len());
        let to = if from < verb { group(sentence, clause, verb) } else { clause.len() };
        return Filled { words: [&clause[..from], fragment, &clause[to..]].concat(), cost: 0.2 };
    }
    let Some(verb) = main_verb(sentence, clause) else {
        return Filled { words: [fragment, clause].concat(), cost: 1.0 };
    };
    let start = group(sentence, clause, verb);
    if start > 0 && !word(clause[0]).is(Kinds::PREPOSITION) {
        return Filled { words: [fragment, &clause[start..]].concat(), cost: 0.1 };
    }
    // *Está abierto el museo, pero* el cine *no*: a subject after the verb, else none was said.
    let after = (verb + 1..clause.len()).rev().find(|&at| {
        let nominal = word(clause[at]).is(Kinds::DETERMINER) || word(clause[at]).capital;
        nominal && !word(clause[at - 1]).is(Kinds::PREPOSITION | Kinds::DETERMINER)
    });
    let impersonal = word(clause[verb]).persons & super::dictionary::THIRD == 0;
    match after {
        Some(at) if !impersonal => Filled { words: [&clause[..at], fragment].concat(), cost: 0.3 },
        _ => Filled { words: [fragment, &clause[start..]].concat(), cost: 0.3 },
    }
}

/// The subject `fragment` before the predicate of the clause that follows it.
pub fn before(sentence: &Sentence<'_>, fragment: &[u8], clause: &[u8]) -> Filled {
    let word = |at: u8| -> &Word<'_> { &sentence.words[usize::from(at)] };
    let Some(verb) = main_verb(sentence, clause) else {
        return Filled { words: [fragment, clause].concat(), cost: 3.0 };
    };
    let start = group(sentence, clause, verb);
    let words = [fragment, &clause[start..]].concat();
    let nominal = |at: u8| {
        let word = word(at);
        word.is(Kinds::DETERMINER | Kinds::PRONOUN)
            || word.capital
            || word.normal.chars().count() == 1
            || word.infinitive
    };
    let (Some(&first), Some(&own)) = (fragment.first(), clause.first()) else {
        return Filled { words, cost: 3.0 };
    };
    let verbless = fragment.iter().all(|&at| word(at).verb != Verb::Sure || word(at).subordinate);
    let parallel = verbless && start > 0 && (nominal(first) || usize::from(first) == 0) && nominal(own);
    let dative = word(first).is(Kinds::PREPOSITION) && word(own).normal == word(first).normal && start > 0;
    let marks = fragment[1..].iter().any(|&at| word(at).before != Mark::None);
    let doubtful = fragment.iter().any(|&at| word(at).verb == Verb::Maybe && !word(at).subordinate);
    let together = clause[start..].iter().any(|&at| word(at).is(Kinds::RECIPROCAL));
    let cost = match () {
        () if together => 2.0,
        () if (parallel || dative) && !marks => {
            if doubtful {
                1.0
            } else {
                0.1
            }
        }
        () if verbless && start > 0 => 1.3,
        () => 3.0,
    };
    Filled { words, cost }
}

/// Where the verb's pronouns begin, within the clause.
fn group(sentence: &Sentence<'_>, clause: &[u8], verb: usize) -> usize {
    let mut start = verb;
    while start > 0 {
        let word = &sentence.words[usize::from(clause[start - 1])];
        if !word.is(Kinds::CLITIC | Kinds::NEGATION) {
            break;
        }
        start -= 1;
    }
    start
}
