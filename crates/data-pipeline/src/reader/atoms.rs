//! When two clauses say the same: one atom, whatever its tense, mood and pronouns.

use super::{
    dictionary::{Kinds, Lemma, PLURAL, Persons, THIRD},
    endings::endings,
    grammar,
    sentence::{Sentence, Verb, Word},
};

/// What a clause says, without the forms that it says it in.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// Its verbs.
    verbs: Vec<Stem>,
    /// Its other content words, those of the subject left out.
    rest: Vec<Stem>,
    /// Content words of the subject before the verb.
    subject: Vec<Stem>,
    /// Names and variables in their order: *Ana ve a Luis* is not *Luis ve a Ana*.
    names: Vec<Stem>,
    persons: Persons,
    /// Its object is a pronoun: *lo* compra.
    pronominal: bool,
    /// Its verb says nothing by itself: *es*, *hay*.
    linking: bool,
    /// Its subject is a pronoun for somebody named before: *ella*.
    anaphoric: bool,
    /// It says again what somebody does: *lo hace*.
    pro_verb: bool,
    /// How often it says *no* or *sin*, where that has not been taken out.
    denials: usize,
}

/// A word without its ending, or a verb.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stem {
    Verb(Lemma),
    Text(String),
}

impl Content {
    /// What a clause says that stands alone, its own negation included. One that is too long says nothing.
    pub fn of(clause: &str) -> Content {
        let (grammar, dictionary) = grammar::spanish();
        let Ok(sentence) = Sentence::new(clause, grammar, dictionary) else { return Content::default() };
        let mut content = Content::new(&sentence, &(0..sentence.len() as u8).collect::<Vec<_>>());
        let words = &sentence.words;
        content.denials = words.iter().filter(|word| matches!(word.normal.as_str(), "no" | "sin")).count();
        // What stands first with a capital is a name, unless it is a verb or a small word.
        let small =
            Kinds::DETERMINER | Kinds::PREPOSITION | Kinds::CONJUNCTION | Kinds::CLITIC | Kinds::NEGATION;
        let name = |first: &&Word<'_>| first.capital && first.verb == Verb::No && !first.is(small);
        if let Some(first) = words.first().filter(name) {
            content.names.insert(0, Stem::Text(first.normal.clone()));
        }
        content
    }

    pub fn new(sentence: &Sentence<'_>, clause: &[u8]) -> Content {
        let words: Vec<_> = clause.iter().map(|&at| &sentence.words[usize::from(at)]).collect();
        let verb = words.iter().position(|word| word.verb == Verb::Sure && !word.subordinate);
        let verb =
            verb.or_else(|| words.iter().position(|word| word.verb == Verb::Maybe && !word.subordinate));
        let mut content = Content {
            verbs: Vec::new(),
            rest: Vec::new(),
            subject: Vec::new(),
            names: Vec::new(),
            persons: verb.map_or(0, |at| words[at].persons),
            linking: verb.is_some_and(|at| words[at].is(Kinds::COPULA | Kinds::HABER)),
            pronominal: verb
                .and_then(|at| at.checked_sub(1))
                .is_some_and(|at| words[at].is(Kinds::ACCUSATIVE)),
            anaphoric: words.first().is_some_and(|word| word.is(Kinds::ANAPHOR)) && verb > Some(0),
            pro_verb: false,
            denials: 0,
        };
        let skipped =
            Kinds::CLITIC | Kinds::PREPOSITION | Kinds::NEGATION | Kinds::ARTICLE | Kinds::DEMONSTRATIVE;
        for (at, word) in words.iter().enumerate() {
            let next = words.get(at + 1);
            let is_name = word.letter
                || word.capital && usize::from(clause[at]) > 0
                || word.normal.chars().count() == 1 && !word.is(Kinds::PREPOSITION | Kinds::CONJUNCTION);
            if is_name || word.text.starts_with(|c: char| c.is_ascii_digit()) {
                content.names.push(Stem::Text(word.normal.clone()));
            }
            if Some(at) == verb || word.verb == Verb::Sure && Some(at) > verb {
                let going = word.is(Kinds::GOING)
                    && next.is_some_and(|next| next.is(Kinds::TO))
                    && words.get(at + 2).is_some_and(|after| after.infinitive);
                let auxiliary = going
                    || word.is(Kinds::HABER) && next.is_some_and(|next| next.is(Kinds::PARTICIPLE))
                    || word.is(Kinds::COPULA) && next.is_some_and(|next| next.is(Kinds::GERUND));
                if !auxiliary {
                    content.verbs.push(match word.analysis {
                        Some(analysis) => Stem::Verb(analysis.lemma),
                        None => Stem::Text(endings().verb_stem(&word.normal)),
                    });
                }
                continue;
            }
            let after_haber = at > 0 && words[at - 1].is(Kinds::HABER) && words[at - 1].verb != Verb::No;
            let verbal =
                word.infinitive || word.is(Kinds::GERUND) || after_haber && word.is(Kinds::PARTICIPLE);
            if verbal && let Some(lemma) = word.entry.and_then(|entry| entry.verb) {
                content.verbs.push(Stem::Verb(lemma));
                continue;
            }
            if word.infinitive {
                content.verbs.push(Stem::Text(endings().verb_stem(&word.normal)));
                continue;
            }
            if word.is(skipped) && !is_name || word.is(Kinds::SILENT | Kinds::ANAPHOR) {
                continue;
            }
            let stem = Stem::Text(stem(&word.normal));
            if verb.is_some_and(|verb| at < verb) {
                content.subject.push(stem)
            } else {
                content.rest.push(stem)
            }
        }
        let doing = words.iter().any(|word| word.is(Kinds::DOING | Kinds::DONE));
        let again = content.pronominal || words.iter().any(|word| word.is(Kinds::DONE) && word.infinitive);
        content.pro_verb = doing && again && content.verbs.len() == 1 && content.rest.is_empty();
        content.verbs.sort();
        content.verbs.dedup();
        content.rest.sort();
        content.subject.sort();
        content
    }

    /// Whether both say the same.
    pub fn same(&self, other: &Content) -> bool {
        if self.persons & other.persons == 0 && self.persons != 0 && other.persons != 0 {
            return false;
        }
        let (mine, others) = (self.words(), other.words());
        if self.verbs == other.verbs && mine == others {
            let two = self.names.len() > 1 && other.names.len() == self.names.len();
            return !two || self.names == other.names || {
                let sorted = |names: &[Stem]| {
                    let mut names = names.to_vec();
                    names.sort();
                    names
                };
                sorted(&self.names) != sorted(&other.names)
            };
        }
        let described = self.linking && other.linking && !self.rest.is_empty();
        if self.verbs != other.verbs || self.verbs.is_empty() && !described {
            return false;
        }
        let within = |small: &Content, big: &Content| {
            // The later one leaves out the subject.
            let fewer = small.subject.len() < big.subject.len()
                && small.subject.iter().all(|stem| big.subject.contains(stem))
                || small.anaphoric && !big.anaphoric && !big.subject.is_empty();
            if fewer && small.rest == big.rest {
                return true;
            }
            // Or says the object by a pronoun.
            let subject = small.subject.is_empty() || small.anaphoric || small.subject == big.subject;
            small.pronominal
                && !big.pronominal
                && subject
                && small.rest.iter().all(|stem| big.rest.contains(stem))
        };
        // What is said later may leave out, not what is said first.
        within(other, self)
    }

    /// Whether one says the same as the other, whichever is said first. What has no word of its own says nothing.
    pub fn same_either_way(&self, other: &Content) -> bool {
        let says_nothing = self.verbs.is_empty() && self.words().is_empty();
        !says_nothing && self.denials == other.denials && (self.same(other) || other.same(self))
    }

    /// Whether both say the same in the same words, order and forms apart.
    pub fn same_words(&self, other: &Content) -> bool {
        let persons = self.persons & other.persons != 0 || self.persons == other.persons;
        let names = self.names.len() < 2 || self.names == other.names;
        persons && names && self.verbs == other.verbs && self.words() == other.words()
    }

    /// Whether *lo hace* may say it again for `later`.
    pub fn done_again_by(&self, later: &Content) -> bool {
        let who = later.subject.is_empty() || later.anaphoric || later.subject == self.subject;
        later.pro_verb
            && !(self.pro_verb || self.linking || self.verbs.is_empty())
            && who
            && (later.persons == 0 || self.persons & later.persons != 0)
    }

    /// Whether the verb alone says again what a longer clause has said: *se aprobará la ley … no se aprobará*.
    pub fn echoed_by(&self, later: &Content) -> bool {
        let alone = later.subject.is_empty() && later.rest.is_empty() && !later.linking && !later.pronominal;
        alone && !self.verbs.is_empty() && self.verbs == later.verbs && self.persons & later.persons != 0
    }

    fn words(&self) -> Vec<Stem> {
        let mut all = [&self.subject[..], &self.rest[..]].concat();
        all.sort();
        all
    }
}

/// A noun or adjective without number and gender.
fn stem(word: &str) -> String {
    let bare = word
        .strip_suffix("es")
        .filter(|bare| bare.len() > 3 && !bare.ends_with(['a', 'e', 'o']))
        .or(word.strip_suffix('s'))
        .unwrap_or(word);
    let bare = if bare.len() > 3 { bare.trim_end_matches(['a', 'e', 'o']) } else { bare };
    bare.to_owned()
}

/// The words of the subject before the verb, where the clause has one in the third person.
pub fn subject<'c>(sentence: &Sentence<'_>, clause: &'c [u8]) -> Option<(&'c [u8], Persons)> {
    let (verb, start) = verb_and_group(sentence, clause)?;
    let subject = &clause[..start];
    let word = &sentence.words[usize::from(*subject.first()?)];
    let persons = sentence.words[usize::from(clause[verb])].persons;
    let nominal = !word.is(Kinds::PREPOSITION | Kinds::THAT) && subject.len() < 9;
    (nominal && persons & THIRD != 0).then_some((subject, persons))
}

/// Whether a clause may lack a subject that was said before.
pub fn lacks_subject(sentence: &Sentence<'_>, clause: &[u8], persons: Persons) -> bool {
    let Some((verb, start)) = verb_and_group(sentence, clause) else { return false };
    let word = |at: usize| clause.get(at).map(|&at| &sentence.words[usize::from(at)]);
    let Some(own) = word(verb) else { return false };
    if start > 0
        || own.persons & THIRD & persons == 0
        || own.is(Kinds::HABER) && !word(verb + 1).is_some_and(|next| next.is(Kinds::PARTICIPLE))
    {
        return false;
    }
    let plural = |persons: Persons| persons & PLURAL != 0 && persons & (1 << 2) == 0;
    if plural(own.persons) != plural(persons) {
        return false;
    }
    let pronoun = (0..verb).any(|at| word(at).is_some_and(|word| word.is(Kinds::REFLEXIVE | Kinds::DATIVE)));
    // *Está enferma la encina*: the subject of a linking verb may come last.
    let noun_last = (verb + 2..clause.len()).any(|at| {
        word(at).is_some_and(|word| word.is(Kinds::ARTICLE))
            && word(at - 1).is_some_and(|word| !word.is(Kinds::PREPOSITION | Kinds::CONJUNCTION))
    });
    if own.is(Kinds::COPULA) && noun_last {
        return false;
    }
    let noun_after =
        word(verb + 1).is_some_and(|next| next.is(Kinds::DETERMINER) && !next.is(Kinds::PREPOSITION));
    let name_after = word(verb + 1).is_some_and(|next| next.capital);
    !(noun_after && (pronoun || own.is(Kinds::INTRANSITIVE)) || name_after && !own.is(Kinds::COPULA))
}

fn verb_and_group(sentence: &Sentence<'_>, clause: &[u8]) -> Option<(usize, usize)> {
    let word = |at: usize| &sentence.words[usize::from(clause[at])];
    let of = |verb| (0..clause.len()).find(|&at| word(at).verb == verb && !word(at).subordinate);
    let verb = of(Verb::Sure).or_else(|| of(Verb::Maybe))?;
    let mut start = verb;
    while start > 0 && word(start - 1).is(Kinds::CLITIC) {
        start -= 1;
    }
    Some((verb, start))
}

/// The words *a Ana* of *a Ana le gusta el té*.
pub fn experiencer<'c>(sentence: &Sentence<'_>, clause: &'c [u8]) -> Option<&'c [u8]> {
    let (_, start) = verb_and_group(sentence, clause)?;
    let word = |at: usize| clause.get(at).map(|&at| &sentence.words[usize::from(at)]);
    let opens = start > 1 && word(0).is_some_and(|word| word.is(Kinds::TO));
    (opens && word(start).is_some_and(is_third_dative)).then(|| &clause[..start])
}

/// Whether a clause begins with *le*, and does not say whom.
pub fn lacks_experiencer(sentence: &Sentence<'_>, clause: &[u8]) -> bool {
    let word = |at: u8| &sentence.words[usize::from(at)];
    clause.first().is_some_and(|&at| is_third_dative(word(at)))
        && !clause.iter().any(|&at| word(at).is(Kinds::TO))
}

/// *le*, *les*
fn is_third_dative(word: &Word<'_>) -> bool {
    word.is(Kinds::DATIVE) && !word.is(Kinds::REFLEXIVE)
}
