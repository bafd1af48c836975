//! With a learner that really learns: a linear classifier of sentences by their words, trained by gradient descent.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::{fs, io};

use data_pipeline::{Maker, words};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::*;
use crate::experiment::Table;
use crate::{Gate, Stratum, Verdict};

/// What it tells apart.
const FORMULAS: [&str; 6] = ["p ∧ q", "p ∨ q", "p → q", "q → p", "p ↔ q", "p → ¬q"];

/// Softmax regression on words and pairs of neighbouring words.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Linear {
    weights: BTreeMap<String, [f64; 6]>,
}

fn features(input: &str) -> Vec<String> {
    let lower = input.to_lowercase();
    let words = words(&lower);
    let pairs = words.windows(2).map(|pair| pair.join(" "));
    words.iter().map(|&word| word.to_owned()).chain(pairs).collect()
}

impl Linear {
    fn probabilities(&self, features: &[String], temperature: f64) -> [f64; 6] {
        let mut scores = [0.0; 6];
        for weights in features.iter().filter_map(|feature| self.weights.get(feature)) {
            scores.iter_mut().zip(weights).for_each(|(score, weight)| *score += weight / temperature);
        }
        let top = scores.into_iter().fold(f64::MIN, f64::max);
        let exp = scores.map(|score| (score - top).exp());
        let sum: f64 = exp.iter().sum();
        exp.map(|e| e / sum)
    }
}

impl Learner for Linear {
    type Error = io::Error;

    fn attempt(&mut self, inputs: &[&str], sampling: &Sampling) -> io::Result<Vec<Vec<Attempt>>> {
        let mut rng = ChaCha8Rng::seed_from_u64(sampling.seed);
        let mut answer = |input: &&str| {
            let chances = self.probabilities(&features(input), sampling.temperature.max(1e-3));
            let draw = |rng: &mut ChaCha8Rng| {
                let mut left: f64 = rng.random_range(0.0..1.0);
                let class = chances.iter().position(|chance| {
                    left -= chance;
                    left < 0.0
                });
                let class = class.unwrap_or(5);
                Attempt { text: FORMULAS[class].to_owned(), confidence: chances[class] }
            };
            (0..sampling.attempts).map(|_| draw(&mut rng)).collect()
        };
        Ok(inputs.iter().map(&mut answer).collect())
    }

    /// A step is one row.
    fn learn(&mut self, rows: &[Row], lesson: &Lesson) -> io::Result<()> {
        for row in rows.iter().cycle().take(lesson.steps as usize) {
            let Some(class) = FORMULAS.iter().position(|formula| *formula == row.formula) else { continue };
            let features = features(&row.input);
            let chances = self.probabilities(&features, 1.0);
            for feature in features {
                let weights = self.weights.entry(feature).or_insert([0.0; 6]);
                for (k, weight) in weights.iter_mut().enumerate() {
                    *weight += 0.1 * (f64::from(k == class) - chances[k]);
                }
            }
        }
        Ok(())
    }

    fn save(&mut self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join("linear.json"), serde_json::to_vec(self)?)
    }

    fn restore(&mut self, folder: &Path) -> io::Result<()> {
        *self = serde_json::from_slice(&fs::read(folder.join("linear.json"))?)?;
        Ok(())
    }
}

/// Sentences of the six formulas; what is alike for the split is the sentence's group of a hundred.
fn sentence(maker: &Maker, kind: usize, index: u64) -> Option<Row> {
    let row = maker.say(&logic_parser::Formula::parse(FORMULAS[kind]).ok()?, index)?;
    let known = FORMULAS.contains(&row.formula.as_str());
    known.then(|| Row { pattern: format!("{} {}", row.formula, index % 100), ..row })
}

fn sentences(seed: u64, kinds: &[usize], count: usize, groups: std::ops::Range<u64>) -> Vec<Row> {
    let maker = Maker::new(seed);
    let indices = (0u64..).filter(|index| groups.contains(&(index % 100)));
    let rows = indices.zip(kinds.iter().cycle()).filter_map(|(index, &kind)| sentence(&maker, kind, index));
    rows.take(count).collect()
}

/// Asks about the formula that the gap map shows to be weakest, or about any.
struct Asker {
    aimed: bool,
}

impl Proposer for Asker {
    type Error = Infallible;

    fn propose(&mut self, gaps: &GapMap, count: usize, seed: u64) -> Result<Vec<Row>, Infallible> {
        let weak = gaps.weakest().into_iter().find_map(|(stratum, _)| match stratum {
            Stratum::Connective(connective) if *connective != '¬' => Some(*connective),
            _ => None,
        });
        let kinds: Vec<usize> = (0..FORMULAS.len())
            .filter(|&kind| !self.aimed || weak.is_none_or(|weak| FORMULAS[kind].contains(weak)))
            .collect();
        Ok(sentences(seed, &kinds, count, 40..100))
    }

    fn examples(&mut self, question: &Row, count: usize, seed: u64) -> Result<Vec<Row>, Infallible> {
        let kind = FORMULAS.iter().position(|formula| *formula == question.formula).unwrap_or(0);
        let anew = sentences(seed, &[kind], count.saturating_sub(1), 40..100);
        Ok(std::iter::once(question.clone()).chain(anew).collect())
    }
}

struct ByFormula;

impl Judge for ByFormula {
    fn judge(&self, question: &Row, attempt: &Attempt) -> Verdict {
        let verdict = if attempt.text == question.formula { Verdict::right() } else { Verdict::wrong("no") };
        Verdict { kind: attempt.text.clone(), ..verdict }
    }

    fn label(&self, question: &Row, attempt: &Attempt) -> Option<Row> {
        Some(Row { formula: attempt.text.clone(), ..question.clone() })
    }
}

/// A base that has seen four of the six formulas.
fn base() -> Linear {
    let mut learner = Linear::default();
    let lesson = Lesson { steps: 1200, seed: 0 };
    learner.learn(&sentences(1, &[0, 1, 2, 5], 400, 40..100), &lesson).unwrap();
    learner
}

fn material() -> Material {
    let probe = sentences(2, &[0, 1, 2, 3, 4, 5], 300, 0..20);
    let gate = sentences(3, &[0, 1, 2, 3, 4, 5], 30, 20..25);
    let original = sentences(1, &[0, 1, 2, 5], 400, 40..100);
    Material::new(probe, gate, original, []).unwrap()
}

fn plan(arms: &[(Arm, u64)]) -> Plan {
    Plan {
        arms: arms.to_vec(),
        cycles: 3,
        steps: 600,
        lesson_rows: 600,
        probes: 300,
        doubt_probes: 40,
        questions: 60,
        temperature: 1.0,
        ..Plan::default()
    }
}

fn laboratory<'a>(
    root: &Path,
    plan: Plan,
    material: &'a Material,
    test: &'a [Row],
) -> Laboratory<'a, Linear, Asker, Asker, ByFormula> {
    let parts = (base(), Asker { aimed: true }, Asker { aimed: false }, ByFormula);
    Laboratory::new(root, plan, parts, material, test).unwrap()
}

#[test]
fn what_teaches_gains_and_what_does_not_gains_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (material, test) = (material(), sentences(4, &[0, 1, 2, 3, 4, 5], 480, 25..40));
    let plan = plan(&Arm::ALL.map(|arm| (arm, 2)));
    let measured = laboratory(root.path(), plan, &material, &test).run(&mut |_| ()).unwrap();
    let table = Table::of(&measured, &test);
    let result = |arm| table.arms.iter().find(|result| result.arm == arm).unwrap();
    let over_none = |arm| result(arm).over_none.unwrap();
    assert!(over_none(Arm::Full).interval.0 > 0.02, "{table}");
    assert!(over_none(Arm::Oracle).interval.0 > 0.02, "{table}");
    // What the base never saw nobody can vote for.
    assert!(over_none(Arm::Vote).gain < over_none(Arm::Full).gain - 0.02, "{table}");
    // Without what it was taught it forgets.
    assert!(result(Arm::Replace).full_over.unwrap().interval.0 > 0.0, "{table}");
    assert!(measured.iter().all(|m| m.arm != Arm::None || m.new_rows == 0));
    assert!(table.of_the_way.is_some());
    let text = table.to_string();
    assert_eq!(text.lines().filter(|line| line.starts_with("| ")).count(), 2 + Arm::ALL.len(), "{text}");
}

#[test]
fn an_experiment_that_was_killed_ends_as_if_it_had_not_been() {
    let (material, test) = (material(), sentences(4, &[0, 1, 2, 3, 4, 5], 120, 25..40));
    let plan = Plan { cycles: 2, ..plan(&[(Arm::Full, 1), (Arm::Vote, 1)]) };
    let whole = tempfile::tempdir().unwrap();
    let expected = laboratory(whole.path(), plan.clone(), &material, &test).run(&mut |_| ()).unwrap();
    assert_eq!(expected.len(), 5);
    let root = tempfile::tempdir().unwrap();
    for deadline in 1..=expected.len() {
        let mut heard = 0;
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            laboratory(root.path(), plan.clone(), &material, &test).run(&mut |_| {
                heard += 1;
                assert_ne!(heard, deadline, "killed");
            })
        }));
        assert!(ran.is_err());
    }
    // Half-written things of a kill are made anew.
    fs::create_dir_all(root.path().join("trials/full_0/cycle_2/model.part")).unwrap();
    fs::remove_file(root.path().join("trials/vote_0/cycle_2/measured.json")).unwrap();
    let resumed = laboratory(root.path(), plan.clone(), &material, &test).run(&mut |_| ()).unwrap();
    assert_eq!(resumed, expected);
    // More seeds go on with what there is, another plan does not.
    let parts = || (base(), Asker { aimed: true }, Asker { aimed: false }, ByFormula);
    let other = Laboratory::new(root.path(), Plan { steps: 7, ..plan.clone() }, parts(), &material, &test);
    assert!(matches!(other, Err(Error::OtherPlan { .. })));
    let more = Plan { arms: vec![(Arm::Full, 2)], ..plan };
    let more = laboratory(root.path(), more, &material, &test).run(&mut |_| ()).unwrap();
    assert_eq!(more[..3], expected[..3]);
    assert_ne!(more[3].right, more[1].right);
}

#[test]
fn null_models_pass_no_gate() {
    let root = tempfile::tempdir().unwrap();
    let (material, test) = (material(), sentences(4, &[0, 1, 2, 3, 4, 5], 240, 25..40));
    let plan = Plan { cycles: 1, ..plan(&[(Arm::None, 6)]) };
    let measured = laboratory(root.path(), plan, &material, &test).run(&mut |_| ()).unwrap();
    let models: Vec<Vec<bool>> = measured[1..].iter().map(|measured| measured.right.clone()).collect();
    assert!(models.iter().any(|model| *model != models[0]), "seeds differ");
    let accepted = crate::experiment::false_accepts(&models, &test, &Gate::default(), 240, 200, 1);
    assert!(accepted.right <= 2, "{accepted:?}");
}
