//! The crate from outside: folders in, files out, and what llama.cpp makes of them.

mod checkpoint;
mod damage;
mod exporting;
mod faults;
mod folding;
mod golden;
mod hostile;
mod hugging_face;
#[cfg(feature = "llama-cpp")]
mod real_client;
