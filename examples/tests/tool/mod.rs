//! The tools, as the tests start them.

use std::process::Command;

/// The example's binary, which `cargo test` builds beside the test.
pub fn tool(name: &str) -> Command {
    let test = std::env::current_exe().expect("a running test has a path");
    let profile = test.ancestors().nth(2).expect("tests are in PROFILE/deps");
    let tool = profile.join("examples").join(name);
    assert!(tool.exists(), "{} is built by `cargo test`", tool.display());
    Command::new(tool)
}
