//! `test_data/ok` and `test_data/err`: what is read from a text, beside the text.
//!
//! `UPDATE_EXPECT=1 cargo test -p logic-parser golden` writes what is read now; the difference says what changed.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use logic_parser::{Formula, Node, Notation, ParseError};

#[test]
fn good_texts_give_their_trees() {
    check("ok", |text| {
        let formula = Formula::parse(text).map_err(|error| error.to_string())?;
        Ok(format!("{formula}\n{}\n\n{}", formula.display(Notation::Spanish), tree(&formula)))
    });
}

#[test]
fn bad_texts_give_their_mistakes() {
    check("err", |text| match Formula::parse(text) {
        Ok(formula) => Err(format!("read as {formula}")),
        Err(error) => Ok(format!("{error}\n\n{}", spans(&error))),
    });
}

/// Compares what `read` makes of each text of the folder with the file beside it.
fn check(folder: &str, read: impl Fn(&str) -> Result<String, String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("test_data").join(folder);
    let entries = fs::read_dir(&folder).expect("the folder is part of the crate");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut texts: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|it| it == "txt")).collect();
    texts.sort();
    assert!(texts.len() > 15, "{}", texts.len());
    for path in texts {
        let text = fs::read_to_string(&path).expect("UTF-8");
        let found = read(&text).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()));
        expect_file![path.with_extension("expected")].assert_eq(&found);
    }
}

/// One node a line, operands below their connective.
fn tree(formula: &Formula) -> String {
    let starts = formula.starts();
    let mut text = String::new();
    let mut open = vec![(formula.nodes().len() - 1, 0)];
    while let Some((index, depth)) = open.pop() {
        let label = match formula.nodes()[index] {
            Node::Atom(id) => formula.name(id).to_owned(),
            Node::Top => "⊤".to_owned(),
            Node::Bottom => "⊥".to_owned(),
            Node::Not => "¬".to_owned(),
            Node::Binary(connective) => connective.symbol().to_string(),
        };
        writeln!(text, "{:1$}{label}", "", 2 * depth).expect("writing to a string");
        match formula.nodes()[index] {
            Node::Not => open.push((index - 1, depth + 1)),
            Node::Binary(_) => {
                open.extend([(index - 1, depth + 1), (starts[index - 1] as usize - 1, depth + 1)])
            }
            _ => {}
        }
    }
    text
}

/// What a program sees of the error: kinds, and where in bytes and in characters.
fn spans(error: &ParseError) -> String {
    let lines = error.diagnostics().iter().map(|mistake| {
        let (bytes, characters) = (mistake.span.range(), mistake.characters.range());
        format!(
            "{} at bytes {bytes:?}, characters {characters:?}: expected {}\n",
            mistake.kind.id(),
            mistake.expected
        )
    });
    lines.collect()
}
