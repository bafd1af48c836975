//! Texts made to break parsers, on a stack of 256 kB.

use std::time::Instant;

use logic_parser::{Argument, Budget, Class, Formula, Notation, TruthTable, Verdict, classify, equivalent};

fn hostile() -> Vec<(&'static str, String)> {
    let n = 200_000;
    vec![
        ("open brackets", "(".repeat(1_000_000)),
        ("negations", "¬".repeat(500_000) + "p"),
        ("nested to the right", "(p → ".repeat(n) + "q" + &")".repeat(n)),
        ("nested to the left", "(".repeat(n) + "p" + &" → q)".repeat(n)),
        ("flat chain", vec!["p"; n].join(" → ")),
        ("many atoms", (1..=10_000).map(|i| format!("p{i}")).collect::<Vec<_>>().join(" ∧ ")),
        ("dollars", "$".repeat(1_000_000)),
        ("nested si", "si ".repeat(n)),
        ("garbage", ('\u{20}'..='\u{FFFF}').filter(|c| !c.is_alphanumeric()).collect()),
    ]
}

#[test]
fn an_argument_with_too_many_mistakes_ends() {
    let text = "p, ".to_owned() + &"= ".repeat(100);
    assert_eq!(Argument::parse(&text).unwrap_err().diagnostics().len(), 16);
}

/// Whatever else walks through a formula.
fn work_on(name: &str, formula: &Formula) {
    assert!(!matches!(classify(formula), Class::Unknown(_)), "{name}");
    assert!(equivalent(formula, &formula.canonical()).is_yes(), "{name}");
    assert!(formula.pattern().nodes().len() == formula.nodes().len(), "{name}");
    for text in [formula.to_dimacs(), formula.to_smt_lib(), formula.to_tptp()] {
        assert!(text.contains('p'), "{name}");
    }
    let plain = formula.negation_normal_form(&Budget::default()).expect("no biconditional");
    assert!(equivalent(formula, &plain).is_yes(), "{name}");
    assert!(TruthTable::new(formula).rows().next().is_some(), "{name}");
    let argument = Argument { premises: vec![formula.clone()], conclusion: formula.clone() };
    assert_eq!(argument.judge().verdict, Verdict::Valid, "{name}");
}

#[test]
fn nothing_overflows_a_small_stack_or_takes_long() {
    let work = || {
        for (name, text) in hostile() {
            let start = Instant::now();
            if let Ok(formula) = Formula::parse(&text) {
                let copy = formula.clone();
                assert!(copy == formula && !format!("{formula:?}").is_empty());
                let again =
                    Formula::parse(&formula.display(Notation::Spanish).to_string()).expect("reads back");
                assert!(again == formula, "{name}");
                assert!(!formula.operands().is_empty(), "{name}");
                let json = serde_json::to_string(&formula).expect("text");
                assert!(serde_json::from_str::<Formula>(&json).expect("reads back") == formula, "{name}");
                work_on(name, &formula);
            } else {
                assert!(["open brackets", "dollars", "nested si", "garbage"].contains(&name), "{name}");
            }
            assert!(start.elapsed().as_secs() < 10, "{name}");
        }
    };
    std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(work)
        .expect("a thread")
        .join()
        .expect("survived");
}
