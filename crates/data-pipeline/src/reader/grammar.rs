//! The maker's constructions, turned round: phrases to find in a sentence and operands to read between them.
//!
//! `constructions.tsv` says how Spanish says a formula; read backwards, each line says what formula a sentence has when
//! its phrases occur in that order. `readings.tsv`, in the same syntax, adds the phrases that are only heard.

use std::{collections::HashMap, sync::OnceLock};

use super::{
    dictionary::{Dictionary, FUNCTION_WORDS},
    sentence::Mark,
};
use crate::{
    lexicon::lines,
    realize::{
        construction::{CONSTRUCTIONS, Classes, Construction, Mood, Segment, Share, Slot as SaidSlot},
        tree::{Node, Tree},
    },
};

const READINGS: &str = include_str!("../../data/es/readings.tsv");
const UNREAD: &str = include_str!("../../data/es/unread.tsv");

/// Using a template, for each of its operands, and using one that adds nothing.
const TEMPLATE: f32 = 0.25;
const LEADS_IN: f32 = 0.2;
/// What each word of its phrases takes off.
const PER_WORD: f32 = 0.05;

/// A construction with more operands is not read.
pub const MAX_SLOTS: usize = 6;

/// A connective phrase, as a number.
pub type PhraseId = u16;

/// What an operand is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A clause, or clauses joined.
    Clause,
    /// What takes the place of the end of the clause before: *come pan y* queso.
    Tail,
    /// What takes the place of its subject: *Ana canta y* Luis *también*.
    Subject,
    /// A subject whose predicate follows: Ana *y Luis cantan*.
    Before,
    /// A clause whose end follows, in several versions: no come *ni pan ni queso*.
    Head,
    /// One of those versions.
    OfHead,
    /// The verb of what another clause has said, which says nothing new: *Luis no* lo es.
    Echo,
}

/// An operand of a template.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    pub operand: u8,
    pub role: Role,
    pub mood: Mood,
    /// The clause must be negated, and the formula takes it without its negation.
    pub negated: bool,
    pub accepts: Classes,
}

impl Slot {
    /// All but the classes that it takes.
    fn shape(&self) -> (u8, Role, Mood, bool) {
        (self.operand, self.role, self.mood, self.negated)
    }
}

/// The mark that a template asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    #[default]
    Nothing,
    Comma,
    Either,
    Strong,
}

impl Asked {
    /// What it costs to find `mark` instead.
    pub fn cost(self, mark: Mark) -> f32 {
        match (self, mark) {
            (Asked::Nothing, Mark::None)
            | (Asked::Comma, Mark::Comma)
            | (Asked::Strong, Mark::Strong)
            | (Asked::Either, Mark::None | Mark::Comma) => 0.0,
            (Asked::Comma, Mark::None) => 0.3,
            (Asked::Nothing, Mark::Comma) => 0.5,
            (Asked::Comma | Asked::Either, Mark::Strong) | (Asked::Strong, Mark::Comma) => 0.4,
            (Asked::Nothing, Mark::Strong) | (Asked::Strong, Mark::None) => 1.5,
        }
    }
}

/// What stands between two operands, or before the first, or after the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joint {
    pub before: Asked,
    pub phrase: Option<PhraseId>,
    pub after: Asked,
}

/// One construction, ready to be found.
#[derive(Clone, Debug)]
pub struct Template {
    pub class: Classes,
    pub pattern: Tree,
    pub slots: Vec<Slot>,
    /// One more than slots; the first and last may be empty.
    pub joints: Vec<Joint>,
    /// Joins whole clauses by *and* and *or* alone, so that they should agree in mood.
    pub coordinates: bool,
    /// The construction adds nothing: its formula is its operand.
    pub leads_in: bool,
    /// Says one operand twice.
    pub repeats: bool,
    /// What using it costs: the less, the more words it explains.
    pub cost: f32,
}

/// A word in the tree of all phrases: the phrase that ends with it, and the words that may follow, each with its node.
#[derive(Default)]
struct PhraseNode {
    phrase: Option<PhraseId>,
    children: Vec<(u16, u16)>,
}

/// All templates, and the phrases they need.
pub struct Grammar {
    pub templates: Vec<Template>,
    phrases: Vec<Vec<Box<str>>>,
    unread: Vec<f32>,
    nodes: Vec<PhraseNode>,
    words: Vec<Box<str>>,
    /// The templates by the rarest of their phrases, and those without a phrase.
    by_phrase: Vec<Vec<u16>>,
    bare: Vec<u16>,
    /// Phrases that only look like connectives.
    pub fixed: Vec<PhraseId>,
}

impl Grammar {
    /// Reads both tables and numbers their words in the dictionary.
    pub fn read(dictionary: &mut Dictionary) -> Grammar {
        let mut grammar = Grammar {
            templates: Vec::new(),
            phrases: Vec::new(),
            unread: Vec::new(),
            nodes: vec![PhraseNode::default()],
            words: Vec::new(),
            by_phrase: Vec::new(),
            bare: Vec::new(),
            fixed: Vec::new(),
        };
        for line in lines(CONSTRUCTIONS).chain(lines(READINGS)) {
            let construction = Construction::read(line);
            if let Some(template) = grammar.template(&construction, dictionary) {
                grammar.add(template);
            }
        }
        grammar.file_by_phrase();
        for line in lines(FUNCTION_WORDS).filter_map(|line| line.strip_prefix("fixed\t")) {
            for fixed in line.split(", ") {
                let phrase =
                    grammar.phrase(fixed.split(' ').map(|word| dictionary.phrase_word(word)).collect());
                grammar.fixed.push(phrase);
            }
        }
        for (number, word) in grammar.words.iter().enumerate() {
            dictionary.number(word, u16::try_from(number).expect("few words"));
        }
        let costs = Unread::read();
        grammar.unread = grammar.phrases.iter().map(|phrase| costs.of(&phrase.join(" "))).collect();
        grammar
    }

    /// The node of the phrase tree below `node` by the word.
    pub fn step(&self, node: u16, word: u16) -> Option<u16> {
        let PhraseNode { children, .. } = &self.nodes[usize::from(node)];
        children.iter().find(|(by, _)| *by == word).map(|(_, child)| *child)
    }

    pub fn phrase_at(&self, node: u16) -> Option<PhraseId> {
        self.nodes[usize::from(node)].phrase
    }

    /// How many words the phrase has.
    pub fn phrase_length(&self, phrase: PhraseId) -> u8 {
        u8::try_from(self.phrases[usize::from(phrase)].len()).unwrap_or(u8::MAX)
    }

    /// What it costs to leave the phrase inside a clause.
    pub fn unread_cost(&self, phrase: PhraseId) -> f32 {
        self.unread[usize::from(phrase)]
    }

    /// Whether *que* in this phrase opens an operand, not a clause inside a clause.
    pub fn is_connective(&self, phrase: PhraseId) -> bool {
        self.phrases[usize::from(phrase)].len() > 1
    }

    /// Adds a template, or widens one that reads alike.
    fn add(&mut self, template: Template) {
        let alike = |one: &&mut Template| {
            let slots = |template: &Template| template.slots.iter().map(Slot::shape).collect::<Vec<_>>();
            one.class == template.class
                && one.pattern == template.pattern
                && one.joints == template.joints
                && slots(one) == slots(&template)
        };
        match self.templates.iter_mut().find(alike) {
            Some(known) => {
                for (slot, other) in known.slots.iter_mut().zip(&template.slots) {
                    slot.accepts = Classes(slot.accepts.0 | other.accepts.0);
                }
            }
            None => self.templates.push(template),
        }
    }

    /// Files each template under the phrase that the fewest others need.
    fn file_by_phrase(&mut self) {
        let mut uses = vec![0_u32; self.phrases.len()];
        let phrases =
            |template: &Template| template.joints.iter().filter_map(|joint| joint.phrase).collect::<Vec<_>>();
        for phrase in self.templates.iter().flat_map(phrases) {
            uses[usize::from(phrase)] += 1;
        }
        self.by_phrase = vec![Vec::new(); self.phrases.len()];
        for (at, template) in self.templates.iter().enumerate() {
            let at = u16::try_from(at).expect("few templates");
            match phrases(template).into_iter().min_by_key(|phrase| uses[usize::from(*phrase)]) {
                Some(rarest) => self.by_phrase[usize::from(rarest)].push(at),
                None => self.bare.push(at),
            }
        }
    }

    /// The templates that can match where just these phrases occur.
    pub fn candidates(&self, phrases: impl Iterator<Item = PhraseId>) -> impl Iterator<Item = u16> {
        phrases.flat_map(|phrase| &self.by_phrase[usize::from(phrase)]).chain(&self.bare).copied()
    }

    fn template(&mut self, construction: &Construction, dictionary: &Dictionary) -> Option<Template> {
        let mut slots: Vec<SaidSlot> = Vec::new();
        let mut joints = vec![Vec::new()];
        for segment in &construction.segments {
            match segment {
                Segment::Slot(slot) => {
                    // A subject and the predicate that it shares make a clause.
                    let joint = joints.last().expect("there is always one");
                    if let Some(last) = slots.last_mut()
                        && last.share == Share::Subject
                        && matches!(slot.share, Share::Joint | Share::OneOf)
                        && joint.is_empty()
                    {
                        *last = SaidSlot { share: Share::Whole, mood: slot.mood, ..*last };
                        continue;
                    }
                    slots.push(*slot);
                    joints.push(Vec::new());
                }
                Segment::Word(word) => joints.last_mut().expect("there is always one").push(*word),
                Segment::OptionalComma => joints.last_mut().expect("there is always one").push(",?"),
            }
        }
        let has_head = slots.iter().any(|slot| slot.share == Share::Head);
        let whole = slots.iter().position(|slot| slot.share == Share::Whole);
        let mut read = Vec::new();
        for (at, slot) in slots.iter().enumerate() {
            let role = match slot.share {
                Share::Whole => Role::Clause,
                Share::Head => Role::Head,
                Share::Complement if has_head => Role::OfHead,
                Share::Complement | Share::Postposed | Share::Rest => Role::Tail,
                Share::Subject if whole.is_some_and(|whole| whole > at) => Role::Before,
                Share::Subject => Role::Subject,
                Share::Lo => Role::Echo,
                Share::Joint | Share::OneOf | Share::JointVerb | Share::JointComplement => return None,
            };
            read.push(Slot {
                operand: u8::try_from(slot.operand).ok()?,
                role,
                mood: slot.mood,
                negated: !slot.negation.is_empty(),
                accepts: if role == Role::Clause { slot.accepts } else { Classes::ALL },
            });
        }
        if whole.is_none() && !has_head {
            return None;
        }
        // An operand said twice is recognised by its atoms, except where the formula says it once.
        let repeated = |role| {
            let of: Vec<u8> = read.iter().filter(|slot| slot.role == role).map(|slot| slot.operand).collect();
            of.iter().enumerate().any(|(at, operand)| of[..at].contains(operand))
        };
        let repeats = repeated(Role::Clause);
        if repeats && construction.pattern.nodes.len() > 3 {
            return None;
        }
        if read.len() > MAX_SLOTS {
            return None;
        }
        let joints: Vec<Joint> = joints.iter().map(|words| self.joint(words, dictionary)).collect();
        let has_phrase = joints.iter().any(|joint| joint.phrase.is_some());
        if read.len() == 1 && !has_phrase {
            return None;
        }
        let pattern = construction.pattern.clone();
        let leads_in = pattern.nodes.len() == 1;
        let n_words: usize = joints
            .iter()
            .filter_map(|joint| joint.phrase)
            .map(|phrase| self.phrases[usize::from(phrase)].len())
            .sum();
        let n_slots = read.len() as f32;
        let cost = if leads_in { LEADS_IN } else { TEMPLATE * n_slots } - PER_WORD * n_words as f32;
        let joins = pattern.nodes.iter().all(|node| {
            !matches!(
                node,
                Node::Binary(logic_parser::Connective::Implies | logic_parser::Connective::Iff, ..)
            )
        });
        Some(Template {
            class: construction.class,
            coordinates: joins && read.len() > 1,
            leads_in,
            repeats,
            cost,
            pattern,
            slots: read,
            joints,
        })
    }

    fn joint(&mut self, words: &[&str], dictionary: &Dictionary) -> Joint {
        let asked = |mark: &str| match mark {
            "," => Some(Asked::Comma),
            ",?" => Some(Asked::Either),
            ";" | ":" | "." => Some(Asked::Strong),
            _ => None,
        };
        let mut joint = Joint::default();
        let mut words = words;
        if let [first, rest @ ..] = words
            && let Some(mark) = asked(first)
        {
            (joint.before, words) = (mark, rest);
        }
        if let [rest @ .., last] = words
            && let Some(mark) = asked(last)
        {
            (joint.after, words) = (mark, rest);
        }
        let words: Vec<Box<str>> = words
            .iter()
            .filter(|word| asked(word).is_none())
            .map(|word| dictionary.phrase_word(word))
            .collect();
        if !words.is_empty() {
            joint.phrase = Some(self.phrase(words));
        }
        joint
    }

    fn phrase(&mut self, words: Vec<Box<str>>) -> PhraseId {
        let mut node = 0_usize;
        for word in &words {
            let number = self.words.iter().position(|known| known == word).unwrap_or_else(|| {
                self.words.push(word.clone());
                self.words.len() - 1
            });
            let number = u16::try_from(number).expect("few words");
            node = match self.nodes[node].children.iter().find(|(by, _)| *by == number) {
                Some((_, child)) => usize::from(*child),
                None => {
                    let child = self.nodes.len();
                    self.nodes.push(PhraseNode::default());
                    self.nodes[node].children.push((number, u16::try_from(child).expect("few phrases")));
                    child
                }
            };
        }
        *self.nodes[node].phrase.get_or_insert_with(|| {
            self.phrases.push(words);
            u16::try_from(self.phrases.len() - 1).expect("few phrases")
        })
    }
}

/// What it costs to leave a phrase unread: its words join clauses more or less surely.
struct Unread {
    costs: HashMap<&'static str, f32>,
    word: f32,
    words: f32,
}

impl Unread {
    fn read() -> Unread {
        let mut costs = HashMap::new();
        for line in lines(UNREAD) {
            let (cost, phrases) = line.split_once('\t').expect("a cost, a tab and phrases");
            let cost: f32 = cost.parse().expect("a cost is a number");
            costs.extend(phrases.split(", ").map(|phrase| (phrase, cost)));
        }
        let mut other = |name| costs.remove(name).expect("the costs of other words and phrases are given");
        Unread { word: other("(word)"), words: other("(words)"), costs }
    }

    fn of(&self, phrase: &str) -> f32 {
        let other = if phrase.contains(' ') { self.words } else { self.word };
        self.costs.get(phrase).copied().unwrap_or(other)
    }
}

/// The grammar of Spanish with the dictionary that its words are numbered in.
pub fn spanish() -> &'static (Grammar, Dictionary) {
    static READ: OnceLock<(Grammar, Dictionary)> = OnceLock::new();
    READ.get_or_init(|| {
        let mut dictionary = Dictionary::build();
        (Grammar::read(&mut dictionary), dictionary)
    })
}
