//! Texts made to break parsers, on a stack of 256 kB.

use std::time::Instant;

use logic_parser::{Argument, Formula, Notation};

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
