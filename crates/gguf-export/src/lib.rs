//! GGUF that provably computes the same.
