//! Text that cannot spell a fixed token: every such token has a `<` or is a connective.

/// Symbols that tokens are made of, and the look-alikes that stand for them in a sentence.
const LOOK_ALIKES: [(char, char); 6] =
    [('<', '‹'), ('∧', '⋀'), ('∨', '⋁'), ('¬', '￢'), ('→', '⟶'), ('↔', '⟷')];

/// The character, or its look-alike.
pub(crate) fn harmless(c: char) -> char {
    // Most characters are letters.
    if c.is_ascii() && c != '<' {
        return c;
    }
    LOOK_ALIKES.iter().find(|(symbol, _)| *symbol == c).map_or(c, |&(_, look_alike)| look_alike)
}

/// Appends the text with its look-alikes and single spaces; `bar` stands for the bars in it.
pub(super) fn push_harmless(out: &mut String, text: &str, bar: char) {
    let mut gap = false;
    let start = out.len();
    for c in text.chars() {
        if c.is_whitespace() {
            gap = out.len() > start;
            continue;
        }
        if std::mem::take(&mut gap) {
            out.push(' ');
        }
        out.push(if c == '|' { bar } else { harmless(c) });
    }
}

/// Undoes [`harmless`] in an answer about `input`: look-alikes that the sentence itself does not have are symbols.
pub(super) fn restored(text: &str, input: &str) -> String {
    let symbol = |c: char| LOOK_ALIKES.iter().find(|(_, look_alike)| *look_alike == c && !input.contains(c));
    text.chars().map(|c| symbol(c).map_or(c, |&(symbol, _)| symbol)).collect()
}
