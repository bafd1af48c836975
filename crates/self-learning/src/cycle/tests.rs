//! The loop's own logic, with a pupil whose skill is a number per kind of question.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::io;

use super::*;
use crate::{Experiment, Gate, Lesson, Limits, Start, Verdict};

/// Question `n` of a kind; the pupil's skill is by kind, which is the number of atoms.
fn question(kind: usize, pattern: &str, n: usize) -> Row {
    let input = format!("{kind} átomos {pattern} pregunta {n}");
    Row {
        formula: format!("respuesta a {input}"),
        atoms: (0..kind).map(|i| (i.to_string(), String::new())).collect(),
        pattern: pattern.to_owned(),
        input,
        ..Row::default()
    }
}

fn chance(text: &str) -> f64 {
    let hash = blake3::hash(text.as_bytes());
    f64::from(u32::from_le_bytes(*hash.as_bytes().first_chunk().unwrap())) / f64::from(u32::MAX)
}

/// Knows a kind better the more of it it has seen; one that unlearns knows it worse.
#[derive(Clone)]
struct Pupil {
    seen: BTreeMap<usize, f64>,
    unlearns: bool,
}

impl Pupil {
    fn skill(&self, input: &str) -> f64 {
        let kind = input.split(' ').next().and_then(|kind| kind.parse().ok()).unwrap_or(0);
        let seen = self.seen.get(&kind).copied().unwrap_or(0.0).max(0.0);
        seen / (seen + 100.0)
    }
}

impl Learner for Pupil {
    type Error = io::Error;

    fn attempt(&mut self, inputs: &[&str], sampling: &Sampling) -> io::Result<Vec<Vec<Attempt>>> {
        let answer = |input: &str, n: usize| {
            let luck = if sampling.temperature == 0.0 { 0.0 } else { chance(&format!("{input}{n}")) - 0.5 };
            let right = chance(input) + 0.2 * luck < self.skill(input);
            Attempt {
                text: if right { format!("respuesta a {input}") } else { format!("no sé {n}") },
                confidence: self.skill(input),
            }
        };
        let attempts = |input: &&str| (0..sampling.attempts).map(|n| answer(input, n)).collect();
        Ok(inputs.iter().map(attempts).collect())
    }

    fn learn(&mut self, rows: &[Row], lesson: &Lesson) -> io::Result<()> {
        for row in rows.iter().cycle().take(lesson.steps as usize) {
            *self.seen.entry(row.atoms.len()).or_default() += if self.unlearns { -1.0 } else { 1.0 };
        }
        Ok(())
    }

    fn save(&mut self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join("seen.json"), serde_json::to_vec(&self.seen)?)
    }

    fn restore(&mut self, folder: &Path) -> io::Result<()> {
        self.seen = serde_json::from_slice(&fs::read(folder.join("seen.json"))?)?;
        Ok(())
    }
}

/// Asks about the weakest number of atoms.
struct Teacher;

impl Proposer for Teacher {
    type Error = Infallible;

    fn propose(&mut self, gaps: &GapMap, count: usize, seed: u64) -> Result<Vec<Row>, Infallible> {
        let kind = gaps.weakest().iter().find_map(|(stratum, _)| match stratum {
            Stratum::Atoms(kind) => Some(*kind),
            _ => None,
        });
        let first = (seed % 1_000_000) as usize;
        let numbers = first..first + count;
        Ok(numbers.map(|n| question(kind.unwrap_or(1), &format!("enseñado {}", n % 50), n)).collect())
    }

    fn examples(&mut self, question: &Row, count: usize, _seed: u64) -> Result<Vec<Row>, Infallible> {
        Ok(vec![question.clone(); count])
    }
}

struct ToTheLetter;

impl Judge for ToTheLetter {
    fn judge(&self, question: &Row, attempt: &Attempt) -> Verdict {
        let verdict = if attempt.text == question.formula { Verdict::right() } else { Verdict::wrong("no") };
        Verdict { kind: format!("{}", question.atoms.len()), ..verdict }
    }
}

fn material() -> Material {
    let rows = |name: &str, count: usize| -> Vec<Row> {
        let kind = |n: usize| if n.is_multiple_of(4) { 2 } else { 1 };
        (0..count).map(|n| question(kind(n), &format!("{name} {}", n % 50), n)).collect()
    };
    Material::new(rows("sondeo", 400), rows("examen", 1000), rows("original", 400), []).unwrap()
}

fn settings() -> Settings {
    Settings {
        probes: 300,
        doubt_probes: 100,
        questions: 100,
        steps: 400,
        lesson_rows: 400,
        gate_items: 800,
        gate: Gate { min_steps: 400, ..Gate::default() },
        ..Settings::default()
    }
}

fn cycle(root: &Path, settings: Settings, unlearns: bool) -> Cycle<Pupil, Teacher, ToTheLetter> {
    let pupil = Pupil { seen: [(1, 900.0), (2, 50.0)].into(), unlearns };
    let budget = Experiment::open(&root.join("budget.jsonl"), "test", 1000).unwrap();
    let trio = (pupil, Teacher, ToTheLetter);
    Cycle::new(root, settings, trio, material(), Budget::Experiment(budget)).unwrap()
}

#[test]
fn a_gap_is_found_taught_and_closed_and_the_control_stays_behind() {
    let root = tempfile::tempdir().unwrap();
    let report = cycle(root.path(), settings(), false).run(1, &mut |_| ()).unwrap();
    let round = &report.rounds[0];
    assert_eq!(round.weakest, Stratum::Atoms(2));
    assert!(round.decision.accepted, "{:?}", round.decision);
    assert!(round.decision.after.accuracy > round.control.unwrap().accuracy + 0.02);
    assert!(round.over_control.unwrap().interval.0 > 0.0);
    assert!(round.signal.entropy.unwrap() > 0.9);
    assert_eq!(report.stop, StopReason::Done);
    assert_eq!(report.stats().total_examples_generated, round.new_rows);
    let state = fs::read_to_string(root.path().join("pipeline_state.json")).unwrap();
    assert!(state.contains("\"current_epoch\": 1") && state.contains("\"current_generator\": 2"));
    assert!(root.path().join("datasets/auto_generated/round_1.jsonl").exists());
}

#[test]
fn a_pupil_that_unlearns_is_refused_and_the_base_stays() {
    let root = tempfile::tempdir().unwrap();
    let settings = Settings { start: Start::Generator, ..settings() };
    let mut cycle = cycle(root.path(), settings, true);
    let report = cycle.run(2, &mut |_| ()).unwrap();
    assert!(report.rounds.iter().all(|round| !round.decision.accepted));
    assert_eq!(cycle.history().state().current_generator, 1);
    assert!(report.rounds.iter().all(|round| round.generator == 1));
}

#[test]
fn no_question_has_a_pattern_of_the_gate_and_none_comes_twice() {
    let root = tempfile::tempdir().unwrap();
    cycle(root.path(), settings(), false).run(3, &mut |_| ()).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for round in 1..=3 {
        let path = root.path().join(format!("rounds/round_{round}/asked.json"));
        let asked: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        for question in asked["questions"].as_array().unwrap() {
            assert!(!question["pattern"].as_str().unwrap().starts_with("examen"));
            assert!(seen.insert(question["input"].to_string()));
        }
    }
    assert!(seen.len() > 200);
}

#[test]
fn a_loop_killed_after_any_step_ends_as_if_it_had_not_been() {
    let settings = Settings { gate_items: 250, ..settings() };
    let whole = tempfile::tempdir().unwrap();
    let expected = cycle(whole.path(), settings.clone(), false).run(1, &mut |_| ()).unwrap();
    for deadline in 1.. {
        let root = tempfile::tempdir().unwrap();
        let mut events = 0;
        // Leaving by a panic in the watcher is as near to a kill as one process comes.
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            cycle(root.path(), settings.clone(), false).run(1, &mut |_| {
                events += 1;
                assert_ne!(events, deadline, "killed");
            })
        }));
        if ran.is_ok() {
            assert!(deadline > 11, "a round has at least eleven steps");
            break;
        }
        let resumed = cycle(root.path(), settings.clone(), false).run(1, &mut |_| ()).unwrap();
        assert_eq!(resumed, expected, "killed at event {deadline}");
    }
}

#[test]
fn the_limits_stop_a_loop_that_runs_by_itself() {
    let root = tempfile::tempdir().unwrap();
    let limits = Limits::open(&root.path().join("limits.json")).unwrap();
    let pupil = Pupil { seen: [(2, 50.0)].into(), unlearns: false };
    let trio = (pupil, Teacher, ToTheLetter);
    let mut cycle =
        Cycle::new(root.path(), settings(), trio, material(), Budget::Autonomous(limits)).unwrap();
    let report = cycle.run(2, &mut |_| ()).unwrap();
    assert!(report.rounds.len() <= 1);
    assert!(matches!(report.stop, StopReason::Limit { .. } | StopReason::NothingFailed), "{:?}", report.stop);
}

#[test]
fn an_experiment_ends_with_its_questions() {
    let root = tempfile::tempdir().unwrap();
    let settings = Settings { questions: 600, ..settings() };
    let report = cycle(root.path(), settings, false).run(9, &mut |_| ()).unwrap();
    assert_eq!((report.rounds.len(), report.stop), (2, StopReason::BudgetSpent));
}
