//! Bytes that claim to be GGUF: refused or read, never a panic, and what is read is written back the same.
//!
//! On stable, with the coverage that libFuzzer feeds on:
//! ```text
//! RUSTFLAGS='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Cdebug-assertions' \
//!     cargo run --release -p gguf-export-fuzz --bin gguf_read --target x86_64-unknown-linux-gnu -- -max_total_time=600
//! ```

#![no_main]

use gguf_export::{Header, Writer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(header) = Header::parse(bytes) else { return };
    for tensor in &header.tensors {
        let end = header.data_start + tensor.offset + tensor.byte_len().expect("a read tensor has a size");
        assert!(end <= bytes.len() as u64, "{} reaches past the end", tensor.name);
    }
    // The writer aligns to 32 bytes; another alignment lies in the metadata but not in its output.
    if header.alignment != 32 {
        return;
    }
    let shapes = header.tensors.iter().map(|t| (t.name.clone(), t.dims.clone(), t.ggml_type));
    let tensors = Writer::lay_out(shapes).expect("what was read can be laid out");
    assert_eq!(tensors, header.tensors);
    let mut writer = Writer::new(Vec::new(), &header.metadata, tensors).expect("writing to memory");
    for tensor in &header.tensors {
        let start = (header.data_start + tensor.offset) as usize;
        let len = tensor.byte_len().expect("checked above") as usize;
        writer.write(&bytes[start..start + len]).expect("as many bytes as promised");
    }
    let written = writer.finish().expect("every tensor is there");
    let again = Header::parse(&written).expect("what we write we read");
    // Compared as text: NaN is not equal to itself.
    assert_eq!(format!("{:?}", again.metadata), format!("{:?}", header.metadata));
});
