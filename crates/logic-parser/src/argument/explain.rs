//! Judgements in words.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Argument, Explanation, Instance, Judgement, Verdict};
use crate::assignment::Assignment;
use crate::formula::Formula;

/// The words that both languages put together in the same way.
struct Words {
    valid: &'static str,
    valid_by: &'static str,
    invalid: &'static str,
    unknown: &'static str,
    from: &'static str,
    and: &'static str,
    follows: &'static str,
    does_not_follow: &'static str,
    always: &'static str,
    because: &'static str,
    countermodel: &'static str,
    truths: [&'static str; 2],
    nearest: &'static str,
}

const SPANISH: Words = Words {
    valid: "Válido: ninguna asignación hace verdaderas las premisas y falsa la conclusión.",
    valid_by: "Válido por",
    invalid: "Inválido",
    unknown: "Sin decidir: se agotó el presupuesto de cálculo.",
    from: "de",
    and: "y",
    follows: "se sigue",
    does_not_follow: "no se sigue",
    always: "siempre se da",
    because: "porque",
    countermodel: "Con {} las premisas son verdaderas y la conclusión es falsa.",
    truths: ["falso", "verdadero"],
    nearest: "Sí sería válido:",
};

const ENGLISH: Words = Words {
    valid: "Valid: no assignment makes the premises true and the conclusion false.",
    valid_by: "Valid by",
    invalid: "Invalid",
    unknown: "Undecided: the budget of work ran out.",
    from: "from",
    and: "and",
    follows: "follows",
    does_not_follow: "does not follow",
    always: "always holds",
    because: "because",
    countermodel: "With {} the premises are true and the conclusion is false.",
    truths: ["false", "true"],
    nearest: "This would be valid:",
};

pub(super) fn explain(judgement: &Judgement) -> Explanation {
    Explanation { es: in_words(judgement, Language::Spanish), en: in_words(judgement, Language::English) }
}

#[derive(Clone, Copy, PartialEq)]
enum Language {
    Spanish,
    English,
}

fn in_words(judgement: &Judgement, language: Language) -> String {
    let words = if language == Language::Spanish { &SPANISH } else { &ENGLISH };
    match (&judgement.verdict, &judgement.form, &judgement.fallacy) {
        (Verdict::Unknown(_), ..) => words.unknown.to_string(),
        (Verdict::Valid, None, _) => words.valid.to_string(),
        (Verdict::Valid, Some(form), _) => {
            format!(
                "{} {}: {}.",
                words.valid_by,
                name(form, language),
                step(&form.argument(), words, language, words.follows)
            )
        }
        (Verdict::Invalid, _, None) => format!("{}. {}", words.invalid, counterexample(judgement, words)),
        (Verdict::Invalid, _, Some(fallacy)) => {
            let step_taken = step(&fallacy.argument(), words, language, words.does_not_follow);
            let nearest = fallacy.nearest().map(|nearest| step(&nearest, words, language, words.follows));
            format!(
                "{} ({}): {step_taken}, {} {}. {} {} {}.",
                words.invalid,
                name(fallacy, language),
                words.because,
                reason(fallacy, language),
                counterexample(judgement, words),
                words.nearest,
                nearest.unwrap_or_default(),
            )
        }
    }
}

fn name(instance: &Instance, language: Language) -> &'static str {
    if language == Language::Spanish { instance.schema.es } else { instance.schema.en }
}

/// `de «p → q» y «p» se sigue «q»`; English puts the conclusion first.
fn step(argument: &Argument, words: &Words, language: Language, verb: &str) -> String {
    let conclusion = quoted(&argument.conclusion);
    if argument.premises.is_empty() {
        return format!("{conclusion} {}", words.always);
    }
    let premises: Vec<String> = argument.premises.iter().map(quoted).collect();
    let (last, before) = premises.split_last().expect("there are premises");
    let premises = match before {
        [] => last.clone(),
        _ => format!("{} {} {last}", before.join(", "), words.and),
    };
    match language {
        Language::Spanish => format!("{} {premises} {verb} {conclusion}", words.from),
        Language::English => format!("{conclusion} {verb} {} {premises}", words.from),
    }
}

fn reason(fallacy: &Instance, language: Language) -> String {
    let Some(mistake) = fallacy.schema.mistake else {
        return String::new();
    };
    let template = if language == Language::Spanish { mistake.es } else { mistake.en };
    let mut reason = String::new();
    for (index, part) in template.split(['{', '}']).enumerate() {
        match fallacy.substitution.get(part) {
            Some(formula) if index % 2 == 1 => reason += &quoted(formula),
            _ => reason += part,
        }
    }
    reason
}

fn counterexample(judgement: &Judgement, words: &Words) -> String {
    let values = judgement.countermodel.as_ref().map(|countermodel| listed(countermodel, words));
    words.countermodel.replacen("{}", &values.unwrap_or_default(), 1)
}

fn listed(assignment: &Assignment, words: &Words) -> String {
    let values: Vec<String> = assignment
        .iter()
        .map(|(name, value)| format!("{name} = {}", words.truths[usize::from(value)]))
        .collect();
    values.join(", ")
}

fn quoted(formula: &Formula) -> String {
    format!("«{formula}»")
}
