//! What the parser reads, and what it says when it cannot.

use logic_parser::{Chains, Dialect, Formula, Limits, ParseErrorKind as Kind, ParseOptions, Span};

fn formula(text: &str) -> Formula {
    Formula::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn kinds(text: &str) -> Vec<Kind> {
    Formula::parse(text).unwrap_err().diagnostics().iter().map(|mistake| mistake.kind).collect()
}

#[test]
fn precedence_is_not_and_xor_or_implies_iff() {
    assert_eq!(formula("¬p ∧ q ⊕ r ∨ s → t ↔ u"), formula("(((((¬p) ∧ q) ⊕ r) ∨ s) → t) ↔ u"));
    assert_eq!(formula("p ↔ q → r ∨ s ⊕ t ∧ ¬u"), formula("p ↔ (q → (r ∨ (s ⊕ (t ∧ (¬u)))))"));
}

#[test]
fn only_implication_associates_to_the_right() {
    assert_eq!(formula("p → q → r"), formula("p → (q → r)"));
    assert_eq!(formula("p ↔ q ↔ r"), formula("(p ↔ q) ↔ r"));
    assert_eq!(formula("p ∧ q ∧ r"), formula("(p ∧ q) ∧ r"));
}

#[test]
fn notations_mix() {
    let expected = formula("p ∧ q → ¬r ∨ s");
    for text in [
        "p & q -> ~r | s",
        "p && q => !r || s",
        r"p /\ q ⊃ -r \/ s",
        "p.q → not r or s",
        "si p y q entonces no r o s",
        "Si p y q, entonces no r o s",
        "if p and q then not r or s",
        "p y q solo si no r o s",
        r"p \land q \to \neg r \lor s",
        r"\left(p \wedge q\right) \Rightarrow \lnot{r} \vee s",
        "[p ∧ q] → {¬r ∨ s}",
    ] {
        assert_eq!(formula(text), expected, "{text}");
    }
}

#[test]
fn letters_are_connectives_only_between_operands() {
    assert_eq!(formula("y y y").to_string(), "y ∧ y");
    assert_eq!(formula("o o v").to_string(), "o ∨ v");
    assert_eq!(formula("p v q"), formula("p ∨ q"));
}

#[test]
fn if_then_nests_and_reaches_as_far_as_an_arrow() {
    assert_eq!(formula("si p entonces si q entonces r"), formula("p → (q → r)"));
    assert_eq!(formula("si si p entonces q entonces r"), formula("(p → q) → r"));
    assert_eq!(formula("no si p entonces q y r"), formula("¬(p → (q ∧ r))"));
    assert_eq!(formula("si p entonces q si y solo si r"), formula("(p → q) ↔ r"));
}

#[test]
fn mistakes_are_named() {
    for (text, expected) in [
        ("", Kind::Empty),
        (" \u{200B} ", Kind::Empty),
        ("p →", Kind::ExpectedOperand),
        ("∧ p", Kind::ExpectedOperand),
        ("p ()", Kind::ExpectedConnective),
        ("p q", Kind::ExpectedConnective),
        ("(p", Kind::UnclosedBracket),
        ("p)", Kind::UnopenedBracket),
        ("(p]", Kind::MismatchedBracket),
        ("p entonces q", Kind::ThenWithoutIf),
        ("si p", Kind::IfWithoutThen),
        ("(si p) → q", Kind::IfWithoutThen),
        ("p = q", Kind::UnknownSymbol),
        ("p ∧ 1", Kind::UnknownSymbol),
        ("p ∧ \"q", Kind::UnterminatedName),
        ("p, q ⊢ r", Kind::ArgumentInFormula),
    ] {
        assert_eq!(kinds(text)[0], expected, "{text}");
    }
}

#[test]
fn several_mistakes_are_reported_at_once() {
    assert_eq!(
        kinds("(p ∧ ∨ q) r) = s"),
        [Kind::ExpectedOperand, Kind::ExpectedConnective, Kind::UnopenedBracket, Kind::UnknownSymbol,]
    );
    assert_eq!(kinds("p = 1 ∧ #"), [Kind::UnknownSymbol; 3]);
    assert_eq!(kinds("p #"), [Kind::UnknownSymbol]);
    assert_eq!(kinds(&"∧".repeat(1000)).len(), 16);
}

#[test]
fn unclosed_bracket_points_at_the_open_one_in_bytes_and_characters() {
    let error = Formula::parse("¬p → (q ∧ r").unwrap_err();
    assert_eq!(error.first().span, Span::new(8, 9));
    assert_eq!(error.first().characters, Span::new(5, 6));
}

#[test]
fn an_error_is_drawn_with_a_caret() {
    let error = Formula::parse("¬p = q").unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown symbol, found `=`; `=` is not ↔; did you mean `<->`?\n  ¬p = q\n     ^"
    );
}

#[test]
fn strict_refuses_other_spellings_and_chains() {
    let strict = ParseOptions::strict();
    for text in ["p & q", "no p", "p y q", "[p]", "p → q → r", "p ↔ q ↔ r", "si p entonces q", r"p \land q"]
    {
        assert!(Formula::parse_with(text, &strict).is_err(), "{text}");
    }
    assert!(Formula::parse_with("(p → (q → r)) ∧ (s ∨ ¬⊥) ∧ u", &strict).is_ok());
    let chains = ParseOptions { chains: Chains::Refuse, dialect: Dialect::Any, ..ParseOptions::default() };
    assert!(Formula::parse_with("p & q & r", &chains).is_ok());
}

#[test]
fn limits_are_errors() {
    let limits = Limits { bytes: 40, nodes: 7, nesting: 3, atoms: 3 };
    let options = ParseOptions { limits, ..ParseOptions::default() };
    let kind = |text: &str| Formula::parse_with(text, &options).map_err(|error| error.first().kind);
    assert!(kind("p ∧ q ∧ r").is_ok());
    assert_eq!(kind(&"p".repeat(41)), Err(Kind::TooLong));
    assert_eq!(kind("p ∧ q ∧ p ∧ q ∧ p"), Err(Kind::TooLarge));
    assert_eq!(kind("((((p))))"), Err(Kind::TooDeep));
    assert_eq!(kind("p ∧ q ∧ r ∧ s"), Err(Kind::TooManyAtoms));
}
