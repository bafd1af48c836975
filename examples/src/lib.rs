//! The examples live in `stories/` and `tools/`.
