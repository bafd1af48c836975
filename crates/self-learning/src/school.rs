//! What is taught and examined at each stage.
//!
//! Up to age 5 the subject is words and things: written by hand, thirty to learn and thirty others to examine. From age 6 it is logic,
//! and the formula comes first: an argument or a sentence is drawn whose answer is known, then said in Spanish, as many as
//! wanted and never twice.
//!
//! | stage | asks | is right when |
//! |---|---|---|
//! | 0, 1 | a word, a colour, a number | it is one of the answers, but for case, accents and marks |
//! | 3 | an explanation in a sentence | it has one of the words that matter |
//! | 6 | what follows from two sentences | it says yes, no or that it cannot be known |
//! | 11 | the formula of a sentence | the truth table is the same |
//! | 13 | whether an argument is valid, and its name | it says both |
//! | 15 | whether formulas entail another, or else a counterexample | the counterexample is one |

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use data_pipeline::{Maker, Row};
use logic_parser::{Answer, Argument, Assignment, Formula, Verdict, equivalent};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::clauses::TwoClauses;
use crate::disk::{create_folder, write};
use crate::fold::fold;
use crate::{Result, Stage, Tally};

/// One question with its answer, a line of a stage's data set or examination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exercise {
    /// What is asked.
    pub instruction: String,
    /// A right answer.
    pub output: String,
    /// What is accepted: whole answers where they are short, else words that an answer must have, all words of one entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<String>,
    /// The formula that the answer must be equivalent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    /// Premises, and last the conclusion: the answer says that it follows, or gives a counterexample.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub argument: Vec<String>,
}

/// The words that name forms and fallacies, folded.
const TERMS: [&str; 8] =
    ["valido", "invalido", "ponens", "tollens", "afirmacion", "consecuente", "negacion", "antecedente"];

/// What a stage asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Words,
    Sentences,
    Reasoning,
    Formalizing,
    Naming,
    Proving,
}

impl Subject {
    fn of(stage: &Stage) -> Subject {
        match stage.from_age {
            0..3 => Subject::Words,
            3..6 => Subject::Sentences,
            6..11 => Subject::Reasoning,
            11..13 => Subject::Formalizing,
            13..15 => Subject::Naming,
            _ => Subject::Proving,
        }
    }
}

/// The questions of a stage, to learn from or to be examined with.
#[derive(Clone, Debug, PartialEq)]
pub struct School {
    stage: Stage,
    seed: u64,
}

impl School {
    /// The school of a stage. The seed draws where the formula comes first.
    ///
    /// ```
    /// use self_learning::{School, Stage};
    /// let school = School::of(&Stage::all()[3], 1);
    /// let exam = school.examination(40);
    /// let answers: Vec<&str> = exam.iter().map(|exercise| exercise.output.as_str()).collect();
    /// assert_eq!(school.mark(&exam, &answers).right, 40);
    /// ```
    pub fn of(stage: &Stage, seed: u64) -> School {
        School { stage: stage.clone(), seed }
    }

    /// Exercises to learn from: `count`, or the thirty there are where they are written by hand.
    pub fn lessons(&self, count: usize) -> Vec<Exercise> {
        match (Subject::of(&self.stage), self.stage.from_age) {
            (Subject::Words, 0) => by_hand(include_str!("../data/datasets/age_0_newborn.jsonl"), count),
            (Subject::Words, _) => by_hand(include_str!("../data/datasets/age_1_infant.jsonl"), count),
            (Subject::Sentences, _) => by_hand(include_str!("../data/datasets/age_3_toddler.jsonl"), count),
            (subject, _) => self.drawn(subject, 0, count),
        }
    }

    /// Exercises to examine with, none of them among the lessons of any seed's first million: `count`, or the thirty there are.
    pub fn examination(&self, count: usize) -> Vec<Exercise> {
        match (Subject::of(&self.stage), self.stage.from_age) {
            (Subject::Words, 0) => by_hand(include_str!("../data/datasets/age_0_newborn_exam.jsonl"), count),
            (Subject::Words, _) => by_hand(include_str!("../data/datasets/age_1_infant_exam.jsonl"), count),
            (Subject::Sentences, _) => {
                by_hand(include_str!("../data/datasets/age_3_toddler_exam.jsonl"), count)
            }
            (subject, _) => self.drawn(subject, 1, count),
        }
    }

    /// Different exercises; those of part 0 and of part 1 never meet: the sentence's hash says which of them may have it.
    fn drawn(&self, subject: Subject, part: u8, count: usize) -> Vec<Exercise> {
        let maker = Maker::new(self.seed);
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut asked = BTreeSet::new();
        let mut exercises = Vec::new();
        for index in 0..100 * count as u64 + 1000 {
            if exercises.len() == count {
                break;
            }
            let exercise = match subject {
                Subject::Words | Subject::Sentences => None,
                Subject::Reasoning => reasoning(&maker, index, &mut rng),
                Subject::Formalizing => Some(formalizing(&maker.row(index))),
                Subject::Naming => naming(&maker, index, &mut rng),
                Subject::Proving => proving(&mut rng),
            };
            let Some(exercise) = exercise else { continue };
            let hash = blake3::hash(exercise.instruction.as_bytes());
            if hash.as_bytes()[0] % 2 == part && asked.insert(exercise.instruction.clone()) {
                exercises.push(exercise);
            }
        }
        exercises
    }

    /// How many answers are right; what was not answered is wrong.
    pub fn mark(&self, exercises: &[Exercise], answers: &[&str]) -> Tally {
        let mut tally = Tally::default();
        for (n, exercise) in exercises.iter().enumerate() {
            tally.count(answers.get(n).is_some_and(|answer| self.is_right(exercise, answer)));
        }
        tally
    }

    /// Whether an answer is right.
    pub fn is_right(&self, exercise: &Exercise, answer: &str) -> bool {
        if let Some(formula) = &exercise.formula {
            let (Ok(expected), Ok(found)) = (Formula::parse(formula), Formula::parse(answer)) else {
                return false;
            };
            return matches!(equivalent(&expected, &found), Answer::Yes);
        }
        if let Some((conclusion, premises)) = exercise.argument.split_last() {
            return entails_or_refutes(premises, conclusion, answer);
        }
        let answer = fold(answer);
        let words: BTreeSet<&str> = answer.split(' ').collect();
        exercise.accept.iter().any(|accepted| {
            let accepted = fold(accepted);
            let needed: BTreeSet<&str> = accepted.split(' ').collect();
            match Subject::of(&self.stage) {
                Subject::Words | Subject::Reasoning => answer == accepted,
                // Whoever names every form has named none.
                Subject::Naming => words.iter().copied().filter(|word| TERMS.contains(word)).eq(needed),
                _ => !accepted.is_empty() && needed.is_subset(&words),
            }
        })
    }

    /// Writes the stage's data set under the guides' name, and beside it its examination: `age_3_toddler.jsonl` and
    /// `age_3_toddler_exam.jsonl`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path, lessons: usize, examination: usize) -> Result<[PathBuf; 2]> {
        create_folder(folder)?;
        let dataset = folder.join(&self.stage.dataset);
        let name = self.stage.dataset.strip_suffix(".jsonl").unwrap_or(&self.stage.dataset);
        let exam = folder.join(format!("{name}_exam.jsonl"));
        for (path, exercises) in [(&dataset, self.lessons(lessons)), (&exam, self.examination(examination))] {
            let mut text = String::new();
            for exercise in exercises {
                text += &serde_json::to_string(&exercise).expect("strings are always JSON");
                text.push('\n');
            }
            write(path, text.as_bytes())?;
        }
        Ok([dataset, exam])
    }
}

fn by_hand(lines: &str, count: usize) -> Vec<Exercise> {
    let read = |line| serde_json::from_str(line).expect("a file of this crate, read by its tests");
    lines.lines().map(read).take(count).collect()
}

/// The four inferences from a conditional and one of its sides, said of someone's everyday sentence.
fn reasoning(maker: &Maker, index: u64, rng: &mut ChaCha8Rng) -> Option<Exercise> {
    let TwoClauses { sentence, p, q } = TwoClauses::conditional(maker, index)?;
    let (given, asked, answer) = match rng.random_range(0..4) {
        0 => (TwoClauses::affirmed(&p), q, "Sí."),
        1 => (TwoClauses::denied(&q), p, "No."),
        2 => (TwoClauses::affirmed(&q), p, "No se sabe."),
        _ => (TwoClauses::denied(&p), q, "No se sabe."),
    };
    Some(Exercise {
        instruction: format!("{sentence} {given} ¿Es así que {asked}? Responde sí, no o no se sabe."),
        output: answer.to_owned(),
        accept: vec![answer.to_owned()],
        ..Exercise::default()
    })
}

fn formalizing(row: &Row) -> Exercise {
    let atoms: Vec<String> = row.atoms.iter().map(|(letter, text)| format!("{letter} = «{text}»")).collect();
    Exercise {
        instruction: format!("Con {}, escribe la fórmula de: «{}»", atoms.join(", "), row.input),
        output: row.formula.clone(),
        formula: Some(row.formula.clone()),
        ..Exercise::default()
    }
}

fn naming(maker: &Maker, index: u64, rng: &mut ChaCha8Rng) -> Option<Exercise> {
    let TwoClauses { sentence, p, q } = TwoClauses::conditional(maker, index)?;
    let (yes, no) = (TwoClauses::affirmed, TwoClauses::denied);
    let (given, concluded, answer, accept) = match rng.random_range(0..4) {
        0 => (yes(&p), yes(&q), "Válido: modus ponens.", "válido ponens"),
        1 => (no(&q), no(&p), "Válido: modus tollens.", "válido tollens"),
        2 => (yes(&q), yes(&p), "Inválido: afirmación del consecuente.", "inválido afirmación consecuente"),
        _ => (no(&p), no(&q), "Inválido: negación del antecedente.", "inválido negación antecedente"),
    };
    Some(Exercise {
        instruction: format!(
            "«{sentence} {given} Por lo tanto: {concluded}» ¿Es válido o inválido, y cómo se llama?"
        ),
        output: answer.to_owned(),
        accept: vec![accept.to_owned()],
        ..Exercise::default()
    })
}

/// Three formulas of up to three atoms, half of the time with a conclusion that follows.
fn proving(rng: &mut ChaCha8Rng) -> Option<Exercise> {
    let literal = |rng: &mut ChaCha8Rng| {
        let atom = ["p", "q", "r"][rng.random_range(0..3)];
        if rng.random_bool(0.4) { format!("¬{atom}") } else { atom.to_owned() }
    };
    let compound = |rng: &mut ChaCha8Rng| {
        let connective = ["∧", "∨", "→", "→", "↔"][rng.random_range(0..5)];
        format!("{} {connective} {}", literal(rng), literal(rng))
    };
    let argument = [compound(rng), compound(rng), literal(rng)];
    let formulas: Vec<Formula> = argument.iter().map(|f| Formula::parse(f)).collect::<Result<_, _>>().ok()?;
    let [first, second, conclusion] = <[Formula; 3]>::try_from(formulas).ok()?;
    let judgement = Argument { premises: vec![first, second], conclusion }.judge();
    let output = match (judgement.verdict, judgement.countermodel) {
        (Verdict::Valid, _) => "Se sigue.".to_owned(),
        (_, Some(countermodel)) => written(&countermodel),
        _ => return None,
    };
    // As many that follow as not: without this, four in five do not.
    if output != "Se sigue." && !rng.random_bool(0.3) {
        return None;
    }
    let [first, second, conclusion] = &argument;
    Some(Exercise {
        instruction: format!(
            "¿Se sigue {conclusion} de {first} y {second}? Responde «Se sigue» o da un contraejemplo, como p = V, q = F."
        ),
        output,
        argument: argument.to_vec(),
        ..Exercise::default()
    })
}

fn written(assignment: &Assignment) -> String {
    let value = |(name, value)| format!("{name} = {}", if value { "V" } else { "F" });
    assignment.iter().map(value).collect::<Vec<_>>().join(", ")
}

/// Whether the answer says rightly that the conclusion follows, or gives values that make the premises true and it false.
fn entails_or_refutes(premises: &[String], conclusion: &str, answer: &str) -> bool {
    let premises: Result<Vec<Formula>, _> = premises.iter().map(|premise| Formula::parse(premise)).collect();
    let (Ok(mut premises), Ok(conclusion)) = (premises, Formula::parse(conclusion)) else {
        return false;
    };
    if fold(answer) == "se sigue" {
        return matches!(Argument { premises, conclusion }.judge().verdict, Verdict::Valid);
    }
    // Values as further premises: the denial of the conclusion must follow, from premises that can be true together.
    let names: BTreeSet<&str> =
        premises.iter().chain([&conclusion]).flat_map(|formula| formula.atoms()).collect();
    let mut given = BTreeSet::new();
    let mut values = Vec::new();
    for part in answer.trim().trim_end_matches('.').split(',') {
        let Some((name, value)) = part.split_once('=') else { return false };
        let literal = match (name.trim(), value.trim()) {
            (name, "V" | "v") => name.to_owned(),
            (name, "F" | "f") => format!("¬{name}"),
            _ => return false,
        };
        match Formula::parse(&literal) {
            Ok(literal) if names.contains(name.trim()) && given.insert(name.trim()) => values.push(literal),
            _ => return false,
        }
    }
    if given.len() != names.len() {
        return false;
    }
    let follows = |conclusion: Formula| {
        matches!(Argument { premises: values.clone(), conclusion }.judge().verdict, Verdict::Valid)
    };
    let premises_hold = premises.drain(..).all(follows);
    premises_hold && !follows(conclusion)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schools() -> Vec<School> {
        Stage::all().iter().map(|stage| School::of(stage, 5)).collect()
    }

    #[test]
    fn every_examination_has_thirty_items_that_its_own_answers_pass() {
        for school in schools() {
            let exam = school.examination(60);
            assert!(exam.len() >= 30, "{}", school.stage.name);
            for exercise in &exam {
                assert!(school.is_right(exercise, &exercise.output), "{exercise:?}");
            }
            assert_eq!(school.mark(&exam, &[]).right, 0);
        }
    }

    #[test]
    fn no_lesson_is_examined() {
        for school in schools() {
            let lessons: BTreeSet<String> = school.lessons(300).into_iter().map(|e| e.instruction).collect();
            for seed in [5, 6] {
                let exam = School { seed, ..school.clone() }.examination(100);
                assert!(exam.iter().all(|exercise| !lessons.contains(&exercise.instruction)));
            }
        }
    }

    #[test]
    fn one_answer_to_everything_passes_no_stage() {
        for school in schools() {
            let exam = school.examination(200);
            for answer in [
                "Sí.",
                "No.",
                "No se sabe.",
                "Se sigue.",
                "p",
                "p → q",
                "válido inválido ponens tollens",
                "p = V, q = V, r = F",
                "sí no",
                "",
            ] {
                let rate = school.mark(&exam, &vec![answer; exam.len()]).rate();
                assert!(rate < school.stage.min_accuracy - 0.1, "{} {answer}: {rate}", school.stage.name);
            }
        }
    }

    #[test]
    fn answers_are_judged_by_what_they_say() {
        let schools = schools();
        let word = Exercise { accept: vec!["los ojos".into()], ..Exercise::default() };
        assert!(
            schools[0].is_right(&word, " Los OJOS. ") && !schools[0].is_right(&word, "los ojos y la nariz")
        );
        let why = Exercise { accept: vec!["frío".into()], ..Exercise::default() };
        assert!(
            schools[2].is_right(&why, "¡Pues porque hace frio!")
                && !schools[2].is_right(&why, "por el calor")
        );
        let formula = Exercise { formula: Some("p → q".into()), ..Exercise::default() };
        assert!(schools[4].is_right(&formula, "¬p ∨ q") && !schools[4].is_right(&formula, "q → p"));
        let argument = ["p → q", "q", "p"].map(str::to_owned).to_vec();
        let argument = Exercise { argument, ..Exercise::default() };
        assert!(schools[6].is_right(&argument, "p = F, q = V."));
        for wrong in [
            "Se sigue",
            "p = V, q = V",
            "q = V",
            "p = F, q = V, p = F",
            "p = F, q = V, z = V",
            "x",
            "p = F; q = V",
        ] {
            assert!(!schools[6].is_right(&argument, wrong), "{wrong}");
        }
    }

    #[test]
    fn the_files_have_the_guides_names() {
        let folder = tempfile::tempdir().unwrap();
        for school in schools() {
            for path in school.write(folder.path(), 40, 40).unwrap() {
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(text.lines().count() >= 30, "{}", path.display());
                assert!(by_hand(&text, 1000).iter().all(|exercise| !exercise.output.is_empty()));
            }
        }
        for name in
            ["age_0_newborn.jsonl", "age_1_infant.jsonl", "age_3_toddler.jsonl", "age_15_adult_exam.jsonl"]
        {
            assert!(folder.path().join(name).exists(), "{name}");
        }
    }
}
