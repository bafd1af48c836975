//! The last column of a truth table as 256 bits, so that equivalent patterns are found by looking one up.

use logic_parser::{Connective, Formula, Node};

use crate::vocabulary::LETTERS;

/// The truth of a formula under each of the 256 assignments to p … w; bit `i` of the number is the assignment in which
/// letter `k` is true if bit `k` of `i` is set. `None` for formulas with other atoms.
pub(crate) fn truth_column(formula: &Formula) -> Option<[u64; 4]> {
    truth_column_of(formula, |name| LETTERS.iter().position(|&letter| letter == name))
}

/// The same for atoms of any names: `number` says which letter, from 0 to 7, an atom counts as.
pub(crate) fn truth_column_of(formula: &Formula, number: impl Fn(&str) -> Option<usize>) -> Option<[u64; 4]> {
    let mut operands: Vec<[u64; 4]> = Vec::new();
    for &node in formula.nodes() {
        let column = match node {
            Node::Top => [u64::MAX; 4],
            Node::Bottom => [0; 4],
            Node::Atom(id) => letter(number(formula.name(id)).filter(|&k| k < LETTERS.len())?),
            Node::Not => operands.pop()?.map(|bits| !bits),
            Node::Binary(connective) => {
                let (right, left) = (operands.pop()?, operands.pop()?);
                std::array::from_fn(|word| match connective {
                    Connective::And => left[word] & right[word],
                    Connective::Or => left[word] | right[word],
                    Connective::Implies => !left[word] | right[word],
                    Connective::Iff => !(left[word] ^ right[word]),
                    Connective::Xor => left[word] ^ right[word],
                })
            }
        };
        operands.push(column);
    }
    operands.pop()
}

/// The assignments in which letter `k` is true.
fn letter(k: usize) -> [u64; 4] {
    let mut column = [0; 4];
    for assignment in (0..256).filter(|assignment| assignment >> k & 1 == 1) {
        column[assignment / 64] |= 1 << (assignment % 64);
    }
    column
}

#[cfg(test)]
mod tests {
    use logic_parser::equivalent;

    use super::*;
    use crate::Maker;

    #[test]
    fn columns_agree_with_the_prover() {
        let maker = Maker::new(1);
        let pattern = |index| -> Formula { maker.row(index).pattern.parse().unwrap() };
        let formulas: Vec<Formula> = (0..60).map(pattern).collect();
        for (i, a) in formulas.iter().enumerate() {
            for b in &formulas[..i] {
                assert_eq!(truth_column(a) == truth_column(b), equivalent(a, b).is_yes(), "{a} and {b}");
            }
        }
        let same = |a: &str, b: &str| truth_column(&a.parse().unwrap()) == truth_column(&b.parse().unwrap());
        assert!(same("p → q", "¬q → ¬p") && same("p ↔ q", "q ↔ p") && same("¬¬p", "p"));
        assert!(!same("p → q", "q → p"));
        assert_eq!(truth_column(&Formula::atom("x1")), None);
    }
}
