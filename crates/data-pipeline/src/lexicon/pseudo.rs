//! Words that do not exist but could: real endings on invented stems. A reader trained on them learns to copy words it
//! has never met.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::noun::Noun;

const ONSETS: [&str; 32] = [
    "b", "c", "d", "f", "g", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "cr", "dr", "fl", "gr", "pl",
    "pr", "tr", "ch", "ll", "j", "h", "bl", "cl", "gl", "", "qu", "y",
];

fn syllable(rng: &mut ChaCha8Rng) -> String {
    let onset = ONSETS[rng.random_range(0..ONSETS.len())];
    let vowels = if onset == "qu" { "ei" } else { "aeiou" };
    let vowel = vowels.as_bytes()[rng.random_range(0..vowels.len())] as char;
    format!("{onset}{vowel}")
}

/// One or two open syllables and the consonants before the ending.
fn stem(rng: &mut ChaCha8Rng) -> String {
    const LAST: [&str; 22] = [
        "b", "c", "d", "f", "g", "l", "m", "n", "p", "r", "rr", "t", "v", "z", "nt", "rd", "st", "lt", "mb",
        "nd", "rm", "sc",
    ];
    let n = if rng.random_bool(0.6) { 2 } else { 1 };
    let mut text: String = (0..n).map(|_| syllable(rng)).collect();
    text.push_str(LAST[rng.random_range(0..LAST.len())]);
    text
}

pub fn noun(rng: &mut ChaCha8Rng) -> Noun {
    const ENDINGS: [(&str, &str); 14] = [
        ("el", "o"),
        ("la", "a"),
        ("la", "ación"),
        ("la", "idad"),
        ("el", "ador"),
        ("la", "adora"),
        ("el", "ismo"),
        ("el", "ón"),
        ("la", "ura"),
        ("el", "ero"),
        ("la", "era"),
        ("el", "al"),
        ("el", "ista"),
        ("la", "anza"),
    ];
    let (article, ending) = ENDINGS[rng.random_range(0..ENDINGS.len())];
    Noun::read(&format!("{article} {}{ending}", stem(rng)))
}

pub fn adjective(rng: &mut ChaCha8Rng) -> String {
    let ending = ["o", "o", "o", "ado", "ido", "oso", "able", "ible", "ante", "al", "ico", "ivo", "il"]
        [rng.random_range(0..13)];
    format!("{}{ending}", stem(rng))
}

/// An infinitive of the regular classes.
pub fn infinitive(rng: &mut ChaCha8Rng) -> String {
    let ending = ["ar", "ar", "ar", "ear", "izar", "ecer", "er", "ir"][rng.random_range(0..8)];
    let mut stem = stem(rng);
    if ending == "er" || ending == "ir" {
        let open = stem.trim_end_matches(|letter| !"aeiou".contains(letter)).len();
        stem.truncate(open);
        stem.push_str(["d", "nd", "b", "m", "t", "rr"][rng.random_range(0..6)]);
    }
    format!("{stem}{ending}")
}

/// A proper name with its gender's ending.
pub fn name(rng: &mut ChaCha8Rng) -> (String, bool) {
    let feminine = rng.random_bool(0.5);
    let ending =
        if feminine { ["a", "ia", "ina", "el"] } else { ["o", "io", "án", "és"] }[rng.random_range(0..4)];
    let text = format!("{}{ending}", stem(rng));
    let mut letters = text.chars();
    let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    (capital, feminine)
}
