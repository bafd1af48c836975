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
mod reading {
    use data_pipeline::reader::Spanish;
    use data_pipeline::{Row, gold};
    use logic_parser::Verdict;
    use nanologic_model::eval::{Report, Together};
    use nanologic_model::torch::{Formalizer, Sampling};

    use super::folder;

    #[test]
    fn it_reads_the_sentence_of_the_front_page() {
        let mut formalizer = Formalizer::load(&folder(), 2).expect("a model");
        let sentence = "Si llueve y no llevo paraguas, entonces me mojo";
        let reading = formalizer.read(&[sentence], &Sampling::greedy()).expect("it runs").remove(0);
        assert_eq!(reading.expect("a reading").answer.formula.to_string(), "p ∧ ¬q → r");
    }

    #[test]
    fn the_figures_of_its_card_hold_on_the_sentences_written_by_hand() {
        let mut formalizer = Formalizer::load(&folder(), 2).expect("a model");
        let rows: Vec<Row> = gold::sentences();
        let inputs: Vec<&str> = rows.iter().map(|row| row.input.as_str()).collect();
        let readings = formalizer.alternatives(&inputs, 8).expect("it runs");
        let model: Vec<_> = readings.iter().map(|found| found.as_ref().ok()?.first()).collect();
        let rules: Vec<_> = inputs.iter().map(|input| Spanish.weigh(input).ok()).collect();
        let answers = model.iter().map(|reading| reading.map(|reading| &reading.answer));
        let model_alone = Report::new(rows.iter().zip(answers)).all.equivalent;
        let answers = rules.iter().map(|read| read.as_ref().map(|(answer, _)| answer));
        let rules_alone = Report::new(rows.iter().zip(answers)).all.equivalent;
        let mut together = Together::default();
        for ((row, model), rules) in rows.iter().zip(&model).zip(&rules) {
            let model = model.map(|reading| (&reading.answer, reading.formula_probability));
            together.add(row, model, rules.as_ref().map(|(answer, oddness)| (answer, *oddness)));
        }
        assert!(model_alone.share() >= 0.85, "{model_alone:?}");
        assert!(together.agree.share() >= 0.85, "{together}");
        assert!(together.right_where_they_agree.share() >= 0.98, "{together}");
        assert!(
            together.combined.right > rules_alone.right.max(model_alone.right),
            "{together}{rules_alone:?}"
        );
    }

    #[test]
    fn arguments_in_running_text_are_read_and_judged() {
        let mut formalizer = Formalizer::load(&folder(), 2).expect("a model");
        let arguments = gold::arguments();
        let mut right = 0;
        for argument in &arguments {
            let sentences: Vec<&str> =
                argument.premises_nl.iter().chain([&argument.conclusion_nl]).map(String::as_str).collect();
            let readings = formalizer.read(&sentences, &Sampling::greedy()).expect("it runs");
            let answers: Option<Vec<_>> =
                readings.into_iter().map(|reading| Some(reading.ok()?.answer)).collect();
            let read = answers.and_then(|answers| {
                let (conclusion, premises) = answers.split_last()?;
                Spanish.unite(premises, conclusion).ok()
            });
            let expected = match argument.verdict {
                gold::Verdict::Valid => Verdict::Valid,
                gold::Verdict::Invalid => Verdict::Invalid,
            };
            right += usize::from(read.is_some_and(|read| read.argument.judge().verdict == expected));
        }
        assert!(right * 100 >= 88 * arguments.len(), "{right} of {}", arguments.len());
    }
}
