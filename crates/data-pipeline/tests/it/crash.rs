//! A process that is killed while it makes a corpus, again and again, and the corpus that comes of it.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use data_pipeline::{Corpus, Maker, Recipe, Source};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::corpus::FILES;

/// Tells the child where to write.
const FOLDER: &str = "DATA_PIPELINE_CRASH_FOLDER";

fn build(folder: &Path) {
    let source = Source::made(Maker::new(3), 30_000);
    let recipe = Recipe { seed: 3, vocab_size: 1_500, ..Recipe::default() };
    Corpus::new(&source, &recipe, folder).build().unwrap();
}

#[test]
#[ignore = "the child of the test below"]
fn child() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        build(folder.as_ref());
    }
}

#[test]
fn killed_at_random_moments_it_writes_the_same_bytes() {
    let [whole, crashed] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let start = std::time::Instant::now();
    build(whole.path());
    let took = start.elapsed();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut kills, mut longest) = (0, 0);
    loop {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child", "--ignored"])
            .env(FOLDER, crashed.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if kills == 12 {
            assert!(child.wait().unwrap().success());
            break;
        }
        std::thread::sleep(took.mul_f64(rng.random_range(0.02..0.7)).max(Duration::from_millis(20)));
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let journal = std::fs::read_to_string(crashed.path().join("work/1-of-1.journal")).unwrap_or_default();
        longest = longest.max(journal.lines().count());
    }
    assert!(kills >= 2 && longest >= 2, "{kills} kills, {longest} lines in the journal");
    for name in FILES {
        let [expected, found] =
            [&whole, &crashed].map(|folder| std::fs::read(folder.path().join(name)).unwrap());
        assert!(expected == found, "{name} differs after {kills} kills");
    }
}
