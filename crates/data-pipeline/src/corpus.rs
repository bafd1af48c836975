//! From rows to a corpus: clean, split, augment and balance train, learn the tokenizer from train, write the folder.

use std::{collections::BTreeMap, fmt, io, io::Write as _, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    Balance, Complexity, Distribution, Row, Shares, SplitReport, StepReport, Steps, Tokenizer,
    TokenizerError,
    augment::{compose, contrast},
    balance,
    clean::{Trivial, WellFormed},
    dedup::{Exact, GoldOverlap, Near},
    format::Pointing,
    normal::draw,
    rows::write_atomically,
    split, write_rows,
};

/// How a corpus is made. All shares are from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Decides every choice; the same rows and seed give the same bytes.
    pub seed: u64,
    /// The share of rows with a trivial formula (`p`, `p → q`) that stays.
    pub trivial_rate: f64,
    /// What is held out.
    pub shares: Shares,
    /// The share of simple train rows that are also composed with another into an advanced one.
    pub composed: f64,
    /// The share of train rows that get a contrasting neighbour, where they have one.
    pub contrasted: f64,
    /// No degree of complexity has more than this share of train.
    pub most_of_a_complexity: f64,
    /// No block has more than this share of train.
    pub most_of_a_block: f64,
    /// The size of the vocabulary.
    pub vocab_size: usize,
}

impl Default for Recipe {
    fn default() -> Recipe {
        Recipe {
            seed: 0,
            trivial_rate: 0.8,
            shares: Shares::default(),
            composed: 0.1,
            contrasted: 0.2,
            most_of_a_complexity: 0.5,
            most_of_a_block: 0.25,
            vocab_size: 8_000,
        }
    }
}

/// A corpus in memory.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// What models learn from.
    pub train: Vec<Row>,
    /// What decisions during training may look at: patterns that train lacks.
    pub val: Vec<Row>,
    /// What is looked at once: patterns that train and validation lack.
    pub test: Vec<Row>,
    /// Learned from train alone.
    pub tokenizer: Tokenizer,
    /// How it was made.
    pub manifest: Manifest,
}

/// How a corpus was made, and what came out: enough to make it again and to see that it is the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this crate.
    pub version: String,
    /// The recipe.
    pub recipe: Option<Recipe>,
    /// What each step did, in order.
    pub steps: Vec<StepReport>,
    /// How many rows were composed from two.
    pub composed: usize,
    /// How many rows were made as contrasts.
    pub contrasted: usize,
    /// How the rows were split.
    pub split: SplitReport,
    /// The number of tokens of the vocabulary.
    pub vocab_size: usize,
    /// What each side is made of.
    pub sides: BTreeMap<String, Distribution>,
    /// The BLAKE3 hash of each file that was written.
    pub files: BTreeMap<String, String>,
}

/// Why there is no corpus.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// Nothing to learn from was left.
    #[error("no rows are left to train on")]
    NoRows,
    /// The tokenizer could not be trained or written.
    #[error("cannot make the tokenizer")]
    Tokenizer(#[from] TokenizerError),
    /// A file could not be written.
    #[error("cannot write the corpus")]
    Io(#[from] io::Error),
}

impl Corpus {
    /// Makes a corpus of `rows`, which may be an iterator that makes them as it goes.
    ///
    /// Rows are split before train is augmented, and what is made then is held against the other sides: so neither a
    /// sentence nor a pattern of test is ever in train.
    ///
    /// # Errors
    ///
    /// [`CorpusError::NoRows`], [`CorpusError::Tokenizer`].
    pub fn build(rows: impl IntoIterator<Item = Row>, recipe: &Recipe) -> Result<Corpus, CorpusError> {
        let Recipe { seed, .. } = *recipe;
        let mut steps = Steps::new(vec![
            Box::new(WellFormed),
            Box::new(Exact::default()),
            Box::new(Near::default()),
            Box::new(GoldOverlap::default()),
            Box::new(Trivial { rate: recipe.trivial_rate, seed }),
        ]);
        let clean: Vec<Row> = rows.into_iter().filter_map(|row| steps.apply(row)).collect();
        let mut sides = split(clean, recipe.shares, seed);

        // What is made from train rows passes the same steps, which have seen every sentence so far.
        let pairs = pairs_to_compose(&sides.train, recipe);
        let composed = pairs.iter().enumerate().filter_map(|(variant, [a, b])| compose(a, b, variant));
        let composed: Vec<Row> = composed.filter_map(|row| steps.apply(row)).collect();
        let chosen = sides.train.iter().filter(|row| draw(seed, "contrast", &row.input) < recipe.contrasted);
        let contrasted: Vec<Row> = chosen.filter_map(contrast).filter_map(|row| steps.apply(row)).collect();
        let mut manifest = Manifest {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            recipe: Some(*recipe),
            composed: composed.len(),
            contrasted: contrasted.len(),
            split: sides.report.clone(),
            steps: steps.reports(),
            ..Manifest::default()
        };
        drop(steps);
        let (made, guarded) = sides.guard([composed, contrasted].concat());
        sides.train.extend(made);
        let (train, by_complexity) =
            balance(sides.train, Balance::Complexity, recipe.most_of_a_complexity, seed);
        let (train, by_block) = balance(train, Balance::Block, recipe.most_of_a_block, seed);
        manifest.steps.extend([guarded, by_complexity, by_block]);
        if train.is_empty() {
            return Err(CorpusError::NoRows);
        }

        let texts: Vec<String> = train.iter().filter_map(|row| Pointing::prompt(&row.input).ok()).collect();
        let tokenizer = Tokenizer::train(texts, recipe.vocab_size)?;
        manifest.vocab_size = tokenizer.vocab_size();
        for (name, rows) in [("train", &train), ("val", &sides.val), ("test", &sides.test)] {
            manifest.sides.insert(name.to_owned(), Distribution::of(rows));
        }
        Ok(Corpus { train, val: sides.val, test: sides.test, tokenizer, manifest })
    }

    /// Writes `train.jsonl`, `val.jsonl`, `test.jsonl`, `tokenizer.json` and, last, `manifest.json` with the hashes of
    /// the others. The folder is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`CorpusError::Io`], [`CorpusError::Tokenizer`].
    pub fn write(&mut self, folder: impl AsRef<Path>) -> Result<(), CorpusError> {
        let folder = folder.as_ref();
        std::fs::create_dir_all(folder)?;
        for (name, rows) in
            [("train.jsonl", &self.train), ("val.jsonl", &self.val), ("test.jsonl", &self.test)]
        {
            write_rows(folder.join(name), rows)?;
        }
        self.tokenizer.save(folder.join("tokenizer.json"))?;
        for name in ["train.jsonl", "val.jsonl", "test.jsonl", "tokenizer.json"] {
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(std::fs::File::open(folder.join(name))?)?;
            self.manifest.files.insert(name.to_owned(), hasher.finalize().to_hex().to_string());
        }
        let manifest = serde_json::to_string_pretty(&self.manifest).map_err(io::Error::from)?;
        Ok(write_atomically(&folder.join("manifest.json"), |file| writeln!(file, "{manifest}"))?)
    }
}

/// Pairs of simple rows of one block, each row in at most one pair.
fn pairs_to_compose<'a>(train: &'a [Row], recipe: &Recipe) -> Vec<[&'a Row; 2]> {
    let mut waiting: BTreeMap<&str, &Row> = BTreeMap::new();
    let simple = train.iter().filter(|row| row.complexity == Complexity::Simple);
    let chosen = simple.filter(|row| draw(recipe.seed, "compose", &row.input) < recipe.composed);
    let paired = chosen.filter_map(|row| match waiting.remove(row.block.as_str()) {
        Some(before) => Some([before, row]),
        None => {
            waiting.insert(&row.block, row);
            None
        }
    });
    paired.collect()
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        let SplitReport { components, largest, patterns: [train, val, test], equivalent_in_train } =
            &self.split;
        writeln!(
            f,
            "split: {components} groups that share sentences or patterns, the largest of {largest} rows"
        )?;
        writeln!(f, "  patterns: {train} in train, {val} in validation, {test} in test, none in two;")?;
        writeln!(f, "  {equivalent_in_train} of test are equivalent to one of train")?;
        writeln!(f, "added to train: {} composed of two rows, {} contrasts", self.composed, self.contrasted)?;
        writeln!(f, "vocabulary: {} tokens, learned from train", self.vocab_size)?;
        let sides = ["train", "val", "test"].iter().filter_map(|&name| Some((name, self.sides.get(name)?)));
        f.write_str(&Distribution::table(&sides.collect::<Vec<_>>()))
    }
}
