use std::collections::HashSet;

use crate::{
    Reason, Row, Step, gold,
    normal::{content_words, fingerprint, sentence},
};

/// The number of content words in a row that two texts may not share.
const RUN: usize = 5;

/// The sentences of an evaluation set and their runs of five content words, to hold other texts against.
///
/// ```
/// use data_pipeline::dedup::WordRuns;
///
/// let runs = WordRuns::of(["Si el perro negro del vecino ladra fuerte, me despierto.", "No llueve"]);
/// assert!(runs.share_a_run("El perro negro de mi vecino ladra fuerte."));
/// assert!(!runs.share_a_run("El perro negro ladra fuerte."));
/// assert!(runs.contain("no llueve."));
/// ```
#[derive(Clone, Debug, Default)]
pub struct WordRuns {
    sentences: HashSet<u64>,
    runs: HashSet<u64>,
}

impl WordRuns {
    /// The sentences and runs of these texts.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> WordRuns {
        let mut known = WordRuns::default();
        for text in texts {
            known.sentences.insert(fingerprint(&sentence(text)));
            known.runs.extend(runs(text));
        }
        known
    }

    /// Whether `text` is one of the sentences.
    pub fn contain(&self, text: &str) -> bool {
        self.sentences.contains(&fingerprint(&sentence(text)))
    }

    /// Whether `text` shares five content words in a row with one of the sentences.
    pub fn share_a_run(&self, text: &str) -> bool {
        runs(text).iter().any(|run| self.runs.contains(run))
    }
}

fn runs(text: &str) -> Vec<u64> {
    content_words(text).windows(RUN).map(|run| fingerprint(&run.join(" "))).collect()
}

/// Keeps out what the gold set says, so that no model is examined on what it was taught.
#[derive(Clone, Debug)]
pub struct GoldOverlap {
    gold: WordRuns,
}

impl Default for GoldOverlap {
    fn default() -> GoldOverlap {
        let sentences = gold::sentences().into_iter().map(|row| row.input);
        let arguments =
            gold::arguments().into_iter().flat_map(|a| a.premises_nl.into_iter().chain([a.conclusion_nl]));
        let texts: Vec<String> = sentences.chain(arguments).collect();
        GoldOverlap { gold: WordRuns::of(texts.iter().map(String::as_str)) }
    }
}

impl Step for GoldOverlap {
    fn name(&self) -> &'static str {
        "keep the gold set unseen"
    }

    fn apply(&self, row: Row) -> Result<Row, Reason> {
        let shared = self.gold.contain(&row.input) || self.gold.share_a_run(&row.input);
        if shared { Err(Reason::OverlapsGold) } else { Ok(row) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_gold_sentence_passes() {
        let step = GoldOverlap::default();
        for row in gold::sentences() {
            assert_eq!(step.apply(row).unwrap_err(), Reason::OverlapsGold);
        }
        let other = Row { input: "Si el capitán silba, los remeros descansan.".into(), ..Row::default() };
        assert!(step.apply(other).is_ok());
    }
}
