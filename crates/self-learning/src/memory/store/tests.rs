//! On real files, in SQLite as it is.

use std::fs;
use std::path::PathBuf;

use super::*;
use proptest::prelude::*;

fn open(capacity: Capacity) -> (tempfile::TempDir, PathBuf, Memory) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.sqlite");
    let memory = Memory::open(&path, capacity).unwrap();
    (folder, path, memory)
}

fn texts(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.text.as_str()).collect()
}

/// Whether the index and the entries agree, and the file is sound.
fn sound(memory: &Memory) {
    let verdict: String = memory.file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    memory.file.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)", []).unwrap();
}

#[test]
fn the_three_memories_survive_a_restart() {
    let (_folder, path, mut memory) = open(Capacity::default());
    for (term, text) in [(Term::Short, "hola"), (Term::Long, "la nieve es blanca"), (Term::Episodic, "nevó")]
    {
        memory.remember(term, text, "prueba", 7).unwrap();
    }
    drop(memory);
    let memory = Memory::open(&path, Capacity::default()).unwrap();
    assert_eq!(texts(&memory.entries(Term::Short).unwrap()), ["hola"]);
    assert_eq!(texts(&memory.search("BLANCA", 9).unwrap()), ["la nieve es blanca"]);
    assert_eq!(texts(&memory.episodes(7, 7).unwrap()), ["nevó"]);
    assert!(memory.episodes(8, u64::MAX).unwrap().is_empty());
    sound(&memory);
}

#[test]
fn short_term_memory_lets_the_oldest_go_and_promotes_what_was_recalled() {
    let (_folder, _, mut memory) = open(Capacity { short: 2, ..Capacity::default() });
    for (now, text) in (0..).zip(["uno", "dos", "tres"]) {
        memory.remember(Term::Short, text, "", now).unwrap();
        if text == "dos" {
            memory.recall("dos", 1, now).unwrap();
        }
    }
    assert_eq!(texts(&memory.entries(Term::Short).unwrap()), ["dos", "tres"]);
    memory.remember(Term::Short, "cuatro", "", 4).unwrap();
    assert_eq!(texts(&memory.entries(Term::Short).unwrap()), ["tres", "cuatro"]);
    assert_eq!(texts(&memory.entries(Term::Long).unwrap()), ["dos"]);
    assert!(memory.search("uno", 9).unwrap().is_empty());
    sound(&memory);
}

#[test]
fn long_term_memory_keeps_what_is_used_and_lets_superseded_entries_go_first() {
    let (_folder, _, mut memory) = open(Capacity { long: 3, ..Capacity::default() });
    let old = memory.remember(Term::Long, "el tren sale a las ocho", "", 0).unwrap();
    memory.remember(Term::Long, "la clave está bajo la maceta", "", 1).unwrap();
    for now in 2..6 {
        memory.recall("clave", 1, now).unwrap();
    }
    let new = memory.supersede(old, "el tren sale a las nueve", "", 10).unwrap();
    assert_eq!(memory.entries(Term::Long).unwrap()[0].superseded_by, Some(new));
    memory.remember(Term::Long, "Ana vive en Lima", "", 20).unwrap();
    let held = |memory: &Memory| memory.entries(Term::Long).unwrap();
    assert_eq!(texts(&held(&memory)).len(), 3);
    assert!(!texts(&held(&memory)).contains(&"el tren sale a las ocho"));
    // Of two used once the older goes, though it came later than the one that is used.
    memory.remember(Term::Long, "Luis vive en Quito", "", 30).unwrap();
    assert_eq!(
        texts(&held(&memory)),
        ["la clave está bajo la maceta", "Ana vive en Lima", "Luis vive en Quito"]
    );
    sound(&memory);
}

#[test]
fn what_is_known_already_is_used_once_more() {
    let (_folder, _, mut memory) = open(Capacity::default());
    let first = memory.remember(Term::Long, "dos y dos son cuatro", "libro", 1).unwrap();
    assert_eq!(memory.remember(Term::Long, "dos y dos son cuatro", "otro", 5).unwrap(), first);
    let entry = memory.entries(Term::Long).unwrap().remove(0);
    assert_eq!((entry.uses, entry.made, entry.used, entry.source.as_str()), (2, 1, 5, "libro"));
    // What happened twice are two episodes.
    memory.remember(Term::Episodic, "llovió", "", 1).unwrap();
    memory.remember(Term::Episodic, "llovió", "", 1).unwrap();
    assert_eq!(memory.entries(Term::Episodic).unwrap().len(), 2);
}

#[test]
fn what_is_forgotten_is_in_no_byte_of_the_folder() {
    let (folder, path, mut memory) = open(Capacity::default());
    let secret = "contraseñazzyzx de prueba xyzzyplugh";
    let holds = |word: &str| {
        fs::read_dir(folder.path()).unwrap().any(|file| {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            bytes.windows(word.len()).any(|window| window == word.as_bytes())
        })
    };
    let fill = |from: u64| {
        let entry = |n| Entry {
            id: n as i64,
            term: Term::Long,
            text: format!("relleno número {n}"),
            source: String::new(),
            made: n,
            used: n,
            uses: 1,
            superseded_by: None,
        };
        let lines = (from..from + 200).map(|n| serde_json::to_string(&entry(n)).unwrap() + "\n");
        lines.collect::<String>()
    };
    memory.import(fill(0).as_bytes(), 0).unwrap();
    let id = memory.remember(Term::Long, secret, "", 200).unwrap();
    memory.import(fill(200).as_bytes(), 0).unwrap();
    assert!(holds("xyzzyplugh") && path.exists());
    assert!(memory.forget(id).unwrap() && !memory.forget(id).unwrap());
    drop(memory);
    assert!(!holds("xyzzyplugh") && !holds("zzyzx") && holds("relleno"));
    let mut memory = Memory::open(&path, Capacity::default()).unwrap();
    sound(&memory);
    memory.forget_all().unwrap();
    assert!(memory.entries(Term::Long).unwrap().is_empty());
    sound(&memory);
}

#[test]
fn a_query_is_words_and_never_a_command() {
    let (_folder, _, mut memory) = open(Capacity::default());
    memory.remember(Term::Long, "el perro NEAR ladra", "", 0).unwrap();
    for query in
        ["perro\" OR \"", "text:perro", "perro*", "NEAR(perro)", "perro AND (", "-perro", "{perro}^2"]
    {
        assert_eq!(memory.search(query, 9).unwrap().len(), 1, "{query}");
    }
    assert!(memory.search(" \"'; DROP TABLE entry; --", 9).unwrap().is_empty());
    assert!(memory.search("…", 9).unwrap().is_empty());
    assert_eq!(memory.entries(Term::Long).unwrap().len(), 1);
}

#[test]
fn export_and_import_keep_everything_and_twice_is_once() {
    let (_folder, _, mut memory) = open(Capacity::default());
    let old = memory.remember(Term::Long, "antes", "libro", 1).unwrap();
    memory.supersede(old, "después", "libro", 2).unwrap();
    memory.remember(Term::Episodic, "línea\nrota \"comillas\"", "", 3).unwrap();
    let mut lines = Vec::new();
    assert_eq!(memory.export(&mut lines).unwrap(), 3);

    let (_other_folder, _, mut other) = open(Capacity::default());
    other.remember(Term::Long, "otra cosa", "", 0).unwrap();
    assert_eq!(other.import(lines.as_slice(), 9).unwrap(), 3);
    assert_eq!(other.import(lines.as_slice(), 9).unwrap(), 0);
    assert!(other.search("antes", 9).unwrap().is_empty());
    assert_eq!(texts(&other.search("comillas", 9).unwrap()), ["línea\nrota \"comillas\""]);
    let long = other.entries(Term::Long).unwrap();
    let at = |text: &str| long.iter().find(|entry| entry.text == text).unwrap();
    assert_eq!(at("antes").superseded_by, Some(at("después").id));
    sound(&other);

    // A bad line leaves nothing of the others behind.
    lines.extend_from_slice(b"{\"id\": 1}\n");
    let (_third_folder, _, mut third) = open(Capacity::default());
    assert!(matches!(third.import(lines.as_slice(), 9), Err(Error::Transfer { line: 4, .. })));
    assert!(third.entries(Term::Long).unwrap().is_empty());
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let (folder, path, mut memory) = open(Capacity { text_bytes: 10, ..Capacity::default() });
    let long = memory.remember(Term::Short, "once letras", "", 0);
    assert!(matches!(long, Err(Error::TooLong { bytes: 11, most: 10 })));
    assert!(matches!(memory.supersede(77, "x", "", 0), Err(Error::NotRemembered { id: 77 })));
    assert!(memory.entries(Term::Long).unwrap().is_empty(), "nothing of it stays");
    memory.file.execute_batch("PRAGMA user_version = 9").unwrap();
    drop(memory);
    assert!(matches!(Memory::open(&path, Capacity::default()), Err(Error::Layout { found: 9, known: 1 })));
    let other = folder.path().join("text");
    fs::write(&other, "this is a text file and not a database at all, whatever its name says").unwrap();
    assert!(matches!(Memory::open(&other, Capacity::default()), Err(Error::Memory(_))));
}

#[test]
fn eight_threads_share_a_file() {
    let (_folder, path, memory) = open(Capacity::default());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let mut memory = Memory::open(path, Capacity::default()).unwrap();
                for n in 0..10 {
                    memory.remember(Term::Episodic, &format!("hilo {thread} suceso {n}"), "", n).unwrap();
                }
            });
        }
    });
    assert_eq!(memory.entries(Term::Episodic).unwrap().len(), 80);
    sound(&memory);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is said and asked, capacities hold and the index fits.
    #[test]
    fn any_text_is_remembered_and_any_query_answered(said in prop::collection::vec("\\PC{0,20}", 1..12), query in "\\PC{0,30}") {
        let folder = tempfile::tempdir().unwrap();
        let capacity = Capacity { short: 3, long: 3, episodic: 3, ..Capacity::default() };
        let mut memory = Memory::open(&folder.path().join("m"), capacity).unwrap();
        memory.file.execute_batch("PRAGMA synchronous = OFF").unwrap();
        for (n, text) in said.iter().enumerate() {
            let term = [Term::Short, Term::Long, Term::Episodic][n % 3];
            memory.remember(term, text, "", n as u64).unwrap();
            memory.recall(&query, 2, n as u64).unwrap();
        }
        for term in [Term::Short, Term::Long, Term::Episodic] {
            prop_assert!(memory.entries(term).unwrap().len() <= 3);
        }
        sound(&memory);
    }
}
