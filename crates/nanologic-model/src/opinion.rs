//! Two readings of one sentence, by two kinds of readers: a model, and a program of rules. Where they agree they
//! are rarely wrong; where they do not, there is an assignment that tells their readings apart.

use std::collections::BTreeMap;

use data_pipeline::format::Answer;
use logic_parser::equivalent;
use logic_parser::score::{Glossed, align};

/// What a second reader makes of a first one's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// The formulas are equivalent, their atoms aligned by the words they are said with.
    Agrees,
    /// With each atom, by its words, true or false as it stands here, one formula is true and the other false.
    Differs(BTreeMap<String, bool>),
    /// The truth tables are too large to compare.
    Unknown,
}

impl Opinion {
    /// Compares two answers to the same sentence.
    ///
    /// ```
    /// use data_pipeline::format::Pointing;
    /// use nanologic_model::Opinion;
    ///
    /// let sentence = "Me mojo si llueve";
    /// let first = Pointing::read(sentence, "→ p q<|atoms|><3><3>;<0><1>")?;
    /// let second = Pointing::read(sentence, "→¬ p¬ q<|atoms|><0><1>;<3><3>")?;
    /// let other_way = Pointing::read(sentence, "→ p q<|atoms|><0><1>;<3><3>")?;
    /// assert_eq!(Opinion::of(&first, &second), Opinion::Agrees);
    /// let Opinion::Differs(apart) = Opinion::of(&first, &other_way) else { panic!() };
    /// assert_ne!(apart["llueve"], apart["Me mojo"]);
    /// # Ok::<(), data_pipeline::format::ReadError>(())
    /// ```
    pub fn of(first: &Answer, second: &Answer) -> Opinion {
        let alignment = align(&glossed(first), &glossed(second));
        // An atom that the first reader does not know keeps its own words, under a name that is no letter.
        let alone = |letter: &str| format!("{letter}{letter}");
        let renamed =
            second.formula.rename(|letter| alignment.get(letter).cloned().unwrap_or_else(|| alone(letter)));
        let says = |name: &str| {
            let second =
                || second.atoms.iter().find(|(letter, _)| alone(letter) == name).map(|(_, text)| text);
            first.atoms.get(name).or_else(second).map_or(name, String::as_str).to_owned()
        };
        match equivalent(&first.formula, &renamed) {
            logic_parser::Answer::Yes => Opinion::Agrees,
            logic_parser::Answer::No(apart) => {
                Opinion::Differs(apart.iter().map(|(name, value)| (says(name), value)).collect())
            }
            logic_parser::Answer::Unknown(_) => Opinion::Unknown,
        }
    }

    /// Whether both read the same.
    pub fn agrees(&self) -> bool {
        *self == Opinion::Agrees
    }
}

/// Whose reading to take, a model's or the rules': the rules', unless the sentence is odd by their grammar and the model is
/// sure.
///
/// `oddness` is that of [`Spanish::weigh`](data_pipeline::reader::Spanish::weigh), `probability` the model's of its
/// formula. Both bounds are round numbers that did well on `data_pipeline::gold` with an earlier model.
pub fn believe_model(oddness: f32, probability: f64) -> bool {
    const ODD: f32 = 1.0;
    const SURE: f64 = 0.8;
    oddness >= ODD && probability >= SURE
}

fn glossed(answer: &Answer) -> Glossed<'_> {
    Glossed { formula: &answer.formula, atoms: &answer.atoms }
}
