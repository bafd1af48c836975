//! What a teacher would want to see of a corpus, as Markdown.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
};

use super::Manifest;
use crate::{Complexity, Distribution, Row, arena::Texts, normal::fingerprint, vocabulary::CONNECTIVES};

/// Rows shown of each degree of complexity.
const SHOWN: usize = 8;

/// How many skeletons are listed.
const SKELETONS: usize = 12;

/// What the rows of a corpus look like, collected while they pass.
#[derive(Default)]
pub(super) struct Examples {
    rows: usize,
    /// By connective and phrase: how many rows say it so, and one of them, chosen by lot.
    constructions: BTreeMap<(String, String), (usize, u64, String)>,
    /// By skeleton: how many rows are built so, and the number of its text.
    skeletons: HashMap<u64, (u32, u32)>,
    texts: Texts,
    /// The rows with the lowest lots.
    shown: BTreeMap<Complexity, BTreeMap<u64, Row>>,
}

impl Examples {
    pub(super) fn add(&mut self, row: Row, skeleton: &str, lot: u64) {
        self.rows += 1;
        let next = self.skeletons.len() as u32;
        let (count, _) = self.skeletons.entry(fingerprint(skeleton)).or_insert_with(|| {
            self.texts.push(skeleton);
            (0, next)
        });
        *count += 1;
        for (symbol, phrase) in &row.connectors {
            let key = (symbol.clone(), phrase.clone());
            let (count, lowest, example) =
                self.constructions.entry(key).or_insert((0, u64::MAX, String::new()));
            *count += 1;
            if lot < *lowest {
                *lowest = lot;
                example.clone_from(&row.input);
            }
        }
        let shown = self.shown.entry(row.complexity).or_default();
        if shown.len() < SHOWN || shown.last_key_value().is_some_and(|(&last, _)| lot < last) {
            shown.insert(lot, row);
            if shown.len() > SHOWN {
                shown.pop_last();
            }
        }
    }

    /// The largest share of all sentences that are built alike.
    pub(super) fn largest_skeleton(&self) -> f64 {
        let largest = self.skeletons.values().map(|&(count, _)| count).max().unwrap_or(0);
        f64::from(largest) / self.rows.max(1) as f64
    }

    pub(super) fn report(&self, manifest: &Manifest) -> String {
        let mut text = String::new();
        self.write(&mut text, manifest).expect("a string takes any text");
        text
    }

    fn write(&self, out: &mut String, manifest: &Manifest) -> std::fmt::Result {
        let came = manifest.steps.first().map_or(0, |step| step.rows);
        writeln!(out, "# A corpus of Spanish sentences and their formulas\n")?;
        writeln!(
            out,
            "{} sentences came in ({}), {} are in the corpus. No sentence and no pattern of test or validation is in \
             train. Made by version {}.\n",
            thousands(came),
            manifest.source,
            thousands(self.rows),
            manifest.code
        )?;
        writeln!(out, "| | |\n|---|---|")?;
        writeln!(
            out,
            "| exact repeats among the sentences that came in | {:.2} % |",
            100.0 * manifest.exact_repeats()
        )?;
        writeln!(
            out,
            "| different ways of building a sentence, content words aside | {} |",
            thousands(self.skeletons.len())
        )?;
        writeln!(
            out,
            "| largest share of sentences built alike | {:.2} % |",
            100.0 * self.largest_skeleton()
        )?;
        writeln!(out, "| different phrases for the connectives | {} |\n", self.constructions.len())?;

        writeln!(
            out,
            "## What it is made of\n\nIn per cent of the sentences of each side; on the right what the NanoLogic notes report of their corpus.\n"
        )?;
        let sides =
            ["train", "val", "test"].iter().filter_map(|&name| Some((name, manifest.sides.get(name)?)));
        writeln!(out, "```text\n{}```\n", Distribution::table(&sides.collect::<Vec<_>>()))?;

        writeln!(out, "## What sentences look like\n\nChosen by lot, {SHOWN} of each degree.\n")?;
        for (complexity, rows) in &self.shown {
            writeln!(out, "### {complexity:?}\n")?;
            for row in rows.values() {
                let glossary: Vec<String> =
                    row.atoms.iter().map(|(atom, said)| format!("*{atom}*: {}", plain(said))).collect();
                writeln!(out, "- {}  \n  `{}` · {}", plain(&row.input), row.formula, glossary.join(" · "))?;
            }
            writeln!(out)?;
        }

        writeln!(
            out,
            "## How each connective is said\n\nEvery phrase with the number of sentences that use it and one of them, chosen by lot. Where a sentence says a connective twice, its first phrase counts.\n"
        )?;
        for symbol in CONNECTIVES {
            let mut phrases: Vec<_> =
                self.constructions.iter().filter(|((connective, _), _)| connective == symbol).collect();
            if phrases.is_empty() {
                continue;
            }
            phrases.sort_by_key(|(_, (count, ..))| std::cmp::Reverse(*count));
            writeln!(
                out,
                "### {symbol}: {} phrases\n\n| sentences | phrase | for example |\n|---:|---|---|",
                phrases.len()
            )?;
            for ((_, phrase), (count, _, example)) in phrases {
                writeln!(out, "| {} | {} | {} |", thousands(*count), plain(phrase), plain(example))?;
            }
            writeln!(out)?;
        }

        writeln!(
            out,
            "## The commonest ways of building a sentence\n\nContent words are masked.\n\n| share | sentences | skeleton |\n|---:|---:|---|"
        )?;
        let mut skeletons: Vec<&(u32, u32)> = self.skeletons.values().collect();
        skeletons.sort_unstable_by_key(|&&(count, text)| (std::cmp::Reverse(count), text));
        for &&(count, text) in skeletons.iter().take(SKELETONS) {
            let share = 100.0 * f64::from(count) / self.rows.max(1) as f64;
            let skeleton = self.texts.get(text).replace('_', "…");
            writeln!(out, "| {share:.2} % | {} | {} |", thousands(count as usize), plain(&skeleton))?;
        }

        writeln!(out, "\n## What was dropped\n\n| step | came in | stayed | why not |\n|---|---:|---:|---|")?;
        let made = manifest.made.iter().map(|step| (format!("made from train: {}", step.name), step));
        for (name, step) in manifest.steps.iter().map(|step| (step.name.clone(), step)).chain(made) {
            let why: Vec<String> = step
                .dropped
                .iter()
                .map(|(reason, count)| format!("{} {reason}", thousands(*count)))
                .collect();
            writeln!(
                out,
                "| {name} | {} | {} | {} |",
                thousands(step.rows),
                thousands(step.kept()),
                why.join("; ")
            )?;
        }
        let split = &manifest.split;
        writeln!(
            out,
            "\n{} of the {} patterns of test are equivalent to a pattern of train (`¬q → ¬p` to `p → q`); that is allowed, for \
             other sentences say them.",
            split.equivalent_in_train, split.patterns[2]
        )
    }
}

/// Text that Markdown takes for nothing else.
fn plain(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('<', "&lt;").replace('\n', " ")
}

/// `1 234 567`
fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1 000", "1 234 567"]);
    }
}
