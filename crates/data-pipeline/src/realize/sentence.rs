//! Says a planned formula: walks the constructions from left to right, chooses tense and mood, drops what was said.

use std::collections::BTreeMap;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::clause::{Again, Clause, Manner, Part, SubjectForm, Time, Word, finite};
use super::construction::{Classes, Construction, Mood, Obligation, Segment, Share, Slot};
use super::content::said;
use super::plan::Plan;
use super::surface::Token;
use super::tree::{Node, Tree};
use crate::lexicon::{Gender, Person, Simple, lexicon};

/// What the sentence as a whole speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    Present,
    /// Conditions in the present, consequences in the future.
    Future,
    Past,
    /// Conditions in the past, consequences in the present.
    Inference,
    /// *si lloviera, me mojaría*
    Unreal,
    /// *si hubiera llovido, me habría mojado*
    UnrealPast,
}

pub struct Sentence<'a> {
    rng: &'a mut ChaCha8Rng,
    tree: &'a Tree,
    clauses: &'a [Clause],
    plan: &'a Plan,
    frame: Frame,
    pub tokens: Vec<Token>,
    pub connectors: BTreeMap<String, String>,
    /// The subject that the last clause had.
    topic: Option<u32>,
    /// Whom the last clause with a dative pleased.
    pleased: Option<&'a [Word]>,
    /// The atom of the last clause.
    latest: Option<u8>,
    /// The atom whose predicate *lo es* would name.
    described: Option<u8>,
    /// Where each atom was said last, first to one past the last token.
    mentions: Vec<Option<(usize, usize)>>,
}

impl<'a> Sentence<'a> {
    pub fn new(
        rng: &'a mut ChaCha8Rng,
        tree: &'a Tree,
        clauses: &'a [Clause],
        plan: &'a Plan,
    ) -> Sentence<'a> {
        Sentence {
            rng,
            tree,
            clauses,
            plan,
            frame: Frame::Present,
            tokens: Vec::new(),
            connectors: BTreeMap::new(),
            topic: None,
            pleased: None,
            latest: None,
            described: None,
            mentions: vec![None; clauses.len()],
        }
    }

    /// Says the whole formula; false if nothing can.
    pub fn say(&mut self) -> bool {
        let root = self.tree.root();
        if self.plan.reach[root] == Classes::default() {
            return false;
        }
        let chosen = self.choose(root, Classes::ALL);
        self.frame = self.draw_frame(chosen.map(|choice| choice.0));
        match chosen {
            Some((construction, operands)) => self.construct(construction, operands, Mood::Indicative),
            None => self.literal(root, Mood::Indicative, ""),
        }
        true
    }

    fn draw_frame(&mut self, construction: Option<&Construction>) -> Frame {
        let unreal = construction.is_some_and(|c| c.unreal && !c.timeless);
        let timeless = construction.is_some_and(|c| c.timeless);
        match self.rng.random_range(0..100) {
            0..48 => Frame::Present,
            48..74 => Frame::Future,
            74..90 if timeless => Frame::Present,
            74..86 => Frame::Past,
            86..90 => Frame::Inference,
            90..97 if unreal => Frame::Unreal,
            97..100 if unreal => Frame::UnrealPast,
            _ => Frame::Present,
        }
    }

    /// A construction for the node, drawn by weight; none where the plain literal is drawn.
    fn choose(&mut self, at: usize, accepts: Classes) -> Option<(&'static Construction, [usize; 4])> {
        let plain = self.tree.literal(at).is_some()
            && Classes(self.plan.reach[at].0 & accepts.0).meets(Classes::CLAUSES);
        let open = self.plan.choices[at].iter().filter(|choice| choice.construction.class.meets(accepts));
        let total: u32 = open.clone().map(|choice| choice.construction.weight).sum();
        if total == 0 || plain && self.rng.random_bool(0.88) {
            return None;
        }
        let mut roll = self.rng.random_range(0..total);
        for choice in open {
            match roll.checked_sub(choice.construction.weight) {
                Some(rest) => roll = rest,
                None => return Some((choice.construction, choice.operands)),
            }
        }
        None
    }

    fn node(&mut self, at: usize, slot: &Slot, mood: Mood) {
        if !slot.negation.is_empty() {
            return self.literal(at, mood, slot.negation);
        }
        match self.choose(at, slot.accepts) {
            Some((construction, operands)) => self.construct(construction, operands, mood),
            None => self.literal(at, mood, ""),
        }
    }

    fn construct(&mut self, construction: &'static Construction, operands: [usize; 4], mood: Mood) {
        let root = construction.pattern.nodes[construction.pattern.root()];
        let symbol = match root {
            Node::Binary(connective, ..) => connective.symbol(),
            _ => '¬',
        };
        self.connectors.entry(symbol.to_string()).or_insert_with(|| construction.phrase.clone());
        for segment in &construction.segments {
            match segment {
                Segment::Word("ambos") => {
                    let (_, clause) = self.clause(operands[0]);
                    let both = if clause.agreement().gender == Gender::Feminine { "ambas" } else { "ambos" };
                    self.link(both.into());
                }
                Segment::Word(word) if construction.class == Classes::DENIALS => self.denial(word, mood),
                Segment::Word(word) => self.link((*word).into()),
                Segment::OptionalComma => {
                    if self.rng.random_bool(0.85) {
                        self.link(",".into());
                    }
                }
                Segment::Slot(slot) => {
                    let mood = if slot.mood == Mood::Inherited { mood } else { slot.mood };
                    let at = operands[slot.operand];
                    match slot.share {
                        Share::Whole => self.node(at, slot, mood),
                        _ => self.part(slot, operands, mood),
                    }
                }
            }
        }
        let end = self.tokens.len();
        for mention in self.mentions.iter_mut().flatten().filter(|mention| mention.1 == usize::MAX) {
            mention.1 = end;
        }
    }

    /// A word of *no es cierto que*, whose verb takes the mood that the phrase around it governs: *a menos que no sea
    /// cierto que*.
    fn denial(&mut self, word: &'static str, mood: Mood) {
        let denial =
            lexicon().aux.denials.iter().find(|verb| verb.finite(Simple::Present, Person::El) == word);
        let governed = matches!(mood, Mood::Si | Mood::Cuando | Mood::Subjunctive);
        let tense = match (self.frame, mood) {
            (Frame::Unreal | Frame::UnrealPast, _) if governed => Some(Simple::ImperfectSubjunctive),
            (Frame::Unreal | Frame::UnrealPast, _) => Some(Simple::Conditional),
            (Frame::Past, Mood::Subjunctive) => Some(Simple::ImperfectSubjunctive),
            (_, Mood::Subjunctive) => Some(Simple::PresentSubjunctive),
            (Frame::Future, Mood::Cuando) => Some(Simple::PresentSubjunctive),
            _ => None,
        };
        match (denial, tense) {
            (Some(verb), Some(tense)) => self.link(verb.finite(tense, Person::El).into()),
            _ => self.link(word.into()),
        }
    }

    fn link(&mut self, word: Word) {
        self.tokens.push(Token { word, atoms: 0, part: Part::Link });
    }

    fn clause(&self, at: usize) -> (u8, &'a Clause) {
        let (atom, _) = self.tree.literal(at).expect("only literals are said as clauses");
        (atom, &self.clauses[usize::from(atom)])
    }

    fn literal(&mut self, at: usize, mood: Mood, negation: &'static str) {
        let (atom, clause) = self.clause(at);
        let negated = self.tree.literal(at).is_some_and(|(_, negated)| negated);
        let negation = if negation.is_empty() && negated { "no" } else { negation };
        let said_before = self.mentions[usize::from(atom)].is_some();
        let subject = self.subject_form(clause, mood, said_before);
        let again = if said_before { self.again(atom, clause) } else { Again::default() };
        // After a clause without a mark, what opens this one would seem to end that one.
        let marked = self.tokens.last().is_none_or(|token| token.part == Part::Link);
        let opens = !clause.adjunct.is_empty() && clause.fronted != again.turned;
        let again = Again { turned: again.turned != (opens && !marked), ..again };
        let pronounced = said_before && self.rng.random_bool(0.35) && clause.periphrasis.is_none();
        let named = clause.same_object.is_some_and(|other| self.mentions[other].is_some());
        let object = (pronounced || named) && !clause.reflexive() && clause.pronoun.is_empty();
        let predicate = clause.is_predicate() && self.described == Some(atom) && self.rng.random_bool(0.3);
        let clitic = if clause.is_predicate() { predicate } else { object };
        let whom = clause.dative.as_ref().map(|(_, name)| name.as_slice()).filter(|name| !name.is_empty());
        let dative_known = whom.is_some() && whom == self.pleased && self.rng.random_bool(0.6);
        self.pleased = whom.or(self.pleased);
        let generic = mood == Mood::Generic;
        let time = match self.time(mood, clause) {
            time if said_before => self.other_time(time, mood, clause),
            time => time,
        };
        let manner = Manner { time, negation, subject, clitic, again, joint: false, generic, dative_known };
        let words = match mood {
            Mood::Obligation(kind) => obligation(clause, kind, manner),
            Mood::Nominal => {
                let mut words = Vec::with_capacity(8);
                clause.say_noun(&mut words);
                words
            }
            _ => {
                let mut words = Vec::with_capacity(8);
                clause.say(manner, &mut words);
                words
            }
        };
        let start = self.tokens.len();
        let bit = if said_before { 0 } else { 1 << atom };
        for (word, part) in words {
            let atoms = if matches!(part, Part::Negation | Part::Link) { 0 } else { bit };
            self.tokens.push(Token { word, atoms, part });
        }
        self.mentions[usize::from(atom)] = Some((start, self.tokens.len()));
        self.topic = Some(clause.subject_id);
        self.latest = Some(atom);
        if clause.is_predicate() {
            self.described = Some(atom);
        }
    }

    /// How a later mention of the atom differs from the first.
    fn again(&mut self, atom: u8, clause: &Clause) -> Again {
        // What is left out must not be what tells the atom from another.
        let brief = self.rng.random_bool(0.4) && {
            let this = said(clause, true);
            let others = self.clauses.iter().enumerate().filter(|(other, _)| *other != usize::from(atom));
            !others.map(|(_, other)| said(other, true)).any(|other| other == this)
        };
        let pro_verb = clause.is_action() && self.latest == Some(atom) && self.rng.random_bool(0.12);
        Again { brief, turned: self.rng.random_bool(0.15), pro_verb }
    }

    /// The tense of a later mention, which now and then is not that of the first.
    fn other_time(&mut self, time: Time, mood: Mood, clause: &Clause) -> Time {
        let plain = clause.periphrasis.is_none() && !clause.habitual();
        let present = time == Time::Simple(Simple::Present);
        if !plain || !present || !self.rng.random_bool(0.1) {
            return time;
        }
        match mood {
            Mood::Indicative | Mood::Inherited if self.rng.random_bool(0.7) => Time::Simple(Simple::Future),
            Mood::Indicative | Mood::Inherited | Mood::Si => Time::Perfect(Simple::Present),
            _ => time,
        }
    }

    fn subject_form(&mut self, clause: &Clause, mood: Mood, said_before: bool) -> SubjectForm {
        if matches!(mood, Mood::Infinitive | Mood::Generic) || clause.subject.is_none() {
            return SubjectForm::Dropped;
        }
        let known = self.topic == Some(clause.subject_id);
        let again = said_before && self.rng.random_bool(0.15);
        let pleasing = clause.dative.is_some() || clause.passive;
        let pronoun = clause.subject.as_ref().is_some_and(|s| {
            !s.pronoun.is_empty() && s.words.first().is_some_and(|w| w.starts_with(char::is_uppercase))
        });
        match self.rng.random_range(0..100) {
            0..66 if known && !pleasing => SubjectForm::Dropped,
            66..74 if known && pronoun && !pleasing => SubjectForm::Pronoun,
            _ if again && !pleasing && known => SubjectForm::Dropped,
            _ => SubjectForm::Full,
        }
    }

    /// Words that two clauses share, or the part in which they differ.
    fn part(&mut self, slot: &Slot, operands: [usize; 4], mood: Mood) {
        let (atom, clause) = self.clause(operands[slot.operand]);
        let other = slot.shared.map(|shared| self.clause(operands[shared]).0);
        let both = (1u8 << atom) | other.map_or(0, |atom| 1 << atom);
        let joint = matches!(slot.share, Share::Joint | Share::JointVerb | Share::JointComplement);
        let subject =
            if joint || slot.share == Share::OneOf { SubjectForm::Dropped } else { SubjectForm::Full };
        let manner = Manner {
            time: self.time(mood, clause),
            negation: slot.negation,
            subject,
            clitic: false,
            again: Again::default(),
            joint,
            generic: false,
            dative_known: false,
        };
        let mut words = Vec::with_capacity(8);
        clause.say(manner, &mut words);
        if slot.share == Share::Lo {
            // What the two clauses share, and these words only stand for it.
            self.link("lo".into());
            words.retain(|(_, part)| matches!(part, Part::Verb | Part::Auxiliary));
            return words.into_iter().for_each(|(word, _)| self.link(word));
        }
        let own = |part: &Part| match slot.share {
            Share::Complement | Share::JointComplement => *part == Part::Complement,
            Share::Subject | Share::Postposed => *part == Part::Subject,
            Share::Head | Share::JointVerb => *part != Part::Complement,
            Share::Rest => matches!(part, Part::Verb | Part::Complement),
            Share::Joint | Share::OneOf | Share::Whole | Share::Lo => true,
        };
        words.retain(|(_, part)| own(part));
        let mentioned = |sentence: &Sentence<'_>, atom: u8| sentence.mentions[usize::from(atom)];
        let first_time = mentioned(self, atom).is_none_or(|(_, end)| end == usize::MAX);
        let start = self.tokens.len();
        for (word, part) in words {
            let atoms = if part == Part::Negation || !first_time { 0 } else { both };
            self.tokens.push(Token { word, atoms, part });
        }
        match slot.share {
            // The part in which the second clause differs: the rest of its words are those of the first.
            Share::Complement | Share::Subject | Share::Postposed | Share::Rest
                if slot.operand == 1 && first_time =>
            {
                let (first, _) = self.clause(operands[0]);
                if let Some((from, _)) = mentioned(self, first) {
                    for token in &mut self.tokens[from..start] {
                        let shared = !matches!(token.part, Part::Negation | Part::Link);
                        if shared && !own(&token.part) {
                            token.atoms |= 1 << atom;
                        }
                    }
                }
                self.mentions[usize::from(atom)] = Some((start, usize::MAX));
            }
            _ => {
                if mentioned(self, atom).is_none() {
                    self.mentions[usize::from(atom)] = Some((start, usize::MAX));
                }
            }
        }
        self.topic = Some(clause.subject_id);
        self.latest = None;
        self.described = None;
    }

    fn time(&mut self, mood: Mood, clause: &Clause) -> Time {
        use Simple::*;
        let simple = Time::Simple;
        let perfect = clause.past == Time::Perfect(Present);
        match (self.frame, mood) {
            (_, Mood::Infinitive | Mood::Generic | Mood::Nominal | Mood::Obligation(_)) => Time::Infinitive,
            (_, Mood::Past) => simple(ImperfectSubjunctive),
            (Frame::Present, Mood::Subjunctive) => simple(PresentSubjunctive),
            (Frame::Present, _) => simple(Present),
            (Frame::Future, Mood::Subjunctive | Mood::Cuando) => simple(PresentSubjunctive),
            (Frame::Future, Mood::Si) => simple(Present),
            (Frame::Future, _)
                if clause.periphrasis.is_none() && self.rng.random_bool(0.15) && !clause.reflexive() =>
            {
                Time::GoingTo
            }
            (Frame::Future, _) if clause.habitual() => simple(Present),
            (Frame::Future, _) => simple(Future),
            (Frame::Past, Mood::Subjunctive) if perfect => Time::Perfect(PresentSubjunctive),
            (Frame::Past, Mood::Subjunctive) => simple(ImperfectSubjunctive),
            (Frame::Past, _) => clause.past,
            (Frame::Inference, Mood::Subjunctive) => Time::Perfect(PresentSubjunctive),
            (Frame::Inference, Mood::Si | Mood::Cuando) => clause.past,
            (Frame::Inference, _) => simple(Present),
            (Frame::Unreal, Mood::Si | Mood::Cuando | Mood::Subjunctive) if self.rng.random_bool(0.15) => {
                simple(ImperfectSubjunctiveSe)
            }
            (Frame::Unreal, Mood::Si | Mood::Cuando | Mood::Subjunctive) => simple(ImperfectSubjunctive),
            (Frame::Unreal, _) => simple(Conditional),
            (Frame::UnrealPast, Mood::Si | Mood::Cuando | Mood::Subjunctive) => {
                Time::Perfect(if self.rng.random_bool(0.4) {
                    ImperfectSubjunctiveSe
                } else {
                    ImperfectSubjunctive
                })
            }
            (Frame::UnrealPast, _) => Time::Perfect(Conditional),
        }
    }
}

/// *debe estudiar*, *tiene que estudiar*, *ha de estudiar*: the obligation is a word of the connective.
fn obligation(clause: &Clause, kind: Obligation, manner: Manner) -> Vec<(Word, Part)> {
    let aux = &lexicon().aux;
    let (verb, link) = match kind {
        Obligation::Deber => (aux.deber, ""),
        Obligation::TenerQue => (aux.tener, "que"),
        Obligation::HaberDe => (aux.haber, "de"),
    };
    let mut words = Vec::new();
    if let (SubjectForm::Full, Some(subject)) = (manner.subject, &clause.subject) {
        words.extend(subject.words.iter().map(|w| (w.clone(), Part::Subject)));
    }
    let person: Person = clause.person();
    finite(verb, Time::Simple(Simple::Present), person, &mut |word| words.push((word, Part::Link)));
    if !link.is_empty() {
        words.push((link.into(), Part::Link));
    }
    clause.say(Manner { time: Time::Infinitive, ..manner }, &mut words);
    words
}
