//! What a decoder is, and how LibTorch trains and runs it.
