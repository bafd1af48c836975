//! No text makes the parser panic, hang or point outside the text.
//!
//! ```text
//! RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
//!   -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table" \
//!   cargo run --release --target x86_64-unknown-linux-gnu -p logic-parser-fuzz --bin logic_parse -- \
//!   -max_total_time=600 crates/logic-parser/fuzz/corpus/parse
//! ```

#![no_main]

use libfuzzer_sys::fuzz_target;
use logic_parser::{Argument, Formula, ParseError, ParseOptions};

fuzz_target!(|text: &str| {
    let options = [ParseOptions::default(), ParseOptions::strict()];
    let errors = options.iter().flat_map(|options| {
        let formula = Formula::parse_with(text, options).err();
        formula.into_iter().chain(Argument::parse_with(text, options).err())
    });
    for error in errors {
        check(text, &error);
    }
});

/// Every span lies in the text, in bytes and in characters, and the error can be drawn.
fn check(text: &str, error: &ParseError) {
    for mistake in error.diagnostics() {
        let before = text.get(..mistake.span.start).expect("a character boundary");
        assert!(text.get(mistake.span.range()).is_some());
        assert_eq!(before.chars().count(), mistake.characters.start);
    }
    assert!(!error.to_string().is_empty());
}
