//! The logic verifier as tools: what a truth table knows, no model needs to guess.

use std::time::Instant;

use logic_parser::{Answer, Argument, Class, Formula, classify, equivalent};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Tool, ToolError};

/// Judges an argument: `{"verdict", "form", "fallacy", "countermodel", "explanation"}`, as the tool `verify argument` does.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogicArgument;

/// Premises and what is said to follow.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArgumentArguments {
    /// Formulas with ¬ ∧ ∨ → ↔ that are assumed.
    premises: Vec<String>,
    /// The formula that is said to follow.
    conclusion: String,
}

impl Tool for LogicArgument {
    type Arguments = ArgumentArguments;
    const NAME: &'static str = "logic_argument";
    const DESCRIPTION: &'static str =
        "Dice si una conclusión se sigue de sus premisas, con la forma o la falacia y un contramodelo.";

    fn run(&self, arguments: ArgumentArguments, _until: Instant) -> Result<Value, ToolError> {
        let premises = arguments.premises.iter().map(|premise| Formula::parse(premise));
        let premises = premises.collect::<Result<_, _>>()?;
        let judgement = Argument { premises, conclusion: Formula::parse(&arguments.conclusion)? }.judge();
        Ok(json!(judgement))
    }
}

/// Compares two formulas: `{"equivalent"}`, and with `false` an assignment that tells them `"apart"`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogicEquivalent;

/// Two formulas.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EquivalentArguments {
    /// A formula with ¬ ∧ ∨ → ↔.
    left: String,
    /// The formula to compare it with.
    right: String,
}

impl Tool for LogicEquivalent {
    type Arguments = EquivalentArguments;
    const NAME: &'static str = "logic_equivalent";
    const DESCRIPTION: &'static str = "Dice si dos fórmulas son equivalentes.";

    fn run(&self, arguments: EquivalentArguments, _until: Instant) -> Result<Value, ToolError> {
        let (left, right) = (Formula::parse(&arguments.left)?, Formula::parse(&arguments.right)?);
        Ok(match equivalent(&left, &right) {
            Answer::Yes => json!({ "equivalent": true }),
            Answer::No(apart) => json!({ "equivalent": false, "apart": apart }),
            Answer::Unknown(why) => json!({ "equivalent": null, "reason": why.to_string() }),
        })
    }
}

/// Classifies a formula: `{"class"}` is `tautology`, `contradiction`, `contingent` or `unknown`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogicClassify;

/// A formula.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassifyArguments {
    /// A formula with ¬ ∧ ∨ → ↔.
    formula: String,
}

impl Tool for LogicClassify {
    type Arguments = ClassifyArguments;
    const NAME: &'static str = "logic_classify";
    const DESCRIPTION: &'static str = "Dice si una fórmula es tautología, contradicción o contingencia.";

    fn run(&self, arguments: ClassifyArguments, _until: Instant) -> Result<Value, ToolError> {
        Ok(match classify(&Formula::parse(&arguments.formula)?) {
            Class::Tautology => json!({ "class": "tautology" }),
            Class::Contradiction => json!({ "class": "contradiction" }),
            Class::Contingent => json!({ "class": "contingent" }),
            Class::Unknown(why) => json!({ "class": "unknown", "reason": why.to_string() }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::{Piece, Refusal, ToolRegistry, pieces};
    use std::time::Duration;

    fn answer(call: &str) -> Result<Value, Refusal> {
        let mut tools = ToolRegistry::for_age(15, Duration::from_secs(30)).unwrap();
        tools.offer(LogicArgument);
        tools.offer(LogicEquivalent);
        tools.offer(LogicClassify);
        for name in ["logic_argument", "logic_equivalent", "logic_classify"] {
            tools.allow(name).unwrap();
        }
        let read = pieces(call);
        let [Piece::Call(call)] = &read[..] else { panic!("{read:?}") };
        tools.run(call)
    }

    #[test]
    fn logic_is_answered() {
        let valid =
            answer(r#"<TOOL:logic_argument>{"premises": ["p → q", "p"], "conclusion": "q"}</TOOL>"#).unwrap();
        assert_eq!((&valid["verdict"], &valid["form"]), (&json!("valid"), &json!("modus_ponens")));
        let apart = answer(r#"<TOOL:logic_equivalent>{"left": "p → q", "right": "q → p"}</TOOL>"#).unwrap();
        assert_eq!(apart["equivalent"], false);
        assert_ne!(apart["apart"]["p"], apart["apart"]["q"]);
        let class = answer(r#"<TOOL:logic_classify>{"formula": "p ∨ ¬p"}</TOOL>"#).unwrap();
        assert_eq!(class["class"], "tautology");
    }

    #[test]
    fn what_is_no_formula_is_told_to_the_model() {
        let error = answer(r#"<TOOL:logic_classify>{"formula": "p ∧"}</TOOL>"#).unwrap_err();
        assert!(matches!(error, Refusal::Failed(_)));
        assert!(matches!(
            answer(r#"<TOOL:logic_classify>{"formula": 3}</TOOL>"#),
            Err(Refusal::Arguments(_))
        ));
    }
}
