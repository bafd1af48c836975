//! Cutting a sentence into the words that the pointing format numbers.

/// The words of a sentence, in order: runs of non-space text, with the punctuation marks at either end of a run as
/// words of their own. Marks inside a run stay (`3,5`, `o'clock`).
///
/// ```
/// assert_eq!(data_pipeline::words("Si llueve, ¿me mojo?"), ["Si", "llueve", ",", "¿", "me", "mojo", "?"]);
/// assert_eq!(data_pipeline::words("mide 3,5 m."), ["mide", "3,5", "m", "."]);
/// ```
pub fn words(sentence: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for mut run in sentence.split_whitespace() {
        while let Some(mark) = run.chars().next().filter(|&c| is_mark(c)) {
            let (head, rest) = run.split_at(mark.len_utf8());
            words.push(head);
            run = rest;
        }
        let body = run.trim_end_matches(is_mark);
        if !body.is_empty() {
            words.push(body);
        }
        let tail = &run[body.len()..];
        words.extend(tail.char_indices().map(|(at, mark)| &tail[at..at + mark.len_utf8()]));
    }
    words
}

fn is_mark(c: char) -> bool {
    matches!(
        c,
        ',' | '.'
            | ';'
            | ':'
            | '…'
            | '¿'
            | '?'
            | '¡'
            | '!'
            | '('
            | ')'
            | '['
            | ']'
            | '"'
            | '«'
            | '»'
            | '“'
            | '”'
    )
}
