//! Examples of calls to learn from, `tool_calling_dataset.json`.
//!
//! Where the subject is logic the formula comes first: an argument is drawn of which it is known by its form whether it is valid,
//! said in Spanish, and the tool's answer must agree with what was known.

use data_pipeline::Maker;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Call;
use crate::clauses::TwoClauses;

/// One example: a question, what to write, what the tool then answers, and what to say in the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolExample {
    /// What somebody asks.
    pub instruction: String,
    /// What the learner should write: a call in the guides' form, or an answer when no tool is needed.
    pub output: String,
    /// The part of the tool's answer that is known beforehand; `null` where nothing is called or known.
    pub result: Value,
    /// What to say once the tool has answered; empty when nothing is called.
    pub answer: String,
}

/// `count` examples: of ten, four arguments, two equivalences, two classifications, one picture and one that needs no tool.
///
/// ```
/// let examples = self_learning::tools::tool_calling_examples(1, 30);
/// assert_eq!(examples.len(), 30);
/// assert!(examples[0].output.starts_with("<TOOL:logic_argument>{"));
/// ```
pub fn tool_calling_examples(seed: u64, count: usize) -> Vec<ToolExample> {
    let maker = Maker::new(seed);
    let examples = (0u64..).filter_map(|n| {
        let turn = n / 10;
        match n % 10 {
            0..4 => argument(&maker, n, &ARGUMENTS[(4 * turn + n % 10) as usize % ARGUMENTS.len()]),
            4 | 5 => equivalence(EQUIVALENCES[(2 * turn + n % 2) as usize % EQUIVALENCES.len()]),
            6 | 7 => classification(CLASSES[(2 * turn + n % 2) as usize % CLASSES.len()]),
            8 => picture(PICTURES[turn as usize % PICTURES.len()]),
            _ => without_tool(SMALL_TALK[turn as usize % SMALL_TALK.len()]),
        }
    });
    examples.take(count).collect()
}

/// The form of an argument with one compound premise `first`, a simple one, and a conclusion; what the verifier says of it.
struct Form {
    first: &'static str,
    second: Said,
    conclusion: Said,
    verdict: &'static str,
    name: &'static str,
}

/// One of the two atoms of the compound premise, as it stands or denied.
#[derive(Clone, Copy)]
enum Said {
    P,
    Q,
    NotP,
    NotQ,
}

const ARGUMENTS: [Form; 6] = [
    Form { first: "p → q", second: Said::P, conclusion: Said::Q, verdict: "valid", name: "modus ponens" },
    Form {
        first: "p → q",
        second: Said::Q,
        conclusion: Said::P,
        verdict: "invalid",
        name: "afirmación del consecuente",
    },
    Form {
        first: "p ∨ q",
        second: Said::NotP,
        conclusion: Said::Q,
        verdict: "valid",
        name: "silogismo disyuntivo",
    },
    Form {
        first: "p → q",
        second: Said::NotP,
        conclusion: Said::NotQ,
        verdict: "invalid",
        name: "negación del antecedente",
    },
    Form {
        first: "p → q",
        second: Said::NotQ,
        conclusion: Said::NotP,
        verdict: "valid",
        name: "modus tollens",
    },
    Form {
        first: "p ∨ q",
        second: Said::P,
        conclusion: Said::NotQ,
        verdict: "invalid",
        name: "afirmación de un disyunto",
    },
];

fn argument(maker: &Maker, index: u64, form: &Form) -> Option<ToolExample> {
    let two = match form.first {
        "p → q" => TwoClauses::conditional(maker, index)?,
        _ => TwoClauses::disjunction(maker, index)?,
    };
    let (second, second_said) = said(&two, form.second);
    let (conclusion, concluded) = said(&two, form.conclusion);
    let arguments = json!({ "premises": [form.first, second], "conclusion": conclusion });
    let answer = if form.verdict == "valid" { "Sí, es un" } else { "No, es una" };
    Some(ToolExample {
        instruction: format!("«{} {second_said} Por lo tanto: {concluded}» ¿Es válido?", two.sentence),
        output: call("logic_argument", arguments),
        result: json!({ "verdict": form.verdict }),
        answer: format!("{answer} {}.", form.name),
    })
}

/// The formula and the sentence of one of two clauses.
fn said(two: &TwoClauses, which: Said) -> (&'static str, String) {
    match which {
        Said::P => ("p", TwoClauses::affirmed(&two.p)),
        Said::Q => ("q", TwoClauses::affirmed(&two.q)),
        Said::NotP => ("¬p", TwoClauses::denied(&two.p)),
        Said::NotQ => ("¬q", TwoClauses::denied(&two.q)),
    }
}

const EQUIVALENCES: [(&str, &str, bool); 6] = [
    ("¬(p ∧ q)", "¬p ∨ ¬q", true),
    ("p → q", "q → p", false),
    ("p → q", "¬q → ¬p", true),
    ("p ∨ q", "p ∧ q", false),
    ("p ∧ (q ∨ r)", "(p ∧ q) ∨ (p ∧ r)", true),
    ("¬(p ∨ q)", "¬p ∨ ¬q", false),
];

fn equivalence((left, right, equal): (&str, &str, bool)) -> Option<ToolExample> {
    Some(ToolExample {
        instruction: format!("¿Son equivalentes {left} y {right}?"),
        output: call("logic_equivalent", json!({ "left": left, "right": right })),
        result: json!({ "equivalent": equal }),
        answer: if equal { "Sí, son equivalentes." } else { "No, no son equivalentes." }.to_owned(),
    })
}

const CLASSES: [(&str, &str, &str); 6] = [
    ("p ∨ ¬p", "tautology", "Es una tautología."),
    ("p ∧ ¬p", "contradiction", "Es una contradicción."),
    ("p → (q → p)", "tautology", "Es una tautología."),
    ("p → q", "contingent", "Es una contingencia."),
    ("(p ↔ q) ∧ (p ∧ ¬q)", "contradiction", "Es una contradicción."),
    ("(p ∨ q) → p", "contingent", "Es una contingencia."),
];

fn classification((formula, class, answer): (&str, &str, &str)) -> Option<ToolExample> {
    Some(ToolExample {
        instruction: format!("¿Qué clase de fórmula es {formula}?"),
        output: call("logic_classify", json!({ "formula": formula })),
        result: json!({ "class": class }),
        answer: answer.to_owned(),
    })
}

const PICTURES: [&str; 3] = ["un gato espacial", "un robot que aprende a leer", "una playa al atardecer"];

fn picture(prompt: &str) -> Option<ToolExample> {
    Some(ToolExample {
        instruction: format!("Genera una imagen de {prompt}."),
        output: call("generate_image", json!({ "prompt": prompt })),
        result: Value::Null,
        answer: "Aquí está la imagen.".to_owned(),
    })
}

const SMALL_TALK: [(&str, &str); 3] = [
    ("Hola, ¿cómo te llamas?", "Hola. Me llamo THAU."),
    ("¿Qué es una tautología?", "Una fórmula que es verdadera pase lo que pase."),
    ("Gracias por la ayuda.", "De nada."),
];

fn without_tool((instruction, output): (&str, &str)) -> Option<ToolExample> {
    Some(ToolExample {
        instruction: instruction.to_owned(),
        output: output.to_owned(),
        result: Value::Null,
        answer: String::new(),
    })
}

fn call(name: &str, arguments: Value) -> String {
    let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap_or_default();
    Call { name: name.to_owned(), arguments, id: None }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::{
        GenerateImage, LogicArgument, LogicClassify, LogicEquivalent, Piece, ToolRegistry, pieces,
    };
    use std::time::Duration;

    /// Runs every call: what the tool says is what was known, and what needs no tool calls none.
    fn check(examples: &[ToolExample]) -> [usize; 3] {
        let mut tools = ToolRegistry::for_age(15, Duration::from_secs(30)).unwrap();
        tools.offer(LogicArgument);
        tools.offer(LogicEquivalent);
        tools.offer(LogicClassify);
        tools.offer(GenerateImage::at("http://127.0.0.1:9/vision/generate"));
        for name in ["logic_argument", "logic_equivalent", "logic_classify", "generate_image"] {
            tools.allow(name).unwrap();
        }
        let mut counts = [0; 3];
        for example in examples {
            match &pieces(&example.output)[..] {
                [Piece::Call(call)] if call.name == "generate_image" => {
                    tools.dry_run(call).unwrap();
                    counts[1] += 1;
                }
                [Piece::Call(call)] => {
                    let result = tools.run(call).unwrap();
                    for (key, known) in example.result.as_object().expect("known beforehand") {
                        assert_eq!(&result[key], known, "{example:?}");
                    }
                    counts[0] += 1;
                }
                [Piece::Text(_)] => counts[2] += 1,
                other => panic!("{other:?}"),
            }
        }
        counts
    }

    #[test]
    fn the_guides_thirty_examples_are_what_the_tools_say() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/data/datasets/tool_calling_dataset.json");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            let made = serde_json::to_string_pretty(&tool_calling_examples(0, 30)).unwrap();
            std::fs::write(file, made + "\n").unwrap();
        }
        let examples: Vec<ToolExample> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        assert_eq!(check(&examples), [24, 3, 3]);
    }

    #[test]
    fn new_examples_are_what_the_tools_say() {
        for seed in 0..20 {
            assert_eq!(check(&tool_calling_examples(seed, 30)), [24, 3, 3]);
        }
    }

    #[test]
    fn the_same_seed_makes_the_same() {
        assert_eq!(tool_calling_examples(3, 12), tool_calling_examples(3, 12));
        assert_ne!(tool_calling_examples(3, 12), tool_calling_examples(4, 12));
    }
}
