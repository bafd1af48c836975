//! The corpus maker: a formula comes first, then one of the many ways in which Spanish says it.

mod clause;
pub(crate) mod construction;
mod content;
mod draw;
mod phrase;
mod plan;
mod sentence;
mod skeleton;
mod surface;
#[cfg(test)]
mod tests;
pub(crate) mod tree;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use logic_parser::Formula;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::lexicon::{lexicon, lines};
use crate::normal;
use crate::row::{Complexity, Origin, Row};
use clause::{Clause, Part};
use content::{Variation, Writer};
use plan::Plan;
use sentence::Sentence;
use skeleton::{Skeleton, Written};
use surface::Token;
use tree::{Node, Tree};

/// Says formulas in a language; [`Maker`] does in Spanish. A corpus is made of the rows of any.
///
/// ```
/// use data_pipeline::{Realizer, Row, WordSpan, format::Pointing};
///
/// /// English, as far as one sentence goes.
/// #[derive(Debug)]
/// struct English;
///
/// impl Realizer for English {
///     fn row(&self, _: u64) -> Row {
///         let span = |first, last| vec![WordSpan { first, last }];
///         Row {
///             input: "If it rains, it pours.".into(),
///             formula: "p → q".into(),
///             pattern: "p → q".into(),
///             atoms: [("p".into(), "it rains".into()), ("q".into(), "it pours".into())].into(),
///             spans: [("p".into(), span(1, 2)), ("q".into(), span(4, 5))].into(),
///             language: "en".into(),
///             ..Row::default()
///         }
///     }
///
///     fn fingerprint(&self) -> String {
///         "one English sentence".into()
///     }
/// }
///
/// let row = English.row(0);
/// let answer = Pointing::read(&row.input, &Pointing::answer(&row)?)?;
/// assert_eq!(answer.atoms["q"], "it pours");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Realizer: std::fmt::Debug + Send + Sync {
    /// Draws a formula and says it; the same index gives the same row.
    fn row(&self, index: u64) -> Row;

    /// The same for realizers that make the same rows, and for no others.
    fn fingerprint(&self) -> String;
}

/// Makes rows in Spanish, whose formula is right by construction.
///
/// Row `n` of a seed is always the same, whoever asks for it and in whatever order.
///
/// ```
/// let maker = data_pipeline::Maker::new(7);
/// let row = maker.row(0);
/// assert_eq!(row, data_pipeline::Maker::new(7).row(0));
/// for (letter, spans) in &row.spans {
///     let words = data_pipeline::words(&row.input);
///     let pointed: Vec<&str> =
///         spans.iter().flat_map(|s| &words[s.first as usize..=s.last as usize]).copied().collect();
///     assert_eq!(row.atoms[letter], pointed.join(" "));
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Maker {
    seed: u64,
}

/// Most words of a sentence, marks included: what the pointing format can number.
const MAX_WORDS: usize = 96;

impl Maker {
    /// A maker whose rows all follow from the seed.
    pub fn new(seed: u64) -> Maker {
        Maker { seed }
    }

    /// What all rows follow from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Draws a formula and says it.
    pub fn row(&self, index: u64) -> Row {
        let mut rng = self.rng(index);
        loop {
            let tree = draw::formula(&mut rng);
            if let Some(row) = say(&tree, &mut rng) {
                return row;
            }
        }
    }

    /// Says this formula with content drawn for its atoms. None when Spanish, as this maker knows it, has no way: more
    /// than eight atoms, ⊕, ⊤ or ⊥, or nesting that no construction marks.
    pub fn say(&self, pattern: &Formula, index: u64) -> Option<Row> {
        let tree = Tree::from_formula(pattern)?;
        let mut rng = self.rng(index);
        (0..8).find_map(|_| say(&tree, &mut rng))
    }

    /// Whether the maker has a way of saying this formula with the connective words of `input`, its atoms in the same
    /// places: the first of `draws` draws that does so, or None. Where `atoms` is empty any words may stand for them.
    ///
    /// ```
    /// let maker = data_pipeline::Maker::new(1);
    /// let formula = "q → p".parse()?;
    /// let atoms = [("p", "me mojo"), ("q", "llueve")].map(|(p, text)| (p.to_owned(), text.to_owned())).into();
    /// assert!(maker.covers("Me mojo siempre que llueve.", &formula, &atoms, 1_000).is_some());
    /// assert!(maker.covers("Llueve siempre que me mojo.", &formula, &atoms, 1_000).is_none());
    /// # Ok::<(), logic_parser::ParseError>(())
    /// ```
    pub fn covers(
        &self,
        input: &str,
        formula: &Formula,
        atoms: &BTreeMap<String, String>,
        draws: u64,
    ) -> Option<u64> {
        let tree = Tree::from_formula(formula)?;
        // The tree letters its atoms by first appearance; the glossary goes by the formula's own names.
        let names = formula.atoms();
        let lettered =
            |(letter, name): (&&str, &&str)| Some(((*letter).to_owned(), atoms.get(*name)?.clone()));
        let glossary = tree::LETTERS.iter().zip(&names).filter_map(lettered).collect();
        let written = Written::read(input, &glossary);
        (0..draws).find(|&draw| {
            let mut rng = self.rng(draw);
            let (domain, _) = draw_domain(&mut rng);
            let said = tokens(&tree, domain, &mut rng);
            said.is_some_and(|said| Skeleton::of(&said.tokens).fits(&written))
        })
    }

    fn rng(&self, index: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(index);
        rng
    }
}

/// What may open a sentence and says nothing.
pub(crate) struct Opener {
    /// Its words, a comma among them, with a space between any two.
    said: &'static str,
    /// The same as [`normal::sentence`] writes it.
    pub normal: String,
}

pub(crate) static OPENERS: LazyLock<Vec<Opener>> = LazyLock::new(|| {
    let opener = |said: &'static str| Opener { said, normal: normal::sentence(said) };
    lines(include_str!("../../data/es/openers.tsv")).map(opener).collect()
});

impl Realizer for Maker {
    fn row(&self, index: u64) -> Row {
        self.row(index)
    }

    fn fingerprint(&self) -> String {
        format!("Maker, seed {}", self.seed)
    }
}

/// The domains, how often each is drawn, and the block it counts as.
const DOMAINS: [(&str, u32, &str); 10] = [
    ("cot", 24, "cotidiano"),
    ("esc", 11, "académico"),
    ("eco", 10, "económico"),
    ("jur", 10, "jurídico"),
    ("med", 9, "médico"),
    ("cie", 10, "científico"),
    ("inf", 9, "informático"),
    ("mat", 12, "matemático"),
    ("dep", 5, "deportivo"),
    ("tie", 3, "temporal"),
];

/// A formula in words that still know what they do.
struct Said {
    tokens: Vec<Token>,
    connectors: BTreeMap<String, String>,
}

/// Says a formula with clauses of one domain.
fn tokens(tree: &Tree, domain: usize, rng: &mut ChaCha8Rng) -> Option<Said> {
    let clauses = contents(tree, domain, rng)?;
    let plan = Plan::new(tree, &clauses);
    let mut sentence = Sentence::new(rng, tree, &clauses, &plan);
    if !sentence.say() {
        return None;
    }
    Some(Said { connectors: sentence.connectors, tokens: sentence.tokens })
}

fn say(tree: &Tree, rng: &mut ChaCha8Rng) -> Option<Row> {
    let (domain, block) = draw_domain(rng);
    let Said { mut tokens, connectors } = tokens(tree, domain, rng)?;
    roughen(&mut tokens, rng);
    if tokens.len() > MAX_WORDS {
        return None;
    }
    let surface = surface::finish(tokens, tree.n_atoms());
    // Acampar implica acampar, if only the subjects differ.
    let texts: Vec<String> = surface.atoms.values().map(|text| text.to_lowercase()).collect();
    if (1..texts.len()).any(|at| texts[..at].contains(&texts[at])) {
        return None;
    }
    let formula = tree.to_formula().to_string();
    Some(Row {
        input: surface.input,
        pattern: formula.clone(),
        formula,
        atoms: surface.atoms,
        spans: surface.spans,
        connectors,
        thought: String::new(),
        complexity: match tree.n_binary() {
            0 | 1 => Complexity::Simple,
            2 => Complexity::Intermediate,
            _ => Complexity::Advanced,
        },
        block: block.to_owned(),
        language: "es".to_owned(),
        origin: Origin::Constructed,
    })
}

fn draw_domain(rng: &mut ChaCha8Rng) -> (usize, &'static str) {
    let mut roll = rng.random_range(0..DOMAINS.iter().map(|d| d.1).sum());
    for (code, weight, block) in DOMAINS {
        if roll < weight {
            let at = lexicon().domains.iter().position(|d| d.code == code);
            return (at.expect("every domain has its lines"), block);
        }
        roll -= weight;
    }
    unreachable!("the roll is below the sum of the weights")
}

/// How a clause differs from its fellow operand.
const ALIKE: [Variation; 9] = [
    Variation::Complement,
    Variation::Complement,
    Variation::Complement,
    Variation::Subject,
    Variation::Subject,
    Variation::Predicate,
    Variation::Verb,
    Variation::Object,
    Variation::Adjunct,
];

/// How a clause differs from any other of a sentence about the same people and things.
const OF_ONE_CAST: [Variation; 10] = [
    Variation::Complement,
    Variation::Complement,
    Variation::Subject,
    Variation::Object,
    Variation::Predicate,
    Variation::Predicate,
    Variation::Predicate,
    Variation::Predicate,
    Variation::Predicate,
    Variation::Predicate,
];

/// Draws what each atom says; neighbours in the formula often share a subject, a verb or a complement.
fn contents(tree: &Tree, domain: usize, rng: &mut ChaCha8Rng) -> Option<Vec<Clause>> {
    let n_atoms = tree.n_atoms();
    let negated: Vec<bool> = (0..n_atoms)
        .map(|atom| (0..tree.nodes.len()).any(|at| tree.literal(at) == Some((atom as u8, true))))
        .collect();
    let paired = pairs(tree, n_atoms);
    // What is said twice is learned best beside what is nearly the same.
    let repeats = tree.nodes.iter().filter(|node| matches!(node, Node::Atom(_))).count() > n_atoms;
    let cast = rng.random_bool(0.5);
    let symbols = lexicon().domains[domain].code == "mat" && rng.random_bool(0.4);
    let mut writer = Writer::new(rng, domain);
    let mut clauses: Vec<Clause> = Vec::with_capacity(n_atoms);
    let mut identities = Vec::with_capacity(n_atoms);
    for atom in 0..n_atoms {
        // Two atoms never say the same.
        let mut drawn = None;
        for _ in 0..12 {
            let roll = writer.rng.random_range(0..100);
            let clause = match paired[atom] {
                Some(other) if roll < if repeats { 75 } else { 58 } => {
                    let variation = *writer.pick(&ALIKE);
                    writer.vary(&clauses[other], other, variation)
                }
                _ if symbols && !negated[atom] && roll % 10 < 6 => writer.symbols(),
                _ if atom > 0 && cast && roll % 10 < 7 => {
                    let model = writer.rng.random_range(0..atom);
                    let variation = *writer.pick(&OF_ONE_CAST);
                    writer.vary(&clauses[model], model, variation)
                }
                _ => writer.clause(),
            };
            let identity = content::identity(&clause);
            if !identities.contains(&identity) {
                drawn = Some((clause, identity));
                break;
            }
        }
        let (clause, identity) = drawn?;
        clauses.push(clause);
        identities.push(identity);
    }
    Some(clauses)
}

/// For each atom, an earlier one that is its fellow operand.
fn pairs(tree: &Tree, n_atoms: usize) -> Vec<Option<usize>> {
    let mut pairs = vec![None; n_atoms];
    for node in &tree.nodes {
        if let Node::Binary(_, left, right) = *node
            && let (Some((a, _)), Some((b, _))) = (tree.literal(left), tree.literal(right))
            && a != b
        {
            pairs[usize::from(a.max(b))] = Some(usize::from(a.min(b)));
        }
    }
    pairs
}

/// What people leave out or add: an opening word, accents, a comma, the final stop.
fn roughen(tokens: &mut Vec<Token>, rng: &mut ChaCha8Rng) {
    let link = |word: &'static str| Token { word: word.into(), atoms: 0, part: Part::Link };
    if rng.random_bool(0.06) {
        let opener = OPENERS[rng.random_range(0..OPENERS.len())].said;
        tokens.splice(0..0, opener.split(' ').map(link));
    }
    if rng.random_bool(0.05) {
        for token in tokens.iter_mut() {
            if !token.word.is_ascii() {
                token.word = without_accents(&token.word).into();
            }
        }
    }
    if rng.random_bool(0.3) {
        for token in tokens.iter_mut().filter(|token| token.part == Part::Link && token.word == "solo") {
            token.word = "sólo".into();
        }
    }
    let comma = |token: &Token| token.part == Part::Link && token.word == ",";
    // Where it parts neither a list nor two sentences, a lone comma is often forgotten.
    let needless = |at: usize| {
        let after = tokens.get(at + 1).is_some_and(|token| token.part == Part::Link);
        after || tokens.first().is_some_and(|token| matches!(token.word.as_ref(), "si" | "cuando" | "aunque"))
    };
    let mut commas = (0..tokens.len()).filter(|&at| comma(&tokens[at]));
    if let (Some(at), None) = (commas.next(), commas.next())
        && needless(at)
        && rng.random_bool(0.05)
    {
        tokens.remove(at);
    }
    if rng.random_bool(0.55) {
        tokens.push(link("."));
    }
}

fn without_accents(word: &str) -> String {
    let plain = |letter| match letter {
        'á' => 'a',
        'é' => 'e',
        'í' => 'i',
        'ó' => 'o',
        'ú' => 'u',
        other => other,
    };
    word.chars().map(plain).collect()
}
