//! When two texts count as the same.

use std::{collections::HashSet, sync::LazyLock};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::words;

/// A word in lower case without accents: `Sólo` and `solo` are one.
///
/// ```
/// assert_eq!(data_pipeline::normal::word("Sólo"), "solo");
/// ```
pub fn word(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    word.nfd().filter(|&c| !is_combining_mark(c)).flat_map(char::to_lowercase).collect()
}

/// A sentence as its normal words, without punctuation.
///
/// ```
/// use data_pipeline::normal::sentence;
///
/// assert_eq!(sentence("Sólo si  llueve, me mojo."), sentence("solo si llueve me mojo"));
/// ```
pub fn sentence(text: &str) -> String {
    normal_words(text).collect::<Vec<_>>().join(" ")
}

/// The words of a sentence that carry its content, in order: neither punctuation nor articles, pronouns,
/// prepositions, connectives, or forms of *ser*, *estar* and *haber*.
///
/// ```
/// assert_eq!(data_pipeline::normal::content_words("Si el gato no ha comido, maúlla."), ["gato", "comido", "maulla"]);
/// ```
pub fn content_words(text: &str) -> Vec<String> {
    normal_words(text).filter(|word| !FUNCTION_WORDS.contains(word.as_str())).collect()
}

fn normal_words(text: &str) -> impl Iterator<Item = String> {
    words(text).into_iter().filter(|word| word.chars().any(char::is_alphanumeric)).map(word)
}

/// A sentence with its content words masked: how it is built, not what it speaks of.
///
/// ```
/// assert_eq!(data_pipeline::normal::skeleton("Si el gato no ha comido, maúlla."), "si el _ no ha _ , _ .");
/// ```
pub fn skeleton(text: &str) -> String {
    let mut skeleton = String::new();
    for token in words(text) {
        if !skeleton.is_empty() {
            skeleton.push(' ');
        }
        let normal = word(token);
        let content = normal.chars().any(char::is_alphanumeric) && !FUNCTION_WORDS.contains(normal.as_str());
        skeleton.push_str(if content { "_" } else { &normal });
    }
    skeleton
}

/// A hash that says whether two texts are equal.
pub(crate) fn fingerprint(text: &str) -> u64 {
    first_bits(&blake3::hash(text.as_bytes()))
}

/// A number from 0 to 1 that depends on nothing but its arguments: a seeded choice that no order of rows and no number
/// of threads can change.
pub(crate) fn draw(seed: u64, purpose: &str, text: &str) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(purpose.as_bytes()).update(&[0]).update(text.as_bytes());
    (first_bits(&hasher.finalize()) >> 11) as f64 / (1_u64 << 53) as f64
}

fn first_bits(hash: &blake3::Hash) -> u64 {
    u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"))
}

static FUNCTION_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "
    a al algo alguien ambas ambos ante aquel aquella aun aunque basta bien cada caso cierto como con
    condicion contra cual cuando da de debe del desde donde el ella ellas ellos embargo en entonces entre
    era eran eres es esa ese eso esta estaba estamos estan estar estas este esten esto estoy falso fue fuera
    fueron ha haber habia habra hace han has hasta hay haya hayan he hemos la las le les lo los luego mas me
    menos mi mientras mis muy necesaria necesario ni no nos o para pero por porque pues que quien se sea
    sean ser sera seran si sido siempre sin sino sobre solamente solo somos son soy su suficiente sus
    tambien tampoco tanto te tu tus u un una unas unicamente unos verdad vez y ya yo"
        .split_whitespace()
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_spread_evenly_and_depend_on_the_seed() {
        let below = (0..1_000).filter(|i| draw(1, "test", &i.to_string()) < 0.3).count();
        assert!((250..350).contains(&below), "{below}");
        assert_eq!(draw(1, "test", "a"), draw(1, "test", "a"));
        assert_ne!(draw(1, "test", "a"), draw(2, "test", "a"));
        assert_ne!(draw(1, "test", "a"), draw(1, "other", "a"));
    }

    #[test]
    fn function_words_are_normal() {
        assert!(FUNCTION_WORDS.iter().all(|text| word(text) == *text));
    }
}
