//! A sentence as the grammar sees it: words and the marks between them, which of the words are verbs, where a clause
//! may begin without a mark, and which connective phrases occur where.

use super::{
    dictionary::{Analysis, Dictionary, Entry, Kinds, Persons},
    grammar::{Grammar, PhraseId},
};
use crate::{format::FormatError, normal, vocabulary::MAX_WORDS, words};

/// What stands before a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    #[default]
    None,
    Comma,
    /// A semicolon, colon or full stop.
    Strong,
}

/// Whether a word is the verb of a clause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    #[default]
    No,
    /// It may be one: an unknown word, or a form that is also a noun.
    Maybe,
    Sure,
}

/// A word of the sentence, punctuation apart.
pub struct Word<'s> {
    pub text: &'s str,
    pub normal: String,
    /// Its number among [`words`], punctuation included.
    pub index: u16,
    pub before: Mark,
    pub entry: Option<&'static Entry>,
    /// All that it is, as it is written.
    pub kinds: Kinds,
    /// The first of its readings as a finite verb.
    pub analysis: Option<&'static Analysis>,
    pub persons: Persons,
    pub subjunctive: Mood,
    pub verb: Verb,
    /// Its verb belongs to a clause inside a clause: *dice que* viene.
    pub subordinate: bool,
    pub infinitive: bool,
    /// The name of a variable, though it is spelled as a conjunction.
    pub letter: bool,
    pub capital: bool,
}

/// What a finite form says about its mood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    #[default]
    Unknown,
    Indicative,
    PresentSubjunctive,
    PastSubjunctive,
}

impl Word<'_> {
    pub fn is(&self, kinds: Kinds) -> bool {
        self.kinds.any(kinds)
    }
}

/// A connective phrase where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence {
    pub phrase: PhraseId,
    pub start: u8,
    pub end: u8,
}

pub struct Sentence<'s> {
    /// All of [`words`], punctuation included.
    pub tokens: Vec<&'s str>,
    pub words: Vec<Word<'s>>,
    pub occurrences: Vec<Occurrence>,
    /// Per word: what it costs to begin a clause there without a mark; `None` where none can begin.
    pub clause_start: Vec<Option<f32>>,
    /// Sums over the words before each place: sure verbs, possible verbs, unread connectives, unread marks.
    pub sure: Vec<u8>,
    pub maybe: Vec<u8>,
    pub unread: Vec<f32>,
    /// The place of the next sure verb, possible verb and negation of a clause of its own, at or after each place.
    next: Vec<[u8; 3]>,
    /// Places where an operand can begin or end, in order.
    pub places: Vec<u8>,
}

impl<'s> Sentence<'s> {
    /// # Errors
    /// [`FormatError::NoWords`], [`FormatError::TooManyWords`].
    pub fn new(
        text: &'s str,
        grammar: &Grammar,
        dictionary: &'static Dictionary,
    ) -> Result<Sentence<'s>, FormatError> {
        let tokens = words(text);
        if tokens.len() > MAX_WORDS {
            return Err(FormatError::TooManyWords { found: tokens.len() });
        }
        let mut words: Vec<Word<'s>> = Vec::with_capacity(tokens.len());
        let mut before = Mark::None;
        for (index, &word) in tokens.iter().enumerate() {
            let is_word = word.chars().any(|c| c.is_alphanumeric() || "=<>≠≤≥+*/^&·×".contains(c));
            if !is_word {
                before = before.max(match word {
                    "," | "(" | ")" | "—" | "–" | "-" => Mark::Comma,
                    ";" | ":" | "." => Mark::Strong,
                    _ => Mark::None,
                });
                continue;
            }
            let normal = normal::word(word);
            let entry = dictionary.entry(&normal);
            let kinds = entry.map_or(Kinds::default(), |entry| match word.is_ascii() {
                true => entry.kinds,
                false => entry.kinds | entry.accented,
            });
            words.push(Word {
                text: word,
                entry,
                kinds,
                index: u16::try_from(index).expect("at most MAX_WORDS"),
                before: std::mem::take(&mut before),
                analysis: None,
                persons: 0,
                subjunctive: Mood::Unknown,
                verb: Verb::No,
                subordinate: false,
                infinitive: false,
                letter: false,
                capital: word.starts_with(char::is_uppercase),
                normal,
            });
        }
        if words.is_empty() {
            return Err(FormatError::NoWords);
        }
        words[0].before = Mark::None;
        let mut sentence = Sentence {
            tokens,
            occurrences: Vec::new(),
            clause_start: vec![None; words.len()],
            sure: Vec::new(),
            maybe: Vec::new(),
            unread: Vec::new(),
            next: Vec::new(),
            places: Vec::new(),
            words,
        };
        sentence.find_phrases(grammar);
        sentence.find_verbs();
        sentence.find_subordinates(grammar);
        sentence.find_clause_starts();
        sentence.sum(grammar);
        Ok(sentence)
    }

    pub fn len(&self) -> usize {
        self.words.len()
    }

    fn find_phrases(&mut self, grammar: &Grammar) {
        for start in 0..self.len() {
            let mut node = 0;
            for end in start..self.len() {
                let word = &self.words[end];
                // *él*, *qué*, *sí* are other words than *el*, *que*, *si*, but a sentence that opens with *Sí* means *Si*.
                let (number, verb) = match word.entry {
                    Some(entry) if word.is(Kinds::DISTINCT) && end > 0 => (entry.accented_word, None),
                    Some(entry) => (entry.phrase_word, entry.phrase_verb),
                    None => (None, None),
                };
                let step = |number: Option<u16>| number.and_then(|number| grammar.step(node, number));
                let Some(next) = step(number).or_else(|| step(verb)) else { break };
                node = next;
                if let Some(phrase) = grammar.phrase_at(node) {
                    let (start, end) = (place(start), place(end + 1));
                    self.occurrences.push(Occurrence { phrase, start, end });
                }
            }
        }
        self.drop_letters();
        let fixed: Vec<Occurrence> =
            self.occurrences.iter().filter(|one| grammar.fixed.contains(&one.phrase)).copied().collect();
        self.occurrences.retain(|one| !fixed.iter().any(|by| by.start <= one.start && one.end <= by.end));
    }

    /// *y*, *o* and *e* also name variables: *x e y son pares*, *y > 0*.
    fn drop_letters(&mut self) {
        let words = &self.words;
        let is_sign = |at: Option<usize>| {
            at.and_then(|at| words.get(at)).is_some_and(|word| {
                word.text.chars().all(|c| "=<>≠≤≥+*/^·×".contains(c))
                    || word.text.starts_with(['>', '<', '='])
            })
        };
        let is_letter = |at: usize| {
            let word = &words[at];
            let before = at.checked_sub(1);
            let spelled_so = word.is(Kinds::CONJUNCTION) && word.normal.len() == 1;
            let opened = word.is(Kinds::AND) && before.is_some_and(|at| words[at].is(Kinds::OPENER));
            spelled_so && (is_sign(Some(at + 1)) || is_sign(before) || opened)
        };
        // *mayor o igual que*, *entre cinco y diez*, *treinta y cinco* are no clauses joined.
        let is_number = |at: usize| {
            words.get(at).is_some_and(|word| {
                word.text.starts_with(|c: char| c.is_ascii_digit()) || word.is(Kinds::NUMBER)
            })
        };
        let is_single =
            |word: &Word<'_>| word.normal.len() == 1 && word.text.starts_with(char::is_alphabetic);
        let is_inner = |at: usize| {
            let (Some(before), Some(next)) = (at.checked_sub(1), words.get(at + 1)) else { return false };
            if !(words[at].is(Kinds::CONJUNCTION) && words[at].normal.len() == 1) {
                return false;
            }
            let compared =
                next.is(Kinds::COMPARED) && (words[before].is(Kinds::COMPARATIVE) || is_number(before));
            let variables = is_single(&words[before])
                && is_single(next)
                && words[..before].last().is_some_and(|word| word.is(Kinds::PREPOSITION));
            let range = words[at].is(Kinds::AND)
                && words[..at].iter().rev().take(4).any(|word| word.is(Kinds::BETWEEN));
            compared || variables || range || words[before].is(Kinds::TENS)
        };
        let letters: Vec<bool> = (0..words.len()).map(is_letter).collect();
        let unread: Vec<bool> = (0..words.len()).map(|at| letters[at] || is_inner(at)).collect();
        self.occurrences.retain(|one| one.end - one.start > 1 || !unread[usize::from(one.start)]);
        for (word, letter) in self.words.iter_mut().zip(letters) {
            word.letter = letter;
        }
    }

    fn sum(&mut self, grammar: &Grammar) {
        let n = self.len();
        let (mut sure, mut maybe, mut unread) = (vec![0], vec![0], vec![0.0]);
        for at in 0..n {
            let word = &self.words[at];
            let counts = |verb| u8::from(word.verb == verb && !word.subordinate);
            sure.push(sure[at] + counts(Verb::Sure));
            maybe.push(maybe[at] + counts(Verb::Maybe));
            let mark = match word.before {
                Mark::None => 0.0,
                Mark::Comma => 0.6,
                Mark::Strong => 2.5,
            };
            let start = place(at);
            let phrases = self.occurrences.iter().filter(|one| one.start == start);
            let cost = mark + phrases.map(|one| grammar.unread_cost(one.phrase)).fold(0.0, f32::max);
            unread.push(unread[at] + cost);
        }
        (self.sure, self.maybe, self.unread) = (sure, maybe, unread);
        self.next = vec![[u8::MAX; 3]; n + 1];
        for at in (0..n).rev() {
            let word = &self.words[at];
            let found = [word.verb == Verb::Sure, word.verb == Verb::Maybe, word.is(Kinds::NEGATION)];
            let next = |kind: usize| match found[kind] && !word.subordinate {
                true => place(at),
                false => self.next[at + 1][kind],
            };
            self.next[at] = [next(0), next(1), next(2)];
        }
        let mut is_place = vec![false; n + 1];
        (is_place[0], is_place[n]) = (true, true);
        for ((is_place, word), start) in is_place.iter_mut().zip(&self.words).zip(&self.clause_start) {
            *is_place |= word.before != Mark::None || start.is_some();
        }
        for one in &self.occurrences {
            is_place[usize::from(one.start)] = true;
            is_place[usize::from(one.end)] = true;
        }
        self.places = (0..=n).filter(|&at| is_place[at]).map(place).collect();
    }

    /// What it costs that a clause begins at `at` without a connective.
    pub fn bare_start(&self, at: usize) -> Option<f32> {
        match self.words[at].before {
            Mark::None => self.clause_start[at],
            _ => Some(0.0),
        }
    }

    /// The first verb that is one of the clause's own.
    pub fn main_verb(&self, start: usize, end: usize) -> Option<usize> {
        let [sure, maybe, _] = self.next[start].map(usize::from);
        [sure, maybe].into_iter().find(|&at| at < end)
    }

    /// The first negation that is one of the clause's own.
    pub fn negation(&self, start: usize, end: usize) -> Option<u8> {
        Some(self.next[start][2]).filter(|&at| usize::from(at) < end)
    }
}

fn place(at: usize) -> u8 {
    u8::try_from(at).expect("at most MAX_WORDS words")
}
