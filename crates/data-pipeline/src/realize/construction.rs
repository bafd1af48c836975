//! Reads `constructions.tsv`: which phrases say which formula, what mood they govern and what operands they take.

use std::sync::OnceLock;

use logic_parser::{Connective, Formula};

use super::tree::{Node, Tree};

/// The table.
pub const CONSTRUCTIONS: &str = include_str!("../../data/es/constructions.tsv");

/// A set of classes of phrases, as one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes(pub u16);

impl Classes {
    const LETTERS: &'static str = "liyonbxmcksavzp";
    pub const LITERAL: Classes = Classes(1);
    pub const INFINITIVE: Classes = Classes(2);
    /// A literal that has an infinitive and is not negated.
    pub const AFFIRMATIVE: Classes = Classes(1 << 11);
    /// A literal that is not negated.
    pub const AFFIRMED: Classes = Classes(1 << 12);
    /// A literal that is not negated and has a noun.
    pub const NOMINAL: Classes = Classes(1 << 13);
    /// All that is said as a plain clause.
    pub const CLAUSES: Classes = Classes(1 | 2 | 1 << 11 | 1 << 12);
    /// Negations that have their own phrase.
    pub const DENIALS: Classes = Classes(1 << 6);
    pub const ALL: Classes = Classes(0x7fff);

    fn read(letters: &str) -> Classes {
        let bit =
            |letter| Classes::LETTERS.find(letter).unwrap_or_else(|| panic!("no class is called {letter}"));
        Classes(letters.chars().map(|letter| 1 << bit(letter)).sum::<u16>())
    }

    pub fn meets(self, other: Classes) -> bool {
        self.0 & other.0 != 0
    }
}

/// The mood that a phrase governs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// That of the phrase around it.
    Inherited,
    Indicative,
    /// After *si*.
    Si,
    /// After *cuando*.
    Cuando,
    Subjunctive,
    Infinitive,
    /// The infinitive of nobody in particular: *ser rico implica ser feliz*.
    Generic,
    /// As a noun: *la subida de los precios*.
    Nominal,
    /// The imperfect subjunctive.
    Past,
    /// After *deber*, *tener que*, *haber de*.
    Obligation(Obligation),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obligation {
    Deber,
    TenerQue,
    HaberDe,
}

/// Which part of a clause stands in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    Whole,
    Complement,
    Subject,
    /// All but the complement.
    Head,
    /// Predicate of two subjects, in the plural.
    Joint,
    /// The same in two pieces, so that *ambos* can stand between: *son*, *pares*.
    JointVerb,
    JointComplement,
    /// Predicate of one of two subjects.
    OneOf,
    /// The subject of clauses that put it after the verb: *me gusta* el cine.
    Postposed,
    /// What follows the auxiliary: *puede* asistir a clase.
    Rest,
    /// The verb of what another clause has said: *lo es*, *lo está*.
    Lo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Which operand: A is 0.
    pub operand: usize,
    /// A second operand that shares the words.
    pub shared: Option<usize>,
    pub mood: Mood,
    /// Said negated, with this word.
    pub negation: &'static str,
    pub accepts: Classes,
    pub share: Share,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    Word(&'static str),
    OptionalComma,
    Slot(Slot),
}

/// One way of saying one shape of formula.
#[derive(Clone, Debug)]
pub struct Construction {
    pub class: Classes,
    pub weight: u32,
    pub pattern: Tree,
    pub segments: Vec<Segment>,
    /// The operands must have the same subject.
    pub same_subject: bool,
    /// The operands' complements must be direct objects.
    pub objects: bool,
    /// Its words, for the row's list of connectors.
    pub phrase: String,
    /// Whether it may speak of what is not so: *si lloviera, me mojaría*.
    pub unreal: bool,
    /// Its own verb stands in the present: *es necesario que*.
    pub timeless: bool,
}

/// All constructions, and for each shape of the root and of what stands right below it those that may say it.
pub struct Constructions {
    pub all: Vec<Construction>,
    by_shape: Vec<Vec<usize>>,
}

/// The constructions, read at the first call.
pub fn constructions() -> &'static Constructions {
    static READ: OnceLock<Constructions> = OnceLock::new();
    READ.get_or_init(Constructions::read)
}

impl Constructions {
    fn read() -> Constructions {
        let lines = CONSTRUCTIONS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let all: Vec<Construction> = lines.map(Construction::read).collect();
        let mut by_shape = vec![Vec::new(); N_KINDS * N_KINDS * N_KINDS];
        for (at, construction) in all.iter().enumerate() {
            let pattern = &construction.pattern;
            let [root, left, right] = shape(pattern, pattern.root());
            // An operand stands for a node of any kind.
            let any = |kind: usize| if kind == 0 { 0..N_KINDS } else { kind..kind + 1 };
            for left in any(left) {
                for right in any(right) {
                    by_shape[(root * N_KINDS + left) * N_KINDS + right].push(at);
                }
            }
        }
        Constructions { all, by_shape }
    }

    /// Those whose pattern agrees with the node and with the nodes right below it.
    pub fn of(&self, tree: &Tree, at: usize) -> &[usize] {
        let [root, left, right] = shape(tree, at);
        &self.by_shape[(root * N_KINDS + left) * N_KINDS + right]
    }
}

/// Atoms, negations and four connectives.
const N_KINDS: usize = 6;

/// The kinds of a node and of its operands; 0 where there is none.
fn shape(tree: &Tree, at: usize) -> [usize; 3] {
    let kind = |at: usize| match tree.nodes[at] {
        Node::Atom(_) => 0,
        Node::Not(_) => 1,
        Node::Binary(Connective::And, ..) => 2,
        Node::Binary(Connective::Or, ..) => 3,
        Node::Binary(Connective::Implies, ..) => 4,
        Node::Binary(..) => 5,
    };
    match tree.nodes[at] {
        Node::Atom(_) => [0, 0, 0],
        Node::Not(inner) => [1, kind(inner), 0],
        Node::Binary(_, left, right) => [kind(at), kind(left), kind(right)],
    }
}

impl Construction {
    /// Reads one line of the table.
    pub fn read(line: &'static str) -> Construction {
        let mut fields = line.split('\t');
        let mut field = || fields.next().unwrap_or_else(|| panic!("a construction has four fields: {line}"));
        let (class, weight, formula, phrase) = (field(), field(), field(), field());
        let formula = Formula::parse(formula).expect("the formulas of constructions parse");
        let (phrase, asked) = phrase.split_once(" !").unwrap_or((phrase, ""));
        let (same_subject, objects) = (asked == "same", asked == "object");
        let mut segments: Vec<Segment> = phrase.split(' ').map(Segment::read).collect();
        let slots =
            || segments.iter().filter_map(|s| if let Segment::Slot(slot) = s { Some(slot) } else { None });
        let alone = slots().all(|slot| slot.mood == Mood::Infinitive);
        if alone || !same_subject {
            for segment in &mut segments {
                if let Segment::Slot(slot) = segment
                    && slot.mood == Mood::Infinitive
                {
                    slot.mood = Mood::Generic;
                }
            }
        }
        let words: Vec<&str> = phrase.split(' ').map(|w| if w.starts_with('{') { "…" } else { w }).collect();
        let phrase = words.join(" ").replace(" ,?", "").replace(" ,", "");
        let unreal = segments.iter().any(|s| matches!(s, Segment::Slot(slot) if slot.mood == Mood::Si))
            && segments.iter().all(|s| !matches!(s, Segment::Slot(slot) if slot.mood == Mood::Cuando));
        const PRESENT: [&str; 16] = [
            "conlleva",
            "exige",
            "excluye",
            "impide",
            "significa",
            "es",
            "basta",
            "implica",
            "garantiza",
            "equivale",
            "hace",
            "hay",
            "puede",
            "necesita",
            "requiere",
            "supone",
        ];
        let timeless = phrase.split(' ').any(|word| PRESENT.contains(&word));
        Construction {
            class: Classes::read(class),
            weight: weight.parse().expect("a weight is a number"),
            pattern: Tree::from_formula(&formula).expect("constructions have few operands"),
            segments,
            same_subject,
            objects,
            phrase: phrase.trim_matches(['…', ' ']).to_owned(),
            unreal,
            timeless,
        }
    }

    /// The nodes of `tree` below `at` that the operands stand for, if the pattern is that of the node.
    pub fn matches(&self, tree: &Tree, at: usize) -> Option<[usize; 4]> {
        let mut operands = [usize::MAX; 4];
        self.bind(tree, at, self.pattern.root(), &mut operands).then_some(operands)
    }

    fn bind(&self, tree: &Tree, at: usize, pattern: usize, operands: &mut [usize; 4]) -> bool {
        match (self.pattern.nodes[pattern], tree.nodes[at]) {
            (Node::Atom(operand), _) => {
                let bound = &mut operands[usize::from(operand)];
                if *bound == usize::MAX {
                    *bound = at;
                    true
                } else {
                    tree.same(*bound, at)
                }
            }
            (Node::Not(inner), Node::Not(below)) => self.bind(tree, below, inner, operands),
            (Node::Binary(c, l, r), Node::Binary(d, m, s)) => {
                c == d && self.bind(tree, m, l, operands) && self.bind(tree, s, r, operands)
            }
            _ => false,
        }
    }
}

impl Segment {
    fn read(text: &'static str) -> Segment {
        let Some(slot) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
            return if text == ",?" { Segment::OptionalComma } else { Segment::Word(text) };
        };
        let (slot, accepts) = slot.split_once('/').unwrap_or((slot, "lyonbx"));
        let (slot, manner) = slot.split_once(':').unwrap_or((slot, ""));
        let (operands, share) = slot.split_once('.').unwrap_or((slot, ""));
        let mut letters = operands.bytes().map(|letter| usize::from(letter - b'A'));
        let mut mood = Mood::Inherited;
        let mut negation = "";
        for one in manner.split('+').filter(|one| !one.is_empty()) {
            match one {
                "ind" => mood = Mood::Indicative,
                "si" => mood = Mood::Si,
                "cuando" => mood = Mood::Cuando,
                "sub" => mood = Mood::Subjunctive,
                "inf" => mood = Mood::Infinitive,
                "nom" => mood = Mood::Nominal,
                "past" => mood = Mood::Past,
                "deber" => mood = Mood::Obligation(Obligation::Deber),
                "tener" => mood = Mood::Obligation(Obligation::TenerQue),
                "haber" => mood = Mood::Obligation(Obligation::HaberDe),
                "no" => negation = "no",
                "tampoco" => negation = "tampoco",
                other => panic!("no manner is called {other}"),
            }
        }
        let share = match share {
            "" => Share::Whole,
            "comp" => Share::Complement,
            "subj" => Share::Subject,
            "head" => Share::Head,
            "pred" => Share::Joint,
            "verb" => Share::JointVerb,
            "both" => Share::JointComplement,
            "post" => Share::Postposed,
            "rest" => Share::Rest,
            "one" => Share::OneOf,
            "lo" => Share::Lo,
            other => panic!("no part is called {other}"),
        };
        Segment::Slot(Slot {
            operand: letters.next().expect("a slot names its operand"),
            shared: letters.next(),
            mood,
            negation,
            accepts: if mood == Mood::Nominal { Classes::NOMINAL } else { Classes::read(accepts) },
            share,
        })
    }
}
