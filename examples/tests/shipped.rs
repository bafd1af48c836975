//! The model that comes with the project: its files belong together, and it reads.

use std::path::{Path, PathBuf};

use gguf_export::{ExportOptions, export};
use nanologic_model::{Checkpoint, Reference};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/formalizer-es")
}

#[test]
fn the_gguf_file_is_what_the_weights_export_to() {
    let checkpoint = Checkpoint::load(&folder()).expect("a checkpoint");
    let reference = Reference::<f64>::new(&checkpoint.config, &checkpoint.weights).expect("a decoder");
    let forward = |tokens: &[u32]| Ok(reference.logits(tokens)?);
    let out = tempfile::tempdir().expect("a folder");
    let options = ExportOptions { file_type: "Q8_0".parse().expect("a type"), ..ExportOptions::default() };
    let made = out.path().join("model.gguf");
    export(&folder(), &made, &options, &forward).expect("a proven file");
    let shipped = std::fs::read(folder().join("model.gguf")).expect("the file");
    assert!(
        shipped == std::fs::read(made).expect("the file made now"),
        "run the command of the model card again"
    );
}

#[cfg(feature = "torch")]
#[test]
fn it_reads_the_sentence_of_the_front_page_and_most_of_those_written_by_hand() {
    use data_pipeline::{Row, read_rows};
    use nanologic_model::eval::Report;
    use nanologic_model::torch::{Formalizer, Sampling};

    let mut formalizer = Formalizer::load(&folder(), 2).expect("a model");
    let mut read = |inputs: &[&str]| formalizer.read(inputs, &Sampling::greedy()).expect("it runs");
    let front_page = read(&["Si llueve y no llevo paraguas, entonces me mojo"]).remove(0).expect("a reading");
    assert_eq!(front_page.answer.formula.to_string(), "p ∧ ¬q → r");

    let gold = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/data-pipeline/gold/sentences.jsonl");
    let rows: Vec<Row> = read_rows(&gold).expect("a file").collect::<Result<_, _>>().expect("rows");
    let inputs: Vec<&str> = rows.iter().map(|row| row.input.as_str()).collect();
    let answers = read(&inputs);
    let answers = answers.iter().map(|reading| reading.as_ref().ok().map(|reading| &reading.answer));
    let right = Report::new(rows.iter().zip(answers)).all.equivalent;
    assert!(right.share() >= 0.85, "{} of {}", right.right, right.of);
}
