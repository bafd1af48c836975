//! Writes where LibTorch lies into this package's tests, examples and doctests, so that they start by themselves.

use std::path::Path;

fn main() {
    if std::env::var_os("CARGO_FEATURE_TORCH").is_none() {
        // There is nothing to write, and no reason to run again when LibTorch moves.
        println!("cargo:rerun-if-env-changed=CARGO_FEATURE_TORCH");
        return;
    }
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if let Some(libtorch) = std::env::var_os("LIBTORCH") {
        let lib = Path::new(&libtorch).join("lib");
        let lib = std::path::absolute(&lib).unwrap_or(lib);
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    }
    // For a binary carried elsewhere together with its checkout: target/release/examples/ lies three below the root.
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/../../../.libtorch/lib");
}
