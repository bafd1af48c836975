//! The guides' questions about concepts, by age, as data.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// A question with places for concepts: `{concepto}`, or `{concepto1}` and `{concepto2}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConceptQuestion {
    /// First age it is asked at.
    pub from_age: u8,
    /// Last age; none when it is asked ever after.
    pub to_age: Option<u8>,
    /// The question.
    pub template: String,
    /// Who thought of it: the guides (`guía`) or we (`propia`).
    pub source: String,
}

impl ConceptQuestion {
    /// The guides' four, and ours for the ages that they leave out (`data/concept_questions.json`), to be edited or replaced.
    pub fn all() -> Vec<ConceptQuestion> {
        serde_json::from_str(include_str!("../../data/concept_questions.json"))
            .expect("a file of this crate, read by its tests")
    }

    /// `count` different questions for an age about these concepts, or as many as there are.
    ///
    /// Nobody knows their answer beforehand: they find gaps by the rules for free text
    /// ([`FreeText::for_age`](crate::FreeText::for_age)), and what is then learned must come from a person or another source, never
    /// from the learner's own answer.
    ///
    /// ```
    /// use self_learning::ConceptQuestion;
    /// let asked = ConceptQuestion::ask(&ConceptQuestion::all(), 0, &["un algoritmo", "una regla"], 9, 7);
    /// assert_eq!(asked.len(), 4);
    /// assert!(asked.contains(&"¿Qué es un algoritmo?".to_owned()));
    /// ```
    pub fn ask(
        questions: &[ConceptQuestion],
        age: u8,
        concepts: &[&str],
        count: usize,
        seed: u64,
    ) -> Vec<String> {
        let of_age = |q: &&ConceptQuestion| q.from_age <= age && q.to_age.is_none_or(|last| age <= last);
        let mut all: Vec<String> = Vec::new();
        for question in questions.iter().filter(of_age) {
            for &first in concepts {
                let one = question.template.replace("{concepto}", first);
                if !one.contains("{concepto1}") && !one.contains("{concepto2}") {
                    all.push(one);
                    continue;
                }
                let pairs = concepts.iter().filter(|&&second| second != first);
                all.extend(
                    pairs.map(|second| one.replace("{concepto1}", first).replace("{concepto2}", second)),
                );
            }
        }
        all.sort();
        all.dedup();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for i in 0..count.min(all.len()) {
            let j = rng.random_range(i..all.len());
            all.swap(i, j);
        }
        all.truncate(count);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_age_has_questions_and_the_guides_are_among_them() {
        let all = ConceptQuestion::all();
        let concepts = ["la lógica", "el lenguaje", "la prueba"];
        for age in [0, 1, 2, 3, 5, 6, 11, 13, 15, 40] {
            let asked = ConceptQuestion::ask(&all, age, &concepts, 1000, 1);
            assert!(asked.len() >= 6, "age {age}");
            assert!(asked.iter().all(|question| !question.contains(['{', '}'])), "{asked:?}");
        }
        let young = ConceptQuestion::ask(&all, 2, &concepts, 1000, 1);
        assert!(young.contains(&"¿Cómo se usa el lenguaje?".to_owned()));
        let old = ConceptQuestion::ask(&all, 3, &concepts, 1000, 1);
        assert!(old.contains(&"¿Cómo se relaciona la lógica con la prueba?".to_owned()));
        assert!(!old.iter().any(|question| question.contains("se usa")));
    }

    #[test]
    fn the_seed_draws_and_one_concept_makes_no_pair() {
        let all = ConceptQuestion::all();
        let ask = |seed| ConceptQuestion::ask(&all, 3, &["a", "b", "c", "d"], 5, seed);
        assert_eq!(ask(1), ask(1));
        assert_ne!(ask(1), ask(2));
        assert_eq!(ConceptQuestion::ask(&all, 3, &["a"], 9, 1), ["¿Cuáles son las ventajas de a?"]);
        assert!(ConceptQuestion::ask(&all, 3, &[], 9, 1).is_empty());
    }
}
