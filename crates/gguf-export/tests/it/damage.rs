//! A file of ours that was cut or in which bits flipped: its manifest says so; without one it is refused or computes, but
//! never breaks who reads it.

use std::fs;

use gguf_export::{
    Error, ExportOptions, FileType, GgufFile, GgufModel, GgufTokenizer, check_against_manifest, export,
    probes,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::checkpoint::Toy;

#[test]
fn damage_is_detected_or_harmless() {
    let toy = Toy::llama();
    let folder = tempfile::tempdir().unwrap();
    toy.save(&folder.path().join("toy"));
    let out = folder.path().join("toy.gguf");
    let options = ExportOptions {
        file_type: FileType::Q4_K_M,
        probes: probes(toy.vocab_size, 1, 2),
        ..ExportOptions::default()
    };
    export(&folder.path().join("toy"), &out, &options, &toy).unwrap();
    assert!(check_against_manifest(&out).unwrap());

    let sound = fs::read(&out).unwrap();
    let data_start = GgufFile::open(&out).unwrap().header().data_start as usize;
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let (mut refused, mut harmless) = (0, 0);
    for round in 0..300 {
        let mut bytes = sound.clone();
        match round % 4 {
            0 => bytes.truncate(rng.random_range(0..sound.len())),
            1 => bytes[rng.random_range(data_start..sound.len())] ^= 1 << rng.random_range(0..8),
            _ => bytes[rng.random_range(0..data_start)] ^= 1 << rng.random_range(0..8),
        }
        fs::write(&out, &bytes).unwrap();
        assert!(matches!(check_against_manifest(&out), Err(Error::Damaged { .. })), "round {round}");
        let opened = GgufFile::open(&out);
        assert!(round % 4 != 0 || opened.is_err(), "cut to {} bytes", bytes.len());
        let read = opened.and_then(|file| {
            GgufTokenizer::new(&file)?.encode("Si llueve, <0>");
            GgufModel::new(&file)?.logits(&[1])
        });
        match read {
            Ok(_) => harmless += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 75 && harmless > 75, "{refused} refused, {harmless} harmless");
}

#[test]
fn a_file_without_a_manifest_is_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.gguf");
    fs::write(&path, b"GGUF").unwrap();
    assert!(!check_against_manifest(&path).unwrap());
    fs::write(folder.path().join("a.gguf.manifest.json"), b"{}").unwrap();
    assert!(matches!(check_against_manifest(&path), Err(Error::Field { .. })));
}
