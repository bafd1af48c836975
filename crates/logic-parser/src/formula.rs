//! The formula: one flat array in postorder.
//!
//! Each node stands after its operands, so the array is at once the tree, a program for a stack machine and a
//! topological order. Nothing in it points at anything: clone, compare, hash and drop are those of a vector, and a
//! formula a million levels deep is no deeper for the call stack than `p`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::names::{Interner, Names};

/// A formula of propositional logic.
///
/// ```
/// use logic_parser::Formula;
///
/// let parsed: Formula = "p & q -> ~r".parse()?;
/// let built = (Formula::atom("p").and(Formula::atom("q"))).implies(Formula::atom("r").not());
/// assert_eq!(parsed, built);
/// assert_eq!(parsed.to_string(), "p ∧ q → ¬r");
/// # Ok::<(), logic_parser::ParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Formula {
    nodes: Vec<Node>,
    names: Names,
}

/// One node of a formula; its operands stand before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// An atom, by its place in [`Formula::atoms`].
    Atom(AtomId),
    /// ⊤, always true.
    Top,
    /// ⊥, always false.
    Bottom,
    /// ¬ of the node before.
    Not,
    /// A connective between two formulas: the right one ends just before, the left one before that.
    Binary(Connective),
}

/// An atom's place in [`Formula::atoms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AtomId(pub(crate) u32);

impl AtomId {
    /// The place as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A connective between two formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Connective {
    /// ∧, conjunction.
    And,
    /// ∨, inclusive disjunction.
    Or,
    /// →, material implication; `p → q → r` is `p → (q → r)`.
    Implies,
    /// ↔, biconditional; `p ↔ q ↔ r` is `(p ↔ q) ↔ r`.
    Iff,
    /// ⊕, exclusive disjunction.
    Xor,
}

impl Connective {
    /// Every connective, tightest first.
    pub const ALL: [Connective; 5] =
        [Connective::And, Connective::Xor, Connective::Or, Connective::Implies, Connective::Iff];

    /// The connective's symbol in Unicode notation.
    pub const fn symbol(self) -> char {
        match self {
            Connective::And => '∧',
            Connective::Or => '∨',
            Connective::Implies => '→',
            Connective::Iff => '↔',
            Connective::Xor => '⊕',
        }
    }

    /// How tightly it binds: ∧ 5, ⊕ 4, ∨ 3, → 2, ↔ 1. Only → associates to the right.
    pub fn precedence(self) -> u8 {
        match self {
            Connective::And => 5,
            Connective::Xor => 4,
            Connective::Or => 3,
            Connective::Implies => 2,
            Connective::Iff => 1,
        }
    }

    /// Whether its operands may be swapped without changing the truth: all but →.
    pub fn is_commutative(self) -> bool {
        self != Connective::Implies
    }

    /// The truth of `left` connective `right`.
    pub fn apply(self, left: bool, right: bool) -> bool {
        match self {
            Connective::And => left && right,
            Connective::Or => left || right,
            Connective::Implies => !left || right,
            Connective::Iff => left == right,
            Connective::Xor => left != right,
        }
    }
}

impl Formula {
    /// An atom. Any name will do; one that is no identifier, or is a word the parser reads as a connective,
    /// prints in double quotes.
    pub fn atom(name: &str) -> Formula {
        let mut interner = Interner::new();
        let id = interner.intern(name);
        Formula { nodes: [Node::Atom(AtomId(id))].into(), names: interner.into_names() }
    }

    /// ⊤, always true.
    pub fn top() -> Formula {
        Formula { nodes: [Node::Top].into(), names: Names::default() }
    }

    /// ⊥, always false.
    pub fn bottom() -> Formula {
        Formula { nodes: [Node::Bottom].into(), names: Names::default() }
    }

    /// `¬self`.
    #[expect(clippy::should_implement_trait, reason = "a builder beside and, or, implies; `!` would hide it")]
    pub fn not(mut self) -> Formula {
        self.nodes.push(Node::Not);
        self
    }

    /// `self ∧ right`.
    pub fn and(self, right: Formula) -> Formula {
        self.join(Connective::And, &right)
    }

    /// `self ∨ right`.
    pub fn or(self, right: Formula) -> Formula {
        self.join(Connective::Or, &right)
    }

    /// `self → right`.
    pub fn implies(self, right: Formula) -> Formula {
        self.join(Connective::Implies, &right)
    }

    /// `self ↔ right`.
    pub fn iff(self, right: Formula) -> Formula {
        self.join(Connective::Iff, &right)
    }

    /// `self ⊕ right`.
    pub fn xor(self, right: Formula) -> Formula {
        self.join(Connective::Xor, &right)
    }

    /// `self connective right`.
    pub fn join(self, connective: Connective, right: &Formula) -> Formula {
        let mut nodes = self.nodes;
        let mut interner = Interner::from_names(self.names);
        right.append_to(&mut nodes, &mut interner);
        nodes.push(Node::Binary(connective));
        Formula { nodes, names: interner.into_names() }
    }

    /// The conjunction of formulas, associated to the left; ⊤ if there are none.
    pub fn conjunction<'f>(formulas: impl IntoIterator<Item = &'f Formula>) -> Formula {
        let (mut nodes, mut interner) = (Vec::new(), Interner::new());
        for (index, formula) in formulas.into_iter().enumerate() {
            formula.append_to(&mut nodes, &mut interner);
            if index > 0 {
                nodes.push(Node::Binary(Connective::And));
            }
        }
        if nodes.is_empty() { Formula::top() } else { Formula { nodes, names: interner.into_names() } }
    }

    /// The names of the atoms, in order of first appearance from left to right.
    pub fn atoms(&self) -> Vec<&str> {
        self.names.iter().collect()
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// How many different atoms there are.
    pub fn atom_count(&self) -> usize {
        self.names.len()
    }

    /// The name of one atom.
    ///
    /// # Panics
    /// If `id` comes from another formula with more atoms.
    pub fn name(&self, id: AtomId) -> &str {
        self.names.get(id.index())
    }

    /// The nodes in postorder; the last one is the root.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The root: the connective that is applied last.
    pub fn root(&self) -> Node {
        *self.nodes.last().expect("a formula has at least one node")
    }

    /// The formulas that the root applies to: none for an atom or constant, one for ¬, two for a connective.
    pub fn operands(&self) -> Vec<Formula> {
        let root = self.nodes.len() - 1;
        match self.root() {
            Node::Atom(_) | Node::Top | Node::Bottom => Vec::new(),
            Node::Not => [self.subformula(root - 1)].into(),
            Node::Binary(_) => {
                let right = self.start_of(root - 1);
                [self.subformula(right - 1), self.subformula(root - 1)].into()
            }
        }
    }

    /// The subformula whose root is node `index`.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn subformula(&self, index: usize) -> Formula {
        self.rebuild(&self.nodes[self.start_of(index)..=index], |name, interner| interner.intern(name))
    }

    /// For each node, the index at which the subformula ending there starts. The right operand of a connective at
    /// `i` ends at `i - 1`, the left one at `starts[i - 1] - 1`.
    pub fn starts(&self) -> Vec<u32> {
        let mut starts: Vec<u32> = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            starts.push(match node {
                Node::Atom(_) | Node::Top | Node::Bottom => index as u32,
                Node::Not => starts[index - 1],
                Node::Binary(_) => starts[starts[index - 1] as usize - 1],
            });
        }
        starts
    }

    /// The formula with each atom renamed. Two atoms given the same name become one.
    ///
    /// ```
    /// # use logic_parser::Formula;
    /// let formula: Formula = "llueve → mojo".parse()?;
    /// assert_eq!(formula.rename(|name| name[..1].to_string()).to_string(), "l → m");
    /// # Ok::<(), logic_parser::ParseError>(())
    /// ```
    pub fn rename(&self, mut new_name: impl FnMut(&str) -> String) -> Formula {
        self.rebuild(&self.nodes, |name, interner| interner.intern(&new_name(name)))
    }

    /// The formula with its atoms renamed p, q, r, s, t, u, v, w, x, y, z, p1, … by first appearance, and no law
    /// applied: what two formulas of the same shape share.
    pub fn pattern(&self) -> Formula {
        let mut next = 0;
        self.rename(|_| {
            next += 1;
            letter(next - 1)
        })
    }

    /// The truth under an assignment of truth values to atoms, in the order of [`Formula::atoms`].
    ///
    /// # Panics
    /// If `values` is shorter than the list of atoms.
    pub fn evaluate(&self, values: &[bool]) -> bool {
        self.fold(
            |leaf| match leaf {
                Leaf::Atom(id) => values[id.index()],
                Leaf::Top => true,
                Leaf::Bottom => false,
            },
            |operand| !operand,
            Connective::apply,
        )
    }

    /// Computes bottom-up: one value for each leaf, ¬ and connective, without recursion.
    pub fn fold<T>(
        &self,
        mut leaf: impl FnMut(Leaf) -> T,
        mut not: impl FnMut(T) -> T,
        mut binary: impl FnMut(Connective, T, T) -> T,
    ) -> T {
        const POSTORDER: &str = "operands stand before their connective";
        let mut stack = Vec::new();
        for &node in &self.nodes {
            let value = match node {
                Node::Atom(id) => leaf(Leaf::Atom(id)),
                Node::Top => leaf(Leaf::Top),
                Node::Bottom => leaf(Leaf::Bottom),
                Node::Not => not(stack.pop().expect(POSTORDER)),
                Node::Binary(connective) => {
                    let right = stack.pop().expect(POSTORDER);
                    let left = stack.pop().expect(POSTORDER);
                    binary(connective, left, right)
                }
            };
            stack.push(value);
        }
        stack.pop().expect(POSTORDER)
    }

    /// A formula from what the parser or a transformation has emitted: postorder, names by first appearance.
    pub(crate) fn from_parts(nodes: Vec<Node>, names: Names) -> Formula {
        debug_assert!(!nodes.is_empty());
        Formula { nodes, names }
    }

    /// The formula with these nodes, which name atoms of `self`.
    pub(crate) fn rebuilt(&self, nodes: &[Node]) -> Formula {
        self.rebuild(nodes, |name, interner| interner.intern(name))
    }

    pub(crate) fn append_to(&self, nodes: &mut Vec<Node>, interner: &mut Interner) {
        let ids: Vec<u32> = self.names.iter().map(|name| interner.intern(name)).collect();
        nodes.extend(self.nodes.iter().map(|&node| match node {
            Node::Atom(id) => Node::Atom(AtomId(ids[id.index()])),
            other => other,
        }));
    }

    fn start_of(&self, index: usize) -> usize {
        let (mut start, mut missing) = (index + 1, 1);
        while missing > 0 {
            start -= 1;
            match self.nodes[start] {
                Node::Atom(_) | Node::Top | Node::Bottom => missing -= 1,
                Node::Not => {}
                Node::Binary(_) => missing += 1,
            }
        }
        start
    }

    fn rebuild(&self, nodes: &[Node], mut intern: impl FnMut(&str, &mut Interner) -> u32) -> Formula {
        let mut interner = Interner::new();
        let mut ids: Vec<Option<AtomId>> = alloc::vec![None; self.names.len()];
        let nodes = nodes
            .iter()
            .map(|&node| match node {
                Node::Atom(id) => {
                    let new = &mut ids[id.index()];
                    Node::Atom(*new.get_or_insert_with(|| AtomId(intern(self.name(id), &mut interner))))
                }
                other => other,
            })
            .collect();
        Formula { nodes, names: interner.into_names() }
    }
}

/// A node without operands, as [`Formula::fold`] hands it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leaf {
    /// An atom.
    Atom(AtomId),
    /// ⊤.
    Top,
    /// ⊥.
    Bottom,
}

/// The letter of the `index`-th atom of a pattern: p … z, then p1, q1, …, z1, p2, …
fn letter(index: usize) -> String {
    let letter = char::from(b'p' + (index % 11) as u8);
    match index / 11 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formula(text: &str) -> Formula {
        Formula::parse(text).expect("a well-formed formula")
    }

    #[test]
    fn operands_keep_only_their_own_atoms() {
        let operands = formula("p ∧ q → ¬(r ∨ q)").operands();
        assert_eq!(operands, [formula("p ∧ q"), formula("¬(r ∨ q)")]);
        assert_eq!(operands[1].atoms(), ["r", "q"]);
    }

    #[test]
    fn renaming_two_atoms_alike_makes_them_one() {
        let same = formula("p → q").rename(|_| "r".into());
        assert_eq!(same, formula("r → r"));
        assert_eq!(same.atom_count(), 1);
    }

    #[test]
    fn pattern_letters_follow_first_appearance() {
        assert_eq!(formula("b → (a ∧ b)").pattern(), formula("p → (q ∧ p)"));
        let wide =
            (0..13).map(|i| Formula::atom(&format!("atom{i}"))).reduce(Formula::and).expect("not empty");
        assert_eq!(wide.pattern().atoms()[10..], ["z", "p1", "q1"]);
    }

    #[test]
    fn starts_point_at_the_first_node_of_each_subformula() {
        assert_eq!(formula("p ∧ q → ¬r").starts(), [0, 1, 0, 3, 3, 0]);
    }

    #[test]
    fn evaluate_follows_the_truth_tables() {
        let xor = formula("p ⊕ q → p ↔ ⊤");
        assert!(!xor.evaluate(&[false, true]));
        assert!(xor.evaluate(&[true, false]));
    }
}
