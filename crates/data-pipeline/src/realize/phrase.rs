//! Noun phrases and complements: which noun, with which determiner.

use std::borrow::Cow;

use rand::RngExt;

use super::clause::{Complement, NounPhrase, Word};
use super::content::{PSEUDO, Writer};
use crate::lexicon::{Agreement, Gender, Noun, Person, Piece, Subject, lexicon, plural};

impl Writer<'_> {
    pub fn subject(&mut self, kind: Subject) -> NounPhrase {
        NounPhrase { kind: Some(kind), ..self.any_subject(kind) }
    }

    fn any_subject(&mut self, kind: Subject) -> NounPhrase {
        let lex = lexicon();
        match kind {
            Subject::Personal => {
                let (person, pronoun, agreement) = [
                    (Person::Yo, "yo", false),
                    (Person::Yo, "yo", false),
                    (Person::Tu, "tú", false),
                    (Person::Tu, "tú", false),
                    (Person::El, "él", false),
                    (Person::El, "ella", false),
                    (Person::Nosotros, "nosotros", true),
                    (Person::Ellos, "ellos", true),
                    (Person::El, "usted", false),
                    (Person::Vosotros, "vosotros", true),
                    (Person::Vos, "vos", false),
                ][match self.rng.random_range(0..30) {
                    n @ 0..10 => n,
                    10..17 => 0,
                    17..23 => 2,
                    23..28 => 6,
                    28 => 9,
                    _ => 10,
                }];
                let gender = if pronoun == "ella" { Gender::Feminine } else { Gender::Masculine };
                let shown = self.chance(0.13);
                let words = if shown { vec![pronoun.into()] } else { Vec::new() };
                NounPhrase {
                    person,
                    agreement: Agreement { gender, plural: agreement },
                    core: words.len(),
                    words,
                    pronoun,
                    kind: None,
                }
            }
            Subject::Name => {
                let feminine = self.chance(0.5);
                let invented = self.chance(PSEUDO);
                let names = match (feminine, invented) {
                    (false, false) => &lex.men,
                    (true, false) => &lex.women,
                    (false, true) => &lex.pseudo.men,
                    (true, true) => &lex.pseudo.women,
                };
                let mut words: Vec<Word> = vec![Cow::Borrowed(self.text(names))];
                if self.chance(0.08) {
                    words.push(Cow::Borrowed(self.pick(&lex.surnames).as_str()));
                }
                let gender = if feminine { Gender::Feminine } else { Gender::Masculine };
                let pronoun = if feminine { "ella" } else { "él" };
                NounPhrase {
                    person: Person::El,
                    agreement: Agreement { gender, plural: false },
                    core: words.len(),
                    words,
                    pronoun,
                    kind: None,
                }
            }
            Subject::Team => {
                let noun = self.pick(&lex.teams);
                self.phrase(noun)
            }
            Subject::Variable => {
                let letter = *self.pick(&[
                    "x",
                    "y",
                    "z",
                    "n",
                    "m",
                    "a",
                    "b",
                    "2",
                    "3",
                    "x + y",
                    "x · y",
                    "el número n",
                    "el entero k",
                ]);
                let words: Vec<Word> = letter.split(' ').map(Cow::Borrowed).collect();
                NounPhrase {
                    person: Person::El,
                    agreement: Agreement::MASCULINE,
                    core: words.len(),
                    words,
                    pronoun: "",
                    kind: None,
                }
            }
            Subject::Class(class) => {
                let noun = if self.chance(PSEUDO) {
                    self.pick(&lex.pseudo.nouns)
                } else {
                    self.pick(&lex.classes[class])
                };
                self.phrase(noun)
            }
        }
    }

    /// A noun with a determiner and, now and then, a modifier.
    pub fn phrase(&mut self, noun: &'static Noun) -> NounPhrase {
        let mut words = Vec::new();
        let (agreement, core) = self.determined(noun, &mut words);
        let pronoun = agreement.pick(["él", "ella", "ellos", "ellas"]);
        NounPhrase {
            person: if agreement.plural { Person::Ellos } else { Person::El },
            agreement,
            words,
            core,
            pronoun,
            kind: None,
        }
    }

    /// Appends a noun with its determiner and modifiers; says how it agrees, and where it could have ended.
    fn determined(&mut self, noun: &'static Noun, words: &mut Vec<Word>) -> (Agreement, usize) {
        let mut agreement = noun.agreement;
        if !noun.fixed_number && self.chance(0.07) {
            agreement.plural = true;
        }
        let determiner = if noun.proper || noun.masculine_article {
            noun.definite(agreement)
        } else {
            match self.rng.random_range(0..100) {
                0..72 => noun.definite(agreement),
                72..78 => agreement.pick(["este", "esta", "estos", "estas"]),
                78..83 => {
                    if agreement.plural {
                        "mis"
                    } else {
                        "mi"
                    }
                }
                83..87 => {
                    if agreement.plural {
                        "sus"
                    } else {
                        "su"
                    }
                }
                87..89 => {
                    if agreement.plural {
                        "tus"
                    } else {
                        "tu"
                    }
                }
                89..92 => agreement.pick(["nuestro", "nuestra", "nuestros", "nuestras"]),
                92..98 => agreement.pick(["un", "una", "unos", "unas"]),
                _ => agreement.pick(["ese", "esa", "esos", "esas"]),
            }
        };
        push_words(words, determiner);
        if agreement.plural && !noun.agreement.plural {
            words.push(plural(&noun.text).into());
        } else {
            push_words(words, &noun.text);
        }
        let core = words.len();
        let definite = matches!(determiner, "el" | "la" | "los" | "las");
        if definite && !noun.proper && self.chance(0.05) {
            let class = *self.pick(&lexicon().owners);
            let owner = self.pick(&lexicon().classes[class]);
            words.push("de".into());
            push_words(words, owner.definite(owner.agreement));
            push_words(words, &owner.text);
            return (agreement, core);
        }
        if definite && !noun.fixed_number && self.chance(0.09) {
            let phrase = self.text(&lexicon().modifying_phrases);
            push_words(words, phrase);
        }
        (agreement, core)
    }

    /// A complement, and how many of its words a later mention needs.
    pub fn complement(&mut self, pieces: &'static [Piece]) -> (Complement, usize) {
        let mut words = Vec::new();
        let mut core = usize::MAX;
        let mut object = None;
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Word(word) => words.push(Cow::Borrowed(word.as_str())),
                Piece::Phrase(class) => {
                    let noun = self.noun(*class);
                    let (agreement, end) = self.determined(noun, &mut words);
                    if at == 0 || at + 1 == pieces.len() && core == usize::MAX {
                        core = end;
                    }
                    if at == 0 && pieces.len() == 1 {
                        object = Some(agreement);
                    }
                }
                Piece::Definite(class) => {
                    // The words around it may hold a verb in the singular: dónde vive el vecino.
                    let drawn = (0..8).map(|_| self.noun(*class)).find(|noun| !noun.agreement.plural);
                    let noun = drawn.unwrap_or(&lexicon().classes[*class][0]);
                    push_words(&mut words, noun.definite(noun.agreement));
                    push_words(&mut words, &noun.text);
                }
                Piece::BarePlural(class) => {
                    let noun = self.noun(*class);
                    if noun.fixed_number {
                        push_words(&mut words, noun.definite(noun.agreement));
                        push_words(&mut words, &noun.text);
                    } else {
                        words.push(plural(&noun.text).into());
                    }
                }
                Piece::Bare(class) => {
                    let noun = self.noun(*class);
                    push_words(&mut words, &noun.text);
                }
                Piece::Name => {
                    let phrase = self.subject(Subject::Name);
                    words.extend(phrase.words);
                }
                Piece::Number => words.push(self.number()),
                Piece::Decimal => words.push(self.decimal()),
                Piece::Day => words.push(self.rng.random_range(1..13).to_string().into()),
                Piece::Place => words.extend(self.pick(&lexicon().places).split(' ').map(Cow::Borrowed)),
            }
        }
        let complement = match object {
            Some(agreement) => Complement::Object(words, agreement),
            None => Complement::Words(words),
        };
        (complement, core)
    }

    fn number(&mut self) -> Word {
        match self.rng.random_range(0..10) {
            0 => (self.rng.random_range(1..30) * 100).to_string().into(),
            1..3 => Cow::Borrowed(self.text(&["dos", "tres", "cinco", "diez", "veinte", "cien"])),
            _ => self.rng.random_range(2..40).to_string().into(),
        }
    }

    fn decimal(&mut self) -> Word {
        let (units, tenths) = (self.rng.random_range(1..10), self.rng.random_range(0..10));
        match self.rng.random_range(0..3) {
            0 => format!("{units}.{tenths}").into(),
            1 => format!("{units},{tenths}").into(),
            _ => self.number(),
        }
    }

    fn noun(&mut self, class: usize) -> &'static Noun {
        if self.chance(PSEUDO) {
            self.pick(&lexicon().pseudo.nouns)
        } else {
            self.pick(&lexicon().classes[class])
        }
    }
}

/// Appends the words of a text that never changes.
pub fn push_words(words: &mut Vec<Word>, text: &'static str) {
    words.extend(text.split_whitespace().map(Cow::Borrowed));
}
