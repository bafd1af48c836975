//! Questions whose answer is known before they are asked: draw a formula of the weak kind, and say it in Spanish.

use std::collections::HashSet;
use std::convert::Infallible;

use data_pipeline::{Maker, Row};
use logic_parser::Formula;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Proposer;
use crate::{Difficulty, GapMap, Stratum};

/// Rows of the stratum looked at for one that is asked, at most.
const CHOICE: usize = 10;

/// Rows drawn for one of a rare stratum, at most.
const DRAWS: u64 = 400;

/// Asks in sentences of [`Maker`], about the weakest stratum or about anything.
///
/// About the weakest, a sentence is asked with the chance of its [learnability](Difficulty::learnability): most of what is asked is
/// expected to be solved 30 to 70 % of the time, and what is out of reach does not flood a lesson. Where too little of that can be drawn,
/// any of the stratum will do.
///
/// The patterns that it is told to leave out are those that examine, and best also those that were taught: a formula never
/// met is where a learner still has most to learn, and its pattern is what the gate's unseen patterns need.
///
/// ```
/// use self_learning::{FormulaFirst, GapMap, Proposer, Stratum};
///
/// let mut gaps = GapMap::default();
/// for n in 0..200 {
///     let row = data_pipeline::Maker::new(1).row(n);
///     gaps.count(&row, !row.formula.contains('↔') || n % 2 == 0);
/// }
/// let mut proposer = FormulaFirst::about_the_weakest([]);
/// let questions = proposer.propose(&gaps, 5, 7)?;
/// assert_eq!(questions.len(), 5);
/// assert!(questions.iter().all(|row| row.formula.contains('↔')));
/// # Ok::<(), std::convert::Infallible>(())
/// ```
#[derive(Clone, Debug)]
pub struct FormulaFirst {
    left_out: HashSet<String>,
    aimed: bool,
}

impl FormulaFirst {
    /// Asks about the stratum that [`GapMap::target`] names, and nothing of these patterns.
    pub fn about_the_weakest(left_out: impl IntoIterator<Item = String>) -> FormulaFirst {
        FormulaFirst { left_out: left_out.into_iter().collect(), aimed: true }
    }

    /// Asks whatever the maker draws: what an experiment compares with.
    pub fn about_anything(left_out: impl IntoIterator<Item = String>) -> FormulaFirst {
        FormulaFirst { aimed: false, ..FormulaFirst::about_the_weakest(left_out) }
    }
}

impl Proposer for FormulaFirst {
    type Error = Infallible;

    fn propose(&mut self, gaps: &GapMap, count: usize, seed: u64) -> Result<Vec<Row>, Infallible> {
        let target = gaps.target().filter(|_| self.aimed);
        let of_target = |row: &Row| target.is_none_or(|target| Stratum::of(row).contains(target));
        let maker = Maker::new(seed);
        let drawn = (0..count as u64 * DRAWS).map(|index| maker.row(index));
        let mut wanted = drawn.filter(|row| of_target(row) && !self.left_out.contains(&row.pattern));
        if !self.aimed {
            return Ok(wanted.take(count).collect());
        }
        let difficulty = Difficulty::of(gaps);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut asked, mut passed_over) = (Vec::new(), Vec::new());
        for row in wanted.by_ref().take(count.saturating_mul(CHOICE)) {
            let chosen = rng.random_bool(difficulty.learnability(&row).clamp(0.0, 1.0));
            if chosen {
                asked.push(row)
            } else {
                passed_over.push(row)
            }
            if asked.len() == count {
                break;
            }
        }
        // The most learnable of the rest.
        passed_over.sort_by(|a, b| difficulty.learnability(b).total_cmp(&difficulty.learnability(a)));
        let missing = count - asked.len();
        asked.extend(passed_over.into_iter().take(missing));
        Ok(asked)
    }

    /// The question itself, then its formula said anew.
    fn examples(&mut self, question: &Row, count: usize, seed: u64) -> Result<Vec<Row>, Infallible> {
        let maker = Maker::new(seed);
        let pattern = Formula::parse(&question.pattern).ok();
        let anew = (0..count as u64).filter_map(|index| maker.say(pattern.as_ref()?, index));
        Ok(std::iter::once(question.clone()).chain(anew).take(count).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps() -> GapMap {
        GapMap::of([])
    }

    #[test]
    fn a_forbidden_pattern_is_never_asked() {
        let forbidden = Maker::new(3).row(0).pattern;
        let mut proposer = FormulaFirst::about_anything([forbidden.clone()]);
        let questions = proposer.propose(&gaps(), 300, 3).unwrap();
        assert_eq!(questions.len(), 300);
        assert!(questions.iter().all(|row| row.pattern != forbidden));
    }

    /// A pupil who knows two atoms, half of three, and nothing beyond.
    #[test]
    fn most_of_what_is_asked_is_within_reach() {
        let maker = Maker::new(11);
        let share = |row: &Row| match row.atoms.len() {
            0..=2 => 0.95,
            3 => 0.5,
            _ => 0.02,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let rows: Vec<Row> = (0..1500).map(|n| maker.row(n)).collect();
        let judged: Vec<bool> = rows.iter().map(|row| rng.random_bool(share(row))).collect();
        let gaps = GapMap::of(rows.iter().zip(judged));
        let out_of_reach =
            |rows: &[Row]| rows.iter().filter(|row| row.atoms.len() > 3).count() as f64 / rows.len() as f64;
        let within = |rows: &[Row]| {
            rows.iter().filter(|row| (0.3..=0.7).contains(&share(row))).count() as f64 / rows.len() as f64
        };
        let aimed = FormulaFirst::about_the_weakest([]).propose(&gaps, 200, 5).unwrap();
        let anything = FormulaFirst::about_anything([]).propose(&gaps, 200, 5).unwrap();
        assert_eq!(aimed.len(), 200);
        assert!(
            within(&aimed) > 0.5 && within(&aimed) > 1.5 * within(&anything),
            "{} {}",
            within(&aimed),
            within(&anything)
        );
        assert!(out_of_reach(&aimed) < 0.25, "{}", out_of_reach(&aimed));
    }

    #[test]
    fn examples_are_the_question_and_its_formula_said_anew() {
        let mut proposer = FormulaFirst::about_anything([]);
        let question = proposer.propose(&gaps(), 1, 5).unwrap().remove(0);
        let examples = proposer.examples(&question, 6, 9).unwrap();
        assert_eq!(examples[0], question);
        assert!(examples.len() > 1 && examples[1..].iter().all(|row| row.input != question.input));
        assert!(examples.iter().all(|row| row.pattern == question.pattern));
    }

    #[test]
    fn the_same_seed_asks_the_same() {
        let ask = |seed| FormulaFirst::about_anything([]).propose(&gaps(), 20, seed).unwrap();
        assert_eq!(ask(1), ask(1));
        assert_ne!(ask(1), ask(2));
    }
}
