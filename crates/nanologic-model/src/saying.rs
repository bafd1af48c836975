//! A formula said back in Spanish, word for word from its glossary: for a reader to check, not for style.

use std::collections::BTreeMap;

use logic_parser::{Connective, Formula, Leaf};

/// The formula in Spanish, with the atoms as the glossary says them; an atom it lacks shows as its letter.
///
/// ```
/// use nanologic_model::say_back;
///
/// let formula = "p ∧ ¬q → r".parse()?;
/// let atoms = [("p", "llueve"), ("q", "llevo paraguas"), ("r", "me mojo")];
/// let atoms = atoms.map(|(letter, text)| (letter.to_owned(), text.to_owned())).into();
/// assert_eq!(say_back(&formula, &atoms), "si llueve y no es cierto que llevo paraguas, entonces me mojo");
/// # Ok::<(), logic_parser::ParseError>(())
/// ```
pub fn say_back(formula: &Formula, atoms: &BTreeMap<String, String>) -> String {
    let leaf = |leaf| {
        let text = match leaf {
            Leaf::Atom(id) => atoms.get(formula.name(id)).map_or(formula.name(id), String::as_str),
            Leaf::Top => "siempre",
            Leaf::Bottom => "nunca",
        };
        Phrase { text: text.to_owned(), binds: Binds::Clause }
    };
    let not = |operand: Phrase| Phrase {
        text: format!("no es cierto que {}", operand.within(Binds::Clause)),
        binds: Binds::Clause,
    };
    let binary = |connective, left: Phrase, right: Phrase| {
        let least = match connective {
            Connective::And | Connective::Or | Connective::Xor => Binds::Clause,
            Connective::Implies | Connective::Iff => Binds::Joined,
        };
        let (left, right) = (left.within(least), right.within(least));
        match connective {
            Connective::And => Phrase { text: format!("{left} y {right}"), binds: Binds::Joined },
            Connective::Or => Phrase { text: format!("{left} o {right}"), binds: Binds::Joined },
            Connective::Xor => Phrase { text: format!("o bien {left} o bien {right}"), binds: Binds::Joined },
            Connective::Implies => {
                Phrase { text: format!("si {left}, entonces {right}"), binds: Binds::Whole }
            }
            Connective::Iff => Phrase { text: format!("{left} si y solo si {right}"), binds: Binds::Whole },
        }
    };
    formula.fold(leaf, not, binary).text
}

/// How closely a phrase holds together: a whole conditional, clauses joined by *y* or *o*, one clause.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binds {
    Whole,
    Joined,
    Clause,
}

struct Phrase {
    text: String,
    binds: Binds,
}

impl Phrase {
    /// Its text where at least `least` is needed: in brackets if it is looser.
    fn within(self, least: Binds) -> String {
        if self.binds < least { format!("({})", self.text) } else { self.text }
    }
}
