//! The benches lie beside this folder, one question a file: `cargo bench -p benches`.
