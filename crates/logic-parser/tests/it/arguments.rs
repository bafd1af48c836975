//! Arguments: their verdicts, names and explanations.

use std::collections::BTreeMap;

use logic_parser::{
    Argument, FALLACIES, FORMS, Formula, Instance, NON_SEQUITUR, ParseErrorKind, Schema, Verdict, equivalent,
};

fn argument(text: &str) -> Argument {
    Argument::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn name(text: &str) -> Option<&'static str> {
    let judgement = argument(text).judge();
    judgement.form.or(judgement.fallacy).map(|instance| instance.schema.id)
}

#[test]
fn every_form_is_valid_and_every_fallacy_invalid_with_a_valid_neighbour() {
    for form in FORMS {
        assert_eq!(argument(form.argument).judge().verdict, Verdict::Valid, "{}", form.argument);
    }
    for fallacy in FALLACIES.iter().chain([&NON_SEQUITUR]) {
        assert_eq!(argument(fallacy.argument).judge().verdict, Verdict::Invalid, "{}", fallacy.argument);
        let nearest = fallacy.mistake.expect("a fallacy is a mistake").nearest;
        assert_eq!(argument(nearest).judge().verdict, Verdict::Valid, "{nearest}");
    }
    let mut names: Vec<&str> = FALLACIES.iter().map(|fallacy| fallacy.id).collect();
    names.dedup();
    assert!(names.len() >= 15, "{names:?}");
}

/// An instance with other atoms, compound where it counts, the premises turned round and one premise too many.
fn disguised(schema: &Schema) -> Argument {
    let compounds = BTreeMap::from(
        [("p", "lluvia"), ("q", "(frío ∨ viento)"), ("r", "¬(mar ∧ sol)"), ("s", "luna ⊕ sol")]
            .map(|(letter, text)| (letter.to_string(), Formula::parse(text).expect("well-formed"))),
    );
    let plain = argument(schema.argument);
    let mut premises: Vec<Formula> =
        plain.premises.iter().map(|premise| premise.substitute(&compounds)).collect();
    premises.insert(0, Formula::atom("ocioso"));
    premises.reverse();
    Argument { premises, conclusion: plain.conclusion.substitute(&compounds) }
}

#[test]
fn every_schema_is_recognised_in_disguise() {
    for schema in FORMS.iter().chain(FALLACIES) {
        let disguised = disguised(schema);
        let judgement = disguised.judge();
        let Some(instance) = judgement.form.or(judgement.fallacy) else {
            panic!("{} has no name", schema.id)
        };
        assert_eq!(instance.schema.id, schema.id, "{disguised}");
        let named = instance.argument();
        for premise in &named.premises {
            let is_this = |it: &Formula| equivalent(it, premise).is_yes();
            assert!(disguised.premises.iter().any(is_this), "{premise}");
        }
        assert!(equivalent(&named.conclusion, &disguised.conclusion).is_yes(), "{disguised}");
        // The words are about the argument's own formulas, and lead to a valid one.
        let nearest = instance.nearest();
        assert_eq!(nearest.is_some(), judgement.verdict == Verdict::Invalid, "{disguised}");
        for said in [&named].into_iter().chain(&nearest) {
            for formula in said.premises.iter().chain([&said.conclusion]) {
                for words in [&judgement.explanation.es, &judgement.explanation.en] {
                    assert!(words.contains(&format!("«{formula}»")), "{formula}: {words}");
                }
            }
        }
        if let Some(nearest) = nearest {
            assert_eq!(nearest.judge().verdict, Verdict::Valid, "{nearest}");
        }
    }
}

#[test]
fn contraposition_and_double_negation_do_not_hide_a_form() {
    assert_eq!(name("p → ¬q, q ⊢ ¬p"), Some("modus_tollens"));
    assert_eq!(name("¬q → ¬p, p ⊢ ¬¬q"), Some("modus_tollens"));
    assert_eq!(name("¬p → ¬q, ¬q ⊢ ¬p"), Some("affirming_the_consequent"));
    assert_eq!(name("p → ¬q, ¬p ⊢ q"), Some("denying_the_antecedent"));
    assert_eq!(name("q ∨ ¬p, ¬p ⊢ ¬q"), Some("affirming_a_disjunct"));
}

#[test]
fn a_valid_instance_of_a_fallacy_is_not_called_one() {
    let judgement = argument("p → p, p ⊢ p").judge();
    assert_eq!(judgement.verdict, Verdict::Valid);
    assert_eq!(judgement.fallacy, None);
    assert_eq!(name("p → q, q, p ∧ r ⊢ p"), Some("simplification"));
}

#[test]
fn what_the_premises_never_mention_does_not_follow() {
    assert_eq!(name("p ∧ q ⊢ r"), Some("non_sequitur"));
    assert_eq!(name("⊢ r"), None);
}

#[test]
fn explanations_speak_in_the_arguments_own_atoms() {
    let explanation = argument("llueve → mojo, mojo ⊢ llueve").judge().explanation;
    assert_eq!(
        explanation.es,
        "Inválido (afirmación del consecuente): de «llueve → mojo» y «mojo» no se sigue «llueve». «llueve» basta para \
         «mojo», pero «mojo» puede darse por otra razón. Por ejemplo, con «llueve» falso y «mojo» verdadero, las premisas \
         son verdaderas y la conclusión es falsa. En cambio, de «llueve → mojo» y «llueve» sí se sigue «mojo»."
    );
    assert_eq!(
        explanation.en,
        "Invalid (affirming the consequent): «llueve» does not follow from «llueve → mojo» and «mojo». «llueve» suffices \
         for «mojo», but «mojo» may hold for some other reason. For example, with «llueve» false and «mojo» true, the \
         premises are true and the conclusion is false. By contrast, «mojo» does follow from «llueve → mojo» and «llueve»."
    );
    let spanish = |text: &str| argument(text).judge().explanation.es;
    assert_eq!(spanish("p → q, p ⊢ q"), "Válido (modus ponens): de «p → q» y «p» se sigue «q».");
    assert_eq!(spanish("⊢ (p → q) ∨ (q → r)"), "Válido: la conclusión es verdadera en todos los casos.");
    assert_eq!(spanish("⊢ p"), "Inválido: con «p» falso, la conclusión es falsa.");
    assert_eq!(
        argument("⊢ p ∨ ¬p").judge().explanation.en,
        "Valid (excluded middle): «p ∨ ¬p» always holds."
    );
}

#[test]
fn a_substitution_says_what_each_letter_stands_for() {
    let Some(Instance { substitution, .. }) = argument("b ∧ a → ¬c, a ∧ b ⊢ ¬c").judge().form
    else {
        panic!()
    };
    let shown: Vec<String> =
        substitution.iter().map(|(letter, formula)| format!("{letter}: {formula}")).collect();
    assert_eq!(shown, ["p: b ∧ a", "q: ¬c"]);
}

#[test]
fn arguments_are_read_in_every_notation() {
    let expected = argument("p → q, p ⊢ q");
    for text in ["p -> q; p |- q", "si p entonces q, p ∴ q", r"p \to q, p \vdash q"] {
        assert_eq!(argument(text), expected, "{text}");
    }
    assert_eq!(argument(&expected.to_string()), expected);
    let kind = |text: &str| Argument::parse(text).unwrap_err().first().kind;
    assert_eq!(kind("p, q"), ParseErrorKind::ExpectedConclusion);
    assert_eq!(kind("p ⊢ q, r"), ParseErrorKind::ExpectedConclusion);
    assert_eq!(kind("p ⊢"), ParseErrorKind::Empty);
}
