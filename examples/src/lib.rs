//! The examples live in `stories/`, a screen each to read, and `tools/`, to use.
#![cfg_attr(doctest, doc = include_str!("../../README.md"))]
