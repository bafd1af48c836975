//! Tree edit distance (Zhang and Shasha 1989).
//!
//! The postorder array is just what the algorithm asks for: only the leftmost leaf below each node is missing, and that
//! is [`Formula::starts`]. How long it takes depends on which side the trees lean to, and the mirror images of two trees
//! are as far apart as the trees, so the better side is chosen (as Dulucq and Touzet 2003 compare the strategies).

use alloc::vec;
use alloc::vec::Vec;

use crate::formula::{Formula, Node};

/// The least number of nodes to insert, delete or relabel that turns one formula, as an ordered tree, into the other.
/// `None` if the product of their sizes exceeds 2²⁴, which would take seconds.
///
/// ```
/// use logic_parser::{Formula, score::tree_edit_distance};
///
/// let (gold, answer): (Formula, Formula) = ("p ∧ q → r".parse()?, "p ∧ q → s".parse()?);
/// assert_eq!(tree_edit_distance(&gold, &answer), Some(1));
/// # Ok::<(), logic_parser::ParseError>(())
/// ```
pub fn tree_edit_distance(left: &Formula, right: &Formula) -> Option<usize> {
    const CELLS: usize = 1 << 24;
    if left == right {
        return Some(0);
    }
    if left.nodes().len().saturating_mul(right.nodes().len()) > CELLS {
        return None;
    }
    let cost = |side| subforests(left, side) * subforests(right, side);
    let side = if cost(Side::Left) <= cost(Side::Right) { Side::Left } else { Side::Right };
    Some(distance(&Tree::of(left, left, side), &Tree::of(right, left, side)))
}

/// Along which side of a tree a path goes down without opening a new subproblem.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Left,
    Right,
}

/// How many prefixes of subtrees the algorithm looks at: all nodes of the tree, and of each subtree off the side.
fn subforests(formula: &Formula, side: Side) -> usize {
    let starts = formula.starts();
    let size = |index: usize| index + 1 - starts[index] as usize;
    let off_the_side = |index: usize| match side {
        Side::Left => size(index - 1),
        Side::Right => size(starts[index - 1] as usize - 1),
    };
    let nodes = formula.nodes();
    let binary = (0..nodes.len()).filter(|&index| matches!(nodes[index], Node::Binary(_)));
    nodes.len() + binary.map(off_the_side).sum::<usize>()
}

struct Tree {
    /// In postorder, of the mirror image if the side is the right one.
    labels: Vec<u32>,
    /// The leftmost leaf below each node.
    leftmost: Vec<usize>,
    /// The root, and each node that is not the leftmost below its parent.
    keyroots: Vec<usize>,
}

impl Tree {
    /// Atoms are labelled by their place in `names`, so that labels of two trees compare.
    fn of(formula: &Formula, names: &Formula, side: Side) -> Tree {
        let known = names.names();
        let ids: Vec<u32> = formula
            .names()
            .iter()
            .enumerate()
            .map(|(index, atom)| {
                known.iter().position(|name| name == atom).unwrap_or(known.len() + index) as u32
            })
            .collect();
        let nodes = formula.nodes();
        let mut labels: Vec<u32> = nodes.iter().map(|&node| label(node, &ids)).collect();
        let mut leftmost: Vec<usize> = formula.starts().into_iter().map(|start| start as usize).collect();
        if side == Side::Right {
            (labels, leftmost) = mirrored(nodes, &labels, &leftmost);
        }
        let mut last_with = vec![0; leftmost.len()];
        for (index, &leaf) in leftmost.iter().enumerate() {
            last_with[leaf] = index;
        }
        let keyroots = (0..leftmost.len()).filter(|&index| last_with[leftmost[index]] == index).collect();
        Tree { labels, leftmost, keyroots }
    }
}

/// Labels and leftmost leaves of the mirror image, which has at the end the root, before it what was its left operand,
/// and before that its right one.
fn mirrored(nodes: &[Node], labels: &[u32], starts: &[usize]) -> (Vec<u32>, Vec<usize>) {
    let count = nodes.len();
    // Where each node goes. A subtree fills as many places there as here, so its root's says where it begins.
    let mut places = vec![count - 1; count];
    let (mut new_labels, mut leftmost) = (vec![0; count], vec![0; count]);
    for index in (0..count).rev() {
        let place = places[index];
        match nodes[index] {
            Node::Atom(_) | Node::Top | Node::Bottom => {}
            Node::Not => places[index - 1] = place - 1,
            Node::Binary(_) => {
                let left = starts[index - 1] - 1;
                places[left] = place - 1;
                places[index - 1] = place - 1 - (left + 1 - starts[left]);
            }
        }
        new_labels[place] = labels[index];
        leftmost[place] = place - (index - starts[index]);
    }
    (new_labels, leftmost)
}

fn label(node: Node, ids: &[u32]) -> u32 {
    match node {
        Node::Top => 0,
        Node::Bottom => 1,
        Node::Not => 2,
        Node::Binary(connective) => 2 + u32::from(connective.precedence()),
        Node::Atom(id) => 8 + ids[id.index()],
    }
}

fn distance(a: &Tree, b: &Tree) -> usize {
    let (rows, columns) = (a.labels.len(), b.labels.len());
    let mut trees = vec![0_u32; rows * columns];
    let mut forests = vec![0_u32; (rows + 1) * (columns + 1)];
    for &row in &a.keyroots {
        for &column in &b.keyroots {
            keyroot_pair(a, b, (row, column), &mut trees, &mut forests);
        }
    }
    trees[rows * columns - 1] as usize
}

/// Fills in `trees` for the pairs of subtrees that begin at the leftmost leaves of this pair of keyroots. `forests`
/// holds the distance between the forests that end just before a row and a column.
fn keyroot_pair(a: &Tree, b: &Tree, keyroots: (usize, usize), trees: &mut [u32], forests: &mut [u32]) {
    let columns = b.labels.len();
    let width = columns + 1;
    let (first_row, first_column) = (a.leftmost[keyroots.0], b.leftmost[keyroots.1]);
    let (last_row, last_column) = keyroots;
    for column in first_column..=last_column + 1 {
        forests[first_row * width + column] = (column - first_column) as u32;
    }
    let leftmost = &b.leftmost[first_column..=last_column];
    let labels = &b.labels[first_column..=last_column];
    for row in first_row..=last_row {
        let from_row = a.leftmost[row];
        let (above, here) = forests.split_at_mut((row + 1) * width);
        let forest = &above[from_row * width..][..width];
        let before = &above[row * width + first_column..][..=labels.len()];
        let here = &mut here[first_column..][..=labels.len()];
        let trees = &mut trees[row * columns + first_column..][..labels.len()];
        let mut last = (row + 1 - first_row) as u32;
        here[0] = last;
        if from_row == first_row {
            let label = a.labels[row];
            for at in 0..labels.len() {
                let joined = forest[leftmost[at]] + trees[at];
                let relabelled = before[at] + u32::from(labels[at] != label);
                let are_trees = leftmost[at] == first_column;
                let matched = if are_trees { relabelled } else { joined };
                last = (last + 1).min(matched.min(before[at + 1] + 1));
                here[at + 1] = last;
                trees[at] = if are_trees { last } else { trees[at] };
            }
        } else {
            for at in 0..labels.len() {
                let joined = forest[leftmost[at]] + trees[at];
                last = (last + 1).min(joined.min(before[at + 1] + 1));
                here[at + 1] = last;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(left: &str, right: &str) -> usize {
        let parse = |text| Formula::parse(text).expect("well-formed");
        tree_edit_distance(&parse(left), &parse(right)).expect("small")
    }

    #[test]
    fn both_sides_give_the_same_distance() {
        for (left, right) in [("p ∧ q → r ∨ ¬s", "¬(p → q → r) ↔ s"), ("p → q → r → s", "((p → q) → r) ∧ s")]
        {
            let parse = |text| Formula::parse(text).expect("well-formed");
            let (left, right) = (parse(left), parse(right));
            let along = |side| distance(&Tree::of(&left, &left, side), &Tree::of(&right, &left, side));
            assert_eq!(along(Side::Left), along(Side::Right), "{left}, {right}");
        }
    }

    #[test]
    fn one_edit_counts_one() {
        assert_eq!(between("p", "p"), 0);
        assert_eq!(between("p", "q"), 1);
        assert_eq!(between("p", "¬p"), 1);
        assert_eq!(between("p ∧ q", "p ∨ q"), 1);
        assert_eq!(between("p → q", "q → p"), 2);
        assert_eq!(between("p ∧ q → r", "¬(p ∧ q) → s"), 2);
    }
}
