//! Which constructions can say which node: computed from the leaves up, so that a choice at the root never runs into a
//! node that nothing can say.

use super::clause::{Clause, Complement};
use super::construction::{Classes, Construction, Mood, Segment, Share, constructions};
use super::tree::{Node, Tree};
use crate::lexicon::Person;

/// A construction that can say a node, with the nodes of its operands.
pub struct Choice {
    pub construction: &'static Construction,
    pub operands: [usize; 4],
}

/// For every node of a tree, what can say it.
pub struct Plan {
    pub choices: Vec<Vec<Choice>>,
    /// Classes of phrases that can say the node.
    pub reach: Vec<Classes>,
}

impl Plan {
    pub fn new(tree: &Tree, clauses: &[Clause]) -> Plan {
        let mut plan = Plan { choices: Vec::new(), reach: Vec::new() };
        for at in 0..tree.nodes.len() {
            let mut reach = tree.literal(at).map_or(Classes::default(), |(atom, negated)| {
                let clause = &clauses[usize::from(atom)];
                let mut classes = Classes::default();
                if !negated || clause.verb.is_some() {
                    classes.0 |= Classes::LITERAL.0;
                    classes.0 |= if negated { 0 } else { Classes::AFFIRMED.0 };
                    classes.0 |= if negated || !clause.has_noun() { 0 } else { Classes::NOMINAL.0 };
                    if clause.has_infinitive() {
                        classes.0 |= Classes::INFINITIVE.0;
                        classes.0 |= if negated { 0 } else { Classes::AFFIRMATIVE.0 };
                    }
                }
                classes
            });
            let mut choices = Vec::new();
            if !matches!(tree.nodes[at], Node::Atom(_)) {
                for &index in constructions().of(tree, at) {
                    let construction = &constructions().all[index];
                    let Some(operands) = construction.matches(tree, at) else {
                        continue;
                    };
                    if plan.allows(construction, &operands, tree, clauses) {
                        reach.0 |= construction.class.0;
                        choices.push(Choice { construction, operands });
                    }
                }
            }
            plan.choices.push(choices);
            plan.reach.push(reach);
        }
        plan
    }

    fn allows(&self, of: &Construction, operands: &[usize; 4], tree: &Tree, clauses: &[Clause]) -> bool {
        let atom = |operand: usize| match tree.nodes[operands[operand]] {
            Node::Atom(atom) => Some(&clauses[usize::from(atom)]),
            _ => None,
        };
        // "Sale en vez de salir" is no way of saying p ∧ ¬p.
        if of.same_subject && atom(0).is_some_and(|a| atom(1).is_some_and(|b| std::ptr::eq(a, b))) {
            return false;
        }
        let mut subject = None;
        let mut sharing: Option<Share> = None;
        for segment in &of.segments {
            let Segment::Slot(slot) = segment else { continue };
            if slot.share == Share::Whole {
                let node = operands[slot.operand];
                if !slot.negation.is_empty() {
                    let negatable = match tree.literal(node) {
                        Some((atom, false)) => clauses[usize::from(atom)].verb.is_some(),
                        Some((_, true)) => slot.negation == "tampoco",
                        None => false,
                    };
                    if !negatable {
                        return false;
                    }
                } else if !self.reach[node].meets(slot.accepts) {
                    return false;
                }
                if of.same_subject || matches!(slot.mood, Mood::Infinitive | Mood::Generic) {
                    let Some((atom, _)) = tree.literal(node) else {
                        return false;
                    };
                    let clause = &clauses[usize::from(atom)];
                    if !clause.has_infinitive() {
                        return false;
                    }
                    if of.same_subject && *subject.get_or_insert(clause.subject_id) != clause.subject_id {
                        return false;
                    }
                }
            } else if !matches!(slot.share, Share::Head) && sharing != Some(Share::Lo) {
                sharing = Some(slot.share);
            }
        }
        let object = |c: &Clause| matches!(c.complement, Complement::Object(..));
        match sharing {
            None => true,
            Some(share) => match (atom(0), atom(1)) {
                (Some(a), Some(b)) => differ_only(a, b, share) && (!of.objects || object(a) && object(b)),
                _ => false,
            },
        }
    }
}

/// Whether two clauses are the same but for the part that stands for the second.
fn differ_only(a: &Clause, b: &Clause, share: Share) -> bool {
    let modal = |c: &Clause| c.periphrasis.map(|p| (p.verb.infinitive.as_str(), p.gerund));
    if a.verb.is_none() || b.verb.is_none() || modal(a) != modal(b) || a.passive != b.passive {
        return false;
    }
    let same_verb = a.verb_id == b.verb_id;
    match share {
        Share::Complement => {
            same_verb
                && a.subject_id == b.subject_id
                && a.complement_id != b.complement_id
                && a.dative.is_none()
        }
        Share::Rest => {
            a.periphrasis.is_some()
                && a.subject_id == b.subject_id
                && !same_verb
                && !a.inverted
                && a.dative.is_none()
        }
        Share::Postposed => same_but_subject(a, b) && a.subject_last() && b.subject_last(),
        Share::Lo => same_but_subject(a, b) && a.is_predicate(),
        Share::JointVerb | Share::JointComplement => {
            let predicate =
                |c: &Clause| matches!(c.complement, Complement::Predicate(_) | Complement::Agreeing(_));
            same_but_subject(a, b) && predicate(a) && a.periphrasis.is_none()
        }
        _ => same_but_subject(a, b),
    }
}

fn same_but_subject(a: &Clause, b: &Clause) -> bool {
    let third = |c: &Clause| {
        matches!(c.person(), Person::El | Person::Ellos)
            && c.subject.as_ref().is_some_and(|s| !s.words.is_empty())
    };
    a.verb_id == b.verb_id
        && a.complement_id == b.complement_id
        && a.subject_id != b.subject_id
        && third(a)
        && third(b)
        && a.same_object.is_none()
        && b.same_object.is_none()
}
