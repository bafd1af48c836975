use logic_parser::{Connective, Formula, Node, equivalent};

use super::letters::relettered;
use crate::Row;

/// A law of logic that rewrites a formula into an equivalent one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Law {
    /// `p → q` is `¬p ∨ q`.
    Implication,
    /// `¬(p ∧ q)` is `¬p ∨ ¬q`.
    DeMorganAnd,
    /// `¬(p ∨ q)` is `¬p ∧ ¬q`.
    DeMorganOr,
    /// `p` is `¬¬p`.
    DoubleNegation,
    /// `¬¬p` is `p`.
    DoubleNegationAway,
    /// `p ∧ q` is `q ∧ p`, and so for ∨ and ↔.
    Commutativity,
}

impl Law {
    /// All laws.
    pub const ALL: [Law; 6] = [
        Law::Implication,
        Law::DeMorganAnd,
        Law::DeMorganOr,
        Law::DoubleNegation,
        Law::DoubleNegationAway,
        Law::Commutativity,
    ];

    /// The law applied to the whole formula; `None` where its shape does not fit.
    pub fn apply(self, formula: &Formula) -> Option<Formula> {
        let operands = formula.operands();
        let inner = || operands.first().map(|operand| (operand.root(), operand.operands()));
        match (self, formula.root(), operands.as_slice()) {
            (Law::Implication, Node::Binary(Connective::Implies), [p, q]) => {
                Some(p.clone().not().or(q.clone()))
            }
            (Law::DeMorganAnd, Node::Not, _) => match inner()? {
                (Node::Binary(Connective::And), parts) => negated(parts, Formula::or),
                _ => None,
            },
            (Law::DeMorganOr, Node::Not, _) => match inner()? {
                (Node::Binary(Connective::Or), parts) => negated(parts, Formula::and),
                _ => None,
            },
            (Law::DoubleNegation, _, _) => Some(formula.clone().not().not()),
            (Law::DoubleNegationAway, Node::Not, _) => match inner()? {
                (Node::Not, parts) => parts.into_iter().next(),
                _ => None,
            },
            (Law::Commutativity, Node::Binary(connective), [p, q]) if connective.is_commutative() => {
                Some(q.clone().join(connective, p))
            }
            _ => None,
        }
    }
}

fn negated(parts: Vec<Formula>, join: fn(Formula, Formula) -> Formula) -> Option<Formula> {
    let [p, q] = parts.try_into().ok()?;
    Some(join(p.not(), q.not()))
}

/// Every formula that one law, applied to the whole formula or to a direct operand, makes of it. Each is proven
/// equivalent before it is returned.
///
/// ```
/// use data_pipeline::augment::{Law, equivalents};
///
/// let forms = equivalents(&"¬(p ∧ q) → r".parse()?);
/// let texts: Vec<_> = forms.iter().map(|(law, form)| (*law, form.to_string())).collect();
/// assert!(texts.contains(&(Law::Implication, "¬¬(p ∧ q) ∨ r".into())));
/// assert!(texts.contains(&(Law::DeMorganAnd, "¬p ∨ ¬q → r".into())));
/// # Ok::<(), logic_parser::ParseError>(())
/// ```
pub fn equivalents(formula: &Formula) -> Vec<(Law, Formula)> {
    let mut forms: Vec<(Law, Formula)> = Vec::new();
    for law in Law::ALL {
        forms.extend(law.apply(formula).map(|form| (law, form)));
        match (formula.root(), formula.operands().as_slice()) {
            (Node::Not, [p]) => forms.extend(law.apply(p).map(|p| (law, p.not()))),
            (Node::Binary(connective), [p, q]) => {
                forms.extend(law.apply(p).map(|p| (law, p.join(connective, q))));
                forms.extend(law.apply(q).map(|q| (law, p.clone().join(connective, &q))));
            }
            _ => {}
        }
    }
    forms.retain(|(_, form)| form != formula && equivalent(formula, form).is_yes());
    forms
}

/// The row with other formulas for its sentence, each proven equivalent, at most `most` of them: laws in their order, the
/// whole formula first. Letters follow the new formula; ¬¬ around it all, which says nothing, is left out.
pub fn rewritings(row: &Row, most: usize) -> Vec<Row> {
    let Some(formula) = Some(most).filter(|&most| most > 0).and_then(|_| Formula::parse(&row.formula).ok())
    else {
        return Vec::new();
    };
    let mut forms = equivalents(&formula);
    forms.retain(|(law, _)| *law != Law::DoubleNegation);
    let rows = forms.iter().filter_map(|(_, form)| relettered(row.clone(), form));
    rows.filter(|other| other.formula != row.formula).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_law_does_what_its_name_says() {
        let apply = |law: Law, text: &str| law.apply(&text.parse().unwrap()).map(|form| form.to_string());
        assert_eq!(apply(Law::Implication, "p → q").as_deref(), Some("¬p ∨ q"));
        assert_eq!(apply(Law::DeMorganAnd, "¬(p ∧ q)").as_deref(), Some("¬p ∨ ¬q"));
        assert_eq!(apply(Law::DeMorganOr, "¬(p ∨ q)").as_deref(), Some("¬p ∧ ¬q"));
        assert_eq!(apply(Law::DoubleNegation, "p").as_deref(), Some("¬¬p"));
        assert_eq!(apply(Law::DoubleNegationAway, "¬¬p").as_deref(), Some("p"));
        assert_eq!(apply(Law::Commutativity, "p ↔ q").as_deref(), Some("q ↔ p"));
        for law in
            [Law::Implication, Law::DeMorganAnd, Law::DeMorganOr, Law::DoubleNegationAway, Law::Commutativity]
        {
            assert_eq!(apply(law, "p"), None, "{law:?}");
            assert_eq!(apply(law, "¬p"), None, "{law:?}");
        }
        assert_eq!(apply(Law::Commutativity, "p → q"), None);
    }

    #[test]
    fn laws_reach_operands_and_never_return_the_formula_itself() {
        let formula = "(p → q) ∧ ¬(r ∨ s)".parse().unwrap();
        let forms = equivalents(&formula);
        assert!(forms.iter().all(|(_, form)| *form != formula));
        let has = |text: &str| forms.iter().any(|(_, form)| *form == text.parse().unwrap());
        assert!(has("(¬p ∨ q) ∧ ¬(r ∨ s)"));
        assert!(has("(p → q) ∧ (¬r ∧ ¬s)"));
        assert!(has("¬(r ∨ s) ∧ (p → q)"));
        assert!(equivalents(&"p ∧ p".parse().unwrap()).iter().all(|(law, _)| *law != Law::Commutativity));
    }
}
