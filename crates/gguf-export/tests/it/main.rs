//! The crate from outside: folders in, files out, and what llama.cpp makes of them.

mod checkpoint;
mod exporting;
mod faults;
mod golden;
mod hostile;
#[cfg(feature = "llama-cpp")]
mod real_client;
