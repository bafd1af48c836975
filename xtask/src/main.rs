//! `cargo xtask setup | demo [--quick] [--out DIR] | test [--long]`
//!
//! `setup` fetches LibTorch and llama.cpp, `demo` runs the public examples in order and reports, `test` runs every
//! check. There is no logic of the project here: only the order, the marks for going on, and the report.

mod check;
mod command;
mod demo;
mod marks;
mod report;
mod setup;

use std::path::Path;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask setup | demo [--quick] [--out DIR] | test [--long]";

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    command::outlive_interrupts()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["setup"] => setup::setup(root),
        ["demo", ref options @ ..] => {
            let (size, out) = match *options {
                [] => (demo::Size::FULL, "target/demo"),
                ["--quick"] => (demo::Size::QUICK, "target/demo"),
                ["--out", out] => (demo::Size::FULL, out),
                ["--quick", "--out", out] | ["--out", out, "--quick"] => (demo::Size::QUICK, out),
                _ => bail!(USAGE),
            };
            setup::setup(root)?;
            demo::run(root, out, &size).map(drop)
        }
        ["test"] => setup::setup(root).and_then(|()| check::run(root, false)),
        ["test", "--long"] => setup::setup(root).and_then(|()| check::run(root, true)),
        _ => bail!(USAGE),
    }
}
