//! A corpus made from the maker's rows.

use std::{collections::BTreeSet, path::Path, sync::Mutex};

use data_pipeline::{
    Complexity, Corpus, CorpusError, Maker, Manifest, Part, Realizer, Reason, Recipe, Row, Sequence, Source,
    Tokenizer, WordSpan,
    augment::{Law, equivalents},
    format::Pointing,
    gold, normal, pack, read_rows, write_rows,
};
use logic_parser::{Formula, equivalent};

pub const FILES: [&str; 6] =
    ["train.jsonl", "val.jsonl", "test.jsonl", "tokenizer.json", "report.md", "manifest.json"];

fn made(rows: u64, seed: u64) -> Source {
    Source::made(Maker::new(seed), rows)
}

fn recipe(seed: u64) -> Recipe {
    Recipe { seed, composed: 0.5, contrasted: 0.5, vocab_size: 2_000, ..Recipe::default() }
}

/// A corpus on disk and in memory.
struct Built {
    folder: tempfile::TempDir,
    manifest: Manifest,
    sides: [Vec<Row>; 3],
}

fn build_with(source: &Source, recipe: &Recipe) -> Built {
    let folder = tempfile::tempdir().unwrap();
    let manifest = Corpus::new(source, recipe, folder.path()).build().unwrap();
    let sides = ["train.jsonl", "val.jsonl", "test.jsonl"]
        .map(|name| read_rows(folder.path().join(name)).unwrap().collect::<Result<_, _>>().unwrap());
    Built { folder, manifest, sides }
}

fn build(rows: u64, seed: u64) -> Built {
    build_with(&made(rows, seed), &recipe(seed))
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    FILES.iter().map(|name| std::fs::read(folder.join(name)).unwrap()).collect()
}

fn sentences(side: &[Row]) -> BTreeSet<String> {
    side.iter().map(|row| normal::sentence(&row.input)).collect()
}

#[test]
fn nothing_of_one_side_is_on_another_even_after_augmenting() {
    let rewritten = Recipe { rewritten: 3, ..recipe(1) };
    let Built { manifest, sides, .. } = build_with(&made(4_000, 1), &rewritten);
    assert!(manifest.made.iter().all(|made| made.kept() > 50), "{manifest}");
    assert!(sides[2].len() > 200 && sides[1].len() > 100);
    let patterns = |side: &[Row]| side.iter().map(|row| row.pattern.clone()).collect::<BTreeSet<_>>();
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        assert!(sentences(&sides[a]).is_disjoint(&sentences(&sides[b])));
        assert!(patterns(&sides[a]).is_disjoint(&patterns(&sides[b])));
    }
}

#[test]
fn what_is_made_of_train_rows_stays_in_train() {
    let plain = Recipe { composed: 0.0, contrasted: 0.0, ..recipe(2) };
    let [plain, augmented] =
        [plain, Recipe { rewritten: 2, ..recipe(2) }].map(|recipe| build_with(&made(3_000, 2), &recipe));
    assert!(augmented.manifest.made.iter().all(|made| made.kept() > 20));
    // Augmenting moves no row of the other sides, and nobody joins them there.
    assert_eq!(plain.sides[1..], augmented.sides[1..]);
    assert_eq!(plain.manifest.split, augmented.manifest.split);
    // What says the same sentence in another formula stands beside it, and means the same.
    let mut forms = 0;
    for rows in augmented.sides[0].chunk_by(|a, b| a.input == b.input).filter(|rows| rows.len() > 1) {
        let formula = |row: &Row| -> Formula { row.formula.parse().unwrap() };
        // Letters may have changed places: the glossary says which is which.
        let name = |row: &Row| {
            formula(row).rename(|atom| row.atoms[atom].replace(|c: char| !c.is_alphanumeric(), "_"))
        };
        for row in &rows[1..] {
            assert!(equivalent(&name(&rows[0]), &name(row)).is_yes(), "{row:?}");
            forms += 1;
        }
    }
    assert!(forms > 20, "{forms}");
}

#[test]
fn every_row_is_answered_and_read_back_as_it_is() {
    for row in build(1_500, 2).sides.iter().flatten() {
        let answer = Pointing::read(&row.input, &Pointing::answer(row).unwrap()).unwrap();
        let formula: Formula = row.formula.parse().unwrap();
        assert_eq!(answer.formula, formula.pattern());
        assert_eq!(row.pattern, formula.pattern().to_string());
        assert_eq!(row.complexity, Complexity::of(&formula));
        for (letter, atom) in answer.atoms.values().zip(formula.atoms()) {
            assert_eq!(normal::sentence(letter), normal::sentence(&row.atoms[atom]), "{}", row.input);
        }
    }
}

#[test]
fn the_gold_set_stays_unseen() {
    let seen = sentences(&build(1_500, 3).sides[0]);
    assert!(gold::sentences().iter().all(|row| !seen.contains(&normal::sentence(&row.input))));
}

#[test]
fn train_is_balanced() {
    let train = &build(4_000, 4).manifest.sides["train"];
    assert!(train.largest_block() <= 0.25);
    assert!(train.complexity.values().all(|&rows| rows * 2 <= train.rows));
}

#[test]
fn the_same_seed_writes_the_same_bytes() {
    let [first, again, other] = [5, 5, 6].map(|seed| files(build(600, seed).folder.path()));
    for (index, name) in FILES.iter().enumerate() {
        assert!(first[index] == again[index], "{name}");
        assert!(first[index] != other[index], "{name}");
    }
}

#[test]
fn parts_made_apart_give_the_files_of_one_run() {
    let (source, recipe) = (made(3_000, 8), recipe(8));
    let whole = build_with(&source, &recipe);
    let folder = tempfile::tempdir().unwrap();
    let corpus = Corpus::new(&source, &recipe, folder.path());
    let parts = (1..=3).map(|number| Part { number, of: 3 });
    for part in parts.clone().rev() {
        let early = corpus.join(3).unwrap_err();
        assert!(matches!(early, CorpusError::PartMissing(Part { number: 1, of: 3 })), "{early}");
        corpus.clean(part).unwrap();
    }
    assert_eq!(corpus.join(3).unwrap(), whole.manifest);
    assert_eq!(files(folder.path()), files(whole.folder.path()));

    // Parts of another seed are not joined.
    parts.for_each(|part| corpus.clean(part).unwrap());
    let other = Recipe { seed: 9, ..recipe };
    assert!(Corpus::new(&source, &other, folder.path()).join(3).is_err());
}

#[test]
fn cut_off_anywhere_it_goes_on_from_there() {
    let (source, recipe) = (made(9_000, 10), recipe(10));
    let whole = build_with(&source, &recipe);
    let folder = tempfile::tempdir().unwrap();
    let starts = Mutex::new(Vec::new());
    let note = |progress: data_pipeline::Progress| starts.lock().unwrap().push(progress.done);
    let corpus = Corpus::new(&source, &recipe, folder.path()).with_progress(&note);
    corpus.clean(Part::WHOLE).unwrap();
    let paths = ["jsonl", "journal"].map(|ending| folder.path().join(format!("work/1-of-1.{ending}")));
    let [rows, journal] = paths.each_ref().map(|path| std::fs::read(path).unwrap());
    for tenth in 0..=10 {
        // The rows may be ahead of the journal; the other way round only if the machine lost them.
        for (rows_len, journal_len) in
            [(rows.len(), journal.len() * tenth / 10), (rows.len() * tenth / 10, journal.len())]
        {
            std::fs::write(&paths[0], &rows[..rows_len]).unwrap();
            std::fs::write(&paths[1], &journal[..journal_len]).unwrap();
            starts.lock().unwrap().clear();
            corpus.clean(Part::WHOLE).unwrap();
            assert_eq!(std::fs::read(&paths[0]).unwrap(), rows);
            assert_eq!(std::fs::read(&paths[1]).unwrap(), journal);
        }
    }
    // With all but the last entry of the journal, only the last rows are made again.
    let last = journal[..journal.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap();
    std::fs::write(&paths[1], &journal[..=last]).unwrap();
    starts.lock().unwrap().clear();
    corpus.clean(Part::WHOLE).unwrap();
    assert_eq!(starts.lock().unwrap()[..], [9_000]);
    corpus.join(1).unwrap();
    assert_eq!(files(folder.path()), files(whole.folder.path()));
}

#[test]
fn rows_of_a_file_go_the_same_way_and_what_is_no_row_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let maker = Maker::new(11);
    let rows: Vec<Row> = (0..1_000).map(|index| maker.row(index)).collect();
    let path = folder.path().join("rows.json");
    std::fs::write(&path, serde_json::to_string_pretty(&rows).unwrap()).unwrap();
    let from_made = build(1_000, 11);
    let from_file = build_with(&Source::File(path), &recipe(11));
    assert_eq!(from_file.sides, from_made.sides);
    assert_eq!(from_file.manifest.input, from_made.manifest.input);

    let lines = folder.path().join("rows.jsonl");
    write_rows(&lines, &rows).unwrap();
    let text = std::fs::read_to_string(&lines).unwrap().replacen('\n', "\n{\"input\": 7}\nno row\n", 1);
    std::fs::write(&lines, text).unwrap();
    let from_lines = build_with(&Source::File(lines), &recipe(11));
    assert_eq!(from_lines.manifest.steps[0].dropped[&Reason::Unreadable], 2);
    assert_eq!(from_lines.sides, from_made.sides);
}

#[test]
fn a_written_corpus_is_read_tokenized_and_packed() {
    let Built { folder, sides: [rows, ..], .. } = build(2_000, 7);
    let tokenizer = Tokenizer::load(folder.path().join("tokenizer.json")).unwrap();
    let sequences: Vec<Sequence> = rows.iter().map(|row| Sequence::of(row, &tokenizer).unwrap()).collect();
    for (row, sequence) in rows.iter().zip(&sequences) {
        let (prompt, answer) = sequence.ids.split_at(sequence.scored_from);
        assert_eq!(tokenizer.decode(prompt), Pointing::prompt(&row.input).unwrap());
        assert_eq!(tokenizer.decode(answer), Pointing::answer(row).unwrap());
    }
    let packed = pack(&sequences, 8, 512, 0).unwrap();
    assert!(packed.real_share() >= 0.97, "{}", packed.real_share());
    let tokens: usize = packed.map(|batch| batch.real_tokens()).sum();
    assert_eq!(tokens, sequences.iter().map(|sequence| sequence.ids.len()).sum::<usize>());
}

#[test]
fn every_law_finds_its_formulas_and_each_is_proven() {
    let maker = Maker::new(12);
    let mut used = BTreeSet::new();
    for index in 0..2_000 {
        let formula: Formula = maker.row(index).formula.parse().unwrap();
        for (law, form) in equivalents(&formula) {
            assert!(equivalent(&formula, &form).is_yes(), "{formula} by {law:?} became {form}");
            used.insert(format!("{law:?}"));
        }
    }
    assert_eq!(used.len(), Law::ALL.len(), "{used:?}");
}

/// English, as far as *if* goes, about things that have no meaning.
#[derive(Debug)]
struct English;

impl Realizer for English {
    fn row(&self, index: u64) -> Row {
        let word = |salt: u64| -> String {
            let mut left = (index + 7).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(salt as u32 * 13);
            let mut letter = || {
                left /= 20;
                char::from(b'b' + (left % 20) as u8)
            };
            (0..6).map(|_| letter()).collect()
        };
        let [thing, does, other, also] = [1, 2, 3, 4].map(word);
        let (input, formula) = match index % 3 {
            0 => (format!("If the {thing} {does}s, the {other} {also}s."), "p → q"),
            1 => (format!("Both the {thing} {does}s , the {other} {also}s."), "p ∧ q"),
            _ => (format!("Or the {thing} {does}s, the {other} {also}s."), "p ∨ q"),
        };
        let span = |first, last| vec![WordSpan { first, last }];
        Row {
            input,
            formula: formula.into(),
            pattern: formula.into(),
            atoms: [
                ("p".into(), format!("the {thing} {does}s")),
                ("q".into(), format!("the {other} {also}s")),
            ]
            .into(),
            spans: [("p".into(), span(1, 3)), ("q".into(), span(5, 7))].into(),
            language: "en".into(),
            ..Row::default()
        }
    }

    fn fingerprint(&self) -> String {
        "English of three conjunctions".into()
    }
}

#[test]
fn a_realizer_of_ones_own_makes_a_corpus() {
    let built = build_with(&Source::made(English, 300), &recipe(1));
    let rows: Vec<&Row> = built.sides.iter().flatten().collect();
    assert!(rows.len() > 100, "{}", built.manifest);
    assert!(rows.iter().any(|row| row.language == "en" && row.input.starts_with("If the")));
    for row in rows {
        let read = Pointing::read(&row.input, &Pointing::answer(row).unwrap()).unwrap();
        assert!(equivalent(&read.formula, &row.formula.parse().unwrap()).is_yes());
    }
}
