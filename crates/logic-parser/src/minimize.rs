//! The shortest disjunctive normal form (Quine 1952, McCluskey 1956).
//!
//! Up to ten atoms every cube is looked at: a cube is a number in base 3 whose digit for an atom is 0 for false, 1 for
//! true, 2 for either. It implies the formula if both its halves do, and their numbers are smaller; so one pass in
//! order finds the implicants, and one more the prime ones. Then as few as possible are chosen to cover every model.

use alloc::vec;
use alloc::vec::Vec;

use crate::budget::{Budget, Unknown};
use crate::formula::Formula;
use crate::normal_form::{Sign, two_levels};
use crate::table;

/// What [`Formula::minimized`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minimized {
    /// A disjunction of conjunctions of literals.
    pub formula: Formula,
    /// Whether none has fewer conjunctions, nor as many with fewer literals.
    pub is_shortest: bool,
}

/// Up to so many atoms the shortest form is looked for.
const ATOMS: usize = 10;

/// Choices that the search may try before it is content with the best cover found.
const PATIENCE: u32 = 100_000;

impl Formula {
    /// The disjunctive normal form with the fewest conjunctions, and among those the fewest literals: the shortest for up
    /// to ten atoms; beyond, a good one. Only for a table of eight to ten atoms without any pattern, as no formula of
    /// usual length has it, may the search end before it is sure, and [`Minimized::is_shortest`] says so.
    ///
    /// ```
    /// # use logic_parser::{Budget, Formula};
    /// let formula: Formula = "p ∧ q ∧ r ∨ p ∧ q ∧ ¬r ∨ ¬p ∧ q ∧ r".parse()?;
    /// let shortest = formula.minimized(&Budget::default())?;
    /// assert_eq!(shortest.formula.to_string(), "p ∧ q ∨ q ∧ r");
    /// assert!(shortest.is_shortest);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If there are more than ten atoms and the budget runs out.
    pub fn minimized(&self, budget: &Budget<'_>) -> Result<Minimized, Unknown> {
        let atoms = self.atom_count();
        if atoms > ATOMS {
            return Ok(Minimized { formula: self.disjunctive_normal_form(budget)?, is_shortest: false });
        }
        let truth = rows(self);
        let primes = prime_implicants(&truth, atoms);
        let mut search = Search::new(&primes, &truth);
        search.cover(truth, Vec::new());
        let cubes: Vec<Vec<Sign>> =
            search.best.iter().map(|&prime| signs(self, primes[prime].cube)).collect();
        Ok(Minimized { formula: two_levels(self, &cubes), is_shortest: search.patience > 0 })
    }
}

/// A set of rows.
type Rows = Vec<u64>;

fn rows(formula: &Formula) -> Rows {
    let mut rows = Vec::new();
    let _ = table::scan(formula, |words| {
        rows.extend_from_slice(words);
        core::ops::ControlFlow::<()>::Continue(())
    });
    if formula.atom_count() < 6 {
        rows[0] &= (1 << (1 << formula.atom_count())) - 1;
    }
    rows
}

struct Prime {
    cube: usize,
    literals: usize,
    rows: Rows,
}

fn prime_implicants(truth: &Rows, atoms: usize) -> Vec<Prime> {
    let powers: Vec<usize> = (0..atoms as u32).map(|atom| 3_usize.pow(atom)).collect();
    let digit = |cube: usize, atom: usize| cube / powers[atom] % 3;
    let mut implies = Vec::with_capacity(3_usize.pow(atoms as u32));
    for cube in 0..3_usize.pow(atoms as u32) {
        implies.push(match (0..atoms).find(|&atom| digit(cube, atom) == 2) {
            Some(atom) => implies[cube - powers[atom]] && implies[cube - 2 * powers[atom]],
            None => {
                let row: usize = (0..atoms).map(|atom| digit(cube, atom) << atom).sum();
                truth[row / 64] >> (row % 64) & 1 == 1
            }
        });
    }
    let is_prime = |&cube: &usize| {
        let wider = |atom: usize| cube + (2 - digit(cube, atom)) * powers[atom];
        implies[cube] && (0..atoms).all(|atom| digit(cube, atom) == 2 || !implies[wider(atom)])
    };
    let prime = |cube: usize| {
        let fixed = || (0..atoms).filter(|&atom| digit(cube, atom) < 2);
        let mut rows = vec![0; truth.len()];
        for row in
            (0..1_usize << atoms).filter(|row| fixed().all(|atom| row >> atom & 1 == digit(cube, atom)))
        {
            rows[row / 64] |= 1 << (row % 64);
        }
        Prime { cube, literals: fixed().count(), rows }
    };
    (0..implies.len()).filter(is_prime).map(prime).collect()
}

fn signs(formula: &Formula, mut cube: usize) -> Vec<Sign> {
    let mut signs = Vec::new();
    for sign in Sign::all(formula) {
        match cube % 3 {
            2 => {}
            value => signs.push(sign.is(value == 1)),
        }
        cube /= 3;
    }
    signs
}

/// Branch and bound for the cheapest cover.
struct Search<'p> {
    primes: &'p [Prime],
    /// The primes that cover each row.
    covering: Vec<Vec<usize>>,
    /// Whether every cover with this prime and those chosen so far has been looked at.
    tried: Vec<bool>,
    best: Vec<usize>,
    best_cost: Option<(usize, usize)>,
    patience: u32,
}

impl<'p> Search<'p> {
    fn new(primes: &'p [Prime], truth: &Rows) -> Search<'p> {
        let covers = |prime: &Prime, row: usize| prime.rows[row / 64] >> (row % 64) & 1 == 1;
        let covering = (0..64 * truth.len())
            .map(|row| (0..primes.len()).filter(|&prime| covers(&primes[prime], row)).collect())
            .collect();
        let tried = vec![false; primes.len()];
        Search { primes, covering, tried, best: Vec::new(), best_cost: None, patience: PATIENCE }
    }

    /// Completes the chosen primes to cover the open rows in every way that may be cheaper than the best so far. Rows
    /// that only one prime covers leave no choice, so the recursion is no deeper than there are choices.
    fn cover(&mut self, mut open: Rows, mut chosen: Vec<usize>) {
        loop {
            let Some(row) = self.hardest(&open) else {
                return self.keep(chosen);
            };
            if !self.may_be_cheaper(&open, &chosen) || self.patience == 0 {
                return;
            }
            let candidates: Vec<usize> = self.untried(row).collect();
            let [only] = candidates[..] else {
                return self.choose(&open, &chosen, candidates);
            };
            chosen.push(only);
            without(&mut open, &self.primes[only].rows);
        }
    }

    fn choose(&mut self, open: &Rows, chosen: &[usize], mut candidates: Vec<usize>) {
        let gain = |prime: &Prime| {
            open.iter().zip(&prime.rows).map(|(open, rows)| (open & rows).count_ones()).sum::<u32>()
        };
        candidates.sort_by_key(|&prime| {
            (core::cmp::Reverse(gain(&self.primes[prime])), self.primes[prime].literals)
        });
        for &prime in &candidates {
            self.patience = self.patience.saturating_sub(1);
            let mut open = open.clone();
            without(&mut open, &self.primes[prime].rows);
            self.cover(open, [chosen, &[prime]].concat());
            self.tried[prime] = true;
        }
        for prime in candidates {
            self.tried[prime] = false;
        }
    }

    /// The primes that may still be chosen to cover a row.
    fn untried(&self, row: usize) -> impl Iterator<Item = usize> {
        self.covering[row].iter().copied().filter(|&prime| !self.tried[prime])
    }

    /// The open row with the least choice.
    fn hardest(&self, open: &Rows) -> Option<usize> {
        (0..64 * open.len())
            .filter(|row| open[row / 64] >> (row % 64) & 1 == 1)
            .min_by_key(|&row| self.untried(row).count())
    }

    fn cost(&self, chosen: &[usize]) -> (usize, usize) {
        (chosen.len(), chosen.iter().map(|&prime| self.primes[prime].literals).sum())
    }

    fn may_be_cheaper(&self, open: &Rows, chosen: &[usize]) -> bool {
        let Some(best) = self.best_cost else { return true };
        let (primes, literals) = self.cost(chosen);
        let (more_primes, more_literals) = self.least_cost(open);
        (primes + more_primes, literals + more_literals) < best
    }

    /// What covering these rows costs at least: of some rows no prime covers two, so each needs one of its own.
    fn least_cost(&self, open: &Rows) -> (usize, usize) {
        let (mut open, mut primes, mut literals) = (open.clone(), 0, 0);
        while let Some(row) = self.hardest(&open) {
            let covering = || self.untried(row).map(|prime| &self.primes[prime]);
            primes += 1;
            literals += covering().map(|prime| prime.literals).min().unwrap_or(0);
            for prime in covering() {
                without(&mut open, &prime.rows);
            }
        }
        (primes, literals)
    }

    fn keep(&mut self, chosen: Vec<usize>) {
        let cost = self.cost(&chosen);
        if self.best_cost.is_none_or(|best| cost < best) {
            (self.best, self.best_cost) = (chosen, Some(cost));
        }
    }
}

fn without(open: &mut Rows, covered: &Rows) {
    for (open, covered) in open.iter_mut().zip(covered) {
        *open &= !covered;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::equivalent;
    use alloc::string::ToString;

    fn minimized(text: &str) -> Minimized {
        let formula = Formula::parse(text).expect("well-formed");
        let minimized = formula.minimized(&Budget::default()).expect("few atoms");
        assert!(equivalent(&formula, &minimized.formula).is_yes(), "{text}: {}", minimized.formula);
        minimized
    }

    #[test]
    fn textbook_examples_come_out_as_in_the_textbook() {
        assert_eq!(minimized("p ∨ p ∧ q").formula.to_string(), "p");
        assert_eq!(minimized("p ∨ ¬p").formula.to_string(), "⊤");
        assert_eq!(minimized("p ∧ ¬p").formula.to_string(), "⊥");
        // McCluskey's cyclic chart: three of six prime implicants suffice.
        let cyclic = minimized("(p ∨ q ∨ r) ∧ (¬p ∨ ¬q ∨ ¬r)");
        assert!(cyclic.is_shortest);
        assert_eq!(cyclic.formula.to_string().matches('∨').count(), 2);
    }

    /// Half of the rows, in no order: more ways to choose than for anything that a person writes.
    #[test]
    fn seven_atoms_without_a_pattern_are_proven_shortest() {
        let mut state = 7_u32;
        let mut rows = (0..128).filter(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 31 == 1
        });
        let literal = |row: usize, atom: usize| {
            let atom_alone = Formula::atom(&alloc::format!("a{atom}"));
            if row >> atom & 1 == 1 { atom_alone } else { atom_alone.not() }
        };
        let conjunction =
            |row: usize| (0..7).map(|atom| literal(row, atom)).reduce(Formula::and).expect("some");
        let first = conjunction(rows.next().expect("some"));
        let formula = rows.map(conjunction).fold(first, Formula::or);
        assert!(minimized(&formula.to_string()).is_shortest);
    }

    #[test]
    fn ten_atoms_of_parity_keep_every_conjunction() {
        let parity = (0..10)
            .map(|index| Formula::atom(&alloc::format!("a{index}")))
            .reduce(Formula::xor)
            .expect("some");
        let shortest = parity.minimized(&Budget::default()).expect("ten atoms");
        assert!(shortest.is_shortest);
        assert_eq!(
            shortest
                .formula
                .nodes()
                .iter()
                .filter(|node| matches!(node, crate::Node::Binary(crate::Connective::Or)))
                .count(),
            511
        );
    }
}
