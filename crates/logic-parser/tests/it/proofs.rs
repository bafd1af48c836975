//! Proofs: what is valid is proven, and no broken proof passes the checker.

use logic_parser::{Answer, Argument, FORMS, Formula, NoProof, Proof, Rule, entails};
use proptest::prelude::*;

use crate::formulas;

fn argument(text: &str) -> Argument {
    Argument::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn proven(text: &str) -> Proof {
    let argument = argument(text);
    let proof = argument.prove().unwrap_or_else(|error| panic!("{text}: {error}"));
    proof.check(&argument).unwrap_or_else(|error| panic!("{text}: {error}\n{proof}"));
    proof
}

/// Pelletier's problems 1 to 17 (1986), the propositional ones.
const PELLETIER: [&str; 17] = [
    "⊢ (p → q) ↔ (¬q → ¬p)",
    "⊢ ¬¬p ↔ p",
    "⊢ ¬(p → q) → (q → p)",
    "⊢ (¬p → q) ↔ (¬q → p)",
    "⊢ ((p ∨ q) → (p ∨ r)) → (p ∨ (q → r))",
    "⊢ p ∨ ¬p",
    "⊢ p ∨ ¬¬¬p",
    "⊢ ((p → q) → p) → p",
    "⊢ ((p ∨ q) ∧ (¬p ∨ q) ∧ (p ∨ ¬q)) → ¬(¬p ∨ ¬q)",
    "q → r, r → p ∧ q, p → q ∨ r ⊢ p ↔ q",
    "⊢ p ↔ p",
    "⊢ ((p ↔ q) ↔ r) ↔ (p ↔ (q ↔ r))",
    "⊢ (p ∨ (q ∧ r)) ↔ ((p ∨ q) ∧ (p ∨ r))",
    "⊢ (p ↔ q) ↔ ((q ∨ ¬p) ∧ (¬q ∨ p))",
    "⊢ (p → q) ↔ (¬p ∨ q)",
    "⊢ (p → q) ∨ (q → p)",
    "⊢ ((p ∧ (q → r)) → s) ↔ ((¬p ∨ q ∨ s) ∧ (¬p ∨ ¬r ∨ s))",
];

#[test]
fn pelletier_is_proven() {
    for problem in PELLETIER {
        proven(problem);
    }
}

#[test]
fn every_named_form_is_proven() {
    for form in FORMS {
        proven(form.argument);
    }
}

#[test]
fn a_proof_has_no_idle_lines() {
    assert_eq!(proven("p → q, p, r ∧ s ⊢ q").lines.len(), 4);
    assert_eq!(proven("p ⊢ p").lines.len(), 1);
}

#[test]
fn an_invalid_argument_has_a_countermodel_instead() {
    let Err(NoProof::Invalid(countermodel)) = argument("p → q, q ⊢ p").prove() else {
        panic!("a fallacy")
    };
    assert_eq!(countermodel.get("p"), Some(false));
}

#[test]
fn depth_is_an_error_not_a_crash() {
    let deep = (0..900).fold(Formula::atom("p"), |formula, _| Formula::atom("p").implies(formula));
    let argument = Argument { premises: Vec::new(), conclusion: deep };
    let work = move || assert_eq!(argument.prove(), Err(NoProof::TooLong));
    std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(work)
        .expect("a thread")
        .join()
        .expect("survived");
}

/// One thing changed: another formula, depth, citation or rule, or a line left out or repeated.
fn mutated(proof: &Proof, line: usize, how: usize) -> Proof {
    let mut mutant = proof.clone();
    let at = line % mutant.lines.len();
    match how % 7 {
        0 => mutant.lines[at].formula = mutant.lines[at].formula.clone().not(),
        1 => mutant.lines[at].formula = Formula::atom("invented"),
        2 => mutant.lines[at].depth += 1,
        3 => drop(mutant.lines.remove(at)),
        4 => mutant.lines[at].rule = Rule::Premise,
        5 => mutant.lines[at].rule = Rule::Reiteration(at),
        _ => {
            let formula = mutant.lines[at].formula.clone();
            let operands = formula.operands();
            mutant.lines[at].formula =
                operands.first().map_or_else(|| formula.clone().and(formula), Clone::clone);
        }
    }
    mutant
}

#[test]
fn a_thousand_broken_proofs_are_refused() {
    let (mut refused, mut harmless) = (0, 0);
    for text in PELLETIER.iter().copied().chain(FORMS.iter().map(|form| form.argument)) {
        let (proof, argument) = (proven(text), argument(text));
        for line in 0..proof.lines.len() {
            for how in 0..7 {
                let mutant = mutated(&proof, line, how);
                match mutant.check(&argument) {
                    Err(_) => refused += 1,
                    // A change may leave a proof of the same argument, as when a premise that nothing cites is dropped.
                    Ok(()) => harmless += usize::from(mutant != proof),
                }
            }
        }
    }
    assert!(refused > 1000, "{refused}");
    assert!(harmless * 20 < refused, "{harmless} of {refused}");
}

proptest! {
    #[test]
    fn whatever_is_valid_is_proven(premise in formulas::formula(4), conclusion in formulas::formula(4)) {
        let implied = Argument { premises: vec![premise.clone(), premise.clone().implies(conclusion.clone())], conclusion: conclusion.clone() };
        let weakened = Argument { premises: vec![premise.clone().and(conclusion.clone())], conclusion: premise.or(conclusion) };
        for argument in [implied, weakened] {
            prop_assert_eq!(entails(&argument.premises, &argument.conclusion), Answer::Yes);
            match argument.prove() {
                Ok(proof) => prop_assert_eq!(proof.check(&argument), Ok(())),
                Err(error) => prop_assert_eq!(error, NoProof::TooLong),
            }
        }
    }
}
