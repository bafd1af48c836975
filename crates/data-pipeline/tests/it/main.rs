//! The crate as its users see it.

mod corpus;
mod crash;
mod llama_cpp;
mod reader;
