//! A pupil finds what it does not know, asks itself about it, learns, and is replaced only by a better one.
//!
//! ```text
//! $ cargo run --release --example self_improvement
//! 1. Of 600 sentences that it never saw it reads 79 % rightly.
//!      connective ¬    96 % (90 % to 98 %)
//!      connective →    93 % (90 % to 96 %)
//!      connective ↔     0 % (0 % to 4 %)
//!      connective ∧    93 % (86 % to 97 %)
//!      connective ∨    99 % (95 % to 100 %)
//!    Where its answers differ from try to try it is wrong: AUROC 0.59.
//! 2. It asks itself about the connective that it knows least. The formula comes first, then a sentence.
//! 3. It gets 150 of 150 wrong, such as:
//!      Es necesario y suficiente que z divide a y para que se anule el conjunto.
//!      it says p ∧ q, it is p ↔ q
//! 4. It learns from 360 sentences like those, mixed with what it was taught before.
//! 5. The gate asks 1200 other sentences, before and after:
//!      before 78 %, after 92 %
//!      gain +13.1 points (+3.5 to +22.7)
//!      a control that only went over the old: 79 %; over it +12.7 points
//!    Refused, it stays what it was: StratumLost { stratum: Connective('→'), loss: 0.065, items: 600 }
//! Stopped: Done. The model in use is version 1.
//! ```
//! Thirteen points better, and yet refused: what it learned about ↔ made it forget some of →, and no kind may get worse by a point.
//! The pupil is as small as a pupil can be: it tells six formulas apart by the words of a sentence. The loop is the one that teaches
//! language models, gate and all; only the learner differs.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::{fs, io};

use anyhow::Result;
use data_pipeline::{Maker, Row, words};
use logic_parser::Formula;
use self_learning::{
    Attempt, Budget, Cycle, Event, Experiment, GapMap, Gate, Judge, Learner, Lesson, Material, Proposer,
    Sampling, Settings, Start, Stratum, Verdict,
};

const FORMULAS: [&str; 6] = ["p ∧ q", "p ∨ q", "p → q", "q → p", "p ↔ q", "p → ¬q"];
const ALL: [usize; 6] = [0, 1, 2, 3, 4, 5];
/// What the pupil was taught before: nothing with ↔, and no conclusion said first.
const TAUGHT: [usize; 4] = [0, 1, 2, 5];

fn main() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("self_improvement_{}", std::process::id()));
    let original = sentences(1, &TAUGHT, 400, 40..100);
    let mut pupil = Pupil::default();
    pupil.learn(&original, &Lesson { steps: 1200, seed: 0 })?;

    let material =
        Material::new(sentences(2, &ALL, 600, 0..15), sentences(3, &ALL, 1200, 15..40), original, [])?;
    let settings = Settings {
        probes: 600,
        questions: 150,
        steps: 1500,
        lesson_rows: 1500,
        original_share: 0.7,
        gate_items: 1200,
        start: Start::Generator,
        gate: Gate { min_steps: 1500, ..Gate::default() },
        ..Settings::default()
    };
    let budget = Budget::Experiment(Experiment::open(&folder.join("budget.jsonl"), "story", 150)?);
    let mut cycle = Cycle::new(&folder, settings, (pupil, Teacher, Examiner), material, budget)?;
    let report = cycle.run(1, &mut |event| tell(&event))?;
    println!(
        "Stopped: {:?}. The model in use is version {}.",
        report.stop,
        cycle.history().state().current_generator
    );
    drop(cycle);
    fs::remove_dir_all(folder)?;
    Ok(())
}

fn tell(event: &Event<'_>) {
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    match event {
        Event::Mapped { gaps, signal, .. } => {
            println!(
                "1. Of {} sentences that it never saw it reads {} rightly.",
                gaps.overall().asked,
                percent(gaps.overall().rate())
            );
            for (stratum, tally) in gaps.strata().filter(|(s, _)| matches!(s, Stratum::Connective(_))) {
                let (lower, upper) = tally.interval();
                println!(
                    "     {:<14} {:>5} ({} to {})",
                    stratum.to_string(),
                    percent(tally.rate()),
                    percent(lower),
                    percent(upper)
                );
            }
            println!(
                "   Where its answers differ from try to try it is wrong: AUROC {:.2}.",
                signal.entropy.unwrap_or(0.5)
            );
            println!(
                "2. It asks itself about the connective that it knows least. The formula comes first, then a sentence."
            );
        }
        Event::Judged { answered, new_rows } => {
            let wrong = answered.iter().filter(|a| !a.verdict.right).collect::<Vec<_>>();
            println!("3. It gets {} of {} wrong, such as:", wrong.len(), answered.len());
            if let Some(first) = wrong.first() {
                println!(
                    "     {}\n     it says {}, it is {}",
                    first.question.input, first.answer, first.question.formula
                );
            }
            println!(
                "4. It learns from {new_rows} sentences like those, mixed with what it was taught before."
            );
        }
        Event::End(round) => {
            let (lower, upper) = round.decision.interval;
            println!("5. The gate asks {} other sentences, before and after:", round.decision.items);
            println!(
                "     before {}, after {}",
                percent(round.decision.before.accuracy),
                percent(round.decision.after.accuracy)
            );
            println!(
                "     gain {:+.1} points ({:+.1} to {:+.1})",
                100.0 * round.decision.gain,
                100.0 * lower,
                100.0 * upper
            );
            if let (Some(control), Some(over)) = (round.control, round.over_control) {
                println!(
                    "     a control that only went over the old: {}; over it {:+.1} points",
                    percent(control.accuracy),
                    100.0 * over.gain
                );
            }
            match round.decision.refusals.first() {
                None => println!("   Accepted: it is the model from now on."),
                Some(refusal) => println!("   Refused, it stays what it was: {refusal:?}"),
            }
        }
        Event::Begin { .. } | Event::Answering { .. } | Event::Learning { .. } => {}
    }
}

/// Softmax regression on the words of a sentence and on pairs of neighbours: one weight for each and each formula.
#[derive(Default)]
struct Pupil(BTreeMap<String, [f64; 6]>);

impl Pupil {
    fn chances(&self, features: &[String], temperature: f64) -> [f64; 6] {
        let mut scores = [0.0; 6];
        for weights in features.iter().filter_map(|feature| self.0.get(feature)) {
            scores.iter_mut().zip(weights).for_each(|(score, weight)| *score += weight / temperature);
        }
        let top = scores.into_iter().fold(f64::MIN, f64::max);
        let exp = scores.map(|score| (score - top).exp());
        exp.map(|e| e / exp.iter().sum::<f64>())
    }
}

fn features(input: &str) -> Vec<String> {
    let lower = input.to_lowercase();
    let words = words(&lower);
    words.iter().map(|&word| word.to_owned()).chain(words.windows(2).map(|pair| pair.join(" "))).collect()
}

impl Learner for Pupil {
    type Error = io::Error;

    fn attempt(&mut self, inputs: &[&str], sampling: &Sampling) -> io::Result<Vec<Vec<Attempt>>> {
        let answer = |(n, input): (usize, &&str)| {
            let chances = self.chances(&features(input), sampling.temperature.max(1e-3));
            let draw = |attempt: usize| {
                // A number from 0 to 1 out of the seed, the question and the attempt.
                let mixed = (sampling.seed ^ (n * 64 + attempt) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut left = (mixed >> 11) as f64 / (1u64 << 53) as f64;
                let chosen = chances.iter().position(|chance| {
                    left -= chance;
                    left < 0.0
                });
                let chosen = chosen.unwrap_or(5);
                Attempt { text: FORMULAS[chosen].to_owned(), confidence: chances[chosen] }
            };
            (0..sampling.attempts).map(draw).collect()
        };
        Ok(inputs.iter().enumerate().map(answer).collect())
    }

    fn learn(&mut self, rows: &[Row], lesson: &Lesson) -> io::Result<()> {
        for row in rows.iter().cycle().take(lesson.steps as usize) {
            let Some(right) = FORMULAS.iter().position(|formula| *formula == row.formula) else { continue };
            let features = features(&row.input);
            let chances = self.chances(&features, 1.0);
            for feature in features {
                let weights = self.0.entry(feature).or_default();
                let errors = (0..6).map(|k| f64::from(k == right) - chances[k]);
                weights.iter_mut().zip(errors).for_each(|(weight, error)| *weight += 0.1 * error);
            }
        }
        Ok(())
    }

    fn save(&mut self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join("pupil.json"), serde_json::to_vec(&self.0)?)
    }

    fn restore(&mut self, folder: &Path) -> io::Result<()> {
        self.0 = serde_json::from_slice(&fs::read(folder.join("pupil.json"))?)?;
        Ok(())
    }
}

/// Sentences of these formulas; a sentence's number modulo 100 is its group, and groups never cross from one use to another.
fn sentences(seed: u64, kinds: &[usize], count: usize, groups: std::ops::Range<u64>) -> Vec<Row> {
    let maker = Maker::new(seed);
    let numbers = (0u64..).filter(|number| groups.contains(&(number % 100)));
    let say = |(number, &kind): (u64, &usize)| {
        let row = maker.say(&Formula::parse(FORMULAS[kind]).ok()?, number)?;
        let known = FORMULAS.contains(&row.formula.as_str());
        known.then(|| Row { pattern: format!("{} {}", row.formula, number % 100), ..row })
    };
    numbers.zip(kinds.iter().cycle()).filter_map(say).take(count).collect()
}

/// Asks about the weakest connective.
struct Teacher;

impl Proposer for Teacher {
    type Error = Infallible;

    fn propose(&mut self, gaps: &GapMap, count: usize, seed: u64) -> Result<Vec<Row>, Infallible> {
        let weak = gaps.weakest().into_iter().find_map(|(stratum, _)| match stratum {
            Stratum::Connective(connective) if *connective != '¬' => Some(*connective),
            _ => None,
        });
        let asks = |kind: &usize| weak.is_none_or(|weak| FORMULAS[*kind].contains(weak));
        Ok(sentences(seed, &ALL.into_iter().filter(asks).collect::<Vec<_>>(), count, 40..100))
    }

    fn examples(&mut self, question: &Row, count: usize, seed: u64) -> Result<Vec<Row>, Infallible> {
        let kind = FORMULAS.iter().position(|formula| *formula == question.formula).unwrap_or(0);
        let anew = sentences(seed, &[kind], count.saturating_sub(1), 40..100);
        Ok(std::iter::once(question.clone()).chain(anew).collect())
    }
}

/// Compares formulas by truth table.
struct Examiner;

impl Judge for Examiner {
    fn judge(&self, question: &Row, attempt: &Attempt) -> Verdict {
        let (Ok(label), Ok(said)) = (Formula::parse(&question.formula), Formula::parse(&attempt.text)) else {
            return Verdict::wrong("no formula");
        };
        let right = logic_parser::equivalent(&label, &said).is_yes();
        let verdict = if right { Verdict::right() } else { Verdict::wrong(format!("{said} is not {label}")) };
        Verdict { kind: said.to_string(), coherent: true, ..verdict }
    }
}
