//! Text compared by its words alone.

/// Words in lower case without accents, one space apart, marks left out.
pub(crate) fn fold(text: &str) -> String {
    let lower = text.to_lowercase();
    let plain = lower.chars().map(|c| match c {
        'á' => 'a',
        'é' => 'e',
        'í' => 'i',
        'ó' => 'o',
        'ú' | 'ü' => 'u',
        c if c.is_alphanumeric() => c,
        _ => ' ',
    });
    let plain: String = plain.collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
