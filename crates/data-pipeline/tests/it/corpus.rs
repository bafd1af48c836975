//! A corpus made from the maker's rows.

use std::collections::BTreeSet;

use data_pipeline::{
    Complexity, Corpus, Maker, Recipe, Row, Sequence, Tokenizer, format::Pointing, gold, normal, pack,
    read_rows,
};
use logic_parser::Formula;

fn build(rows: u64, seed: u64) -> Corpus {
    let maker = Maker::new(seed);
    let recipe = Recipe { seed, composed: 0.5, contrasted: 0.5, vocab_size: 2_000, ..Recipe::default() };
    Corpus::build((0..rows).map(|index| maker.row(index)), &recipe).unwrap()
}

#[test]
fn nothing_of_one_side_is_on_another_even_after_augmenting() {
    let corpus = build(4_000, 1);
    assert!(corpus.manifest.composed > 50 && corpus.manifest.contrasted > 50);
    assert!(corpus.test.len() > 200 && corpus.val.len() > 100);
    let sides = [&corpus.train, &corpus.val, &corpus.test];
    let keys = |side: &[Row]| -> (BTreeSet<String>, BTreeSet<String>) {
        side.iter().map(|row| (normal::sentence(&row.input), row.pattern.clone())).unzip()
    };
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let ((sentences, patterns), (others, other_patterns)) = (keys(sides[a]), keys(sides[b]));
        assert!(sentences.is_disjoint(&others));
        assert!(patterns.is_disjoint(&other_patterns));
    }
}

#[test]
fn every_row_is_answered_and_read_back_as_it_is() {
    let corpus = build(1_500, 2);
    for row in corpus.train.iter().chain(&corpus.val).chain(&corpus.test) {
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
    let corpus = build(1_500, 3);
    let seen: BTreeSet<String> = corpus.train.iter().map(|row| normal::sentence(&row.input)).collect();
    assert!(gold::sentences().iter().all(|row| !seen.contains(&normal::sentence(&row.input))));
}

#[test]
fn train_is_balanced() {
    let corpus = build(4_000, 4);
    let train = &corpus.manifest.sides["train"];
    assert!(train.largest_block() <= 0.25);
    assert!(train.complexity.values().all(|&rows| rows * 2 <= train.rows));
}

#[test]
fn the_same_seed_writes_the_same_bytes() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    for (folder, seed) in folders.iter().zip([5, 5, 6]) {
        build(600, seed).write(folder.path()).unwrap();
    }
    for name in ["train.jsonl", "val.jsonl", "test.jsonl", "tokenizer.json", "manifest.json"] {
        let [first, again, other] =
            folders.each_ref().map(|folder| std::fs::read(folder.path().join(name)).unwrap());
        assert!(first == again, "{name}");
        assert!(first != other, "{name}");
    }
}

#[test]
fn a_written_corpus_is_read_tokenized_and_packed() {
    let folder = tempfile::tempdir().unwrap();
    let mut corpus = build(2_000, 7);
    corpus.write(folder.path()).unwrap();
    let rows: Vec<Row> =
        read_rows(folder.path().join("train.jsonl")).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows, corpus.train);

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
