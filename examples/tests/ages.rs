//! The tool `ages`: from birth through two ages on a small corpus, killed on the way, to the same bytes.
#![cfg(feature = "torch")]

mod tool;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use data_pipeline::{Corpus, Maker, Recipe, Source};
use thau_growth::{ancestor, ledger};
use tool::tool;

fn ages(data: &Path, out: &Path) -> Command {
    let mut command = tool("ages");
    command.arg("--data").arg(data).arg("--out").arg(out);
    command.args(["--to-age", "3", "--narrow", "8", "--batch-tokens", "256", "--threads", "1", "--fp32"]);
    command.args(["--steps-per-age", "4", "--checkpoint-every", "2", "--examine", "2"]);
    command
}

/// What a run came to, but for the time it took.
fn outcome(out: &Path) -> (Vec<blake3::Hash>, serde_json::Value) {
    let files = ["age-0", "age-1", "age-3"].map(|age| out.join(age).join("model.safetensors"));
    let hashes = files.iter().map(|file| blake3::hash(&std::fs::read(file).unwrap())).collect();
    let mut table: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("ages.json")).unwrap()).unwrap();
    for report in table.as_array_mut().unwrap() {
        report.as_object_mut().unwrap().remove("seconds");
    }
    (hashes, table)
}

#[test]
fn a_life_killed_on_the_way_ends_in_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let (data, whole, killed) =
        (home.path().join("data"), home.path().join("whole"), home.path().join("killed"));
    let source = Source::made(Maker::new(5), 400);
    Corpus::new(&source, &Recipe { vocab_size: 600, ..Recipe::default() }, &data).build().unwrap();

    let began = Instant::now();
    let output = ages(&data, &whole).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let took = began.elapsed();
    let (hashes, table) = outcome(&whole);
    let reports = table.as_array().unwrap();
    assert_eq!(reports.len(), 3);
    for pair in reports.windows(2) {
        let (before, after) = (&pair[0]["last"]["loss"], &pair[1]["first"]["loss"]);
        let apart = before.as_f64().unwrap() - after.as_f64().unwrap();
        assert!(apart.abs() < 1e-4, "growing moved the validation loss from {before} to {after}");
        assert!(pair[1]["growth"]["proof"]["max_logit_delta_f64"].as_f64().unwrap() < 1e-9);
        assert!(pair[0]["parameters"].as_u64() < pair[1]["parameters"].as_u64());
    }
    assert!(std::fs::read_to_string(whole.join("ages.txt")).unwrap().contains("3 Niño"));

    // The ledger leads back to every age.
    let last = whole.join("age-3");
    assert_eq!(ledger(&last).unwrap().len(), 2);
    assert_eq!(ancestor(&last, 1, &whole).unwrap(), whole.join("age-1"));
    assert_eq!(ancestor(&last, 2, &whole).unwrap(), whole.join("age-0"));

    for part in 1..6 {
        let mut child = ages(&data, &killed).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(took.mul_f64(f64::from(part) / 8.0).max(Duration::from_millis(50)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let output = ages(&data, &killed).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(outcome(&killed), (hashes, table));
    let hidden = std::fs::read_dir(&killed).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with('.') || name.to_string_lossy().ends_with("grown")
    });
    assert_eq!(hidden.count(), 0, "nothing temporary is left");
}
