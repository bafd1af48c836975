//! `cargo xtask setup | demo | test`.
fn main() {}
