//! A run that is killed, at whatever moment, ends in the same bits as one that never was.
#![cfg(feature = "torch")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use data_pipeline::Sequence;
use nanologic_model::torch::{Control, Trainer, Training, latest, train};
use nanologic_model::{Checkpoint, Config, Provenance, Weights};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Names the folder of the run that a child of this test is to go on with.
const FOLDER: &str = "NANOLOGIC_TEST_RUN";
const KILLS: usize = 8;

/// Begins or goes on with a run of forty steps, and finishes it unless it is killed.
fn run(folder: &Path) {
    let training = Training { steps: 40, batch_tokens: 128, checkpoint_every: 2, ..Training::default() };
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
    train(&mut trainer, &sequences, &[], folder, |_| Control::Continue).unwrap();
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

#[test]
fn a_run_killed_again_and_again_ends_in_the_same_bits() {
    let whole = tempfile::tempdir().unwrap();
    run(whole.path());

    let killed = tempfile::tempdir().unwrap();
    let child = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child"])
            .env(FOLDER, killed.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut kills = 0;
    while kills < KILLS && !killed.path().join("model.safetensors").exists() {
        let mut child = child();
        // Wait until the run is under way, then for a moment drawn over a few steps and checkpoints.
        while child.try_wait().unwrap().is_none() && !killed.path().join("log.jsonl").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(rng.random_range(0..250)));
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    assert!(child().wait().unwrap().success());
    assert!(kills > 1, "the run finished before it could be killed twice");
    assert_eq!(hashes(killed.path()), hashes(whole.path()));
}
