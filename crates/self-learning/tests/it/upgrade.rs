//! A process that is really killed in the middle of an upgrade.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use self_learning::{Decision, Gate, History};

/// Names the folder to the process that is to be killed.
const FOLDER: &str = "SELF_LEARNING_TEST_FOLDER";

/// A generator of eight files, each saying its version.
fn fill(version: u32) -> impl FnOnce(&Path) -> self_learning::Result<()> {
    move |folder| {
        for part in 0..8 {
            let text = format!("version {version}\n").repeat(20_000);
            fs::write(folder.join(format!("part_{part}")), text).expect("a temporary folder");
        }
        Ok(())
    }
}

fn decision() -> Decision {
    Gate::default().decide(&[], 0)
}

/// Upgrades for ever; run by the other test in a process of its own, and alone it does nothing.
#[test]
fn upgrades_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let mut history = History::open(Path::new(&folder), 2, fill(1)).unwrap();
    loop {
        let next = history.state().generators.len() as u32 + 1;
        history.upgrade(&decision(), fill(next)).unwrap();
    }
}

#[test]
fn killed_anywhere_in_an_upgrade_the_generator_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut versions = 0;
    for trial in 0..20 {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "upgrade::upgrades_until_killed"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(40 + 13 * trial));
        process.kill().unwrap();
        process.wait().unwrap();

        let history = History::open(folder.path(), 2, fill(1)).unwrap();
        let current = history.state().current_generator;
        history.verify(current).unwrap();
        history.verify(1).unwrap();
        let part = fs::read_to_string(folder.path().join("generators/current/part_7")).unwrap();
        assert!(part.starts_with(&format!("version {current}\n")));
        assert!(current >= versions, "nothing that was committed is lost");
        versions = current;
    }
    assert!(versions > 1, "the process was killed while it upgraded");
}
