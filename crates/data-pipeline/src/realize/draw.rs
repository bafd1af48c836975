//! Draws formulas of the shapes that real exercises have.

use std::sync::LazyLock;

use logic_parser::{Connective, Formula};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::tree::{Node, Tree};
use crate::lexicon::lines;

/// Forms of arguments, each with how often it is drawn.
static ARGUMENTS: LazyLock<Vec<(u32, Tree)>> = LazyLock::new(|| {
    let read = |line: &'static str| {
        let (weight, form) = line.split_once('\t').expect("a weight, a tab and a formula");
        let form = Formula::parse(form).expect("the forms of arguments parse");
        let weight = weight.parse().expect("a weight is a number");
        (weight, Tree::from_formula(&form).expect("the forms of arguments have few atoms"))
    };
    lines(include_str!("../../data/argument_forms.tsv")).map(read).collect()
});

/// A formula under construction.
enum Shape {
    Atom(u8),
    Not(Box<Shape>),
    Binary(Connective, Box<Shape>, Box<Shape>),
}

use Connective::{And, Iff, Implies, Or};
use Shape::{Atom, Binary, Not};

/// Draws a formula over one to six atoms, numbered by first appearance.
pub fn formula(rng: &mut ChaCha8Rng) -> Tree {
    let shape = shape(rng);
    let mut tree = Tree::default();
    let mut names = Vec::new();
    write(&shape, &mut names, &mut tree);
    tree
}

fn write(shape: &Shape, names: &mut Vec<u8>, tree: &mut Tree) -> usize {
    let node = match shape {
        Atom(name) => {
            let at = names.iter().position(|n| n == name).unwrap_or_else(|| {
                names.push(*name);
                names.len() - 1
            });
            Node::Atom(at as u8)
        }
        Not(inner) => Node::Not(write(inner, names, tree)),
        Binary(connective, left, right) => {
            let left = write(left, names, tree);
            let right = write(right, names, tree);
            Node::Binary(*connective, left, right)
        }
    };
    tree.push(node)
}

fn join(connective: Connective, left: Shape, right: Shape) -> Shape {
    Binary(connective, Box::new(left), Box::new(right))
}

struct Draw<'r> {
    rng: &'r mut ChaCha8Rng,
    next: u8,
    /// Chance that a leaf repeats an atom.
    repeat: f64,
    /// The atoms of the leaves to come, last first, where they have been dealt beforehand.
    dealt: Vec<u8>,
}

fn shape(rng: &mut ChaCha8Rng) -> Shape {
    let n_atoms = match rng.random_range(0..100) {
        0..9 => 1,
        9..46 => 2,
        46..75 => 3,
        75..91 => 4,
        91..97 => 5,
        _ => 6,
    };
    let repeat = if n_atoms >= 3 && rng.random_bool(0.12) { 0.35 } else { 0.0 };
    let mut draw = Draw { rng, next: 0, repeat, dealt: Vec::new() };
    match draw.rng.random_range(0..100) {
        0..3 => draw.degenerate(),
        3..6 => draw.echo(),
        6..14 if n_atoms >= 3 => draw.pair(),
        14..17 => draw.exclusive(),
        17..21 if n_atoms >= 3 => draw.rare(),
        21..24 => draw.argument(),
        _ => loop {
            draw.next = 0;
            let shape = draw.tree(n_atoms, true);
            if !repeats_itself(&shape) && !says_twice(&shape) {
                return shape;
            }
        },
    }
}

/// Whether an operator joins an atom to itself, as in p ∧ p: exams do that, but rarely, and `degenerate` draws it.
fn repeats_itself(shape: &Shape) -> bool {
    fn atom(shape: &Shape) -> Option<u8> {
        match shape {
            Atom(name) => Some(*name),
            Not(inner) => atom(inner),
            Binary(..) => None,
        }
    }
    match shape {
        Atom(_) => false,
        Not(inner) => repeats_itself(inner),
        Binary(_, left, right) => {
            let last = |side: &Shape| match side {
                Binary(_, _, inner) => atom(inner),
                other => atom(other),
            };
            last(left).is_some() && last(left) == last(right) || repeats_itself(left) || repeats_itself(right)
        }
    }
}

/// Whether a chain of one ∧ or ∨ holds a literal twice, as in p ∨ (q ∨ p), which nobody would say.
fn says_twice(shape: &Shape) -> bool {
    fn chain<'s>(shape: &'s Shape, of: Connective, links: &mut Vec<&'s Shape>) {
        match shape {
            Binary(connective, left, right) if *connective == of => {
                chain(left, of, links);
                chain(right, of, links);
            }
            other => links.push(other),
        }
    }
    fn literal(shape: &Shape) -> Option<(u8, bool)> {
        match shape {
            Atom(name) => Some((*name, false)),
            Not(inner) => literal(inner).map(|(name, negated)| (name, !negated)),
            Binary(..) => None,
        }
    }
    match shape {
        Atom(_) => false,
        Not(inner) => says_twice(inner),
        Binary(connective, left, right) => {
            let mut links = Vec::new();
            if matches!(connective, And | Or) {
                chain(shape, *connective, &mut links);
            }
            let literals: Vec<_> = links.into_iter().filter_map(literal).collect();
            (1..literals.len()).any(|at| literals[..at].contains(&literals[at]))
                || says_twice(left)
                || says_twice(right)
        }
    }
}

impl Draw<'_> {
    fn atom(&mut self) -> Shape {
        if let Some(atom) = self.dealt.pop() {
            return Atom(atom);
        }
        if self.next > 0 && self.rng.random_bool(self.repeat) {
            return Atom(self.rng.random_range(0..self.next));
        }
        self.next += 1;
        Atom(self.next - 1)
    }

    fn literal(&mut self) -> Shape {
        let atom = self.atom();
        self.maybe_not(atom, 0.26)
    }

    fn maybe_not(&mut self, shape: Shape, p: f64) -> Shape {
        if self.rng.random_bool(p) { Not(Box::new(shape)) } else { shape }
    }

    /// A formula over `n` leaves; conditionals stand mostly at the root.
    fn tree(&mut self, n: usize, root: bool) -> Shape {
        if n == 1 {
            let literal = self.literal();
            return if root { self.maybe_not(literal, 0.35) } else { self.maybe_not(literal, 0.012) };
        }
        let connective = match (root, self.rng.random_range(0..100)) {
            (true, 0..56) | (false, 0..11) => Implies,
            (true, 56..75) | (false, 11..58) => And,
            (true, 75..88) | (false, 58..97) => Or,
            _ => Iff,
        };
        let left = match connective {
            And | Or if n > 2 && self.rng.random_bool(0.55) => n - 1,
            _ => self.rng.random_range(1..n),
        };
        let left_shape = self.tree(left, false);
        let right_shape = self.tree(n - left, false);
        let joined = join(connective, left_shape, right_shape);
        self.maybe_not(joined, if root { 0.05 } else { 0.06 })
    }

    /// Two conditionals, often with a common or an opposite antecedent.
    fn pair(&mut self) -> Shape {
        let a = self.part();
        let b = self.part();
        let again = |shape: &Shape| copy(shape);
        let (c, d) = match self.rng.random_range(0..6) {
            0 | 1 => (negate(again(&a)), self.part()),
            2 => (negate(again(&a)), again(&b)),
            3 => (again(&b), self.part()),
            _ => (self.part(), self.part()),
        };
        let connective = if self.rng.random_bool(0.93) { And } else { Or };
        join(connective, join(Implies, a, b), join(Implies, c, d))
    }

    fn part(&mut self) -> Shape {
        if self.rng.random_bool(0.85) { self.literal() } else { self.tree(2, false) }
    }

    fn exclusive(&mut self) -> Shape {
        let repeat = std::mem::take(&mut self.repeat);
        let (a, b) = (self.literal(), self.literal());
        self.repeat = repeat;
        let both = Not(Box::new(join(And, copy(&a), copy(&b))));
        let shape = join(And, join(Or, a, b), both);
        match self.rng.random_range(0..4) {
            0 => {
                let c = self.literal();
                join(Implies, c, shape)
            }
            1 => {
                let c = self.literal();
                join(Implies, shape, c)
            }
            _ => shape,
        }
    }

    fn degenerate(&mut self) -> Shape {
        let a = self.literal();
        match self.rng.random_range(0..9) {
            0 => join(Implies, copy(&a), a),
            1 => join(And, copy(&a), negate(a)),
            2 | 3 => join(Or, copy(&a), negate(a)),
            4 => join(Iff, copy(&a), a),
            5 => join(Implies, copy(&a), negate(a)),
            6 => join(Iff, copy(&a), Not(Box::new(Not(Box::new(bare(a)))))),
            7 => Not(Box::new(Not(Box::new(bare(a))))),
            _ => {
                let b = self.literal();
                join(Implies, join(And, copy(&a), b), a)
            }
        }
    }

    /// A small formula with more leaves than atoms. There are thousands of them, so that a reader learns that a clause
    /// said again is the same atom, wherever it stands, and not a list of shapes.
    fn echo(&mut self) -> Shape {
        let (n_leaves, n_atoms) = match self.rng.random_range(0..100) {
            0..16 => (2, 1),
            16..24 => (3, 1),
            24..62 => (3, 2),
            62..88 => (4, 2),
            _ => (4, 3),
        };
        loop {
            self.dealt = (0..n_atoms).collect();
            self.dealt.extend((n_atoms..n_leaves).map(|_| self.rng.random_range(0..n_atoms)));
            for last in (1..self.dealt.len()).rev() {
                let other = self.rng.random_range(0..=last);
                self.dealt.swap(last, other);
            }
            let shape = self.tree(usize::from(n_leaves), true);
            if !says_twice(&shape) && (n_leaves == 2 || !repeats_itself(&shape) || self.rng.random_bool(0.3))
            {
                return shape;
            }
        }
    }

    /// Premises and a conclusion, (P ∧ Q) → C: one of the known forms with literals for its atoms, or any other, which
    /// follows or does not.
    fn argument(&mut self) -> Shape {
        if self.rng.random_bool(0.6) {
            let mut roll = self.rng.random_range(0..ARGUMENTS.iter().map(|form| form.0).sum());
            for (weight, form) in ARGUMENTS.iter() {
                match u32::checked_sub(roll, *weight) {
                    Some(rest) => roll = rest,
                    None => {
                        let negated: Vec<bool> =
                            (0..form.n_atoms()).map(|_| self.rng.random_bool(0.15)).collect();
                        return shape_of(form, form.root(), &negated);
                    }
                }
            }
        }
        let n_atoms = self.rng.random_range(2..5);
        let two = |draw: &mut Self| {
            let first = draw.rng.random_range(0..n_atoms);
            vec![first, (first + draw.rng.random_range(1..n_atoms)) % n_atoms]
        };
        self.dealt = (0..n_atoms).rev().collect();
        let mut premises = self.tree(usize::from(n_atoms), true);
        for _ in 0..self.rng.random_range(1..3) {
            self.dealt = two(self);
            let premise = if self.rng.random_bool(0.7) { self.literal() } else { self.tree(2, true) };
            premises = match self.rng.random_bool(0.85) {
                true => join(And, premises, premise),
                false => join(And, premise, premises),
            };
        }
        self.dealt = two(self);
        let conclusion = if self.rng.random_bool(0.7) { self.literal() } else { self.tree(2, true) };
        self.dealt.clear();
        join(Implies, premises, conclusion)
    }

    /// Shapes that a random tree seldom makes.
    fn rare(&mut self) -> Shape {
        let (a, b, c) = (self.literal(), self.literal(), self.literal());
        match self.rng.random_range(0..6) {
            0 => join(
                Implies,
                join(And, join(Implies, copy(&a), copy(&b)), join(Implies, b, copy(&c))),
                join(Implies, a, c),
            ),
            1 => join(Implies, join(And, join(Implies, copy(&a), copy(&b)), a), b),
            2 => join(Implies, join(Implies, a, b), c),
            3 => join(Implies, join(And, a, negate(b)), c),
            4 => join(And, join(Implies, a, b), c),
            _ => join(And, a, join(Implies, b, c)),
        }
    }
}

/// A tree's node, the atoms negated that are to be.
fn shape_of(tree: &Tree, at: usize, negated: &[bool]) -> Shape {
    match tree.nodes[at] {
        Node::Atom(atom) if negated[usize::from(atom)] => Not(Box::new(Atom(atom))),
        Node::Atom(atom) => Atom(atom),
        Node::Not(inner) => negate(shape_of(tree, inner, negated)),
        Node::Binary(connective, left, right) => {
            join(connective, shape_of(tree, left, negated), shape_of(tree, right, negated))
        }
    }
}

fn copy(shape: &Shape) -> Shape {
    match shape {
        Atom(name) => Atom(*name),
        Not(inner) => Not(Box::new(copy(inner))),
        Binary(connective, left, right) => join(*connective, copy(left), copy(right)),
    }
}

fn negate(shape: Shape) -> Shape {
    match shape {
        Not(inner) => *inner,
        other => Not(Box::new(other)),
    }
}

fn bare(shape: Shape) -> Shape {
    match shape {
        Not(inner) => *inner,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use logic_parser::{Answer, Formula, equivalent};

    use crate::lexicon::lines;

    #[test]
    fn forms_of_arguments_are_valid_until_they_are_only_nearly_so() {
        let (valid, nearly) =
            include_str!("../../data/argument_forms.tsv").split_once("# --- nearly so").unwrap();
        let always = |line: &str| {
            let form = Formula::parse(line.split('\t').nth(1).unwrap()).unwrap();
            matches!(equivalent(&form, &Formula::top()), Answer::Yes)
        };
        assert!(lines(valid).all(always));
        assert!(!lines(nearly).any(always));
    }
}
