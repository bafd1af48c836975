//! A process that is really killed while it remembers.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use self_learning::memory::{Capacity, Memory, Term};

/// Names the file to the process that is to be killed.
const FILE: &str = "SELF_LEARNING_TEST_MEMORY";

/// Remembers for ever, and says each number once it is remembered; run by the other test in a process of its own.
#[test]
fn remembers_until_killed() {
    let Some(file) = std::env::var_os(FILE) else {
        return;
    };
    let mut memory = Memory::open(Path::new(&file), Capacity::default()).unwrap();
    let begun = memory.entries(Term::Long).unwrap().len();
    for n in begun.. {
        memory.remember(Term::Long, &format!("suceso {n}"), "", n as u64).unwrap();
        println!("\nremembered {n}");
        std::io::stdout().flush().unwrap();
    }
}

#[test]
fn killed_anywhere_nothing_that_was_remembered_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memory.sqlite");
    let mut remembered = 0;
    for trial in 0..8 {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "memory::remembers_until_killed"])
            .env(FILE, &file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let last = lines
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("remembered ")?.parse::<usize>().ok())
            .nth(trial * 2)
            .expect("the process remembers");
        process.kill().unwrap();
        process.wait().unwrap();

        let memory = Memory::open(&file, Capacity::default()).unwrap();
        let entries = memory.entries(Term::Long).unwrap();
        assert!(entries.len() > last && last >= remembered, "{} entries, said {last}", entries.len());
        for (n, entry) in entries.iter().enumerate() {
            assert_eq!(entry.text, format!("suceso {n}"));
        }
        assert_eq!(memory.search(&last.to_string(), 1).unwrap()[0].text, format!("suceso {last}"));
        remembered = last;
    }
}
