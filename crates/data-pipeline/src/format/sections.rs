//! The format of the NanoLogic notes: every part of an answer is a section of text behind its own special token.
//!
//! ```text
//! prompt   <|bos|><|input|> Si llueve me mojo <|output|>
//! answer   <|thought|> "si" indica implicación <|atoms|> p: llueve | q: me mojo <|connectors|> →: si <|formula|> p → q <|eos|>
//! ```
//!
//! A formula has a pair of brackets around every connective below another, `(p ∧ ¬q) → r`, so that nobody has to know
//! which binds tighter. In the first phase of training answers have a thought, in the second they do without (distillation).

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
};

use logic_parser::{Connective, Formula, Leaf, Node};

use super::{
    Answer, Format, FormatError, ReadError,
    harmless::{push_harmless, restored},
};
use crate::{Row, vocabulary::CONNECTIVES};

/// The notes' format, in either of its two phases.
///
/// ```
/// use data_pipeline::{Row, format::{Format, Sections}};
///
/// let row: Row = serde_json::from_str(
///     r#"{"input": "Si llueve me mojo", "formula": "p → q", "atoms": {"p": "llueve", "q": "me mojo"},
///         "connectors": {"→": "si"}}"#,
/// )?;
/// let answer = "<|atoms|> p: llueve | q: me mojo <|connectors|> →: si <|formula|> p → q <|eos|>";
/// assert_eq!(Sections::WithoutThought.answer(&row)?, answer);
/// let with_thought = Sections::WithThought.answer(&row)?;
/// assert_eq!(with_thought, format!(r#"<|thought|> "si" indica implicación {answer}"#));
///
/// let read = Sections::WithThought.read(&row.input, &with_thought)?;
/// assert_eq!(read.atoms, row.atoms);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sections {
    /// The first phase: the answer begins with the row's thought, or, if it has none, one made of its connectors.
    WithThought,
    /// The second phase.
    WithoutThought,
}

impl Sections {
    /// Prompt and answer in one line, as the notes' trainer reads them.
    ///
    /// # Errors
    ///
    /// Those of [`Format::prompt`] and [`Format::answer`].
    pub fn sequence(self, row: &Row) -> Result<String, FormatError> {
        self.sequence_of(row, &Formula::parse(&row.formula)?)
    }

    /// The same for a row whose formula has been parsed.
    pub(crate) fn sequence_of(self, row: &Row, formula: &Formula) -> Result<String, FormatError> {
        let mut sequence = String::with_capacity(3 * row.input.len() + 128);
        write_prompt(&mut sequence, &row.input)?;
        self.write_answer(&mut sequence, row, formula)?;
        Ok(sequence)
    }

    fn write_answer(self, out: &mut String, row: &Row, formula: &Formula) -> Result<(), FormatError> {
        if self == Sections::WithThought {
            out.push_str("<|thought|> ");
            push_harmless(out, &thought(row, formula), '|');
            out.push(' ');
        }
        out.push_str("<|atoms|> ");
        for (index, atom) in formula.atoms().into_iter().enumerate() {
            let text =
                row.atoms.get(atom).ok_or_else(|| FormatError::AtomNotFound { atom: atom.to_owned() })?;
            push_entry(out, index, atom, text);
        }
        out.push_str(" <|connectors|> ");
        let said = CONNECTIVES.into_iter().filter_map(|symbol| Some((symbol, phrase(row, symbol)?)));
        let mut none = true;
        for (index, (symbol, phrase)) in said.enumerate() {
            push_entry(out, index, symbol, &phrase);
            none = false;
        }
        out.push_str(if none { "<|formula|> " } else { " <|formula|> " });
        out.push_str(&bracketed(formula));
        out.push_str(" <|eos|>");
        Ok(())
    }

    /// Reads such a line back as a row, with or without a thought. The notes' older lines are understood too: broken at
    /// every section, without `<|bos|>`, with `<|end|>` for `<|eos|>`.
    ///
    /// # Errors
    ///
    /// Every [`ReadError`] of [`Format::read`].
    pub fn row(sequence: &str) -> Result<Row, ReadError> {
        let (_, rest) = cut(sequence, "<|input|>")?;
        let (input, answer) = cut(rest, "<|output|>")?;
        let input = input.split_whitespace().collect::<Vec<_>>().join(" ");
        let thought = answer.split_once("<|atoms|>").and_then(|(before, _)| before.split_once("<|thought|>"));
        let sections = if thought.is_some() { Sections::WithThought } else { Sections::WithoutThought };
        let Answer { formula, atoms, .. } = sections.read(&input, answer)?;
        let (_, rest) = cut(answer, "<|connectors|>")?;
        let (connectors, _) = cut(rest, "<|formula|>")?;
        let connectors = connectors.split('|').filter_map(|entry| {
            let (symbol, phrase) = entry.split_once(':')?;
            Some((symbol.trim().to_owned(), phrase.trim().replace("...", " … ")))
        });
        Ok(Row {
            input,
            formula: formula.to_string(),
            atoms,
            connectors: connectors.collect(),
            thought: thought.map(|(_, thought)| thought.trim().to_owned()).unwrap_or_default(),
            ..Row::default()
        })
    }
}

impl Format for Sections {
    fn prompt(&self, input: &str) -> Result<String, FormatError> {
        let mut prompt = String::with_capacity(input.len() + 32);
        write_prompt(&mut prompt, input)?;
        Ok(prompt)
    }

    fn answer(&self, row: &Row) -> Result<String, FormatError> {
        let mut answer = String::new();
        self.write_answer(&mut answer, row, &Formula::parse(&row.formula)?)?;
        Ok(answer)
    }

    fn read(&self, input: &str, answer: &str) -> Result<Answer, ReadError> {
        self.prompt(input)?;
        let (before, rest) = cut(answer, "<|atoms|>")?;
        let (atoms, rest) = cut(rest, "<|connectors|>")?;
        let (_, rest) = cut(rest, "<|formula|>")?;
        let in_place = match self {
            Sections::WithThought => before.trim_start().starts_with("<|thought|>"),
            Sections::WithoutThought => before.trim().is_empty(),
        };
        if !in_place {
            return Err(ReadError::SectionOutOfPlace { section: "<|atoms|>" });
        }
        let rest = rest.trim_end();
        let rest = rest.strip_suffix("<|eos|>").or_else(|| rest.strip_suffix("<|end|>")).unwrap_or(rest);
        let formula = Formula::parse(rest)?;
        let glossary = glossary(atoms, input)?;
        let used = formula.atoms();
        if used.len() != glossary.len() || !used.iter().all(|&atom| glossary.contains_key(atom)) {
            return Err(ReadError::AtomCount { expected: used.len(), found: glossary.len() });
        }
        Ok(Answer { formula, atoms: glossary, spans: BTreeMap::new() })
    }
}

fn cut<'a>(text: &'a str, section: &'static str) -> Result<(&'a str, &'a str), ReadError> {
    text.split_once(section).ok_or(ReadError::SectionOutOfPlace { section })
}

/// Reads `p: llueve | q: me mojo`.
fn glossary(text: &str, input: &str) -> Result<BTreeMap<String, String>, ReadError> {
    let mut glossary = BTreeMap::new();
    for entry in text.split('|').map(str::trim) {
        let bad = || ReadError::BadGlossary { entry: entry.to_owned() };
        let (atom, text) = entry.split_once(": ").ok_or_else(bad)?;
        if glossary.insert(atom.to_owned(), restored(text, input)).is_some() {
            return Err(bad());
        }
    }
    Ok(glossary)
}

/// The row's thought, or what its connectors say, from the root of the formula down.
fn thought(row: &Row, formula: &Formula) -> String {
    if !row.thought.is_empty() {
        return row.thought.clone();
    }
    let mut thoughts: Vec<String> = Vec::new();
    let mut ahead = vec![formula.nodes().len() - 1];
    let starts = formula.starts();
    while let Some(index) = ahead.pop() {
        let (symbol, name) = match formula.nodes()[index] {
            Node::Not => {
                ahead.push(index - 1);
                ('¬', "negación")
            }
            Node::Binary(connective) => {
                ahead.extend([index - 1, starts[index - 1] as usize - 1]);
                (connective.symbol(), name(connective))
            }
            Node::Atom(_) | Node::Top | Node::Bottom => continue,
        };
        let said = phrase(row, symbol.encode_utf8(&mut [0; 4]));
        thoughts.extend(said.map(|phrase| format!("\"{phrase}\" indica {name}")));
    }
    let mut seen = HashSet::new();
    thoughts.retain(|thought| seen.insert(thought.clone()));
    if thoughts.is_empty() { "no hay conectivos".to_owned() } else { thoughts.join(", ") }
}

fn name(connective: Connective) -> &'static str {
    match connective {
        Connective::And => "conjunción",
        Connective::Or => "disyunción",
        Connective::Implies => "implicación",
        Connective::Iff => "equivalencia",
        Connective::Xor => "disyunción exclusiva",
    }
}

/// The formula with a pair of brackets around every connective below another.
fn bracketed(formula: &Formula) -> String {
    let inner = |(text, binary): (String, bool)| if binary { format!("({text})") } else { text };
    let leaf = |leaf| match leaf {
        Leaf::Atom(id) => formula.name(id).to_owned(),
        Leaf::Top => "⊤".to_owned(),
        Leaf::Bottom => "⊥".to_owned(),
    };
    let (text, _) = formula.fold(
        |symbol| (leaf(symbol), false),
        |operand| (format!("¬{}", inner(operand)), false),
        |connective, left, right| (format!("{} {} {}", inner(left), connective.symbol(), inner(right)), true),
    );
    text
}

/// How the row says a connective, written as in the notes: `si...entonces`.
fn phrase<'a>(row: &'a Row, symbol: &str) -> Option<Cow<'a, str>> {
    row.connectors.get(symbol).map(|phrase| match phrase.contains('…') {
        true => phrase.replace(" … ", "...").into(),
        false => phrase.into(),
    })
}

fn write_prompt(out: &mut String, input: &str) -> Result<(), FormatError> {
    out.push_str("<|bos|><|input|> ");
    let start = out.len();
    push_harmless(out, input, '|');
    if out.len() == start {
        return Err(FormatError::NoWords);
    }
    out.push_str(" <|output|>");
    Ok(())
}

/// One of a list of entries with bars between them.
fn push_entry(out: &mut String, index: usize, name: &str, text: &str) {
    if index > 0 {
        out.push_str(" | ");
    }
    out.push_str(name);
    out.push_str(": ");
    push_harmless(out, text, '/');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Maker, Tokenizer, gold};

    #[test]
    fn the_example_of_the_notes() {
        let row = Row {
            input: "Si el server crashea y no hay backup, se pierden los datos".into(),
            formula: "(p ∧ ¬q) → r".into(),
            atoms: [("p", "el server crashea"), ("q", "hay backup"), ("r", "se pierden los datos")]
                .map(|(atom, text)| (atom.to_owned(), text.to_owned()))
                .into(),
            connectors: [("∧", "y"), ("¬", "no"), ("→", "si … entonces")]
                .map(|(symbol, phrase)| (symbol.to_owned(), phrase.to_owned()))
                .into(),
            ..Row::default()
        };
        let input = "<|bos|><|input|> Si el server crashea y no hay backup, se pierden los datos <|output|>";
        let thought = "<|thought|> \"si...entonces\" indica implicación, \"y\" indica conjunción, \"no\" indica negación ";
        let rest = "<|atoms|> p: el server crashea | q: hay backup | r: se pierden los datos \
                    <|connectors|> ∧: y | ¬: no | →: si...entonces <|formula|> (p ∧ ¬q) → r <|eos|>";
        let (long, short) = (format!("{input}{thought}{rest}"), format!("{input}{rest}"));
        assert_eq!(Sections::WithThought.sequence(&row).unwrap(), long);
        assert_eq!(Sections::WithoutThought.sequence(&row).unwrap(), short);

        let plain = Row { formula: "p ∧ ¬q → r".into(), ..row.clone() };
        assert_eq!(Sections::row(&short).unwrap(), plain);
        let older = short.replace("<|bos|>", "").replace(" <|", "\n<|").replace("<|eos|>", "<|end|>\n");
        assert_eq!(Sections::row(&older).unwrap(), plain);
        let thought = Sections::row(&long).unwrap().thought;
        assert!(thought.starts_with("\"si...entonces\" indica implicación, "), "{thought}");
        assert_eq!(Sections::WithThought.sequence(&Row { thought, ..plain }).unwrap(), long);
    }

    #[test]
    fn every_connective_below_another_has_its_brackets() {
        for text in ["p", "¬¬p", "p → q", "(p ∧ q) ∧ r", "¬(p ∨ ¬q)", "p → (q → ¬(r ↔ s))", "(p ⊕ ⊤) ∧ ¬⊥"]
        {
            assert_eq!(bracketed(&text.parse().unwrap()), text);
        }
    }

    #[test]
    fn gold_and_made_rows_are_read_back_as_they_are() {
        let maker = Maker::new(1);
        let made = (0..300).map(|index| maker.row(index));
        for row in gold::sentences().into_iter().chain(made) {
            for phase in [Sections::WithThought, Sections::WithoutThought] {
                let read = phase.read(&row.input, &phase.answer(&row).unwrap()).unwrap();
                assert_eq!(read.formula, Formula::parse(&row.formula).unwrap());
                assert_eq!(read.atoms, row.atoms);
            }
        }
    }

    #[test]
    fn wrong_answers_have_their_errors() {
        use ReadError as E;
        let read = |answer: &str| Sections::WithoutThought.read("Llueve", answer).unwrap_err();
        let place = |section| E::SectionOutOfPlace { section };
        assert_eq!(read(""), place("<|atoms|>"));
        assert_eq!(read("<|atoms|> p: a <|formula|> p"), place("<|connectors|>"));
        assert_eq!(read("<|thought|> x <|atoms|> p: a <|connectors|> <|formula|> p"), place("<|atoms|>"));
        assert_eq!(
            read("<|atoms|> p a <|connectors|> <|formula|> p"),
            E::BadGlossary { entry: "p a".into() }
        );
        let twice = "<|atoms|> p: a | p: b <|connectors|> <|formula|> p";
        assert_eq!(read(twice), E::BadGlossary { entry: "p: b".into() });
        let unused = "<|atoms|> p: a | q: b <|connectors|> <|formula|> p";
        assert_eq!(read(unused), E::AtomCount { expected: 1, found: 2 });
        assert!(matches!(read("<|atoms|> p: a <|connectors|> <|formula|> p →"), E::Formula(_)));
        let phase_one = Sections::WithThought.read("Llueve", "<|atoms|> p: a <|connectors|> <|formula|> p");
        assert_eq!(phase_one, Err(place("<|atoms|>")));
    }

    #[test]
    fn symbols_in_the_sentence_come_back_from_their_look_alikes() {
        let row = Row {
            input: "Si x < 3 y a → b, <|eos|> sale".into(),
            formula: "p → q".into(),
            atoms: [("p".into(), "x < 3 y a → b".into()), ("q".into(), "<|eos|> sale".into())].into(),
            ..Row::default()
        };
        let answer = Sections::WithoutThought.answer(&row).unwrap();
        assert_eq!(answer.matches("<|").count(), 4);
        let read = Sections::WithoutThought.read(&row.input, &answer).unwrap();
        assert_eq!(read.atoms["p"], row.atoms["p"]);
        assert_eq!(read.atoms["q"], "</eos/> sale");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(answer in "(<\\|(atoms|connectors|formula|thought)\\|>|[p-r]: |[|∧→()]|\\PC){0,20}") {
            let _ = Sections::WithThought.read("Llueve", &answer);
            let _ = Sections::WithoutThought.read("Llueve", &answer);
        }
    }

    #[test]
    fn each_section_token_is_one_id() {
        let tokenizer = Tokenizer::train(["Si llueve me mojo"], 500).unwrap();
        let row = Row {
            input: "Llueve".into(),
            formula: "p".into(),
            atoms: [("p".into(), "llueve".into())].into(),
            ..Row::default()
        };
        let ids = tokenizer.encode(&Sections::WithThought.answer(&row).unwrap());
        assert!([6, 7, 8, 9, 2].iter().all(|id| ids.contains(id)));
    }
}
