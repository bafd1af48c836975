//! Rows whose formula was put together anew.

use logic_parser::Formula;

use crate::{Complexity, Row, WordSpan, vocabulary::LETTERS};

/// The row with this formula, whose atoms are keys of `atoms` and `spans`: all become p, q, r … by first mention.
/// `None` if there are too few letters or an atom has no glossary.
pub(super) fn relettered(row: Row, formula: &Formula) -> Option<Row> {
    let names = formula.atoms();
    if names.len() > LETTERS.len() {
        return None;
    }
    let letters = || names.iter().copied().zip(LETTERS.map(str::to_owned));
    let atoms = letters()
        .map(|(name, letter)| Some((letter, row.atoms.get(name)?.clone())))
        .collect::<Option<_>>()?;
    let spans = letters().filter_map(|(name, letter)| Some((letter, row.spans.get(name)?.clone()))).collect();
    let formula = formula.rename(|name| {
        let index = names.iter().position(|&atom| atom == name);
        LETTERS[index.expect("rename passes the formula's own atoms")].to_owned()
    });
    Some(Row {
        atoms,
        spans,
        pattern: formula.pattern().to_string(),
        complexity: Complexity::of(&formula),
        formula: formula.to_string(),
        ..row
    })
}

/// The span `by` words further on.
pub(super) fn shifted(span: WordSpan, by: usize) -> Option<WordSpan> {
    let shift = |index: u16| u16::try_from(usize::from(index).checked_add(by)?).ok();
    Some(WordSpan { first: shift(span.first)?, last: shift(span.last)? })
}
