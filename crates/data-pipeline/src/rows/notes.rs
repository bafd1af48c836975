//! The records of the NanoLogic notes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::NotARow;
use crate::{Complexity, Row, format::Sections};

/// A record in one of the shapes of the NanoLogic notes: the fields of their raw data, or the training line that their
/// trainer reads.
///
/// [`read_rows`](crate::read_rows) takes either for a row. Glossary and connectors may be an object, a list or one text
/// with bars between the entries.
///
/// ```
/// use data_pipeline::{NotesRecord, format::Sections};
///
/// let raw = r#"{"input": "Si llueve me mojo", "atoms": "p: llueve | q: me mojo", "connectors": ["→: si...entonces"],
///               "formula": "p → q", "complexity": "Simple", "domain": "Causal"}"#;
/// let row = serde_json::from_str::<NotesRecord>(raw)?.into_row()?;
/// assert_eq!((row.atoms["q"].as_str(), row.block.as_str()), ("me mojo", "Causal"));
///
/// let line = NotesRecord::training_line(&row, Sections::WithThought)?;
/// assert_eq!(
///     line.sequence.as_deref(),
///     Some("<|bos|><|input|> Si llueve me mojo <|output|><|thought|> \"si...entonces\" indica implicación \
///           <|atoms|> p: llueve | q: me mojo <|connectors|> →: si...entonces <|formula|> p → q <|eos|>")
/// );
/// assert_eq!(line.into_row()?.atoms, row.atoms);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NotesRecord {
    /// The whole training line, from `<|bos|>` to `<|eos|>`; the other fields may then be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<String>,
    #[serde(default, skip_serializing)]
    input: String,
    #[serde(default, skip_serializing)]
    formula: String,
    #[serde(default, skip_serializing)]
    atoms: Entries,
    #[serde(default, skip_serializing)]
    connectors: Entries,
    #[serde(default, skip_serializing)]
    thought: String,
    /// How hard the formula is.
    #[serde(default)]
    pub complexity: Complexity,
    /// The domain.
    #[serde(default, alias = "domain")]
    pub block: String,
}

/// `p: llueve`, in any of the ways in which records list such entries.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Entries {
    Object(BTreeMap<String, String>),
    List(Vec<String>),
    Text(String),
}

impl Default for Entries {
    fn default() -> Entries {
        Entries::Object(BTreeMap::new())
    }
}

impl Entries {
    fn named(self) -> BTreeMap<String, String> {
        let entry = |entry: &str| {
            let (name, text) = entry.split_once(':')?;
            Some((name.trim().to_owned(), text.trim().to_owned()))
        };
        match self {
            Entries::Object(entries) => entries,
            Entries::List(entries) => entries.iter().filter_map(|text| entry(text)).collect(),
            Entries::Text(text) => text.split('|').filter_map(entry).collect(),
        }
    }
}

impl NotesRecord {
    /// The training line of a row, as the notes' trainer reads it.
    ///
    /// # Errors
    ///
    /// Those of [`Sections`].
    pub fn training_line(row: &Row, sections: Sections) -> Result<NotesRecord, crate::format::FormatError> {
        Ok(NotesRecord::of(row, sections.sequence(row)?))
    }

    pub(crate) fn of(row: &Row, sequence: String) -> NotesRecord {
        NotesRecord {
            sequence: Some(sequence),
            complexity: row.complexity,
            block: row.block.clone(),
            ..NotesRecord::default()
        }
    }

    /// The record as a row.
    ///
    /// # Errors
    ///
    /// [`NotARow::Sequence`] where the training line cannot be read back, [`NotARow::Json`] where there is neither a
    /// line nor a sentence with its formula.
    pub fn into_row(self) -> Result<Row, NotARow> {
        let NotesRecord { sequence, input, formula, atoms, connectors, thought, complexity, block } = self;
        if let Some(sequence) = sequence {
            return Ok(Row { complexity, block, ..Sections::row(&sequence)? });
        }
        if input.is_empty() || formula.is_empty() {
            let missing = "neither a sequence nor an input with its formula";
            return Err(NotARow::Json(serde::de::Error::custom(missing)));
        }
        let said = |phrase: String| phrase.replace("...", " … ");
        let connectors = connectors.named().into_iter().map(|(symbol, phrase)| (symbol, said(phrase)));
        Ok(Row {
            input,
            formula,
            atoms: atoms.named(),
            connectors: connectors.collect(),
            thought,
            complexity,
            block,
            ..Row::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_without_sentence_is_no_row() {
        let row = |json: &str| serde_json::from_str::<NotesRecord>(json).unwrap().into_row();
        assert!(matches!(row("{}"), Err(NotARow::Json(_))));
        assert!(matches!(row(r#"{"input": "Llueve"}"#), Err(NotARow::Json(_))));
        assert!(matches!(row(r#"{"sequence": "Llueve"}"#), Err(NotARow::Sequence(_))));
    }

    #[test]
    fn entries_may_be_listed_in_three_ways() {
        for atoms in [r#"{"p": "llueve"}"#, r#"["p: llueve"]"#, r#""p: llueve""#, r#""p:llueve | ""#] {
            let json = format!(r#"{{"input": "Llueve", "formula": "p", "atoms": {atoms}}}"#);
            let row = serde_json::from_str::<NotesRecord>(&json).unwrap().into_row().unwrap();
            assert_eq!(row.atoms, [("p".to_owned(), "llueve".to_owned())].into(), "{atoms}");
        }
    }
}
