//! The second half of a corpus: the parts together, near repeats gone, split, train augmented and balanced, the files.
//!
//! The cleaned rows are read three times, a chunk at a time: once for what tells them apart, once to augment those of
//! train, once to write each to its side.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::{
    Corpus, CorpusError, Manifest, code_version,
    journal::{Done, Journal},
    part::{Part, as_line, writer},
    report::Examples,
};
use crate::{
    Complexity, Reason, Record, Row, Side, SplitKeys, StepReport, Tokenizer,
    augment::{compose, contrast, rewritings},
    balance,
    dedup::{Distinct, Exact, Near},
    distribution::{Count, count_in},
    format::harmless,
    normal::{draw, fingerprint},
    records,
    rows::write_atomically,
    split::Split,
    stream::in_order,
    words,
};

/// What stays in memory of a row of train, to balance it: its degree of complexity, its block and its lot.
#[derive(Clone, Copy)]
struct Weight {
    complexity: u16,
    block: u16,
    lot: u64,
}

/// Everything that has been kept so far, to compare new rows with.
#[derive(Default)]
struct Known {
    exact: Exact,
    near: Near,
    blocks: HashMap<String, u16>,
}

impl Known {
    fn weight(&mut self, complexity: Complexity, block: String, lot: u64) -> Weight {
        // More blocks than numbers share the last one.
        let next = u16::try_from(self.blocks.len()).unwrap_or(u16::MAX);
        Weight { complexity: complexity as u16, block: *self.blocks.entry(block).or_insert(next), lot }
    }
}

/// What becomes of a cleaned row.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Dropped,
    Kept(Side),
}

impl Corpus<'_> {
    /// Joins the parts that [`clean`](Corpus::clean) has made and writes `train.jsonl`, `val.jsonl`, `test.jsonl`,
    /// `tokenizer.json`, `report.md` and, last, `manifest.json` with the hashes of the others. Joined, any number of
    /// parts give the same files (but for the manifest's list of hashes of the source) as one.
    ///
    /// Rows are split before train is augmented, and what is made then is held against the other sides: so neither a
    /// sentence nor a pattern of test is ever in train.
    ///
    /// # Errors
    ///
    /// Every [`CorpusError`].
    pub fn join(&self, parts: u64) -> Result<Manifest, CorpusError> {
        let mut manifest = Manifest {
            code: code_version(),
            source: self.source.fingerprint()?,
            recipe: Some(*self.recipe),
            ..Manifest::default()
        };
        let files = self.add_up(parts, &mut manifest)?;
        let rows: u64 = manifest.steps.last().map_or(0, |exact| exact.kept() as u64);

        let mut known = Known::default();
        let (mut fates, mut weights, keys) = self.compare(&files, rows, &mut known, &mut manifest)?;
        let split = keys.split(self.recipe.shares, self.recipe.seed);
        let mut sides = split.sides.iter();
        for fate in fates.iter_mut().filter(|fate| **fate != Fate::Dropped) {
            *fate = Fate::Kept(*sides.next().expect("one side a kept row"));
        }
        manifest.split = split.report.clone();
        let train = fates.iter().filter(|fate| **fate != Fate::Dropped).zip(&weights);
        let train = train.filter(|(fate, _)| **fate == Fate::Kept(Side::Train)).map(|(_, weight)| *weight);
        weights = train.collect();

        let made_file = self.work().join("made.jsonl");
        self.augment(&files, &fates, &split, &mut known, &mut weights, &made_file, &mut manifest)?;
        drop((known, split));
        let stays = self.balanced(&weights, &mut manifest);
        if !stays.contains(&true) {
            return Err(CorpusError::NoRows);
        }
        self.write_sides(&files, &made_file, &fates, &stays, &mut manifest)?;
        self.learn_tokenizer(&mut manifest)?;
        let json = serde_json::to_string_pretty(&manifest).map_err(io::Error::from)?;
        write_atomically(&self.folder.join("manifest.json"), |file| writeln!(file, "{json}"))?;
        std::fs::remove_dir_all(self.work())?;
        Ok(manifest)
    }

    /// The files of all parts in order; their journals are added up in the manifest.
    fn add_up(&self, parts: u64, manifest: &mut Manifest) -> Result<Vec<PathBuf>, CorpusError> {
        let mut total: Option<Done> = None;
        let (mut files, mut input) = (Vec::new(), 0_u128);
        for number in 1..=parts {
            let part = Part { number, of: parts };
            let [rows, journal] = self.files_of(part);
            let bytes = std::fs::metadata(&rows).map_or(0, |file| file.len());
            let done = Journal::completed(&journal, &self.header_of(part)?, bytes);
            let done = done.ok_or(CorpusError::PartMissing(part))?;
            input = input.wrapping_add(u128::from_str_radix(&done.input, 16).unwrap_or(0));
            match &mut total {
                None => total = Some(done),
                Some(total) => {
                    total.read.merge(&done.read);
                    total.steps.merge(&done.steps);
                    total.exact.merge(&done.exact);
                }
            }
            files.push(rows);
        }
        let total = total.ok_or(CorpusError::NoRows)?;
        manifest.input = format!("{input:032x}");
        manifest.steps = [vec![total.read], total.steps.0, vec![total.exact]].concat();
        Ok(files)
    }

    /// Compares all rows with one another.
    fn compare(
        &self,
        files: &[PathBuf],
        rows: u64,
        known: &mut Known,
        manifest: &mut Manifest,
    ) -> Result<(Vec<Fate>, Vec<Weight>, SplitKeys), CorpusError> {
        let mut near = StepReport::new(Near::NAME);
        let mut repeated = StepReport::default();
        let (mut fates, mut weights, mut keys) = (Vec::new(), Vec::new(), SplitKeys::default());
        let key = |record: Record| {
            let row = record.into_row(Path::new("work"))?;
            let said = Near::key(&row);
            let sentence = fingerprint(said.sentence());
            let lot = self.lot(&row);
            Ok((Exact::key(&row), said, sentence, lot, row.pattern, row.complexity, row.block))
        };
        in_order(all(files)?, key, |chunk: Vec<Result<_, CorpusError>>| -> Result<(), CorpusError> {
            for key in chunk {
                let (exact, said, sentence, lot, pattern, complexity, block) = key?;
                // Two parts may have the same sentence.
                let mut kept = known.exact.admit(exact);
                repeated.count(kept);
                if kept.is_ok() {
                    kept = known.near.admit(said);
                    near.count(kept);
                }
                fates.push(if kept.is_ok() { Fate::Kept(Side::Train) } else { Fate::Dropped });
                if kept.is_ok() {
                    keys.push_key(&pattern, sentence);
                    weights.push(known.weight(complexity, block, lot));
                }
            }
            self.tell("comparing", fates.len() as u64, rows);
            Ok(())
        })?;
        if let Some(exact) = manifest.steps.last_mut() {
            for (reason, count) in repeated.dropped {
                *exact.dropped.entry(reason).or_default() += count;
            }
        }
        manifest.steps.push(near);
        Ok((fates, weights, keys))
    }

    /// Makes more rows from those of train. They pass the same steps, and what the other sides say is kept out.
    #[expect(clippy::too_many_arguments, reason = "one stage of a longer function")]
    fn augment(
        &self,
        files: &[PathBuf],
        fates: &[Fate],
        split: &Split,
        known: &mut Known,
        weights: &mut Vec<Weight>,
        made_file: &Path,
        manifest: &mut Manifest,
    ) -> Result<(), CorpusError> {
        let (recipe, steps) = (self.recipe, self.steps());
        let mut out = writer(made_file)?;
        let mut reports = ["composed of two rows", "contrasts", "equivalent formulas"].map(StepReport::new);
        // A simple row of each block, waiting for another.
        let mut waiting: BTreeMap<String, Row> = BTreeMap::new();
        let mut composed = 0;
        let mut done = 0;
        let chosen = |purpose, row: &Row, share| draw(recipe.seed, purpose, &row.input) < share;
        let make = |(record, fate): (Record, Fate)| {
            if fate != Fate::Kept(Side::Train) {
                return Ok(None);
            }
            let row = record.into_row(Path::new("work"))?;
            let contrast = if chosen("contrast", &row, recipe.contrasted) { contrast(&row) } else { None };
            let contrast = contrast.map(|row| steps.apply(row).map_err(|dropped| dropped.reason));
            let rewritten = rewritings(&row, recipe.rewritten);
            let composable = row.complexity == Complexity::Simple && chosen("compose", &row, recipe.composed);
            Ok(Some((contrast, rewritten, composable.then_some(row))))
        };
        let fated = all(files)?.zip(fates).map(|(record, fate)| Ok::<_, CorpusError>((record?, *fate)));
        in_order(fated, make, |chunk: Vec<Result<_, CorpusError>>| -> Result<(), CorpusError> {
            done += chunk.len() as u64;
            for made in chunk {
                let Some((contrast, rewritten, composable)) = made? else { continue };
                let pair = composable.and_then(|row| match waiting.remove(&row.block) {
                    Some(before) => {
                        composed += 1;
                        compose(&before, &row, composed - 1)
                    }
                    None => {
                        waiting.insert(row.block.clone(), row);
                        None
                    }
                });
                let pair = pair.map(|row| steps.apply(row).map_err(|dropped| dropped.reason));
                let new = pair.map(|row| (0, row)).into_iter().chain(contrast.map(|row| (1, row)));
                for (kind, row) in new.chain(rewritten.into_iter().map(|row| (2, Ok(row)))) {
                    let admitted = row.and_then(|row| {
                        split.guard(&row)?;
                        // Another formula for the same sentence is no repeat of it.
                        if kind < 2 {
                            known.exact.admit(Exact::key(&row))?;
                            known.near.admit(Near::key(&row))?;
                        }
                        Ok(row)
                    });
                    let report = &mut reports[kind];
                    match admitted {
                        Ok(row) => {
                            report.count(Ok(()));
                            out.write_all(&as_line(&row))?;
                            weights.push(known.weight(row.complexity, row.block.clone(), self.lot(&row)));
                        }
                        Err(reason) => report.count(Err(reason)),
                    }
                }
            }
            self.tell("augmenting train", done, fates.len() as u64);
            Ok(())
        })?;
        out.flush()?;
        manifest.made = reports.into();
        Ok(())
    }

    /// Which rows of train stay: first no degree of complexity has too many, then, of what is left, no block.
    fn balanced(&self, weights: &[Weight], manifest: &mut Manifest) -> Vec<bool> {
        let by_complexity = weights.iter().map(|weight| (weight.complexity, weight.lot));
        let mut stays = balance(by_complexity, self.recipe.most_of_a_complexity);
        let left: Vec<usize> = (0..stays.len()).filter(|&index| stays[index]).collect();
        // Lots of their own: the low ones would otherwise be those of a degree that has already given.
        let lot = |weight: &Weight| weight.lot.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
        let by_block = left.iter().map(|&index| (weights[index].block, lot(&weights[index])));
        let block_stays = balance(by_block, self.recipe.most_of_a_block);
        let reports = [
            ("balance complexity", weights.len(), left.len(), Reason::ComplexityHasTooMany),
            (
                "balance blocks",
                left.len(),
                block_stays.iter().filter(|stays| **stays).count(),
                Reason::BlockHasTooMany,
            ),
        ];
        for (name, rows, kept, reason) in reports {
            let dropped = Some((reason, rows - kept)).filter(|&(_, count)| count > 0).into_iter().collect();
            manifest.steps.push(StepReport { name: name.to_owned(), rows, dropped });
        }
        for (index, block_stays) in left.into_iter().zip(block_stays) {
            stays[index] = block_stays;
        }
        stays
    }

    /// Writes every row to its side.
    fn write_sides(
        &self,
        files: &[PathBuf],
        made_file: &Path,
        fates: &[Fate],
        stays: &[bool],
        manifest: &mut Manifest,
    ) -> Result<(), CorpusError> {
        let names = ["train", "val", "test"];
        let file = |name: &str| writer(&self.work().join(format!("{name}.jsonl")));
        let mut out = [file(names[0])?, file(names[1])?, file(names[2])?];
        let mut counts = [(); 3].map(|()| Count::default());
        let mut examples = Examples::default();
        let mut stays = stays.iter();
        let mut side_of = |fate: Fate| match fate {
            Fate::Dropped => None,
            Fate::Kept(Side::Train) => stays.next().expect("one a train row").then_some(0),
            Fate::Kept(Side::Val) => Some(1),
            Fate::Kept(Side::Test) => Some(2),
        };
        let made = all(&[made_file.to_owned()])?
            .map(|record| Ok::<_, CorpusError>((record?, Fate::Kept(Side::Train))));
        let clean = all(files)?.zip(fates).map(|(record, fate)| Ok::<_, CorpusError>((record?, *fate)));
        let understood = |(record, fate): (Record, Fate)| {
            let line = record.json().to_vec();
            let row =
                if fate == Fate::Dropped { Row::default() } else { record.into_row(Path::new("work"))? };
            Ok((line, self.lot(&row), crate::normal::skeleton(&row.input), row, fate))
        };
        let mut done = 0;
        in_order(
            clean.chain(made),
            understood,
            |chunk: Vec<Result<_, CorpusError>>| -> Result<(), CorpusError> {
                done += chunk.len() as u64;
                for understood in chunk {
                    let (line, lot, skeleton, row, fate) = understood?;
                    let Some(side) = side_of(fate) else { continue };
                    out[side].write_all(&line)?;
                    out[side].write_all(b"\n")?;
                    counts[side].add(&row);
                    examples.add(row, &skeleton, lot);
                }
                self.tell("writing", done, fates.len() as u64);
                Ok(())
            },
        )?;
        for ((name, mut out), count) in names.into_iter().zip(out).zip(counts) {
            out.flush()?;
            out.get_ref().sync_all()?;
            let file = format!("{name}.jsonl");
            let written = self.work().join(&file);
            manifest.files.insert(file.clone(), hash_of(&written)?);
            std::fs::rename(written, self.folder.join(file))?;
            manifest.sides.insert(name.to_owned(), count.finish());
        }
        manifest.largest_skeleton = examples.largest_skeleton();
        let report = examples.report(manifest);
        write_atomically(&self.folder.join("report.md"), |file| file.write_all(report.as_bytes()))?;
        Ok(())
    }

    /// From the questions of train alone.
    fn learn_tokenizer(&self, manifest: &mut Manifest) -> Result<(), CorpusError> {
        self.tell("learning the tokenizer", 0, 1);
        let train = self.folder.join("train.jsonl");
        let mut counts = HashMap::new();
        let read = |record: Result<Record, _>| Ok::<_, CorpusError>(record?);
        let understood = |record: Record| record.into_row(&train);
        in_order(records(&train)?.map(read), understood, |rows| {
            for row in rows {
                for word in words(&row?.input) {
                    count_in(&mut counts, word);
                }
            }
            Ok(())
        })?;
        // What the format writes for a word.
        let counts = counts.into_iter().map(|(word, count)| (word.chars().map(harmless).collect(), count));
        let tokenizer = Tokenizer::train_on_words(counts, self.recipe.vocab_size)?;
        let path = self.folder.join("tokenizer.json");
        tokenizer.save(&path)?;
        manifest.vocab_size = tokenizer.vocab_size();
        manifest.files.insert("tokenizer.json".to_owned(), hash_of(&path)?);
        Ok(())
    }

    /// A number that is drawn for a row once and for all.
    fn lot(&self, row: &Row) -> u64 {
        // Draws are positive, so that their bits are in their order.
        draw(self.recipe.seed, "balance", &row.input).to_bits()
    }
}

/// The records of several files of ours, one after the other.
fn all(
    files: &[PathBuf],
) -> Result<impl Iterator<Item = Result<Record, CorpusError>> + Send + use<>, CorpusError> {
    let opened = files.iter().map(records).collect::<Result<Vec<_>, _>>()?;
    Ok(opened.into_iter().flatten().map(|record| Ok(record?)))
}

fn hash_of(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}
