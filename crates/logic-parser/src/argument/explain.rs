//! Judgements in words.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Argument, Explanation, Instance, Judgement, Verdict};
use crate::formula::Formula;

/// The words that both languages put together in the same way.
struct Words {
    valid: &'static str,
    no_countermodel: &'static str,
    tautology: &'static str,
    invalid: &'static str,
    unknown: &'static str,
    from: &'static str,
    and: &'static str,
    follows: &'static str,
    does_follow: &'static str,
    does_not_follow: &'static str,
    always: &'static str,
    example: &'static str,
    with: &'static str,
    truths: [&'static str; 2],
    /// What a countermodel does to an argument with no premise, one, and several.
    refuted: [&'static str; 3],
    by_contrast: &'static str,
}

const SPANISH: Words = Words {
    valid: "Válido",
    no_countermodel: "ninguna asignación hace verdaderas las premisas y falsa la conclusión",
    tautology: "la conclusión es verdadera en todos los casos",
    invalid: "Inválido",
    unknown: "Sin decidir: se agotó el presupuesto de cálculo.",
    from: "de",
    and: "y",
    follows: "se sigue",
    does_follow: "sí se sigue",
    does_not_follow: "no se sigue",
    always: "siempre se da",
    example: "Por ejemplo",
    with: "con",
    truths: ["falso", "verdadero"],
    refuted: [
        "la conclusión es falsa",
        "la premisa es verdadera y la conclusión es falsa",
        "las premisas son verdaderas y la conclusión es falsa",
    ],
    by_contrast: "En cambio,",
};

const ENGLISH: Words = Words {
    valid: "Valid",
    no_countermodel: "no assignment makes the premises true and the conclusion false",
    tautology: "the conclusion is true in every case",
    invalid: "Invalid",
    unknown: "Undecided: the budget of work ran out.",
    from: "from",
    and: "and",
    follows: "follows",
    does_follow: "does follow",
    does_not_follow: "does not follow",
    always: "always holds",
    example: "For example",
    with: "with",
    truths: ["false", "true"],
    refuted: [
        "the conclusion is false",
        "the premise is true and the conclusion is false",
        "the premises are true and the conclusion is false",
    ],
    by_contrast: "By contrast,",
};

pub(super) fn explain(argument: &Argument, judgement: &Judgement) -> Explanation {
    let [es, en] =
        [Language::Spanish, Language::English].map(|language| in_words(argument, judgement, language));
    Explanation { es, en }
}

#[derive(Clone, Copy, PartialEq)]
enum Language {
    Spanish,
    English,
}

fn in_words(argument: &Argument, judgement: &Judgement, language: Language) -> String {
    let words = if language == Language::Spanish { &SPANISH } else { &ENGLISH };
    let refuted = refuted(argument, judgement, words);
    match (&judgement.verdict, &judgement.form, &judgement.fallacy) {
        (Verdict::Unknown(_), ..) => words.unknown.to_string(),
        (Verdict::Valid, None, _) if argument.premises.is_empty() => {
            format!("{}: {}.", words.valid, words.tautology)
        }
        (Verdict::Valid, None, _) => format!("{}: {}.", words.valid, words.no_countermodel),
        (Verdict::Valid, Some(form), _) => {
            let step = step(&form.argument(), words, language, words.follows);
            format!("{} ({}): {step}.", words.valid, name(form, language))
        }
        (Verdict::Invalid, _, None) => format!("{}: {refuted}.", words.invalid),
        (Verdict::Invalid, _, Some(fallacy)) => {
            let taken = step(&fallacy.argument(), words, language, words.does_not_follow);
            let nearest = fallacy.nearest().map(|nearest| step(&nearest, words, language, words.does_follow));
            format!(
                "{} ({}): {taken}. {}. {}, {refuted}. {} {}.",
                words.invalid,
                name(fallacy, language),
                reason(fallacy, language),
                words.example,
                words.by_contrast,
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
    let premises = listed(&premises, words);
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

/// `con «p» falso y «q» verdadero, las premisas son verdaderas y la conclusión es falsa`
fn refuted(argument: &Argument, judgement: &Judgement, words: &Words) -> String {
    let refuted = words.refuted[argument.premises.len().min(2)];
    let truth = |(name, value): (&str, bool)| format!("«{name}» {}", words.truths[usize::from(value)]);
    match &judgement.countermodel {
        Some(countermodel) if countermodel.iter().len() > 0 => {
            let truths: Vec<String> = countermodel.iter().map(truth).collect();
            format!("{} {}, {refuted}", words.with, listed(&truths, words))
        }
        _ => refuted.to_string(),
    }
}

/// `a, b y c`
fn listed(items: &[String], words: &Words) -> String {
    match items {
        [before @ .., last] if !before.is_empty() => format!("{} {} {last}", before.join(", "), words.and),
        _ => items.concat(),
    }
}

fn quoted(formula: &Formula) -> String {
    format!("«{formula}»")
}
