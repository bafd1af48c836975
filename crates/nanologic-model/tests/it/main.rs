//! A run that is killed, at whatever moment, ends in the same bits as one that never was.
#![cfg(feature = "torch")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use data_pipeline::Sequence;
use nanologic_model::torch::{Control, GradientNoise, Phase, Trainer, Training, latest, train};
use nanologic_model::{Checkpoint, Config, Provenance, Weights};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Names the folder of the run that a child of this test is to go on with.
const FOLDER: &str = "NANOLOGIC_TEST_RUN";

/// Begins or goes on with a run, and finishes it unless it is killed.
fn run(folder: &Path) {
    let training = Training {
        steps: 60,
        batch_tokens: 128,
        checkpoint_every: 2,
        ema: Some(0.9),
        gradient_noise: Some(GradientNoise::default()),
        ..Training::default()
    };
    let mut trainer = match latest(folder).unwrap() {
        Some(stopped) => Trainer::resume(&stopped, training).unwrap(),
        None => {
            let config = Config::tiny();
            let weights = Weights::init(&config, 1);
            let provenance = Provenance::default();
            let fresh = Checkpoint { config, weights, tokenizer: None, training: None, provenance };
            Trainer::new(&fresh, training).unwrap()
        }
    };
    let sequence = |n: u32| Sequence::new(vec![n % 60; 3 + n as usize % 9], vec![n * 7 % 60, 2]);
    let sequences: Vec<Sequence> = (0..60).map(sequence).collect();
    train(&mut trainer, &Phase::only(&sequences), &sequences[..9], folder, |_| Control::Continue).unwrap();
}

fn hashes(folder: &Path) -> [blake3::Hash; 2] {
    ["model.safetensors", "training_state.safetensors"]
        .map(|file| blake3::hash(&std::fs::read(folder.join(file)).unwrap()))
}

/// What the children of the next test do; by itself, one run from beginning to end.
#[test]
fn child() {
    match std::env::var_os(FOLDER) {
        Some(folder) => run(Path::new(&folder)),
        None => run(tempfile::tempdir().unwrap().path()),
    }
}

/// Kills children at moments drawn over a few steps, every other one in the middle of writing a checkpoint, and the
/// last while the finished model is written; then lets one finish. Says how many died while they wrote.
fn kill(times: usize) -> usize {
    let whole = tempfile::tempdir().unwrap();
    run(whole.path());

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let child = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child"])
            .env(FOLDER, path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let wait = |child: &mut Child, moment: &dyn Fn() -> bool| {
        while child.try_wait().unwrap().is_none() && !moment() {
            std::thread::sleep(Duration::from_micros(200));
        }
    };
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut while_writing = 0;
    for kill in 0..times {
        let mut child = child();
        let before = last_line(path);
        wait(&mut child, &|| last_line(path) != before);
        if kill + 1 == times {
            wait(&mut child, &|| path.join("model.safetensors").exists());
        } else if kill % 2 == 1 {
            wait(&mut child, &|| unfinished(path));
        } else {
            std::thread::sleep(Duration::from_millis(rng.random_range(0..60)));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        while_writing += usize::from(unfinished(path));
    }
    assert!(child().wait().unwrap().success());
    assert_eq!(hashes(path), hashes(whole.path()));
    while_writing
}

fn last_line(folder: &Path) -> u64 {
    std::fs::metadata(folder.join("log.jsonl")).map_or(0, |file| file.len())
}

/// Whether a checkpoint lies there half-written, under the name that no reader looks for.
fn unfinished(folder: &Path) -> bool {
    ["steps", "best", "."].iter().filter_map(|part| std::fs::read_dir(folder.join(part)).ok()).any(
        |entries| entries.flatten().any(|entry| entry.file_name().to_string_lossy().ends_with(".partial")),
    )
}

#[test]
fn a_run_killed_again_and_again_ends_in_the_same_bits() {
    kill(4);
}

#[test]
#[ignore = "takes minutes"]
fn a_run_killed_twenty_times_ends_in_the_same_bits() {
    let while_writing = kill(20);
    assert!(while_writing >= 5, "only {while_writing} died while they wrote");
}
